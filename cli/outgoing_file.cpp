// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/outgoing_file.hpp"

#include "cli/local_file.hpp"
#include "storage/block_worker.hpp"
#include "storage/digests.hpp"

#include <utility>

namespace waybill::cli {

/// What is known of the bytes once they have been read.
struct OutgoingFile::Read {
  Sum sum;
  bool whole = false;
  std::uint64_t counted = 0; ///< told to the progress bar
};

/// Hashes and counts what passes.
class OutgoingFile::Counting final : public Source {
public:
  Counting(std::unique_ptr<Source> inner, std::shared_ptr<Read> read, Progress &progress)
      : inner_(std::move(inner)), read_(std::move(read)), progress_(progress),
        worker_([this](std::uint64_t, ByteView bytes) { digester_.update(bytes); }) {
    progress_.rewind(read_->counted); // an earlier attempt's
    read_->counted = 0;
  }
  std::size_t read(std::span<std::byte> into) override {
    const auto count = inner_->read(into);
    if (count == 0 && !into.empty()) {
      finish();
      return 0;
    }
    worker_.add(read_->counted, into.first(count));
    read_->counted += count;
    progress_.advance(count);
    if (const auto length = inner_->size(); length && read_->counted == *length) {
      finish();
    }
    return count;
  }
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return inner_->size(); }

private:
  void finish() {
    if (!finished_) {
      finished_ = true;
      worker_.finish();
      *read_ = {{digester_.sha256Hex(), read_->counted}, true, read_->counted};
    }
  }
  std::unique_ptr<Source> inner_;
  std::shared_ptr<Read> read_;
  Progress &progress_;
  bool finished_ = false;
  storage::Digester digester_;
  storage::BlockWorker worker_;
};

OutgoingFile::OutgoingFile() : read_(std::make_shared<Read>()) {}

OutgoingFile::OutgoingFile(std::string path, std::uint64_t size) : OutgoingFile() {
  name_ = std::move(path);
  size_ = size;
  if (size <= small) {
    FileSource source(name_, size);
    bytes_ = std::make_shared<const std::string>(readAll(source, size, name_));
    storage::Digester digester;
    digester.update(asBytes(*bytes_));
    *read_ = {{digester.sha256Hex(), size}, true, 0};
  }
}

OutgoingFile OutgoingFile::input() {
  OutgoingFile made;
  made.name_ = "standard input";
  Bytes block(copyBlock);
  block.resize(InputSource({}).read(block));
  made.first_ = std::make_shared<const Bytes>(std::move(block));
  return made;
}

void OutgoingFile::declareIn(Data &data) const {
  data.size = size_;
  if (bytes_) {
    data.digest = Digest{DigestAlgorithm::Sha256, read_->sum.sha256};
  }
}

std::unique_ptr<Source> OutgoingFile::open(Progress &progress) const {
  if (bytes_) {
    progress.rewind(read_->counted);
    progress.advance(bytes_->size());
    read_->counted = bytes_->size();
    return std::make_unique<ViewSource>(asBytes(*bytes_));
  }
  std::unique_ptr<Source> inner;
  if (first_) {
    inner = std::make_unique<InputSource>(*first_);
  } else {
    inner = std::make_unique<FileSource>(name_, *size_);
  }
  return std::make_unique<Counting>(std::move(inner), read_, progress);
}

soap::OutgoingPart OutgoingFile::part(std::string contentId, const Data &data, Progress &progress) const {
  return {std::move(contentId), data.contentType.value_or("application/octet-stream"), size_,
          [this, &progress] { return open(progress); }};
}

OutgoingFile::Sum OutgoingFile::sum(Progress &progress) const {
  if (!read_->whole) {
    const auto again = open(progress);
    Bytes block(copyBlock);
    while (again->read(block) != 0) {
    }
  }
  return read_->sum;
}

} // namespace waybill::cli
