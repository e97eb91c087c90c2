// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/context.hpp"
#include "services/remote_instance.hpp"

#include <string>
#include <vector>

namespace waybill::cli {

/// An instance that is asked.
struct Place {
  std::string name;
  services::RemoteInstance remote;
};

/// The name of an instance as a user may write it: an alias, with or without ":" or ":/", or a URL.
[[nodiscard]] std::string instanceOf(const std::string &text);

/// True when it is one that is known.
[[nodiscard]] bool namesInstance(const std::string &word, Context &context);

/// The instance of that name; all that are known, when it is empty. Throws Fault BadParameter when there is none.
[[nodiscard]] std::vector<Place> places(const std::string &named, Context &context);

} // namespace waybill::cli
