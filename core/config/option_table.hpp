// SPDX-License-Identifier: MIT
//
// The option table: every key that a weir.toml may hold, once. The parser, validate(), the JSON
// Schema, the help, docs/options.md and `config show` are all made from it, so that they cannot
// disagree. Defaults are not in the table: they are the member initialisers of weir/config.hpp.
//
// Who:      rooms of the configuration, and the command line through reference.hpp.
// Threads:  constant data and pure functions.
#pragma once

#include <weir/config.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weir::config {

// The table that a key stands in.
enum class Scope : std::uint8_t { file, pool, auto_size, health, retry, drivers, pin, admin };

// The tables of ours below a pool's.
struct PoolTable {
  Scope scope;
  std::string_view name;
};
inline constexpr std::array<PoolTable, 3> pool_tables{
    {{Scope::auto_size, "auto"}, {Scope::health, "health"}, {Scope::retry, "retry"}}};
// Null if there is none of this name, or scope.
[[nodiscard]] const PoolTable* find_pool_table(std::string_view name) noexcept;
[[nodiscard]] const PoolTable* find_pool_table(Scope scope) noexcept;

enum class Type : std::uint8_t { integer, duration, choice, text, boolean, list };

// How far into a running pool a change of the option reaches, from nowhere to everywhere.
enum class Reach : std::uint8_t {
  live,        // no connection is touched: what is decided from then on goes by the new value
  size,        // connections are opened or closed until their number fits
  generation,  // the option is part of what a connection is: all of them are replaced
  restart,     // a running pool cannot take it: the pools have to be opened anew
};

// Where the value is stored; none for `version`, which is only checked.
using Member =
    std::variant<std::monostate, std::uint32_t PoolConfig::*, Duration PoolConfig::*,
                 std::string PoolConfig::*, Secret PoolConfig::*,
                 std::vector<std::string> PoolConfig::*, LogLevels PoolConfig::*,
                 Start PoolConfig::*, Fairness PoolConfig::*, ResetPolicy PoolConfig::*,
                 PropagateCreateError PoolConfig::*, std::uint32_t AutoSize::*,
                 Duration HealthConfig::*, std::string HealthConfig::*,
                 std::uint32_t RetryPolicy::*, Duration RetryPolicy::*, RetryJitter RetryPolicy::*,
                 RetryClasses RetryPolicy::*, std::vector<std::string> DriversConfig::*,
                 bool DriversConfig::*, std::string DriverPin::*, std::string AdminConfig::*>;

// What the word of an integer is stored as.
inline constexpr std::int64_t word_value = max_auto;

struct Option {
  Scope scope = Scope::pool;
  std::string_view name;
  Type type = Type::text;
  Member member{};
  bool required = false;
  bool secret = false;           // its value is never shown
  Reach reach = Reach::restart;  // every row says it; one that forgot to promises nothing
  std::int64_t least = 0;        // of an integer; of a duration in nanoseconds
  std::int64_t most = 0;
  bool zero = false;           // of a duration: "0s" is allowed although `least` is more
  std::string_view none = {};  // of a duration: the word for no_timeout; empty if not allowed
  std::string_view word = {};  // of an integer: what may stand in its place, see word_value
  // Of a choice: in the order of the enumerators. Of a list: what an element may be; empty = any.
  std::span<const std::string_view> choices = {};
  std::string_view if_true = {};  // of a choice: the words that true and false stand for
  std::string_view if_false = {};
  std::string_view summary;  // for --help: one line
  std::string_view doc;      // for people: range, interactions, when not to set it
};

// A value of any option, without its type: what the file said, before and after it is stored.
struct Value {
  std::int64_t number = 0;  // integer; duration in ns; index of a choice; 0 or 1
  std::string text;
  std::vector<std::string> list;
  friend bool operator==(const Value&, const Value&) = default;
};

// What a value is stored into; only the one of the option's scope is used.
struct Target {
  PoolConfig* pool = nullptr;
  DriversConfig* drivers = nullptr;
  DriverPin* pin = nullptr;
  RetryPolicy* retry = nullptr;
  HealthConfig* health = nullptr;
  AutoSize* auto_size = nullptr;
  AdminConfig* admin = nullptr;
};
// For every option of a pool, those of the tables below it included.
[[nodiscard]] inline Target target_in(PoolConfig& pool) noexcept {
  return {
      .pool = &pool, .retry = &pool.retry, .health = &pool.health, .auto_size = &pool.auto_size};
}
// Whether that is enough for it.
[[nodiscard]] inline bool is_in_pool(const Option& option) noexcept {
  return option.scope == Scope::pool || find_pool_table(option.scope) != nullptr;
}

inline constexpr std::string_view bare_key_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

// All options, in the order of the documentation: by scope, then by subject.
[[nodiscard]] std::span<const Option> options() noexcept;
[[nodiscard]] const Option* find_option(Scope scope, std::string_view name) noexcept;
[[nodiscard]] std::vector<std::string_view> option_names(Scope scope);

// The option as seen from its pool, or from its table if it belongs to none: "max", "retry.max". It
// says which is which where nothing else does: in messages, in diffs.
[[nodiscard]] std::string key_in_pool(const Option& option);

// A key whose value can be shown when nothing is known about where it stands.
[[nodiscard]] bool is_public_key(std::string_view name) noexcept;

// Requires: `value` was checked, and `target` has the option's struct.
void store(const Option& option, const Value& value, const Target& target);
[[nodiscard]] Value load(const Option& option, const Target& target);
[[nodiscard]] Value default_of(const Option& option);

// The value as TOML; secrets as they are, so ask option.secret before.
[[nodiscard]] std::string to_toml(const Option& option, const Value& value);
[[nodiscard]] std::string quoted(std::string_view text);  // a TOML basic string

// "1 to 10000", "1ms to 24h, or \"none\"", "\"auto\", \"always\" or \"never\"": what may be
// written.
[[nodiscard]] std::string range_text(const Option& option);

// The same for a message about a type: "a whole number"; of a list, about one element of it.
[[nodiscard]] std::string type_text(const Option& option);
[[nodiscard]] std::string element_text(const Option& option);

// "live", "size", "generation", "restart": for messages and for programs.
[[nodiscard]] std::string_view to_string(Reach reach) noexcept;

// What a reload does to the connections when it has to reach so far, as the end of a sentence.
[[nodiscard]] std::string_view meaning(Reach reach) noexcept;

// A key of TOML, quoted where it must be.
[[nodiscard]] std::string key_text(std::string_view key);

}  // namespace weir::config
