// SPDX-License-Identifier: MIT
//
// Connection::execute_many and insert_many behind their templates: what is checked before anything
// is sent, and the loop of execute_many. insert_many goes on in insertion.cpp.
#include "core/runtime/calls.hpp"
#include "core/runtime/insertion.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir {

using runtime::call;
using runtime::Insertion;
using runtime::Session;
using runtime::with_session;

namespace {

constexpr std::uint64_t execute_chunk_rows = 8000;

// ---------------------------------------------------------------- names

tl::unexpected<Error> refuse(std::string_view table, std::string_view why) {
  return fail(Code::invalid_argument, fmt::format("insert_many into \"{}\": {}", table, why));
}

// The parts of a table's name: up to each dot, or in double quotes, two of which are one.
// Empty: there is a part without a character, or a quote without its end.
std::vector<std::string> parts_of(std::string_view table) {
  std::vector<std::string> parts;
  for (;;) {
    std::string part;
    if (table.starts_with('"')) {
      for (table.remove_prefix(1);; table.remove_prefix(1)) {
        if (table.empty()) return {};
        if (table.front() == '"') {
          table.remove_prefix(1);
          if (!table.starts_with('"')) break;
        }
        part += table.front();
      }
    } else {
      part = table.substr(0, table.find('.'));
      table.remove_prefix(part.size());
    }
    if (part.empty()) return {};
    parts.push_back(std::move(part));
    if (table.empty()) return parts;
    if (table.front() != '.') return {};
    table.remove_prefix(1);
  }
}

// Whether these can be names of different columns.
std::string_view objection_to(std::span<const std::string_view> columns) {
  for (auto at = columns.begin(); at != columns.end(); ++at) {
    if (at->empty()) return "a column has an empty name";
    if (at->find('\0') != std::string_view::npos)
      return "the name of a column has a NUL byte in it";
    if (std::find(columns.begin(), at, *at) != at) return "a column is named twice";
  }
  return {};
}

std::string_view objection_to_key(const InsertOptions& options,
                                  std::span<const std::string_view> columns) {
  const auto is_column = [&](std::string_view name) {
    return std::find(columns.begin(), columns.end(), name) != columns.end();
  };
  if (options.on_conflict != OnConflict::update) {
    return options.key.empty() ? "" : "a key is for OnConflict::update only: leave it out";
  }
  if (options.key.empty()) return "OnConflict::update wants the columns of a unique key";
  if (const std::string_view why = objection_to(options.key); !why.empty()) return why;
  if (!std::all_of(options.key.begin(), options.key.end(), is_column)) {
    return "a column of the key is not among the columns";
  }
  if (options.key.size() == columns.size()) {
    return "all columns are the key, so there is nothing to update: take OnConflict::skip";
  }
  return {};
}

// Names as the ABI wants them; points into what it was made of.
struct Names {
  std::vector<std::string> parts;
  std::vector<weir_text> table;
  std::vector<weir_text> columns;
  std::vector<weir_text> key;

