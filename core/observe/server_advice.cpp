// SPDX-License-Identifier: MIT
#include "core/observe/server_advice.hpp"

#include "core/base/duration_text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace weir::observe {
namespace {

using Grade = Advice::Grade;

// Names are PostgreSQL's of pg_settings; those with a colon are of the role and the database. An
// unprivileged role may ask all of it.
constexpr std::string_view postgres_sql =
    "SELECT name, setting FROM pg_settings WHERE name IN ('max_connections', "
    "'superuser_reserved_connections', 'reserved_connections', 'idle_session_timeout', "
    "'idle_in_transaction_session_timeout', 'statement_timeout') "
    "UNION ALL SELECT 'role:limit', rolconnlimit::text FROM pg_roles WHERE rolname = current_user "
    "UNION ALL SELECT 'role:superuser', rolsuper::text FROM pg_roles WHERE rolname = current_user "
    "UNION ALL SELECT 'database:limit', datconnlimit::text FROM pg_database "
    "WHERE datname = current_database() "
    "UNION ALL SELECT 'recovery', pg_is_in_recovery()::text";
constexpr std::string_view mysql_sql =
    "SHOW VARIABLES WHERE Variable_name IN ('max_connections', 'max_user_connections', "
    "'wait_timeout', 'max_statement_time', 'max_execution_time', 'read_only')";

std::optional<std::int64_t> number(const ServerFacts& facts, std::string_view name) {
  const auto found = facts.find(name);
  if (found == facts.end()) return std::nullopt;
  std::int64_t value = 0;
  const char* const end = found->second.data() + found->second.size();
  const auto [at, problem] = std::from_chars(found->second.data(), end, value);
  if (problem != std::errc{} || at != end) return std::nullopt;
  return value;
}

bool is(const ServerFacts& facts, std::string_view name, std::string_view value) {
  const auto found = facts.find(name);
  return found != facts.end() && found->second == value;
}

// ---------------------------------------------------------------- how many

constexpr std::uint32_t unlimited_share = 10;  // a pool's own default
constexpr std::uint32_t share_most = 10'000;   // what `max` may be at most

struct Room {
  std::int64_t connections;
  std::string why;  // "max_connections = 100, of which 3 are reserved"
};

// The least of the limits that are set.
std::optional<Room> room_of(const std::string& driver, const ServerFacts& server) {
  std::optional<Room> least;
  const auto consider = [&](std::optional<std::int64_t> connections, std::string why) {
    if (!connections || *connections < 0) return;
    if (!least || *connections < least->connections) least = {*connections, std::move(why)};
  };
  const auto all = number(server, "max_connections");
  if (driver == "postgres" && all) {
    const std::int64_t reserved =
        is(server, "role:superuser", "true")
            ? 0
            : number(server, "superuser_reserved_connections").value_or(0) +
                  number(server, "reserved_connections").value_or(0);
    std::string why = fmt::format("max_connections = {}", *all);
    if (reserved > 0) why += fmt::format(", of which {} are reserved", reserved);
    consider(*all - reserved, std::move(why));
    consider(number(server, "role:limit"), "the role's CONNECTION LIMIT");
    consider(number(server, "database:limit"), "the database's CONNECTION LIMIT");
  } else if (driver == "mysql" && all) {
    consider(*all, fmt::format("max_connections = {}", *all));
    const auto of_user = number(server, "max_user_connections");
    if (of_user != 0) consider(of_user, "max_user_connections");  // 0: none
  }
  return least;
}

void look_at_size(const PoolConfig& pool, const ServerFacts& server, std::vector<Advice>& all) {
  if (pool.max == max_auto) {
    const Share share = auto_share(pool, server);
    all.push_back({Grade::note, "max",
                   fmt::format("max = \"auto\" comes to {} here: {}", share.max, share.why),
                   "auto.instances and auto.reserve, if that is not how the server is shared"});
    return;
  }
  const auto room = room_of(pool.driver, server);
  if (!room || pool.max <= room->connections) return;
  all.push_back({Grade::warn, "max",
                 fmt::format("max = {}, but the server admits {} connections ({})", pool.max,
                             room->connections, room->why),
                 fmt::format("max = {}, less what other programs use; or raise the limit of the "
                             "server",
                             std::max<std::int64_t>(room->connections, 1))});
}

// What a pool may have open, as far as that is known before its server was asked.
std::uint32_t connections_of(const PoolConfig& pool) {
  return pool.max == max_auto ? std::max(pool.min, unlimited_share) : pool.max;
}

// ---------------------------------------------------------------- how long

// How long a connection of this pool may lie unused before the pool looks at it or lets it go.
Duration quiet_for(const PoolConfig& pool) {
  Duration quiet = std::min(pool.keepalive, pool.max_lifetime);
  if (pool.min == 0) quiet = std::min(quiet, pool.idle_timeout);  // those of `min` stay
  return quiet;
}

void look_at_silence(const PoolConfig& pool, const ServerFacts& server, std::vector<Advice>& all) {
  const bool mysql = pool.driver == "mysql";
  const std::string_view name = mysql ? "wait_timeout" : "idle_session_timeout";
  const auto limit = number(server, name);
  if (!limit || *limit <= 0) return;
  const Duration closes_after =
      mysql ? Duration(std::chrono::seconds(*limit)) : Duration(std::chrono::milliseconds(*limit));
  const Duration quiet = quiet_for(pool);
  if (quiet < closes_after) return;
  const Duration half = std::max<Duration>(
      std::chrono::floor<std::chrono::seconds>(closes_after / 2), std::chrono::milliseconds(500));
  all.push_back(
      {Grade::warn, "keepalive",
       fmt::format("the server closes a connection that is unused for {} ({} = {}), and this pool "
                   "keeps one unused for {}",
                   duration_text(closes_after), name, *limit,
                   quiet == no_timeout ? "as long as nobody asks" : duration_text(quiet)),
       fmt::format("keepalive = \"{}\"", duration_text(half))});
}

void look_at_transactions(const PoolConfig& pool, const ServerFacts& server,
                          std::vector<Advice>& all) {
  const auto limit = number(server, "idle_in_transaction_session_timeout");
  if (!limit || *limit <= 0) return;
  const Duration ends_after = std::chrono::milliseconds(*limit);
  if (pool.hold_warn < ends_after) return;
  all.push_back({Grade::note, "hold_warn",
                 fmt::format("the server ends a session that idles in a transaction for {} "
                             "(idle_in_transaction_session_timeout), before the pool reports who "
                             "holds it",
                             duration_text(ends_after)),
                 fmt::format("hold_warn = \"{}\"", duration_text(ends_after / 2))});
}

// ---------------------------------------------------------------- what kind

void look_at_journal(const PoolConfig& pool, const ServerFacts& server, std::vector<Advice>& all) {
  const auto mode = server.find("journal_mode");
  if (pool.driver != "sqlite" || mode == server.end() || connections_of(pool) < 2) return;
  if (mode->second == "wal" || mode->second == "memory" || mode->second == "off") return;
  all.push_back({Grade::warn, "options.journal_mode",
                 fmt::format("the file is in journal mode {}: one that writes keeps the {} other "
                             "connections from reading",
                             mode->second, connections_of(pool) - 1),
                 "journal_mode = \"wal\" in [pool." + pool.name + ".options]"});
}

void look_at_role(const PoolConfig& pool, const ServerFacts& server, std::vector<Advice>& all) {
  const bool standby = is(server, "recovery", "true");
  if (!standby && !is(server, "read_only", "ON")) return;
  all.push_back({Grade::note, "url",
                 standby ? "the server is a standby: it takes no writes"
                         : "the server is read-only: it takes no writes",
                 pool.driver == "postgres"
                     ? "name the primary, or several hosts and target_session_attrs=read-write"
                     : "name the primary"});
}

// With half as many again for everything else that a process has open.
void look_at_descriptors(const ProcessFacts& process, std::vector<Advice>& all) {
  const std::uint64_t wanted = process.descriptors_wanted;
  if (process.descriptors_max == 0 || wanted + wanted / 2 <= process.descriptors_max) return;
  all.push_back(
      {Grade::warn, "max",
       fmt::format("all pools may open {} descriptors, and this process may open {} in all", wanted,
                   process.descriptors_max),
       fmt::format("raise the limit (ulimit -n {}, LimitNOFILE= of systemd), or lower max",
                   wanted * 2)});
}

}  // namespace

