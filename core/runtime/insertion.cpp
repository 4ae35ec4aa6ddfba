// SPDX-License-Identifier: MIT
//
// A statement that takes many rows says that one of them was wrong, not which; and what it says
// about the place, where it does, each database says in another way. So the rows are tried again by
// halves: in all about as much work as the chunk was, spent only when something was wrong. It also
// makes two rows with one key, which PostgreSQL refuses to update in one statement, two statements.
#include "core/runtime/insertion.hpp"

#include <limits>

#include <fmt/format.h>

namespace weir::runtime {

namespace {

std::uint64_t chunk_rows(const InsertOptions& options, const weir_insert& driver) noexcept {
  if (options.chunk_rows != 0) return options.chunk_rows;
  return driver.rows_best != 0 ? driver.rows_best : 8000;
}

}  // namespace

bool is_about_a_row(const Error& error) noexcept {
  const DatabaseError* facts = error.database();
  if (facts == nullptr || facts->conn_fate != WEIR_CONN_USABLE || facts->tx_fate == WEIR_TX_GONE) {
    return false;
  }
  switch (facts->kind) {
    case WEIR_E_CONSTRAINT:
    case WEIR_E_DATA:
    case WEIR_E_INVALID_ARGUMENT:
    case WEIR_E_OTHER:  // what a trigger raises
      return true;
    default:
      return false;
  }
}

Result<void> check_sizes(const detail::RowSource& rows, std::uint64_t first,
                         std::optional<std::uint64_t>& row) {
  constexpr std::uint32_t marker = std::numeric_limits<std::uint32_t>::max();
  if (rows.bytes() < marker) return {};
  for (std::size_t i = 0; i < rows.cells().size(); ++i) {
    const weir_cell& cell = rows.cells()[i];
    if (!detail::has_bytes(cell) || cell.size != marker) continue;
    row = first + i / rows.width();
    return weir::fail(Code::invalid_argument,
                      fmt::format("value {} is of 4 GiB or more", i % rows.width() + 1));
  }
  return {};
}

Insertion::Insertion(const detail::SessionRef& ref, const weir_insert& driver,
                     const weir_insert_args& names, detail::RowSource& rows,
                     const InsertOptions& options)
    : ref_(ref),
      session_(*ref.session),
      driver_(driver),
      names_(names),
      rows_(rows),
      chunk_rows_(chunk_rows(options, driver)),
      inside_(session_.in_transaction()),
      whole_(options.one_transaction || inside_) {}

Insertion::~Insertion() {
  if (open_) undo(nullptr);
}

Result<Inserted> Insertion::run() {
  if (auto done = store_all(); !done) return weir::fail(explain(done.error()));
  return Inserted{stored_, done_ - stored_};
}

Result<void> Insertion::store_all() {
  for (;;) {
    const bool end = rows_.at_end();
    // The caller's range may have ended the lease.
    if (auto session = Session::of(ref_); !session) return weir::fail(std::move(session).error());
    if (end) break;
    if (whole_ && !open_) {
      if (auto begun = begin(); !begun) return begun;
    }
    const std::uint64_t before = session_.last_number();
    rows_.pull(chunk_rows_);
    if (auto good = check_chunk(); !good) return good;
    // What the range did with the connection is not ours to take back.
    if (open_ && session_.last_number() != before) at_start_ = false;
    if (!open_) {  // not before the rows were there: a lock is held for no longer than need be
      if (auto begun = begin(); !begun) return begun;
    }
    if (auto stored = store(0, rows_.rows()); !stored) return stored;
    done_ += rows_.rows();
    if (whole_) continue;
    if (auto committed = commit(); !committed) return committed;
  }
  if (!open_) return {};
  return commit();
}

Result<void> Insertion::check_chunk() {
  if (auto session = Session::of(ref_); !session) return weir::fail(std::move(session).error());
  // A savepoint without a transaction is one of its own in SQLite, and nothing in MySQL.
  if (open_ && !session_.in_transaction()) {
    return weir::fail(Code::invalid_state,
                      "the transaction that the rows are stored in was ended while they were read");
  }
  if (rows_.misfit()) {
    row_ = done_ + rows_.rows();
    return weir::fail(Code::invalid_argument,
                      fmt::format("a row has {} values, and there are {} columns", *rows_.misfit(),
                                  names_.column_count));
  }
  return check_sizes(rows_, done_, row_);
}

Result<void> Insertion::store(std::uint64_t first, std::uint64_t count) {
  // Before the first rows the start of the transaction will do, which saves two round trips.
  const std::uint64_t mark = at_start_ ? 0 : session_.next_mark();
  if (mark != 0) {
    if (auto set = savepoint("SAVEPOINT", mark, ref_.deadline); !set) return set;
  }
  const Session::Many chunk{rows_.cells(), rows_.rows(), rows_.width()};
  auto stored = session_.insert(ref_.deadline, driver_, names_, chunk.part(first, count));
  if (stored) {
    at_start_ = false;
    stored_ += *stored;
    return mark == 0 ? Result<void>() : savepoint("RELEASE SAVEPOINT", mark, ref_.deadline);
  }
  const Error failed = std::move(stored).error();
  if (!is_about_a_row(failed)) return weir::fail(failed);
  if (count == 1) {
    row_ = done_ + first;
    return weir::fail(failed);
  }
  auto back = mark == 0 ? restart() : savepoint("ROLLBACK TO SAVEPOINT", mark, ref_.deadline);
  if (back && mark != 0) back = savepoint("RELEASE SAVEPOINT", mark, ref_.deadline);
  if (!back) return weir::fail(failed);
  if (auto half = store(first, count / 2); !half) return half;
  return store(first + count / 2, count - count / 2);
}

Result<void> Insertion::begin() {
  scope_ = inside_ ? session_.next_mark() : 0;
  auto begun = inside_ ? savepoint("SAVEPOINT", scope_, ref_.deadline)
                       : session_.begin(ref_.deadline, TransactionOptions{});
  open_ = begun.has_value();
  at_start_ = true;
  return begun;
}

Result<void> Insertion::commit() {
  auto ended = inside_ ? savepoint("RELEASE SAVEPOINT", scope_, ref_.deadline)
                       : session_.commit(ref_.deadline);
  if (!ended) return ended;
  open_ = false;
  if (!inside_) committed_ = done_;
  return {};
}

Result<void> Insertion::restart() {
  if (inside_) return savepoint("ROLLBACK TO SAVEPOINT", scope_, ref_.deadline);
  if (auto back = session_.rollback(ref_.deadline); !back) return back;
  return session_.begin(ref_.deadline, TransactionOptions{});
}

bool Insertion::undo(const Error* why) noexcept {
  open_ = false;
  if (Session::current(ref_) == nullptr) return true;  // the pool has undone everything
  if (!inside_) {
    // Ignored: a session whose rollback failed is closed on return, and the server rolls back.
    static_cast<void>(session_.rollback(ref_.deadline));
    return true;
  }
  // Neither a stream that the range has left open nor the end of the time for the transaction may
  // keep the rows there: as in TransactionScope::undo.
  session_.end_open_stream();
  const Session::Scopes scopes = session_.scopes();
  session_.set_scopes({scopes.count, scopes.savepoints, no_deadline});
  const Instant until = session_.clean_up_until(ref_.deadline);
  auto undone = savepoint("ROLLBACK TO SAVEPOINT", scope_, until);
  if (undone) undone = savepoint("RELEASE SAVEPOINT", scope_, until);
  session_.set_scopes(scopes);
  // A part of the batch may be in the caller's transaction, which must not be committed with it.
  if (!undone && session_.in_transaction()) session_.stop(why == nullptr ? undone.error() : *why);
  return undone.has_value();
}

Error Insertion::explain(const Error& error) {
  const DatabaseError* facts = error.database();
  const bool unknown = !inside_ && facts != nullptr && facts->stage == WEIR_STAGE_COMMIT &&
                       facts->effect == WEIR_EFFECT_UNKNOWN;
  const bool gone = inside_ && facts != nullptr && facts->tx_fate == WEIR_TX_GONE;
  const bool undone = !open_ || undo(&error) || gone;
  std::string note = row_ ? fmt::format("; row {} of the batch, counted from 0", *row_) : "";
  if (committed_ > 0) note += fmt::format("; the first {} rows are committed", committed_);
  if (unknown) {
    note += committed_ > 0 ? ", of the next ones it is not known"
                           : "; whether its rows are stored is not known";
  } else if (!undone) {
    note += "; there may be rows of the batch in the transaction, which is not committed for that";
  } else {
    note += committed_ > 0 ? ", and no others" : "; none of its rows is stored";
  }
  return Error(error, ManyReport{row_, committed_}, note);
}

Result<void> Insertion::savepoint(const char* what, std::uint64_t name, Instant deadline) {
  detail::SessionRef ref = ref_;
  ref.deadline = deadline;
  auto done = session_.execute(ref, {fmt::format("{} weir_rows_{}", what, name)});
  if (!done) return weir::fail(std::move(done).error());
  return {};
}

}  // namespace weir::runtime
