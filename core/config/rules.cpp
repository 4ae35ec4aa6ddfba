// SPDX-License-Identifier: MIT
#include "core/config/rules.hpp"

#include "core/base/duration_text.hpp"
#include "core/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir::config {
namespace {

// What fits into sockaddr_un::sun_path with the NUL at its end.
constexpr std::size_t socket_path_bytes_max = 107;

Finding finding(const Option& option, const Value& value, std::string message,
                std::string help = {}) {
  std::string shown = option.secret ? std::string() : to_toml(option, value);
  return {Code::config_value,
          {key_in_pool(option)},
          std::move(message),
          std::move(help),
          std::move(shown)};
}

std::optional<Finding> check_integer(const Option& option, const Value& value) {
  if (value.number >= option.least && value.number <= option.most) return std::nullopt;
  if (value.number == word_value && !option.word.empty()) return std::nullopt;
  std::string help;
  if (option.name == "max" && value.number == 0)
    help = "a pool without connections cannot serve anybody";
  else if (option.name == "max" && value.number > option.most)
    help = "databases are fastest with far fewer; add PgBouncer or the like for more clients";
  else if (option.name == "version")
    help = "this Weir reads version 1; a newer one wrote this file";
  return finding(option, value,
                 option.least == option.most
                     ? fmt::format("`{}` must be {}", key_in_pool(option), option.least)
                     : fmt::format("`{}` must be from {} to {}", key_in_pool(option), option.least,
                                   option.most),
                 std::move(help));
}

std::optional<Finding> check_duration(const Option& option, const Value& value) {
  const Duration duration(value.number);
  if (duration == no_timeout) {
    if (!option.none.empty()) return std::nullopt;
    return Finding{Code::config_value,
                   {key_in_pool(option)},
                   fmt::format("`{}` cannot be turned off", key_in_pool(option)),
                   fmt::format("write {}", range_text(option)),
                   {}};
  }
  const bool zero_allowed = option.zero && value.number == 0;
  if (zero_allowed || (value.number >= option.least && value.number <= option.most))
    return std::nullopt;
  if (value.number == 0) {
    // Zero is "never" in one pool and "at once" in the next: it has to be spelled.
    std::string help = option.none.empty()
                           ? fmt::format("the least is {}", duration_text(Duration(option.least)))
                           : fmt::format("write \"{}\" to turn it off", option.none);
    return finding(option, value, fmt::format("`{}` cannot be zero", key_in_pool(option)),
                   std::move(help));
  }
  if (value.number < 0)
    return Finding{Code::config_value,
                   {key_in_pool(option)},
                   fmt::format("`{}` cannot be negative", key_in_pool(option)),
                   {},
                   {}};
  std::string help;
  if (value.number > option.most && !option.none.empty())
    help = fmt::format("write \"{}\" for no limit", option.none);
  return finding(
      option, value,
      fmt::format("`{}` must be from {} to {}", key_in_pool(option),
                  duration_text(Duration(option.least)), duration_text(Duration(option.most))),
      std::move(help));
}

std::optional<Finding> check_choice(const Option& option, const Value& value) {
  const auto count = static_cast<std::int64_t>(option.choices.size());
  if (value.number >= 0 && value.number < count) return std::nullopt;
  return Finding{Code::config_value,
                 {key_in_pool(option)},
                 fmt::format("`{}` must be {}", key_in_pool(option), range_text(option)),
                 {},
                 {}};
}

std::optional<Finding> check_text(const Option& option, const Value& value) {
  if (value.text.find('\0') != std::string::npos)
    return Finding{Code::config_value,
                   {key_in_pool(option)},
                   fmt::format("`{}` contains a NUL character", key_in_pool(option)),
                   {},
                   {}};
  if (option.name == "driver" && !is_driver_name(value.text)) {
    if (value.text.empty())
      return Finding{Code::config_missing,
                     {key_in_pool(option)},
                     "`driver` is missing",
                     "name an installed driver, for example \"sqlite\"",
                     {}};
    return Finding{Code::config_value,
                   {key_in_pool(option)},
                   "`driver` is not a driver's name",
                   std::string(driver_name_rule),
                   {}};
  }
  if (option.scope == Scope::health && trimmed(value.text).empty())
    return Finding{Code::config_value,
                   {key_in_pool(option)},
                   fmt::format("`{}` is empty", key_in_pool(option)),
                   "to run no query, write interval = \"off\"",
                   {}};
  if (option.scope == Scope::admin && value.text.size() > socket_path_bytes_max)
    return finding(option, value,
                   fmt::format("the path of `{}` is longer than {} bytes", key_in_pool(option),
                               socket_path_bytes_max),
                   "the system takes no longer one; move it, to /run for example");
  if (option.name == "sha256" && !value.text.empty()) {
    const bool hex = value.text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
    if (value.text.size() != 64 || !hex)
      return finding(option, value, "`sha256` must be 64 hexadecimal digits",
                     "`sha256sum FILE` prints it");
  }
  return std::nullopt;
}

std::optional<Finding> check_list(const Option& option, const Value& value) {
  for (const std::string& item : value.list) {
    std::string_view wrong;
    if (trimmed(item).empty()) wrong = "has an empty element";
    if (item.find('\0') != std::string::npos) wrong = "contains a NUL character";
    if (option.name == "allow" && !is_driver_name(item))
      wrong = "has an element that is no driver's name";
    if (!wrong.empty())
      return Finding{Code::config_value,
                     {key_in_pool(option)},
                     fmt::format("`{}` {}", key_in_pool(option), wrong),
                     {},
                     {}};
  }
  return std::nullopt;
}

bool is_name(std::string_view name, bool capitals) noexcept {
  if (name.empty() || name.size() > 64) return false;
  const auto plain = [&](char c) {
    return is_digit(c) || is_lower(c) || (capitals && is_upper(c));
  };
  return plain(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) {
           return plain(c) || c == '_' || c == '-';
         });
}

}  // namespace

