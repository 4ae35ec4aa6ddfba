// SPDX-License-Identifier: MIT
//
// The text format, because every type has one and only the server knows which types the columns
// are: https://www.postgresql.org/docs/15/sql-copy.html, "File Formats".
#include "backends/postgres/copy.hpp"

#include "backends/postgres/params.hpp"
#include "backends/postgres/statements.hpp"

#include <algorithm>
#include <charconv>

namespace weir::postgres {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;  // handed to libpq at once

void append_text(std::string& row, std::string_view text) {
  for (;;) {
    const std::size_t plain = text.find_first_of("\\\t\n\r");
    row += text.substr(0, plain);
    if (plain == std::string_view::npos) return;
    const char c = text[plain];
    row += '\\';
    row += c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c;
    text.remove_prefix(plain + 1);
  }
}

void append_cell(std::string& row, const weir_cell& cell) {
  switch (cell.type) {
    case WEIR_T_NULL:
      row += "\\N";
      break;
    case WEIR_T_INT64:
    case WEIR_T_UINT64:
    case WEIR_T_DOUBLE:
    case WEIR_T_BOOL:
      append_digits(row, cell);
      break;
    default: {
      const std::string_view bytes(static_cast<const char*>(cell.v.p), cell.size);
      if (cell.type == WEIR_T_BLOB) {
        row += '\\';  // the text form has a backslash of its own, which COPY wants doubled
        append_hex(row, bytes);
      } else {
        append_text(row, bytes);
      }
    }
  }
}

// How a conversation went. `how` other than ready: nobody knows what became of it.
struct Went {
  Waited how = Waited::ready;
  weir_status refused = WEIR_OK;  // by this side: the server is told to forget it all
  std::string why;
};

// In slices: a message of the protocol has no room for a row of a gigabyte, and need not hold one.
Waited send_piece(Conn& conn, std::string& piece) {
  constexpr std::size_t slice_max = std::size_t{16} << 20U;
  for (std::string_view rest = piece; !rest.empty();) {
    const std::size_t size = std::min(rest.size(), slice_max);
    const int taken = PQputCopyData(conn.pg, rest.data(), static_cast<int>(size));
    if (taken < 0) return Waited::lost;
    if (taken > 0) rest.remove_prefix(size);
    if (const Waited how = conn.flush(); how != Waited::ready) return how;
  }
  piece.clear();
  return Waited::ready;
}

Went send_rows(Conn& conn, const weir_many_args& args) {
  std::string& piece = conn.scratch;
  piece.clear();
  for (std::uint64_t i = 0; i < args.row_count; ++i) {
    const weir_cell* row = args.cells + i * args.row_stride;
    for (std::uint32_t column = 0; column < args.param_count; ++column) {
      const Objection objection = object_to(row[column]);
      if (objection.kind != WEIR_OK) {
        return {Waited::ready, objection.kind,
                "row " + std::to_string(i + 1) + ": value " + std::to_string(column + 1) + " " +
                    std::string(objection.text)};
      }
      if (column > 0) piece += '\t';
      append_cell(piece, row[column]);
    }
    piece += '\n';
    if (piece.size() < piece_bytes) continue;
    const Waited how = send_piece(conn, piece);
    if (how != Waited::ready || conn.gate->cancelled()) return {how, WEIR_OK, {}};
  }
  return {piece.empty() ? Waited::ready : send_piece(conn, piece), WEIR_OK, {}};
}

Went check_columns(const PGresult* answer, const weir_many_args& args) {
  const auto columns = static_cast<std::uint32_t>(PQnfields(answer));
  if (PQbinaryTuples(answer) != 0) {
    return {Waited::ready, WEIR_E_UNSUPPORTED, "COPY BINARY: the driver writes the text format"};
  }
  if (columns == args.param_count) return {};
  return {Waited::ready, WEIR_E_INVALID_ARGUMENT,
          "the COPY has " + std::to_string(columns) + " columns, but " +
              std::to_string(args.param_count) + " values were given for each row"};
}

// Ends it, in peace or with a complaint, and reads the answer.
Waited end_copy(Conn& conn, const Went& went, Answer& last) {
  const char* complaint = went.refused != WEIR_OK ? went.why.c_str() : nullptr;
  for (int ended = 0; ended == 0;) {
    ended = PQputCopyEnd(conn.pg, complaint);
    if (ended < 0) return Waited::lost;
    if (const Waited how = conn.flush(); how != Waited::ready) return how;
  }
  const Waited how = conn.finish(&last);
  conn.tell_notifications();
  return how;
}

}  // namespace

weir_status copy_in(Conn& conn, const weir_many_args& args, weir_many_out& done,
                    weir_error* error) {
  if (args.stmt != nullptr) {
    return conn.refuse(error, WEIR_E_UNSUPPORTED,
                       {"a COPY cannot be prepared: give its text with the rows"});
  }
  if (PQsendQueryParams(conn.pg, conn.sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) == 0) {
    return conn.lost(WEIR_EFFECT_UNKNOWN, error);
  }
  Answer answer;
  Went went{conn.flush(), WEIR_OK, {}};
  if (went.how == Waited::ready) went.how = conn.next(answer);
  if (went.how != Waited::ready) return conn.give_up(went.how, error);
  if (PQresultStatus(answer.get()) == PGRES_COPY_IN) {
    went = check_columns(answer.get(), args);
    if (went.refused == WEIR_OK) went = send_rows(conn, args);
    // The server may have ignored the cancel, and would store the rows that it has got.
    if (went.refused == WEIR_OK && conn.gate->cancelled()) {
      went.refused = WEIR_E_CANCELLED;
      went.why = "the call was cancelled";
    }
    answer.reset();
    if (went.how == Waited::ready) went.how = end_copy(conn, went, answer);
  } else {
    went.how = conn.finish(nullptr);
  }
  if (went.how != Waited::ready) return conn.give_up(went.how, error);
  if (went.refused != WEIR_OK) {
    Facts facts{.kind = went.refused, .stage = conn.stage};
    facts.effect = WEIR_EFFECT_DEFINITE;
    facts.tx_fate = conn.tx_fate();
    return fail(error, facts, {went.why});
  }
  if (answer == nullptr) return conn.give_up(Waited::lost, error);
  if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK) return conn.report(error, answer.get());
  done.rows_done = args.row_count;
  const std::string_view count = PQcmdTuples(answer.get());
  // No count, no rows: the tag of a COPY has one.
  std::from_chars(count.data(), count.data() + count.size(), done.affected);
  return WEIR_OK;
}

}  // namespace weir::postgres
