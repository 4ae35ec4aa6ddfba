// SPDX-License-Identifier: MIT
#include "core/config/reader.hpp"

#include "core/base/text.hpp"
#include "core/config/file_text.hpp"
#include "core/config/url.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace weir::config {

Reader::Reader(std::string_view file, std::string_view base_dir, const Environment& environment)
    : environment_(environment) {
  result_.config.file = std::string(file);
  result_.config.base_dir = absolute_path(".", std::string(base_dir));
}

void Reader::report(Code code, const Place& place, std::string message, std::string label,
                    std::vector<std::string> notes) {
  faults_.push_back({code, place, std::move(message), std::move(label), std::move(notes)});
}

const Origin* Reader::origin_of(const std::string& path) const {
  const auto found = result_.origins.find(path);
  return found == result_.origins.end() ? nullptr : &found->second;
}

std::string table_name(std::string_view table) {
  return table.empty() ? "the file" : fmt::format("[{}]", table);
}

void Reader::read(const Node& root) {
  read_version(root);
  const Entry* pools = nullptr;
  for (const Entry& entry : root.entries) {
    if (entry.key == "version") continue;
    if (entry.key == "pool") {
      pools = &entry;
      read_pools(entry);
    } else if (entry.key == "drivers") {
      read_drivers(entry);
    } else if (entry.key == "admin") {
      read_admin(entry);
    } else {
      unknown_key(Scope::file, "", entry);
    }
  }
  if (pools == nullptr)
    report(Code::config_missing, {}, "no pool is configured",
           "add [pool.main] with driver = \"sqlite\" and url = \"file:app.db\"");
}

void Reader::read_version(const Node& root) {
  const Option& option = *find_option(Scope::file, "version");
  const Entry* entry = root.find("version");
  if (entry == nullptr) {
    report(Code::config_missing, {}, "`version` is missing",
           "add this line at the top of the file: version = 1");
    return;
  }
  const Slot slot{&option, "", "version", entry->key_place, false};
  Input input;
  input.kind = entry->value.kind;
  input.integer = entry->value.integer;
  input.origin.place = entry->value.place;
  // No reference here: what the file means must not depend on the environment.
  if (entry->value.kind != Kind::integer) {
    wrong_type(slot, input, "the number 1", "write version = 1");
    return;
  }
  const Value value{entry->value.integer, {}, {}};
  if (const auto finding = check_value(option, value)) report(*finding, slot, input);
}

bool Reader::expect_table(const Entry& entry, const std::string& example) {
  if (entry.value.kind == Kind::table) return true;
  report(
      Code::config_type, entry.key_place,
      fmt::format("`{}` must be a table, not {}", printable(entry.key), describe(entry.value.kind)),
      "write " + example);
  return false;
}

void Reader::read_pools(const Entry& pools) {
  if (!expect_table(pools, "[pool.<name>]")) return;
  if (pools.value.entries.empty())
    report(Code::config_missing, pools.value.place, "no pool is configured",
           "add [pool.main] with driver = \"sqlite\" and url = \"file:app.db\"");
  for (const Entry& entry : pools.value.entries) {
    const bool is_key = find_option(Scope::pool, entry.key) != nullptr;
    const bool is_value = entry.value.kind != Kind::table ||  // as url = { env = "..." } is, too
                          (entry.value.is_inline && entry.value.find("driver") == nullptr);
    if (is_value && is_key) {
      report(Code::config_unknown_key, entry.key_place,
             fmt::format("`{}` stands in [pool], which has no name", entry.key),
             "a pool needs one: [pool.main]");
    } else if (expect_table(entry, "[pool.<name>]")) {
      read_pool(entry);
    }
  }
}

