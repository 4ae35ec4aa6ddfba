// SPDX-License-Identifier: MIT
//
// Completion scripts. They hold words only and never run `weir`: completing must be fast, and must
// work where the configuration is broken.
#include "cli/manual.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace weir::cli {
namespace {

std::string top_word(const Command& command) {
  return std::string(command.path.substr(0, command.path.find(' ')));
}
std::string rest_of(const Command& command) {
  const auto space = command.path.find(' ');
  return space == std::string_view::npos ? "" : std::string(command.path.substr(space + 1));
}

std::set<std::string> top_words() {
  std::set<std::string> words;
  for (const Command& command : commands()) words.insert(top_word(command));
  return words;
}

std::string options_of(const std::vector<Option>& options) {
  std::string words;
  for (const Option& option : options) {
    if (!words.empty()) words += ' ';
    words += option.name;
    if (!option.short_name.empty()) words += fmt::format(" {}", option.short_name);
  }
  return words;
}

bool takes_files(const Command& command) {
  return std::any_of(command.arguments.begin(), command.arguments.end(),
                     [](const Argument& a) { return a.complete == Complete::files; });
}

// What may follow a command besides options.
std::string words_after(const Command& command) {
  if (command.path == "completion") return "bash zsh fish";
  if (command.path == "help") return fmt::format("{} options", fmt::join(top_words(), " "));
  return "";
}

std::string summary_of(std::string_view word) {
  for (const Group& group : groups()) {
    if (group.name == word) return std::string(group.summary);
  }
  const Command* command = find_command(word);
  return command == nullptr ? "" : std::string(command->summary);
}

std::string in_single_quotes(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string bash_script() {
  std::vector<std::string> is_group;
  for (const Group& group : groups()) {
    is_group.push_back(fmt::format("$command == {}", group.name));
  }
  std::string cases;
  for (const Group& group : groups()) {
    std::string below;
    for (const Command& command : commands()) {
      if (top_word(command) == group.name) below += rest_of(command) + " ";
    }
    cases += fmt::format("    '{}') words='{}' ;;\n", group.name, below);
  }
  for (const Command& command : commands()) {
    const std::string own = options_of(command.options);
    cases += fmt::format("    '{}') words='{}{}{}'{} ;;\n", command.path, words_after(command),
                         own.empty() ? "" : " ", own, takes_files(command) ? " files=yes" : "");
  }
  return fmt::format(R"(# SPDX-License-Identifier: MIT
# Completion of weir for bash; made by `weir completion bash`.
_weir() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
  local command='' words='' files='' i
  case $previous in
    -c | --config) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --color) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$current"); return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in
      -c | --config | --color) ((i++)) ;;
      -*) ;;
      *)
        if [[ -z $command ]]; then
          command=${{COMP_WORDS[i]}}
        elif [[ {} ]]; then
          command="$command ${{COMP_WORDS[i]}}"
        fi
        ;;
    esac
  done
  case $command in
    '') words='{}' ;;
{}  esac
  mapfile -t COMPREPLY < <(compgen -W "$words {}" -- "$current")
  if [[ -n $files && $current != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}}
complete -F _weir weir
)",
                     fmt::join(is_group, " || "), fmt::join(top_words(), " "), cases,
                     options_of(global_options()));
}

std::string zsh_options(const std::vector<Option>& options) {
  std::string lines;
  for (const Option& option : options) {
    std::string action;
    if (!option.value.empty()) action = fmt::format(":{}:", option.value);
    if (option.complete == Complete::files) action += "_files";
    if (option.complete == Complete::choices) {
      action += fmt::format("({})", fmt::join(option.choices, " "));
    }
    const std::string doc = in_single_quotes(fmt::format("[{}]{}", option.doc, action));
    lines += fmt::format("    '{}{}'{} \\\n", option.many ? "*" : "", option.name, doc);
    if (!option.short_name.empty()) lines += fmt::format("    '{}'{} \\\n", option.short_name, doc);
  }
  return lines;
}

