// SPDX-License-Identifier: MIT
#include "backends/mysql/canceller.hpp"

#include <algorithm>

namespace weir::mysql {
namespace {

// How long the server may take to begin with a statement that was sent before a kill.
constexpr std::chrono::milliseconds kill_again{10};

Failure no_thread(const std::exception& e) {
  Failure failure;
  failure.facts = {.kind = WEIR_E_RESOURCE, .flags = WEIR_ERROR_TRANSIENT};
  failure.text = std::string("no thread could be started: ") + e.what();
  return failure;
}

}  // namespace

Canceller::Canceller(const weir_host& host, std::shared_ptr<Crew> crew,
                     std::shared_ptr<const Config> config, std::uint64_t conn_tag)
    : host_(host), crew_(std::move(crew)), config_(std::move(config)), conn_tag_(conn_tag) {}

// relaxed: who retains has an owner's right already.
void Canceller::retain() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }

void Canceller::release() noexcept {
  // acq_rel: the last owner must see what the others wrote before it frees.
  if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void Canceller::start(std::uint64_t op_id) noexcept {
  const std::lock_guard lock(mutex_);
  op_ = op_id;
  works_ = true;
  cancelled_.store(false, std::memory_order_relaxed);
}

bool Canceller::finish() noexcept {
  const std::lock_guard lock(mutex_);
  op_ = 0;
  works_ = false;
  changed_.notify_all();
  return cancelled_.exchange(false, std::memory_order_relaxed);
}

void Canceller::work_ended() noexcept {
  const std::lock_guard lock(mutex_);
  works_ = false;
  changed_.notify_all();
}

void Canceller::calm() noexcept {
  if (!cancelled()) return;
  std::unique_lock lock(mutex_);
  works_ = false;
  changed_.notify_all();
  // A side link gives up by itself after a while.
  changed_.wait(lock, [this] { return kills_.load(std::memory_order_relaxed) == 0 || cut_; });
}

void Canceller::attach(SessionName name, LinkSocket socket) {
  const std::lock_guard lock(mutex_);
  name_ = std::move(name);
  socket_ = std::move(socket);
  if (cut_) socket_.shut();  // it came before there was one
}

void Canceller::detach() noexcept {
  const std::lock_guard lock(mutex_);
  const LinkSocket last = std::move(socket_);
}

void Canceller::close() noexcept {
  std::unique_lock lock(mutex_);
  closed_ = true;
  op_ = 0;
  works_ = false;
  changed_.notify_all();
  changed_.wait(lock, [this] { return !calling_host_; });  // a wake-up: it does not block
}

weir_status Canceller::cancel(std::uint64_t op_id, const weir_call& call, weir_error* error) {
  const weir_time now = host_.now(host_.ctx);
  std::unique_lock lock(mutex_);
  if (op_id == 0 || op_ != op_id || closed_) return WEIR_OK;
  cancelled_.store(true, std::memory_order_relaxed);
  if (!works_) return WEIR_OK;
  if (name_.id == 0) {  // it connects: the waiting call sees the flag and leaves
    lock.unlock();
    host_.wake(host_.ctx, conn_tag_);
    return WEIR_OK;
  }
  if (kills_.load(std::memory_order_relaxed) == 0) {
    failure_ = {};
    retain();
    kills_.store(1, std::memory_order_relaxed);
    try {
      crew_->submit([this, op_id] { kill_until_over(op_id); });
    } catch (const std::exception& e) {
      kills_.store(0, std::memory_order_relaxed);
      lock.unlock();
      release();
      return report(no_thread(e), error);
    }
  }
  // The library blocks, so this waits in real time, and not in the host, where the cancelled call
  // itself waits under the same tag.
  const auto settled = [this] { return kills_.load(std::memory_order_relaxed) == 0; };
  if (call.deadline == WEIR_NO_DEADLINE) {
    changed_.wait(lock, settled);
  } else {
    const weir_time left = std::clamp<weir_time>(call.deadline - now, 0, weir_time{1} << 52);
    if (!changed_.wait_for(lock, std::chrono::nanoseconds(left), settled)) {
      return backend::fail(error, {.kind = WEIR_E_TIMEOUT, .effect = WEIR_EFFECT_UNKNOWN},
                           {"the cancel was not settled before its deadline"});
    }
  }
  const Failure failure = failure_;
  lock.unlock();
  return failure.facts.kind == WEIR_OK ? WEIR_OK : report(failure, error);
}

// On the crew. The canceller is retained for it.
void Canceller::kill_until_over(std::uint64_t op_id) noexcept {
  Failure failure;
  failure.facts = {.kind = WEIR_OK};
  try {
    repeat_kill(op_id);
  } catch (const sql::SQLException& e) {
    // 1094: the session is gone, and the operation with it.
    if (e.getErrorCode() != 1094) {
      failure = explain_dial(e, *config_, std::chrono::nanoseconds(0), std::chrono::seconds(1));
      // It tells of the side link, and not of the connection.
      failure.facts.conn_fate = WEIR_CONN_USABLE;
      failure.facts.effect = WEIR_EFFECT_UNKNOWN;
    }
  } catch (const std::exception& e) {
    failure.facts = {.kind = WEIR_E_INTERNAL, .effect = WEIR_EFFECT_UNKNOWN};
    failure.text = e.what();
  }
  {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(failure);
  }
  settle();
  release();
}

void Canceller::repeat_kill(std::uint64_t op_id) {
  std::unique_lock lock(mutex_);
  const auto over = [this, op_id] { return op_ != op_id || !works_; };
  if (over()) return;
  const SessionName name = name_;
  lock.unlock();
  SideLink side(*config_);
  if (!side.knows(name)) return;
  for (;;) {
    lock.lock();
    if (over()) return;
    lock.unlock();
    side.kill_query(name.id);
    lock.lock();
    if (changed_.wait_for(lock, kill_again, over)) return;
    lock.unlock();
  }
}

// No kill is on its way any more. The conn may be waiting for that in the host.
void Canceller::settle() noexcept {
  {
    const std::lock_guard lock(mutex_);
    kills_.store(0, std::memory_order_release);
    changed_.notify_all();
    if (closed_) return;
    calling_host_ = true;
  }
  host_.wake(host_.ctx, conn_tag_);
  const std::lock_guard lock(mutex_);
  calling_host_ = false;
  changed_.notify_all();
}

void Canceller::abort() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    aborted_.store(true, std::memory_order_relaxed);
    cut_locked();
  }
  host_.wake(host_.ctx, conn_tag_);
}

void Canceller::cut() noexcept {
  const std::lock_guard lock(mutex_);
  cut_locked();
}

void Canceller::cut_locked() noexcept {
  cut_ = true;
  socket_.shut();
  changed_.notify_all();
}

void Canceller::kill_session() noexcept {
  const std::lock_guard lock(mutex_);
  cut_locked();
  if (name_.id == 0) return;
  try {
    crew_->submit([config = config_, name = name_] {
      try {
        SideLink side(*config);
        if (side.knows(name)) side.kill_session(name.id);
      } catch (const std::exception&) {
        // Nobody waits for it. Where the link's socket is not known the call that hangs ends by
        // read_timeout.
      }
    });
  } catch (const std::exception&) {
    // Likewise.
  }
}

}  // namespace weir::mysql