void Reader::read_pool(const Entry& entry) {
  if (!is_pool_name(entry.key)) {
    report(Code::config_value, entry.key_place, "this cannot be the name of a pool",
           std::string(pool_name_rule));
    return;
  }
  PoolConfig pool;
  pool.name = entry.key;
  const std::string table = "pool." + entry.key;
  for (const Entry& item : entry.value.entries) {
    if (const PoolTable* below = find_pool_table(item.key)) {
      read_pool_table(*below, table, item, pool);
      continue;
    }
    if (item.key == "options") {
      read_pool_options(table + ".options", item, pool);
      continue;
    }
    const Option* option = find_option(Scope::pool, item.key);
    if (option == nullptr) {
      unknown_key(Scope::pool, table, item);
      continue;
    }
    read_option({option, table, item.key, item.key_place, option->secret}, item.value,
                {.pool = &pool});
  }
  finish_pool(table, entry.value, pool);
  result_.config.pools.emplace(pool.name, std::move(pool));
}

// Its keys are called as they are seen from the pool, `retry.max`, since the pool has a `max` too.
void Reader::read_pool_table(const PoolTable& which, const std::string& table, const Entry& entry,
                             PoolConfig& pool) {
  const std::string own_table = fmt::format("{}.{}", table, which.name);
  if (!expect_table(entry, table_name(own_table))) return;
  for (const Entry& item : entry.value.entries) {
    const Option* option = find_option(which.scope, item.key);
    if (option == nullptr)
      unknown_key(which.scope, own_table, item);
    else
      read_option({option, table, key_in_pool(*option), item.key_place, false}, item.value,
                  target_in(pool));
  }
}

void Reader::read_pool_options(const std::string& table, const Entry& options, PoolConfig& pool) {
  if (!expect_table(options, table_name(table))) return;
  for (const Entry& item : options.value.entries) {
    const Slot slot{nullptr, table, item.key, item.key_place, true};
    const auto input = resolve(slot, item.value);
    if (!input) continue;
    DriverOption option{item.key, {}};
    if (input->kind == Kind::string && input->text.find('\0') != std::string::npos) {
      report(Code::config_value, item.value.place,
             fmt::format("`{}` contains a NUL character", printable(item.key)));
    } else if (input->kind == Kind::string) {
      option.value = Secret(input->text);
    } else if (input->kind == Kind::integer) {
      option.value = Secret(fmt::format("{}", input->integer));
    } else if (input->kind == Kind::boolean) {
      option.value = Secret(input->boolean ? "true" : "false");
    } else {
      const bool quotable = input->kind == Kind::real || input->kind == Kind::time;
      wrong_type(slot, *input, "text, a whole number, true or false",
                 quotable ? "put it in quotes" : "");
      continue;
    }
    result_.origins[slot.path()] = input->origin;
    pool.options.push_back(std::move(option));
  }
  std::sort(pool.options.begin(), pool.options.end(),
            [](const DriverOption& a, const DriverOption& b) { return a.key < b.key; });
}

void Reader::finish_pool(const std::string& table, const Node& node, PoolConfig& pool) {
  const auto known = [&](std::string_view key) {
    return failed_.find(fmt::format("{}.{}", table, key)) == failed_.end();
  };
  if (pool.driver.empty() && known("driver"))
    report(Code::config_missing, node.place, fmt::format("[{}] has no `driver`", table),
           "name an installed driver: driver = \"sqlite\"");
  apply_url(table, pool);

  for (const Finding& finding : check_together(pool)) {
    if (!std::all_of(finding.keys.begin(), finding.keys.end(), known)) continue;
    Place place = node.place;
    std::vector<std::string> notes;
    bool pointed = false;  // the caret is under the first key that the file sets
    for (const std::string_view key : finding.keys) {
      const Origin* origin = origin_of(fmt::format("{}.{}", table, key));
      if (origin == nullptr)
        notes.push_back(fmt::format("`{}` has its default here", key));
      else if (pointed && origin->place.line > 0)
        notes.push_back(fmt::format("`{}` is set in line {}", key, origin->place.line));
      else if (!pointed)
        place = origin->place;
      pointed = pointed || origin != nullptr;
    }
    report(finding.code, place, fmt::format("[{}]: {}", table, finding.message), finding.help,
           std::move(notes));
  }
}

