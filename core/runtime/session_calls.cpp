// SPDX-License-Identifier: MIT
//
// The leaseholder's side of a session: statements and streams.
#include "core/base/assert.hpp"
#include "core/runtime/error_buffer.hpp"
#include "core/runtime/session.hpp"

#include <algorithm>
#include <limits>

namespace weir::runtime {

namespace {

constexpr std::size_t prepared_max = 64;  // per connection

const weir_column& column_at(const weir_exec_out& out, std::size_t i) noexcept {
  const auto* first = reinterpret_cast<const char*>(out.columns);
  return *reinterpret_cast<const weir_column*>(first + i * out.column_stride);
}

std::string_view view_of(weir_text text) noexcept {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}

Columns read_columns(const weir_exec_out& out) {
  Columns columns;
  columns.names.reserve(out.column_count);
  columns.types.reserve(out.column_count);
  for (std::uint32_t i = 0; i < out.column_count; ++i) {
    const weir_column& column = column_at(out, i);
    columns.names.emplace_back(view_of(column.name));
    columns.types.emplace_back(view_of(column.native_type));
  }
  return columns;
}

bool are_of(const Columns& columns, const weir_exec_out& out) noexcept {
  if (columns.names.size() != out.column_count) return false;
  for (std::uint32_t i = 0; i < out.column_count; ++i) {
    const weir_column& column = column_at(out, i);
    if (columns.names[i] != view_of(column.name)) return false;
    if (columns.types[i] != view_of(column.native_type)) return false;
  }
  return true;
}

// Rows are read by the columns that were told: other cells than these may not be there.
bool fits(const Columns& columns, const weir_batch& batch) noexcept {
  return batch.rows == 0 || batch.columns == columns.names.size();
}

[[gnu::cold]] auto misfit(const Columns& columns, const weir_batch& batch) {
  return weir::fail(Code::driver_error, "the driver gave rows of " + std::to_string(batch.columns) +
                                            " cells in a result of " +
                                            std::to_string(columns.names.size()) +
                                            " columns; this is a fault of the driver");
}

// Into its place: a value that was put together in parts is slow to copy (Session::run).
void read_executed(const weir_exec_out& out, Executed& done) {
  if ((out.flags & WEIR_EXEC_HAS_AFFECTED) != 0) done.affected = out.affected;
  if ((out.flags & WEIR_EXEC_HAS_LAST_ID) != 0) done.last_id = out.last_id;
}

}  // namespace

Result<void> Session::run(Instant deadline, const Command& command, std::uint32_t flags,
                          Answer& answer) {
  if (auto good = ready(); !good) return good;
  const auto too_long = [](const weir_cell& cell) {
    return detail::has_bytes(cell) && cell.size == std::numeric_limits<std::uint32_t>::max();
  };
  if (std::any_of(command.params.begin(), command.params.end(), too_long)) {
    return weir::fail(Code::invalid_argument, "a parameter of 4 GiB or more");
  }
  weir_exec_args args{};
  args.struct_size = sizeof args;
  args.sql = {command.sql.data(), command.sql.size()};
  args.stmt = command.stmt;
  args.params = command.params.data();
  args.param_count = static_cast<std::uint32_t>(command.params.size());
  args.flags = flags;
  answer.out = {};
  answer.out.struct_size = sizeof answer.out;
  answer.batch = {};
  answer.batch.struct_size = sizeof answer.batch;
  ErrorBuffer error;
  const weir_call c = call(deadline);
  if (context_.driver->execute(conn_, &c, &args, &answer.out, &answer.result, &answer.batch,
                               &error.raw) != WEIR_OK) {
    return fail(failure(error, "running a statement"));
  }
  if ((flags & WEIR_EXEC_NO_ROWS) != 0) return {};
  answer.columns = columns_of(command.stmt, answer.out);
  if (fits(*answer.columns, answer.batch)) return {};
  if (answer.result != nullptr) close_result(answer.result);
  return misfit(*answer.columns, answer.batch);
}

// Those of a prepared statement are made once, and again where the database has changed them.
std::shared_ptr<const detail::SharedColumns> Session::columns_of(const weir_stmt* stmt,
                                                                 const weir_exec_out& out) {
  const auto prepared = stmt == nullptr
                            ? prepared_.end()
                            : std::find_if(prepared_.begin(), prepared_.end(),
                                           [&](const Prepared& p) { return p.stmt == stmt; });
  if (prepared == prepared_.end()) {
    return std::make_shared<const detail::SharedColumns>(read_columns(out));
  }
  if (!prepared->columns || !are_of(*prepared->columns, out)) {
    prepared->columns = std::make_shared<const detail::SharedColumns>(read_columns(out));
  }
  return prepared->columns;
}

Result<void> Session::run_to_end(Instant deadline, const Command& command, Answer& answer) {
  auto ran = run(deadline, command, WEIR_EXEC_NO_ROWS, answer);
  if (ran && answer.result != nullptr) close_result(answer.result);
  return ran;
}

Result<Rows> Session::query(const detail::SessionRef& ref, const Command& command) {
  Answer answer;
  if (auto ran = run(ref.deadline, command, 0, answer); !ran) {
    return fail(std::move(ran).error());
  }
  Rows rows(std::move(answer.columns));
  rows.append(answer.batch);
  while (answer.result != nullptr && (answer.batch.flags & WEIR_BATCH_END) == 0) {
    ErrorBuffer error;
    const weir_call c = call(ref.deadline);
    if (context_.driver->fetch(answer.result, &c, &answer.batch, &error.raw) != WEIR_OK) {
      Error why = failure(error, "reading rows");
      close_result(answer.result);
      return fail(std::move(why));
    }
    if (!fits(rows.columns(), answer.batch)) {
      close_result(answer.result);
      return misfit(rows.columns(), answer.batch);
    }
    rows.append(answer.batch);
  }
  if (answer.result != nullptr) close_result(answer.result);
  return rows;
}

Result<Executed> Session::execute(const detail::SessionRef& ref, const Command& command) {
  Result<Executed> done;
  Answer answer;
  if (auto ran = run_to_end(ref.deadline, command, answer)) {
    read_executed(answer.out, *done);
  } else {
    done = fail(std::move(ran).error());
  }
  return done;
}

Result<Stream> Session::stream(const detail::SessionRef& ref, const Command& command) {
  Answer answer;
  if (auto ran = run(ref.deadline, command, 0, answer); !ran) {
    return fail(std::move(ran).error());
  }
  Stream stream;
  stream.ref_ = ref;
  stream.columns_ = std::move(answer.columns);
  stream.id_ = open_stream_ = last_number_;
  open_result_ = answer.result;
  stream.batch_ = answer.batch;
  return stream;
}

// Rows of an open stream are good until the next call, so there must be none; and a broken session
// takes no call but close.
Result<void> Session::ready_or_why() const {
  if (broken_) {
    return weir::fail(Code::connection_lost,
                      "this connection broke in an earlier call; give it back");
  }
  if (stopped_) {
    const std::string text =
        stopped_->message() +
        (in_transaction() ? "; a part of this transaction could not be undone, so nothing more is "
                            "run in it: call rollback(), or return from its function"
                          : "; that ended this transaction, and nothing is run outside of it: call "
                            "rollback(), or return from its function");
    if (stopped_->database() == nullptr) return weir::fail(stopped_->code(), text);
    return fail(Error(stopped_->code(), text, *stopped_->database()));
  }
  if (scopes_.count > 0 && !in_transaction()) {
    return weir::fail(Code::invalid_state,
                      "this transaction was ended inside of its function, by commit(), rollback() "
                      "or SQL, and nothing is run outside of it: return from the function");
  }
  if (open_stream_ == 0) return {};
  return weir::fail(Code::invalid_state,
                    "a stream of this connection is still open; read it to its end or destroy it");
}

bool Session::is_open(const Stream& stream) const noexcept {
  return stream.id_ != 0 && stream.id_ == open_stream_;
}

Result<bool> Session::next_batch(Stream& stream) {
  if (open_result_ == nullptr || (stream.batch_.flags & WEIR_BATCH_END) != 0) return false;
  ErrorBuffer error;
  const weir_call c = call(stream.ref_.deadline);
  stream.at_ = 0;
  if (context_.driver->fetch(open_result_, &c, &stream.batch_, &error.raw) != WEIR_OK) {
    Error why = failure(error, "reading rows");
    stream.batch_ = weir_batch{};
    close_stream(stream);
    return fail(std::move(why));
  }
  if (!fits(*stream.columns_, stream.batch_)) {
    auto why = misfit(*stream.columns_, std::exchange(stream.batch_, weir_batch{}));
    close_stream(stream);
    return why;
  }
  return true;
}

void Session::close_stream(Stream& stream) noexcept {
  const bool current = is_open(stream);
  stream.id_ = 0;
  if (!current) return;
  open_stream_ = 0;
  if (open_result_ != nullptr) close_result(std::exchange(open_result_, nullptr));
}

Result<Statement> Session::prepare(const detail::SessionRef& ref, std::string_view sql) {
  if (auto good = ready(); !good) return fail(std::move(good).error());
  const auto hit = std::find_if(prepared_.begin(), prepared_.end(),
                                [&](const Prepared& p) { return p.sql == sql; });
  if (hit != prepared_.end()) {
    prepared_.splice(prepared_.begin(), prepared_, hit);
  } else {
    ErrorBuffer error;
    const weir_call c = call(ref.deadline);
    weir_stmt* stmt = nullptr;
    weir_prepare_out out{};
    out.struct_size = sizeof out;
    if (context_.driver->prepare(conn_, &c, {sql.data(), sql.size()}, &stmt, &out, &error.raw) !=
        WEIR_OK) {
      return fail(failure(error, "preparing a statement"));
    }
    prepared_.push_front({++last_number_, std::string(sql), stmt, out.param_count, 0, ref.lease});
    evict();
  }
  Prepared& p = prepared_.front();
  if (p.pinned_by != ref.lease) p.pins = 0;
  p.pinned_by = ref.lease;
  ++p.pins;
  Statement statement;
  statement.ref_ = ref;
  statement.entry_ = p.entry;
  statement.param_count_ = p.param_count;
  return statement;
}

// The least recently used ones that nobody holds. The newest stays: its caller is about to pin it.
void Session::evict() noexcept {
  for (auto it = prepared_.end(); prepared_.size() > prepared_max && it != prepared_.begin();) {
    --it;
    const bool pinned = it->pins > 0 && it->pinned_by == lease_.load(std::memory_order_relaxed);
    if (pinned || it == prepared_.begin()) continue;
    const weir_call c = clean_up_call();
    context_.driver->stmt_close(it->stmt, &c);
    it = prepared_.erase(it);
  }
}

const Session::Prepared* Session::statement(std::uint64_t entry) const noexcept {
  const auto found = std::find_if(prepared_.begin(), prepared_.end(),
                                  [&](const Prepared& p) { return p.entry == entry; });
  return found == prepared_.end() ? nullptr : &*found;
}

void Session::unpin(std::uint64_t entry) noexcept {
  // Its caller has seen to it that they are pins of the present lease.
  for (Prepared& p : prepared_) {
    if (p.entry == entry && p.pins > 0) --p.pins;
  }
}

Result<void> Session::ping(Instant deadline) {
  if (auto good = ready(); !good) return fail(std::move(good).error());
  std::int32_t alive = WEIR_ALIVE_UNKNOWN;
  if (in_transaction()) {
    // Nobody is asked: the transaction would be lost with a ping that met its deadline.
    alive = (state() & WEIR_STATE_BROKEN) != 0 ? WEIR_ALIVE_NO : WEIR_ALIVE_YES;
  } else {
    ErrorBuffer error;
    const weir_call c = call(deadline);
    if (context_.driver->ping(conn_, WEIR_PING_PROTOCOL, &c, &alive, &error.raw) != WEIR_OK) {
      return fail(failure(error, "pinging"));
    }
  }
  if (alive == WEIR_ALIVE_YES) return {};
  broken_ = true;
  return weir::fail(Code::connection_lost, "the connection is dead");
}

bool Session::is_broken() {
  const bool broken = facts().broken;
  used_ = used_ || broken;
  return broken;
}

Result<void*> Session::native(const char* id) {
  used_ = true;
  ErrorBuffer error;
  void* handle = nullptr;
  if (context_.driver->native(conn_, id, &handle, &error.raw) != WEIR_OK) {
    return fail(failure(error, "asking for the native handle"));
  }
  native_out_ = true;
  return handle;
}

}  // namespace weir::runtime
