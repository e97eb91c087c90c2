// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "domain/data.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace waybill::services {

/// The bytes of a wb:Data, wherever they were found.
struct ResolvedData {
  std::unique_ptr<Source> source;
  std::string contentType; ///< what the place they come from says; empty when it says nothing
  // What that place promises, where it does.
  std::optional<std::uint64_t> size = std::nullopt;
  std::optional<Digest> digest = std::nullopt;
};

} // namespace waybill::services
