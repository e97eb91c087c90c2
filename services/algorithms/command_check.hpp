// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "services/algorithms/algorithm.hpp"
#include "services/algorithms/placeholders.hpp"
#include "services/algorithms/toml_section.hpp"

#include <set>
#include <string>
#include <vector>

namespace waybill::services {

/// Reads the parts of an algorithm file that have placeholders, and sees to it that each of them means something in
/// every call; for algorithm_file.cpp alone. The description, which must outlive this, has inputs and parameters from
/// the start; its outputs may come later, but before command(). Refusals are TomlSection's.
class CommandCheck {
public:
  explicit CommandCheck(const AlgorithmDescription &description) : description_(description) {}

  /// `text`, the value of `key` (or what it is without it), has to be a media type whatever the parameters are.
  void contentType(const TomlSection &section, std::string_view key, const std::string &text);
  /// The value of "command".
  [[nodiscard]] std::vector<Algorithm::Argument> command(const TomlSection &document);
  /// A parameter that changes nothing is somebody's mistake.
  void everyParameterIsUsed(const TomlSection &document) const;

private:
  /// A place in the file, for messages.
  struct Place {
    const TomlSection &section;
    std::string_view key;
    const toml::node &node;
    [[noreturn]] void refuse(const std::string &what) const;
    [[nodiscard]] std::vector<TextPiece> pieces(const std::string &text) const; ///< of services::pieces
  };
  [[nodiscard]] Algorithm::Argument argument(const Place &place);
  void checkCondition(const Place &place, const std::string &condition);
  void checkText(const Place &place, const std::string &text, const std::string &condition);
  void checkInput(const Place &place, const TextPiece &piece, bool alone, const std::string &condition) const;
  void checkParameter(const Place &place, const TextPiece &piece, const std::string &condition);
  void checkProgram(const Place &place, const std::string &text);
  /// The parameter that `piece` names has to be an enumeration of plain words.
  const ParameterDeclaration &plainWord(const Place &place, const TextPiece &piece);

  const AlgorithmDescription &description_;
  std::set<std::string> used_; ///< names of parameters
};

} // namespace waybill::services
