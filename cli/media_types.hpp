// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace waybill::cli {

/// The media type that the ending of a file name stands for (IANA registry); nothing for endings that are not common.
[[nodiscard]] std::optional<std::string> mediaTypeFor(std::string_view fileName);

} // namespace waybill::cli
