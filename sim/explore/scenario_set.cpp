// SPDX-License-Identifier: MIT
#include "sim/explore/scenario_set.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace weir::sim {
namespace {

using config::Entry;
using config::Kind;
using config::Node;

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// What is not in the file has no place there, or messages would point at something else.
void forget_place(Node& node) {
  node.place = {};
  for (Entry& entry : node.entries) {
    entry.key_place = {};
    forget_place(entry.value);
  }
  for (Node& item : node.items) forget_place(item);
}

Node value_of(const std::string& text) {
  auto read = config::read_toml("value = " + text);
  if (read && read->entries.size() == 1) {
    forget_place(*read);
    return std::move(read->entries.front().value);
  }
  Node node;
  node.kind = Kind::string;
  node.text = text;
  return node;
}

Node& entry_of(Node& table, std::string_view key, Kind otherwise) {
  const auto at = std::find_if(table.entries.begin(), table.entries.end(),
                               [&](const Entry& entry) { return entry.key == key; });
  if (at != table.entries.end()) return at->value;
  Node fresh;
  fresh.kind = otherwise;
  table.entries.push_back({std::string(key), {}, std::move(fresh)});
  return table.entries.back().value;
}

// As the reader counts: one more than the client before, unless it says which.
std::vector<std::int64_t> numbers(std::string_view table, const Node& list) {
  std::vector<std::int64_t> all;
  for (const Node& item : list.items) {
    const Entry* own = table == "client" ? item.find("number") : nullptr;
    const bool said = own != nullptr && own->value.kind == Kind::integer;
    all.push_back(said ? own->value.integer : (all.empty() ? 0 : all.back()) + 1);
  }
  return all;
}

Result<Node*> item_of(Node& list, std::string_view table, std::string_view number) {
  const auto there = numbers(table, list);
  const auto wanted = whole(number);
  const auto at = wanted ? std::find(there.begin(), there.end(), *wanted) : there.end();
  if (at != there.end()) return &list.items[static_cast<std::size_t>(at - there.begin())];
  return fail(
      Code::config_value,
      fmt::format("{}.{}: there is no [[{}]] of this number; {}", table, printable(number), table,
                  there.empty() ? std::string("the file has none")
                                : fmt::format("write {}.{}.KEY", table, there[0])));
}

Error malformed(std::string_view text, std::string_view example) {
  return Error(Code::config_value,
               fmt::format("'{}' is no KEY=VALUE; write it like {}", printable(text), example));
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : text) {
    depth += (c == '(' || c == '[') ? 1 : (c == ')' || c == ']') ? -1 : 0;
    if (c == ',' && depth == 0) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

Result<std::vector<std::string>> values_of(std::string_view part) {
  const std::size_t dots = part.find("..");
  const auto low = whole(part.substr(0, dots));
  const auto high = dots == std::string_view::npos ? low : whole(part.substr(dots + 2));
  if (dots == std::string_view::npos || !low || !high) return std::vector{std::string(part)};
  // Of any two numbers, however far apart.
  const std::uint64_t steps = static_cast<std::uint64_t>(*high) - static_cast<std::uint64_t>(*low);
  if (*low > *high || steps >= range_values_max) {
    return fail(Code::config_value,
                fmt::format("the range {} {}", part,
                            *low > *high ? fmt::format("is empty; write {}..{}", *high, *low)
                                         : fmt::format("has more than {} values; write those that "
                                                       "matter, like 1,2,5,10",
                                                       range_values_max)));
  }
  std::vector<std::string> all;
  for (std::uint64_t n = 0; n <= steps; ++n) {
    all.push_back(std::to_string(*low + static_cast<std::int64_t>(n)));
  }
  return all;
}

}  // namespace

Result<Setting> parse_setting(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos || equals + 1 == text.size()) {
    return fail(malformed(text, "pool.max=8"));
  }
  return Setting{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

Result<Range> parse_range(std::string_view text) {
  auto setting = parse_setting(text);
  if (!setting) return fail(malformed(text, "pool.max=2..20 or server.cores=1,2,4"));
  Range range{std::move(setting->key), {}};
  for (const std::string& part : split(setting->value)) {
    if (part.empty()) return fail(malformed(text, "pool.max=2..20 or server.cores=1,2,4"));
    auto values = values_of(part);
    if (!values) return fail(std::move(values).error());
    range.values.insert(range.values.end(), values->begin(), values->end());
  }
  return range;
}

Result<void> set(config::Node& root, const Setting& setting) {
  Node* node = &root;
  std::string_view path = setting.key;
  for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    const std::string_view name = path.substr(0, dot);
    path.remove_prefix(dot + 1);
    node = &entry_of(*node, name, Kind::table);
    if (node->kind == Kind::array) {
      const std::size_t end = std::min(path.find('.'), path.size());
      auto item = item_of(*node, name, path.substr(0, end));
      if (!item) return fail(std::move(item).error());
      node = *item;
      path.remove_prefix(std::min(end + 1, path.size()));
    }
    if (node->kind != Kind::table) break;
  }
  if (node->kind != Kind::table || path.empty()) {
    return fail(Code::config_value,
                fmt::format("'{}' is no key of a scenario; write one like "
                            "pool.max, server.cores, client.1.count or duration",
                            printable(setting.key)));
  }
  entry_of(*node, path, Kind::string) = value_of(setting.value);
  return {};
}

std::string to_string(std::span<const Setting> settings) {
  std::string out;
  for (const Setting& setting : settings) {
    out += (out.empty() ? "" : ", ") + setting.key + "=" + setting.value;
  }
  return out;
}

}  // namespace weir::sim
