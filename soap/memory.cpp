// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/memory.hpp"

#include "domain/fault.hpp"

namespace waybill::soap {

namespace {

class Counted final : public Source {
public:
  Counted(Source &source, Budget::Share &memory) : source_(source), memory_(memory) {}
  std::size_t read(std::span<std::byte> into) override {
    const auto count = source_.read(into);
    takeMemory(memory_, memoryOfByte * count);
    return count;
  }
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return source_.size(); }

private:
  Source &source_;
  Budget::Share &memory_;
};

} // namespace

void takeMemory(Budget::Share &memory, std::uint64_t bytes) {
  if (!memory.take(bytes)) {
    throw Fault(FaultCode::Busy, noMemoryText);
  }
}

std::string readEnvelope(Source &source, const Limits &limits, Budget::Share &memory) {
  Counted counted(source, memory);
  return readAll(counted, limits.envelopeBytes, "the envelope (limits.envelope_bytes)");
}

} // namespace waybill::soap
