// SPDX-License-Identifier: MIT
#include "core/config/foreign_names.hpp"

#include "core/base/duration_text.hpp"
#include "core/base/text.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace weir::config {
namespace {

constexpr ForeignUnit ms = ForeignUnit::milliseconds;
constexpr ForeignUnit sec = ForeignUnit::seconds;
constexpr ForeignUnit none = ForeignUnit::none;

// Where the reader has to think, as with a lifetime of 0, by which a connection is used once.
constexpr std::string_view to_be_chosen = "\"\xe2\x80\xa6\"";

constexpr ForeignName names[] = {
    {"acquireTimeoutMillis", "tarn, knex and generic-pool", "acquire_timeout", ms},
    {"createTimeoutMillis", "tarn and knex", "create_timeout", ms},
    {"createRetryIntervalMillis", "tarn and knex", "create_retry_interval", ms},
    {"destroyTimeoutMillis",
     "tarn and generic-pool",
     "",
     none,
     {},
     {},
     "Weir gives each close a bound of its own; remove the line"},
    {"idleTimeoutMillis", "tarn, knex and generic-pool", "idle_timeout", ms},
    {"softIdleTimeoutMillis", "generic-pool", "idle_timeout", ms},
    {"reapIntervalMillis", "tarn and knex", "reap_interval", ms},
    {"evictionRunIntervalMillis", "generic-pool", "reap_interval", ms},
    {"propagateCreateError", "tarn and knex", "propagate_create_error", none, "\"any\"",
     "\"never\""},
    {"maxWaitingClients", "generic-pool", "max_waiting"},
    {"testOnBorrow", "generic-pool", "validate_after", none, "\"0s\"", "\"none\""},
    {"autostart", "generic-pool", "start", none, "\"background\"", "\"lazy\""},

    {"maximumPoolSize", "HikariCP", "max"},
    {"minimumIdle", "HikariCP", "min"},
    {"connectionTimeout", "HikariCP", "acquire_timeout", ms},
    {"idleTimeout", "HikariCP", "idle_timeout", ms},
    {"maxLifetime", "HikariCP", "max_lifetime", ms},
    {"keepaliveTime", "HikariCP", "keepalive", ms},
    {"leakDetectionThreshold", "HikariCP", "hold_warn", ms},
    {"connectionInitSql", "HikariCP", "init_sql"},
    {"initializationFailTimeout",
     "HikariCP",
     "start_timeout",
     ms,
     {},
     {},
     "it is used with start = \"eager\"; 0 or less is start = \"background\" here",
     to_be_chosen},
    {"validationTimeout",
     "HikariCP",
     "",
     none,
     {},
     {},
     "the deadline of the acquire covers validation; remove the line"},
    {"connectionTestQuery",
     "HikariCP",
     "",
     none,
     {},
     {},
     "drivers check connections with their own means, see `validate_after`; remove the line"},
    {"jdbcUrl", "HikariCP", "url"},
    {"poolName", "HikariCP", "", none, {}, {}, "the name of a pool is that of its table"},

    {"connection_limit", "Prisma", "max"},
    {"pool_timeout", "Prisma", "acquire_timeout", sec},
    {"connect_timeout", "Prisma and libpq", "create_timeout", sec},

    {"max_size", "r2d2, bb8 and deadpool", "max"},
    {"max_connections", "sqlx", "max"},
    {"min_idle", "r2d2 and bb8", "min"},
    {"min_connections", "sqlx", "min"},
    {"connection_timeout", "r2d2 and bb8", "acquire_timeout", sec},
    {"test_on_check_out", "r2d2 and bb8", "validate_after", none, "\"0s\"", "\"none\""},
    {"test_before_acquire", "sqlx", "validate_after", none, "\"0s\"", "\"none\""},
    {"initial_size", "Boost.MySQL", "min"},
    {"retry_interval", "Boost.MySQL", "create_retry_interval", sec},
    {"ping_interval", "Boost.MySQL", "keepalive", sec},

    {"default_pool_size", "PgBouncer", "max"},
    {"pool_size", "SQLAlchemy", "max"},
    {"pool_recycle", "SQLAlchemy", "max_lifetime", sec, {}, {}, {}, to_be_chosen},
    {"pool_pre_ping", "SQLAlchemy", "validate_after", none, "\"0s\"", "\"none\""},
    {"min_pool_size", "PgBouncer", "min"},
    {"max_client_conn", "PgBouncer", "max_waiting"},
    {"query_wait_timeout", "PgBouncer", "acquire_timeout", sec},
    {"server_connect_timeout", "PgBouncer", "create_timeout", sec},
    {"server_idle_timeout", "PgBouncer", "idle_timeout", sec},
    {"server_lifetime", "PgBouncer", "max_lifetime", sec, {}, {}, {}, to_be_chosen},
    {"server_check_delay", "PgBouncer", "validate_after", sec, {}, {}, {}, "\"0s\""},
    {"server_login_retry", "PgBouncer", "create_retry_interval", sec},
};

constexpr std::array<std::pair<std::string_view, ForeignUnit>, 9> unit_endings{{
    {"_milliseconds", ms},
    {"_millis", ms},
    {"_msec", ms},
    {"_ms", ms},
    {"_seconds", sec},
    {"_secs", sec},
    {"_sec", sec},
    {"_s", sec},
    {"_duration", none},
}};

std::string snake_case(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool starts_word = is_upper(name[i]) && i > 0 && !is_upper(name[i - 1]);
    if (starts_word && !out.ends_with('_')) out += '_';
    out += name[i] == '-' ? '_' : to_lower(name[i]);
  }
  return out;
}

