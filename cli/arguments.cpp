// SPDX-License-Identifier: MIT
#include "cli/arguments.hpp"

#include "core/base/suggest.hpp"
#include "core/base/text.hpp"

#include <algorithm>
#include <memory>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

namespace weir::cli {
namespace {

// "config check": the words before the last one are groups.
std::string_view last_word(std::string_view path) {
  const auto space = path.rfind(' ');
  return space == std::string_view::npos ? path : path.substr(space + 1);
}
std::string_view group_of(std::string_view path) {
  const auto space = path.rfind(' ');
  return space == std::string_view::npos ? std::string_view() : path.substr(0, space);
}

void declare(CLI::App& app, const Option& option, Values& values) {
  const std::string key(option.name);
  const std::string names =
      option.short_name.empty() ? key : fmt::format("{},{}", option.short_name, option.name);
  if (option.value.empty()) {
    app.add_flag_callback(names, [&values, key] { values[key] = "true"; });
  } else if (option.many) {
    app.add_option_function<std::vector<std::string>>(
           names,
           [&values, key](const std::vector<std::string>& all) {
             values[key] = fmt::format("{}", fmt::join(all, "\n"));
           })
        ->allow_extra_args(false);
  } else {
    app.add_option_function<std::string>(
        names, [&values, key](const std::string& value) { values[key] = value; });
  }
}

// The parser, made from the table. `values` outlives it.
class Grammar {
 public:
  explicit Grammar(Values& values) {
    prepare(root_);
    for (const Option& option : global_options()) declare(root_, option, values);
    for (const Group& group : groups()) {
      CLI::App* app = root_.add_subcommand(std::string(group.name));
      prepare(*app);
      groups_[std::string(group.name)] = app;
    }
    for (const Command& command : commands()) {
      const std::string group(group_of(command.path));
      CLI::App& parent = group.empty() ? root_ : *groups_.at(group);
      CLI::App* app = parent.add_subcommand(std::string(last_word(command.path)));
      prepare(*app);
      for (const Argument& argument : command.arguments) {
        app->add_option_function<std::string>(
            std::string(argument.name), [&values, key = std::string(argument.name)](
                                            const std::string& value) { values[key] = value; });
      }
      for (const Option& option : command.options) declare(*app, option, values);
      apps_[app] = &command;
    }
  }

  void parse(int argc, const char* const* argv) { root_.parse(argc, argv); }
  // What nobody recognised, in order.
  [[nodiscard]] std::vector<std::string> leftovers() const {
    std::vector<std::string> left = root_.remaining(true);
    // The parser knows the mark that ends the options, and hands it out; a further one is a word.
    if (const auto mark = std::find(left.begin(), left.end(), "--"); mark != left.end()) {
      left.erase(mark);
    }
    return left;
  }
  [[nodiscard]] const Command* command() const {
    const CLI::App* app = deepest();
    const auto found = apps_.find(app);
    return found == apps_.end() ? nullptr : found->second;
  }
  [[nodiscard]] std::string group() const {
    const CLI::App* app = deepest();
    return app == &root_ ? std::string() : app->get_name();
  }

 private:
  static void prepare(CLI::App& app) {
    app.set_help_flag();
    app.allow_extras();
    app.fallthrough();             // global options may stand behind the command
    app.require_subcommand(0, 1);  // or `ping version` would be two commands
  }
  [[nodiscard]] const CLI::App* deepest() const {
    const CLI::App* app = &root_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return app;
  }

