// SPDX-License-Identifier: MIT
#include "tests/backends/abi_host.hpp"

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace weir::test {

FakeHost::FakeHost() {
  host_.struct_size = sizeof host_;
  host_.abi_major = WEIR_ABI_MAJOR;
  host_.abi_minor = WEIR_ABI_MINOR;
  host_.ctx = this;
  host_.now = [](void* ctx) noexcept -> weir_time {
    FakeHost& host = self(ctx);
    host.now += host.tick;
    host.look();
    return host.now;
  };
  host_.wait = [](void* ctx, std::uint64_t tag, std::int32_t fd, std::uint32_t events,
                  weir_time until) noexcept -> std::int32_t {
    FakeHost& host = self(ctx);
    host.waits.push_back({tag, host.now, until});
    host.look();
    if (host.on_wait) host.on_wait();
    if (host.woken(tag)) return WEIR_WAIT_INTERRUPTED;
    if (host.real_waits) {
      host.now += 1'000'000;
      return host.now < until ? WEIR_WAIT_INTERRUPTED : WEIR_WAIT_TIMEOUT;
    }
    if (fd >= 0) return host.wait_for(tag, fd, events, until);
    if (until == WEIR_NO_DEADLINE) std::abort();  // nobody is left to end this wait
    if (host.now < until) host.now = until;
    return WEIR_WAIT_TIMEOUT;
  };
  host_.wake = [](void* ctx, std::uint64_t tag) noexcept {
    FakeHost& host = self(ctx);
    const std::lock_guard lock(host.mutex_);
    host.wakes.push_back(tag);
    host.woken_.insert(tag);
    host.woken_changed_.notify_all();
  };
  host_.log = [](void* ctx, std::int32_t, std::uint64_t, weir_text line) noexcept {
    self(ctx).lines.emplace_back(line.data, line.size);
  };
  host_.event = [](void* ctx, std::uint64_t, const weir_event* event) noexcept {
    const auto copy = [](weir_text text) { return std::string(text.data, text.size); };
    self(ctx).heard.push_back({event->type, copy(event->name), copy(event->text)});
  };
  host_.random = [](void*, void* out, std::size_t size) noexcept { std::memset(out, 7, size); };
  host_.extension = [](void*, const char*) noexcept -> const void* { return nullptr; };
}

std::int32_t FakeHost::wait_for(std::uint64_t tag, std::int32_t fd, std::uint32_t wanted,
                                weir_time until) {
  pollfd look_at{fd, 0, 0};
  if ((wanted & WEIR_WAIT_READ) != 0) look_at.events |= POLLIN;
  if ((wanted & WEIR_WAIT_WRITE) != 0) look_at.events |= POLLOUT;
  for (int idle_ms = 0;; ++idle_ms) {
    if (::poll(&look_at, 1, 1) > 0) return WEIR_WAIT_READY;
    now += 1'000'000;
    look();
    if (woken(tag)) return WEIR_WAIT_INTERRUPTED;
    if (now >= until) return WEIR_WAIT_TIMEOUT;
    if (idle_ms == 300'000) std::abort();  // nobody is left to end this wait
  }
}

// Without real waits, only what was said before.
bool FakeHost::woken(std::uint64_t tag) {
  std::unique_lock lock(mutex_);
  if (real_waits) {
    woken_changed_.wait_for(lock, std::chrono::milliseconds(1),
                            [this, tag] { return woken_.count(tag) != 0; });
  }
  return woken_.erase(tag) != 0;
}

void FakeHost::look() {
  ++looks;
  if (looking_ || !on_look) return;  // what a test does in on_look may look again
  looking_ = true;
  on_look();
  looking_ = false;
}

RealHost::RealHost() {
  host_.struct_size = sizeof host_;
  host_.abi_major = WEIR_ABI_MAJOR;
  host_.abi_minor = WEIR_ABI_MINOR;
  host_.ctx = this;
  host_.now = [](void*) noexcept { return now(); };
  host_.wait = [](void* ctx, std::uint64_t tag, std::int32_t fd, std::uint32_t events,
                  weir_time until) noexcept -> std::int32_t {
    if (fd >= 0) return static_cast<RealHost*>(ctx)->wait_for(tag, fd, events, until);
    RealHost& host = *static_cast<RealHost*>(ctx);
    std::unique_lock lock(host.mutex_);
    while (host.woken_.erase(tag) == 0) {
      const weir_time left = until - now();
      if (left <= 0) return WEIR_WAIT_TIMEOUT;
      host.woken_changed_.wait_for(lock,
                                   std::chrono::nanoseconds(std::min(left, weir_time{1} << 40)));
    }
    return WEIR_WAIT_INTERRUPTED;
  };
  host_.wake = [](void* ctx, std::uint64_t tag) noexcept {
    RealHost& host = *static_cast<RealHost*>(ctx);
    const std::lock_guard lock(host.mutex_);
    host.woken_.insert(tag);
    host.woken_changed_.notify_all();
    const auto waker = host.wakers_.find(tag);
    const std::uint64_t one = 1;
    // A full counter means that a wake-up is pending already.
    if (waker != host.wakers_.end()) static_cast<void>(::write(waker->second, &one, 8) == 8);
  };
  host_.log = [](void*, std::int32_t, std::uint64_t, weir_text) noexcept {};
  host_.event = [](void*, std::uint64_t, const weir_event*) noexcept {};
  host_.random = [](void*, void* out, std::size_t size) noexcept { std::memset(out, 7, size); };
  host_.extension = [](void*, const char*) noexcept -> const void* { return nullptr; };
}

RealHost::~RealHost() {
  for (const auto& [tag, fd] : wakers_) ::close(fd);
}

int RealHost::waker_of(std::uint64_t tag) {
  const auto [at, is_new] = wakers_.try_emplace(tag, -1);
  if (is_new) at->second = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return at->second;
}

std::int32_t RealHost::wait_for(std::uint64_t tag, std::int32_t fd, std::uint32_t events,
                                weir_time until) {
  pollfd look[2] = {{fd, 0, 0}, {-1, POLLIN, 0}};
  if ((events & WEIR_WAIT_READ) != 0) look[0].events |= POLLIN;
  if ((events & WEIR_WAIT_WRITE) != 0) look[0].events |= POLLOUT;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      look[1].fd = waker_of(tag);
      std::uint64_t count = 0;
      // Nothing to read is the usual case.
      static_cast<void>(::read(look[1].fd, &count, sizeof count) == sizeof count);
      if (woken_.erase(tag) != 0) return WEIR_WAIT_INTERRUPTED;
    }
    const weir_time left = std::min(until - now(), weir_time{1} << 40);
    const int answer =
        ::poll(look, 2, static_cast<int>(std::max(left, weir_time{0}) / 1'000'000 + 1));
    if (answer > 0 && look[1].revents == 0) return WEIR_WAIT_READY;
    if (answer == 0 && now() >= until) return WEIR_WAIT_TIMEOUT;
  }
}

weir_time RealHost::now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace weir::test
