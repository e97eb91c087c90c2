// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/places.hpp"

#include "cli/remote_name.hpp"

#include <algorithm>

namespace waybill::cli {

std::string instanceOf(const std::string &text) { return looksRemote(text) ? parseRemoteName(text).instance : text; }

bool namesInstance(const std::string &word, Context &context) {
  const auto name = instanceOf(word);
  const auto known = context.instances();
  return std::any_of(known.begin(), known.end(), [&](const TrustedKey &key) {
    return key.alias == name || key.instance == name || key.url == name;
  });
}

std::vector<Place> places(const std::string &named, Context &context) {
  std::vector<Place> all;
  if (!named.empty()) {
    const auto name = instanceOf(named);
    all.push_back({name, context.remote(name)});
    return all;
  }
  for (const auto &known : context.instances()) {
    all.push_back({known.alias.value_or(*known.url), context.remote(known.instance)});
  }
  if (all.empty()) {
    throw Fault(FaultCode::BadParameter, "no instance is known yet; make one known with: waybill trust "
                                         "https://HOST:PORT --as NAME");
  }
  return all;
}

} // namespace waybill::cli
