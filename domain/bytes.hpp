// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace waybill {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

[[nodiscard]] inline ByteView asBytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte *>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view asText(ByteView bytes) noexcept {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

/// Lower-case hex, two digits a byte.
[[nodiscard]] std::string toHex(ByteView bytes);
/// Bytes of hex text in either case; nothing when it has another character or an odd length.
[[nodiscard]] std::optional<Bytes> fromHex(std::string_view text);

/// Bytes pulled by whoever needs them: a socket's body, a part of a multipart message, a file. Used by one thread at a
/// time.
class Source {
public:
  virtual ~Source() = default;
  /// Reads at least one byte and at most `into.size()` into `into` and says how many; 0 only at the end (or for an
  /// empty `into`). Blocks. Throws Fault when the bytes cannot be had (cut connection, deadline, malformed framing, I/O
  /// error); after that the source must not be read again.
  virtual std::size_t read(std::span<std::byte> into) = 0;
  /// The total length in bytes where it is known beforehand.
  [[nodiscard]] virtual std::optional<std::uint64_t> size() const { return std::nullopt; }
};

/// Where bytes go: a socket, a staging file. Used by one thread at a time.
class Sink {
public:
  virtual ~Sink() = default;
  /// Takes all of `bytes` or throws Fault.
  virtual void write(ByteView bytes) = 0;
};

/// A source over bytes that somebody else keeps alive.
class ViewSource final : public Source {
public:
  explicit ViewSource(ByteView bytes) noexcept : rest_(bytes), size_(bytes.size()) {}
  std::size_t read(std::span<std::byte> into) override;
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return size_; }

private:
  ByteView rest_;
  std::uint64_t size_;
};

/// A source that owns its bytes.
class StringSource final : public Source {
public:
  explicit StringSource(std::string text) : text_(std::move(text)), view_(asBytes(text_)) {}
  StringSource(const StringSource &) = delete;
  StringSource &operator=(const StringSource &) = delete;
  std::size_t read(std::span<std::byte> into) override { return view_.read(into); }
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return view_.size(); }

private:
  std::string text_;
  ViewSource view_;
};

/// A sink that keeps all it is given in a string.
class StringSink final : public Sink {
public:
  void write(ByteView bytes) override { text_.append(asText(bytes)); }
  [[nodiscard]] const std::string &text() const noexcept { return text_; }

private:
  std::string text_;
};

/// How much is moved at once between sources and sinks: big enough to amortise calls, small enough for the cache.
inline constexpr std::size_t copyBlock = std::size_t{256} * 1024;

/// Moves everything from `source` to `sink`; returns the number of bytes.
std::uint64_t copyAll(Source &source, Sink &sink);

/// Everything from `source` as a string; throws Fault TooLarge, naming `what`, past `limit` bytes.
[[nodiscard]] std::string readAll(Source &source, std::uint64_t limit, std::string_view what);

} // namespace waybill
