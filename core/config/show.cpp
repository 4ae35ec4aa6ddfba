// SPDX-License-Identifier: MIT
#include "core/config/show.hpp"

#include "core/base/text.hpp"
#include "core/config/redact.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace weir::config {
namespace {

class Writer {
 public:
  Writer(const Config& config, const ShowOptions& options) : config_(config), options_(options) {}

  std::string write() {
    out_ = fmt::format("# effective configuration of {}\nversion = 1\n", one_line(config_.file));
    for (const auto& [name, pool] : config_.pools) write_pool(name, pool);
    write_drivers();
    write_admin();
    return std::move(out_);
  }

 private:
  // "key = value" lines of one table, kept until the comments can be aligned.
  struct Line {
    std::string text;
    std::string comment;
  };

  void add(const std::string& table, std::string_view key, const std::string& value) {
    std::string comment;
    if (options_.origins != nullptr)
      comment =
          one_line(describe(*options_.origins, fmt::format("{}.{}", table, key), config_.file));
    lines_.push_back({fmt::format("{} = {}", key_text(key), value), std::move(comment)});
  }

  void flush() {
    std::size_t width = 0;
    for (const Line& line : lines_) width = std::max(width, line.text.size());
    for (const Line& line : lines_) {
      if (line.comment.empty())
        out_ += line.text + "\n";
      else
        out_ += fmt::format("{:<{}}  # {}\n", line.text, std::min<std::size_t>(width, 60),
                            line.comment);
    }
    lines_.clear();
  }

  void write_pool(const std::string& name, const PoolConfig& pool) {
    const std::string table = "pool." + name;
    out_ += fmt::format("\n[pool.{}]\n", key_text(name));
    PoolConfig copy = pool;  // load() wants a target that could be written
    for (const Option& option : options()) {
      if (option.scope != Scope::pool) continue;
      Value value = load(option, {.pool = &copy});
      if (option.name == "url" && value.text.empty()) continue;
      add(table, option.name, shown(option, std::move(value)));
    }
    flush();
    for (const PoolTable& below : pool_tables) {
      out_ += fmt::format("\n[pool.{}.{}]\n", key_text(name), below.name);
      for (const Option& option : options()) {
        if (option.scope == below.scope)
          add(fmt::format("{}.{}", table, below.name), option.name,
              to_toml(option, load(option, target_in(copy))));
      }
      flush();
    }
    if (pool.options.empty()) return;
    out_ += fmt::format("\n[pool.{}.options]\n", key_text(name));
    for (const DriverOption& option : pool.options) {
      const bool visible = options_.option_is_public && options_.option_is_public(pool, option.key);
      add(table + ".options", option.key, shown(visible ? &option.value : nullptr));
    }
    flush();
  }

  void write_drivers() {
    out_ += "\n[drivers]\n";
    DriversConfig drivers = config_.drivers;
    for (const Option& option : options()) {
      if (option.scope == Scope::drivers)
        add("drivers", option.name, to_toml(option, load(option, {.drivers = &drivers})));
    }
    flush();
    for (auto& [name, pin] : drivers.pins) {
      out_ += fmt::format("\n[drivers.{}]\n", key_text(name));
      for (const Option& option : options()) {
        if (option.scope != Scope::pin) continue;
        const Value value = load(option, {.pin = &pin});
        if (!value.text.empty()) add("drivers." + name, option.name, to_toml(option, value));
      }
      flush();
    }
  }

  void write_admin() {
    if (config_.admin.socket.empty()) return;  // "" would be refused
    out_ += "\n[admin]\n";
    AdminConfig admin = config_.admin;
    for (const Option& option : options()) {
      if (option.scope == Scope::admin)
        add("admin", option.name, to_toml(option, load(option, {.admin = &admin})));
    }
    flush();
  }

  const Config& config_;
  const ShowOptions& options_;
  std::string out_;
  std::vector<Line> lines_;
};

}  // namespace

Value without_secrets(const Option& option, Value value) {
  if (option.secret) value.text = redact_url(value.text);
  if (option.name == "init_sql") {
    for (std::string& sql : value.list) sql = redact_sql(sql);
  }
  return value;
}

std::string shown(const Option& option, Value value) {
  return to_toml(option, without_secrets(option, std::move(value)));
}

std::string shown(const Secret* value) {
  return quoted(value != nullptr ? value->reveal() : "***");
}

std::string show(const Config& config, const ShowOptions& options) {
  return Writer(config, options).write();
}

std::string show(const ParsedConfig& parsed, bool with_origin) {
  ShowOptions options;
  if (with_origin) options.origins = &parsed.origins;
  return show(parsed.config, options);
}

}  // namespace weir::config
