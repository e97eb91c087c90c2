// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "domain/data.hpp"
#include "services/call.hpp"
#include "services/data_locator.hpp"
#include "services/remote_data.hpp"
#include "services/resolved_data.hpp"
#include "storage/content_store.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace waybill::services {

/// The content of an object that was found a moment ago; null when it was deleted since.
[[nodiscard]] std::unique_ptr<storage::ContentReader> contentUnlessDeleted(const storage::ContentStore &store,
                                                                           const std::string &id);

/// No way worked this time, and one of them may another time: its place did not answer, or was busy.
class UnreachableData : public Fault {
public:
  using Fault::Fault;
};

/// What the Path of a Data is: where it is to be kept, or, as the Id is, what it is called here.
enum class PathIs : std::uint8_t { Target, Name };

/// Decides where the bytes of a Data are, in the one order that holds everywhere (contract.md):
/// 1. an attachment: Content, else the part that Attachment or Href names; 2. an internal reference: Href or Id of this
/// instance, or a Path that names it where neither is given, read under the caller's rights; 3. a URL: of another
/// instance, when a token for it came along, else a plain one. The first that works wins. Thread-safe; a call's
/// attachments are its own.
class DataResolver {
public:
  DataResolver(const DataLocator &locator, const storage::ContentStore &store, const security::Trust &trust,
               const RemoteData &remote);

  /// The first of the ways alone; nothing when it does not work, and why is added to `tried`.
  [[nodiscard]] static std::optional<ResolvedData> attached(const Data &data, Call &call,
                                                            std::vector<std::string> &tried);
  /// All of them. A call that has no message any more has no attachments. Throws Fault UnresolvableData (as
  /// UnreachableData where that fits) listing what was tried and why each failed for `what`, as the caller knows it;
  /// and what reading an attachment throws, when the message is broken.
  [[nodiscard]] ResolvedData resolve(const Data &data, Call &call, PathIs path = PathIs::Target,
                                     const std::string &what = "this data") const;

private:
  struct Attempts {
    std::vector<std::string> tried;
    bool mayPass = false;
  };
  [[nodiscard]] std::optional<ResolvedData> here(const Data &data, const Call &call, PathIs path,
                                                 std::vector<std::string> &tried) const;
  [[nodiscard]] std::optional<ResolvedData> fetch(const Data &data, const Call &call, Attempts &attempts) const;
  [[nodiscard]] std::optional<ResolvedData> fetch(const char *field, const std::string &url, const Data &data,
                                                  const Call &call, Attempts &attempts) const;

  const DataLocator &locator_;
  const storage::ContentStore &store_;
  const security::Trust &trust_;
  const RemoteData &remote_;
};

} // namespace waybill::services