std::vector<Question> questions(std::string_view driver) {
  if (driver == "postgres") return {{postgres_sql}};
  if (driver == "mysql") return {{mysql_sql}};
  if (driver == "sqlite") return {{"PRAGMA journal_mode", "journal_mode"}};
  return {};
}

void note_answers(const Question& question, const Rows& rows, ServerFacts& facts) {
  for (const RowView row : rows) {
    auto name = question.name.empty() ? row.try_get<std::string>(0) : std::string(question.name);
    auto value = row.try_get<std::string>(question.name.empty() ? 1 : 0);
    if (name && value) facts.insert_or_assign(*std::move(name), *std::move(value));
  }
}

bool names_limit(std::string_view driver) noexcept {
  return driver == "postgres" || driver == "mysql";
}

Share auto_share(const PoolConfig& pool, const ServerFacts& server) {
  const std::uint32_t least = std::max(pool.min, 1U);
  const auto room = room_of(pool.driver, server);
  if (!room) {
    return {std::max(least, unlimited_share), names_limit(pool.driver)
                                                  ? "the server did not say how many it admits"
                                                  : "this database names no limit"};
  }
  const AutoSize& of = pool.auto_size;
  const std::int64_t share = (room->connections - of.reserve) / std::max(of.instances, 1U);
  std::string why = fmt::format("the server admits {} connections ({}), less {} in reserve",
                                room->connections, room->why, of.reserve);
  if (of.instances > 1) why += fmt::format(", for {} pools", of.instances);
  if (share < least) why += fmt::format("; that is {}, which is too little", share);
  return {static_cast<std::uint32_t>(std::clamp<std::int64_t>(share, least, share_most)),
          std::move(why)};
}

std::uint64_t descriptors_of(const PoolConfig& pool) noexcept {
  std::uint64_t each = 1;
  if (pool.driver == "sqlite") each = 3;  // the file, WAL, its index
  if (pool.driver == "mysql") each = 2;   // the socket, and the driver's own handle on it
  return connections_of(pool) * each;
}

std::vector<Advice> advise(const PoolConfig& pool, const ServerFacts& server,
                           const ProcessFacts& process) {
  std::vector<Advice> all;
  look_at_size(pool, server, all);
  look_at_silence(pool, server, all);
  look_at_transactions(pool, server, all);
  look_at_journal(pool, server, all);
  look_at_role(pool, server, all);
  look_at_descriptors(process, all);
  return all;
}

}  // namespace weir::observe
