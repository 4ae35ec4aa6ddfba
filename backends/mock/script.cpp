// SPDX-License-Identifier: MIT
#include "backends/mock/script.hpp"

#include <algorithm>
#include <iterator>

namespace weir::mock {
namespace {

using backend::fail;
using backend::option;

constexpr weir_option_spec specs[] = {
    option("open_latency", WEIR_OPT_DURATION, "0s", nullptr, "how long each open takes"),
    option("exec_latency", WEIR_OPT_DURATION, "0s", nullptr, "how long each statement takes"),
    option("ping_latency", WEIR_OPT_DURATION, "0s", nullptr, "how long each ping takes"),
    option("reset_latency", WEIR_OPT_DURATION, "0s", nullptr, "how long each reset takes"),
    option("close_latency", WEIR_OPT_DURATION, "0s", nullptr, "how long each close takes"),
    option("fail_open", WEIR_OPT_STRING, "", nullptr,
           "kind of failure of open, for example connect, auth or timeout; empty for none"),
    option("fail_open_every", WEIR_OPT_INTEGER, "1", nullptr, "only each n-th open fails"),
    option("fail_open_count", WEIR_OPT_INTEGER, "0", nullptr,
           "open fails so many times and then works; 0 means for ever"),
    option("fail_exec", WEIR_OPT_STRING, "", nullptr, "kind of failure of statements"),
    option("fail_exec_every", WEIR_OPT_INTEGER, "1", nullptr, "only each n-th statement fails"),
    option("fail_exec_count", WEIR_OPT_INTEGER, "0", nullptr, "so many statements fail; 0 for all"),
    option("fail_ping", WEIR_OPT_STRING, "", nullptr,
           "kind of failure of pings; conn_lost is answered as a dead connection"),
    option("fail_ping_every", WEIR_OPT_INTEGER, "1", nullptr, "only each n-th ping fails"),
    option("fail_ping_count", WEIR_OPT_INTEGER, "0", nullptr, "so many pings fail; 0 for all"),
    option("fail_reset", WEIR_OPT_STRING, "", nullptr, "kind of failure of resets"),
    option("fail_reset_every", WEIR_OPT_INTEGER, "1", nullptr, "only each n-th reset fails"),
    option("fail_reset_count", WEIR_OPT_INTEGER, "0", nullptr, "so many resets fail; 0 for all"),
    option("hang_open", WEIR_OPT_BOOLEAN, "false", nullptr,
           "open ignores its deadline and ends only when aborted"),
    option("hang_exec", WEIR_OPT_BOOLEAN, "false", nullptr, "the same for statements"),
    option("hang_ping", WEIR_OPT_BOOLEAN, "false", nullptr, "the same for pings"),
    option("hang_reset", WEIR_OPT_BOOLEAN, "false", nullptr, "the same for resets"),
    option("hang_close", WEIR_OPT_BOOLEAN, "false", nullptr, "the same for close"),
    option("hang_through_abort", WEIR_OPT_BOOLEAN, "false", nullptr,
           "not even abort ends a hang, only hang_max"),
    option("hang_max", WEIR_OPT_DURATION, "1m", nullptr, "the end of every hang"),
    option("max_sessions", WEIR_OPT_INTEGER, "0", nullptr,
           "the server refuses more sessions than this; 0 means no limit"),
    option("connections_max", WEIR_OPT_INTEGER, "0", nullptr,
           "the limit that the driver tells the pool; 0 means none"),
    option("pinned", WEIR_OPT_BOOLEAN, "false", nullptr,
           "whether the data lives in the connection, as in an in-memory database"),
    option("lie", WEIR_OPT_CHOICE, "none", "none|never_dirty|always_dirty|not_proven",
           "what state and reset say that is not so"),
    option("refuse", WEIR_OPT_STRING, "", nullptr,
           "calls that answer UNSUPPORTED, for example prepare,reset"),
    option("password", WEIR_OPT_STRING, nullptr, nullptr, "the word wrong fails with auth",
           WEIR_OPT_SECRET),
};

constexpr std::string_view act_names[] = {"open", "exec", "ping", "reset", "close"};
static_assert(std::size(act_names) == static_cast<std::size_t>(Act::count));

// In the order of WEIR_E_*, so that the index is the kind.
constexpr std::string_view kind_names[] = {"",
                                           "unsupported",
                                           "invalid_argument",
                                           "invalid_state",
                                           "config",
                                           "resolve",
                                           "connect",
                                           "tls",
                                           "auth",
                                           "permission",
                                           "server_not_ready",
                                           "too_many_connections",
                                           "conn_lost",
                                           "timeout",
                                           "cancelled",
                                           "syntax",
                                           "not_found",
                                           "constraint",
                                           "data",
                                           "serialization",
                                           "deadlock",
                                           "lock_timeout",
                                           "resource",
                                           "read_only",
                                           "protocol",
                                           "nomem",
                                           "internal",
                                           "other"};
static_assert(std::size(kind_names) == WEIR_E_OTHER + 1);

std::string_view value(const weir_source_args& args, std::string_view key) {
  return backend::option_value(args, specs, std::size(specs), key);
}

// The value of "<prefix><act><suffix>", or `otherwise` where that option does not exist.
std::string_view value_of(const weir_source_args& args, std::string_view prefix, Act act,
                          std::string_view suffix, std::string_view otherwise) {
  std::string key(prefix);
  key += name_of(act);
  key += suffix;
  const std::string_view found = value(args, key);
  return found.empty() ? otherwise : found;
}

Lie lie_named(std::string_view word) {
  if (word == "never_dirty") return Lie::never_dirty;
  if (word == "always_dirty") return Lie::always_dirty;
  return word == "not_proven" ? Lie::not_proven : Lie::none;
}

}  // namespace

std::string_view name_of(Act act) noexcept { return act_names[static_cast<std::size_t>(act)]; }

std::span<const weir_option_spec> option_specs() noexcept { return specs; }

weir_status kind_named(std::string_view name) noexcept {
  for (std::size_t kind = 1; kind < std::size(kind_names); ++kind) {
    if (kind_names[kind] == name) return static_cast<weir_status>(kind);
  }
  return WEIR_OK;
}

weir_status Script::parse_rule(const weir_source_args& args, Act act, weir_error* error) {
  Rule& rule = rules_[static_cast<std::size_t>(act)];
  rule.latency_ns = *backend::parse_duration(value_of(args, "", act, "_latency", "0"));
  rule.every = *backend::parse_integer(value_of(args, "fail_", act, "_every", "1"));
  rule.count = *backend::parse_integer(value_of(args, "fail_", act, "_count", "0"));
  rule.hang = value_of(args, "hang_", act, "", "false") == "true";
  const std::string_view kind = value_of(args, "fail_", act, "", "");
  rule.failure = kind_named(kind);
  if (!kind.empty() && rule.failure == WEIR_OK) {
    return fail(error, {.kind = WEIR_E_CONFIG},
                {"option 'fail_", name_of(act), "' names no kind of error: '", kind, "'"});
  }
  if (rule.every < 1 || rule.count < 0) {
    return fail(error, {.kind = WEIR_E_CONFIG},
                {"options 'fail_", name_of(act),
                 "_every' and '_count' must not be negative, and "
                 "the first not 0"});
  }
  return WEIR_OK;
}

weir_status Script::parse(const weir_source_args& args, weir_error* error) {
  const std::string_view url = backend::view(args.url);
  if (url.find('\0') != std::string_view::npos) {
    return fail(error, {.kind = WEIR_E_CONFIG}, {"the url contains a NUL byte"});
  }
  if (!url.starts_with("mock:")) {
    return fail(error, {.kind = WEIR_E_CONFIG},
                {"url '", url, "' is not the mock's: write mock: or mock:name"});
  }
  if (const auto bad = backend::check_options(args, specs, std::size(specs), error)) return bad;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (const auto bad = parse_rule(args, static_cast<Act>(i), error)) return bad;
  }
  const auto number = [&args](std::string_view key) {
    return std::clamp<std::int64_t>(*backend::parse_integer(value(args, key)), 0, INT32_MAX);
  };
  display_ = url;
  refused_ = value(args, "refuse");
  max_sessions_ = number("max_sessions");
  connections_max_ = static_cast<std::uint32_t>(number("connections_max"));
  hang_max_ns_ = *backend::parse_duration(value(args, "hang_max"));
  hang_through_abort_ = value(args, "hang_through_abort") == "true";
  pinned_ = value(args, "pinned") == "true";
  lie_ = lie_named(value(args, "lie"));
  wrong_password_ = value(args, "password") == "wrong";
  return WEIR_OK;
}

Verdict Script::judge(Act act) noexcept {
  Rule& rule = rules_[static_cast<std::size_t>(act)];
  Verdict verdict{rule.latency_ns, WEIR_OK, rule.hang};
  const std::int64_t call = rule.calls.fetch_add(1, std::memory_order_relaxed) + 1;
  if (rule.failure == WEIR_OK || call % rule.every != 0) return verdict;
  const std::int64_t failure = rule.failures.fetch_add(1, std::memory_order_relaxed) + 1;
  if (rule.count == 0 || failure <= rule.count) verdict.failure = rule.failure;
  return verdict;
}

bool Script::refuses(std::string_view call) const noexcept {
  std::string_view left = refused_;
  while (!left.empty()) {
    const std::size_t comma = left.find(',');
    if (left.substr(0, comma) == call) return true;
    left = comma == std::string_view::npos ? "" : left.substr(comma + 1);
  }
  return false;
}

std::uint64_t Script::admit() noexcept {
  const std::int64_t sessions = sessions_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (max_sessions_ > 0 && sessions > max_sessions_) {
    leave();
    return 0;
  }
  return last_session_.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace weir::mock
