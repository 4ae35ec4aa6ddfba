// SPDX-License-Identifier: MIT
//
// ChainDesk: the middleware of a pool, and whether its calls have to look for any.
//
// A chain is never changed: use() puts a longer one in its place. The shorter ones stay until the
// pool ends, for calls that are on their way through them; there are as many as there is
// middleware.
//
// Owner:     BasicPool. It has a lock of its own; no other is taken under it.
// Threads:   any.
// Invariant: `watched` is true from the first add() on, and while observed().
#pragma once

#include "core/runtime/runtime.hpp"
#include "core/runtime/walk.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace weir::runtime {

template <Runtime R>
class ChainDesk {
 public:
  // `watched` outlives the desk.
  ChainDesk(std::atomic<bool>& watched, bool observed) : watched_(watched) {
    chains_.push_back(std::make_unique<const Chain>());
    watched_ = observed;
  }

  void add(Link link) {
    const Lock lock(mutex_);
    Chain longer = *chains_.back();
    longer.push_back(std::move(link));
    chains_.push_back(std::make_unique<const Chain>(std::move(longer)));
    watched_ = true;
  }
  // Somebody wants to know of calls, with or without middleware.
  void observe(bool observed) {
    const Lock lock(mutex_);
    watched_ = observed || chains_.size() > 1;
  }
  [[nodiscard]] const Chain& chain() const {
    const Lock lock(mutex_);
    return *chains_.back();
  }

 private:
  using Lock = std::unique_lock<typename R::mutex>;

  std::atomic<bool>& watched_;
  mutable typename R::mutex mutex_;
  std::vector<std::unique_ptr<const Chain>> chains_;  // guarded by mutex_; the present one last
};

}  // namespace weir::runtime