void Reader::apply_url(const std::string& table, PoolConfig& pool) {
  if (pool.url.empty()) return;
  SplitUrl split = split_url(pool.url.reveal());
  for (const UrlParameter& parameter : split.parameters) {
    const Option& option = *find_option(Scope::pool, parameter.key);
    apply_url_parameter(table, pool, parameter.name, option, parameter.value);
  }
  pool.url = Secret(std::move(split.url));
}

void Reader::apply_url_parameter(const std::string& table, PoolConfig& pool, std::string_view name,
                                 const Option& option, std::string_view text) {
  const Slot slot{&option, table, std::string(option.name), {}, true};
  const Origin* url = origin_of(table + ".url");
  Input input;
  input.origin = {Origin::From::url, std::string(name), url != nullptr ? url->place : Place{}};
  if (failed_.find(slot.path()) != failed_.end()) return;

  const bool is_time = option.type == Type::duration;
  const bool digits = !text.empty() && text.size() <= 9 &&
                      std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c); });
  if (!digits) {
    report(Code::config_type, input.origin.place,
           fmt::format("the URL parameter `{}` must be a whole number{}", name,
                       is_time ? " of seconds" : ""));
    failed(slot);
    return;
  }
  Value value;
  for (const char c : text) value.number = value.number * 10 + (c - '0');
  if (is_time) value.number *= 1'000'000'000;
  if (is_time && value.number == 0) value.number = no_timeout.count();
  if (const auto finding = check_value(option, value)) {
    report(*finding, slot, input);
    failed(slot);
    return;
  }
  const Target target{.pool = &pool};
  const Origin* key = origin_of(slot.path());
  if (key == nullptr) {
    store(option, value, target);
    result_.origins[slot.path()] = input.origin;
  } else if (load(option, target) != value) {
    const bool twice = key->from == Origin::From::url;
    report(Code::config_conflict, key->place,
           twice ? fmt::format("the URL has the parameter `{}` twice", name)
                 : fmt::format("`{}` and the URL parameter `{}` differ", option.name, name),
           "remove one of them");
  }
}

void Reader::read_drivers(const Entry& drivers) {
  if (!expect_table(drivers, "[drivers]")) return;
  for (const Entry& item : drivers.value.entries) {
    const Option* option = find_option(Scope::drivers, item.key);
    if (option != nullptr) {
      read_option({option, "drivers", item.key, item.key_place, false}, item.value,
                  {.drivers = &result_.config.drivers});
    } else if (item.value.kind == Kind::table) {
      read_pin(item);
    } else {
      unknown_key(Scope::drivers, "drivers", item);
    }
  }
}

void Reader::read_pin(const Entry& entry) {
  if (!is_driver_name(entry.key)) {
    report(Code::config_value, entry.key_place, "this cannot be the name of a driver",
           std::string(driver_name_rule));
    return;
  }
  const std::string table = "drivers." + entry.key;
  DriverPin& pin = result_.config.drivers.pins[entry.key];
  for (const Entry& item : entry.value.entries) {
    const Option* option = find_option(Scope::pin, item.key);
    if (option == nullptr) {
      unknown_key(Scope::pin, table, item);
      continue;
    }
    read_option({option, table, item.key, item.key_place, false}, item.value, {.pin = &pin});
  }
  pin.sha256 = lower_case(pin.sha256);
}

void Reader::read_admin(const Entry& admin) {
  if (!expect_table(admin, "[admin]")) return;
  for (const Entry& item : admin.value.entries) {
    const Option* option = find_option(Scope::admin, item.key);
    if (option == nullptr) {
      unknown_key(Scope::admin, "admin", item);
      continue;
    }
    read_option({option, "admin", item.key, item.key_place, false}, item.value,
                {.admin = &result_.config.admin});
  }
}

}  // namespace weir::config
