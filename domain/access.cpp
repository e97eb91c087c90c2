// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/access.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <algorithm>
#include <array>

namespace waybill {

namespace {
constexpr std::array allRights{Right::Read, Right::Write, Right::Delete, Right::List, Right::Invoke, Right::Administer};
} // namespace

std::string format(const Principal &principal) {
  return principal.subject ? principal.instance + "/" + *principal.subject : principal.instance;
}

bool isInstanceId(std::string_view text) noexcept {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::optional<Principal> parsePrincipal(std::string_view text) {
  const auto slash = text.find('/');
  Principal principal{std::string(text.substr(0, slash)), std::nullopt};
  if (!isInstanceId(principal.instance)) {
    return std::nullopt;
  }
  if (slash != std::string_view::npos) {
    principal.subject = std::string(text.substr(slash + 1));
    if (principal.subject->empty() || principal.subject->size() > 255 || hasControlCharacters(*principal.subject)) {
      return std::nullopt;
    }
  }
  return principal;
}

std::string_view name(Right right) noexcept {
  switch (right) {
  case Right::Read: return "read";
  case Right::Write: return "write";
  case Right::Delete: return "delete";
  case Right::List: return "list";
  case Right::Invoke: return "invoke";
  case Right::Administer: return "administer";
  }
  return "read";
}

std::optional<Right> rightNamed(std::string_view wanted) noexcept {
  for (const auto right : allRights) {
    if (name(right) == wanted) {
      return right;
    }
  }
  return std::nullopt;
}

std::string format(const std::set<Right> &rights) {
  std::string text;
  for (const auto right : rights) {
    text += (text.empty() ? "" : ",") + std::string(name(right));
  }
  return text;
}

std::set<Right> parseRights(std::string_view text) {
  static constexpr std::string_view separators = ", \t\r\n";
  std::set<Right> rights;
  auto rest = text;
  while (true) {
    rest.remove_prefix(std::min(rest.find_first_not_of(separators), rest.size()));
    if (rest.empty()) {
      break;
    }
    const auto word = rest.substr(0, rest.find_first_of(separators));
    const auto right = rightNamed(word);
    if (!right) {
      throw Fault(FaultCode::BadParameter,
                  "a right is one of read, write, delete, list, invoke, administer; '" + printable(word, 60) +
                      "' is none",
                  "Rights");
    }
    rights.insert(*right);
    rest.remove_prefix(word.size());
  }
  if (rights.empty()) {
    throw Fault(FaultCode::BadParameter,
                "no right was named; give some of read, write, delete, list, invoke, administer", "Rights");
  }
  return rights;
}

} // namespace waybill
