// SPDX-License-Identifier: MIT
#include "backends/mysql/conn.hpp"

#include <algorithm>
#include <mutex>
#include <new>

namespace weir::mysql {
namespace {

// One job and who waits for it. Owned by both.
class Errand {
 public:
  Errand(const Conn& conn, Work work)
      : host_(conn.host),
        tag_(conn.tag),
        stage_(conn.stage),
        session_(conn.session),
        work_(std::move(work)),
        closed_stmts_(conn.closed_stmts),
        result_lent_(conn.result.lent) {}

  // On the crew.
  void run() noexcept {
    Failure failure;
    const weir_status status = attempt(failure);
    session_->canceller.work_ended();
    work_ = nullptr;
    const std::lock_guard lock(mutex_);
    status_ = status;
    failure_ = std::move(failure);
    done_ = true;
    if (abandoned_) {
      session_.reset();  // the last owner: it ends on this thread
      return;
    }
    session_.reset();
    // Under the mutex, so that the call cannot return, nor its host end, before this has returned.
    // Nobody else ever takes it.
    host_.wake(host_.ctx, tag_);
  }

  bool done() {
    const std::lock_guard lock(mutex_);
    return done_;
  }
  // False if it is done after all.
  bool abandon() {
    const std::lock_guard lock(mutex_);
    abandoned_ = !done_;
    return abandoned_;
  }
  weir_status status() const { return status_; }
  const Failure& failure() const { return failure_; }

 private:
  weir_status attempt(Failure& failure) noexcept {
    Session& session = *session_;
    try {
      try {
        if (!result_lent_) {
          session.end_result();  // closed too late for an errand of its own
          for (const std::uint64_t id : closed_stmts_) session.statements.erase(id);
        }
        return work_(session, failure);
      } catch (const Failed& e) {
        failure = e.failure();
        session.broken = session.broken || failure.facts.conn_fate == WEIR_CONN_BROKEN;
        failure.facts.tx_fate = session.tx_fate();
      } catch (const sql::SQLException& e) {
        failure = session.explain(e, stage_);
      } catch (const std::bad_alloc&) {
        unforeseen(failure, WEIR_E_NOMEM, "out of memory in the driver");
      } catch (const std::exception& e) {
        unforeseen(failure, WEIR_E_INTERNAL, e.what());
      }
    } catch (...) {  // no memory to say so
      session.broken = true;
      failure.facts = {.kind = WEIR_E_NOMEM,
                       .stage = stage_,
                       .conn_fate = WEIR_CONN_BROKEN,
                       .effect = WEIR_EFFECT_UNKNOWN};
    }
    return failure.facts.kind;
  }

  void unforeseen(Failure& failure, weir_status kind, const char* text) {
    session_->broken = true;
    failure.facts = {.kind = kind,
                     .stage = stage_,
                     .conn_fate = WEIR_CONN_BROKEN,
                     .effect = WEIR_EFFECT_UNKNOWN,
                     .tx_fate = session_->tx_fate()};
    failure.text = text;
  }

  const weir_host& host_;
  const std::uint64_t tag_;
  const std::uint8_t stage_;
  std::shared_ptr<Session> session_;
  Work work_;
  const std::vector<std::uint64_t> closed_stmts_;
  const bool result_lent_;

  std::mutex mutex_;

