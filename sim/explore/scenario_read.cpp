// SPDX-License-Identifier: MIT
//
// The reader: goes over the tree of a file by the table of keys and collects every fault on the
// way. A value that is faulty is reported, left at its default, and causes no second error.
#include "core/base/duration_text.hpp"
#include "core/base/suggest.hpp"
#include "core/base/text.hpp"
#include "core/config/diagnostic.hpp"
#include "core/config/file_text.hpp"
#include "core/config/option_table.hpp"
#include "core/config/parse.hpp"
#include "sim/explore/scenario_convert.hpp"
#include "sim/explore/scenario_file.hpp"
#include "sim/explore/scenario_keys.hpp"
#include "sim/explore/scenario_pool.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace weir::sim {
namespace {

using config::Entry;
using config::Kind;
using config::Node;
using config::Place;

constexpr std::size_t file_bytes_max = 16 * 1024 * 1024;  // of deviations there may be many

// Where a key of this name does exist; empty if it does nowhere.
std::string home_of(std::string_view key) {
  if (config::find_option(config::Scope::pool, key) != nullptr) return "in [pool]";
  for (const ScenarioTable& table : scenario_tables()) {
    if (table.find(key) != nullptr)
      return table.name.empty() ? "at the top of the file" : "in " + table.header();
  }
  return {};
}

class ScenarioReader {
 public:
  ScenarioReader(std::string_view name, std::string_view base_dir, config::Source& source)
      : name_(name), base_dir_(base_dir), source_(source) {}

  Scenario read(const Node& root) {
    if (!format_is_ours(root)) return {};
    read_table(top(), root, &scenario_);
    const Entry* const file = root.find("pool_file");
    const bool any_driver = !scenario_.plugin.empty() || scenario_.clock == Clock::wall;
    PoolAnswer pool = read_pool({root.find("pool"), file != nullptr && good(*file) ? file : nullptr,
                                 name_, base_dir_, any_driver},
                                source_);
    scenario_.pool = std::move(pool.pool);
    if (!scenario_.plugin.empty())
      scenario_.plugin = config::absolute_path(std::string(base_dir_), scenario_.plugin);
    std::move(pool.faults.begin(), pool.faults.end(), std::back_inserter(faults_));
    for (const Entry& entry : root.entries) {
      const ScenarioTable& table = scenario_table(entry.key);
      if (!table.name.empty()) read_section(table, entry);
      refuse_of_other_driver(table, entry);
    }
    if (pool.faults.empty()) check_driver(root);
    return std::move(scenario_);
  }

  [[nodiscard]] std::vector<config::Diagnostic>& faults() noexcept { return faults_; }

 private:
  static const ScenarioTable& top() { return scenario_table(""); }

  void report(Code code, const Place& place, std::string message, std::string label = {},
              std::vector<std::string> notes = {}) {
    faults_.push_back({code, place, std::move(message), std::move(label), std::move(notes)});
  }
  [[nodiscard]] bool good(const Entry& entry) const { return !failed_.contains(&entry); }
  // The entry of a key whose value was read.
  [[nodiscard]] const Entry* good_entry(const Node& node, std::string_view key) const {
    const Entry* entry = node.find(key);
    return entry != nullptr && good(*entry) ? entry : nullptr;
  }

  // What a newer format means by its keys is not known here, so nothing else is said about it.
  bool format_is_ours(const Node& root) {
    const Entry* format = root.find("format");
    if (format == nullptr || format->value.kind != Kind::integer ||
        format->value.integer <= scenario_format)
      return true;
    report(Code::config_value, format->value.place,
           fmt::format("this file has format {}, and this Weir reads formats up to {}",
                       format->value.integer, scenario_format),
           "a newer Weir wrote it");
    return false;
  }

  // ---- tables

  // A table that describes what is behind another driver than the pool's.
  void refuse_of_other_driver(const ScenarioTable& table, const Entry& entry) {
    const bool of_mock = table.name == "server" || table.name == "fault";
    const bool of_sqlite = table.name == "disk" || table.name == "disk_fault";
    const std::string& driver = scenario_.pool.driver;
    if (driver.empty() || (of_mock && driver == mock_driver) || (of_sqlite && driver == "sqlite"))
      return;
    if (!of_mock && !of_sqlite) return;
    std::string_view remedy = "nothing around the driver of a plugin is simulated";
    if (driver == "sqlite") remedy = "for SQLite, write [disk] and [[disk_fault]]";
    if (driver == mock_driver)
      remedy = "add driver = \"sqlite\" to [pool], or write [server] and [[fault]]";
    report(Code::config_conflict, entry.key_place,
           fmt::format("{} means nothing with the driver {}", table.header(), printable(driver)),
           std::string(remedy));
  }

