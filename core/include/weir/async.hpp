// SPDX-License-Identifier: MIT
//
// Async: acquires and queries that block no thread. They wait in the same queue as blocking
// callers, by the same rules and deadlines.
//
//   weir::Result<weir::Lease> lease = co_await pool.async_acquire(loop);
//   weir::Result<weir::Rows> rows = co_await pool.async_query(loop, "select ...", 42);
//   pool.async_acquire(loop).then([](weir::Result<weir::Lease> lease) { ... });
//
// A wait begins with the call, not with co_await. It ends with a lease or an Error: by its timeout,
// by AcquireOptions::stop, or with the pool.
//
// Blocks:   async_*: for the pool's lock, microseconds. A Lease that was awaited is one like any
//           other: its queries block the thread that makes them. async_with, async_query and
//           async_execute make theirs on a thread of the pools', one for each lease that is at
//           work.
// Threads:  what is returned is used by one thread at a time; the answer may come at any moment.
// Lifetime: destroying what was returned, or the coroutine that awaits it, ends the wait, and a
//           connection that has been lent to it meanwhile goes back. fn() of async_with that has
//           begun runs to its end; its result is dropped. A coroutine must not be destroyed while
//           another thread may resume it, as ever.
#pragma once

#include <weir/pool.hpp>

#include <coroutine>
#include <exception>
#include <tuple>

namespace weir {

// The rest of a wait that is over: resumes the coroutine, or calls the function. To be called once;
// later calls do nothing. If all copies go without a call, the coroutine stays where it is, and the
// function is destroyed; the connection goes back.
class WEIR_API Work {
 public:
  explicit Work(std::shared_ptr<detail::AsyncWait> wait) noexcept : wait_(std::move(wait)) {}
  void operator()() const;

 private:
  std::shared_ptr<detail::AsyncWait> wait_;
};

// A host's threads: an event loop, or a pool of workers. Outlives every wait that names it.
class WEIR_API Executor {
 public:
  virtual ~Executor() = default;
  // Has work() called soon on a thread of the host's; not within post(), which is called in the
  // middle of whatever ended the wait, such as another caller's release. Threads: any. If it
  // throws, a thread of the pools' calls work() instead.
  virtual void post(Work work) = 0;
};

namespace detail {

// What to do next: step(self, true) once; or step(self, false), if that will never happen.
struct Continuation {
  void (*step)(void* self, bool go_on) = nullptr;
  void* self = nullptr;
};

// A wait without a thread. The pool's; shared by who awaits it, the pool's queue, and Work.
class WEIR_API AsyncWait {
 public:
  virtual ~AsyncWait() = default;
  // Has `next` done on the executor once the wait is over. Returns: false, with nothing done, if it
  // is over already and not `even_now`. `self`: this. Once.
  [[nodiscard]] virtual bool when_over(const std::shared_ptr<AsyncWait>& self, Continuation next,
                                       bool even_now) = 0;
  // The answer. REQUIRES: it is over; once.
  [[nodiscard]] virtual Result<Lease> take() = 0;
  // Nobody will take the answer.
  virtual void leave() noexcept = 0;
  virtual void run() = 0;  // for Work
};

// What is done with the lease, on a thread of the pools', before the wait is over.
class WEIR_API Job {
 public:
  virtual ~Job() = default;
  virtual void run(Result<Lease> lease) noexcept = 0;
};

// The part that is common to what may be awaited.
class WEIR_API Awaited {
 public:
  Awaited(Awaited&&) noexcept = default;
  Awaited& operator=(Awaited&&) = delete;
  ~Awaited() {
    if (wait_) wait_->leave();
  }
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  [[nodiscard]] bool await_suspend(std::coroutine_handle<> coroutine) {
    return wait_->when_over(wait_, {&resume, coroutine.address()}, false);
  }

 protected:
  explicit Awaited(std::shared_ptr<AsyncWait> wait) noexcept : wait_(std::move(wait)) {}
  std::shared_ptr<AsyncWait> wait_;  // null once the answer was taken

 private:
  static void resume(void* coroutine, bool go_on) {
    if (go_on) std::coroutine_handle<>::from_address(coroutine).resume();
  }
};

// A function that is called with what take() returns. Does not own the wait, which owns it.
template <class Take, class F>
class Callback {
 public:
  Callback(Take take, F fn) : take_(std::move(take)), fn_(std::move(fn)) {}
  static void step(void* self, bool go_on) {
    const std::unique_ptr<Callback> me(static_cast<Callback*>(self));
    if (go_on) me->fn_(me->take_());
  }

 private:
  Take take_;
  F fn_;
};

template <class Take, class F>
void call_when_over(const std::shared_ptr<AsyncWait>& wait, Take take, F fn) {
  using Call = Callback<Take, F>;
  auto call = std::make_unique<Call>(std::move(take), std::move(fn));
  static_cast<void>(wait->when_over(wait, {&Call::step, call.release()}, /*even_now=*/true));
}

template <class R>
class JobWithResult : public Job {
 public:
  // Requires: it has run; once. Throws what the function threw.
  [[nodiscard]] R result() {
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
    return *std::move(result_);
  }