  static std::vector<weir_text> texts(const auto& names) {
    std::vector<weir_text> all;
    all.reserve(names.size());
    for (const auto& name : names) all.push_back({name.data(), name.size()});
    return all;
  }
  [[nodiscard]] weir_insert_args args(OnConflict on_conflict) const {
    weir_insert_args args{};
    args.table = table.data();
    args.columns = columns.data();
    args.key = key.data();
    args.table_parts = static_cast<std::uint32_t>(table.size());
    args.column_count = static_cast<std::uint32_t>(columns.size());
    args.key_count = static_cast<std::uint32_t>(key.size());
    args.on_conflict = static_cast<std::int32_t>(on_conflict);
    return args;
  }
};

Result<Names> check_names(std::string_view table, std::span<const std::string_view> columns,
                          const InsertOptions& options) {
  Names names;
  names.parts = parts_of(table);
  if (names.parts.empty() || table.find('\0') != std::string_view::npos) {
    return refuse(table, "that is no name of a table: table, schema.table, or with double quotes");
  }
  if (columns.empty()) return refuse(table, "no columns are named");
  if (const auto why = objection_to(columns); !why.empty()) return refuse(table, why);
  if (const auto why = objection_to_key(options, columns); !why.empty()) return refuse(table, why);
  names.table = Names::texts(names.parts);
  names.columns = Names::texts(columns);
  names.key = Names::texts(options.key);
  return names;
}

// ---------------------------------------------------------------- execute_many

// What to say of the rows of one chunk that failed. `first`: its place in the batch.
Error explain(const Error& error, std::optional<std::uint64_t> row, std::uint64_t done,
              bool in_transaction) {
  std::string note = row ? fmt::format("; row {} of the batch, counted from 0", *row) : "";
  const DatabaseError* const facts = error.database();
  const bool undone = facts != nullptr && facts->tx_fate == WEIR_TX_GONE;
  note += fmt::format("; {} rows were run before{}", done,
                      !in_transaction ? ", and stay"
                      : undone        ? ", in the transaction, which is undone"
                                      : ", in the open transaction");
  return Error(error, ManyReport{row, in_transaction ? 0 : done}, note);
}

Result<ExecutedMany> run(const detail::SessionRef& ref, Session& session, std::string_view sql,
                         detail::RowSource& rows) {
  const bool in_transaction = session.in_transaction();
  ExecutedMany all;
  std::optional<std::uint64_t> row;
  const auto failed = [&](const Error& error) {
    return fail(explain(error, row, all.rows, in_transaction));
  };
  while (!rows.at_end()) {
    rows.pull(execute_chunk_rows);
    if (auto again = Session::of(ref); !again) return failed(again.error());
    if (auto good = runtime::check_sizes(rows, all.rows, row); !good) return failed(good.error());
    if (rows.rows() > 0) {
      weir_many_out done{};
      const auto ran =
          session.execute_many(ref.deadline, sql, {rows.cells(), rows.rows(), rows.width()}, done);
      all.affected += done.affected;
      all.rows += ran ? rows.rows() : std::min(done.rows_done, rows.rows());
      if (!ran) {
        // None done: the first one, or a statement like COPY that is about all of them.
        const bool told = done.rows_done > 0 || rows.rows() == 1;
        if (told && runtime::is_about_a_row(ran.error())) row = all.rows;
        return failed(ran.error());
      }
    }
    if (!rows.misfit()) continue;
    row = all.rows;
    return failed(Error(
        Code::invalid_argument,
        fmt::format("a row has {} values, and those before it {}", *rows.misfit(), rows.width())));
  }
  return all;
}

}  // namespace

Result<ExecutedMany> Connection::execute_rows(Sql sql, detail::RowSource& rows) {
  return with_session(ref_, [&](Session& s) {
    return call(s, ref_, {CallKind::execute_many, sql.text(), sql.site()},
                [&](std::string_view text) { return run(ref_, s, text, rows); });
  });
}

Result<Inserted> Connection::insert_rows(std::string_view table,
                                         std::span<const std::string_view> columns,
                                         detail::RowSource& rows, const InsertOptions& options) {
  return with_session(ref_, [&](Session& s) -> Result<Inserted> {
    auto names = check_names(table, columns, options);
    if (!names) return fail(std::move(names).error());
    if (rows.width() == 0) rows.set_width(columns.size());
    if (rows.width() != columns.size()) {
      return refuse(table, fmt::format("each row has {} values, and there are {} columns",
                                       rows.width(), columns.size()));
    }
    const weir_insert* driver = s.insert_extension();
    if (driver == nullptr) {
      return fail(Code::unsupported,
                  fmt::format("the driver {} has no insert_many of its own: give execute_many an "
                              "INSERT with the rows",
                              s.driver().name()));
    }
    const weir_insert_args args = names->args(options.on_conflict);
    return call(s, ref_, {.kind = CallKind::insert_many, .table = table}, [&](std::string_view) {
      return Insertion(ref_, *driver, args, rows, options).run();
    });
  });
}

}  // namespace weir
