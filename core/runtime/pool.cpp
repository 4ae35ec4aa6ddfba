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
  give_back();
  pool_ = nullptr;
  connection_ = Connection({});
}

void Work::operator()() const { wait_->run(); }

Result<std::vector<Lease>> Pool::acquire_n(std::uint32_t count, const AcquireOptions& options,
                                           CallSite site) {
  return lend_several({options, site}, count);
}

AsyncLease Pool::async_acquire(Executor& executor, const AcquireOptions& options, CallSite site) {
  return AsyncLease(lend_later({options, site}, executor, nullptr));
}

Result<Lease> Pool::acquire_here(const AcquireOptions& options, CallSite site, Instant deadline) {
  return lend({options, site, deadline, true});
}

Result<Lease> Pool::try_acquire(CallSite site) { return acquire({.timeout = Duration{}}, site); }

Result<Lease> Pool::acquire_until(Instant deadline, CallSite site) {
  const AcquireOptions until{.timeout = no_timeout};
  return lend({until, site, deadline});
}

}  // namespace weir
