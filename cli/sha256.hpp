// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"

#include <memory>
#include <string>

struct evp_md_ctx_st;

namespace waybill::cli {

/// SHA-256 of a stream.
class Sha256 {
public:
  Sha256();
  void update(ByteView bytes);
  /// Ends the computation; call once.
  [[nodiscard]] std::string hex();

private:
  std::shared_ptr<evp_md_ctx_st> context_;
};

[[nodiscard]] std::string sha256Of(ByteView bytes);

} // namespace waybill::cli
