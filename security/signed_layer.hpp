// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "security/instance_key.hpp"
#include "security/layer.hpp"

/// For this folder's .cpp files alone.
namespace waybill::security {

/// A SignedData as tokens have it: one signer by subject key identifier, id-data inside, no certificates, no
/// attributes, SHA-256, DER. Nothing else is accepted.
class SignedLayer {
public:
  /// `der` must outlive this. Throws LayerRefused.
  explicit SignedLayer(ByteView der);
  [[nodiscard]] const Bytes &signerKeyId() const noexcept { return keyId_; }
  /// The content when `signer`'s key made the signature, and every byte of the layer is as that signer writes it.
  /// Throws LayerRefused.
  [[nodiscard]] Bytes verified(const Certificate &signer) const;

private:
  ByteView der_;
  CmsPtr cms_;
  CMS_SignerInfo *signer_;
  Bytes keyId_;
};

/// `content` in such a layer. Throws Fault Internal.
[[nodiscard]] Bytes signLayer(ByteView content, const InstanceKey &signer);

} // namespace waybill::security
