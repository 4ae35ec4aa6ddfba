// SPDX-License-Identifier: MIT
#include "core/config/reference.hpp"

#include "core/config/foreign_names.hpp"
#include "core/config/option_table.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace weir::config {
namespace {

constexpr std::size_t text_width = 100;

struct Section {
  Scope scope;
  std::string_view title;
  std::string_view intro;
};
constexpr std::array<Section, 8> sections{{
    {Scope::file, "The file", "Keys at the top of the file, before the first table."},
    {Scope::pool, "[pool.<name>]",
     "One table per pool. A name has letters, digits, `_` and `-`, at most 64 of them."},
    {Scope::auto_size, "[pool.<name>.auto]",
     "Of `max = \"auto\"` only: max = (what the server admits - `reserve`) / `instances`, at "
     "least\n"
     "1 and `min`. What it comes to is in the log, and `weir doctor` says it beforehand."},
    {Scope::health, "[pool.<name>.health]",
     "A query of the pool's own, now and then, and what it says of it: [health.md](health.md)."},
    {Scope::retry, "[pool.<name>.retry]",
     "What `weir::retry` goes by in this pool. Nothing is repeated but what the host program "
     "hands\n"
     "to it."},
    {Scope::drivers, "[drivers]", "Where plugins are looked for, and which may be loaded."},
    {Scope::pin, "[drivers.<name>]", "Fixes the file of one driver."},
    {Scope::admin, "[admin]",
     "A socket that a running program can be asked and told things through: "
     "[admin.md](admin.md)."},
}};

// Breaks at spaces, but not inside `code`.
std::string wrapped(std::string_view text, std::string_view indent) {
  std::string out(indent);
  std::size_t column = indent.size();
  bool first = true;
  while (!text.empty()) {
    std::size_t end = 0;
    for (bool code = false; end < text.size() && (code || text[end] != ' '); ++end) {
      if (text[end] == '`') code = !code;
    }
    const std::string_view word = text.substr(0, end);
    text = end < text.size() ? text.substr(end + 1) : std::string_view();
    const bool breaks = !first && column + 1 + word.size() > text_width;
    if (breaks) {
      out += '\n';
      out += indent;
      column = indent.size();
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    first = false;
  }
  return out + "\n";
}

std::string default_text(const Option& option) {
  const Value value = default_of(option);
  return option.type == Type::text && value.text.empty() ? "" : to_toml(option, value);
}

std::string default_note(const Option& option) {
  const std::string value = default_text(option);
  if (option.required) return " (required)";
  return value.empty() ? "" : fmt::format(" (default {})", value);
}

// The names of other pools for one of our keys: "HikariCP: `maximumPoolSize`".
std::string foreign_text(const Option& option) {
  std::string out;
  for (const ForeignName& foreign : foreign_names()) {
    if (option.scope != Scope::pool || foreign.key != option.name) continue;
    out += fmt::format("{}`{}` ({})", out.empty() ? "" : ", ", foreign.name, foreign.pools);
  }
  return out;
}

// Of the file itself there is nothing to say: its version cannot change.
std::string reload_line(const Option& option) {
  if (option.scope == Scope::file) return {};
  return wrapped(fmt::format("reload: {}: {}", to_string(option.reach), meaning(option.reach)),
                 "  ");
}

constexpr std::string_view markdown_head =
    R"(<!-- Generated from core/config/option_table.cpp. After a change there:
     WEIR_UPDATE_DOCS=1 ./dev test -- config_docs -->
# Options

What a `weir.toml` may hold. Every key has a default but those marked *required*; a key that does
not exist is an error. `weir config check` says what is wrong with a file, `weir config show` what
is in effect and where it came from, and `weir config schema` prints the schema for your editor.

```toml
version = 1

[pool.main]
driver = "sqlite"
url = { env = "DATABASE_URL", default = "file:app.db" }
max = 10
acquire_timeout = "30s"
```

**Durations** are text with a unit: `"250ms"`, `"10s"`, `"5m"`, `"1h"`, `"1m30s"`; also `us` and
`ns`. A bare number is an error. Zero never means "for ever": that is `"none"`, where it is
allowed.

**References.** Any value but `version` may come from the environment, `{ env = "NAME" }` or
`{ env = "NAME", default = … }`: a variable that is missing or empty is an error unless there is a
default. Lists are given there with commas; a variable for `init_sql` is one statement. `url` and
the options of the driver may also come from a file, `{ file = "/run/secrets/db" }`, which other
users of the machine must not be able to read; a line end at its end is dropped.

)";

constexpr std::string_view markdown_reload =
    R"(**Reload.** With each key stands how far a change of it reaches into a running pool;
`weir config diff` says it of two files. Of several changes the one that reaches farthest decides.

)";

