// SPDX-License-Identifier: MIT
#include "cli/check/quirks.hpp"

#include "cli/check/embedded.hpp"
#include "core/base/suggest.hpp"
#include "core/config/toml_tree.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <span>

#include <fmt/format.h>

namespace weir::check {
namespace {

using config::Entry;
using config::Kind;
using config::Node;

constexpr std::array<std::string_view, 14> statement_keys{
    "select_one",   "echo_two",       "rows_1000",   "no_rows", "insert",
    "observe",      "dirty",          "probe",       "begin",   "long_running",
    "syntax_error", "fails_half_way", "sleep_hours", "kill"};
constexpr std::array<std::string_view, 6> echo_types{"int64", "double", "text",
                                                     "blob",  "bool",   "decimal"};

class Reader {
 public:
  explicit Reader(std::string_view origin) { quirks_.origin = origin; }

  tl::expected<Quirks, std::string> read(const Node& root) {
    bool has_version = false;
    for (const Entry& entry : root.entries) {
      if (entry.key == "quirks") {
        has_version = true;
        if (entry.value.kind != Kind::integer || entry.value.integer != 1) {
          problem(entry, "must be 1, the only version of quirks files that there is");
        }
      } else {
        read_entry(entry);
      }
    }
    if (!has_version && problem_.empty()) {
      problem_ = fmt::format("{}: the line `quirks = 1` is missing", quirks_.origin);
    }
    if (!problem_.empty()) return tl::unexpected(problem_);
    return std::move(quirks_);
  }

 private:
  void problem(const Entry& entry, std::string_view what) {
    if (!problem_.empty()) return;  // the first one is enough
    problem_ =
        fmt::format("{}:{}: \"{}\" {}", quirks_.origin, entry.key_place.line, entry.key, what);
  }
  void read_text(const Entry& entry, std::string& to) {
    if (entry.value.kind != Kind::string) return problem(entry, "must be a text");
    to = entry.value.text;
  }
  void read_texts(const Entry& entry, std::vector<std::string>& to) {
    if (entry.value.kind == Kind::string) return to.push_back(entry.value.text);
    if (entry.value.kind != Kind::array) return problem(entry, "must be a text or a list of texts");
    for (const Node& item : entry.value.items) {
      if (item.kind != Kind::string) return problem(entry, "must be a list of texts");
      to.push_back(item.text);
    }
  }
  void read_table(const Entry& entry, const std::function<void(const Entry&)>& each) {
    if (entry.value.kind != Kind::table) return problem(entry, "must be a table");
    for (const Entry& inner : entry.value.entries) each(inner);
  }
  void unknown(const Entry& entry, std::span<const std::string_view> known) {
    const std::string_view near = nearest(entry.key, known);
    problem(entry, near.empty()
                       ? std::string("is no key of a quirks file")
                       : fmt::format("is no key of a quirks file; did you mean \"{}\"?", near));
  }
  void read_entry(const Entry& entry) {
    constexpr std::array<std::string_view, 8> known{"url", "options", "setup",  "clean",
                                                    "sql", "echo",    "errors", "refused"};
    if (entry.key == "url") return read_text(entry, quirks_.url);
    if (entry.key == "setup") return read_texts(entry, quirks_.setup);
    if (entry.key == "clean") return read_texts(entry, quirks_.clean);
    if (entry.key == "options") {
      return read_table(entry, [this](const Entry& option) {
        std::string value;
        read_text(option, value);
        quirks_.options.emplace_back(option.key, value);
      });
    }
    if (entry.key == "sql") {
      return read_table(entry, [this](const Entry& one) {
        if (std::find(statement_keys.begin(), statement_keys.end(), one.key) ==
            statement_keys.end()) {
          return unknown(one, statement_keys);
        }
        read_text(one, quirks_.sql[one.key]);
      });
    }
    if (entry.key == "echo") {
      return read_table(entry, [this](const Entry& one) {
        if (std::find(echo_types.begin(), echo_types.end(), one.key) == echo_types.end()) {
          return unknown(one, echo_types);
        }
        read_text(one, quirks_.echo[one.key]);
      });
    }
    if (entry.key == "refused") {
      return read_table(entry,
                        [this](const Entry& one) { read_text(one, quirks_.refused[one.key]); });
    }
    if (entry.key == "errors") {
      return read_table(entry,
                        [this](const Entry& one) { read_texts(one, quirks_.errors[one.key]); });
    }
    unknown(entry, known);
  }

  Quirks quirks_;
  std::string problem_;
};

}  // namespace

std::string_view Quirks::statement(std::string_view key) const noexcept {
  const auto found = sql.find(key);
  return found == sql.end() ? std::string_view() : std::string_view(found->second);
}

bool Quirks::has(std::string_view key) const noexcept {
  if (key == "echo") return !echo.empty();
  if (key == "errors") return !errors.empty();
  if (key == "refused") return !refused.empty();
  return !statement(key).empty();
}

tl::expected<Quirks, std::string> parse_quirks(std::string_view text, std::string_view origin) {
  const auto root = config::read_toml(text);
  if (!root) {
    return tl::unexpected(
        fmt::format("{}:{}: {}", origin, root.error().place.line, root.error().reason));
  }
  return Reader(origin).read(*root);
}

std::optional<Quirks> builtin_quirks(std::string_view driver) {
  const std::string name = fmt::format("quirks/{}.toml", driver);
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name != name) continue;
    auto quirks = parse_quirks(file.text, fmt::format("built in for {}", driver));
    if (quirks) return *quirks;
  }
  return std::nullopt;
}

}  // namespace weir::check
