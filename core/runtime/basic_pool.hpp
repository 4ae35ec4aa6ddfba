// SPDX-License-Identifier: MIT
//
// BasicPool: the shell. It runs the engine under one mutex and carries out what the engine asks
// for: it parks and wakes callers, runs driver operations on the executor, arms a timer, writes the
// log. All decisions are the engine's.
//
// One source, two instantiations: BasicPool<OsRuntime> is in libweir, the simulator makes another.
//
// Invariants: 1. no driver function but state(), no hook, no middleware and no log sink runs under
//                mutex_.
//             2. a session is used by its leaseholder, or by the one operation under way, never
//             both.
//             3. every step of the engine is followed by perform() before mutex_ is released.
//             4. whoever asks the engine, or looks at the rack, has a Turn: the lock, with the lane
//                closed. A Lock alone is for what else mutex_ guards.
// Lifetime:   shared. Owners are Pools, callers that wait, and, once the pool was closed with
//             leases out or a driver call that does not end, the pool itself until the last of
//             them is done (orphan_). Otherwise drain() returns when nothing of the pool runs any
//             more: neither the driver nor the log sink is called afterwards.
// Threads:    every public member, any thread.
#pragma once

#include "core/base/histogram.hpp"
#include "core/engine/engine.hpp"
#include "core/loader/loader.hpp"
#include "core/runtime/advice.hpp"
#include "core/runtime/chain_desk.hpp"
#include "core/runtime/engine_config.hpp"
#include "core/runtime/error_buffer.hpp"
#include "core/runtime/executor.hpp"
#include "core/runtime/host.hpp"
#include "core/runtime/lane.hpp"
#include "core/runtime/retry_desk.hpp"
#include "core/runtime/session.hpp"
#include "core/runtime/walk.hpp"

#include <weir/async.hpp>
#include <weir/pools.hpp>

#include <deque>
#include <memory>
#include <stop_token>

namespace weir::runtime {

// What a pool is made of.
template <Runtime R>
struct PoolParts {
  PoolConfig config;
  std::vector<DriverOption> options;  // checked against the driver, defaults filled in
  std::string base_dir;
  std::shared_ptr<const loader::LoadedDriver> driver;
  std::shared_ptr<BasicExecutor<R>> executor;
  LogSink sink;
  typename BasicHost<R>::Extension host_extension = {};
  // Set: the first connection asks its server what it allows (advice.hpp).
  std::optional<observe::ProcessFacts> process = {};
  Hooks hooks = {};
};

// What connections are made of. Kept by those that were made of it; once the last of them is gone,
// its source is ended by the next reload, or with the pool.
struct Generation {
  weir_source* source = nullptr;
  std::vector<std::string> init_sql;
};

// A configuration that has been checked and can be taken on at once.
struct Change {
  PoolConfig config;
  std::vector<DriverOption> options;
  std::string base_dir;
  std::shared_ptr<Generation> made_of;  // null: as before
  bool sizes_itself = false;            // max is "auto", and the number a guess until it is told
  std::uint32_t connections_max = 0;    // as in the pool
};

template <Runtime R>
class BasicPool final : public Pool,
                        public std::enable_shared_from_this<BasicPool<R>>,
                        private Watcher {
 public:
  // Errors: what the driver says of url and options. Connects to nothing.
  [[nodiscard]] static Result<std::shared_ptr<BasicPool>> create(PoolParts<R> parts);
  ~BasicPool() override;

  // Begins to create `min` connections.
  void start();
  // The first half of drain(): returns at once. For closing many pools together.
  void begin_drain();

  // Reload, in two halves, so that several pools can be changed all or none. prepare() does all
  // that can fail and changes nothing; take_on() cannot fail. One thread at a time.
  [[nodiscard]] Result<Change> prepare(PoolConfig config, std::vector<DriverOption> options,
                                       std::string base_dir);
  void take_on(Change change);
  // Instead of take_on(), where another pool's part of the reload has failed.
  void drop(Change change);
  [[nodiscard]] const weir_info& driver_info() const noexcept { return driver_->table.info(); }

  [[nodiscard]] PoolConfig config() const override;
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }
  [[nodiscard]] std::string placeholder(int n) const override;
  void use(Middleware middleware, MiddlewareOptions options = {}) override;
  [[nodiscard]] PoolStats stats() const override;
  [[nodiscard]] PoolHealth health() const override;
  [[nodiscard]] Result<void> wait_ready(Duration timeout) override;
  [[nodiscard]] Result<void> resize(std::uint32_t min, std::uint32_t max) override;
  [[nodiscard]] Result<void> suspend(Duration timeout) override;
  void resume() override;
  [[nodiscard]] Result<void> evict() override;
  [[nodiscard]] Result<void> drain(Duration timeout) override;
  [[nodiscard]] Instant now() const noexcept override { return R::now(); }
  void sleep_until(Instant until) override { R::sleep_until(until); }

