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

Lease::Lease(Lease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      connection_(std::exchange(other.connection_, Connection({}))) {}

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

Result<Lease> Pool::acquire(AcquireOptions options, CallSite site) {
  return lend({options.timeout, no_deadline, options.tag, options.task, false, site,
               std::move(options.stop)});
}

Result<std::vector<Lease>> Pool::acquire_n(std::uint32_t count, AcquireOptions options,
                                           CallSite site) {
  return lend_several({options.timeout, no_deadline, options.tag, options.task, false, site,
                       std::move(options.stop)},
                      count);
}

AsyncLease Pool::async_acquire(Executor& executor, AcquireOptions options, CallSite site) {
  return AsyncLease(lend_later({options.timeout, no_deadline, options.tag, options.task, false,
                                site, std::move(options.stop)},
                               executor, nullptr));
}

Result<Lease> Pool::acquire_here(AcquireOptions options, CallSite site, Instant deadline) {
  return lend(
      {options.timeout, deadline, options.tag, options.task, true, site, std::move(options.stop)});
}

Result<Lease> Pool::try_acquire(CallSite site) {
  return lend({Duration{}, no_deadline, "", 0, false, site});
}

Result<Lease> Pool::acquire_until(Instant deadline, CallSite site) {
  return lend({no_timeout, deadline, "", 0, false, site});
}

}  // namespace weir
