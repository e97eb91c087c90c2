// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/checked_copy.hpp"

#include "cli/sha256.hpp"
#include "domain/fault.hpp"

namespace waybill::cli {

namespace {

/// Hashes, counts and passes on.
class CheckingSink final : public Sink {
public:
  CheckingSink(Sink &next, Progress &progress) : next_(next), progress_(progress) {}
  CheckingSink(const CheckingSink &) = delete;
  CheckingSink &operator=(const CheckingSink &) = delete;
  ~CheckingSink() override { progress_.rewind(unchecked_); }
  void write(ByteView bytes) override {
    sum_.update(bytes);
    size_ += bytes.size();
    unchecked_ += bytes.size();
    next_.write(bytes);
    progress_.advance(bytes.size());
  }
  void check(const Data &data, const std::string &name) {
    unchecked_ = 0;
    const auto found = sum_.hex();
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
  Sha256 sum_;
  std::uint64_t size_ = 0;
  std::uint64_t unchecked_ = 0;
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
