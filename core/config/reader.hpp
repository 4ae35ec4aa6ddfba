// SPDX-License-Identifier: MIT
//
// Reader: turns the tree of a file into a Config and collects every fault on the way. A value that
// is faulty is reported, left at its default, and remembered, so that it causes no second error.
//
// Who:       parse() only; one Reader per file, one thread.
// Invariant: no text of the file or the environment goes into a message, only names of keys,
//            variables and files. What a line shows beyond that is for Source: see hide_secrets.
#pragma once

#include "core/config/diagnostic.hpp"
#include "core/config/option_table.hpp"
#include "core/config/parse.hpp"
#include "core/config/rules.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

// The key that is being read.
struct Slot {
  const Option* option = nullptr;  // null for an option of a driver
  std::string table;               // "pool.main"
  std::string key;
  Place key_place;
  bool secret = false;

  [[nodiscard]] std::string path() const { return table + "." + key; }
};

// A value after references were followed.
struct Input {
  Kind kind = Kind::string;
  std::string text;
  std::int64_t integer = 0;
  bool boolean = false;
  const std::vector<Node>* items = nullptr;
  Origin origin;

  // Text from elsewhere has no type of its own and is read as the key's.
  [[nodiscard]] bool outside() const noexcept { return origin.from != Origin::From::file; }
};

class Reader {
 public:
  Reader(std::string_view file, std::string_view base_dir, const Environment& environment);

  void read(const Node& root);

  [[nodiscard]] std::vector<Diagnostic>& faults() noexcept { return faults_; }
  [[nodiscard]] ParsedConfig& result() noexcept { return result_; }

 private:
  // reader.cpp: the tables
  void read_version(const Node& root);
  void read_pools(const Entry& pools);
  void read_pool(const Entry& entry);
  void read_pool_table(const PoolTable& which, const std::string& table, const Entry& entry,
                       PoolConfig& pool);
  void read_pool_options(const std::string& table, const Entry& options, PoolConfig& pool);
  void finish_pool(const std::string& table, const Node& node, PoolConfig& pool);
  void apply_url(const std::string& table, PoolConfig& pool);
  void apply_url_parameter(const std::string& table, PoolConfig& pool, std::string_view name,
                           const Option& option, std::string_view text);
  void read_drivers(const Entry& drivers);
  void read_pin(const Entry& entry);
  void read_admin(const Entry& admin);
  bool expect_table(const Entry& entry, const std::string& example);

  // read_value.cpp: one value
  bool read_option(const Slot& slot, const Node& node, const Target& target);
  std::optional<Value> to_value(const Slot& slot, const Input& input);
  std::optional<Value> to_integer(const Slot& slot, const Input& input);
  std::optional<Value> to_duration(const Slot& slot, const Input& input);
  std::optional<Value> to_choice(const Slot& slot, const Input& input);
  std::optional<Value> to_boolean(const Slot& slot, const Input& input);
  std::optional<Value> to_list(const Slot& slot, const Input& input);
  void make_absolute(const Slot& slot, Value& value) const;
  void wrong_type(const Slot& slot, const Input& input, std::string_view expected,
                  std::string label = {});

  // resolve.cpp: references
  std::optional<Input> resolve(const Slot& slot, const Node& node);
  std::optional<Input> resolve_env(const Slot& slot, const Node& node, const Entry& env);
  std::optional<Input> resolve_file(const Slot& slot, const Node& node, const Entry& file);
  bool check_reference(const Slot& slot, const Node& node);

  // unknown.cpp: keys that do not exist
  void unknown_key(Scope scope, const std::string& table, const Entry& entry);

  void report(Code code, const Place& place, std::string message, std::string label = {},
              std::vector<std::string> notes = {});
  void report(const Finding& finding, const Slot& slot, const Input& input);
  void failed(const Slot& slot) { failed_.insert(slot.path()); }
  [[nodiscard]] const Origin* origin_of(const std::string& path) const;

  const Environment& environment_;
  ParsedConfig result_;
  std::vector<Diagnostic> faults_;
  std::set<std::string, std::less<>> failed_;  // full keys with a faulty value
};

// Tells the source which of its regions may hold secrets: every scalar of `url`, `init_sql` and the
// drivers' options, everything under an unknown key, and what looks like a secret elsewhere.
void hide_secrets(const Node& root, Source& source);

// "[pool.main]", as a message names a table.
[[nodiscard]] std::string table_name(std::string_view table);

}  // namespace weir::config
