// SPDX-License-Identifier: MIT
//
// BasicPool: waits without a thread (weir/async.hpp).
//
// A wait is answered under the pool's lock, like any other; after it (woken_, hand_on) what follows
// is given to the host's executor, or, where there is a job, first to one of the pools' threads.
// Whoever began the wait may leave it at any time: before the answer it is taken out of the queue,
// after it the connection goes back, and what the executor was given does nothing.
//
// Who keeps an AsyncWaiter alive: whoever began it, until it leaves; the pool, while it is in the
// queue (own_place); Work, once it was posted. It keeps the pool alive.
#pragma once

#include "core/runtime/basic_pool.hpp"

namespace weir::runtime {

template <Runtime R>
class BasicPool<R>::AsyncWaiter : public Completion, public weir::detail::AsyncWait {
 public:
  AsyncWaiter(std::shared_ptr<BasicPool> of, const Request& request, Executor& its_executor)
      : Completion([](Completion& self) noexcept {
          auto& waiter = static_cast<AsyncWaiter&>(self);
          waiter.pool->answered(waiter);
        }),
        pool(std::move(of)),
        executor(&its_executor),
        tag(request.options.tag),
        file(request.site.file),
        line(request.site.line) {}
  AsyncWaiter(const AsyncWaiter&) = delete;
  AsyncWaiter& operator=(const AsyncWaiter&) = delete;
  // Nobody else knows it any more, so it may look at itself without the lock.
  ~AsyncWaiter() override {
    if (next.step != nullptr) next.step(next.self, false);
    if (this->lent() && !taken) static_cast<void>(take());
  }

  bool when_over(const std::shared_ptr<AsyncWait>& self, weir::detail::Continuation then,
                 bool even_now) override {
    {
      const Lock lock = pool->lock_unless_forked();
      if (over && !even_now) return false;
      next = then;
      listening = !over;
      if (listening) return true;
    }
    pool->post(std::static_pointer_cast<AsyncWaiter>(self));
    return true;
  }

  Result<Lease> take() override {
    stop.reset();  // without the lock: it waits for a call that wants it
    if (pool->forked()) return fail(forked_error());
    // Its thread is whichever takes it, its task that which the rack knows.
    const engine::Holder holder{tag, file, line, 0, engine::no_task};
    Lock lock(pool->mutex_);
    taken = true;
    if (!this->lent()) {
      Turn turn(*pool, std::move(lock));
      return fail(pool->tell_of_failure(*this, holder, turn));
    }
    Session& session = pool->slots_[this->slot].session;
    lock.unlock();
    return pool->grant(session, this->lease, holder, this->waited);
  }

  void leave() noexcept override {
    if (pool->forked()) return;
    bool unwanted = false;
    {
      Turn lock(*pool);
      left = true;
      if (!this->done) {
        R::probe(Mark::left_in_line);
        pool->engine_->cancel(id, engine::Outcome::cancelled, R::now(), pool->fx_);
        pool->perform(lock);
      }
      unwanted = this->lent() && !taken && job() == nullptr;
    }
    if (!unwanted) return;
    R::probe(Mark::left_with_lease);
    static_cast<void>(take());
  }

  void run() override {
    weir::detail::Continuation now;
    {
      const Lock lock = pool->lock_unless_forked();
      if (left) return;
      now = std::exchange(next, {});
    }
    if (now.step != nullptr) now.step(now.self, true);
  }

  // What is to be done with the lease before the wait is over, if anything.
  [[nodiscard]] virtual weir::detail::Job* job() const noexcept { return nullptr; }

  // Whether the continuation has to be posted; said once. mutex_ is held.
  [[nodiscard]] bool due() noexcept {
    const bool is_due = over && !left && listening;
    if (is_due) listening = false;
    return is_due;
  }

  const std::shared_ptr<BasicPool> pool;
  Executor* const executor;
  const char* const tag;
  const char* const file;
  const int line;

  // Guarded by mutex_.
  bool starting : 1 = true;    // lend_later() has not returned
  bool over : 1 = false;       // answered, and the job done
  bool listening : 1 = false;  // `next` waits for that
  bool left : 1 = false;       // nobody will take the answer
  bool taken : 1 = false;
  std::shared_ptr<AsyncWaiter> own_place;  // itself, while it is in the queue
  weir::detail::Continuation next;

  engine::WaiterId id;                 // constant once it is started
  std::unique_ptr<StopCallback> stop;  // its taker's
};

template <Runtime R>
class BasicPool<R>::JobWaiter final : public AsyncWaiter {
 public:
  JobWaiter(std::shared_ptr<BasicPool> of, const Request& request, Executor& its_executor,
            std::shared_ptr<weir::detail::Job> job)
      : AsyncWaiter(std::move(of), request, its_executor), job_(std::move(job)) {}
  weir::detail::Job* job() const noexcept override { return job_.get(); }