 private:
  using Lock = std::unique_lock<typename R::mutex>;
  // See invariant 4.
  class Turn {
   public:
    explicit Turn(BasicPool& pool) : Turn(pool, Lock(pool.mutex_)) {}
    Turn(BasicPool& pool, Lock held) : pool_(&pool), lock_(std::move(held)) { pool.begin_turn(); }
    Turn(Turn&&) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (lock_.owns_lock()) unlock();
    }
    void lock() {
      lock_.lock();
      pool_->begin_turn();
    }
    void unlock() noexcept {
      pool_->end_turn();
      lock_.unlock();
    }
    void wait_until(typename R::condition_variable& cv, Instant until) {
      pool_->end_turn();
      R::wait_until(cv, lock_, until);
      pool_->begin_turn();
    }
    [[nodiscard]] bool owns_lock() const noexcept { return lock_.owns_lock(); }

   private:
    BasicPool* pool_;
    Lock lock_;
  };
  using SlotId = engine::SlotId;
  // A thread is a task of its own while it is in with() and the like. The host's tasks are even.
  static constexpr engine::TaskId task_of(std::uint64_t thread) noexcept { return thread * 2 + 1; }
  // The tasks of callers that name none and want several connections. Apart from those of threads,
  // which are odd as well, and small.
  static constexpr engine::TaskId own_tasks = (engine::TaskId{1} << 63) | 1;

  // How a queued caller learns of its answer: the engine's token. All members are guarded by
  // mutex_.
  struct Completion {
    explicit Completion(void (*how)(Completion&) noexcept) noexcept : wake(how) {}
    [[nodiscard]] bool lent() const noexcept { return done && outcome == engine::Outcome::lent; }
    void (*wake)(Completion&) noexcept;  // called under mutex_ once `done` or `offered` is set
    bool done = false;
    bool offered = false;
    engine::Outcome outcome{};
    SlotId slot = engine::no_slot;
    std::uint64_t lease = 0;
    Duration waited{};
    PoolCounts at_start;
    PhaseTimes phases{};  // a reading at the start; from then on, unless lent, what was waited for
  };
  // A blocked thread, on its own stack: one kind of completion, the others need no thread.
  struct ThreadWaiter : Completion {
    ThreadWaiter() noexcept
        : Completion([](Completion& self) noexcept {
            static_cast<ThreadWaiter&>(self).cv.notify_one();
          }) {}
    typename R::condition_variable cv;
  };
  // A blocked thread that wants several connections: a completion for each.
  struct Several {
    struct Part : Completion {
      explicit Part(Several& whole) noexcept
          : Completion([](Completion& self) noexcept {
              auto& part = static_cast<Part&>(self);
              part.all.answered(part);
            }),
            all(whole) {}
      Several& all;
    };
    void answered(const Part& part) noexcept {
      --open;
      if (!part.lent()) failed = true;
      if (over()) cv.notify_one();
    }
    [[nodiscard]] bool over() const noexcept { return open == 0 || failed; }
    std::deque<Part> parts;
    std::vector<engine::WaiterId> ids;  // theirs
    std::size_t open = 0;               // parts without an answer
    bool failed = false;
    typename R::condition_variable cv;
  };
  class AsyncWaiter;  // a completion without a thread: pool_async.ipp
  class JobWaiter;    // one whose lease is used on a thread of the pools'
  // Ends a wait when its host asks for it.
  struct StopWaiting {
    void operator()() const noexcept { pool->cancel_wait(id); }
    BasicPool* pool;
    engine::WaiterId id;
  };
  using StopCallback = std::stop_callback<StopWaiting>;

  // On lines of its own, like the cells of the lane: its session is written at each lease.
  struct alignas(64) Slot {
    Slot(const SessionContext& context, SlotId id) : session(context, id) {}
    Session session;                            // see invariant 2
    std::uint64_t tag = 0;                      // guarded by mutex_, the rest too
    std::shared_ptr<const Generation> made_of;  // from before open until after close
    Canceller canceller;                        // the same
    bool abort_requested = false;               // before there was a canceller
    bool accepted = false;      // by on_create, or there is none; kept if there is an on_destroy
    bool is_set_aside = false;  // its attempt hung, and what it ends with is no news
    // The last lease whose duration counts: for all since the one before. The lower half of its
    // number: a difference is all that is asked of it.
    std::uint32_t measured = 0;
  };

  // Made with its first value: an idle pool has not waited, and has lent nothing.
  class Times {
   public:
    void add(Duration value, std::uint64_t times = 1) noexcept {
      try {
        if (!all_) all_ = std::make_unique<base::Histogram>();
        all_->add(value, times);
      } catch (const std::bad_alloc&) {
        // Then it is not counted: nothing else depends on it.
      }
    }
    [[nodiscard]] Times copy() const {
      Times other;
      if (all_) other.all_ = std::make_unique<base::Histogram>(*all_);
      return other;
    }
    [[nodiscard]] LatencySummary summary() const noexcept {
      return all_ ? all_->summary() : LatencySummary{};
    }

   private:
    std::unique_ptr<base::Histogram> all_;
  };

  explicit BasicPool(PoolParts<R> parts);
  [[nodiscard]] Result<void> open_env();
  void end_sources(const std::vector<std::shared_ptr<Generation>>& ended);
  [[nodiscard]] Error named(const Error& why) const;
  [[nodiscard]] Result<std::shared_ptr<Generation>> make_generation(
      PoolConfig& config, const std::vector<DriverOption>& options, const std::string& base_dir,
      weir_source_traits& traits);
  [[nodiscard]] bool forked() const noexcept { return context_.process != process_generation(); }
  // A look brings the rack up to date, which changes nothing that anybody could see.
  [[nodiscard]] Turn look() const { return Turn(const_cast<BasicPool&>(*this)); }
  // In a forked child the parent's lock may be held for ever, and there is nobody to share with.
  [[nodiscard]] Lock lock_unless_forked() const { return forked() ? Lock() : Lock(mutex_); }

  // pool_lane.ipp
  void begin_turn();
  void end_turn() noexcept;
  [[nodiscard]] std::uint32_t turns_to_open() const noexcept;
  void open_lane();
  [[nodiscard]] Duration lane_period() const noexcept;
  std::optional<Duration> measure(std::uint64_t lease, SlotId slot);
  std::optional<Duration> measure_locked(std::uint64_t lease, SlotId slot, Instant now);

  // pool_lending.ipp
  [[nodiscard]] Result<Lease> lend(const Request& request) override;
  void take_back(Session& session, std::uint64_t lease) noexcept override;
  [[nodiscard, gnu::noinline]] Result<Lease> lent_in_lane(typename Lane<R>::Taken taken,
                                                          const Request& request);
  void note(typename Lane<R>::Taken taken, const engine::Holder& holder) noexcept;
  [[nodiscard]] Result<Lease> queue_up(const engine::Holder& holder, const Request& request,
                                       Instant now, Turn& held);
  [[nodiscard]] Lease grant(Session& session, std::uint64_t lease, const engine::Holder& holder,
                            Duration waited, Turn& lock);
  [[nodiscard]] Lease grant(Session& session, std::uint64_t lease, const engine::Holder& holder,
                            Duration waited);
  [[nodiscard, gnu::always_inline]] inline Lease grant(Session& session, std::uint64_t lease,
                                                       const char* tag,
                                                       const CallSite& site) noexcept;
  [[nodiscard, gnu::always_inline]] inline engine::Holder holder_of(
      const Request& request) const noexcept;
  [[nodiscard]] Instant deadline_of(const Request& request, Instant now) const noexcept;
  [[nodiscard]] engine::WaiterId enqueue(Completion& waiter, const engine::Waiter& as,
                                         Instant now) noexcept;
  void cancel_wait(engine::WaiterId id) noexcept;
  void tell_of_wait(const engine::Holder& holder, Turn& lock);
  [[nodiscard]] Error tell_of_failure(const Completion& waiter, const engine::Holder& holder,
                                      Turn& lock, std::ptrdiff_t timeouts = 1);
  [[nodiscard]] Result<std::vector<Lease>> lend_several(const Request& request,
                                                        std::uint32_t count) override;
  [[nodiscard]] Result<std::vector<Lease>> give_up(Several& several, const engine::Holder& holder,
                                                   Turn& lock);
  [[nodiscard]] std::vector<Lease> grant_all(Several& several, const engine::Holder& holder,
                                             Turn& lock);
  [[nodiscard]] Result<Lease> lend_under_lock(const Request& request);
  [[nodiscard]] bool is_measured(std::uint64_t lease) const noexcept {
    return exactly_ || Lane<R>::is_sample(lease);
  }
  [[gnu::noinline]] void take_back_and_tell(Session& session, std::uint64_t lease) noexcept;
  // Requires: the lease has been ended in the session.
  [[gnu::noinline]] Duration give_back(Session& session, std::uint64_t lease) noexcept;
  [[nodiscard]] Duration give_back_under_lock(Session& session, std::uint64_t lease,
                                              const engine::ReturnFacts& facts,
                                              std::optional<Duration> held) noexcept;
  [[nodiscard]] Error failure(const Completion& waiter, const engine::Holder& holder,
                              Instant now) const;
  [[nodiscard]] AcquireReport report(const Completion& waiter, const engine::Holder& holder,
                                     Instant now) const;
  [[nodiscard]] AcquireClass reason(const engine::Holder& holder, Duration waited,
                                    Instant now) const;
  [[nodiscard]] bool all_holders_wait(const engine::Holder& last) const;
  [[nodiscard]] std::string held_text(Instant now) const;
  [[nodiscard]] bool nobody_else_holds() const;
  [[nodiscard]] LeaseHolder holder_of(SlotId slot, Instant now) const;
  [[nodiscard]] std::vector<LeaseHolder> longest_leases(std::size_t count, Instant now) const;

  // pool_async.ipp
  [[nodiscard]] std::shared_ptr<weir::detail::AsyncWait> lend_later(
      const Request& request, Executor& executor, std::shared_ptr<weir::detail::Job> job) override;
  void answered(AsyncWaiter& waiter) noexcept;
  void let_go(AsyncWaiter& waiter) noexcept;
  void work(const std::shared_ptr<AsyncWaiter>& waiter);
  void hand_on(std::vector<std::shared_ptr<AsyncWaiter>>& woken) noexcept;
  void post(const std::shared_ptr<AsyncWaiter>& waiter) noexcept;

  // In a forked child the parent's lock may be held for ever, so it is not asked.
  [[nodiscard]] RetryPolicy retry_policy() const override {
    return forked() ? RetryPolicy{} : retries_.policy();
  }
  [[nodiscard]] weir::detail::RetryDecision decide_retry(const RetryPolicy& policy,
                                                         weir::detail::RetryProgress& progress,
                                                         const Error& error,
                                                         Instant deadline) override {
    if (!forked()) return retries_.decide(policy, progress, error, deadline);
    ++progress.attempts;
    return {RetryStop::not_retryable, {}};
  }
  void retry_succeeded(const RetryPolicy& policy) noexcept override {
    if (!forked()) retries_.succeeded(policy);
  }

  // pool_work.ipp
  void perform(Turn& lock) noexcept;
  void start_op(const engine::StartOp& op);
  void rearm();
  void arm(Instant at);
  void on_timer();
  void run(const engine::StartOp& op, Slot& slot);
  [[nodiscard]] engine::OpResult run_connect(const engine::StartOp& op, Slot& slot);
  [[nodiscard]] engine::OpResult run_init(const engine::StartOp& op, Slot& slot);
  [[nodiscard]] bool give_advice(const engine::StartOp& op, Slot& slot);
  void take_share(const observe::ServerFacts& server);
  void ask_server_anew() noexcept;
  [[nodiscard]] std::uint32_t within_reach(std::uint32_t max) const noexcept;
  [[nodiscard]] engine::OpResult run_reset(const engine::StartOp& op, Slot& slot);
  void run_close(const engine::StartOp& op, Slot& slot);
  [[nodiscard]] engine::OpResult run_check(const engine::StartOp& op,
                                           Slot& slot);  // pool_health.ipp
  engine::OpResult create_failed(const Slot& slot, Error error);
  void forget(Slot& slot);
  [[nodiscard]] bool quiet() const noexcept;
  [[nodiscard]] std::shared_ptr<BasicPool> end_of_itself() noexcept;
  [[nodiscard]] std::string detail_of(const engine::Event& event) const;
  void tell(const engine::Event& event, const PoolCounts& counts, const std::string& detail);
  void log(LogLevel level, std::string_view line) const noexcept override;
  [[nodiscard]] bool logs(LogLevel level) const noexcept;
  void set_log_levels(const LogLevels& levels) noexcept;
  template <class Enough>
  void wait_for(Turn& lock, Instant until, Enough&& enough);
  [[nodiscard]] engine::EngineConfig engine_config_now() const;

  // pool_telling.ipp
  enum class Hook : std::uint8_t {
    destroy,
    acquire,
    release,
    wait,
    timeout,
    query,
    notice,
    notify,
  };
  struct Heard {  // from a server
    bool notify;
    SlotId slot;
    std::string name;
    std::string text;
  };
  [[nodiscard]] std::shared_ptr<const Chain> chain() override;
  void call_ended(const Ended& ended) noexcept override;
  template <class Event>
  void tell(Hook which, const std::function<void(const Event&)>& hook, const Event& event) noexcept;
  // Around a hook that is told while nothing else of the caller's shows in the pool: drain waits
  // for it. begin_hook() with the lock; both only while something else holds the pool.
  void begin_hook() noexcept;
  void end_hook() noexcept;
  void hook_threw(Hook which) noexcept;
  [[nodiscard]] Result<void> set_up(Slot& slot, bool after_reset, Instant deadline);
  [[nodiscard]] Result<void> ask_on_create(Slot& slot, bool after_reset, Instant deadline);
  void accept(Slot& slot);
  [[nodiscard]] std::vector<DestroyEvent> destroyed_by(const std::vector<engine::Event>& events,
                                                       const PoolCounts& counts) const;
  void hear(std::uint64_t tag, const weir_event& event);
  void tell_heard();

  // Constant after create().
  const std::string name_;
  std::shared_ptr<const loader::LoadedDriver> driver_;
  std::shared_ptr<BasicExecutor<R>> executor_;
  LogSink sink_;
  const Hooks hooks_;
  const std::optional<observe::ProcessFacts> process_;
  // The server has been asked what it allows; and once more, since the first one asked was lost.
  typename R::template atomic<bool> advised_{false};
  typename R::template atomic<bool> asked_again_{false};
  bool sizes_itself_ = false;  // guarded by mutex_: max is "auto"
  observe::ServerFacts told_;  // guarded by mutex_: by the server, for that
  // Set once nobody may be left to hear: an orphan writes no log, and calls nothing of the host's.
  typename R::template atomic<bool> muted_{false};
  BasicHost<R> host_;
  weir_env* env_ = nullptr;
  bool pinned_ = false;
  SessionContext context_;
  typename BasicExecutor<R>::TimerId timer_ = 0;
  // Held across source_create() and source_destroy(), of which the ABI wants one at a time; never
  // together with mutex_.
  typename R::mutex sources_mutex_;

  typename R::template atomic<std::uint8_t> log_levels_{0};         // bits, by LogLevel
  typename R::template atomic<std::int64_t> slow_query_;            // ns
  typename R::template atomic<std::uint32_t> hooks_that_threw_{0};  // bits, by Hook
  typename R::template atomic<bool> heard_lost_{false};
  ChainDesk<R> chains_;   // has its own lock
  RetryDesk<R> retries_;  // has its own lock
  Lane<R> lane_;
  const bool exactly_;  // every lease is measured: somebody is told

  // Not held across a driver call, a callback or the log sink. What is above is only read where the
  // lane is open, and must not be on a line that this is on.
  alignas(64) mutable typename R::mutex mutex_;
  PoolConfig config_;  // as it is now
  std::vector<DriverOption> options_;
  std::string base_dir_;
  std::uint32_t connections_max_ = 0;  // what the driver can give; 0: it knows no limit
  // What connections are made of, the present one last. The others wait for theirs to go.
  std::vector<std::shared_ptr<Generation>> generations_;
  typename R::condition_variable changed_;  // ready, drained: for wait_ready and drain
  std::uint32_t watchers_ = 0;              // threads that wait for changed_
  std::optional<engine::PlainRack> rack_;
  std::optional<engine::Engine> engine_;
  engine::Effects fx_;
  std::deque<Slot> slots_;  // by SlotId; addresses are stable
  std::uint64_t last_tag_ = 0;
  Instant armed_ = no_deadline;
  std::uint32_t turns_ = 0;  // since the lane was open
  bool lane_used_ = false;   // since the timer came
  Times wait_times_;
  Times use_times_;
  Times create_times_;
  std::optional<Error> create_error_;  // of the last attempt that failed
  Instant create_error_at_;
  std::string check_error_;              // of the health check that ends next
  std::string check_failure_;            // why the last one failed, if it did
  std::uint32_t running_ = 0;            // operations queued or under way
  std::uint32_t telling_ = 0;            // threads in a driver's abort, the log sink or on_destroy
  std::vector<std::uint64_t> in_hooks_;  // threads in on_wait, on_timeout or on_release, by number
  std::deque<Heard> heard_;              // not told yet
  bool telling_heard_ = false;
  std::uint32_t async_waiting_ = 0;                  // AsyncWaiters in the queue
  std::vector<std::shared_ptr<AsyncWaiter>> woken_;  // answered, not handed on yet
  std::uint64_t last_own_task_ = 0;                  // of acquire_n: see own_tasks
  std::shared_ptr<BasicPool> orphan_;
};

}  // namespace weir::runtime

#include "core/runtime/pool_async.ipp"
#include "core/runtime/pool_change.ipp"
#include "core/runtime/pool_health.ipp"
#include "core/runtime/pool_lane.ipp"
#include "core/runtime/pool_lending.ipp"
#include "core/runtime/pool_life.ipp"
#include "core/runtime/pool_telling.ipp"
#include "core/runtime/pool_work.ipp"
