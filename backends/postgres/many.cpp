// SPDX-License-Identifier: MIT
//
// many.cpp: one statement for many rows, in the pipeline: rows are sent without waiting for the
// answers to those before.
//
// Outside a transaction each row is to stay, whatever becomes of the later ones; but what lies
// between two synchronisation points of the pipeline is one transaction to the server. So rows go
// in chunks of one transaction each, and a chunk that fails, which leaves nothing behind, is run
// again row by row up to the row that fails. Inside a transaction the first failure makes all of it
// fail.
#include "backends/postgres/calls.hpp"
#include "backends/postgres/copy.hpp"
#include "backends/postgres/params.hpp"
#include "backends/postgres/statements.hpp"

namespace weir::postgres {
namespace {

constexpr std::uint64_t chunk_rows = 256;
constexpr std::size_t chunk_bytes = 256 * 1024;

struct Many {
  Conn& conn;
  const weir_many_args& args;
  Run& run;
  weir_many_out& done;
  weir_error* error;

  const weir_cell* row(std::uint64_t i) const {
    return args.cells == nullptr ? nullptr : args.cells + i * args.row_stride;
  }
};

// The types of the unnamed statement that was last parsed in the pipeline.
bool fits(const std::vector<Oid>& parsed, const Params& params) {
  if (parsed.size() != static_cast<std::size_t>(params.count())) return false;
  for (std::size_t i = 0; i < parsed.size(); ++i) {
    const bool null = params.values()[i] == nullptr;
    if (!null && parsed[i] != params.types()[i]) return false;
  }
  return true;
}

struct Chunk {
  std::uint64_t rows = 0;         // sent
  weir_status refused = WEIR_OK;  // the row after the last one cannot be sent
  bool given_up = false;          // what became of its rows is not known
  std::uint64_t executed = 0;
  std::uint64_t affected = 0;
  Answer failed;  // the first error
};

// Sends rows from done.rows_done on. False: the client library could not.
bool send_chunk(const Many& many, std::uint64_t rows_max, Chunk& chunk) {
  Conn& conn = many.conn;
  const Stmt* stmt = many.run.stmt;
  std::vector<Oid> parsed;
  Params& params = conn.params;
  std::size_t bytes = 0;
  bool first = true;
  while (chunk.rows < rows_max && bytes < chunk_bytes &&
         many.done.rows_done + chunk.rows < many.args.row_count) {
    chunk.refused = params.take(conn, many.row(many.done.rows_done + chunk.rows),
                                many.args.param_count, many.error);
    if (chunk.refused != WEIR_OK) break;
    const weir_cell* cells = many.row(many.done.rows_done + chunk.rows);
    if (stmt != nullptr) {
      if (!is_ready(conn, *stmt, cells, many.args.param_count))
        break;  // of another type: next chunk
    } else if (first || !fits(parsed, params)) {
      parsed.assign(params.types(), params.types() + params.count());
      if (PQsendPrepare(conn.pg, "", conn.sql.c_str(), params.count(), params.types()) == 0)
        return false;
      first = false;
    }
    if (PQsendQueryPrepared(conn.pg, stmt == nullptr ? "" : stmt->name.c_str(), params.count(),
                            params.values(), params.lengths(), params.formats(), 0) == 0) {
      return false;
    }
    bytes += params.bytes() + 64;
    ++chunk.rows;
    if (bytes < chunk_bytes / 4) continue;
    // What the kernel takes now need not be kept; what it does not is flushed below.
    if (PQflush(conn.pg) < 0) return false;
  }
  return PQpipelineSync(conn.pg) == 1;
}

// Reads the answers up to the synchronisation point.
Waited read_chunk(Conn& conn, Chunk& chunk) {
  if (const Waited how = conn.flush(); how != Waited::ready) return how;
  for (;;) {
    Answer answer;
    if (const Waited how = conn.next(answer); how != Waited::ready) return how;
    if (answer == nullptr) {
      if (PQstatus(conn.pg) == CONNECTION_BAD) return Waited::lost;
      continue;  // between two statements
    }
    switch (PQresultStatus(answer.get())) {
      case PGRES_PIPELINE_SYNC:
        return Waited::ready;
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK: {
        const std::string_view tag = PQcmdStatus(answer.get());
        if (tag.empty()) break;  // parsed
        note_tag(conn, answer.get());
        std::uint64_t rows = 0;
        if (changed_rows(answer.get(), rows)) chunk.affected += rows;
        ++chunk.executed;
        break;
      }
      case PGRES_PIPELINE_ABORTED:
        break;
      case PGRES_COPY_IN:
      case PGRES_COPY_OUT:
      case PGRES_COPY_BOTH:
        // Refused before it was sent, as far as a text tells. The pipeline has no way out of one:
        // the library would answer this again and again.
        return Waited::lost;
      default:
        if (PQstatus(conn.pg) == CONNECTION_BAD) return Waited::lost;
        if (chunk.failed == nullptr) chunk.failed = std::move(answer);
        break;
    }
  }
}

// One chunk, sent and answered. WEIR_OK with `failed` set: the server refused one of its rows.
weir_status run_chunk(const Many& many, std::uint64_t rows_max, Chunk& chunk) {
  Conn& conn = many.conn;
  if (many.run.stmt != nullptr) {
    if (const auto bad = make_ready(conn, *many.run.stmt, many.row(many.done.rows_done),
                                    many.args.param_count, many.error)) {
      return bad;
    }
  }
  // Also after each chunk: it may have ended before the cancel came to it.
  if (conn.gate->cancelled()) {
    return conn.refuse(many.error, WEIR_E_CANCELLED, {"the call was cancelled between two rows"});
  }
  if (PQenterPipelineMode(conn.pg) == 0) return conn.lost(WEIR_EFFECT_UNKNOWN, many.error);
  const bool sent = send_chunk(many, rows_max, chunk);
  Waited how = sent ? read_chunk(conn, chunk) : Waited::lost;
  if (how == Waited::ready && PQexitPipelineMode(conn.pg) == 0) how = Waited::lost;
  if (how == Waited::ready) return chunk.refused;
  chunk.given_up = true;
  return conn.give_up(how, many.error);
}

weir_status run_all(const Many& many) {
  Conn& conn = many.conn;
  // A procedure may commit in the midst of a chunk.
  std::uint64_t rows_max =
      many.run.traits.verb == Verb::code && !conn.in_tx_before ? 1 : chunk_rows;
  bool sent = false;
  bool remade = false;
  while (many.done.rows_done < many.args.row_count) {
    Chunk chunk;
    weir_status status = run_chunk(many, rows_max, chunk);
    sent = sent || chunk.rows > 0;
    if (status != WEIR_OK && sent) backend::tell_of_earlier_rows(many.error);
    if (chunk.given_up) return status;
    if (chunk.failed != nullptr) status = conn.report(many.error, chunk.failed.get());
    const bool undone = chunk.failed != nullptr && !conn.in_tx_before;
    const bool stale = status != WEIR_OK && forget_stale(conn, many.run);
    if (undone && stale && !remade) {
      remade = true;
      continue;
    }
    if (undone && !conn.broken && chunk.rows > 1) {
      rows_max = 1;  // find the row
      continue;
    }
    if (!undone) {
      many.done.rows_done += chunk.executed;
      many.done.affected += chunk.affected;
    }
    if (status != WEIR_OK) return status;
  }
  return WEIR_OK;
}

weir_status check_many(const Conn& conn, const weir_many_args& args, const Run& run,
                       weir_error* error) {
  if (run.traits.verb == Verb::copy && !run.traits.copies_in) {
    return conn.refuse(error, WEIR_E_UNSUPPORTED,
                       {"of COPY, many rows fit COPY ... FROM STDIN, without options: the format "
                        "is the driver's affair"});
  }
  // The columns of a COPY are known when the server has answered.
  if (!run.traits.copies_in) {
    if (const auto bad = check_count(conn, run, args.param_count, error)) return bad;
  }
  if (args.cells == nullptr && args.row_count > 0 && args.param_count > 0) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT, {"there are no values to bind"});
  }
  return WEIR_OK;
}

}  // namespace

