// SPDX-License-Identifier: MIT
#include "core/runtime/os_runtime.hpp"
#include "core/runtime/session.hpp"

#include <weir/request_scope.hpp>

namespace weir {
namespace {

// High numbers, since the host's own tasks are likely to be low ones. Twice a task still fits.
std::uint64_t next_task() noexcept {
  static runtime::OsRuntime::atomic<std::uint64_t> last{std::uint64_t{1} << 62};
  return last.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

RequestScope::RequestScope(Pool& pool, AcquireOptions options) noexcept
    : pool_(pool), options_(std::move(options)) {
  if (options_.task == 0) options_.task = next_task();
}

Result<Connection*> RequestScope::borrow(Instant deadline, CallSite site) {
  if (!lease_) {
    auto lease = pool_.lend({options_, site, deadline});
    if (!lease) return fail(std::move(lease).error());
    lease_ = *std::move(lease);
  }
  return &*lease_;
}

void RequestScope::used() noexcept {
  if (--depth_ > 0 || !lease_) return;
  runtime::Session* const session = runtime::Session::current(lease_->ref_);
  const bool broken = session != nullptr && session->is_broken();
  if (broken && !session->began_transaction()) lease_.release();
}

void RequestScope::release() noexcept {
  if (depth_ == 0) lease_.release();
}

}  // namespace weir
