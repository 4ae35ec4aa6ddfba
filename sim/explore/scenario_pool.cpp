// SPDX-License-Identifier: MIT
#include "sim/explore/scenario_pool.hpp"

#include "core/base/suggest.hpp"
#include "core/base/text.hpp"
#include "core/config/file_text.hpp"
#include "core/config/option_table.hpp"
#include "core/config/parse.hpp"
#include "core/config/reader.hpp"
#include "core/config/url.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace weir::sim {
namespace {

using config::Diagnostic;
using config::Entry;
using config::Kind;
using config::Node;
using config::Place;

constexpr std::string_view sqlite = "sqlite";
constexpr std::size_t file_bytes_max = 1024 * 1024;

Node text_node(std::string text, const Place& place) {
  Node node;
  node.kind = Kind::string;
  node.text = std::move(text);
  node.place = place;
  return node;
}

void add(Node& table, std::string_view key, Node value) {
  const Place place = value.place;
  table.entries.push_back({std::string(key), place, std::move(value)});
}

void remove(Node& table, std::string_view key) {
  std::erase_if(table.entries, [&](const Entry& entry) { return entry.key == key; });
}

// The text of a key, if it is one.
std::string text_of(const Node& table, std::string_view key) {
  const Entry* entry = table.find(key);
  return entry != nullptr && entry->value.kind == Kind::string ? entry->value.text : "";
}

void put_all_at(Node& node, const Place& place) {
  node.place = place;
  for (Entry& entry : node.entries) {
    entry.key_place = place;
    put_all_at(entry.value, place);
  }
  for (Node& item : node.items) put_all_at(item, place);
}

// What stands in `over` wins; of [pool.x.retry] and the like, key by key.
void merge(Node& under, const Node& over) {
  for (const Entry& entry : over.entries) {
    const auto found = std::find_if(under.entries.begin(), under.entries.end(),
                                    [&](const Entry& e) { return e.key == entry.key; });
    const bool is_option = config::find_option(config::Scope::pool, entry.key) != nullptr;
    if (found == under.entries.end()) {
      under.entries.push_back(entry);
    } else if (!is_option && found->value.kind == Kind::table && entry.value.kind == Kind::table) {
      merge(found->value, entry.value);
    } else {
      *found = entry;
    }
  }
}

// A weir.toml that has this pool only.
Node weir_toml(Entry version, std::string_view name, const Place& name_place, Node pool) {
  Node pools;
  pools.place = pool.place;
  pools.entries.push_back({std::string(name), name_place, std::move(pool)});
  Node root;
  root.entries.push_back(std::move(version));
  root.entries.push_back({"pool", pools.place, std::move(pools)});
  return root;
}

Entry version_one() {
  Node one;
  one.kind = Kind::integer;
  one.integer = 1;
  return {"version", {}, std::move(one)};
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

class PoolReader {
 public:
  PoolReader(const PoolRequest& request, config::Source& source)
      : request_(request), source_(source) {}

  PoolAnswer read() {
    Node own = own_table();
    Node pool;
    pool.place = own.place;
    if (request_.file != nullptr) pool = from_file(own);
    merge(pool, own);
    add_mock(pool);
    // What comes from the other file is no text of this one.
    config::hide_secrets(weir_toml(version_one(), name_, name_place_, std::move(own)), source_);
    const Node root = weir_toml(version_one(), name_, name_place_, std::move(pool));

    const config::Environment environment = config::process_environment();
    config::Reader reader(request_.scenario, request_.base_dir, environment);
    reader.read(root);
    for (Diagnostic& fault : reader.faults()) take(std::move(fault));
    const auto& pools = reader.result().config.pools;
    if (!pools.empty()) answer_.pool = pools.begin()->second;
    if (answer_.faults.empty()) check_driver();
    return std::move(answer_);
  }

 private:
  void report(Code code, const Place& place, std::string message, std::string label = {},
              std::vector<std::string> notes = {}) {
    answer_.faults.push_back({code, place, std::move(message), std::move(label), std::move(notes)});
  }

  // [pool] less `name`, which in a weir.toml is the table's.
  Node own_table() {
    if (request_.table == nullptr) return {};
    Node own = request_.table->value;
    name_place_ = own.place;
    if (own.kind != Kind::table) {
      report(Code::config_type, request_.table->key_place,
             fmt::format("`pool` must be a table, not {}", describe(own.kind)), "write [pool]");
      return {};
    }
    if (const Entry* name = own.find("name"); name != nullptr) {
      name_place_ = name->value.place;
      if (name->value.kind == Kind::string) name_ = name->value.text;
      if (name->value.kind != Kind::string)
        report(Code::config_type, name->value.place,
               fmt::format("`name` must be text, not {}", describe(name->value.kind)),
               "put it in quotes");
      remove(own, "name");
    }
    return own;
  }

  // The server of a scenario is the mock's, unless it is real SQLite that runs inside.
  void add_mock(Node& pool) {
    if (pool.find("driver") == nullptr)
      add(pool, "driver", text_node(std::string(mock_driver), {}));
    if (pool.find("url") == nullptr && text_of(pool, "driver") == mock_driver)
      add(pool, "url", text_node(mock_url(name_), {}));
    if (pool.find("url") == nullptr && text_of(pool, "driver") == sqlite)
      add(pool, "url", text_node(sqlite_url(name_), {}));
  }

  // The reader's messages name the table as a weir.toml has it.
  void take(Diagnostic fault) {
    const std::string table = "[pool." + name_;
    const auto rename = [&](std::string& text) {
      replace_all(text, table + "]", "[pool]");
      replace_all(text, table + ".", "[pool.");
    };
    rename(fault.message);
    rename(fault.label);
    for (std::string& note : fault.notes) rename(note);
    answer_.faults.push_back(std::move(fault));
  }

  void check_driver() {
    constexpr std::array<std::string_view, 2> drivers{mock_driver, sqlite};
    const PoolConfig& pool = answer_.pool;
    const auto place_of = [&](std::string_view key) {
      const Entry* entry = request_.table != nullptr ? request_.table->value.find(key) : nullptr;
      return entry != nullptr ? entry->value.place : name_place_;
    };
    if (pool.max == max_auto) {
      report(Code::config_value, place_of("max"), "a simulated pool needs a number for `max`",
             "write the number that `weir doctor` says \"auto\" comes to");
    }
    if (std::find(drivers.begin(), drivers.end(), pool.driver) == drivers.end()) {
      if (request_.any_driver) return;
      const std::string_view near = nearest(pool.driver, drivers);
      report(Code::config_value, place_of("driver"),
             "the driver of a simulated pool is \"mock\" or \"sqlite\"",
             near.empty() ? "remove the line to have the mock's"
                          : fmt::format("did you mean \"{}\"?", near),
             {"that of a plugin needs `plugin`, its library, at the top of the file, or "
              "clock = \"wall\""});
    } else if (pool.driver == mock_driver && !pool.url.reveal().starts_with("mock:")) {
      report(Code::config_value, place_of("url"), "this is no URL of the mock's",
             "remove it, or write \"mock:name\"");
    }
  }

  // ---- pool_file

  // The pool as that file has it, at the place of `pool_file`; empty if it cannot be had.
  Node from_file(const Node& own) {
    const Place& place = request_.file->value.place;
    const std::string& name = request_.file->value.text;
    const std::string path = config::absolute_path(std::string(request_.base_dir), name);
    const auto text = config::read_file_text(path, file_bytes_max, config::Privacy::any);
    if (!text) {
      report(Code::config_unreadable, place,
             fmt::format("`pool_file`: {} {}", printable(name), text.error()));
      return {};
    }
    const auto root = config::read_toml(*text);
    if (!root) {  // and says so in the words of the one that reads such files
      config::ParseInput input;
      input.text = *text;
      input.name = name;
      if (const auto parsed = config::parse(input); !parsed) report_inner(parsed.error());
      return {};
    }
    auto pool = pool_in(*text, *root, own);
    if (!pool) return {};
    put_all_at(*pool, place);
    return *std::move(pool);
  }

  std::optional<Node> pool_in(std::string_view text, const Node& root, const Node& own) {
    const Entry* pools = root.find("pool");
    const Entry* found = pools != nullptr ? pools->value.find(name_) : nullptr;
    if (found == nullptr || found->value.kind != Kind::table) return no_such_pool(pools);
    Node pool = found->value;
    // A server is simulated unless the scenario asks, by its name, for the driver of the file.
    const std::string driver = text_of(own, "driver");
    const bool real = driver == sqlite || (request_.any_driver && !driver.empty());
    if (!real || text_of(pool, "driver") != driver) make_mock(pool);
    Entry version = root.find("version") != nullptr ? *root.find("version") : version_one();
    const Node alone = weir_toml(std::move(version), name_, found->key_place, pool);
    return faultless(text, alone) ? std::optional(std::move(pool)) : std::nullopt;
  }

  std::nullopt_t no_such_pool(const Entry* pools) {
    std::vector<std::string> names;
    if (pools != nullptr) {
      for (const Entry& entry : pools->value.entries) names.push_back(entry.key);
    }
    const std::string_view near = nearest(name_, names);
    std::string label;
    if (!near.empty()) {
      label = fmt::format("did you mean name = {}?", config::quoted(near));
    } else if (!names.empty()) {
      label = fmt::format("it has {}; say which in [pool], by `name`",
                          printable(fmt::format("{}", fmt::join(names, ", "))));
    }
    const bool named = request_.table != nullptr && request_.table->value.find("name") != nullptr;
    report(
        Code::config_value, named ? name_place_ : request_.file->value.place,
        fmt::format("{} has no pool `{}`", printable(request_.file->value.text), printable(name_)),
        std::move(label));
    return std::nullopt;
  }

  // Driver, URL and driver options become the mock's. What the URL says to the pool stays, if it
  // stands in the file; what the environment would say is not part of a scenario.
  void make_mock(Node& pool) const {
    std::string url = mock_url(name_);
    for (const config::UrlParameter& p : config::split_url(text_of(pool, "url")).parameters)
      url +=
          fmt::format("{}{}={}", url.find('?') == std::string::npos ? '?' : '&', p.name, p.value);
    for (const std::string_view key : {"driver", "url", "options"}) remove(pool, key);
    add(pool, "driver", text_node(std::string(mock_driver), pool.place));
    add(pool, "url", text_node(std::move(url), pool.place));
  }

  // The faults of the file itself are shown with its own lines.
  bool faultless(std::string_view text, const Node& alone) {
    const std::string& name = request_.file->value.text;
    config::Source source(name, text);
    config::hide_secrets(alone, source);
    const config::Environment environment = config::process_environment();
    config::Reader reader(name, request_.base_dir, environment);
    reader.read(alone);
    if (reader.faults().empty()) return true;
    report_inner(to_error(source, std::move(reader.faults())));
    return false;
  }

  void report_inner(const Error& error) {
    std::vector<std::string> notes;
    std::string_view rest = error.message();
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      if (end > 0) notes.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    report(error.code(), request_.file->value.place, "the file of the pool has faults", {},
           std::move(notes));
  }

  const PoolRequest& request_;
  config::Source& source_;
  std::string name_{usual_pool_name};
  Place name_place_;
  PoolAnswer answer_;
};

}  // namespace

PoolAnswer read_pool(const PoolRequest& request, config::Source& source) {
  return PoolReader(request, source).read();
}

}  // namespace weir::sim
