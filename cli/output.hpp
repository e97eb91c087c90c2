// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/access.hpp"
#include "domain/algorithm.hpp"
#include "domain/data.hpp"
#include "domain/fault.hpp"
#include "domain/job.hpp"
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
[[nodiscard]] nlohmann::ordered_json toJson(const Job &job);
[[nodiscard]] nlohmann::ordered_json toJson(const AlgorithmDescription &algorithm);

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
/// The same for text of several lines: each begins with `indent` and ends in a line feed, and tabs stay.
[[nodiscard]] std::string linesForTerminal(std::string_view text, std::string_view indent);

/// `text` and spaces up to that width.
[[nodiscard]] std::string padded(const std::string &text, std::size_t width);
/// "name         value\n", fit for a terminal; nothing when there is no value.
[[nodiscard]] std::string field(const std::string &name, const std::string &value);

/// "waybill: <text>" on standard error.
void note(std::string_view text);

/// One failure on standard error: "waybill: <doing>: <cause>", and what to do about it on lines of its own.
void printError(std::string_view doing, const std::exception &error);

} // namespace waybill::cli
