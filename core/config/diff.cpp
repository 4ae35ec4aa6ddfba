// SPDX-License-Identifier: MIT
#include "core/config/diff.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace weir::config {
namespace {

// A text that is empty was never set; every other value has a spelling.
std::string shown_if_set(const Option& option, const Value& value) {
  if (option.type == Type::text && value.text.empty()) return {};
  return shown(option, value);
}

class Comparison {
 public:
  explicit Comparison(const OptionIsPublic& option_is_public) : is_public_(option_is_public) {}

  void pools(const std::string& name, PoolConfig before, PoolConfig after) {
    compare(Scope::pool, name, {}, {.pool = &before}, {.pool = &after});
    for (const PoolTable& table : pool_tables) {
      compare(table.scope, name, fmt::format("{}.", table.name), target_in(before),
              target_in(after));
    }
    driver_options(name, before, after);
  }

  void drivers(DriversConfig before, DriversConfig after) {
    compare(Scope::drivers, {}, "drivers.", {.drivers = &before}, {.drivers = &after});
    std::set<std::string> names;
    for (const auto* pins : {&before.pins, &after.pins}) {
      for (const auto& [name, unused] : *pins) names.insert(name);
    }
    for (const std::string& name : names) {  // [] makes a pin that prescribes nothing
      compare(Scope::pin, {}, fmt::format("drivers.{}.", key_text(name)),
              {.pin = &before.pins[name]}, {.pin = &after.pins[name]});
    }
  }

  void admin(AdminConfig before, AdminConfig after) {
    compare(Scope::admin, {}, "admin.", {.admin = &before}, {.admin = &after});
  }

  std::vector<Change> take() { return std::move(changes_); }

 private:
  void add(Change change) {
    change.hidden = change.before == change.after;
    changes_.push_back(std::move(change));
  }

  void compare(Scope scope, const std::string& pool, std::string_view prefix, const Target& before,
               const Target& after) {
    for (const Option& option : options()) {
      if (option.scope != scope) continue;
      const Value old_value = load(option, before);
      const Value new_value = load(option, after);
      if (old_value == new_value) continue;
      add({.pool = pool,
           .key = fmt::format("{}{}", prefix, option.name),
           .before = shown_if_set(option, old_value),
           .after = shown_if_set(option, new_value),
           .reach = option.reach});
    }
  }

  // They are part of what a connection is: the driver gets all of them when it opens one.
  void driver_options(const std::string& name, const PoolConfig& before, const PoolConfig& after) {
    struct Sides {
      const Secret* before = nullptr;
      const Secret* after = nullptr;
    };
    std::map<std::string_view, Sides> keys;
    for (const DriverOption& option : before.options) keys[option.key].before = &option.value;
    for (const DriverOption& option : after.options) keys[option.key].after = &option.value;
    for (const auto& [key, sides] : keys) {
      if (sides.before != nullptr && sides.after != nullptr && *sides.before == *sides.after)
        continue;
      const bool visible = (sides.before == nullptr || may_show(before, key)) &&
                           (sides.after == nullptr || may_show(after, key));
      const auto text = [&](const Secret* value) {
        return value == nullptr ? std::string() : shown(visible ? value : nullptr);
      };
      add({.pool = name,
           .key = fmt::format("options.{}", key_text(key)),
           .before = text(sides.before),
           .after = text(sides.after),
           .reach = Reach::generation});
    }
  }

  [[nodiscard]] bool may_show(const PoolConfig& pool, std::string_view key) const {
    return is_public_ && is_public_(pool, key);
  }

  const OptionIsPublic& is_public_;
  std::vector<Change> changes_;
};

}  // namespace

Diff diff(const Config& before, const Config& after, const OptionIsPublic& option_is_public) {
  Diff out;
  Comparison comparison(option_is_public);
  for (const auto& [name, pool] : before.pools) {
    if (const auto same = after.pools.find(name); same != after.pools.end())
      comparison.pools(name, pool, same->second);
    else
      out.pools_removed.push_back(name);
  }
  for (const auto& [name, unused] : after.pools) {
    if (before.pools.count(name) == 0) out.pools_added.push_back(name);
  }
  comparison.drivers(before.drivers, after.drivers);
  comparison.admin(before.admin, after.admin);
  out.changes = comparison.take();
  return out;
}

std::vector<Change> diff(const PoolConfig& before, const PoolConfig& after,
                         const OptionIsPublic& option_is_public) {
  Comparison comparison(option_is_public);
  comparison.pools(after.name, before, after);
  return comparison.take();
}

std::optional<Reach> farthest_reach(std::span<const Change> changes) noexcept {
  const auto farthest =
      std::max_element(changes.begin(), changes.end(),
                       [](const Change& a, const Change& b) { return a.reach < b.reach; });
  if (farthest == changes.end()) return std::nullopt;
  return farthest->reach;
}

std::string to_text(const Change& change) {
  const auto side = [](const std::string& text) { return text.empty() ? "not set" : text; };
  return fmt::format("{}: {} -> {}", change.key, side(change.before),
                     change.hidden ? "the same, but for what is not shown" : side(change.after));
}

}  // namespace weir::config
