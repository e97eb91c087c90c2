// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/part_keeper.hpp"

#include "domain/fault.hpp"

#include <algorithm>
#include <utility>

namespace waybill::soap {

namespace {

/// The first `size` bytes of another source.
class Stretch final : public Source {
public:
  Stretch(std::unique_ptr<Source> source, std::uint64_t size) : source_(std::move(source)), rest_(size), size_(size) {}

  std::size_t read(std::span<std::byte> into) override {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), rest_));
    if (wanted == 0) {
      return 0;
    }
    const auto count = source_->read(into.first(wanted));
    if (count == 0) {
      throw Fault(FaultCode::Internal, "a spool file of this instance ended before the part that was written to it");
    }
    rest_ -= count;
    return count;
  }
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return size_; }

private:
  std::unique_ptr<Source> source_;
  std::uint64_t rest_;
  std::uint64_t size_;
};

} // namespace

std::unique_ptr<Source> KeptBytes::open() const {
  if (file_ == nullptr) {
    return std::make_unique<ViewSource>(asBytes(memory_));
  }
  return std::make_unique<Stretch>(file_->reopenAt(offset_), size_);
}

void PartKeeper::count(std::size_t bytes) {
  kept_ += bytes;
  if (kept_ > limit_) {
    throw Fault(FaultCode::TooLarge,
                "the parts of the message that come before the envelope, or before they are needed, or are needed more "
                "than once, have more than " +
                    std::to_string(limit_) +
                    " bytes (limits.early_bytes); send the envelope first, and the parts in the order in which it "
                    "refers to them");
  }
  if (tokenIsOpen_) {
    return;
  }
  if (kept_ > unopenedLimit_) {
    throw Fault(FaultCode::TooLarge, "the parts of the message that come before the envelope, and so before its token, "
                                     "have more than " +
                                         std::to_string(unopenedLimit_) +
                                         " bytes (limits.unopened_bytes); send the envelope first");
  }
  if (!unopened_.take(bytes)) {
    throw Fault(FaultCode::Busy,
                "this instance keeps as much as it may of messages whose attachments come before their envelopes (four "
                "times limits.unopened_bytes); send the envelope first, or try again in a moment");
  }
}

KeptBytes PartKeeper::keep(Source &part) {
  const auto room = std::min(smallPart, memoryBytes - inMemory_) + 1;
  const auto bytes = std::make_unique_for_overwrite<std::byte[]>(room);
  const std::span beginning(bytes.get(), room);
  std::size_t filled = 0;
  while (filled < room) {
    const auto got = part.read(beginning.subspan(filled));
    if (got == 0) {
      inMemory_ += filled;
      return KeptBytes(std::string(asText(beginning.first(filled))));
    }
    count(got);
    filled += got;
  }
  return spool(beginning, part);
}

PartKeeper::File &PartKeeper::currentFile() {
  if (files_.empty() || files_.back().size >= spoolFileBytes) {
    auto file = spool_ ? spool_() : nullptr;
    if (!file) {
      throw Fault(FaultCode::Internal,
                  "a part of the message came before it was needed, and there is no place here to keep it");
    }
    files_.push_back({std::move(file), 0});
  }
  return files_.back();
}

KeptBytes PartKeeper::spool(ByteView beginning, Source &rest) {
  auto &file = currentFile();
  const auto offset = file.size;
  file.file->write(beginning);
  file.size += beginning.size();
  const auto memory = std::make_unique_for_overwrite<std::byte[]>(copyBlock);
  const std::span block(memory.get(), copyBlock);
  while (const auto got = rest.read(block)) {
    count(got);
    file.file->write(block.first(got));
    file.size += got;
  }
  return {*file.file, offset, file.size - offset};
}

} // namespace waybill::soap
