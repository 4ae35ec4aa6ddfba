// SPDX-License-Identifier: MIT
#include "tests/backends/abi_host.hpp"

#include <chrono>
#include <cstdlib>
#include <cstring>

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
  host_.wait = [](void* ctx, std::uint64_t tag, std::int32_t, std::uint32_t,
                  weir_time until) noexcept -> std::int32_t {
    FakeHost& host = self(ctx);
    host.waits.push_back({tag, host.now, until});
    host.look();
    if (host.on_wait) host.on_wait();
    if (host.woken_.erase(tag) != 0) return WEIR_WAIT_INTERRUPTED;
    if (until == WEIR_NO_DEADLINE) std::abort();  // nobody is left to end this wait
    if (host.now < until) host.now = until;
    return WEIR_WAIT_TIMEOUT;
  };
  host_.wake = [](void* ctx, std::uint64_t tag) noexcept {
    self(ctx).wakes.push_back(tag);
    self(ctx).woken_.insert(tag);
  };
  host_.log = [](void* ctx, std::int32_t, std::uint64_t, weir_text line) noexcept {
    self(ctx).lines.emplace_back(line.data, line.size);
  };
  host_.event = [](void*, std::uint64_t, const weir_event*) noexcept {};
  host_.random = [](void*, void* out, std::size_t size) noexcept { std::memset(out, 7, size); };
  host_.extension = [](void*, const char*) noexcept -> const void* { return nullptr; };
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
  host_.wait = [](void* ctx, std::uint64_t tag, std::int32_t, std::uint32_t,
                  weir_time until) noexcept -> std::int32_t {
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
  };
  host_.log = [](void*, std::int32_t, std::uint64_t, weir_text) noexcept {};
  host_.event = [](void*, std::uint64_t, const weir_event*) noexcept {};
  host_.random = [](void*, void* out, std::size_t size) noexcept { std::memset(out, 7, size); };
  host_.extension = [](void*, const char*) noexcept -> const void* { return nullptr; };
}

weir_time RealHost::now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace weir::test
