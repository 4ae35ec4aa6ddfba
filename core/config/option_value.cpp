// SPDX-License-Identifier: MIT
//
// What can be done with any row of the option table: find it, store and load its value, spell it.
#include "core/base/duration_text.hpp"
#include "core/base/text.hpp"
#include "core/config/option_table.hpp"

#include <iterator>

#include <fmt/format.h>

namespace weir::config {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

bool LogLevels::*log_member(std::string_view word) {
  if (word == "query") return &LogLevels::query;
  if (word == "info") return &LogLevels::info;
  return word == "warn" ? &LogLevels::warn : &LogLevels::error;
}

bool RetryClasses::*class_member(std::string_view word) {
  if (word == "acquire") return &RetryClasses::acquire;
  if (word == "not_sent") return &RetryClasses::not_sent;
  if (word == "refused") return &RetryClasses::refused;
  return word == "conflict" ? &RetryClasses::conflict : &RetryClasses::unknown;
}

std::string list_text(std::span<const std::string_view> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool last = i + 1 == words.size();
    out += fmt::format("{}\"{}\"", i == 0 ? "" : (last ? " or " : ", "), words[i]);
  }
  return out;
}

}  // namespace

const Option* find_option(Scope scope, std::string_view name) noexcept {
  for (const Option& option : options()) {
    if (option.scope == scope && option.name == name) return &option;
  }
  return nullptr;
}

std::vector<std::string_view> option_names(Scope scope) {
  std::vector<std::string_view> names;
  for (const Option& option : options()) {
    if (option.scope == scope) names.push_back(option.name);
  }
  return names;
}

const PoolTable* find_pool_table(std::string_view name) noexcept {
  for (const PoolTable& table : pool_tables) {
    if (table.name == name) return &table;
  }
  return nullptr;
}

const PoolTable* find_pool_table(Scope scope) noexcept {
  for (const PoolTable& table : pool_tables) {
    if (table.scope == scope) return &table;
  }
  return nullptr;
}

std::string key_in_pool(const Option& option) {
  const PoolTable* table = find_pool_table(option.scope);
  return table != nullptr ? fmt::format("{}.{}", table->name, option.name)
                          : std::string(option.name);
}

bool is_public_key(std::string_view name) noexcept {
  if (name == "init_sql") return false;
  for (const Option& option : options()) {
    if (option.name == name) return !option.secret;
  }
  return false;
}

void store(const Option& option, const Value& value, const Target& target) {
  std::visit(
      Overloaded{
          [](std::monostate) {},
          [&](std::uint32_t PoolConfig::*m) {
            target.pool->*m = static_cast<std::uint32_t>(value.number);
          },
          [&](Duration PoolConfig::*m) { target.pool->*m = Duration(value.number); },
          [&](std::string PoolConfig::*m) { target.pool->*m = value.text; },
          [&](Secret PoolConfig::*m) { target.pool->*m = Secret(value.text); },
          [&](std::vector<std::string> PoolConfig::*m) { target.pool->*m = value.list; },
          [&](LogLevels PoolConfig::*m) {
            target.pool->*m = LogLevels{false, false, false, false};
            for (const std::string& word : value.list) target.pool->*m.*log_member(word) = true;
          },
          [&](Start PoolConfig::*m) { target.pool->*m = static_cast<Start>(value.number); },
          [&](Fairness PoolConfig::*m) { target.pool->*m = static_cast<Fairness>(value.number); },
          [&](ResetPolicy PoolConfig::*m) {
            target.pool->*m = static_cast<ResetPolicy>(value.number);
          },
          [&](PropagateCreateError PoolConfig::*m) {
            target.pool->*m = static_cast<PropagateCreateError>(value.number);
          },
          [&](std::uint32_t AutoSize::*m) {
            target.auto_size->*m = static_cast<std::uint32_t>(value.number);
          },
          [&](Duration HealthConfig::*m) { target.health->*m = Duration(value.number); },
          [&](std::string HealthConfig::*m) { target.health->*m = value.text; },
          [&](std::uint32_t RetryPolicy::*m) {
            target.retry->*m = static_cast<std::uint32_t>(value.number);
          },
          [&](Duration RetryPolicy::*m) { target.retry->*m = Duration(value.number); },
          [&](RetryJitter RetryPolicy::*m) {
            target.retry->*m = static_cast<RetryJitter>(value.number);
          },
          [&](RetryClasses RetryPolicy::*m) {
            target.retry->*m = RetryClasses{false, false, false, false, false};
            for (const std::string& word : value.list) target.retry->*m.*class_member(word) = true;
          },
          [&](std::vector<std::string> DriversConfig::*m) { target.drivers->*m = value.list; },
          [&](bool DriversConfig::*m) { target.drivers->*m = value.number != 0; },
          [&](std::string DriverPin::*m) { target.pin->*m = value.text; },
          [&](std::string AdminConfig::*m) { target.admin->*m = value.text; },
      },
      option.member);
}

