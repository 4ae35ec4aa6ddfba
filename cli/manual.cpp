// SPDX-License-Identifier: MIT
#include "cli/manual.hpp"

#include <weir/version.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace weir::cli {
namespace {

std::string option_spelling(const Option& option) {
  std::string text = option.short_name.empty() ? "    " : fmt::format("{}, ", option.short_name);
  text += option.name;
  if (!option.value.empty()) text += fmt::format(" {}", option.value);
  return text;
}

// Two columns: what stands left is padded, what stands right is on the same line.
class Columns2 {
 public:
  void add(std::string left, std::string_view right) {
    width_ = std::max(width_, left.size());
    rows_.emplace_back(std::move(left), right);
  }
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto& [left, right] : rows_)
      all += fmt::format("  {:<{}}  {}\n", left, width_, right);
    return all;
  }

 private:
  std::size_t width_ = 0;
  std::vector<std::pair<std::string, std::string_view>> rows_;
};

std::string options_text(const std::vector<Option>& options) {
  Columns2 columns;
  for (const Option& option : options) columns.add(option_spelling(option), option.doc);
  return columns.text();
}

std::string exits_text(const std::vector<ExitNote>& exits) {
  Columns2 columns;
  for (const ExitNote& exit : exits) columns.add(fmt::format("{:>3}", exit.code), exit.when);
  return columns.text();
}

std::string title(const Output& out, std::string_view text) {
  return "\n" + out.toned(Tone::strong, text) + "\n";
}

bool below(const Command& command, std::string_view group) {
  return group.empty() || command.path.substr(0, command.path.find(' ')) == group;
}

}  // namespace

std::string usage_line(const Command& command) {
  std::string line = fmt::format("weir {}", command.path);
  if (!command.options.empty()) line += " [OPTIONS]";
  for (const Argument& argument : command.arguments) {
    line +=
        argument.required ? fmt::format(" {}", argument.name) : fmt::format(" [{}]", argument.name);
  }
  return line;
}

std::string help_text(const Command& command, const Output& out) {
  std::string text =
      fmt::format("weir {}: {}\n\nusage: {}\n", command.path, command.summary, usage_line(command));
  if (!command.examples.empty()) {
    text += title(out, "Examples");
    Columns2 columns;
    for (const Example& example : command.examples) {
      columns.add(std::string(example.line), example.what);
    }
    text += columns.text();
  }
  if (!command.details.empty()) text += fmt::format("\n{}\n", command.details);
  if (!command.arguments.empty()) {
    text += title(out, "Arguments");
    Columns2 columns;
    for (const Argument& argument : command.arguments) {
      columns.add(std::string(argument.name), argument.doc);
    }
    text += columns.text();
  }
  if (!command.options.empty()) text += title(out, "Options") + options_text(command.options);
  text += title(out, "Options of every command") + options_text(global_options());
  if (!command.exits.empty())
    text += title(out, "Exit codes of its own") + exits_text(command.exits);
  return text;
}

std::string help_text(std::string_view group, const Output& out) {
  std::string text = "weir: a database connection pool, from the command line\n\n";
  text += fmt::format("usage: weir {}COMMAND [OPTIONS] [ARGUMENTS]\n",
                      group.empty() ? "" : fmt::format("{} ", group));
  if (group.empty()) {
    text += title(out, "First steps");
    Columns2 columns;
    columns.add("weir init", "write weir.toml, one commented SQLite pool");
    columns.add("weir doctor", "does everything work?");
    columns.add("weir sql main 'select 1'", "ask the database something");
    text += columns.text();
  }
  text += title(out, "Commands");
  Columns2 columns;
  for (const Command& command : commands()) {
    if (below(command, group)) columns.add(std::string(command.path), command.summary);
  }
  text += columns.text();
  text += title(out, "Options of every command") + options_text(global_options());
  text += title(out, "Exit codes") + exits_text(common_exits());
  if (group.empty()) {
    text += title(out, "Environment");
    Columns2 variables;
    for (const Variable& variable : environment_variables()) {
      variables.add(std::string(variable.name), variable.doc);
    }
    text += variables.text();
  }
  return text + "\n`weir help COMMAND` says more about a command.\n";
}

}  // namespace weir::cli
