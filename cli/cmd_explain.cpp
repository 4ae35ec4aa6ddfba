// SPDX-License-Identifier: MIT
//
// weir explain, version, help, completion: what needs no configuration.
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cli/manual.hpp"
#include "core/base/suggest.hpp"
#include "core/base/text.hpp"
#include "core/config/reference.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir::cli {
namespace {

// What people paste from elsewhere: Prisma's code for an exhausted pool.
constexpr std::string_view prisma_timeout = "p2024";

// "W301", "w301", "301", "acquire_timeout", "P2024".
const CodeInfo* find_code(std::string_view word) {
  const std::string lower = lower_case(word);
  if (lower == prisma_timeout) return &info(Code::acquire_timeout);
  for (const CodeInfo& code : all_codes()) {
    const std::string id = lower_case(code.id);
    if (lower == id || lower == id.substr(1) || lower == code.name) return &code;
  }
  return nullptr;
}

nlohmann::ordered_json to_json(const CodeInfo& code) {
  return {{"code", std::string(code.id)},
          {"name", std::string(code.name)},
          {"exit_code", code.exit_code},
          {"title", std::string(code.title)},
          {"advice", std::string(code.advice)}};
}

int list_codes(Context& context) {
  if (context.global.json) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const CodeInfo& code : all_codes()) all.push_back(to_json(code));
    context.json({{"codes", all}});
    return exit_ok;
  }
  for (const CodeInfo& code : all_codes()) {
    context.out.data(fmt::format("{}  {:<20}  {}\n", code.id, code.name, code.title));
  }
  return exit_ok;
}

}  // namespace

int run_explain(Context& context) {
  if (!context.has("CODE")) return list_codes(context);
  const std::string word = context.text("CODE");
  const CodeInfo* code = find_code(word);
  if (code == nullptr) {
    std::vector<std::string> known;
    for (const CodeInfo& each : all_codes()) {
      known.emplace_back(each.id);
      known.emplace_back(each.name);
    }
    const std::string_view near = nearest(word, known);
    return context.usage_error(fmt::format(
        "there is no error '{}'{}", printable(word),
        near.empty() ? "; `weir explain` lists all" : fmt::format("; did you mean '{}'?", near)));
  }
  if (context.global.json) {
    context.json(to_json(*code));
    return exit_ok;
  }
  context.out.data(fmt::format(
      "{}: {}\n\n{}\n", context.out.toned(Tone::strong, fmt::format("{} {}", code->id, code->name)),
      code->title, code->advice));
  context.out.data(fmt::format("\nExit code of programs that hand it on: {}\n", code->exit_code));
  return exit_ok;
}

int run_version(Context& context) {
  if (context.global.json) {
    context.json({{"version", std::string(version())},
                  {"abi", fmt::format("{}.{}", WEIR_ABI_MAJOR, WEIR_ABI_MINOR)}});
  } else {
    context.out.data(fmt::format("weir {} (driver interface {}.{})\n", version(), WEIR_ABI_MAJOR,
                                 WEIR_ABI_MINOR));
  }
  return exit_ok;
}

int run_completion(Context& context) {
  const std::string shell = context.text("SHELL");
  if (shell != "bash" && shell != "zsh" && shell != "fish") {
    return context.usage_error(fmt::format(
        "there is no completion for '{}', only for bash, zsh and fish", printable(shell)));
  }
  context.out.data(completion_script(shell));
  return exit_ok;
}

int run_help(Context& context) {
  if (context.has("--man")) return context.out.data(man_page()), exit_ok;
  if (context.has("--markdown")) return context.out.data(markdown_page()), exit_ok;
  std::string topic = context.text("TOPIC");
  if (context.has("SUBCOMMAND")) topic += " " + context.text("SUBCOMMAND");
  if (topic == "options") return context.out.data(config::options_help()), exit_ok;
  if (const Command* command = find_command(topic)) {
    return context.out.data(help_text(*command, context.out)), exit_ok;
  }
  const bool is_group = std::any_of(groups().begin(), groups().end(),
                                    [&](const Group& group) { return group.name == topic; });
  if (topic.empty() || is_group) {
    return context.out.data(help_text(topic, context.out)), exit_ok;
  }
  std::vector<std::string> known{"options"};
  for (const Command& command : commands()) known.emplace_back(command.path);
  for (const Group& group : groups()) known.emplace_back(group.name);
  const std::string_view near = nearest(topic, known);
  return context.usage_error(fmt::format("there is no help about '{}'{}", printable(topic),
                                         near.empty() ? "; `weir help` lists what there is"
                                                      : fmt::format("; did you mean '{}'?", near)));
}

}  // namespace weir::cli