Value load(const Option& option, const Target& target) {
  const auto number = [](auto n) { return Value{static_cast<std::int64_t>(n), {}, {}}; };
  return std::visit(
      Overloaded{
          [&](std::monostate) { return number(option.least); },
          [&](std::uint32_t PoolConfig::*m) { return number(target.pool->*m); },
          [&](Duration PoolConfig::*m) { return number((target.pool->*m).count()); },
          [&](std::string PoolConfig::*m) {
            return Value{0, target.pool->*m, {}};
          },
          [&](Secret PoolConfig::*m) {
            return Value{0, (target.pool->*m).reveal(), {}};
          },
          [&](std::vector<std::string> PoolConfig::*m) {
            return Value{0, {}, target.pool->*m};
          },
          [&](LogLevels PoolConfig::*m) {
            Value value;
            for (const std::string_view word : option.choices) {
              if (target.pool->*m.*log_member(word)) value.list.emplace_back(word);
            }
            return value;
          },
          [&](Start PoolConfig::*m) { return number(target.pool->*m); },
          [&](Fairness PoolConfig::*m) { return number(target.pool->*m); },
          [&](ResetPolicy PoolConfig::*m) { return number(target.pool->*m); },
          [&](PropagateCreateError PoolConfig::*m) { return number(target.pool->*m); },
          [&](std::uint32_t AutoSize::*m) { return number(target.auto_size->*m); },
          [&](Duration HealthConfig::*m) { return number((target.health->*m).count()); },
          [&](std::string HealthConfig::*m) {
            return Value{0, target.health->*m, {}};
          },
          [&](std::uint32_t RetryPolicy::*m) { return number(target.retry->*m); },
          [&](Duration RetryPolicy::*m) { return number((target.retry->*m).count()); },
          [&](RetryJitter RetryPolicy::*m) { return number(target.retry->*m); },
          [&](RetryClasses RetryPolicy::*m) {
            Value value;
            for (const std::string_view word : option.choices) {
              if (target.retry->*m.*class_member(word)) value.list.emplace_back(word);
            }
            return value;
          },
          [&](std::vector<std::string> DriversConfig::*m) {
            return Value{0, {}, target.drivers->*m};
          },
          [&](bool DriversConfig::*m) { return number(target.drivers->*m ? 1 : 0); },
          [&](std::string DriverPin::*m) {
            return Value{0, target.pin->*m, {}};
          },
          [&](std::string AdminConfig::*m) {
            return Value{0, target.admin->*m, {}};
          },
      },
      option.member);
}

Value default_of(const Option& option) {
  PoolConfig pool;
  DriversConfig drivers;
  DriverPin pin;
  AdminConfig admin;
  Target target = target_in(pool);
  target.drivers = &drivers;
  target.pin = &pin;
  target.admin = &admin;
  return load(option, target);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string key_text(std::string_view key) {
  const bool bare = !key.empty() && key.find('.') == std::string_view::npos &&
                    key.find_first_not_of(bare_key_characters) == std::string_view::npos;
  return bare ? std::string(key) : quoted(key);
}

std::string to_toml(const Option& option, const Value& value) {
  switch (option.type) {
    case Type::integer:
      if (value.number == word_value && !option.word.empty()) return quoted(option.word);
      return fmt::format("{}", value.number);
    case Type::duration: {
      const Duration duration(value.number);
      return duration == no_timeout ? quoted(option.none) : quoted(duration_text(duration));
    }
    case Type::choice:
      return quoted(option.choices[static_cast<std::size_t>(value.number)]);
    case Type::text:
      return quoted(value.text);
    case Type::boolean:
      return value.number != 0 ? "true" : "false";
    case Type::list:
      break;
  }
  std::string out = "[";
  for (std::size_t i = 0; i < value.list.size(); ++i)
    out += (i == 0 ? "" : ", ") + quoted(value.list[i]);
  return out + "]";
}

std::string range_text(const Option& option) {
  switch (option.type) {
    case Type::integer:
      if (!option.word.empty())
        return fmt::format("{} to {}, or \"{}\"", option.least, option.most, option.word);
      return option.least == option.most ? fmt::format("{}", option.least)
                                         : fmt::format("{} to {}", option.least, option.most);
    case Type::duration: {
      std::string out = fmt::format("\"{}\" to \"{}\"", duration_text(Duration(option.least)),
                                    duration_text(Duration(option.most)));
      if (option.zero) out = "\"0s\", or " + out;
      if (!option.none.empty()) out += fmt::format(", or \"{}\"", option.none);
      return out;
    }
    case Type::choice:
      return list_text(option.choices);
    case Type::text:
      return "text";
    case Type::boolean:
      return "true or false";
    case Type::list:
      break;
  }
  return option.choices.empty() ? "a list of text" : "a list of " + list_text(option.choices);
}

std::string type_text(const Option& option) {
  if (option.type == Type::integer) return "a whole number";
  if (option.type == Type::duration) return "a duration";
  return range_text(option);
}

std::string element_text(const Option& option) {
  return option.choices.empty() ? "text" : list_text(option.choices);
}

std::string_view to_string(Reach reach) noexcept {
  switch (reach) {
    case Reach::live:
      return "live";
    case Reach::size:
      return "size";
    case Reach::generation:
      return "generation";
    case Reach::restart:
      break;
  }
  return "restart";
}

std::string_view meaning(Reach reach) noexcept {
  switch (reach) {
    case Reach::live:
      return "no connection is touched; what is decided from then on goes by the new value";
    case Reach::size:
      return "connections are opened up to `min`, and those above `max` close as they become idle";
    case Reach::generation:
      return "every connection is replaced: idle ones at once, lent ones as they come back";
    case Reach::restart:
      break;
  }
  return "the pools have to be opened anew: with another `driver` nothing is applied, while "
         "`[drivers]` and `[admin]` are passed over";
}

}  // namespace weir::config