 protected:
  std::optional<R> result_;
  std::exception_ptr thrown_;
};

template <class R, class F>
class FunctionJob final : public JobWithResult<R> {
 public:
  explicit FunctionJob(F fn) : fn_(std::move(fn)) {}
  void run(Result<Lease> lease) noexcept override {
    try {
      if (lease) {
        this->result_.emplace(call(*fn_, **lease));
      } else {
        this->result_.emplace(fail(std::move(lease).error()));
      }
    } catch (...) {
      this->thrown_ = std::current_exception();
    }
    fn_.reset();  // what it owns ends before the wait does
  }

 private:
  std::optional<F> fn_;
};

// A parameter that outlives the call it was given to: whatever borrows its bytes is copied. It
// makes the same cell, so a null pointer stays a NULL.
template <class T>
auto owned(const T& value) {
  if constexpr (is_optional<T>) {
    return value ? std::optional(owned(*value)) : std::nullopt;
  } else if constexpr (std::is_same_v<T, Blob>) {
    return std::vector<std::byte>(value.bytes.begin(), value.bytes.end());
  } else if constexpr (std::is_convertible_v<const T&, const char*>) {
    const char* const text = value;
    return text == nullptr ? std::optional<std::string>() : std::optional<std::string>(text);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return std::string(std::string_view(value));
  } else {
    return value;
  }
}

// call(connection, sql, parameters...), with copies of the last two.
template <class Call, class... Args>
auto with_copies(Call call, Sql sql, const Args&... args) {
  return [call, text = std::string(sql.text()), site = sql.site(),
          copies = std::tuple(owned(args)...)](Connection& c) {
    const Sql again(text, site.file, site.line);
    return std::apply([&](const auto&... values) { return call(c, again, values...); }, copies);
  };
}

}  // namespace detail

// Of Pool::async_acquire. Gives a Result<Lease>.
class [[nodiscard]] AsyncLease : public detail::Awaited {
 public:
  [[nodiscard]] Result<Lease> await_resume() { return std::exchange(wait_, nullptr)->take(); }
  // Calls fn(Result<Lease>) on the executor, once; never within then().
  template <class F>
  void then(F fn) && {
    const auto wait = std::exchange(wait_, nullptr);
    detail::call_when_over(
        wait, [raw = wait.get()] { return raw->take(); }, std::move(fn));
  }

 private:
  friend class Pool;
  using Awaited::Awaited;
};

// Of Pool::async_with and its like. Gives an R, which is a Result.
template <class R>
class [[nodiscard]] AsyncResult : public detail::Awaited {
 public:
  // Throws what the function has thrown.
  [[nodiscard]] R await_resume() {
    wait_ = nullptr;
    return job_->result();
  }
  // Calls fn(R) on the executor, once; never within then(). What the function of async_with has
  // thrown comes out of Work::operator() there.
  template <class F>
  void then(F fn) && {
    detail::call_when_over(
        std::exchange(wait_, nullptr), [job = std::move(job_)] { return job->result(); },
        std::move(fn));
  }

 private:
  friend class Pool;
  AsyncResult(std::shared_ptr<detail::AsyncWait> wait,
              std::shared_ptr<detail::JobWithResult<R>> job) noexcept
      : Awaited(std::move(wait)), job_(std::move(job)) {}
  std::shared_ptr<detail::JobWithResult<R>> job_;
};

template <class F>
auto Pool::async_with(Executor& executor, F fn, const AcquireOptions& options, CallSite site)
    -> AsyncResult<detail::ResultOf<std::invoke_result_t<F&, Connection&>>> {
  using R = detail::ResultOf<std::invoke_result_t<F&, Connection&>>;
  auto job = std::make_shared<detail::FunctionJob<R, F>>(std::move(fn));
  auto wait = lend_later({options, site}, executor, job);
  return {std::move(wait), std::move(job)};
}

template <class... Args>
AsyncResult<Result<Rows>> Pool::async_query(Executor& executor, Sql sql, const Args&... args) {
  const auto query = [](Connection& c, const Sql& again, const auto&... values) {
    return c.query(again, values...);
  };
  return async_with(executor, detail::with_copies(query, sql, args...), {}, sql.site());
}

template <class... Args>
AsyncResult<Result<Executed>> Pool::async_execute(Executor& executor, Sql sql,
                                                  const Args&... args) {
  const auto execute = [](Connection& c, const Sql& again, const auto&... values) {
    return c.execute(again, values...);
  };
  return async_with(executor, detail::with_copies(execute, sql, args...), {}, sql.site());
}

}  // namespace weir
