// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include "cli/output.hpp"

#include <algorithm>
#include <memory>

namespace waybill::cli {

namespace {

/// What completion has to know of one command, taken from the parser itself.
struct Verb {
  std::string name;
  std::string help;
  std::vector<std::pair<std::string, std::string>> options; ///< "--name" and its help
};

std::vector<std::pair<std::string, std::string>> optionsOf(const CLI::App &app) {
  std::vector<std::pair<std::string, std::string>> options;
  for (const auto *option :
       app.get_options([](const CLI::Option *candidate) { return !candidate->get_group().empty(); })) {
    for (const auto &name : option->get_lnames()) {
      options.emplace_back("--" + name, option->get_description());
    }
    for (const auto &name : option->get_snames()) {
      options.emplace_back("-" + name, option->get_description());
    }
  }
  return options;
}

std::vector<Verb> verbsOf(const CLI::App &app) {
  std::vector<Verb> verbs;
  for (const auto *command :
       app.get_subcommands([](const CLI::App *candidate) { return !candidate->get_group().empty(); })) {
    verbs.push_back({command->get_name(), command->get_description(), optionsOf(*command)});
  }
  return verbs;
}

template <class Range, class Name> std::string joined(const Range &range, Name name) {
  std::string text;
  for (const auto &element : range) {
    text += (text.empty() ? "" : " ") + name(element);
  }
  return text;
}

const auto firstOf = [](const auto &pair) { return pair.first; };

std::string bash(const CLI::App &app) {
  const auto verbs = verbsOf(app);
  const auto global = joined(optionsOf(app), firstOf);
  std::string cases;
  for (const auto &verb : verbs) {
    cases += "    " + verb.name + ") words=\"" + joined(verb.options, firstOf) + " " + global + "\" ;;\n";
  }
  return "# bash completion for waybill; use: source <(waybill completion bash)\n"
         "_waybill() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} verb= words= i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case ${COMP_WORDS[i]} in\n"
         "      --home) ((i++)) ;;\n"
         "      -*) ;;\n"
         "      *) verb=${COMP_WORDS[i]}; break ;;\n"
         "    esac\n"
         "  done\n"
         "  case $verb in\n"
         "    '') words=\"" +
         joined(verbs, [](const Verb &verb) { return verb.name; }) + " " + global + "\" ;;\n" + cases +
         "  esac\n"
         "  COMPREPLY=()\n"
         "  if [[ $word == -* || -z $verb ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
         "  elif [[ $verb == completion ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W 'bash zsh fish' -- \"$word\")\n"
         "  fi\n"
         "}\n"
         "complete -o default -F _waybill waybill\n";
}

/// Fit for single quotes in zsh's and fish's syntax.
std::string quoted(const std::string &text, const std::string &special) {
  std::string result;
  for (const char c : text) {
    if (c == '\'') {
      result += "’";
      continue;
    }
    if (special.find(c) != std::string::npos) {
      result += '\\';
    }
    result += c;
  }
  return "'" + result + "'";
}

std::string zsh(const CLI::App &app) {
  const auto verbs = verbsOf(app);
  const auto flags = [](const std::vector<std::pair<std::string, std::string>> &options) {
    return joined(options, [](const auto &option) {
      return quoted(option.first + "[" + option.second + "]", "[]:\\").replace(option.first.size() + 1, 2, "[");
    });
  };
  std::string list;
  std::string cases;
  for (const auto &verb : verbs) {
    list += "    " + quoted(verb.name + ":" + verb.help, "") + "\n";
    const std::string rest = verb.name == "completion" ? " '*:shell:(bash zsh fish)'" : " '*:file:_files'";
    cases += "    " + verb.name + ") _arguments " + flags(verb.options) + " $global" + rest + " ;;\n";
  }
  return "#compdef waybill\n"
         "# zsh completion for waybill; use: source <(waybill completion zsh)\n"
         "_waybill() {\n"
         "  local -a verbs global\n"
         "  verbs=(\n" +
         list +
         "  )\n"
         "  global=(" +
         flags(optionsOf(app)) +
         ")\n"
         "  local line state\n"
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

std::string fishOption(const std::string &condition, const std::pair<std::string, std::string> &option) {
  const auto &[name, help] = option;
  const auto flag = name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  return "complete -c waybill" + condition + flag + " -d " + quoted(help, "\\") + "\n";
}

std::string fish(const CLI::App &app) {
  std::string text = "# fish completion for waybill; use: waybill completion fish | source\n";
  for (const auto &option : optionsOf(app)) {
    text += fishOption("", option);
  }
  for (const auto &verb : verbsOf(app)) {
    text += "complete -c waybill -n __fish_use_subcommand -a " + verb.name + " -d " + quoted(verb.help, "\\") + "\n";
    for (const auto &option : verb.options) {
      text += fishOption(" -n '__fish_seen_subcommand_from " + verb.name + "'", option);
    }
  }
  return text + "complete -c waybill -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n";
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
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->option_text("SHELL")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""));
  command->footer("Example:\n  source <(waybill completion bash)");
  command->callback([shell, &app, &work] { work = [shell, &app](Context &) { return runCompletion(*shell, app); }; });
}

} // namespace waybill::cli
