// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "domain/fault.hpp"
#include "soap/attachments.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

/// What the tests of the message readers and writers share.
namespace waybill::soap::test {

/// Text in pieces: of `chunk` bytes, or, when that is 0, of random sizes from 1 to 300 and now and then more.
class ChunkSource final : public Source {
public:
  explicit ChunkSource(std::string text, std::size_t chunk = 0, unsigned seed = 1)
      : text_(std::move(text)), chunk_(chunk), random_(seed) {}

  std::size_t read(std::span<std::byte> into) override {
    const auto piece = chunk_ != 0 ? chunk_ : 1 + random_() % (random_() % 10 == 0 ? 100'000 : 300);
    const auto count = std::min({into.size(), text_.size() - used_, static_cast<std::size_t>(piece)});
    if (count != 0) {
      std::memcpy(into.data(), text_.data() + used_, count);
    }
    used_ += count;
    return count;
  }
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

private:
  std::string text_;
  std::size_t chunk_;
  std::mt19937 random_;
  std::size_t used_ = 0;
};

/// A spool in memory that counts its files and bytes.
struct CountingSpool {
  int files = 0;
  std::uint64_t bytes = 0;

  [[nodiscard]] Spool spool() {
    struct File final : SpoolFile {
      explicit File(CountingSpool &owner) : owner_(owner) {}
      void write(ByteView more) override {
        text_.append(asText(more));
        owner_.bytes += more.size();
      }
      std::unique_ptr<Source> reopen() override { return std::make_unique<ViewSource>(asBytes(text_)); }

    private:
      CountingSpool &owner_;
      std::string text_;
    };
    return [this] {
      ++files;
      return std::make_unique<File>(*this);
    };
  }
};

inline std::string everything(Source &source) { return readAll(source, 1ULL << 32U, "a test's source"); }

/// Runs `step`, which must throw a Fault of that code whose text has `part` in it.
template <class Step> void expectFault(FaultCode code, std::string_view part, Step step) {
  try {
    step();
  } catch (const Fault &fault) {
    CPPUNIT_ASSERT_EQUAL(std::string(name(code)), std::string(name(fault.code())));
    CPPUNIT_ASSERT_MESSAGE("'" + std::string(part) + "' is not in: " + fault.what(),
                           std::string_view(fault.what()).find(part) != std::string_view::npos);
    return;
  }
  CPPUNIT_FAIL("no fault where one was due: " + std::string(part));
}

inline std::string randomBytes(std::size_t size, unsigned seed) {
  std::mt19937_64 random(seed);
  std::string text(size, '\0');
  for (auto &c : text) {
    c = static_cast<char>(random());
  }
  return text;
}

} // namespace waybill::soap::test
