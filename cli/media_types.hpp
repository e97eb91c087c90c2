// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace waybill::cli {

/// The media type that the ending of a file name stands for (IANA registry); nothing for endings that are not common.
[[nodiscard]] std::optional<std::string> mediaTypeFor(std::string_view fileName);

/// The other way: ".txt" for "text/plain; charset=utf-8"; empty for types that have no common ending.
[[nodiscard]] std::string endingFor(std::string_view contentType);
/// `name` with that ending, where it does not have it.
[[nodiscard]] std::string withEnding(const std::string &name, std::string_view contentType);

} // namespace waybill::cli