std::string zsh_script() {
  std::string tops;
  for (const std::string& word : top_words()) {
    tops += "    " + in_single_quotes(fmt::format("{}:{}", word, summary_of(word))) + "\n";
  }
  std::string cases;
  for (const Group& group : groups()) {
    std::string below;
    std::string with_files;
    for (const Command& command : commands()) {
      if (top_word(command) != group.name) continue;
      below += " " + rest_of(command);
      if (takes_files(command)) with_files += (with_files.empty() ? "" : "|") + rest_of(command);
    }
    const std::string words = "compadd --" + below;
    cases += with_files.empty()
                 ? fmt::format("      {}) {} ;;\n", group.name, words)
                 : fmt::format(
                       "      {}) if ((CURRENT > 2)) && [[ $words[2] == ({}) ]]; then _files; "
                       "else {}; fi ;;\n",
                       group.name, with_files, words);
  }
  for (const Command& command : commands()) {
    if (!rest_of(command).empty()) continue;
    const std::string words = words_after(command);
    const std::string own = options_of(command.options);
    if (words.empty() && own.empty()) continue;
    cases += fmt::format("      {}) compadd -- {}{}{} ;;\n", command.path, words,
                         words.empty() || own.empty() ? "" : " ", own);
  }
  return fmt::format(R"(#compdef weir
# SPDX-License-Identifier: MIT
# Completion of weir for zsh; made by `weir completion zsh`.
_weir() {{
  local -a commands
  commands=(
{})
  _arguments -C \
{}    '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest)
      case $words[1] in
{}      esac
      ;;
  esac
}}
_weir "$@"
)",
                     tops, zsh_options(global_options()), cases);
}

std::string fish_option(const Option& option, const std::string& condition) {
  std::string line = "complete -c weir" + condition;
  line += fmt::format(" -l {}", option.name.substr(2));
  if (!option.short_name.empty()) line += fmt::format(" -s {}", option.short_name.substr(1));
  if (option.complete == Complete::files) {
    line += " -r -F";
  } else if (option.complete == Complete::choices) {
    line += fmt::format(" -x -a '{}'", fmt::join(option.choices, " "));
  } else if (!option.value.empty()) {
    line += " -x";
  }
  return line + " -d " + in_single_quotes(option.doc) + "\n";
}

std::string fish_script() {
  std::string text =
      "# SPDX-License-Identifier: MIT\n"
      "# Completion of weir for fish; made by `weir completion fish`.\n"
      "complete -c weir -f\n";
  for (const Option& option : global_options()) text += fish_option(option, "");
  for (const std::string& word : top_words()) {
    text += fmt::format("complete -c weir -n __fish_use_subcommand -a {} -d {}\n", word,
                        in_single_quotes(summary_of(word)));
  }
  for (const Command& command : commands()) {
    const std::string condition =
        fmt::format(" -n '__fish_seen_subcommand_from {}'", top_word(command));
    if (const std::string rest = rest_of(command); !rest.empty()) {
      text += fmt::format("complete -c weir{} -a {} -d {}\n", condition, rest,
                          in_single_quotes(command.summary));
    }
    if (const std::string words = words_after(command); !words.empty()) {
      text += fmt::format("complete -c weir{} -a '{}'\n", condition, words);
    }
    if (takes_files(command))
      text += fmt::format("complete -c weir -n '__fish_seen_subcommand_from {}' -F\n",
                          rest_of(command).empty() ? top_word(command) : rest_of(command));
    for (const Option& option : command.options) text += fish_option(option, condition);
  }
  return text;
}

}  // namespace

std::string completion_script(std::string_view shell) {
  if (shell == "bash") return bash_script();
  if (shell == "zsh") return zsh_script();
  return fish_script();
}

}  // namespace weir::cli
