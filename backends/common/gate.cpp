// SPDX-License-Identifier: MIT
#include "backends/common/gate.hpp"

namespace weir::backend {

Gate::Gate(const weir_host& host, std::uint64_t conn_tag) noexcept
    : host_(host), conn_tag_(conn_tag) {}

// relaxed: who retains has an owner's right already.
void Gate::retain() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }

void Gate::attach(void* session, void (*interrupt)(void*)) noexcept {
  const std::lock_guard lock(mutex_);
  session_ = session;
  interrupt_ = interrupt;
}

void Gate::detach() noexcept { attach(nullptr, nullptr); }

void Gate::close() noexcept {
  const std::lock_guard lock(mutex_);
  session_ = nullptr;
  op_ = 0;
  closed_ = true;
}

void Gate::start(std::uint64_t op_id) noexcept {
  const std::lock_guard lock(mutex_);
  op_ = op_id;
  cancelled_.store(false, std::memory_order_relaxed);
}

bool Gate::finish() noexcept {
  const std::lock_guard lock(mutex_);
  op_ = 0;
  return cancelled_.exchange(false, std::memory_order_relaxed);
}

void Gate::cancel(std::uint64_t op_id) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (op_id == 0 || op_ != op_id) return;
    cancelled_.store(true, std::memory_order_relaxed);
    if (session_ != nullptr) interrupt_(session_);
  }
  // Outside the lock, as the contract wants. Should the operation have ended meanwhile, this ends
  // one wait of the next without cause, which looks at its flags and waits on.
  host_.wake(host_.ctx, conn_tag_);
}

void Gate::abort() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    aborted_.store(true, std::memory_order_relaxed);
    if (session_ != nullptr) interrupt_(session_);
  }
  host_.wake(host_.ctx, conn_tag_);
}

void Gate::release() noexcept {
  // acq_rel: the last owner must see what the other one wrote before it frees.
  if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

}  // namespace weir::backend
