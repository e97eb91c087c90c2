// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::services {

/// One table of an operator's TOML file, read key by key; for this folder's .cpp files alone. What is wrong with a
/// value throws Fault BadParameter "<file>:<line>: ...". The document must outlive this.
class TomlSection {
public:
  /// The table `name` ("" for the document itself) of `file`. Throws when it has a key that is not among `keys`.
  TomlSection(std::string file, std::string name, const toml::table &table, const std::set<std::string_view> &keys);

  [[nodiscard]] bool has(std::string_view key) const { return node(key) != nullptr; }
  [[nodiscard]] const toml::node *node(std::string_view key) const { return table_->get(key); }
  [[nodiscard]] const toml::node &itself() const noexcept { return *table_; }
  /// "inputs.text.help"
  [[nodiscard]] std::string shown(std::string_view key) const;

  // Values; nothing where the key is not there.
  [[nodiscard]] std::optional<std::string> text(std::string_view key) const;  ///< one line, not empty
  [[nodiscard]] std::optional<std::string> prose(std::string_view key) const; ///< any number of lines
  [[nodiscard]] std::optional<bool> flag(std::string_view key) const;
  [[nodiscard]] std::optional<std::uint64_t> whole(std::string_view key, std::int64_t low, std::int64_t high) const;
  /// "512 MiB" in bytes; the bounds as the file would write them.
  [[nodiscard]] std::optional<std::uint64_t> size(std::string_view key, const char *low, const char *high) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const; ///< each one line; empty without the key
  [[nodiscard]] const toml::array *list(std::string_view key) const;        ///< null without the key
  /// The tables in the table `key`, by their names, in the order of the file.
  [[nodiscard]] std::vector<std::pair<std::string, const toml::table *>> tables(std::string_view key) const;
  /// The table `key`; null where it is not there.
  [[nodiscard]] const toml::table *table(std::string_view key) const;

  [[nodiscard]] std::string requiredText(std::string_view key) const;

  /// The text of a node that is one, without NUL; `key` for the message.
  [[nodiscard]] std::string anyText(std::string_view key, const toml::node &node) const;

  /// Throws "<file>:<line of node>: '<shown(key)>' <what>".
  [[noreturn]] void refuse(std::string_view key, const toml::node &node, const std::string &what) const;
  [[noreturn]] void refuse(std::string_view key, const std::string &what) const;
  /// Throws "<file>:<line of the table>: <what>".
  [[noreturn]] void refuse(const std::string &what) const;

  [[nodiscard]] const std::string &file() const noexcept { return file_; }

private:
  std::string file_;
  std::string name_;
  const toml::table *table_;
};

/// Throws Fault BadParameter "<file>:<line>: <what>".
[[noreturn]] void refuseAt(const std::string &file, std::size_t line, const std::string &what);

/// Bytes that "512 MiB" says: a whole number and one of B, KiB, MiB, GiB, TiB.
[[nodiscard]] std::optional<std::uint64_t> parsedSize(std::string_view text);

} // namespace waybill::services