 private:
  const std::shared_ptr<weir::detail::Job> job_;
};

// One that is answered while it is being started is handed on by who starts it.
template <Runtime R>
std::shared_ptr<weir::detail::AsyncWait> BasicPool<R>::lend_later(
    const Request& request, Executor& executor, std::shared_ptr<weir::detail::Job> job) {
  auto self = this->shared_from_this();
  // What is told of it in docs/async.md: with the control block of its pointer, and what a
  // coroutine keeps of it. The place in the queue is every waiter's.
  static_assert(sizeof(AsyncWaiter) + 2 * sizeof(void*) + sizeof(AsyncLease) <= 256);
  const std::shared_ptr<AsyncWaiter> waiter =
      job ? std::make_shared<JobWaiter>(std::move(self), request, executor, std::move(job))
          : std::make_shared<AsyncWaiter>(std::move(self), request, executor);
  if (forked()) {
    waiter->over = true;
    if (waiter->job() != nullptr) waiter->job()->run(fail(forked_error()));
    return waiter;
  }
  engine::Holder holder = holder_of(request);
  holder.thread = 0;
  const auto lent = [&](SlotId slot, std::uint64_t lease) {
    waiter->done = true;
    waiter->outcome = engine::Outcome::lent;
    waiter->slot = slot;
    waiter->lease = lease;
  };
  Lock held(mutex_);
  if (const auto taken = lane_.take(holder.thread); taken.session != nullptr) {
    note(taken, holder);
    lent(taken.session->slot(), taken.lease);
    waiter->starting = false;
    let_go(*waiter);
    held.unlock();
    if (waiter->job() != nullptr) executor_->post([this, waiter] { work(waiter); });
    return waiter;
  }
  Turn lock(*this, std::move(held));
  const Instant now = R::now();
  if (const SlotId slot = rack_->take(holder, now); slot != engine::no_slot) {
    R::probe(Mark::lent_at_once);
    lent(slot, rack_->view(slot).lease);
  } else {
    waiter->own_place = waiter;
    ++async_waiting_;
    waiter->id = enqueue(*waiter,
                         {static_cast<Completion*>(waiter.get()), engine::WaiterKind::callback,
                          holder, now, deadline_of(request, now)},
                         now);
    perform(lock);
    if (!waiter->done) {
      if (hooks_.on_wait) tell_of_wait(holder, lock);
      if (lock.owns_lock()) lock.unlock();
      if (request.options.stop.stop_possible()) {
        waiter->stop =
            std::make_unique<StopCallback>(request.options.stop, StopWaiting{this, waiter->id});
      }
      lock.lock();
    }
  }
  waiter->starting = false;
  if (!waiter->done) return waiter;
  waiter->own_place.reset();
  let_go(*waiter);
  lock.unlock();
  if (waiter->job() != nullptr) executor_->post([this, waiter] { work(waiter); });
  return waiter;
}

// Called in the step that answers it.
template <Runtime R>
void BasicPool<R>::answered(AsyncWaiter& waiter) noexcept {
  --async_waiting_;
  if (waiter.starting) return;
  woken_.push_back(std::move(waiter.own_place));
  let_go(waiter);
}

template <Runtime R>
void BasicPool<R>::let_go(AsyncWaiter& waiter) noexcept {
  if (waiter.job() != nullptr) {
    ++running_;  // until its work() has ended
  } else {
    waiter.over = true;
  }
}

// Without the lock.
template <Runtime R>
void BasicPool<R>::hand_on(std::vector<std::shared_ptr<AsyncWaiter>>& woken) noexcept {
  for (std::shared_ptr<AsyncWaiter>& waiter : woken) {
    if (waiter->job() != nullptr) {
      executor_->post([this, waiter] { work(waiter); });
    } else {
      Lock lock(mutex_);
      const bool due = waiter->due();
      lock.unlock();
      if (due) post(waiter);
    }
    waiter.reset();
  }
}

template <Runtime R>
void BasicPool<R>::post(const std::shared_ptr<AsyncWaiter>& waiter) noexcept {
  try {
    waiter->executor->post(Work(waiter));
  } catch (...) {
    executor_->post([work = Work(waiter)] { work(); });
  }
}

// Runs on the executor of the pools.
template <Runtime R>
void BasicPool<R>::work(const std::shared_ptr<AsyncWaiter>& waiter) {
  {
    Result<Lease> lease = waiter->take();
    Lock lock(mutex_);
    const bool wanted = !waiter->left;
    lock.unlock();
    if (wanted) waiter->job()->run(std::move(lease));
  }
  driver_->table->thread_detach(env_);
  std::shared_ptr<BasicPool> last;  // must go after the lock
  Lock lock(mutex_);
  waiter->over = true;
  if (waiter->due()) {
    lock.unlock();
    post(waiter);
    lock.lock();
  }
  if (--running_ == 0 && watchers_ > 0) changed_.notify_all();
  if (orphan_ && quiet() && engine_->physical() == 0) last = end_of_itself();
}

}  // namespace weir::runtime
