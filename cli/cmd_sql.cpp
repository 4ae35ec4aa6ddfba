// SPDX-License-Identifier: MIT
//
// weir sql.
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cli/rows_text.hpp"
#include "cli/stop_event.hpp"
#include "core/base/text.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

namespace weir::cli {
namespace {

using nlohmann::ordered_json;

Error unreadable(int error) {
  return {Code::invalid_argument,
          fmt::format("cannot read the statement from standard input: {}", std::strerror(error))};
}

// Errors: invalid_argument; cancelled after a signal, which no read() would notice by itself.
Result<std::string> read_standard_input(Interrupt& interrupt) {
  // Where it is closed, the event would get its number.
  if (::fcntl(STDIN_FILENO, F_GETFD) < 0) return fail(unreadable(errno));
  const StopEvent stop(interrupt);
  std::string text;
  char piece[4096];
  while (true) {
    if (stop.wait_for(STDIN_FILENO, POLLIN, no_timeout) == 0) {
      return fail(Code::cancelled, "interrupted");
    }
    const ssize_t n = ::read(STDIN_FILENO, piece, sizeof piece);
    if (n == 0) return text;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(unreadable(errno));
    text.append(piece, static_cast<std::size_t>(n));
  }
}

// Statements whose news is how many rows they changed. A wrong guess costs that number, no more.
bool changes_rows(std::string_view sql) {
  const std::string lower = lower_case(trimmed(sql));
  const bool verb = lower.starts_with("insert") || lower.starts_with("update") ||
                    lower.starts_with("delete") || lower.starts_with("replace");
  return verb && lower.find("returning") == std::string::npos;
}

std::string_view plural(std::uint64_t n) { return n == 1 ? "" : "s"; }

Result<void> change(Context& context, Connection& c, const std::string& sql) {
  auto done = c.execute(sql);
  if (!done) return weir::fail(done.error());
  if (context.global.json) {
    ordered_json j{{"columns", ordered_json::array()}, {"rows", ordered_json::array()}};
    if (done->affected) j["affected"] = *done->affected;
    if (done->last_id) j["last_id"] = *done->last_id;
    context.json(j);
  } else if (done->affected) {
    context.out.prose(fmt::format("{} row{} changed\n", *done->affected, plural(*done->affected)));
  }
  return {};
}

// For a terminal: the widths must be known before the first row is printed.
Result<void> show_table(Context& context, Connection& c, const std::string& sql) {
  auto rows = c.query(sql);
  if (!rows) return weir::fail(rows.error());
  if (rows->columns().names.empty()) {
    context.out.prose("done\n");
    return {};
  }
  context.out.data(as_table(*rows));
  context.out.prose(fmt::format("{} row{}\n", rows->size(), plural(rows->size())));
  return {};
}

// For pipes and programs: row by row, in bounded memory.
Result<void> stream_rows(Context& context, Connection& c, const std::string& sql) {
  auto rows = c.stream(sql);
  if (!rows) return weir::fail(rows.error());
  const Columns& columns = rows->columns();
  const bool json = context.global.json;
  if (json) {
    context.out.data("{\"columns\":" + to_line(ordered_json(columns.names)));
    context.out.data(",\"rows\":[");
  } else if (!columns.names.empty()) {
    context.out.data(as_tsv(columns));
  }
  for (bool first = true;; first = false) {
    auto row = rows->next();
    if (!row) {
      // What is out is out; the object is ended so that it stays JSON, and says that it is not all.
      if (json) context.out.data("],\"complete\":false}\n");
      return weir::fail(row.error());
    }
    if (!*row) break;
    if (!json) {
      context.out.data(as_tsv(**row));
      continue;
    }
    ordered_json cells = ordered_json::array();
    for (std::size_t i = 0; i < (*row)->size(); ++i) cells.push_back(as_json((*row)->cell(i)));
    context.out.data((first ? "" : ",") + to_line(cells));
  }
  if (json) context.out.data("]}\n");
  return {};
}

}  // namespace

int run_sql(Context& context) {
  context.out.end_with_reader();
  auto config = load_config(context);
  if (!config) return context.fail(config.error());
  auto chosen = choose_pool(*config, context.text("POOL"));
  if (!chosen) return context.fail(chosen.error());
  std::string sql = context.text("SQL");
  if (sql == "-") {
    if (context.global.no_input && isatty(STDIN_FILENO) == 1) {
      return context.usage_error("SQL is '-', but --no-input forbids to read from a terminal");
    }
    auto read = read_standard_input(context.interrupt);
    if (!read) return context.fail(read.error());
    sql = *std::move(read);
  }
  auto pools = open_pool(context, *config, for_one_connection(*chosen));
  if (!pools) return context.fail(pools.error());
  const Interrupt::Action stop(context.interrupt,
                               [&] { static_cast<void>(pools->drain(Duration{})); });
  auto done = (*pools)[chosen->name].with([&](Connection& c) -> Result<void> {
    if (changes_rows(sql)) return change(context, c, sql);
    if (!context.global.json && context.out.data_to_terminal()) return show_table(context, c, sql);
    return stream_rows(context, c, sql);
  });
  return done ? int{exit_ok} : context.fail(done.error());
}

}  // namespace weir::cli