  CLI::App root_;
  std::map<std::string, CLI::App*> groups_;
  std::map<const CLI::App*, const Command*> apps_;
};

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates,
                         std::string_view otherwise) {
  const std::string_view near = nearest(word, candidates);
  return near.empty() ? std::string(otherwise) : fmt::format("; did you mean '{}'?", near);
}

std::string unknown_option(std::string_view given, const Command* command) {
  const std::string_view name = given.substr(0, given.find('='));
  std::vector<std::string> candidates;
  for (const Option& option : global_options()) candidates.emplace_back(option.name);
  if (command != nullptr) {
    for (const Option& option : command->options) candidates.emplace_back(option.name);
  }
  return fmt::format("unknown option '{}'{}", printable(name),
                     did_you_mean(name, candidates,
                                  fmt::format("; see `weir {}--help`",
                                              command ? fmt::format("{} ", command->path) : "")));
}

std::string unknown_command(std::string_view word, std::string_view group) {
  std::vector<std::string> candidates;
  for (const Command& command : commands()) {
    const std::string_view top =
        group.empty() ? command.path.substr(0, command.path.find(' ')) : last_word(command.path);
    if (group.empty() || group_of(command.path) == group) candidates.emplace_back(top);
  }
  return fmt::format("unknown command '{}{}{}'{}", group, group.empty() ? "" : " ", printable(word),
                     did_you_mean(word, candidates,
                                  fmt::format("; see `weir {}--help`",
                                              group.empty() ? "" : fmt::format("{} ", group))));
}

std::string describe_leftover(const std::string& word, const Command* command,
                              const std::string& group) {
  if (word.size() > 1 && word.front() == '-') return unknown_option(word, command);
  if (command == nullptr) return unknown_command(word, group);
  return fmt::format("'{}' is one word too many; see `weir {} --help`", printable(word),
                     command->path);
}

// Turns the global options among `values` into Globals.
void take_globals(Parsed& parsed) {
  Values& values = parsed.values;
  const auto flag = [&](const char* name) { return values.erase(name) > 0; };
  parsed.help = flag("--help");
  parsed.globals.json = flag("--json");
  parsed.globals.quiet = flag("--quiet");
  parsed.globals.verbose = flag("--verbose");
  parsed.globals.no_input = flag("--no-input");
  if (const auto config = values.find("--config"); config != values.end()) {
    parsed.globals.config = config->second;
    parsed.globals.config_given = true;
    values.erase(config);
  }
  if (const auto color = values.find("--color"); color != values.end()) {
    const std::string mode = color->second;
    values.erase(color);
    if (mode == "always") {
      parsed.globals.color = ColorMode::always;
    } else if (mode == "never") {
      parsed.globals.color = ColorMode::never;
    } else if (mode != "auto" && parsed.problem.empty()) {
      parsed.problem =
          fmt::format("--color is '{}'; it takes auto, always or never", printable(mode));
    }
  }
}

std::string missing_argument(const Command& command, const Values& values) {
  for (const Argument& argument : command.arguments) {
    if (argument.required && values.find(argument.name) == values.end()) {
      return fmt::format("{} is missing; see `weir {} --help`", argument.name, command.path);
    }
  }
  return {};
}

// CLI11's messages are about its own ideas; these are the two that are left for it to notice.
std::string reworded(const CLI::ParseError& error) {
  std::string text = error.what();
  if (text.ends_with("requires at least 1 argument") || text.find(": 1 required ") < text.size()) {
    return text.substr(0, text.find(':')) + " takes a value, and none is given";
  }
  return text;
}

}  // namespace

Parsed parse_arguments(int argc, const char* const* argv) {
  Parsed parsed;
  Grammar grammar(parsed.values);
  try {
    grammar.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    parsed.problem = reworded(error);
  }
  parsed.command = grammar.command();
  const std::string group = grammar.group();
  take_globals(parsed);
  if (parsed.command == nullptr) parsed.help_for = group;

  const auto leftovers = grammar.leftovers();
  if (parsed.problem.empty() && !leftovers.empty()) {
    parsed.problem = describe_leftover(leftovers.front(), parsed.command, group);
  }
  // Whatever stands before it is not done, and needs no arguments.
  if (parsed.values.erase("--version") > 0 && !parsed.help) {
    parsed.command = find_command("version");
  }
  if (parsed.help || !parsed.problem.empty()) return parsed;
  if (parsed.command != nullptr) parsed.problem = missing_argument(*parsed.command, parsed.values);
  return parsed;
}

}  // namespace weir::cli
