// SPDX-License-Identifier: MIT
//
// weir config check | show | schema | diff.
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "core/base/duration_text.hpp"
#include "core/config/diff.hpp"
#include "core/config/option_table.hpp"
#include "core/config/reference.hpp"
#include "core/config/show.hpp"
#include "core/loader/loader.hpp"

#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

namespace weir::cli {
namespace {

// Loads the drivers and lets them check their options, without opening a connection.
Result<void> check_drivers(Config config) {
  for (auto& [name, pool] : config.pools) {
    pool.min = 0;
    pool.start = Start::lazy;
  }
  config.admin = {};  // the program's own; a look at its file leaves it alone
  auto pools = Pools::builder()
                   .config(std::move(config))
                   .log([](LogLevel, std::string_view, std::string_view) {})
                   .open();
  if (!pools) return weir::fail(std::move(pools).error());
  return {};
}

// Only the driver knows which of its options are secret. Without the driver none is shown.
class PublicOptions {
 public:
  explicit PublicOptions(const Config& config) : config_(config) {}

  bool operator()(const PoolConfig& pool, std::string_view key) {
    const auto known = drivers_.find(pool.driver);
    const auto& driver = known != drivers_.end()
                             ? known->second
                             : drivers_.emplace(pool.driver, load(pool)).first->second;
    if (!driver) return false;
    for (const weir_option_spec& option : driver->table.options()) {
      if (key == option.key) return (option.flags & WEIR_OPT_SECRET) == 0;
    }
    return false;
  }

 private:
  std::shared_ptr<const loader::LoadedDriver> load(const PoolConfig& pool) const {
    auto driver = loader::load(pool.driver, config_.drivers, config_.base_dir, {});
    return driver ? *driver : nullptr;
  }

