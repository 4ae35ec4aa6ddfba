// SPDX-License-Identifier: MIT
#include "backends/mysql/conn.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>

namespace weir::mysql {
namespace {

// What is done with the session, wherever that is.
struct Attempt {
  explicit Attempt(const Conn& conn)
      : stage(conn.stage), closed_stmts(conn.closed_stmts), result_lent(conn.result.lent) {}

  weir_status run(Session& session, const Work& work, Failure& failure) const noexcept;
  void unforeseen(Session& session, weir_status kind, const char* text, Failure& failure) const;

  const std::uint8_t stage;
  const std::vector<std::uint64_t> closed_stmts;
  const bool result_lent;
};

weir_status Attempt::run(Session& session, const Work& work, Failure& failure) const noexcept {
  try {
    try {
      session.start_work();
      if (!result_lent) {
        session.end_result();  // closed too late for an errand of its own
        for (const std::uint64_t id : closed_stmts) session.statements.erase(id);
      }
      return work(session, failure);
    } catch (const Failed& e) {
      failure = e.failure();
      session.broken = session.broken || failure.facts.conn_fate == WEIR_CONN_BROKEN;
      failure.facts.tx_fate = session.tx_fate();
    } catch (const sql::SQLException& e) {
      failure = session.explain(e, stage);
    } catch (const std::bad_alloc&) {
      unforeseen(session, WEIR_E_NOMEM, "out of memory in the driver", failure);
    } catch (const std::exception& e) {
      unforeseen(session, WEIR_E_INTERNAL, e.what(), failure);
    }
  } catch (...) {  // no memory to say so
    session.broken = true;
    failure.facts = {.kind = WEIR_E_NOMEM,
                     .stage = stage,
                     .conn_fate = WEIR_CONN_BROKEN,
                     .effect = WEIR_EFFECT_UNKNOWN};
  }
  return failure.facts.kind;
}

void Attempt::unforeseen(Session& session, weir_status kind, const char* text,
                         Failure& failure) const {
  session.broken = true;
  failure.facts = {.kind = kind,
                   .stage = stage,
                   .conn_fate = WEIR_CONN_BROKEN,
                   .effect = WEIR_EFFECT_UNKNOWN,
                   .tx_fate = session.tx_fate()};
  failure.text = text;
}

// One job on the crew and who waits for it. Owned by both.
class Errand {
 public:
  Errand(const Conn& conn, Work work)
      : host_(conn.host),
        tag_(conn.tag),
        session_(conn.session),
        attempt_(conn),
        work_(std::move(work)) {}

  // On the crew.
  void run() noexcept {
    Failure failure;
    const weir_status status = attempt_.run(*session_, work_, failure);
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
  const weir_host& host_;
  const std::uint64_t tag_;
  std::shared_ptr<Session> session_;
  const Attempt attempt_;
  Work work_;

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
    enter_library();
    try {
      // A goodbye may block.
      source.env->crew->submit([last = std::move(session)] {});
    } catch (const std::exception&) {
      // No thread to be had: it has ended here.
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
  if (facts.conn_fate == WEIR_CONN_BROKEN && facts.tx_fate == WEIR_TX_OPEN) {
    facts.tx_fate = WEIR_TX_GONE;  // with the link
  }
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
  return canceller->can_cut() ? perform_here(work, error) : perform_on_crew(std::move(work), error);
}

weir_status Conn::perform_here(const Work& work, weir_error* error) {
  enter_library();
  const Attempt attempt(*this);
  std::optional<Watchdog::Watch> watch;
  if (deadline != WEIR_NO_DEADLINE) {
    const auto left = time_left(std::chrono::nanoseconds(std::chrono::hours(24 * 365)).count());
    try {
      watch.emplace(*source.env->watchdog, *canceller, Watchdog::Clock::now() + left);
    } catch (const std::system_error& e) {
      return refuse(error, WEIR_E_RESOURCE, {"no thread could be started: ", e.what()});
    }
  }
  Failure failure;
  const weir_status status = attempt.run(*session, work, failure);
  canceller->work_ended();
  if (!result.lent) closed_stmts.clear();
  const bool cut = watch && watch->end();
  const bool came_through = status == WEIR_OK && !session->broken;
  session->broken = session->broken || cut;
  if (!cut || came_through || canceller->aborted()) return answer(status, failure, error);
  return give_up({.kind = WEIR_E_TIMEOUT, .flags = WEIR_ERROR_TRANSIENT}, error);
}

weir_status Conn::perform_on_crew(Work work, weir_error* error) {
  const auto errand = std::make_shared<Errand>(*this, std::move(work));
  try {
    source.env->crew->submit([errand] { errand->run(); });
  } catch (const std::exception& e) {
    return refuse(error, WEIR_E_RESOURCE, {"no thread could be started: ", e.what()});
  }
  if (!result.lent) closed_stmts.clear();  // the open result may be one of theirs: later
  Facts gone{.kind = WEIR_OK};
  while (!errand->done()) {
    if (canceller->aborted()) {
      gone.kind = opening ? WEIR_E_CANCELLED : WEIR_E_CONN_LOST;
    } else if (opening && canceller->cancelled()) {
      gone.kind = WEIR_E_CANCELLED;
    } else if (deadline != WEIR_NO_DEADLINE && host.now(host.ctx) >= deadline) {
      gone.kind = WEIR_E_TIMEOUT;
      gone.flags = WEIR_ERROR_TRANSIENT;
    }
    if (gone.kind != WEIR_OK && errand->abandon()) {
      const weir_status status = give_up(gone, error);
      enter_library();  // the job may be over, and this the last owner
      session.reset();  // it is the job's now
      return status;
    }
    gone.kind = WEIR_OK;
    if (!errand->done()) host.wait(host.ctx, tag, -1, 0, deadline);
  }
  return answer(errand->status(), errand->failure(), error);
}

// Of work that has ended.
weir_status Conn::answer(weir_status status, const Failure& failure, weir_error* error) {
  broken = broken || session->broken;
  // The library may have closed its own descriptor of the link: the server is to see that.
  if (broken) canceller->cut();
  if (status == WEIR_OK) return WEIR_OK;
  if (!broken || !canceller->aborted()) return report(failure, error);
  return give_up({.kind = opening ? WEIR_E_CANCELLED : WEIR_E_CONN_LOST}, error);
}

// The end of the session takes an open transaction with it, but for a commit that came through.
weir_status Conn::give_up(Facts gone, weir_error* error) {
  gone.stage = stage;
  gone.conn_fate = WEIR_CONN_BROKEN;
  gone.effect = WEIR_EFFECT_UNKNOWN;
  if (session->in_tx_before && !session->may_commit) gone.tx_fate = WEIR_TX_GONE;
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
  const backend::Input call(raw);
  conn.stage = stage;
  if (conn.session != nullptr) {
    conn.session->in_tx_before = conn.session->in_tx && !conn.broken;
    conn.session->may_commit = stage == WEIR_STAGE_COMMIT;
  }
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
  status_ = backend::check_call(conn.host, *call, facts, error);
  if (status_ != WEIR_OK) return;
  conn.deadline = call->deadline;
  status_ = await_settled(stage, error);
  if (status_ != WEIR_OK) return;
  conn.canceller->start(call->op_id);
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