// The right-hand side, as far as it can be carried over; "…" where the reader has to think.
std::string value_text(const Option& option, const ForeignName& foreign, const Node& value) {
  std::string unknown(to_be_chosen);
  if (value.kind == Kind::boolean && !foreign.if_true.empty())
    return std::string(value.boolean ? foreign.if_true : foreign.if_false);
  if (option.secret) return unknown;
  if (option.type == Type::integer)
    return value.kind == Kind::integer ? fmt::format("{}", value.integer) : "\xe2\x80\xa6";
  if (option.type == Type::list) return "[" + unknown + "]";
  if (option.type != Type::duration) return unknown;
  if (value.kind == Kind::string && parse_duration(value.text)) return quoted(value.text);
  if (value.kind != Kind::integer || value.integer < 0 || foreign.unit == none) return unknown;
  if (value.integer == 0 && !foreign.if_zero.empty()) return std::string(foreign.if_zero);
  // What is 0 elsewhere is "never" or "for ever", which has a word here.
  if (value.integer == 0) return option.none.empty() ? unknown : quoted(option.none);
  constexpr std::int64_t most = 1'000'000'000;
  if (value.integer > most) return unknown;
  const Duration one = foreign.unit == ms ? Duration(1'000'000) : Duration(1'000'000'000);
  return quoted(duration_text(value.integer * one));
}

std::optional<Replacement> replace(const ForeignName& foreign, const Node& value) {
  const Option* option = find_option(Scope::pool, foreign.key);
  Replacement replacement{option, foreign.pools, {}, foreign.note};
  if (option != nullptr)
    replacement.line = fmt::format("{} = {}", option->name, value_text(*option, foreign, value));
  return replacement;
}

}  // namespace

std::span<const ForeignName> foreign_names() noexcept { return names; }

std::optional<Replacement> replacement_for(std::string_view key, const Node& value) {
  for (const ForeignName& foreign : names) {
    if (foreign.name == key) return replace(foreign, value);
  }
  // userver, drogon and home-made files: our word, their spelling.
  std::string name = snake_case(key);
  ForeignUnit unit = none;
  for (const auto& [ending, meaning] : unit_endings) {
    if (!name.ends_with(ending)) continue;
    name.resize(name.size() - ending.size());
    unit = meaning;
    break;
  }
  const Option* option = find_option(Scope::pool, name);
  if (option == nullptr || name == key) return std::nullopt;
  const ForeignName ours{key, {}, option->name, unit};
  return replace(ours, value);
}

}  // namespace weir::config