  void read_section(const ScenarioTable& table, const Entry& entry) {
    const Node& node = entry.value;
    if (!table.many && node.kind == Kind::table) return read_object(table, node);
    const bool tables = node.kind == Kind::array &&
                        std::all_of(node.items.begin(), node.items.end(),
                                    [](const Node& item) { return item.kind == Kind::table; });
    if (!table.many && tables) {
      report(Code::config_type, entry.key_place, fmt::format("there is one {}", table.header()),
             "write " + table.header());
    } else if (!tables) {
      report(Code::config_type, entry.key_place,
             fmt::format("`{}` must be {}, not {}", entry.key,
                         table.many ? "a list of tables" : "a table", describe(node.kind)),
             "write " + table.header());
    } else {
      for (const Node& item : node.items) read_object(table, item);
    }
  }

  void read_object(const ScenarioTable& table, const Node& node) {
    void* const into = table.add(scenario_);
    if (table.name == "client") static_cast<ClientGroup*>(into)->number = last_client_ + 1;
    if (table.name == "schedule" && node.find("kind") == nullptr &&
        node.find("deviations") != nullptr)
      static_cast<ScheduleSpec*>(into)->kind = ScheduleSpec::Kind::replay;
    read_table(table, node, into);
    if (table.name == "client") check_client(node, scenario_.clients.back());
    if (table.name == "fault") check_fault(node, scenario_.server.faults.back());
    if (table.name == "action") check_action(node, scenario_.actions.back());
    if (table.name == "disk_fault") check_disk_fault(node, scenario_.disk.faults.back());
  }

  void read_table(const ScenarioTable& table, const Node& node, void* into) {
    for (const Entry& entry : node.entries) {
      const bool section =
          table.name.empty() && (entry.key == "pool" || !scenario_table(entry.key).name.empty());
      if (!section && table.find(entry.key) == nullptr) unknown_key(table, entry);
    }
    for (const ScenarioKey& key : table.keys) {
      const bool chosen = selected(table, node, key, into);
      if (const Entry* entry = node.find(key.name); entry != nullptr) {
        if (chosen) read_value(table, key, *entry, into);
      } else if (chosen && key.required) {
        missing(table, key, node);
      }
    }
    for (const Entry& entry : node.entries) refuse_what_has_no_effect(table, node, entry, into);
  }

  // Whether a key means something beside the word of the selector. Nothing does if that is faulty.
  bool selected(const ScenarioTable& table, const Node& node, const ScenarioKey& key,
                const void* object) {
    if (key.only == 0) return true;
    const Entry* word = node.find(table.selector);
    const bool unknown = word != nullptr ? !good(*word) : table.find(table.selector)->required;
    return !unknown && (key.only & table.selected(object)) != 0;
  }

  void refuse_what_has_no_effect(const ScenarioTable& table, const Node& node, const Entry& entry,
                                 const void* object) {
    if (table.selector.empty() || table.find(entry.key) == nullptr) return;
    const Entry* word = node.find(table.selector);
    if (word != nullptr ? !good(*word) : table.find(table.selector)->required) return;
    std::uint32_t only = 0;
    for (const ScenarioKey& key : table.keys) {
      if (key.name != entry.key) continue;
      if (key.only == 0 || (key.only & table.selected(object)) != 0) return;
      only |= key.only;
    }
    ScenarioKey all = *table.find(entry.key);
    all.only = only;
    failed_.insert(&entry);
    const FileValue value = *table.find(table.selector)->access.load(object);
    report(Code::config_conflict, entry.key_place,
           fmt::format("`{}` means nothing with {} = {}", entry.key, table.selector,
                       to_toml(*table.find(table.selector), value)),
           "it goes with " + only_text(table, all));
  }

