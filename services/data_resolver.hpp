// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "domain/data.hpp"
#include "services/call.hpp"
#include "services/data_locator.hpp"
#include "storage/content_store.hpp"

#include <memory>
#include <string>

namespace waybill::services {

/// The bytes of a wb:Data, wherever they were found.
struct ResolvedData {
  std::unique_ptr<Source> source;
  std::string contentType; ///< what the place they come from says; empty when it says nothing
};

/// The content of an object that was found a moment ago; null when it was deleted since.
[[nodiscard]] std::unique_ptr<storage::ContentReader> contentUnlessDeleted(const storage::ContentStore &store,
                                                                           const std::string &id);

/// Decides where the bytes of a Data are, in the one order that holds everywhere (contract.md):
/// 1. an attachment: Content, else the part that Attachment or Href names; 2. an internal reference: Href or Id of this
/// instance, read under the caller's rights; 3. a plain URL. The first that works wins. Thread-safe; a call's
/// attachments are its own.
class DataResolver {
public:
  DataResolver(const DataLocator &locator, const storage::ContentStore &store, const security::Trust &trust);

  /// Throws Fault UnresolvableData listing what was tried and why each failed; and what reading an attachment throws,
  /// when the message is broken.
  [[nodiscard]] ResolvedData resolve(const Data &data, Call &call) const;

private:
  const DataLocator &locator_;
  const storage::ContentStore &store_;
  const security::Trust &trust_;
};

} // namespace waybill::services
