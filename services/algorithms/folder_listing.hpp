// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <dirent.h>
#include <memory>
#include <string_view>

namespace waybill::services {

struct CloseListing {
  void operator()(DIR *listing) const noexcept { ::closedir(listing); }
};
/// An open folder that is being listed; null when it could not be opened.
using Listing = std::unique_ptr<DIR, CloseListing>;

/// The next name, null at the end; "." and ".." are left out.
inline const char *nextName(DIR &listing) {
  while (const auto *entry = ::readdir(&listing)) {
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") {
      return entry->d_name;
    }
  }
  return nullptr;
}

} // namespace waybill::services