constexpr std::string_view markdown_options = R"(## [pool.<name>.options]

Options of the database, declared and checked by its driver: `weir driver list` shows them. Values
are text, whole numbers, `true` or `false`, or references; durations are written as above. All of
them are treated as secrets, since only the driver knows which ones are. Reload: *generation*.

)";

std::string markdown_option(const Option& option) {
  std::string out = fmt::format("### `{}`\n\n", option.name);
  out += fmt::format("{}{}.\n\n", static_cast<char>(option.summary.front() - 'a' + 'A'),
                     option.summary.substr(1));
  const std::string value = default_text(option);
  if (option.required)
    out += "Required.";
  else
    out += value.empty() ? "No default." : fmt::format("Default `{}`.", value);
  if (option.type != Type::text) out += fmt::format(" Range: {}.", range_text(option));
  if (option.scope != Scope::file) out += fmt::format(" Reload: *{}*.", to_string(option.reach));
  out += "\n\n";
  out += wrapped(option.doc, "") + "\n";
  if (const std::string foreign = foreign_text(option); !foreign.empty())
    out += wrapped("Elsewhere: " + foreign + ".", "") + "\n";
  return out;
}

std::string markdown_foreign() {
  std::string out =
      "## Coming from another pool\n\n"
      "Weir answers these names with the line to write instead; here they are at a glance. Mind "
      "the\n"
      "units: HikariCP, tarn and generic-pool count in milliseconds, Prisma and PgBouncer in "
      "seconds.\n"
      "`connectionTimeout` of HikariCP is the deadline of an acquire, not of a connect.\n\n"
      "| there | of | here |\n|---|---|---|\n";
  for (const ForeignName& foreign : foreign_names()) {
    const std::string here =
        foreign.key.empty() ? std::string(foreign.note) : fmt::format("`{}`", foreign.key);
    out += fmt::format("| `{}` | {} | {} |\n", foreign.name, foreign.pools, here);
  }
  return out;
}

}  // namespace

std::string options_markdown() {
  std::string out(markdown_head);
  out += markdown_reload;
  for (const Reach reach : {Reach::live, Reach::size, Reach::generation, Reach::restart})
    out += fmt::format("- *{}*: {}.\n", to_string(reach), meaning(reach));
  out += "\n";
  for (const Section& section : sections) {
    out += fmt::format("## {}\n\n{}\n\n", section.title, section.intro);
    for (const Option& option : options()) {
      if (option.scope == section.scope) out += markdown_option(option);
    }
    if (section.scope == Scope::retry) out += markdown_options;
  }
  out += markdown_foreign();
  return out;
}

std::string options_help() {
  std::string out;
  for (const Section& section : sections) {
    out += fmt::format("{}{}\n", out.empty() ? "" : "\n", section.title);
    for (const Option& option : options()) {
      if (option.scope == section.scope)
        out += fmt::format("  {:<24}{}{}\n", option.name, option.summary, default_note(option));
    }
    if (section.scope == Scope::retry)
      out += fmt::format("  {:<24}{}\n", "[.options]", "what the driver understands");
  }
  out += "\ndocs/options.md explains each of them.\n";
  return out;
}

std::string option_help(std::string_view name) {
  std::string out;
  for (const Option& option : options()) {
    if (option.name != name) continue;
    out += fmt::format("{}{}: {}{}\n  range: {}\n{}\n{}", out.empty() ? "" : "\n", option.name,
                       option.summary, default_note(option), range_text(option),
                       reload_line(option), wrapped(option.doc, "  "));
    if (const std::string foreign = foreign_text(option); !foreign.empty())
      out += "\n" + wrapped("Elsewhere: " + foreign + ".", "  ");
  }
  return out;
}

}  // namespace weir::config
