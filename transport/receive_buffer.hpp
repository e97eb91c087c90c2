// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"

#include <algorithm>
#include <cstring>

/// For this folder's .cpp files alone.
namespace waybill::transport {

/// Bytes that were received and not used yet. Empty, it holds no memory once release() was called.
class ReceiveBuffer {
public:
  [[nodiscard]] ByteView view() const noexcept { return ByteView(storage_).subspan(begin_, end_ - begin_); }
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }

  void consume(std::size_t count) noexcept {
    begin_ += count;
    if (begin_ == end_) {
      begin_ = end_ = 0;
    }
  }
  /// Space behind what is held, for `count` bytes; added() says how many were put there.
  [[nodiscard]] std::span<std::byte> room(std::size_t count) {
    if (storage_.size() - end_ < count) {
      if (begin_ != 0) {
        std::memmove(storage_.data(), storage_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
      }
      storage_.resize(std::max(storage_.size(), end_ + count));
    }
    return std::span(storage_).subspan(end_, count);
  }
  void added(std::size_t count) noexcept { end_ += count; }
  void append(ByteView bytes) {
    if (!bytes.empty()) {
      std::memcpy(room(bytes.size()).data(), bytes.data(), bytes.size());
      added(bytes.size());
    }
  }
  /// Takes up to `into.size()` bytes off the front.
  [[nodiscard]] std::size_t take(std::span<std::byte> into) noexcept {
    const auto count = std::min(into.size(), size());
    if (count != 0) {
      std::memcpy(into.data(), storage_.data() + begin_, count);
      consume(count);
    }
    return count;
  }
  /// Gives the memory back, and what is held with it.
  void release() noexcept { *this = ReceiveBuffer(); }

private:
  Bytes storage_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

} // namespace waybill::transport
