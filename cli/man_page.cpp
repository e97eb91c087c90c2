// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/man_page.hpp"

#include "domain/text.hpp"

#include <algorithm>

namespace waybill::cli {

namespace {

std::string upperCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

std::string escapedLine(std::string_view line) {
  auto text = escapeRoff(line);
  return text.starts_with('.') || text.starts_with('\'') ? "\\&" + text : text;
}

/// "  --name TEXT   what it is" as its two columns.
std::pair<std::string_view, std::string_view> columns(std::string_view line) {
  line = trimmed(line);
  const auto gap = line.find("  ");
  return gap == std::string_view::npos ? std::pair{line, std::string_view{}}
                                       : std::pair{line.substr(0, gap), trimmed(line.substr(gap))};
}

/// Turns the lines of a help text into roff, one after the other.
class Lines {
public:
  void take(std::string_view line) {
    const bool indented = line.starts_with("  ");
    if (line.starts_with("Usage: ")) {
      text_ += ".PP\n.B " + escapeRoff(line.substr(7)) + "\n";
    } else if (!indented && line.ends_with(':') && line.find(' ') == std::string_view::npos) {
      close();
      list_ = line != "Example:";
      text_ += ".PP\n.B " + escapeRoff(line.substr(0, line.size() - 1)) + "\n";
      if (!list_) {
        text_ += ".PP\n.RS 4\n.nf\n";
        verbatim_ = true;
      }
    } else if (verbatim_ && indented) {
      text_ += escapedLine(line.substr(2)) + "\n";
    } else if (list_ && indented) {
      entry(line);
    } else if (trimmed(line).empty()) {
      close();
      text_ += ".PP\n";
    } else {
      close();
      text_ += escapedLine(trimmed(line)) + "\n";
    }
  }
  [[nodiscard]] std::string take() {
    close();
    return std::move(text_);
  }

private:
  void entry(std::string_view line) {
    // The second column alone continues the entry above.
    if (line.find_first_not_of(' ') > 8) {
      text_ += escapedLine(trimmed(line)) + "\n";
      return;
    }
    const auto [tag, help] = columns(line);
    text_ += ".TP\n.B " + escapeRoff(tag) + "\n" + (help.empty() ? "" : escapedLine(help) + "\n");
  }
  void close() {
    if (verbatim_) {
      text_ += ".fi\n.RE\n";
    }
    verbatim_ = false;
    list_ = false;
  }

  std::string text_;
  bool list_ = false;
  bool verbatim_ = false;
};

} // namespace

std::string escapeRoff(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
  }
  return result;
}

ManPage::ManPage(const std::string &program, int section, const std::string &version, const std::string &summary) {
  text_ = ".TH " + upperCase(program) + " " + std::to_string(section) + " \"\" \"Waybill " + escapeRoff(version) +
          "\" \"Waybill\"\n.SH NAME\n" + escapeRoff(program) + " \\- " + escapeRoff(summary) + "\n";
}

void ManPage::add(const std::string &title, std::string_view help) {
  text_ += ".SH " + escapeRoff(title) + "\n";
  Lines lines;
  while (!help.empty()) {
    const auto end = std::min(help.find('\n'), help.size());
    lines.take(help.substr(0, end));
    help.remove_prefix(std::min(end + 1, help.size()));
  }
  text_ += lines.take();
}

void ManPage::addText(const std::string &title, std::string_view text) {
  text_ += ".SH " + escapeRoff(title) + "\n" + escapedLine(text) + "\n";
}

} // namespace waybill::cli
