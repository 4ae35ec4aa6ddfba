// SPDX-License-Identifier: MIT
#include "core/runtime/walk.hpp"

#include "core/base/sql_summary.hpp"
#include "core/runtime/thrown.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir {

std::string_view to_string(CallKind kind) noexcept {
  static constexpr std::string_view names[] = {"query",    "execute",      "stream",
                                               "prepare",  "begin",        "commit",
                                               "rollback", "execute_many", "insert_many"};
  return names[static_cast<std::size_t>(kind)];
}

}  // namespace weir

namespace weir::runtime {
namespace {

bool has_sql(CallKind kind) noexcept {
  return kind != CallKind::begin && kind != CallKind::commit && kind != CallKind::rollback &&
         kind != CallKind::insert_many;
}

}  // namespace

Walk::Walk(Session& session, const detail::SessionRef& ref, const Asked& asked, const Chain& chain,
           const Make& make)
    : session_(session),
      ref_(ref),
      asked_(asked),
      lease_(session.lease_info()),
      chain_(chain),
      make_(make),
      call_(*this) {
  if (asked.prepared) own_sql_.emplace_front(asked.sql);
}

Result<void> Walk::run() {
  const Unmark at_the_end{*this};  // also where the caller's range throws
  const Result<CallDone> answer = go_on();
  if (!answer) return fail(answer.error());
  // A middleware cannot make a success of a failure: there is nothing to hand on.
  if (failed_) return fail(*std::move(failed_));
  if (!answered_) {
    return weir::fail(Code::callback_threw,
                      session_.watcher().name() +
                          ": a middleware caught an exception of next() and returned success");
  }
  return {};
}

bool Walk::lease_is_current() const noexcept { return Session::current(ref_) != nullptr; }

void Walk::mark(bool in_call) noexcept {
  if (lease_is_current()) session_.mark_in_call(in_call);
}

Result<CallDone> Walk::go_on() {
  if (at_ == chain_.size()) return ask_database();
  return ask(chain_[at_++]);
}

Result<CallDone> Walk::ask(const Link& link) {
  const std::size_t me = at_;
  Next next(*this);
  mark(true);
  try {
    Result<CallDone> answer = link.ask(call_, next);
    at_ = me - 1;  // back to whoever called next
    if (answer && !next.called_) {
      return weir::fail(Code::next_not_called,
                        at_fault(link, "returned success without calling next()") +
                            "; return what next() returns, or an Error to refuse the call");
    }
    return answer;
  } catch (...) {
    at_ = me - 1;
    if (thrown_inside_) throw;  // no fault of its
    return weir::fail(Code::callback_threw, at_fault(link, "threw: ") + text_of_exception());
  }
}

std::string Walk::at_fault(const Link& link, std::string_view what) const {
  const std::string which = link.options.name.empty() ? "no. " + std::to_string(at_ + 1)
                                                      : "\"" + link.options.name + "\"";
  return fmt::format("{}: middleware {} {}", session_.watcher().name(), which, what);
}

Result<CallDone> Walk::ask_database() {
  // A middleware may have given it back.
  if (auto current = Session::of(ref_); !current) return fail(std::move(current).error());
  const Instant start = session_.now();
  Result<CallDone> done = make_unmarked();
  Ended ended{call_, done ? *done : CallDone{}, nullptr};
  ended.done.took = session_.now() - start;
  if (done) {
    answered_ = true;
    done->took = ended.done.took;
  } else {
    failed_ = done.error();
    ended.error = &*failed_;
  }
  session_.watcher().call_ended(ended);
  return done;
}

// This use of the session is the one that is meant.
Result<CallDone> Walk::make_unmarked() {
  session_.mark_in_call(false);
  sent_ = true;
  try {
    Result<CallDone> done = make_(sql());
    mark(true);
    return done;
  } catch (...) {
    mark(true);
    thrown_inside_ = true;
    throw;
  }
}

}  // namespace weir::runtime

namespace weir {

// ---------------------------------------------------------------- Call

CallKind Call::kind() const noexcept { return walk_.asked_.kind; }
std::string_view Call::sql() const noexcept { return walk_.sql(); }

std::string Call::operation() const {
  switch (kind()) {
    case CallKind::begin:
      return "BEGIN";
    case CallKind::commit:
      return "COMMIT";
    case CallKind::rollback:
      return "ROLLBACK";
    case CallKind::insert_many:
      return "INSERT";
    default:
      return base::summary_of(sql()).operation;
  }
}

std::string Call::summary() const {
  if (kind() == CallKind::insert_many) return operation() + " " + std::string(walk_.asked_.table);
  if (!runtime::has_sql(kind())) return operation();
  base::SqlSummary found = base::summary_of(sql());
  return found.table.empty() ? found.operation : found.operation + " " + found.table;
}

std::size_t Call::parameter_count() const noexcept { return walk_.asked_.params.size(); }

const weir_cell* Call::shown(std::size_t n) const noexcept {
  const bool asked_for = walk_.at_ > 0 && walk_.chain_[walk_.at_ - 1].options.parameters;
  return asked_for && n < parameter_count() ? &walk_.asked_.params[n] : nullptr;
}

std::string Call::parameter_text(std::size_t n) const {
  const weir_cell* cell = shown(n);
  if (cell == nullptr) return "?";
  switch (cell->type) {
    case WEIR_T_NULL:
      return "NULL";
    case WEIR_T_BOOL:
      return cell->v.i != 0 ? "true" : "false";
    case WEIR_T_INT64:
      return std::to_string(cell->v.i);
    case WEIR_T_UINT64:
      return std::to_string(cell->v.u);
    case WEIR_T_DOUBLE:
      return fmt::format("{}", cell->v.d);
    case WEIR_T_BLOB:
      return fmt::format("<{} bytes>", cell->size);
    default:
      return std::string(*detail::from_cell<std::string_view>(*cell));
  }
}

Instant Call::deadline() const noexcept {
  const Instant own = walk_.ref_.deadline;
  return walk_.lease_is_current() ? walk_.session_.bounded(own) : own;
}
Instant Call::now() const noexcept { return walk_.session_.now(); }
CallSite Call::site() const noexcept {
  return walk_.asked_.site.line != 0 ? walk_.asked_.site : walk_.lease_.site;
}
LeaseInfo Call::lease() const noexcept { return walk_.lease_; }
std::string_view Call::pool() const noexcept { return walk_.session_.watcher().name(); }
std::string_view Call::driver() const noexcept { return walk_.session_.driver().info().name; }

Result<void> Call::set_sql(std::string sql) {
  const char* const why = walk_.sent_                 ? "it was sent already"
                          : walk_.asked_.prepared     ? "this statement was prepared before"
                          : !runtime::has_sql(kind()) ? "this call has no SQL"
                                                      : nullptr;
  if (why != nullptr) {
    return fail(Code::invalid_state, std::string(pool()) + ": the SQL of a " +
                                         std::string(to_string(kind())) +
                                         " cannot be rewritten: " + why);
  }
  walk_.own_sql_.push_front(std::move(sql));
  return {};
}

void Call::log(LogLevel level, std::string_view line) const noexcept {
  walk_.session_.watcher().log(level, line);
}

// ---------------------------------------------------------------- Next

Result<CallDone> Next::operator()() {
  if (std::exchange(called_, true)) {
    return fail(Code::invalid_state,
                walk_.session_.watcher().name() +
                    ": a middleware called next() twice; the statement is sent once, to repeat it "
                    "is for weir::retry around the caller");
  }
  auto done = walk_.go_on();
  if (!done) walk_.failed_ = done.error();
  return done;
}

}  // namespace weir
