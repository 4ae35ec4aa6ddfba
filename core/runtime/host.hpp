// SPDX-License-Identifier: MIT
//
// BasicHost: the services of weir/driver.h (weir_host) that a pool gives to its driver: time,
// waiting, wake-ups, log, randomness.
//
// Every connection has a place, found by its tag, from before open until after close, and a cell to
// wait in from the first wait on. A wake-up that arrives while nobody waits is kept for the next
// wait, so that cancel() need not win a race.
//
// Owner:    BasicPool; outlives the driver's env.
// Threads:  every service from any thread. The host takes no lock of the pool.
#pragma once

#include "core/base/random.hpp"
#include "core/runtime/runtime.hpp"

#include <weir/driver.h>

#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace weir::runtime {

template <Runtime R>
class BasicHost {
 public:
  // What a driver says; `level` is WEIR_LOG_*.
  using Log = std::function<void(std::int32_t level, std::uint64_t tag, std::string_view line)>;
  // What a server says unasked. In the middle of a driver's call, so it must not enter the driver.
  using Hear = std::function<void(std::uint64_t tag, const weir_event& event)>;

  // What else the host offers, by the id of the extension; null if it does not.
  using Extension = std::function<const void*(std::string_view id)>;

  explicit BasicHost(Log log, Hear hear = {}, Extension extension = {})
      : log_(std::move(log)),
        hear_(std::move(hear)),
        extension_(std::move(extension)),
        random_(R::random_seed()) {
    table_.struct_size = sizeof table_;
    table_.abi_major = WEIR_ABI_MAJOR;
    table_.abi_minor = WEIR_ABI_MINOR;
    table_.ctx = this;
    table_.now = [](void*) noexcept -> weir_time { return R::now().time_since_epoch().count(); };
    table_.wait = [](void* ctx, std::uint64_t tag, std::int32_t fd, std::uint32_t events,
                     weir_time until) noexcept {
      return static_cast<BasicHost*>(ctx)->wait(tag, fd, events, Instant(Duration(until)));
    };
    table_.wake = [](void* ctx, std::uint64_t tag) noexcept {
      static_cast<BasicHost*>(ctx)->wake(tag);
    };
    table_.log = [](void* ctx, std::int32_t level, std::uint64_t tag, weir_text line) noexcept {
      static_cast<BasicHost*>(ctx)->log(level, tag, {line.data, line.size});
    };
    table_.event = [](void* ctx, std::uint64_t tag, const weir_event* event) noexcept {
      static_cast<BasicHost*>(ctx)->hear(tag, *event);
    };
    table_.random = [](void* ctx, void* out, std::size_t size) noexcept {
      static_cast<BasicHost*>(ctx)->fill_random(out, size);
    };
    table_.extension = [](void* ctx, const char* id) noexcept -> const void* {
      const auto& offers = static_cast<BasicHost*>(ctx)->extension_;
      return offers ? offers(id) : nullptr;
    };
  }
  BasicHost(const BasicHost&) = delete;
  BasicHost& operator=(const BasicHost&) = delete;

  [[nodiscard]] const weir_host* table() const noexcept { return &table_; }

  void add_cell(std::uint64_t tag) {
    const std::unique_lock lock(mutex_);
    cells_.emplace(tag, Place{});
  }
  void remove_cell(std::uint64_t tag) {
    const std::unique_lock lock(mutex_);
    cells_.erase(tag);
  }

 private:
  struct Cell {
    typename R::mutex mutex;
    typename R::condition_variable cv;
    bool woken = false;  // guarded by mutex; a wake-up that no wait has seen yet
    std::optional<typename R::FdWaiter> fd_waiter;  // made at the first wait for a descriptor
  };
  // A driver that never waits needs no cell.
  struct Place {
    std::shared_ptr<Cell> cell;
    bool woken = false;  // before there was a cell
  };

  // The cell of a connection whose driver waits. Null: there is no such connection, or no memory.
  std::shared_ptr<Cell> cell_of(std::uint64_t tag) noexcept try {
    const std::unique_lock lock(mutex_);
    const auto it = cells_.find(tag);
    if (it == cells_.end()) return nullptr;
    Place& place = it->second;
    if (!place.cell) {
      place.cell = std::make_shared<Cell>();
      place.cell->woken = place.woken;
    }
    return place.cell;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }

  // Null: it has been seen to, or there is no such connection.
  std::shared_ptr<Cell> cell_to_wake(std::uint64_t tag) {
    const std::unique_lock lock(mutex_);
    const auto it = cells_.find(tag);
    if (it == cells_.end()) return nullptr;
    if (!it->second.cell) it->second.woken = true;
    return it->second.cell;
  }

  std::int32_t wait(std::uint64_t tag, std::int32_t fd, std::uint32_t events, Instant until) {
    const std::shared_ptr<Cell> cell = cell_of(tag);
    if (!cell) return WEIR_WAIT_INTERRUPTED;  // it must not sleep for ever
    std::unique_lock lock(cell->mutex);
    const auto take_wake = [&] { return std::exchange(cell->woken, false); };
    if (fd < 0) {
      while (!take_wake()) {
        if (R::now() >= until) return WEIR_WAIT_TIMEOUT;
        R::wait_until(cell->cv, lock, until);
      }
      return WEIR_WAIT_INTERRUPTED;
    }
    if (!cell->fd_waiter) cell->fd_waiter.emplace();
    for (;;) {
      if (take_wake()) return WEIR_WAIT_INTERRUPTED;
      lock.unlock();
      const std::int32_t answer = cell->fd_waiter->wait(fd, events, until);
      lock.lock();
      if (take_wake()) return WEIR_WAIT_INTERRUPTED;
      // Else the wake-up was taken by an earlier wait before it looked at the descriptor.
      if (answer != WEIR_WAIT_INTERRUPTED) return answer;
    }
  }

  void wake(std::uint64_t tag) {
    const std::shared_ptr<Cell> cell = cell_to_wake(tag);
    if (!cell) return;
    const std::unique_lock lock(cell->mutex);
    cell->woken = true;
    cell->cv.notify_all();
    if (cell->fd_waiter) cell->fd_waiter->wake();
  }

  void log(std::int32_t level, std::uint64_t tag, std::string_view line) noexcept {
    try {
      log_(level, tag, line);
    } catch (...) {
      // A log line that cannot be delivered (no memory) must not take the driver's call with it.
    }
  }

  void hear(std::uint64_t tag, const weir_event& event) noexcept {
    try {
      if (hear_) hear_(tag, event);
    } catch (...) {
      // Likewise.
    }
  }

  void fill_random(void* out, std::size_t size) {
    const std::unique_lock lock(mutex_);
    auto* bytes = static_cast<unsigned char*>(out);
    for (std::size_t at = 0; at < size; at += 8) {
      const std::uint64_t word = random_.next();
      std::memcpy(bytes + at, &word, size - at < 8 ? size - at : 8);
    }
  }

  weir_host table_{};
  Log log_;
  Hear hear_;
  const Extension extension_;
  typename R::mutex mutex_;
  std::unordered_map<std::uint64_t, Place> cells_;  // by tag; guarded by mutex_
  base::Random random_;                             // guarded by mutex_
};

}  // namespace weir::runtime
