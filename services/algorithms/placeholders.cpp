// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/placeholders.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <array>
#include <utility>

namespace waybill::services {

namespace {

using Kind = TextPiece::Kind;

[[noreturn]] void refuse(std::string_view where, const std::string &what) {
  throw Fault(FaultCode::BadParameter, "'" + printable(where, 200) + "' has " + what +
                                           "; what may be there is {input.NAME}, {output.NAME}, {parameter.NAME}, and "
                                           "{{ and }} for braces");
}

TextPiece placeholder(std::string_view text, std::string_view inBraces) {
  static constexpr std::array<std::pair<std::string_view, Kind>, 3> kinds{
      {{"input.", Kind::Input}, {"output.", Kind::Output}, {"parameter.", Kind::Parameter}}};
  for (const auto &[prefix, kind] : kinds) {
    if (inBraces.starts_with(prefix)) {
      return {kind, std::string(inBraces.substr(prefix.size()))};
    }
  }
  refuse(text, "'{" + printable(inBraces, 60) + "}' in it");
}

} // namespace

std::vector<TextPiece> pieces(std::string_view text) {
  std::vector<TextPiece> all;
  std::string plain;
  const auto endPlain = [&] {
    if (!plain.empty()) {
      all.push_back({Kind::Text, std::exchange(plain, {})});
    }
  };
  for (auto rest = text; !rest.empty();) {
    const bool brace = rest.front() == '{' || rest.front() == '}';
    if (!brace || (rest.size() > 1 && rest[1] == rest.front())) {
      plain += rest.front();
      rest.remove_prefix(brace ? 2 : 1);
      continue;
    }
    const auto end = rest.find('}');
    if (rest.front() == '}' || end == std::string_view::npos) {
      refuse(text, "a brace without its other one");
    }
    endPlain();
    all.push_back(placeholder(text, rest.substr(1, end - 1)));
    rest.remove_prefix(end + 1);
  }
  endPlain();
  return all;
}

std::string filledIn(std::string_view text, const std::function<std::string(const TextPiece &)> &meaning) {
  std::string result;
  for (const auto &piece : pieces(text)) {
    result += piece.kind == Kind::Text ? piece.text : meaning(piece);
  }
  return result;
}

} // namespace waybill::services