bool is_pool_name(std::string_view name) noexcept { return is_name(name, true); }
bool is_driver_name(std::string_view name) noexcept { return is_name(name, false); }

std::optional<Finding> check_value(const Option& option, const Value& value) {
  switch (option.type) {
    case Type::integer:
      return check_integer(option, value);
    case Type::duration:
      return check_duration(option, value);
    case Type::choice:
      return check_choice(option, value);
    case Type::text:
      return check_text(option, value);
    case Type::boolean:
      return std::nullopt;
    case Type::list:
      return check_list(option, value);
  }
  return std::nullopt;
}

std::vector<Finding> check_together(const PoolConfig& pool) {
  std::vector<Finding> findings;
  const auto conflict = [&](std::vector<std::string> keys, std::string message, std::string help) {
    findings.push_back(
        {Code::config_conflict, std::move(keys), std::move(message), std::move(help), {}});
  };
  if (pool.max != max_auto && pool.min > pool.max)
    conflict({"min", "max"}, fmt::format("`min` is {}, but `max` is {}", pool.min, pool.max),
             "raise `max` or lower `min`");
  if (pool.start == Start::eager && pool.min == 0)
    conflict({"start", "min"}, "an eager start waits for `min` connections, but `min` is 0",
             "set `min` to 1 or more, or write start = \"background\"");
  if (pool.create_retry_interval > pool.create_retry_max)
    conflict({"create_retry_interval", "create_retry_max"},
             fmt::format("`create_retry_interval` is {}, but `create_retry_max` is {}",
                         duration_text(pool.create_retry_interval),
                         duration_text(pool.create_retry_max)),
             "the first pause cannot be longer than the longest");
  if (pool.keepalive != no_timeout && pool.keepalive >= pool.max_lifetime)
    conflict({"keepalive", "max_lifetime"},
             fmt::format("`keepalive` is {}, but `max_lifetime` is {}",
                         duration_text(pool.keepalive), duration_text(pool.max_lifetime)),
             "no connection would live to see a keepalive");
  if (pool.retry.base > pool.retry.max)
    conflict({"retry.base", "retry.max"},
             fmt::format("`retry.base` is {}, but `retry.max` is {}",
                         duration_text(pool.retry.base), duration_text(pool.retry.max)),
             "the first pause cannot be longer than the longest");
  return findings;
}

std::vector<Finding> check_pool(const PoolConfig& pool) {
  std::vector<Finding> findings;
  PoolConfig copy = pool;  // load() wants a target that could be written
  for (const Option& option : options()) {
    if (!is_in_pool(option)) continue;
    if (auto found = check_value(option, load(option, target_in(copy))))
      findings.push_back(std::move(*found));
  }
  // A contradiction between values that are wrong by themselves is noise.
  for (Finding& together : check_together(pool)) {
    const bool noise = std::any_of(findings.begin(), findings.end(), [&](const Finding& single) {
      return std::find(together.keys.begin(), together.keys.end(), single.keys.front()) !=
             together.keys.end();
    });
    if (!noise) findings.push_back(std::move(together));
  }
  return findings;
}

std::vector<Finding> check_retry(const RetryPolicy& policy) {
  PoolConfig pool;  // all else is its default, of which nothing is wrong but the missing driver
  pool.driver = "none";
  pool.retry = policy;
  return check_pool(pool);
}

}  // namespace weir::config
