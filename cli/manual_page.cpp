// SPDX-License-Identifier: MIT
//
// The two long forms of the command table: the man page and docs/cli.md.
#include "cli/manual.hpp"

#include <weir/version.hpp>

#include <fmt/format.h>

namespace weir::cli {
namespace {

// Text for roff: backslashes, hyphens that must stay hyphens, and lines that would be requests.
std::string roff(std::string_view text) {
  std::string escaped;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
    line_start = c == '\n';
  }
  return escaped;
}

// Details as paragraphs; an indented line stands by itself.
std::string roff_paragraphs(std::string_view details) {
  std::string text;
  while (!details.empty()) {
    const auto end = std::min(details.find('\n'), details.size());
    const std::string_view line = details.substr(0, end);
    if (line.starts_with("    ")) {
      text += fmt::format(".PP\n.EX\n{}\n.EE\n", roff(line));
    } else {
      text += roff(line) + "\n";
    }
    details.remove_prefix(std::min(end + 1, details.size()));
  }
  return text;
}

std::string roff_options(const std::vector<Option>& options) {
  std::string text;
  for (const Option& option : options) {
    text += ".TP\n\\fB";
    if (!option.short_name.empty()) text += roff(option.short_name) + "\\fR, \\fB";
    text += roff(option.name) + "\\fR";
    if (!option.value.empty()) text += fmt::format(" \\fI{}\\fR", option.value);
    text += fmt::format("\n{}.\n", roff(option.doc));
  }
  return text;
}

std::string roff_exits(const std::vector<ExitNote>& exits) {
  std::string text;
  for (const ExitNote& exit : exits) {
    text += fmt::format(".TP\n.B {}\n{}.\n", exit.code, roff(exit.when));
  }
  return text;
}

std::string roff_command(const Command& command) {
  std::string text = fmt::format(".SS {}\n.B {}\n.PP\n", roff(usage_line(command)).substr(5),
                                 roff(usage_line(command)));
  std::string summary(command.summary);
  summary.front() = static_cast<char>(summary.front() - 'a' + 'A');
  text += roff(summary) + ".\n";
  if (!command.details.empty()) text += ".PP\n" + roff_paragraphs(command.details);
  for (const Argument& argument : command.arguments) {
    text += fmt::format(".TP\n.I {}\n{}.\n", argument.name, roff(argument.doc));
  }
  text += roff_options(command.options);
  if (!command.exits.empty()) {
    text += ".PP\nExit codes of its own:\n" + roff_exits(command.exits);
  }
  if (!command.examples.empty()) {
    text += ".PP\nExamples:\n.PP\n.EX\n";
    for (const Example& example : command.examples) {
      text += fmt::format("    {}{}\n", roff(example.line),
                          example.what.empty() ? "" : "   # " + roff(example.what));
    }
    text += ".EE\n";
  }
  return text;
}

std::string markdown_table(const char* head, const std::vector<Option>& options) {
  std::string text = fmt::format("| {} | |\n|---|---|\n", head);
  for (const Option& option : options) {
    text += "| ";
    if (!option.short_name.empty()) text += fmt::format("`{}`, ", option.short_name);
    text += fmt::format("`{}{}{}` | {} |\n", option.name, option.value.empty() ? "" : " ",
                        option.value, option.doc);
  }
  return text + "\n";
}

std::string markdown_exits(const std::vector<ExitNote>& exits) {
  std::string text = "| exit code | |\n|---|---|\n";
  for (const ExitNote& exit : exits) text += fmt::format("| {} | {} |\n", exit.code, exit.when);
  return text + "\n";
}

std::string markdown_command(const Command& command) {
  std::string text = fmt::format("## weir {}\n\n`{}`: {}.\n\n", command.path, usage_line(command),
                                 command.summary);
  if (!command.details.empty()) text += fmt::format("```text\n{}\n```\n\n", command.details);
  if (!command.arguments.empty()) {
    text += "| argument | |\n|---|---|\n";
    for (const Argument& argument : command.arguments) {
      text += fmt::format("| `{}` | {} |\n", argument.name, argument.doc);
    }
    text += "\n";
  }
  if (!command.options.empty()) text += markdown_table("option", command.options);
  if (!command.exits.empty()) text += markdown_exits(command.exits);
  if (!command.examples.empty()) {
    text += "```text\n";
    for (const Example& example : command.examples) {
      text += fmt::format("{}{}\n", example.line,
                          example.what.empty() ? "" : fmt::format("   # {}", example.what));
    }
    text += "```\n\n";
  }
  return text;
}

}  // namespace

std::string man_page() {
  std::string text = fmt::format(
      ".\\\" SPDX-License-Identifier: MIT\n"
      ".\\\" Made from the command table by `weir help --man`.\n"
      ".TH WEIR 1 \"\" \"weir {}\" \"Weir\"\n"
      ".SH NAME\nweir \\- a database connection pool, from the command line\n"
      ".SH SYNOPSIS\n.B weir\n.RI [ OPTIONS ] \" COMMAND \" [ ARGUMENTS ]\n"
      ".SH DESCRIPTION\n"
      "Writes, checks and explains the configuration of Weir's pools, looks for drivers, and "
      "talks\n"
      "to databases through a pool exactly as a host program would.\n"
      "Data goes to standard output, prose to standard error.\n"
      ".SH OPTIONS\n{}"
      ".SH COMMANDS\n",
      version(), roff_options(global_options()));
  for (const Command& command : commands()) text += roff_command(command);
  text += ".SH EXIT STATUS\n" + roff_exits(common_exits());
  text += ".SH ENVIRONMENT\n";
  for (const Variable& variable : environment_variables()) {
    text += fmt::format(".TP\n.B {}\n{}.\n", roff(variable.name), roff(variable.doc));
  }
  text +=
      ".SH FILES\n.TP\n.I weir.toml\nThe configuration, unless \\fB\\-c\\fR names another file.\n";
  return text;
}

std::string markdown_page() {
  std::string text =
      "# The weir command\n\n"
      "This page is made from the command table: `weir help --markdown`.\n\n"
      "Data goes to standard output, prose to standard error; `--json` works everywhere.\n\n";
  text += markdown_table("option of every command", global_options());
  text += markdown_exits(common_exits());
  text += "| environment | |\n|---|---|\n";
  for (const Variable& variable : environment_variables()) {
    text += fmt::format("| `{}` | {} |\n", variable.name, variable.doc);
  }
  text += "\n";
  for (const Command& command : commands()) text += markdown_command(command);
  text.pop_back();  // one newline at the end
  return text;
}

}  // namespace weir::cli