  void read_value(const ScenarioTable& table, const ScenarioKey& key, const Entry& entry,
                  void* into) {
    const auto read = convert(key, entry.value);
    if (const auto* problem = std::get_if<ValueProblem>(&read)) {
      failed_.insert(&entry);
      if (table.name.empty() && key.name == "duration") duration_is_known_ = false;
      report(problem->code, problem->place.line != 0 ? problem->place : entry.value.place,
             problem->message, problem->label);
      return;
    }
    const auto& value = std::get<FileValue>(read);
    if (key.in_time && Duration(value.number) > scenario_.duration && duration_is_known_) {
      failed_.insert(&entry);
      report(Code::config_conflict, entry.value.place,
             fmt::format("`{}` of {} is after the end of the scenario", key.name, table.header()),
             fmt::format("it ends at {}", duration_text(scenario_.duration)));
      return;
    }
    key.access.store(into, value);
  }

  void missing(const ScenarioTable& table, const ScenarioKey& key, const Node& node) {
    const std::string line = key.form == Form::word
                                 ? fmt::format("{} = \"{}\"", key.name, key.words.front())
                                 : fmt::format("{} = {}", key.name, example_of(key));
    if (table.name.empty())
      return report(Code::config_missing, {}, fmt::format("`{}` is missing", key.name),
                    "add this line at the top of the file: " + line);
    const std::string only = only_text(table, key);
    report(Code::config_missing, node.place,
           fmt::format("{} has no `{}`", table.header(), key.name), "such as " + line,
           only.empty() ? std::vector<std::string>{} : std::vector{"needed with " + only});
  }
  static std::string example_of(const ScenarioKey& key) {
    if (key.form == Form::duration) return "\"100ms\"";
    return key.name == "amount" && key.least > 0
               ? "300"
               : fmt::format("{}", std::max<std::int64_t>(key.least, 1));
  }

  void unknown_key(const ScenarioTable& table, const Entry& entry) {
    constexpr std::size_t longest_shown = 64;
    std::vector<std::string_view> names;
    for (const ScenarioKey& key : table.keys) names.push_back(key.name);
    if (table.name.empty()) {
      names.emplace_back("pool");
      for (const ScenarioTable& t : scenario_tables()) names.push_back(t.name);
    }
    const std::string home = home_of(entry.key);
    const std::string_view near = nearest(entry.key, names);
    std::string label;
    if (!home.empty()) {
      label = fmt::format("it belongs {}", home);
    } else if (!near.empty()) {
      label = fmt::format("did you mean `{}`?", near);
    }
    report(Code::config_unknown_key, entry.key_place,
           fmt::format("unknown key `{}` in {}", printable(entry.key.substr(0, longest_shown)),
                       table.header()),
           label,
           label.empty() ? std::vector<std::string>{"docs/scenario.md lists all keys"}
                         : std::vector<std::string>{});
  }

  // ---- what values say together

  void check_client(const Node& node, const ClientGroup& group) {
    const Entry* const number = good_entry(node, "number");
    const Place& place = number != nullptr ? number->value.place : node.place;
    const auto [before, is_new] = clients_.emplace(group.number, place.line);
    if (!is_new)
      report(Code::config_conflict, place,
             fmt::format("two clients have the number {}", group.number),
             "their chance would be the same",
             {fmt::format("the other is in line {}", before->second)});
    last_client_ = group.number;
    const Entry* const to = good_entry(node, "to");
    const Entry* const from = node.find("from");
    if (to != nullptr && (from == nullptr || good(*from)) && group.to && *group.to < group.from)
      report(Code::config_conflict, to->value.place, "`to` is before `from`",
             fmt::format("it begins at {}", duration_text(group.from)));
    const Entry* const every = node.find("every");
    const bool at_once = group.every == Distribution() && (every == nullptr || good(*every));
    if (group.loop == ClientGroup::Loop::open && at_once && group.rounds == 0)
      report(Code::config_conflict, every != nullptr ? every->value.place : node.place,
             "an open loop without a time between arrivals never ends",
             "such as every = \"exp(10ms)\"; or set `rounds`");
    const Entry* const together = good_entry(node, "together");
    if (group.waits == ClientGroup::Waits::event_loop && group.together > 1 && together != nullptr)
      report(Code::config_conflict, together->value.place,
             "an event loop takes one connection at a time",
             "remove the line, or write waits = \"thread\"");
  }

