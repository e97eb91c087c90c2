// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/choice.hpp"
#include "cli/output.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace waybill::cli {

namespace {

/// What may follow: files, folders, or one of some words; for anything else nothing is offered.
struct Values {
  enum class Kind : std::uint8_t { None, Any, Files, Folders, Words };
  Kind kind = Kind::None;
  std::string words;
};

struct Option {
  std::string name; ///< "--name" or "-n"
  std::string help;
  std::string placeholder;
  Values values; ///< Kind::None: a flag
  bool again = false;
};

/// What completion has to know of one command, taken from the parser itself.
struct Verb {
  std::string name;
  std::string help;
  std::vector<Option> options;
  Values rest;
};

/// The first words of a text such as "INSTANCE|show ID|cancel ID", but not what stands for something else.
std::string wordsOf(std::string_view placeholder) {
  std::string words;
  while (!placeholder.empty()) {
    const auto end = std::min(placeholder.find('|'), placeholder.size());
    const auto word = placeholder.substr(0, std::min(placeholder.find(' '), end));
    if (std::none_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
      words += (words.empty() ? "" : " ") + std::string(word);
    }
    placeholder.remove_prefix(std::min(end + 1, placeholder.size()));
  }
  return words;
}

/// The text that stands for a value in the help says what it can be: "never|always" is one of these words.
Values valuesOf(const std::string &placeholder) {
  if (placeholder == "DIR") {
    return {Values::Kind::Folders, {}};
  }
  for (const auto *file : {"FILE", "LOCAL", "PEM"}) {
    if (placeholder.find(file) != std::string::npos) {
      return {Values::Kind::Files, {}};
    }
  }
  if (placeholder.find('|') != std::string::npos) {
    if (auto words = wordsOf(placeholder); !words.empty()) {
      return {Values::Kind::Words, std::move(words)};
    }
  }
  return {Values::Kind::Any, {}};
}

std::vector<Option> optionsOf(const CLI::App &app) {
  std::vector<Option> options;
  for (const auto *option :
       app.get_options([](const CLI::Option *candidate) { return !candidate->get_group().empty(); })) {
    Option known{{}, option->get_description(), option->get_option_text(), {}, false};
    if (option->get_items_expected_max() > 0) {
      known.values = valuesOf(known.placeholder);
      known.again =
          option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll || option->get_delimiter() != 0;
    }
    for (const auto &name : option->get_lnames()) {
      known.name = "--" + name;
      options.push_back(known);
    }
    for (const auto &name : option->get_snames()) {
      known.name = "-" + name;
      options.push_back(known);
    }
  }
  return options;
}

Values argumentsOf(const CLI::App &app) {
  Values values;
  for (const auto *option : app.get_options([](const CLI::Option *candidate) { return candidate->get_positional(); })) {
    const auto found = valuesOf(option->get_option_text());
    values = found.kind == Values::Kind::Any ? values : found;
  }
  return values;
}

std::vector<const CLI::App *> commandsOf(const CLI::App &app) {
  return app.get_subcommands([](const CLI::App *candidate) { return !candidate->get_group().empty(); });
}

std::vector<Verb> verbsOf(const CLI::App &app) {
  std::vector<Verb> verbs;
  for (const auto *command : commandsOf(app)) {
    verbs.push_back({command->get_name(), command->get_description(), optionsOf(*command), argumentsOf(*command)});
  }
  return verbs;
}

template <class Range, class Text> std::string joined(const Range &range, Text text, const char *between = " ") {
  std::string all;
  for (const auto &element : range) {
    all += (all.empty() ? "" : between) + text(element);
  }
  return all;
}

std::string nameOf(const Option &option) { return option.name; }

/// What bash offers after an option that takes a value.
std::string bashValues(const std::vector<Option> &options) {
  std::string cases;
  for (const auto &option : options) {
    switch (option.values.kind) {
    case Values::Kind::None:
    case Values::Kind::Files: break; // no words: bash's own completion of files
    case Values::Kind::Any: cases += "    " + option.name + ") return ;;\n"; break;
    case Values::Kind::Folders: cases += "    " + option.name + ") compopt -o dirnames; return ;;\n"; break;
    case Values::Kind::Words:
      cases += "    " + option.name + ") mapfile -t COMPREPLY < <(compgen -W '" + option.values.words +
               "' -- \"$word\"); return ;;\n";
      break;
    }
  }
  return cases;
}

std::string bash(const CLI::App &app) {
  const auto verbs = verbsOf(app);
  const auto options = optionsOf(app);
  const auto global = joined(options, nameOf);
  auto values = bashValues(options);
  std::string cases;
  std::string arguments;
  std::string skipped;
  for (const auto &option : options) {
    skipped += option.values.kind == Values::Kind::None ? "" : "      " + option.name + ") ((i++)) ;;\n";
  }
  for (const auto &verb : verbs) {
    cases += "    " + verb.name + ") words=\"" + joined(verb.options, nameOf) + " " + global + "\" ;;\n";
    values += bashValues(verb.options);
    if (verb.rest.kind == Values::Kind::Words) {
      arguments += "  elif [[ $verb == " + verb.name + " ]]; then\n    mapfile -t COMPREPLY < <(compgen -W '" +
                   verb.rest.words + "' -- \"$word\")\n";
    }
  }
  return "# bash completion for waybill; use: source <(waybill completion bash)\n"
         "_waybill() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} verb= words= i\n"
         "  COMPREPLY=()\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case ${COMP_WORDS[i]} in\n" +
         skipped +
         "      -*) ;;\n"
         "      *) verb=${COMP_WORDS[i]}; break ;;\n"
         "    esac\n"
         "  done\n"
         "  case ${COMP_WORDS[COMP_CWORD-1]} in\n" +
         values +
         "  esac\n"
         "  case $verb in\n"
         "    '') words=\"" +
         joined(verbs, [](const Verb &verb) { return verb.name; }) + " " + global + "\" ;;\n" + cases +
         "  esac\n"
         "  if [[ $word == -* || -z $verb ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n" +
         arguments +
         "  fi\n"
         "}\n"
         "complete -o default -F _waybill waybill\n";
}

std::string escaped(const std::string &text, const std::string &special) {
  std::string result;
  for (const char c : text) {
    if (special.find(c) != std::string::npos) {
      result += '\\';
    }
    result += c;
  }
  return result;
}

/// In single quotes, as zsh reads them.
std::string zshQuoted(const std::string &text) {
  std::string result;
  for (const char c : text) {
    result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return "'" + result + "'";
}

std::string zshAction(const Values &values) {
  switch (values.kind) {
  case Values::Kind::None:
  case Values::Kind::Any: return " ";
  case Values::Kind::Files: return "_files";
  case Values::Kind::Folders: return "_files -/";
  case Values::Kind::Words: return "(" + values.words + ")";
  }
  return " ";
}

/// An option as _arguments wants it: '--name[what it is]:VALUE:action'.
std::string zshOption(const Option &option) {
  static const std::string special = "[]:\\";
  auto text = (option.again ? "*" : "") + option.name + "[" + escaped(option.help, special) + "]";
  if (option.values.kind != Values::Kind::None) {
    text += ":" + escaped(option.placeholder, special) + ":" + zshAction(option.values);
  }
  return zshQuoted(text);
}

std::string zsh(const CLI::App &app) {
  const auto verbs = verbsOf(app);
  std::string list;
  std::string cases;
  for (const auto &verb : verbs) {
    list += "    " + zshQuoted(escaped(verb.name, ":\\") + ":" + verb.help) + "\n";
    const auto rest = verb.rest.kind == Values::Kind::None ? "" : " " + zshQuoted("*: :" + zshAction(verb.rest));
    cases += "    " + verb.name + ") _arguments " + joined(verb.options, zshOption) + " $global" + rest + " ;;\n";
  }
  return "#compdef waybill\n"
         "# zsh completion for waybill; use: source <(waybill completion zsh)\n"
         "_waybill() {\n"
         "  local curcontext=$curcontext state line\n"
         "  local -a verbs global\n"
         "  verbs=(\n" +
         list +
         "  )\n"
         "  global=(" +
         joined(optionsOf(app), zshOption) +
         ")\n"
         "  _arguments -C $global '1: :->verb' '*:: :->rest'\n"
         "  case $state in\n"
         "    verb) _describe command verbs; return ;;\n"
         "  esac\n"
         "  case $line[1] in\n" +
         cases +
         "  esac\n"
         "}\n"
         "if [ \"$funcstack[1]\" = _waybill ]; then _waybill \"$@\"; else compdef _waybill waybill; fi\n";
}

std::string fishQuoted(const std::string &text) { return "'" + escaped(text, "'\\") + "'"; }

std::string fishArguments(const Values &values) {
  switch (values.kind) {
  case Values::Kind::None: return " -f";
  case Values::Kind::Any: return " -x";
  case Values::Kind::Files: return " -r -F";
  case Values::Kind::Folders: return " -x -a '(__fish_complete_directories)'";
  case Values::Kind::Words: return " -x -a " + fishQuoted(values.words);
  }
  return "";
}

std::string fishOption(const std::string &condition, const Option &option) {
  const auto flag = option.name.starts_with("--") ? " -l " + option.name.substr(2) : " -s " + option.name.substr(1);
  const auto values = option.values.kind == Values::Kind::None ? "" : fishArguments(option.values);
  return "complete -c waybill" + condition + flag + values + " -d " + fishQuoted(option.help) + "\n";
}

std::string fish(const CLI::App &app) {
  std::string text = "# fish completion for waybill; use: waybill completion fish | source\n";
  for (const auto &option : optionsOf(app)) {
    text += fishOption("", option);
  }
  for (const auto &verb : verbsOf(app)) {
    text += "complete -c waybill -n __fish_use_subcommand -f -a " + verb.name + " -d " + fishQuoted(verb.help) + "\n";
    const auto chosen = " -n '__fish_seen_subcommand_from " + verb.name + "'";
    for (const auto &option : verb.options) {
      text += fishOption(chosen, option);
    }
    if (verb.rest.kind != Values::Kind::Files) {
      text += "complete -c waybill" + chosen + fishArguments(verb.rest) + "\n";
    }
  }
  return text;
}

int runCompletion(const std::string &shell, const CLI::App &app) {
  if (shell == "bash") {
    printText(bash(app));
  } else if (shell == "zsh") {
    printText(zsh(app));
  } else {
    printText(fish(app));
  }
  return 0;
}

} // namespace

void addCompletion(CLI::App &app, Work &work) {
  auto shell = std::make_shared<std::string>();
  auto *command = app.add_subcommand("completion", "print what makes a shell complete this command line");
  command->add_option("SHELL", *shell, "the shell")
      ->option_text("bash|zsh|fish")
      ->required()
      ->transform(choice({"bash", "zsh", "fish"}));
  command->footer("Example:\n  source <(waybill completion bash)");
  command->callback([shell, &app, &work] { work = [shell, &app](Context &) { return runCompletion(*shell, app); }; });
}

} // namespace waybill::cli
