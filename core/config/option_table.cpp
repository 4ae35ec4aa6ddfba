// SPDX-License-Identifier: MIT
#include "core/config/option_table.hpp"

#include <array>

namespace weir::config {
namespace {

using std::string_view;

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t minute = 60'000 * ms;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;
constexpr std::int64_t year = 365 * day;

constexpr std::array<string_view, 3> start_words{"background", "eager", "lazy"};
constexpr std::array<string_view, 2> fairness_words{"bounded", "strict"};
constexpr std::array<string_view, 3> reset_words{"auto", "always", "never"};
constexpr std::array<string_view, 3> propagate_words{"fatal", "never", "any"};
constexpr std::array<string_view, 3> jitter_words{"none", "full", "decorrelated"};
constexpr std::array<string_view, 5> class_words{"acquire", "not_sent", "refused", "conflict",
                                                 "unknown"};
constexpr std::array<string_view, 4> log_words{"query", "info", "warn", "error"};

constexpr Option file_options[] = {
    {.scope = Scope::file,
     .name = "version",
     .type = Type::integer,
     .required = true,
     .reach = Reach::restart,
     .least = 1,
     .most = 1,
     .summary = "version of this file's format",
     .doc = "A later Weir that has to change the meaning of a key will ask for "
            "another number instead of reading an old file differently."},
};

constexpr Option pool_options[] = {
    {.name = "driver",
     .type = Type::text,
     .member = &PoolConfig::driver,
     .required = true,
     .reach = Reach::restart,
     .summary = "name of the driver",
     .doc = "An installed plugin (`weir driver list` shows them) or a driver that the host program "
            "registered. Lower-case letters, digits, `_` and `-`, at most 64."},
    {.name = "url",
     .type = Type::text,
     .member = &PoolConfig::url,
     .secret = true,
     .reach = Reach::generation,
     .summary = "where the database is",
     .doc = "In the form that the driver takes; relative paths are relative to this file. Best "
            "written `{ env = \"DATABASE_URL\" }`, so that no password stands in the file. The "
            "parameters `connection_limit` (`max`), `pool_timeout` and `connect_timeout` "
            "(`acquire_timeout` and `create_timeout`, in seconds, 0 = \"none\") belong to the pool "
            "and are taken out before the driver sees the URL; one that differs from its key is an "
            "error. All others are the driver's. Never shown in messages."},

    {.name = "min",
     .type = Type::integer,
     .member = &PoolConfig::min,
     .reach = Reach::size,
     .least = 0,
     .most = 10'000,
     .summary = "connections created at start and kept",
     .doc = "Not above `max`. They are opened when the pool starts (see `start`), replaced when "
            "they break or expire, and not closed for idleness. Keep it at 0 where connections are "
            "cheap, as with SQLite, or where many instances share one small server."},
    {.name = "max",
     .type = Type::integer,
     .member = &PoolConfig::max,
     .reach = Reach::size,
     .least = 1,
     .most = 10'000,
     .word = "auto",
     .summary = "connections at most",
     .doc =
         "Counts every connection that the server may hold a session for, those that are being "
         "opened or closed included. The sum over all instances must stay below the server's "
         "limit. More is not faster: beyond what the database can work on at once, waiting "
         "moves from the pool into the database. `\"auto\"` asks the server with the first "
         "connection how many it admits and takes a share, see `[pool.<name>.auto]`; until "
         "then there is one connection, or `min`. Where the database names no limit it is 10, or "
         "`min` if that is more."},
    {.name = "start",
     .type = Type::choice,
     .member = &PoolConfig::start,
     .reach = Reach::live,
     .choices = start_words,
     .summary = "when the first connections are made",
     .doc =
         "`background` begins to open `min` connections and returns at once. `eager` waits until "
         "they are there, for `start_timeout` at most, and fails with the cause; it needs a "
         "`min` of at least 1. `lazy` does no I/O before the first acquire. Choose `eager` only "
         "if a program without its database should not start at all. Read once, when the pool "
         "is opened."},
    {.name = "start_timeout",
     .type = Type::duration,
     .member = &PoolConfig::start_timeout,
     .reach = Reach::live,
     .least = ms,
     .most = day,
     .none = "none",
     .summary = "how long an eager start waits",
     .doc = "Used with `start = \"eager\"` only. `create_timeout` still limits each attempt. Read "
            "once, when the pool is opened."},

    {.name = "acquire_timeout",
     .type = Type::duration,
     .member = &PoolConfig::acquire_timeout,
     .reach = Reach::live,
     .least = ms,
     .most = day,
     .zero = true,
     .none = "none",
     .summary = "the deadline of an acquire",
     .doc = "One deadline for everything that an acquire can wait for: queue, connect, validation, "
            "reset. `0s` means: do not wait. A call may bring its own deadline. Set it below the "
            "deadline of whoever waits for you, so that the explanation still reaches them; "
            "`none` makes an exhausted pool look like a hang."},
    {.name = "create_timeout",
     .type = Type::duration,
     .member = &PoolConfig::create_timeout,
     .reach = Reach::live,
     .least = ms,
     .most = day,
     .none = "none",
     .summary = "the deadline of one attempt to connect",
     .doc = "Resolve, connect, TLS, authentication and `init_sql` together; the attempt is really "
            "aborted. It may be longer than `acquire_timeout`: a connect belongs to the pool and "
            "survives the caller that caused it."},
    {.name = "create_retry_interval",
     .type = Type::duration,
     .member = &PoolConfig::create_retry_interval,
     .reach = Reach::live,
     .least = ms,
     .most = hour,
     .summary = "the pause after a failed connect",
     .doc = "Doubles with each failure up to `create_retry_max`, with jitter. While connects fail, "
            "one probe at a time is made, however many callers wait."},
    {.name = "create_retry_max",
     .type = Type::duration,
     .member = &PoolConfig::create_retry_max,
     .reach = Reach::live,
     .least = ms,
     .most = hour,
     .summary = "the longest pause between connects",
     .doc = "Not below `create_retry_interval`. A database that is back is noticed after at most "
            "this long; new demand may shorten the pause."},
    {.name = "propagate_create_error",
     .type = Type::choice,
     .member = &PoolConfig::propagate_create_error,
     .reach = Reach::live,
     .choices = propagate_words,
     .if_true = "any",
     .if_false = "never",
     .summary = "which connect errors reach waiting callers at once",
     .doc = "`fatal`: those that waiting cannot cure, such as wrong credentials. `never`: callers "
            "wait until `acquire_timeout` and get the error as its cause. `any`: the first failed "
            "connect fails everybody who depends on it. `true` and `false` are read as `any` and "
            "`never`. Set `any` only where a brief outage should be seen by users."},
    {.name = "max_connecting",
     .type = Type::integer,
     .member = &PoolConfig::max_connecting,
     .reach = Reach::live,
     .least = 1,
     .most = 10'000,
     .summary = "connects in progress at most",
     .doc = "Keeps a cold start or a failover from becoming a stampede. Raise it where connects "
            "are slow and the server is strong; values above `max` have no further effect."},
    {.name = "quarantine_max",
     .type = Type::integer,
     .member = &PoolConfig::quarantine_max,
     .reach = Reach::size,
     .least = 0,
     .most = 10'000,
     .summary = "connections that are replaced although their driver call hangs",
     .doc = "A driver call that neither ends at its deadline nor when it is aborted takes its "
            "connection out of service; the server may still hold a session for it. So many of "
            "them are replaced at once, and then the server may see up to `max` plus that number "
            "of sessions. Further ones are replaced when the call ends. Set it to 0 where `max` "
            "is all that the server allows."},

    {.name = "idle_timeout",
     .type = Type::duration,
     .member = &PoolConfig::idle_timeout,
     .reach = Reach::live,
     .least = ms,
     .most = year,
     .none = "none",
     .summary = "idle connections above min are closed after this",
     .doc = "Measured from the end of the last lease; closes down to `min`, within "
            "`reap_interval`. `none` keeps what a peak has opened until `max_lifetime`."},
    {.name = "reap_interval",
     .type = Type::duration,
     .member = &PoolConfig::reap_interval,
     .reach = Reach::live,
     .least = ms,
     .most = hour,
     .summary = "granularity of the pool's timers",
     .doc = "Idle, lifetime and keepalive timers are coalesced to this, so each may be late by so "
            "much. There is no reason to change it but tests."},
    {.name = "max_lifetime",
     .type = Type::duration,
     .member = &PoolConfig::max_lifetime,
     .reach = Reach::live,
     .least = ms,
     .most = year,
     .none = "none",
     .summary = "connections are replaced at this age",
     .doc = "Less a jitter of up to 10 % that is drawn once for each connection, so that they do "
            "not all expire together. A connection that is lent out is closed when it comes back. "
            "Set it below the limit of whatever closes connections on the way (proxy, firewall, "
            "server). After a change, connections keep the end that was drawn for them."},
    {.name = "validate_after",
     .type = Type::duration,
     .member = &PoolConfig::validate_after,
     .reach = Reach::live,
     .least = ms,
     .most = year,
     .zero = true,
     .none = "none",
     .summary = "look at a connection before lending it if it was idle for longer",
     .doc = "`0s` looks every time, which costs a round trip per acquire; `none` never looks, and "
            "a connection that died idle is then found by its next user."},
    {.name = "keepalive",
     .type = Type::duration,
     .member = &PoolConfig::keepalive,
     .reach = Reach::live,
     .least = ms,
     .most = year,
     .none = "off",
     .summary = "idle connections are pinged this often",
     .doc = "Keeps a path open through a proxy or firewall that forgets silent connections: set it "
            "below their limit, and below `max_lifetime`. Not needed on a local network."},

    {.name = "max_waiting",
     .type = Type::integer,
     .member = &PoolConfig::max_waiting,
     .reach = Reach::live,
     .least = 0,
     .most = 1'000'000,
     .summary = "callers that may wait",
     .doc = "One more fails at once with `queue_full` instead of after the timeout. 0: nobody "
            "waits. Callers beyond what the pool serves within `acquire_timeout` wait in vain."},
    {.name = "fairness",
     .type = Type::choice,
     .member = &PoolConfig::fairness,
     .reach = Reach::live,
     .choices = fairness_words,
     .summary = "who gets a connection that comes back",
     .doc = "Waiting callers are served first come, first served. `strict` hands every returned "
            "connection to the head of the queue. `bounded` lets a running thread take it before "
            "a sleeping one has woken up, but never past a caller that has waited for "
            "`fair_after`: far less switching for short leases."},
    {.name = "fair_after",
     .type = Type::duration,
     .member = &PoolConfig::fair_after,
     .reach = Reach::live,
     .least = 1000,
     .most = minute,
     .zero = true,
     .summary = "the age from which nobody overtakes a waiter",
     .doc = "Used with `fairness = \"bounded\"` only."},

    {.name = "hold_warn",
     .type = Type::duration,
     .member = &PoolConfig::hold_warn,
     .reach = Reach::live,
     .least = ms,
     .most = day,
     .none = "none",
     .summary = "log a connection that is held for longer",
     .doc = "With call site and tag, at level `warn`, once per lease. Finds leaks and leases that "
            "span a network call. Raise it for batch jobs that hold on purpose."},
    {.name = "drain_timeout",
     .type = Type::duration,
     .member = &PoolConfig::drain_timeout,
     .reach = Reach::live,
     .least = ms,
     .most = day,
     .zero = true,
     .none = "none",
     .summary = "how long closing waits for connections that are lent out",
     .doc = "Then they are taken away. `0s` does not wait; `none` waits until the last one is "
            "back. Keep it below the time your service manager allows for a stop."},
    {.name = "reset",
     .type = Type::choice,
     .member = &PoolConfig::reset,
     .reach = Reach::live,
     .choices = reset_words,
     .summary = "cleaning of a connection that comes back",
     .doc = "An open transaction is rolled back in any case. `auto` resets the session when the "
            "driver saw it change; what a function changes inside a SELECT cannot be seen. "
            "`always` resets after each lease. `never` only checks: for hosts that never change "
            "their session."},
    {.name = "init_sql",
     .type = Type::list,
     .member = &PoolConfig::init_sql,
     .reach = Reach::generation,
     .summary = "statements run on every new connection",
     .doc = "In order, within `create_timeout`, before the connection is lent; one that fails "
            "fails the connect. Only their first words are shown in messages, since they may "
            "carry keys."},
    {.name = "slow_query",
     .type = Type::duration,
     .member = &PoolConfig::slow_query,
     .reach = Reach::live,
     .least = 1000,
     .most = day,
     .zero = true,
     .none = "off",
     .summary = "log a statement that takes this long",
     .doc = "With time, place and tag, at level `warn`, without parameters; literals stand in the "
            "text as they were written. Measured from the driver's call to the last row of a "
            "query, the first of a stream; waiting for the connection does not count. `0s` logs "
            "all."},
    {.name = "log",
     .type = Type::list,
     .member = &PoolConfig::log,
     .reach = Reach::live,
     .choices = log_words,
     .summary = "what is logged",
     .doc = "Any of the words; an empty list is silent. `query` logs every statement with its "
            "time, without parameters."},
};

constexpr Option auto_options[] = {
    {.scope = Scope::auto_size,
     .name = "instances",
     .type = Type::integer,
     .member = &AutoSize::instances,
     .reach = Reach::size,
     .least = 1,
     .most = 10'000,
     .summary = "pools that share the server, this one included",
     .doc = "Best from the environment, where the number of replicas is known. Count those that "
            "a rolling update adds for a while."},
    {.scope = Scope::auto_size,
     .name = "reserve",
     .type = Type::integer,
     .member = &AutoSize::reserve,
     .reach = Reach::size,
     .least = 0,
     .most = 10'000,
     .summary = "connections left to others",
     .doc = "For migrations, dashboards and people, beyond what the server itself reserves."},
};

constexpr Option health_options[] = {
    {.scope = Scope::health,
     .name = "interval",
     .type = Type::duration,
     .member = &HealthConfig::interval,
     .reach = Reach::live,
     .least = ms,
     .most = day,
     .none = "off",
     .summary = "how often the pool runs a query of its own",
     .doc = "On one idle connection, to find a server that accepts connections but cannot serve "
            "them. It may be late by `reap_interval`, and for as long as no connection is idle or "
            "somebody waits. One that fails is logged, and reported by `pool.health()` until one "
            "succeeds. `validate_after` and `keepalive` do other jobs."},
    {.scope = Scope::health,
     .name = "sql",
     .type = Type::text,
     .member = &HealthConfig::sql,
     .reach = Reach::live,
     .summary = "that query",
     .doc = "One statement that changes nothing and is quick: it has as long as `create_timeout`, "
            "5 seconds at most. Its rows are not looked at, so write it such that it fails if the "
            "database cannot serve, for example by reading a table that the program needs. It is "
            "shown in messages: no place for secrets."},
};

// Sources of the numbers: weir/retry_policy.hpp.
constexpr Option retry_options[] = {
    {.scope = Scope::retry,
     .name = "attempts",
     .type = Type::integer,
     .member = &RetryPolicy::attempts,
     .reach = Reach::live,
     .least = 1,
     .most = 100,
     .summary = "attempts at most, the first included",
     .doc = "1: never again. More attempts help against short disturbances only; against long ones "
            "a caller that is told early does better."},
    {.scope = Scope::retry,
     .name = "base",
     .type = Type::duration,
     .member = &RetryPolicy::base,
     .reach = Reach::live,
     .least = ms,
     .most = hour,
     .summary = "the pause before the second attempt, less its jitter",
     .doc = "Not above `retry.max`. Of the order of what a request takes: much less only presses a "
            "database that is already in trouble."},
    {.scope = Scope::retry,
     .name = "factor",
     .type = Type::integer,
     .member = &RetryPolicy::factor,
     .reach = Reach::live,
     .least = 1,
     .most = 10,
     .summary = "what the pauses grow by",
     .doc = "1: all pauses are alike. With `jitter = \"decorrelated\"` it plays no part."},
    {.scope = Scope::retry,
     .name = "max",
     .type = Type::duration,
     .member = &RetryPolicy::max,
     .reach = Reach::live,
     .least = ms,
     .most = hour,
     .summary = "no pause is longer",
     .doc = "Not below `retry.base`. A pause that would not end before the deadline of the call is "
            "not begun: the error comes at once."},
    {.scope = Scope::retry,
     .name = "jitter",
     .type = Type::choice,
     .member = &RetryPolicy::jitter,
     .reach = Reach::live,
     .choices = jitter_words,
     .summary = "what chance does to a pause",
     .doc =
         "`full`: anywhere between 0 and the pause. `decorrelated`: between `retry.base` and "
         "three times the pause before. `none`: callers that failed together come back together, "
         "which is good for tests and bad for databases."},
    {.scope = Scope::retry,
     .name = "budget",
     .type = Type::integer,
     .member = &RetryPolicy::budget,
     .reach = Reach::live,
     .least = 1,
     .most = 1'000'000,
     .summary = "retries that may run ahead of the successes that pay for them",
     .doc = "One budget for all callers of the pool. Each retry costs 1; each call of `retry` that "
            "succeeds pays back `retry.deposit_percent` of that. Once so many are owed, errors are "
            "handed on at once, so that an outage is not made worse by those who wait for its end. "
            "What is owed survives a reload. A very large budget is none."},
    {.scope = Scope::retry,
     .name = "deposit_percent",
     .type = Type::integer,
     .member = &RetryPolicy::deposit_percent,
     .reach = Reach::live,
     .least = 0,
     .most = 100,
     .summary = "the part of a retry that a success pays back, in percent",
     .doc = "In the long run so many retries are made for each 100 successes. 0: the budget is all "
            "there is until the pool is opened again. Above 20 an outage of a part of the requests "
            "is felt by all of them."},
    {.scope = Scope::retry,
     .name = "on",
     .type = Type::list,
     .member = &RetryPolicy::on,
     .reach = Reach::live,
     .choices = class_words,
     .summary = "which failures are worth another attempt",
     .doc = "After those of the default the server cannot have acted. `acquire`: no connection "
            "could be had. `not_sent`: the connection failed, and by the driver's word nothing of "
            "the request had left. `refused`: the server answered before it executed anything: it "
            "is full or not ready, or the transaction could not begin. `conflict` (serialization "
            "failure, deadlock, lock timeout) is safe only if the function is one whole "
            "transaction. `unknown` (the connection was lost, or time ran out, after the request "
            "had left) repeats what the server may have done already: never list it where doing "
            "twice is worse than not doing. An empty list repeats nothing."},
};

constexpr Option drivers_options[] = {
    {.scope = Scope::drivers,
     .name = "search",
     .type = Type::list,
     .member = &DriversConfig::search,
     .reach = Reach::restart,
     .summary = "directories with plugins",
     .doc = "Searched in order, before the system's; relative to this file."},
    {.scope = Scope::drivers,
     .name = "allow",
     .type = Type::list,
     .member = &DriversConfig::allow,
     .reach = Reach::restart,
     .summary = "drivers that may be loaded",
     .doc = "Names. An empty list allows every driver that is found. Drivers that the host program "
            "registered need no permission."},
    {.scope = Scope::drivers,
     .name = "allow_env",
     .type = Type::boolean,
     .member = &DriversConfig::allow_env,
     .reach = Reach::restart,
     .summary = "honour WEIR_PLUGIN_PATH",
     .doc = "Meant for development: whoever sets the environment then decides which code runs in "
            "this process. Ignored in a privileged process."},
    {.scope = Scope::drivers,
     .name = "strict_permissions",
     .type = Type::boolean,
     .member = &DriversConfig::strict_permissions,
     .reach = Reach::restart,
     .summary = "refuse plugins that other users could have written",
     .doc = "Checks owner and mode of the file and of the directories above it. Turn it off only "
            "where the file system has no owners."},
};

constexpr Option pin_options[] = {
    {.scope = Scope::pin,
     .name = "path",
     .type = Type::text,
     .member = &DriverPin::path,
     .reach = Reach::restart,
     .summary = "this library or manifest, instead of a search",
     .doc = "Relative to this file."},
    {.scope = Scope::pin,
     .name = "sha256",
     .type = Type::text,
     .member = &DriverPin::sha256,
     .reach = Reach::restart,
     .summary = "the library must have this checksum",
     .doc = "64 hexadecimal digits, as `sha256sum` prints them. It has to be updated with every "
            "upgrade of the driver."},
};

constexpr Option admin_options[] = {
    {.scope = Scope::admin,
     .name = "socket",
     .type = Type::text,
     .member = &AdminConfig::socket,
     .reach = Reach::restart,
     .summary = "where the running program can be asked and told",
     .doc = "The path of a Unix socket, relative to this file, of at most 107 bytes in full. The "
            "program makes it when the pools are opened, with mode 0600, and answers only its own "
            "user and root; who may ask may also pause. Without this line there is none. Each "
            "process needs its own: `{ env = \"ADMIN_SOCKET\", default = … }`. One that finds "
            "another process there warns and goes without."},
};

constexpr std::size_t option_count = std::size(file_options) + std::size(pool_options) +
                                     std::size(auto_options) + std::size(health_options) +
                                     std::size(retry_options) + std::size(drivers_options) +
                                     std::size(pin_options) + std::size(admin_options);

constexpr std::array<Option, option_count> join() {
  std::array<Option, option_count> all{};
  std::size_t next = 0;
  for (const Option& option : file_options) all[next++] = option;
  for (const Option& option : pool_options) all[next++] = option;
  for (const Option& option : auto_options) all[next++] = option;
  for (const Option& option : health_options) all[next++] = option;
  for (const Option& option : retry_options) all[next++] = option;
  for (const Option& option : drivers_options) all[next++] = option;
  for (const Option& option : pin_options) all[next++] = option;
  for (const Option& option : admin_options) all[next++] = option;
  return all;
}
constexpr std::array<Option, option_count> all_options = join();

}  // namespace

std::span<const Option> options() noexcept { return all_options; }

}  // namespace weir::config
