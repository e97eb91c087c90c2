// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/text.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <utility>
#include <vector>

namespace waybill::cli {

/// The words that an option takes, whatever their case, with what each means: for CLI::Option::transform(). Another
/// word is wrong usage, and the message names all that may be given.
template <class Value> [[nodiscard]] CLI::Validator choice(std::vector<std::pair<std::string, Value>> words) {
  return {[words = std::move(words)](std::string &given) {
            std::string all;
            for (const auto &[word, value] : words) {
              if (equalIgnoringCase(word, given)) {
                given = CLI::detail::value_string(value);
                return std::string();
              }
              all += (all.empty() ? "" : ", ") + word;
            }
            return "'" + printable(given) + "' is not one of " + all;
          },
          ""};
}

/// The same for words that mean themselves.
[[nodiscard]] inline CLI::Validator choice(const std::vector<std::string> &words) {
  std::vector<std::pair<std::string, std::string>> same;
  same.reserve(words.size());
  for (const auto &word : words) {
    same.emplace_back(word, word);
  }
  return choice(std::move(same));
}

} // namespace waybill::cli
