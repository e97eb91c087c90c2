// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/messages.hpp"
#include "services/call.hpp"
#include "services/config.hpp"
#include "services/data_locator.hpp"
#include "services/data_resolver.hpp"
#include "services/disk_room.hpp"
#include "services/transfer_work.hpp"
#include "soap/codec.hpp"
#include "soap/outgoing_message.hpp"
#include "storage/content_store.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace waybill::services {

/// Bounds on what is stored and returned (Config).
struct DataLimits {
  std::uint64_t inlineBytes;
  std::uint64_t objectBytes; ///< 0: none
  std::size_t copiedObjects; ///< in one reply with attachments
  std::uint64_t replyBytes;  ///< of XML in one reply
};
[[nodiscard]] DataLimits dataLimits(const Config &config);

/// Content that may be pulled by whoever has the URL.
struct LeasedContent {
  std::shared_ptr<const storage::HeldContent> content;
  std::uint64_t size = 0;
  std::string sha256;
  std::string path; ///< for the audit log
};

/// Data that is gone at once is nobody's wish, and under Overwrite Always it would take the place of what is good.
/// Throws Fault BadParameter, about `subject`, for an Expires that is not after `now`.
void refuseExpired(const std::string &operation, const Data &data, Time now, const std::string &subject);

/// Data that comes in, from wherever its bytes are.
struct Intake {
  const std::vector<Data> &data;
  Overwrite overwrite = Overwrite::Never;
  std::function<ResolvedData(std::size_t)> open; ///< the bytes of one of `data`, in their order
  std::function<void()> complete;                ///< called once all are here; what it throws, nothing is kept
  std::function<std::string(const std::vector<Data> &)> receipt; ///< for what is stored: spends the token, and is kept
};

/// A CopyResponse with the bytes that go with it.
struct CopyReply {
  CopyResponse response;
  std::vector<soap::OutgoingPart> parts;      ///< for MTOM and SwA
  std::map<std::string, std::string> inlined; ///< bytes by content id, for Inline
  std::vector<LeasedContent> leased;          ///< by the number at the end of their Href
  soap::Packaging packaging = soap::Packaging::Plain;
  std::uint64_t bytes = 0; ///< of content
};

/// How bytes are to go into the reply of `call`: as asked for, else as the call itself was packed.
[[nodiscard]] Attach howToAttach(const std::optional<Attach> &asked, const Call &call);
/// `inlined` as soap::encode takes it; it must outlive the result.
[[nodiscard]] soap::InlineContents viewsOf(const std::map<std::string, std::string> &inlined);

/// What the operations of /services/data mean. Thread-safe. Every operation throws Fault and then has changed nothing.
class DataManager {
public:
  /// All must outlive this.
  DataManager(storage::Catalog &catalog, storage::ContentStore &store, const security::Trust &trust,
              const DataLocator &locator, const RemoteData &remote, const DiskRoom &room, const Clock &clock,
              DataLimits limits);

  /// Hands out data. The content is held from here on, so that what is deleted meanwhile is still sent whole. The
  /// caller spends the token.
  [[nodiscard]] CopyReply copy(Call &call, const CopyRequest &request) const;
  /// The first half of a Copy whose reply goes elsewhere: everything that can be refused is refused here.
  [[nodiscard]] CopyOrder order(Call &call, const CopyRequest &request) const;
  /// The second half, as often as need be: the caller's grants are asked again. With `lease` (a URL), the content is
  /// not attached but left to be pulled from below it. Throws NoSuchData for what is gone by now.
  [[nodiscard]] CopyReply fill(const CopyOrder &order, const Principal &caller, const std::string &baseUrl,
                               const std::string &lease = {}) const;
  /// Takes data: all of it, or none; of no data, takes note. Spends the token with the commit; the response is its
  /// receipt.
  ReceiveResponse receive(Call &call, const ReceiveRequest &request);
  /// All that can be refused before the first byte is read, when `data` is to be stored. It is not empty.
  void checkIntake(Call &call, const std::vector<Data> &data, Overwrite overwrite) const;
  /// What receive() is made of: stores all, or none; what is stored. checkIntake() has passed.
  std::vector<Data> take(Call &call, const Intake &intake);
  /// Deletes all, or none. Spends the token with the commit.
  DeleteResponse remove(Call &call, const DeleteRequest &request);
  /// Objects below a prefix that the caller may list, in byte order of their paths, in pages. A page continues after
  /// the last path of the one before: what comes and goes meanwhile, grants and tokens too, never makes another object
  /// appear twice or be left out.
  [[nodiscard]] ListResponse list(Call &call, const ListRequest &request) const;
  [[nodiscard]] DescribeResponse describe(Call &call, const DescribeRequest &request) const;

  /// Removes objects whose time is over, unless the store is read-only; returns how many.
  std::size_t removeExpired();

private:
  struct Arrival;
  struct Found;
  [[nodiscard]] Found find(const Data &data, const Call &call, const Permission &mayRead) const;
  void add(CopyReply &reply, const Found &found, const std::string &name, Attach how, const std::string &baseUrl) const;
  void attach(CopyReply &reply, Data &data, const Found &found, Attach how) const;
  void checkInline(std::uint64_t bytes, const std::string &path) const;
  void checkCount(const CopyRequest &request) const;
  void checkOne(Call &call, const Permission &mayWrite, const Data &data, Overwrite overwrite) const;
  Arrival arrive(Call &call, const Data &data, ResolvedData resolved) const;
  void enter(const Call &call, storage::Transaction &transaction, Arrival &arrival, Overwrite overwrite,
             std::vector<std::string> &discarded) const;

  storage::Catalog &catalog_;
  storage::ContentStore &store_;
  const security::Trust &trust_;
  const DataLocator &locator_;
  const DiskRoom &room_;
  const Clock &clock_;
  DataLimits limits_;
  DataResolver resolver_;
};

} // namespace waybill::services
