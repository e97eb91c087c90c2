// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/toml_section.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace waybill::services {

namespace {

/// What XML can carry, and terminals: no control characters but line feeds and tabs.
bool isProse(std::string_view text) {
  std::string rest(text);
  std::erase_if(rest, [](char c) { return c == '\n' || c == '\t'; });
  return !hasControlCharacters(rest);
}

std::size_t lineOf(const toml::node &node) { return std::max<std::size_t>(1, node.source().begin.line); }

} // namespace

void refuseAt(const std::string &file, std::size_t line, const std::string &what) {
  throw Fault(FaultCode::BadParameter, file + ":" + std::to_string(line) + ": " + what);
}

std::optional<std::uint64_t> parsedSize(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, unsigned>, 5> units{
      {{"B", 0U}, {"KiB", 10U}, {"MiB", 20U}, {"GiB", 30U}, {"TiB", 40U}}};
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) {
    return std::nullopt;
  }
  const auto unit = trimmed(text.substr(static_cast<std::size_t>(end - text.data())));
  for (const auto &[name, shift] : units) {
    if (unit == name && number <= (UINT64_MAX >> shift)) {
      return number << shift;
    }
  }
  return std::nullopt;
}

TomlSection::TomlSection(std::string file, std::string name, const toml::table &table,
                         const std::set<std::string_view> &keys)
    : file_(std::move(file)), name_(std::move(name)), table_(&table) {
  for (const auto &[key, value] : table) {
    if (keys.contains(key.str())) {
      continue;
    }
    std::string known;
    for (const auto one : keys) {
      known += (known.empty() ? "" : ", ") + std::string(one);
    }
    refuseAt(file_, lineOf(value),
             "unknown key '" + printable(shown(key.str()), 200) + "'; what may be there is " + known);
  }
}

std::string TomlSection::shown(std::string_view key) const {
  return name_.empty() ? std::string(key) : name_ + "." + std::string(key);
}

std::string TomlSection::anyText(std::string_view key, const toml::node &node) const {
  const auto *value = node.as_string();
  if (value == nullptr) {
    refuse(key, node, "needs a text in quotes");
  }
  if (value->get().find('\0') != std::string::npos) {
    refuse(key, node, "has a NUL character in it");
  }
  return value->get();
}

std::optional<std::string> TomlSection::text(std::string_view key) const {
  const auto *value = node(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  auto result = anyText(key, *value);
  if (result.empty() || hasControlCharacters(result)) {
    refuse(key, *value, "needs a text of one line, without control characters and not empty");
  }
  return result;
}

std::optional<std::string> TomlSection::prose(std::string_view key) const {
  const auto *value = node(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  const auto result = anyText(key, *value);
  if (!isProse(result)) {
    refuse(key, *value, "has control characters in it");
  }
  return std::string(trimmed(result));
}

std::optional<bool> TomlSection::flag(std::string_view key) const {
  const auto *value = node(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_boolean()) {
    refuse(key, "needs true or false, without quotes");
  }
  return value->as_boolean()->get();
}

std::optional<std::uint64_t> TomlSection::whole(std::string_view key, std::int64_t low, std::int64_t high) const {
  const auto *value = node(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  const auto *number = value->as_integer();
  if (number == nullptr || number->get() < low || number->get() > high) {
    refuse(key, "needs a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return static_cast<std::uint64_t>(number->get());
}

std::optional<std::uint64_t> TomlSection::size(std::string_view key, const char *low, const char *high) const {
  const auto *value = node(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  const auto bytes = value->is_string() ? parsedSize(value->as_string()->get()) : std::nullopt;
  if (!bytes || *bytes < parsedSize(low).value() || *bytes > parsedSize(high).value()) {
    refuse(key, "needs a size from \"" + std::string(low) + "\" to \"" + high +
                    "\": a whole number and B, KiB, MiB, GiB or TiB, in quotes");
  }
  return bytes;
}

const toml::array *TomlSection::list(std::string_view key) const {
  const auto *value = node(key);
  if (value != nullptr && !value->is_array()) {
    refuse(key, "needs a list in square brackets");
  }
  return value == nullptr ? nullptr : value->as_array();
}

std::vector<std::string> TomlSection::texts(std::string_view key) const {
  std::vector<std::string> all;
  const auto *values = list(key);
  if (values == nullptr) {
    return all;
  }
  for (const auto &value : *values) {
    all.push_back(anyText(key, value));
    if (hasControlCharacters(all.back())) {
      refuse(key, value, "has control characters in it");
    }
  }
  return all;
}

const toml::table *TomlSection::table(std::string_view key) const {
  const auto *value = node(key);
  if (value != nullptr && !value->is_table()) {
    refuse(key, "has to be a table: [" + shown(key) + "]");
  }
  return value == nullptr ? nullptr : value->as_table();
}

std::vector<std::pair<std::string, const toml::table *>> TomlSection::tables(std::string_view key) const {
  std::vector<std::pair<std::string, const toml::table *>> all;
  const auto *parent = table(key);
  if (parent == nullptr) {
    return all;
  }
  for (const auto &[name, value] : *parent) {
    if (!value.is_table()) {
      refuse(std::string(key) + "." + std::string(name.str()), value, "has to be a table");
    }
    all.emplace_back(name.str(), value.as_table());
  }
  // The library keeps keys in alphabetical order.
  std::stable_sort(all.begin(), all.end(), [](const auto &a, const auto &b) {
    const auto begin = [](const auto &one) {
      return std::pair(one.second->source().begin.line, one.second->source().begin.column);
    };
    return begin(a) < begin(b);
  });
  return all;
}

std::string TomlSection::requiredText(std::string_view key) const {
  auto value = text(key);
  if (!value) {
    refuse("'" + shown(key) + "' is missing");
  }
  return std::move(*value);
}

void TomlSection::refuse(std::string_view key, const toml::node &node, const std::string &what) const {
  refuseAt(file_, lineOf(node), "'" + printable(shown(key), 200) + "' " + what);
}

void TomlSection::refuse(std::string_view key, const std::string &what) const {
  const auto *value = node(key);
  refuse(key, value == nullptr ? *table_ : *value, what);
}

void TomlSection::refuse(const std::string &what) const { refuseAt(file_, lineOf(*table_), what); }

} // namespace waybill::services
