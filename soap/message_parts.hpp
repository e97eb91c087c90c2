// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "soap/attachments.hpp"
#include "soap/limits.hpp"
#include "soap/multipart_reader.hpp"
#include "soap/part_keeper.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace waybill::soap {

/// The Attachments of a message that was read. Private to soap/.
///
/// Parts and references meet by keys: a part has one for its Content-ID and one for its Content-Location, a reference
/// has one for each way in which it may name a part.
class MessageParts final : public Attachments {
public:
  /// `reader` is null for a message without parts.
  MessageParts(std::unique_ptr<MultipartReader> reader, const Limits &limits, Spool spool);

  struct Root {
    PartInfo info;
    std::string bytes;
  };
  /// Reads up to the end of the root part: that with the Content-ID `start`, or the first when it is empty. Call it
  /// first, and once; the envelope's memory is taken from `memory`. Throws Fault InvalidMessage when there is none,
  /// TooLarge past limits.envelope_bytes, Busy when limits.memory or limits.unopened has no room.
  [[nodiscard]] Root readRoot(const std::string &start, Budget::Share &memory);

  void want(std::multiset<std::string> references) override;
  [[nodiscard]] std::unique_ptr<Source> open(const std::string &reference) override;
  [[nodiscard]] std::optional<PartInfo> info(const std::string &reference) const override;
  void addInline(std::string contentId, std::string bytes) override;
  void finish() override;

private:
  struct Part {
    PartInfo info;
    std::optional<KeptBytes> kept; ///< nothing once it was passed on as it arrived
    bool inlined = false;          ///< came within the envelope
  };
  class Arriving;
  using Keys = std::vector<std::string>;

  [[nodiscard]] std::shared_ptr<Part> find(const std::string &reference) const;
  /// How often a part with these keys is wanted: never, once, or 2 for any more.
  [[nodiscard]] std::size_t uses(const Keys &keys) const;
  std::shared_ptr<Part> add(PartInfo info, const Keys &keys);
  [[nodiscard]] std::optional<PartInfo> nextPart();
  [[nodiscard]] bool isKnown(const Keys &keys) const;
  void keepCurrent(Part &part);
  void skipUnreferenced();
  void countUnreferenced(std::uint64_t bytes);
  [[nodiscard]] std::unique_ptr<Source> openSeen(const Part &part, const std::string &reference) const;

  std::unique_ptr<MultipartReader> reader_; ///< null once all has been read
  Limits limits_;
  PartKeeper keeper_;
  std::map<std::string, std::multiset<std::string>> wanted_; ///< references by key
  std::map<std::string, std::shared_ptr<Part>> seen_;        ///< parts by key
  std::uint64_t unreferenced_ = 0;
  std::size_t nameBytes_ = 0; ///< what the header fields of the parts in seen_ take
  std::uint64_t opened_ = 0;  ///< tells sources whether they are still the latest
};

} // namespace waybill::soap
