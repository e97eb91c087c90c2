// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace waybill::cli {

/// Man pages (roff, man(7)) made of help texts as CLI11 prints them, so that there is one source of both.
class ManPage {
public:
  /// The page's head. `summary` goes into NAME.
  ManPage(const std::string &program, int section, const std::string &version, const std::string &summary);
  /// Adds what `help` says under the heading `title`: text, usage, options as tagged paragraphs, examples as they are.
  void add(const std::string &title, std::string_view help);
  void addText(const std::string &title, std::string_view text);
  [[nodiscard]] const std::string &text() const noexcept { return text_; }

private:
  std::string text_;
};

/// `text` with what roff would take for its own escaped.
[[nodiscard]] std::string escapeRoff(std::string_view text);

} // namespace waybill::cli
