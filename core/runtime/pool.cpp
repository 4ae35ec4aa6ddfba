// SPDX-License-Identifier: MIT
//
// The parts of weir/pool.hpp that are the same for every runtime.
#include "core/runtime/session.hpp"

#include <weir/pool.hpp>

#include <algorithm>

namespace weir {

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

Result<Lease> Pool::acquire(AcquireOptions options, CallSite site) {
  Request request;
  request.timeout = std::max(options.timeout.value_or(config().acquire_timeout), Duration{});
  request.tag = options.tag;
  request.site = site;
  return lend(request);
}

Result<Lease> Pool::try_acquire(CallSite site) {
  Request request;
  request.timeout = Duration{};
  request.site = site;
  return lend(request);
}

Result<Lease> Pool::acquire_until(Instant deadline, CallSite site) {
  Request request;
  request.deadline = deadline;
  request.site = site;
  return lend(request);
}

}  // namespace weir
