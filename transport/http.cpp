// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/http.hpp"

#include "domain/text.hpp"

#include <algorithm>

namespace waybill::transport {

std::optional<std::string> Headers::get(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const auto &field) { return equalIgnoringCase(field.first, name); });
  return found == fields_.end() ? std::nullopt : std::optional(found->second);
}

} // namespace waybill::transport