  const Config& config_;
  std::map<std::string, std::shared_ptr<const loader::LoadedDriver>, std::less<>> drivers_;
};

nlohmann::ordered_json value_json(const config::Option& option, config::Value value) {
  value = config::without_secrets(option, std::move(value));
  switch (option.type) {
    case config::Type::integer:
      if (value.number == config::word_value && !option.word.empty())
        return std::string(option.word);
      return value.number;
    case config::Type::boolean:
      return value.number != 0;
    case config::Type::choice:
      return std::string(option.choices[static_cast<std::size_t>(value.number)]);
    case config::Type::text:
      return value.text;
    case config::Type::list:
      return value.list;
    case config::Type::duration:
      break;
  }
  const Duration duration(value.number);
  if (duration == no_timeout) return std::string(option.none);
  return duration_text(duration);
}

nlohmann::ordered_json pool_json(const PoolConfig& pool, PublicOptions& is_public) {
  PoolConfig copy = pool;
  nlohmann::ordered_json j = nlohmann::ordered_json::object();
  for (const config::Option& option : config::options()) {
    if (!config::is_in_pool(option)) continue;
    const std::string name(option.name);
    const config::PoolTable* table = config::find_pool_table(option.scope);
    (table != nullptr ? j[std::string(table->name)][name] : j[name]) =
        value_json(option, config::load(option, config::target_in(copy)));
  }
  j["options"] = nlohmann::ordered_json::object();
  for (const DriverOption& option : pool.options) {
    j["options"][option.key] = is_public(pool, option.key) ? option.value.reveal() : "***";
  }
  return j;
}

nlohmann::ordered_json drivers_json(DriversConfig drivers) {
  nlohmann::ordered_json j = nlohmann::ordered_json::object();
  for (const config::Option& option : config::options()) {
    if (option.scope != config::Scope::drivers) continue;
    j[std::string(option.name)] = value_json(option, config::load(option, {.drivers = &drivers}));
  }
  for (auto& [name, pin] : drivers.pins) {
    nlohmann::ordered_json& table = j[name] = nlohmann::ordered_json::object();
    for (const config::Option& option : config::options()) {
      if (option.scope != config::Scope::pin) continue;
      const config::Value value = config::load(option, {.pin = &pin});
      if (!value.text.empty()) table[std::string(option.name)] = value_json(option, value);
    }
  }
  return j;
}

struct Sides {
  Config before;
  Config after;
};

template <class T>
const Error* error_of(const Result<T>& result) {
  return result ? nullptr : &result.error();
}

// Whatever is wrong on either side, in one error: people see all of it, programs one object.
// Requires: one of them at least.
Error joined(const Error* before, const Error* after) {
  if (before == nullptr) return *after;
  if (after == nullptr) return *before;
  const bool both_files = before->exit_code() == exit_config && after->exit_code() == exit_config;
  const Code code =
      both_files && before->code() != after->code() ? Code::config_many : before->code();
  return {code, fmt::format("{}\n\n{}", before->message(), after->message())};
}

// Each file is checked as `config check` does it.
Result<Sides> load_sides(const Context& context) {
  auto before = Config::from_file(context.text("OLD"));
  auto after = Config::from_file(context.text("NEW"));
  if (!before || !after) return weir::fail(joined(error_of(before), error_of(after)));
  if (!context.has("--no-drivers")) {
    const auto old_checked = check_drivers(*before);
    const auto new_checked = check_drivers(*after);
    if (!old_checked || !new_checked)
      return weir::fail(joined(error_of(old_checked), error_of(new_checked)));
  }
  return Sides{*std::move(before), *std::move(after)};
}

config::Diff diff_of(const Sides& sides, bool load_drivers) {
  if (!load_drivers) return config::diff(sides.before, sides.after);
  // What one of the files' drivers keeps secret is not shown, whatever the other says.
  PublicOptions before(sides.before);
  PublicOptions after(sides.after);
  return config::diff(sides.before, sides.after, [&](const PoolConfig& pool, std::string_view key) {
    return before(pool, key) && after(pool, key);
  });
}

nlohmann::ordered_json diff_json(const Sides& sides, const config::Diff& diff) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
  };
  nlohmann::ordered_json changes = nlohmann::ordered_json::array();
  for (const config::Change& change : diff.changes) {
    changes.push_back({{"pool", text_or_null(change.pool)},
                       {"key", change.key},
                       {"before", text_or_null(change.before)},
                       {"after", text_or_null(change.after)},
                       {"hidden", change.hidden},
                       {"reach", std::string(config::to_string(change.reach))}});
  }
  const auto reach = config::farthest_reach(diff.changes);
  return {{"equal", diff.empty()},
          {"old", sides.before.file},
          {"new", sides.after.file},
          {"reach", text_or_null(reach ? std::string(config::to_string(*reach)) : "")},
          {"changes", changes},
          {"pools_added", diff.pools_added},
          {"pools_removed", diff.pools_removed}};
}

void print_diff(Output& out, const config::Diff& diff) {
  std::string pool;
  for (const config::Change& change : diff.changes) {
    if (change.pool != pool && !change.pool.empty())
      out.data(out.toned(Tone::strong, fmt::format("[pool.{}]", change.pool)) + "\n");
    pool = change.pool;
    const std::string reach = fmt::format("({})", config::to_string(change.reach));
    out.data(fmt::format("{}{}   {}\n", pool.empty() ? "" : "  ", config::to_text(change),
                         out.toned(Tone::dim, reach)));
  }
  const auto print_pools = [&](const std::vector<std::string>& pools, const char* what) {
    for (const std::string& name : pools)
      out.data(fmt::format("{}: {}\n", out.toned(Tone::strong, "[pool." + name + "]"), what));
  };
  print_pools(diff.pools_removed, "removed");
  print_pools(diff.pools_added, "added");
}

