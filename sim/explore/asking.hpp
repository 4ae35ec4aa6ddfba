// SPDX-License-Identifier: MIT
//
// Asking: how the clients of a simulation wait for their connections, and how they stop waiting.
//
// Owner:   the simulation, for all of its run: a wait that was left may post late.
// Threads: each client from its own virtual thread.
#pragma once

#include "sim/explore/client_loop.hpp"
#include "sim/explore/lease_awaiter.hpp"
#include "sim/explore/scenario.hpp"

#include <map>
#include <stop_token>
#include <vector>

namespace weir::sim {

class Asking {
 public:
  explicit Asking(World& world) : world_(world) {}

  // Takes `count` connections as that group does. `answered` is left empty if nobody waited for the
  // answer.
  Result<std::vector<weir::Lease>> ask(Pool& pool, const ClientGroup& group, std::uint32_t count,
                                       std::optional<Instant>& answered) {
    AcquireOptions options{
        .timeout = group.timeout, .tag = "sim", .task = world_.running(), .stop = {}};
    if (group.waits == ClientGroup::Waits::event_loop) {
      return one(await(pool, group, std::move(options), answered));
    }
    if (!group.gives_up) return block(pool, count, options, answered);
    std::stop_source stop;
    options.stop = stop.get_token();
    Mutex mutex;
    ConditionVariable came;
    bool over = false;
    Thread host([&, until = after(world_.now(), *group.gives_up)] {
      std::unique_lock lock(mutex);
      while (!over && world_.now() < until) static_cast<void>(came.wait_until(lock, until));
      if (over) return;
      lock.unlock();
      stop.request_stop();
    });
    auto leases = block(pool, count, options, answered);
    {
      const std::unique_lock lock(mutex);
      over = true;
      came.notify_one();
    }
    host.join();
    return leases;
  }

  // Drops the answers to waits that were left just when they came: they hold the pool. Requires:
  // the pool is closed, so that no further one comes.
  void forget() noexcept { loops_.clear(); }

 private:
  Result<std::vector<weir::Lease>> block(Pool& pool, std::uint32_t count,
                                         const AcquireOptions& options,
                                         std::optional<Instant>& answered) {
    auto leases = count > 1 ? pool.acquire_n(count, options) : one(pool.acquire(options));
    answered = world_.now();
    return leases;
  }
  static Result<std::vector<weir::Lease>> one(Result<weir::Lease> lease) {
    if (!lease) return fail(std::move(lease).error());
    std::vector<weir::Lease> leases;
    leases.push_back(*std::move(lease));
    return leases;
  }

  Result<weir::Lease> await(Pool& pool, const ClientGroup& group, AcquireOptions options,
                            std::optional<Instant>& answered) {
    ClientLoop& loop = loops_[world_.running()];
    std::stop_source stop;
    if (group.gives_up) options.stop = stop.get_token();
    const Instant until = after(world_.now(), group.gives_up.value_or(no_timeout));
    auto wait = pool.async_acquire(loop, options);
    if (group.gives_up && ++given_up_ % 2 == 0) {
      LeaseAwaiter awaiter = await_lease(std::move(wait));
      loop.run([&] { return awaiter.is_over(); }, until);
      if (!awaiter.is_over()) return fail(Code::cancelled, "the client has left the wait");
      answered = world_.now();
      return awaiter.take();
    }
    std::optional<Result<weir::Lease>> answer;
    std::move(wait).then([&](Result<weir::Lease> lease) { answer = std::move(lease); });
    const auto there = [&] { return answer.has_value(); };
    loop.run(there, until);
    stop.request_stop();
    loop.run(there);
    answered = world_.now();
    return *std::move(answer);
  }

  World& world_;
  std::map<ThreadId, ClientLoop> loops_;
  std::uint64_t given_up_ = 0;  // acquires of event loops that are given up
};

}  // namespace weir::sim