weir_status execute_many(weir_conn* handle, const weir_call* call, const weir_many_args* raw,
                         weir_many_out* out, weir_error* error) {
  Conn& conn = conn_of(handle);
  const weir_many_args args = backend::read_in(raw);
  Op op(conn, call, WEIR_STAGE_EXECUTE, error);
  if (op.status() != WEIR_OK) return op.status();
  const Facts facts{.stage = WEIR_STAGE_EXECUTE, .tx_fate = conn.tx_fate()};
  if (const auto bad = backend::check_bits(args.must_understand, "weir_many_args", facts, error)) {
    return bad;
  }
  weir_many_out done{};
  Run run;
  weir_status status = choose(conn, args.sql, args.stmt, run, error);
  if (status == WEIR_OK) status = check_many(conn, args, run, error);
  if (status == WEIR_OK) status = check_alive(conn, error);
  if (status == WEIR_OK) {
    note_sent(conn, run.traits);
    try {
      status = run.traits.copies_in ? copy_in(conn, args, done, error)
                                    : run_all({conn, args, run, done, error});
    } catch (...) {  // no memory, in the midst of a conversation that nobody will end
      conn.broken = true;
      throw;
    }
  }
  if (status == WEIR_OK && run.traits.chains) conn.forget_tx();
  backend::write_out(out, done);
  return status;
}

}  // namespace weir::postgres
