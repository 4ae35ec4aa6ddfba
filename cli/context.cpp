// SPDX-License-Identifier: MIT
#include "cli/context.hpp"

#include "core/base/duration_text.hpp"
#include "core/base/suggest.hpp"
#include "core/base/text.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>

#include <fmt/format.h>

namespace weir::cli {

std::string Context::text(std::string_view name, std::string_view otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string(otherwise) : found->second;
}

void Context::json(const nlohmann::ordered_json& value) { out.data(to_line(value) + "\n"); }

int Context::fail(const Error& error) {
  if (interrupt.raised()) return interrupt.exit_code();  // what was cut short fails: no news
  if (global.json) json({{"error", to_json(error)}});
  out.prose(error.what());
  return error.code() == Code::unknown_pool ? exit_usage : error.exit_code();
}

int Context::usage_error(std::string_view message) {
  if (global.json) {
    json(
        {{"error",
          {{"code", "usage"}, {"message", std::string(message)}, {"exit_code", int{exit_usage}}}}});
  }
  out.prose(fmt::format("weir: {}\n", message));
  return exit_usage;
}

nlohmann::ordered_json to_json(const Error& error) {
  nlohmann::ordered_json j{{"code", std::string(error.id())},
                           {"name", std::string(error.name())},
                           {"message", error.message()},
                           {"exit_code", error.exit_code()}};
  if (const DatabaseError* facts = error.database()) {
    j["native_code"] = facts->native_code;
    if (!facts->sqlstate.empty()) j["sqlstate"] = facts->sqlstate;
    j["transient"] = facts->transient;
  }
  return j;
}

std::string to_line(const nlohmann::ordered_json& value) {
  // Text of a database need not be UTF-8; JSON must be.
  const std::string json = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string line;
  line.reserve(json.size());
  for (std::size_t at = 0; at < json.size(); ++at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(json[i]); };
    // JSON lets U+007F to U+009F stand in a text as they are, and some terminals obey them.
    const bool second = byte(at) == 0xc2 && byte(at + 1) < 0xa0;
    if (second) ++at;
    if (second || byte(at) == 0x7f) {
      fmt::format_to(std::back_inserter(line), "\\u{:04x}", byte(at));
    } else {
      line += json[at];
    }
  }
  return line;
}

Result<std::uint64_t> whole_number(const Context& context, std::string_view option,
                                   std::uint64_t otherwise, std::uint64_t lowest,
                                   std::uint64_t highest) {
  if (!context.has(option)) return otherwise;
  const std::string text = context.text(option);
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value < lowest || value > highest) {
    return weir::fail(Code::invalid_argument,
                      fmt::format("{} is '{}', which is no whole number from {} to {}", option,
                                  printable(text), lowest, highest));
  }
  return value;
}

Result<Duration> duration(const Context& context, std::string_view option, Duration otherwise) {
  if (!context.has(option)) return otherwise;
  const std::string text = context.text(option);
  auto parsed = parse_duration(text);
  if (parsed && parsed->count() > 0) return *parsed;
  const std::string reason = parsed ? "it must be longer than nothing" : parsed.error().reason;
  const std::string hint = parsed || parsed.error().suggestion.empty()
                               ? std::string()
                               : fmt::format("; write \"{}\"", parsed.error().suggestion);
  return weir::fail(Code::invalid_argument,
                    fmt::format("{} is '{}': {}{}", option, printable(text), reason, hint));
}

std::string readable(Duration duration) {
  const double ns = static_cast<double>(duration.count());
  const auto with_unit = [](double value, const char* unit) {
    return fmt::format("{:.{}f} {}", value, value < 10 ? 2 : value < 100 ? 1 : 0, unit);
  };
  if (ns < 1e3) return fmt::format("{} ns", duration.count());
  if (ns < 1e6) return with_unit(ns / 1e3, "us");
  if (ns < 1e9) return with_unit(ns / 1e6, "ms");
  return with_unit(ns / 1e9, "s");
}

Result<Config> load_config(const Context& context) {
  return Config::from_file(context.global.config);
}

Result<void> driver_places(Context& context, DriversConfig& drivers, std::string& base_dir) {
  std::error_code ignored;
  if (!context.global.config_given && !std::filesystem::exists(context.global.config, ignored)) {
    return {};
  }
  auto config = load_config(context);
  if (config) {
    drivers = config->drivers;
    base_dir = config->base_dir;
  } else if (context.global.config_given) {
    return tl::unexpected(config.error());
  } else {
    context.out.prose(fmt::format(
        "weir: {} has faults, so its [drivers] table is not used; see `weir config check`\n",
        context.global.config));
  }
  return {};
}

Result<PoolConfig> choose_pool(const Config& config, std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [pool, unused] : config.pools) names.push_back(pool);
  if (name.empty() && names.size() == 1) return config.pools.begin()->second;
  if (const auto found = config.pools.find(std::string(name)); found != config.pools.end()) {
    return found->second;
  }
  const std::string all = fmt::format("{}", fmt::join(names, ", "));
  if (name.empty()) {
    return weir::fail(Code::unknown_pool, fmt::format("which pool? {} has {}", config.file, all));
  }
  const std::string_view near = nearest(name, names);
  return weir::fail(
      Code::unknown_pool,
      fmt::format("{} has no pool '{}'; {}", config.file, printable(name),
                  near.empty() ? "it has " + all : fmt::format("did you mean '{}'?", near)));
}

PoolConfig for_one_connection(PoolConfig pool) {
  pool.min = 0;
  pool.start = Start::lazy;
  pool.propagate_create_error = PropagateCreateError::any;
  pool.acquire_timeout = std::max(pool.acquire_timeout, pool.create_timeout);
  pool.max_waiting = std::max(pool.max_waiting, 1U);
  return pool;
}

Result<Pools> open_pool(Context& context, const Config& config, PoolConfig pool) {
  Config one = config;
  one.pools.clear();
  const std::string name = pool.name;
  one.pools.emplace(name, std::move(pool));
  one.admin = {};  // the program's own: the command neither takes it nor needs the right to
  const bool verbose = context.global.verbose && !context.global.quiet;
  return Pools::builder()
      .config(std::move(one))
      .log([verbose](LogLevel level, std::string_view which, std::string_view line) {
        // From any thread, so not through Output.
        if (verbose) {
          fmt::print(stderr, "weir: {} [{}] {}\n", weir::to_string(level), which, printable(line));
        }
      })
      .open();
}

}  // namespace weir::cli
