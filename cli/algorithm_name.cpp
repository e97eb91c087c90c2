// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/algorithm_name.hpp"

#include "cli/remote_name.hpp"
#include "cli/usage.hpp"
#include "domain/algorithm.hpp"
#include "domain/text.hpp"

namespace waybill::cli {

namespace {

[[noreturn]] void refuse(const std::string &text) {
  throw WrongUsage("'" + printable(text, 200) + "' is no name of an algorithm; write ALIAS:/text/sort or " +
                   "https://host:port/text/sort");
}

} // namespace

AlgorithmName parseAlgorithmName(const std::string &text) {
  AlgorithmName name;
  if (text.find("://") != std::string::npos) {
    const auto remote = parseRemoteName(text);
    name = {remote.instance, remote.path.substr(1), remote.prefix};
  } else {
    const auto colon = text.find(':');
    if (text.find('/') < colon) { // a path, or an id without the instance
      refuse(text);
    }
    name.instance = text.substr(0, colon);
    name.prefix = name.instance + ":";
    if (colon != std::string::npos) {
      const auto slash = text.compare(colon + 1, 1, "/") == 0 ? 1U : 0U;
      name.id = text.substr(colon + 1 + slash);
    }
  }
  const auto id = name.id.ends_with('/') ? name.id.substr(0, name.id.size() - 1) : name.id;
  if (name.instance.empty() || (!name.id.empty() && !isAlgorithmId(id))) {
    refuse(text);
  }
  return name;
}

} // namespace waybill::cli
