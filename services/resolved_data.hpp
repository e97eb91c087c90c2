// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "domain/data.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace waybill::services {

/// Takes bytes of a whole in any order: offset, and bytes.
using ScatteredSink = std::function<void(std::uint64_t offset, ByteView bytes)>;

/// The bytes of a wb:Data, wherever they were found: one of `source` and `scattered` is set.
struct ResolvedData {
  std::unique_ptr<Source> source;
  std::function<void(const ScatteredSink &)> scattered; ///< brings all of them, by several connections; call it once
  std::string contentType; ///< what the place they come from says; empty when it says nothing
  // What that place promises, where it does.
  std::optional<std::uint64_t> size = std::nullopt;
  std::optional<Digest> digest = std::nullopt;
};

} // namespace waybill::services
