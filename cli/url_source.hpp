// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/data.hpp"
#include "domain/messages.hpp"
#include "services/remote_instance.hpp"

#include <string>

namespace waybill::cli {

/// Whether `put` is given a URL that the instance is to fetch by itself (https, http, ftp, file), and no file here.
[[nodiscard]] bool isUrl(const std::string &source);

/// Where what is at `url` goes: `target`, or below it, when it ends in "/", the last part of the URL's path. Throws
/// WrongUsage when that has no name.
[[nodiscard]] std::string pathFor(const std::string &url, const std::string &target);

/// Has the instance fetch `url` and store it as `data` says (path, and what is common). Returns the receipt.
[[nodiscard]] Data fetchInto(services::RemoteInstance &remote, const std::string &url, Data data, Overwrite overwrite);

} // namespace waybill::cli
