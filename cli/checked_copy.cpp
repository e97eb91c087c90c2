// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/checked_copy.hpp"

#include "domain/fault.hpp"
#include "storage/block_worker.hpp"
#include "storage/digests.hpp"

namespace waybill::cli {

namespace {

/// Counts, hashes and passes on, the latter two beside whatever brings the bytes.
class CheckingSink final : public Sink {
public:
  CheckingSink(Sink &next, Progress &progress)
      : next_(next), progress_(progress), worker_([this](std::uint64_t, ByteView bytes) {
          digester_.update(bytes);
          next_.write(bytes);
        }) {}
  CheckingSink(const CheckingSink &) = delete;
  CheckingSink &operator=(const CheckingSink &) = delete;
  ~CheckingSink() override { progress_.rewind(unchecked_); }
  void write(ByteView bytes) override {
    worker_.add(size_, bytes);
    size_ += bytes.size();
    unchecked_ += bytes.size();
    progress_.advance(bytes.size());
  }
  void check(const Data &data, const std::string &name) {
    worker_.finish();
    unchecked_ = 0;
    const auto found = digester_.sha256Hex();
    const bool sameSize = !data.size || *data.size == size_;
    const bool known = data.digest && data.digest->algorithm == DigestAlgorithm::Sha256;
    if (!sameSize || !known || data.digest->hex != found) {
      throw Fault(FaultCode::DigestMismatch,
                  "what came for '" + name + "' is not what the instance promised (SHA-256 promised " +
                      (known ? data.digest->hex : "none") + ", found " + found +
                      "); get it again, and if it stays so, tell those who run the instance",
                  name);
    }
  }

private:
  Sink &next_;
  Progress &progress_;
  std::uint64_t size_ = 0;
  std::uint64_t unchecked_ = 0;
  storage::Digester digester_;
  storage::BlockWorker worker_;
};

} // namespace

void copyChecked(const Data &data, const std::string &name, soap::Attachments &attachments, Sink &sink,
                 Progress &progress) {
  const auto reference = data.content ? data.content : data.attachment;
  const auto source = reference ? attachments.open(*reference) : nullptr;
  if (!source) {
    throw Fault(FaultCode::InvalidMessage, "the instance's reply has no bytes for '" + name + "'", name);
  }
  CheckingSink checking(sink, progress);
  copyAll(*source, checking);
  checking.check(data, name);
}

} // namespace waybill::cli
