// SPDX-License-Identifier: MIT
//
// insert.cpp: weir.insert/1. Where a conflict is an error, by COPY. COPY knows no ON CONFLICT;
// there the rows go as one array per column:
//
//   INSERT INTO t (a, b) SELECT c1, CAST(c2 AS int[])
//   FROM ROWS FROM (unnest($1::bigint[]), unnest($2::text[])) AS r(c1, c2) ON CONFLICT ...
//
// which takes a third less time than VALUES with as many parameters, has no limit on rows, and
// unlike COPY into a temporary table leaves no trace in the session and no dead rows in the
// catalogue. The price is a question for the types of the columns. An array that unnest would take
// apart further (of arrays, of composites) travels as text and is cast, row by row.
#include "backends/common/insert_sql.hpp"
#include "backends/postgres/calls.hpp"
#include "backends/postgres/params.hpp"
#include "backends/postgres/statements.hpp"

namespace weir::postgres {
namespace {

// A further chunk costs the server about a millisecond: a savepoint, a COPY or a question for the
// types, and what each begins anew. That is as much as a thousand rows.
constexpr std::uint32_t rows_best = 32'000;

// Types of columns of a table, in the order of their names: the type, and the type of an array of
// it where unnest gives back what went in. -1: without length or precision, and of a domain the
// type beneath: assignment checks what both of them demand; a cast would cut to the length.
constexpr std::string_view types_sql =
    "SELECT pg_catalog.format_type(t.oid, -1), CASE WHEN t.typtype = 'b' AND t.typcategory <> 'A' "
    "AND t.typdelim = ',' AND t.typarray <> 0 THEN pg_catalog.format_type(t.typarray, -1) END "
    "FROM pg_catalog.unnest($2::pg_catalog.text[]) WITH ORDINALITY AS c(name, place) "
    "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = pg_catalog.to_regclass($1) AND "
    "a.attname = c.name LEFT JOIN LATERAL (WITH RECURSIVE beneath(oid) AS (SELECT a.atttypid "
    "UNION ALL SELECT d.typbasetype FROM beneath JOIN pg_catalog.pg_type d ON d.oid = beneath.oid "
    "WHERE d.typtype = 'd') SELECT oid FROM beneath) base ON true LEFT JOIN pg_catalog.pg_type t "
    "ON t.oid = base.oid WHERE t.typtype IS DISTINCT FROM 'd' ORDER BY c.place";

// ---------------------------------------------------------------- arrays

void append_quoted(std::string& array, std::string_view text) {
  array += '"';
  for (;;) {
    const std::size_t plain = text.find_first_of("\\\"");
    array += text.substr(0, plain);
    if (plain == std::string_view::npos) break;
    array += '\\';
    array += text[plain];
    text.remove_prefix(plain + 1);
  }
  array += '"';
}

void append_element(std::string& array, const weir_cell& cell) {
  switch (cell.type) {
    case WEIR_T_NULL:
      array += "NULL";
      break;
    case WEIR_T_INT64:
    case WEIR_T_UINT64:
    case WEIR_T_DOUBLE:
    case WEIR_T_BOOL:
      append_digits(array, cell);
      break;
    case WEIR_T_BLOB:
      array += "\"\\";  // the text form of bytea, \x6162, with its backslash doubled
      append_hex(array, {static_cast<const char*>(cell.v.p), cell.size});
      array += '"';
      break;
    default:
      append_quoted(array, {static_cast<const char*>(cell.v.p), cell.size});
  }
}

// One array per column, as text. Refuses what cannot be sent.
weir_status make_arrays(const Conn& conn, const weir_insert_args& args,
                        std::vector<std::string>& arrays, weir_error* error) {
  arrays.assign(args.column_count, "{");
  std::size_t bytes = 0;
  for (std::uint64_t row = 0; row < args.row_count; ++row) {
    const weir_cell* cells = args.cells + row * args.row_stride;
    for (std::uint32_t column = 0; column < args.column_count; ++column) {
      const Objection objection = object_to(cells[column]);
      if (objection.kind != WEIR_OK) {
        return conn.refuse(error, objection.kind,
                           {"value ", std::to_string(column + 1), " ", objection.text});
      }
      std::string& array = arrays[column];
      const std::size_t before = array.size();
      if (row > 0) array += ',';
      append_element(array, cells[column]);
      bytes += array.size() - before;
      if (bytes > message_max) {
        return conn.refuse(error, WEIR_E_DATA,
                           {"the rows are together larger than PostgreSQL takes, 1 GiB"});
      }
    }
  }
  for (std::string& array : arrays) array += '}';
  return WEIR_OK;
}

// ---------------------------------------------------------------- talking

// Sends a statement whose parameters are text that the statement itself casts, and reads to its
// end. The statement is in conn.sql.
weir_status ask(Conn& conn, const std::vector<const char*>& params, Answer& answer,
                weir_error* error) {
  if (conn.gate->cancelled()) {
    return conn.refuse(error, WEIR_E_CANCELLED, {"the call was cancelled between two statements"});
  }
  if (PQsendQueryParams(conn.pg, conn.sql.c_str(), static_cast<int>(params.size()), nullptr,
                        params.data(), nullptr, nullptr, 0) == 0) {
    if (PQstatus(conn.pg) == CONNECTION_BAD) return conn.lost(WEIR_EFFECT_UNKNOWN, error);
    return conn.refuse(error, WEIR_E_NOMEM,
                       {"the statement could not be sent: ", PQerrorMessage(conn.pg)});
  }
  Waited how = conn.flush();
  if (how == Waited::ready) how = conn.finish(&answer);
  conn.tell_notifications();
  if (how != Waited::ready) return conn.give_up(how, error);
  if (answer == nullptr) return conn.lost(WEIR_EFFECT_UNKNOWN, error);
  if (PQresultStatus(answer.get()) == PGRES_FATAL_ERROR) return conn.report(error, answer.get());
  return WEIR_OK;
}

std::string array_of_names(const weir_insert_args& args) {
  std::string array = "{";
  for (std::uint32_t i = 0; i < args.column_count; ++i) {
    if (i > 0) array += ',';
    append_quoted(array, backend::view(args.columns[i]));
  }
  return array += '}';
}

// `types`: the answer to types_sql. A column, or table, that is not there becomes text: the server
// will say so in its own words.
std::string insert_sql(const weir_insert_args& args, const PGresult* types) {
  std::string values;
  std::string arrays;
  std::string names;
  for (std::uint32_t i = 0; i < args.column_count; ++i) {
    const int row = static_cast<int>(i);
    const std::string_view comma = i > 0 ? ", " : "";
    const std::string name = "c" + std::to_string(i + 1);
    const bool plain = PQgetisnull(types, row, 1) == 0;
    const bool known = PQgetisnull(types, row, 0) == 0;
    values.append(comma);
    if (plain || !known) {
      values += name;
    } else {
      values.append("CAST(").append(name).append(" AS ").append(PQgetvalue(types, row, 0)) += ')';
    }
    arrays.append(comma).append("pg_catalog.unnest($").append(std::to_string(i + 1)).append("::");
    arrays.append(plain ? PQgetvalue(types, row, 1) : "pg_catalog.text[]") += ')';
    names.append(comma).append(name);
  }
  return "INSERT INTO " + backend::quoted_table(args, '"') + " (" +
         backend::quoted_list(args.columns, args.column_count, '"') + ") SELECT " + values +
         " FROM ROWS FROM (" + arrays + ") AS r(" + names + ")" + backend::on_conflict_clause(args);
}

// What the text may do to the session is known: it is ours.
weir_status take(Conn& conn, std::string_view sql, weir_error* error) {
  Run run;
  if (const auto bad = choose(conn, backend::text(sql), nullptr, run, error)) return bad;
  conn.used = true;
  return WEIR_OK;
}

weir_status insert_arrays(Conn& conn, const weir_insert_args& args, std::uint64_t& stored,
                          weir_error* error) {
  std::vector<std::string> arrays;
  if (const auto bad = take(conn, types_sql, error)) return bad;
  if (const auto bad = make_arrays(conn, args, arrays, error)) return bad;
  if (const auto bad = check_alive(conn, error)) return bad;
  const std::string table = backend::quoted_table(args, '"');
  const std::string names = array_of_names(args);
  Answer types;
  if (const auto bad = ask(conn, {table.c_str(), names.c_str()}, types, error)) return bad;
  if (const auto bad = take(conn, insert_sql(args, types.get()), error)) return bad;
  std::vector<const char*> params;
  params.reserve(arrays.size());
  for (const std::string& array : arrays) params.push_back(array.c_str());
  Answer done;
  if (const auto bad = ask(conn, params, done, error)) return bad;
  stored = 0;
  changed_rows(done.get(), stored);
  return WEIR_OK;
}

weir_status copy_rows(weir_conn* handle, const weir_call* call, const weir_insert_args& args,
                      std::uint64_t& stored, weir_error* error) {
  const std::string sql = "COPY " + backend::quoted_table(args, '"') + " (" +
                          backend::quoted_list(args.columns, args.column_count, '"') +
                          ") FROM STDIN";
  weir_many_args many{};
  many.struct_size = sizeof many;
  many.sql = backend::text(sql);
  many.cells = args.cells;
  many.row_count = args.row_count;
  many.param_count = args.column_count;
  many.row_stride = args.row_stride;
  weir_many_out done{};
  done.struct_size = sizeof done;
  const weir_status status = execute_many(handle, call, &many, &done, error);
  stored = done.affected;  // a trigger may have dropped some
  return status;
}

}  // namespace

weir_status insert_rows(weir_conn* handle, const weir_call* call, const weir_insert_args* raw,
                        weir_insert_out* out, weir_error* error) {
  Conn& conn = conn_of(handle);
  const weir_insert_args args = backend::read_in(raw);
  weir_insert_out done{};
  if (args.on_conflict == WEIR_CONFLICT_FAIL && args.must_understand == 0) {
    if (const auto bad = copy_rows(handle, call, args, done.stored, error)) return bad;
  } else {
    Op op(conn, call, WEIR_STAGE_EXECUTE, error);
    if (op.status() != WEIR_OK) return op.status();
    const Facts facts{.stage = WEIR_STAGE_EXECUTE, .tx_fate = conn.tx_fate()};
    if (const auto bad =
            backend::check_bits(args.must_understand, "weir_insert_args", facts, error)) {
      return bad;
    }
    if (const auto bad = insert_arrays(conn, args, done.stored, error)) return bad;
  }
  backend::write_out(out, done);
  return WEIR_OK;
}

const weir_insert insert_extension = {sizeof(weir_insert), rows_best,
                                      backend::guarded<&insert_rows>};

}  // namespace weir::postgres
