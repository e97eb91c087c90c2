// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/random.hpp"
#include "security/certificate.hpp"

#include <memory>
#include <string>
#include <vector>

namespace waybill::security {

enum class KeyType : std::uint8_t { P256, Rsa3072 };

/// An instance's key pair: instance.key (PEM, mode 0600) and instance.crt in its home. Immutable, thread-safe.
class InstanceKey {
public:
  /// Makes a pair and a self-signed certificate (CN = `name`, subjectAltName = `hosts`, which are DNS names or
  /// addresses; subjectKeyIdentifier; ten years) and writes both files, synced. Throws Fault AlreadyExists when there
  /// is one already; it is never overwritten.
  static InstanceKey generate(const std::string &home, const std::string &name, const std::vector<std::string> &hosts,
                              KeyType type);
  /// Throws Fault Internal naming the file: missing (say `waybill init`), readable by others, not matching.
  [[nodiscard]] static InstanceKey load(const std::string &home);

  [[nodiscard]] const Certificate &certificate() const noexcept { return certificate_; }
  [[nodiscard]] const std::string &id() const noexcept { return certificate_.instanceId(); }
  [[nodiscard]] evp_pkey_st *native() const noexcept { return key_.get(); }

private:
  InstanceKey(Certificate certificate, std::shared_ptr<evp_pkey_st> key);
  Certificate certificate_;
  std::shared_ptr<evp_pkey_st> key_;
};

/// OpenSSL's generator.
class SystemRandom final : public Random {
public:
  void fill(std::span<std::byte> into) override;
};

} // namespace waybill::security