// What a reload from one file to the other would do to the connections, one sentence per pool.
std::string reload_text(const config::Diff& diff) {
  std::map<std::string, std::vector<config::Change>> by_pool;
  for (const config::Change& change : diff.changes) by_pool[change.pool].push_back(change);
  std::string text;
  for (const auto& [pool, changes] : by_pool) {
    if (pool.empty()) continue;
    const auto reach = config::farthest_reach(changes).value_or(config::Reach::live);
    text += fmt::format("When {} is reloaded, {}.\n", pool, config::meaning(reach));
  }
  if (!diff.pools_added.empty() || !diff.pools_removed.empty())
    text += "A reload is refused: it neither opens nor closes pools.\n";
  if (by_pool.count("") != 0)
    text += "[drivers] and [admin] are read when pools are opened, not by a reload.\n";
  return text;
}

// The same relative path means two databases where the files lie in two directories.
bool has_relative_paths(const Sides& sides) {
  if (sides.before.base_dir == sides.after.base_dir) return false;
  for (const auto& [name, pool] : sides.before.pools) {
    const std::string& url = pool.url.reveal();
    const auto same = sides.after.pools.find(name);
    const bool relative = !url.empty() && url.find(":/") == std::string::npos &&
                          url.front() != '/' && url.front() != ':';
    if (relative && same != sides.after.pools.end() && same->second.url == pool.url) return true;
  }
  return false;
}

}  // namespace

int run_config_show(Context& context) {
  auto parsed = config::parse_file(context.global.config);
  if (!parsed) return context.fail(parsed.error());
  PublicOptions is_public(parsed->config);
  if (context.global.json) {
    nlohmann::ordered_json pools = nlohmann::ordered_json::object();
    for (const auto& [name, pool] : parsed->config.pools) pools[name] = pool_json(pool, is_public);
    const std::string& socket = parsed->config.admin.socket;
    using Json = nlohmann::ordered_json;
    context.json({{"file", parsed->config.file},
                  {"pool", pools},
                  {"drivers", drivers_json(parsed->config.drivers)},
                  {"admin", {{"socket", socket.empty() ? Json() : Json(socket)}}}});
    return exit_ok;
  }
  config::ShowOptions options;
  options.origins = &parsed->origins;
  options.option_is_public = std::ref(is_public);
  context.out.data(config::show(parsed->config, options));
  return exit_ok;
}

int run_config_check(Context& context) {
  auto config = load_config(context);
  if (!config) return context.fail(config.error());
  const std::size_t pools = config->pools.size();
  const bool drivers = !context.has("--no-drivers");
  if (drivers) {
    if (auto checked = check_drivers(*config); !checked) {
      return context.fail(checked.error());
    }
  }
  if (context.global.json) {
    nlohmann::ordered_json names = nlohmann::ordered_json::array();
    for (const auto& [name, pool] : config->pools) names.push_back(name);
    context.json({{"ok", true}, {"file", config->file}, {"pools", names}});
  }
  context.out.prose(fmt::format("{} {}: {} {}{}\n", context.out.mark(true), config->file, pools,
                                pools == 1 ? "pool" : "pools",
                                drivers ? ", drivers and their options checked" : ""));
  return exit_ok;
}

int run_config_schema(Context& context) {
  context.out.data(config::config_schema());
  return exit_ok;
}

int run_config_diff(Context& context) {
  const auto sides = load_sides(context);
  if (!sides) return context.fail(sides.error());
  const config::Diff diff = diff_of(*sides, !context.has("--no-drivers"));
  if (context.global.json)
    context.json(diff_json(*sides, diff));
  else
    print_diff(context.out, diff);
  if (diff.empty())
    context.out.prose(fmt::format("{} {} and {}: no difference\n", context.out.mark(true),
                                  sides->before.file, sides->after.file));
  else
    context.out.prose(reload_text(diff));
  if (has_relative_paths(*sides))
    context.out.prose(
        "The files lie in different directories, so a relative path in a `url` means another "
        "file in each.\n");
  return diff.empty() ? exit_ok : exit_failed;
}

}  // namespace weir::cli
