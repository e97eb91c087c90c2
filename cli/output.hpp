// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/access.hpp"
#include "domain/data.hpp"
#include "domain/fault.hpp"
#include "domain/transfer.hpp"

#include <nlohmann/json_fwd.hpp>

#include <exception>
#include <string>
#include <string_view>

namespace waybill::cli {

// What --json prints; cli/README.md has the keys.
[[nodiscard]] nlohmann::ordered_json toJson(const Data &data);
[[nodiscard]] nlohmann::ordered_json toJson(const TrustedKey &key);
[[nodiscard]] nlohmann::ordered_json toJson(const Grant &grant);
[[nodiscard]] nlohmann::ordered_json toJson(const Transfer &transfer);

/// Prints text (as it is), or JSON and a line end, on standard output. Throws Fault Internal when it cannot be written.
void printText(std::string_view text);
void printJson(const nlohmann::ordered_json &json);
/// Writes out what is buffered. Throws likewise.
void flushOutput();

/// JSON elements of an array that may be too long to keep: "[", one a line, "]".
class JsonList {
public:
  JsonList() = default;
  void add(const nlohmann::ordered_json &element);
  void end();

private:
  bool begun_ = false;
};

/// `text` of somebody else's, harmless to a terminal: control characters become "?".
[[nodiscard]] std::string forTerminal(std::string_view text);

/// "waybill: <text>" on standard error.
void note(std::string_view text);

/// One failure on standard error: "waybill: <doing>: <cause>", and what to do about it on a line of its own.
void printError(std::string_view doing, const std::exception &error);

} // namespace waybill::cli