  // Guarded by mutex_; constant once done_.
  bool done_ = false;
  bool abandoned_ = false;
  weir_status status_ = WEIR_OK;
  Failure failure_;
};

}  // namespace

Conn::Conn(Source& from, std::uint64_t conn_tag, Canceller& shared)
    : source(from),
      host(from.env->host),
      tag(conn_tag),
      canceller(&shared),
      session(std::make_shared<Session>(from.config, shared)) {
  canceller->retain();
  result.conn = this;
}

Conn::~Conn() {
  if (session != nullptr && session->link != nullptr) {
    try {
      // With the library, also in its destructors, only the crew deals.
      source.env->crew->submit([last = std::move(session)] {});
    } catch (const std::exception&) {
      session.reset();  // no thread to be had: then here
    }
  }
  canceller->close();
  canceller->release();
}

weir_status Conn::refuse(weir_error* error, weir_status kind,
                         std::initializer_list<std::string_view> text) const noexcept {
  Facts facts;
  facts.kind = kind;
  facts.stage = stage;
  facts.conn_fate = broken || canceller->aborted() ? WEIR_CONN_BROKEN : WEIR_CONN_USABLE;
  if (session != nullptr) facts.tx_fate = session->tx_fate();
  return fail(error, facts, text);
}

std::chrono::nanoseconds Conn::time_left(std::int64_t most) const noexcept {
  if (deadline == WEIR_NO_DEADLINE) return std::chrono::nanoseconds(most);
  return std::chrono::nanoseconds(std::clamp<std::int64_t>(deadline - host.now(host.ctx), 0, most));
}

void Conn::drop_stmts() noexcept {
  for (const auto& stmt : stmts) stmt->id = 0;
}

weir_status Conn::perform(Work work, weir_error* error) {
  const auto errand = std::make_shared<Errand>(*this, std::move(work));
  try {
    source.env->crew->submit([errand] { errand->run(); });
  } catch (const std::exception& e) {
    return refuse(error, WEIR_E_RESOURCE, {"no thread could be started: ", e.what()});
  }
  if (!result.lent) closed_stmts.clear();  // the open result may be one of theirs: later
  Facts gone{.kind = WEIR_OK,
             .stage = stage,
             .conn_fate = WEIR_CONN_BROKEN,
             .effect = WEIR_EFFECT_UNKNOWN};
  while (!errand->done()) {
    if (canceller->aborted()) {
      gone.kind = opening ? WEIR_E_CANCELLED : WEIR_E_CONN_LOST;
    } else if (opening && canceller->cancelled()) {
      gone.kind = WEIR_E_CANCELLED;
    } else if (deadline != WEIR_NO_DEADLINE && host.now(host.ctx) >= deadline) {
      gone.kind = WEIR_E_TIMEOUT;
      gone.flags = WEIR_ERROR_TRANSIENT;
    }
    if (gone.kind != WEIR_OK && errand->abandon()) break;
    gone.kind = WEIR_OK;
    if (!errand->done()) host.wait(host.ctx, tag, -1, 0, deadline);
  }
  if (gone.kind == WEIR_OK) {
    broken = broken || session->broken;
    return errand->status() == WEIR_OK ? WEIR_OK : report(errand->failure(), error);
  }
  // The session is the job's now. Its end takes an open transaction with it, but for a commit that
  // came through.
  if (session->in_tx_before && !may_commit) gone.tx_fate = WEIR_TX_GONE;
  session.reset();
  broken = true;
  canceller->kill_session();
  if (gone.kind != WEIR_E_TIMEOUT) {
    return fail(error, gone,
                {canceller->aborted() ? "the connection was aborted by the host"
                                      : "the call was cancelled while it connected"});
  }
  if (opening) {
    return fail(error, gone, {"no session with ", source.config->display, " before the deadline"});
  }
  return fail(error, gone,
              {"the deadline passed while the server was at work; what it did is unknown, and the "
               "session is being ended"});
}

Op::Op(Conn& conn, const weir_call* raw, std::uint8_t stage, weir_error* error) noexcept
    : conn_(conn), status_(WEIR_OK) {
  const weir_call call = backend::read_in(raw);
  conn.stage = stage;
  conn.may_commit = stage == WEIR_STAGE_COMMIT;
  if (conn.session != nullptr) conn.session->in_tx_before = conn.session->in_tx;
  if (conn.canceller->aborted()) {
    status_ = conn.refuse(error, conn.opening ? WEIR_E_CANCELLED : WEIR_E_CONN_LOST,
                          {"the connection was aborted by the host"});
    return;
  }
  if (conn.broken) {
    status_ = conn.refuse(error, WEIR_E_INVALID_STATE, {"the connection is broken: close it"});
    return;
  }
  Facts facts;
  facts.stage = stage;
  facts.tx_fate = conn.session->tx_fate();
  status_ = backend::check_call(conn.host, call, facts, error);
  if (status_ != WEIR_OK) return;
  conn.deadline = call.deadline;
  status_ = await_settled(stage, error);
  if (status_ != WEIR_OK) return;
  conn.canceller->start(call.op_id);
  running_ = true;
}

// The fence: a kill that was meant for an earlier operation may still be on its way.
weir_status Op::await_settled(std::uint8_t stage, weir_error* error) noexcept {
  const weir_host& host = conn_.host;
  while (!conn_.canceller->settled()) {
    if (conn_.canceller->aborted()) {
      return conn_.refuse(error, WEIR_E_CONN_LOST, {"the connection was aborted by the host"});
    }
    if (conn_.deadline != WEIR_NO_DEADLINE && host.now(host.ctx) >= conn_.deadline) {
      Facts facts{.kind = WEIR_E_TIMEOUT, .stage = stage, .flags = WEIR_ERROR_TRANSIENT};
      facts.tx_fate = conn_.session->tx_fate();
      return fail(error, facts, {"the cancel of an earlier call was not settled in time"});
    }
    host.wait(host.ctx, conn_.tag, -1, 0, conn_.deadline);
  }
  return WEIR_OK;
}

bool Op::finish() noexcept {
  if (!running_) return false;
  running_ = false;
  conn_.deadline = WEIR_NO_DEADLINE;
  return conn_.canceller->finish();
}

Op::~Op() { finish(); }

}  // namespace weir::mysql
