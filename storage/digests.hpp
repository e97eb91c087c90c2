// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "domain/data.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace waybill::storage {

/// SHA-256 (OpenSSL) and adler32 (libdeflate) of one stream, with its length. Used by one thread at a time; a
/// BlockWorker computes them beside other work.
class Digester {
public:
  Digester();
  ~Digester();
  Digester(Digester &&) noexcept;
  Digester &operator=(Digester &&) noexcept;
  void update(ByteView bytes);
  [[nodiscard]] std::uint64_t size() const noexcept;
  /// Ends the computation; call once.
  [[nodiscard]] std::string sha256Hex();
  [[nodiscard]] std::string adler32Hex() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace waybill::storage
