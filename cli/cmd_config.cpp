// SPDX-License-Identifier: MIT
//
// weir config check | show | schema.
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "core/base/duration_text.hpp"
#include "core/config/option_table.hpp"
#include "core/config/reference.hpp"
#include "core/config/show.hpp"
#include "core/loader/loader.hpp"

#include <map>
#include <memory>

#include <fmt/format.h>

namespace weir::cli {
namespace {

// Loads the drivers and lets them check their options, without opening a connection.
Result<void> check_drivers(Config config) {
  for (auto& [name, pool] : config.pools) {
    pool.min = 0;
    pool.start = Start::lazy;
  }
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

nlohmann::ordered_json value_json(const config::Option& option, const config::Value& value) {
  if (option.secret) return value.text.empty() ? "" : "***";
  switch (option.type) {
    case config::Type::integer:
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
    if (option.scope != config::Scope::pool) continue;
    j[std::string(option.name)] = value_json(option, config::load(option, {.pool = &copy}));
  }
  j["options"] = nlohmann::ordered_json::object();
  for (const DriverOption& option : pool.options) {
    j["options"][option.key] = is_public(pool, option.key) ? option.value.reveal() : "***";
  }
  return j;
}

}  // namespace

int run_config_show(Context& context) {
  auto parsed = config::parse_file(context.global.config);
  if (!parsed) return context.fail(parsed.error());
  PublicOptions is_public(parsed->config);
  if (context.global.json) {
    nlohmann::ordered_json pools = nlohmann::ordered_json::object();
    for (const auto& [name, pool] : parsed->config.pools) pools[name] = pool_json(pool, is_public);
    const DriversConfig& drivers = parsed->config.drivers;
    context.json({{"file", parsed->config.file},
                  {"pool", pools},
                  {"drivers",
                   {{"search", drivers.search},
                    {"allow", drivers.allow},
                    {"allow_env", drivers.allow_env},
                    {"strict_permissions", drivers.strict_permissions}}}});
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

}  // namespace weir::cli
