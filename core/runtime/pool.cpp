// SPDX-License-Identifier: MIT
//
// The parts of weir/pool.hpp that are the same for every runtime, and the names of its log levels.
#include "core/runtime/session.hpp"

#include <weir/async.hpp>
#include <weir/pools.hpp>

#include <algorithm>

namespace weir {

std::string_view to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::query:
      return "query";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  return "";
}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  release();
  pool_ = std::exchange(other.pool_, nullptr);
  connection_ = std::exchange(other.connection_, Connection({}));
  return *this;
}

void Lease::release() noexcept {
  if (pool_ == nullptr) return;
  std::exchange(pool_, nullptr)->take_back(connection_.ref_);
  connection_ = Connection({});  // from here on the pool may be gone
}

void Work::operator()() const { wait_->run(); }

Pool::Request Pool::request(AcquireOptions&& options, CallSite site) noexcept {
  return {options.timeout ? std::max(*options.timeout, Duration{}) : Request::acquire_timeout,
          no_deadline,
          options.tag,
          options.task,
          false,
          site,
          std::move(options.stop)};
}

Result<Lease> Pool::acquire(AcquireOptions options, CallSite site) {
  return lend(request(std::move(options), site));
}

Result<std::vector<Lease>> Pool::acquire_n(std::uint32_t count, AcquireOptions options,
                                           CallSite site) {
  return lend_several(request(std::move(options), site), count);
}

AsyncLease Pool::async_acquire(Executor& executor, AcquireOptions options, CallSite site) {
  return AsyncLease(lend_later(request(std::move(options), site), executor, nullptr));
}

Result<Lease> Pool::acquire_here(AcquireOptions options, CallSite site, Instant deadline) {
  Request within = request(std::move(options), site);
  within.deadline = deadline;
  within.on_this_thread = true;
  return lend(within);
}

Result<Lease> Pool::try_acquire(CallSite site) { return acquire({.timeout = Duration{}}, site); }

Result<Lease> Pool::acquire_until(Instant deadline, CallSite site) {
  Request until = request({.timeout = no_timeout}, site);
  until.deadline = deadline;
  return lend(until);
}

}  // namespace weir