  // What a plugin's driver needs, and what only such a driver has.
  void check_driver(const Node& root) {
    const bool inside = !has_plugin(scenario_);
    const Entry* const plugin = good_entry(root, "plugin");
    if (plugin != nullptr && inside)
      report(Code::config_conflict, plugin->value.place,
             fmt::format("the driver {} is linked in and has no plugin", scenario_.pool.driver),
             "name the plugin's driver in [pool], or remove the line");
    const Entry* const clock = good_entry(root, "clock");
    if (clock == nullptr || scenario_.clock != Clock::wall) return;
    if (inside)
      report(Code::config_conflict, clock->value.place,
             fmt::format("the driver {} runs by virtual time only", scenario_.pool.driver),
             "the wall clock is for drivers of plugins");
    if (scenario_.mode != Mode::ideal || scenario_.schedule.kind != ScheduleSpec::Kind::fifo)
      report(Code::config_conflict, clock->value.place,
             "by the wall clock nobody decides who runs when", "remove `mode` and [schedule]");
  }

  void check_fault(const Node& node, const Fault& fault) {
    const Entry* const probability = good_entry(node, "probability");
    if (probability == nullptr || fault.what != FaultKind::read_only) return;
    report(Code::config_conflict, probability->key_place,
           "`probability` means nothing with what = \"read_only\"",
           "a server that has failed over takes no write at all: remove the line");
  }

  void check_disk_fault(const Node& node, const DiskTrouble& trouble) {
    const Entry* const on = good_entry(node, "on");
    if (on == nullptr || good_entry(node, "what") == nullptr) return;
    if (can_happen(trouble.what, trouble.on)) return;
    std::vector<std::string_view> possible;
    for (std::size_t i = 0; i < disk_op_count; ++i) {
      if (can_happen(trouble.what, static_cast<DiskOp>(i)))
        possible.push_back(sim::name(static_cast<DiskOp>(i)));
    }
    report(Code::config_conflict, on->value.place,
           fmt::format("this fault cannot happen at `{}`", sim::name(trouble.on)),
           fmt::format("it can at {}", fmt::join(possible, " or ")));
  }

  void check_action(const Node& node, const Action& action) {
    const Entry* const min = good_entry(node, "min");
    if (min != nullptr && good_entry(node, "max") != nullptr && action.min > action.max)
      report(Code::config_conflict, min->value.place,
             fmt::format("`min` is {}, but `max` is {}", action.min, action.max),
             "raise `max` or lower `min`");
  }

  std::string_view name_;
  std::string_view base_dir_;
  config::Source& source_;
  Scenario scenario_;
  std::vector<config::Diagnostic> faults_;
  std::set<const Entry*> failed_;  // whose value is faulty
  bool duration_is_known_ = true;
  std::map<std::uint64_t, std::uint32_t> clients_;  // number -> line
  std::uint64_t last_client_ = 0;
};

}  // namespace

Result<Scenario> scenario_from_string(std::string_view text, std::string_view name,
                                      std::string_view base_dir,
                                      std::span<const Setting> settings) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  auto root = config::read_toml(text);
  if (!root) {  // and the reader of weir.toml says so as it does for its own files
    config::ParseInput input;
    input.text = text;
    input.name = name;
    return fail(config::parse(input).error());
  }
  for (const Setting& setting : settings) {
    if (auto done = set(*root, setting); !done) return fail(std::move(done).error());
  }
  config::Source source(name, text);
  ScenarioReader reader(name, base_dir, source);
  Scenario scenario = reader.read(*root);
  if (reader.faults().empty()) return scenario;
  const Error error = to_error(source, std::move(reader.faults()));
  if (settings.empty()) return fail(error);
  return fail(error.code(), "with " + to_string(settings) + ":\n" + error.message());
}

Result<Scenario> read_scenario(const std::string& path, std::span<const Setting> settings) {
  const auto text = config::read_file_text(path, file_bytes_max, config::Privacy::any);
  if (!text)
    return fail(
        Code::config_unreadable,
        fmt::format("the scenario {} {}", path.empty() ? "\"\"" : printable(path), text.error()));
  const std::filesystem::path file(path);
  const std::string parent = file.parent_path().string();
  auto scenario = scenario_from_string(*text, path, parent.empty() ? "." : parent, settings);
  if (scenario && scenario->name.empty()) scenario->name = file.stem().string();
  return scenario;
}

}  // namespace weir::sim
