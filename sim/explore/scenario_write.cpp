// SPDX-License-Identifier: MIT
//
// The writer: what differs from the defaults, in the order of the table of keys.
#include "core/base/text.hpp"
#include "core/config/option_table.hpp"
#include "sim/explore/scenario_file.hpp"
#include "sim/explore/scenario_keys.hpp"
#include "sim/explore/scenario_pool.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir::sim {
namespace {

std::string comment(std::string_view text) {
  std::string line = printable(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return "# " + line + "\n";
}

// A time after the end, which a shrinker leaves behind when it takes time away, is as good as the
// end, and a reader would refuse it.
std::string lines_of(const ScenarioTable& table, const void* object, Duration end) {
  std::string out;
  const std::uint32_t selected = table.selected(object);
  for (const ScenarioKey& key : table.keys) {
    if (!key.written || (key.only != 0 && (key.only & selected) == 0)) continue;
    auto value = key.access.load(object);
    if (!value) continue;
    if (key.in_time) value->number = std::min(value->number, end.count());
    if (key.required || key.spelled || value != key.access.load(table.fresh()))
      out += fmt::format("{} = {}\n", key.name, to_toml(key, *value));
  }
  return out;
}

// The lines of one scope that differ from the defaults.
std::string pool_lines(config::Scope scope, const config::Target& target, std::string_view pool) {
  std::string out;
  for (const config::Option& option : config::options()) {
    if (option.scope != scope) continue;
    const config::Value value = load(option, target);
    config::Value usual = default_of(option);
    if (option.name == "driver") usual.text = mock_driver;
    if (option.name == "url") usual.text = mock_url(pool);
    const bool unset = value.text.empty() && (option.name == "driver" || option.name == "url");
    if (value != usual && !unset)
      out += fmt::format("{} = {}\n", option.name, config::to_toml(option, value));
  }
  return out;
}

// [pool] with what differs from the defaults; empty if nothing does.
std::string pool_to_toml(const PoolConfig& pool) {
  PoolConfig copy = pool;  // load() wants a target that could be written
  std::string lines = pool_lines(config::Scope::pool, {.pool = &copy}, pool.name);
  if (!pool.name.empty() && pool.name != usual_pool_name)
    lines = fmt::format("name = {}\n", config::quoted(pool.name)) + lines;
  std::string out = lines.empty() ? "" : "\n[pool]\n" + lines;
  for (const config::PoolTable& table : config::pool_tables) {
    lines = pool_lines(table.scope, config::target_in(copy), pool.name);
    if (!lines.empty()) out += fmt::format("\n[pool.{}]\n{}", table.name, lines);
  }
  if (!pool.options.empty()) out += "\n[pool.options]\n";
  for (const DriverOption& option : pool.options)
    out += fmt::format("{} = {}\n", config::key_text(option.key),
                       config::quoted(option.value.reveal()));
  return out;
}

}  // namespace

std::string to_toml(const Scenario& scenario) {
  std::string out;
  if (!scenario.expected.story.empty()) out += comment(scenario.expected.story);
  if (!scenario.pool_file.empty()) out += comment("The pool is from " + scenario.pool_file + ".");
  for (const ScenarioTable& table : scenario_tables()) {
    for (const void* object : table.all(scenario)) {
      const std::string lines = lines_of(table, object, scenario.duration);
      if (table.name.empty()) {
        out += lines + pool_to_toml(scenario.pool);
      } else if (!lines.empty() || table.many) {
        out += fmt::format("\n{}\n{}", table.header(), lines);
      }
    }
  }
  return out;
}

}  // namespace weir::sim
