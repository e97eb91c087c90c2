// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/multipart_reader.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/boundary_scan.hpp"
#include "soap/part_header.hpp"
#include "soap/transfer_encoding.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <functional>
#include <unordered_set>
#include <utility>

namespace waybill::soap {

namespace {

/// The bytes that have been read from the body and not been used yet.
class Window {
public:
  Window(Source &body, std::size_t capacity)
      : body_(body), capacity_(capacity), buffer_(std::make_unique_for_overwrite<std::byte[]>(capacity)) {}

  [[nodiscard]] ByteView view() const noexcept { return {buffer_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] Source &body() noexcept { return body_; }

  void consume(std::size_t count) noexcept { begin_ += count; }

  /// Puts `bytes` in place of what was there.
  void put(ByteView bytes) noexcept {
    begin_ = 0;
    end_ = bytes.size();
    if (!bytes.empty()) {
      std::memcpy(buffer_.get(), bytes.data(), bytes.size());
    }
  }

  /// Adds what one read of the body gives; false at its end. There must be room: view() shorter than the capacity.
  bool fill() {
    if (begin_ != 0) {
      std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    const auto count = body_.read({buffer_.get() + end_, capacity_ - end_});
    end_ += count;
    return count != 0;
  }

private:
  Source &body_;
  std::size_t capacity_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

constexpr std::size_t windowBytes = 256ULL << 10U;
/// From this size on, body bytes are read straight to where the caller wants them.
constexpr std::size_t directBytes = 32ULL << 10U;

std::string checkedBoundary(std::string_view boundary) {
  if (!isBoundary(boundary)) {
    throw Fault(
        FaultCode::InvalidMessage,
        "the boundary of the multipart message must be 1 to 70 printable ASCII characters with no blank at the end; "
        "send it as the boundary parameter of Content-Type",
        printable(boundary));
  }
  return std::string(boundary);
}

} // namespace

/// The undecoded bytes of the current part are a source of their own, which the decoders pull from.
///
/// The window's front is, in this order: `ready_` bytes of data, then, when `found_` says so, a delimiter of `length_`
/// bytes; else either bytes not looked at yet (`fresh_`) or the possible beginning of a delimiter.
struct MultipartReader::State final : Source {
  State(Source &body, std::string_view boundary, const Limits &limits)
      : scan_(checkedBoundary(boundary)), limits_(limits), window_(body, windowBytes + limits.partHeaderBytes) {
    // With a line end before the first byte, the first boundary line looks like every other.
    window_.put(asBytes("\r\n"));
  }

  std::size_t read(std::span<std::byte> into) override;
  std::optional<PartInfo> next();
  std::size_t readDecoded(std::span<std::byte> into) { return decoder_ ? decoder_->read(into) : read(into); }
  /// Runs `step`, unless one has failed before: then its exception is thrown again, because the body must not be read
  /// on.
  template <class Step> auto guarded(Step step);

private:
  void look();
  void fillMore();
  std::size_t takeReady(std::span<std::byte> into);
  std::size_t readDirect(std::span<std::byte> into);
  void skipData();
  PartHeader readHeader();
  std::size_t headerEnd();
  void beginData();
  void requireNewId(const std::string &contentId);
  [[noreturn]] void refuseCut() const;

  BoundaryScan scan_;
  Limits limits_;
  Window window_;
  std::unique_ptr<Source> decoder_;
  std::size_t ready_ = 0;
  BoundaryScan::Found found_ = BoundaryScan::Found::Nothing;
  std::size_t length_ = 0;
  bool fresh_ = true;
  bool closed_ = false;
  std::size_t parts_ = 0;
  // Hashes take 8 bytes where ids could take kilobytes each; that two of a message's ids collide by chance is out of
  // reach.
  std::unordered_set<std::size_t> contentIds_;
  std::exception_ptr failure_;
};

using Found = BoundaryScan::Found;

template <class Step> auto MultipartReader::State::guarded(Step step) {
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  try {
    return step();
  } catch (...) {
    failure_ = std::current_exception();
    throw;
  }
}

void MultipartReader::State::refuseCut() const {
  const auto boundary = "'--" + printable(scan_.boundary(), 100);
  throw Fault(FaultCode::InvalidMessage,
              parts_ == 0
                  ? "the multipart message has no line " + boundary +
                        "', which its Content-Type promises; boundary lines end in CR LF and have nothing but blanks "
                        "behind the boundary"
                  : "the multipart message ends before its closing line " + boundary +
                        "--': it was cut on its way, or its length is declared too small; send it again, whole");
}

void MultipartReader::State::look() {
  const auto result = scan_.scan(window_.view());
  ready_ = result.data;
  found_ = result.found;
  length_ = result.length;
  fresh_ = false;
}

void MultipartReader::State::fillMore() {
  if (!window_.fill()) {
    refuseCut();
  }
  fresh_ = true;
}

std::size_t MultipartReader::State::takeReady(std::span<std::byte> into) {
  const auto count = std::min(ready_, into.size());
  std::memcpy(into.data(), window_.view().data(), count);
  window_.consume(count);
  ready_ -= count;
  return count;
}

/// Reads into the caller's memory and looks for the boundary there; what does not belong to the part goes back to the
/// window. Only for when the window holds nothing but the possible beginning of a delimiter. 0 when no byte is known to
/// be data yet.
std::size_t MultipartReader::State::readDirect(std::span<std::byte> into) {
  const auto held = window_.view();
  const auto block = into.first(std::min(into.size(), window_.capacity()));
  std::memcpy(block.data(), held.data(), held.size());
  const auto count = window_.body().read(block.subspan(held.size()));
  if (count == 0) {
    refuseCut();
  }
  const auto filled = ByteView(block).first(held.size() + count);
  const auto result = scan_.scan(filled);
  window_.put(filled.subspan(result.data));
  found_ = result.found;
  length_ = result.length;
  return result.data;
}

std::size_t MultipartReader::State::read(std::span<std::byte> into) {
  while (!into.empty() && parts_ != 0) {
    if (ready_ != 0) {
      return takeReady(into);
    }
    if (found_ != Found::Nothing) {
      break;
    }
    if (fresh_) {
      look();
    } else if (into.size() < directBytes) {
      fillMore();
    } else if (const auto count = readDirect(into)) {
      return count;
    }
  }
  return 0;
}

/// Goes on to the next delimiter; before the first part, that is over the preamble.
void MultipartReader::State::skipData() {
  std::uint64_t skipped = 0;
  while (true) {
    if (fresh_) {
      look();
    }
    skipped += ready_;
    window_.consume(std::exchange(ready_, 0));
    // The line end that stands before the first byte does not count.
    if (parts_ == 0 && skipped > limits_.preambleBytes + 2) {
      throw Fault(FaultCode::TooLarge, "the multipart message has more than " + std::to_string(limits_.preambleBytes) +
                                           " bytes before its first boundary line '--" +
                                           printable(scan_.boundary(), 100) + "'");
    }
    if (found_ != Found::Nothing) {
      return;
    }
    fillMore();
  }
}

/// Where the empty line that ends the header begins; the window's front is the end of the boundary line.
std::size_t MultipartReader::State::headerEnd() {
  for (std::size_t from = 0;;) {
    const auto text = asText(window_.view());
    const auto end = text.find("\r\n\r\n", from);
    if (end > limits_.partHeaderBytes && text.size() > limits_.partHeaderBytes + 4) {
      throw Fault(FaultCode::TooLarge,
                  "the header of part " + std::to_string(parts_) + " of the multipart message has more than " +
                      std::to_string(limits_.partHeaderBytes) + " bytes (limits.part_header_bytes)");
    }
    if (end != std::string_view::npos) {
      return end;
    }
    from = text.size() < 4 ? 0 : text.size() - 3;
    if (!window_.fill()) {
      refuseCut();
    }
  }
}

PartHeader MultipartReader::State::readHeader() {
  const auto end = headerEnd();
  const auto lines = end == 0 ? std::string_view() : asText(window_.view()).substr(2, end);
  auto header = parsePartHeader(lines);
  // The empty line's end stays, so that a boundary line right behind the header (a part without a body) is seen.
  window_.consume(end + 2);
  return header;
}

/// Takes off the empty line's end, once it is known not to belong to a delimiter.
void MultipartReader::State::beginData() {
  look();
  while (ready_ == 0 && found_ == Found::Nothing) {
    fillMore();
    look();
  }
  if (ready_ != 0) {
    window_.consume(2);
    ready_ -= 2;
  }
}

void MultipartReader::State::requireNewId(const std::string &contentId) {
  if (!contentId.empty() && !contentIds_.insert(std::hash<std::string>{}(contentId)).second) {
    throw Fault(FaultCode::InvalidMessage,
                "two parts of the multipart message have the same Content-ID; give each its own", printable(contentId));
  }
}

std::optional<PartInfo> MultipartReader::State::next() {
  if (closed_) {
    return std::nullopt;
  }
  decoder_.reset();
  skipData();
  window_.consume(length_);
  closed_ = found_ == Found::CloseDelimiter;
  if (closed_) {
    return std::nullopt;
  }
  if (++parts_ > limits_.parts) {
    throw Fault(FaultCode::TooLarge, "the multipart message has more than " + std::to_string(limits_.parts) +
                                         " parts (limits.parts); send fewer at once");
  }
  auto header = readHeader();
  requireNewId(header.info.contentId);
  decoder_ = transferDecoder(header.transferEncoding, *this);
  beginData();
  return std::move(header.info);
}

MultipartReader::MultipartReader(Source &body, std::string_view boundary, const Limits &limits)
    : state_(std::make_unique<State>(body, boundary, limits)) {}

MultipartReader::~MultipartReader() = default;

std::optional<PartInfo> MultipartReader::next() {
  return state_->guarded([&] { return state_->next(); });
}

std::size_t MultipartReader::read(std::span<std::byte> into) {
  return state_->guarded([&] { return state_->readDecoded(into); });
}

} // namespace waybill::soap
