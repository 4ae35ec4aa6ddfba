// SPDX-License-Identifier: MIT
#include "cli/check/host.hpp"

#include "cli/check/subject.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <fmt/format.h>

namespace weir::check {
namespace {

// Not a round number of anything: about 31 years.
constexpr weir_time skew = 987'654'321'012'345'678;
constexpr std::size_t log_size_max = 1 << 20;

weir_time steady_now() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Host::Host(Clock clock) : clock_(clock), virtual_now_(skew) {
  host_.struct_size = sizeof host_;
  host_.abi_major = WEIR_ABI_MAJOR;
  host_.abi_minor = WEIR_ABI_MINOR;
  host_.ctx = this;
  host_.now = [](void* ctx) noexcept -> weir_time {
    Host& host = self(ctx);
    host.enter("now");
    host.look();
    return host.now();
  };
  host_.wait = [](void* ctx, std::uint64_t tag, std::int32_t fd, std::uint32_t events,
                  weir_time until) noexcept -> std::int32_t {
    Host& host = self(ctx);
    host.enter("wait");
    host.waits_.fetch_add(1);
    host.look();
    return host.clock_ == Clock::real ? host.wait(tag, fd, events, until)
                                      : host.wait_virtually(tag, until);
  };
  host_.wake = [](void* ctx, std::uint64_t tag) noexcept {
    Host& host = self(ctx);
    host.enter("wake");
    host.wakes_.fetch_add(1);
    host.wake(tag);
  };
  host_.log = [](void* ctx, std::int32_t /*level*/, std::uint64_t /*tag*/,
                 weir_text line) noexcept {
    Host& host = self(ctx);
    host.enter("log");
    const std::lock_guard lock(host.mutex_);
    if (host.log_.size() > log_size_max) return;
    if (line.size > 0) host.log_.append(line.data, line.size);
    host.log_ += '\n';
  };
  host_.event = [](void* ctx, std::uint64_t /*tag*/, const weir_event* /*event*/) noexcept {
    self(ctx).enter("event");
  };
  host_.random = [](void* ctx, void* out, std::size_t size) noexcept {
    self(ctx).enter("random");
    std::memset(out, 7, size);  // the same in each run
  };
  host_.extension = [](void* ctx, const char* /*id*/) noexcept -> const void* {
    self(ctx).enter("extension");
    return nullptr;
  };
}

Host::~Host() {
  for (const auto& [tag, fd] : event_fds_) ::close(fd);
}

weir_time Host::now() const noexcept {
  return clock_ == Clock::real ? steady_now() + skew : virtual_now_.load();
}

void Host::forget_counts() noexcept {
  looks_ = 0;
  waits_ = 0;
  wakes_ = 0;
}

std::string Host::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}

void Host::enter(const char* service) const noexcept {
  if (retired_.load()) {
    fail(
        "the driver called host->{}() after env_destroy had returned; the host may be gone by then",
        service);
  }
}

void Host::look() noexcept {
  const int number = looks_.fetch_add(1) + 1;
  // What a rule does in on_look may look again.
  if (!on_look || looking_.exchange(true)) return;
  on_look(number);
  looking_.store(false);
}

std::int32_t Host::wait(std::uint64_t tag, std::int32_t fd, std::uint32_t events,
                        weir_time until) noexcept {
  const int wake_fd = event_fd(tag);
  pollfd fds[2] = {{wake_fd, POLLIN, 0}, {fd, 0, 0}};
  if ((events & WEIR_WAIT_READ) != 0) fds[1].events |= POLLIN;
  if ((events & WEIR_WAIT_WRITE) != 0) fds[1].events |= POLLOUT;
  while (true) {
    // Rounded up: a driver that is woken early looks at the clock and waits again, for nothing.
    const weir_time left = until == WEIR_NO_DEADLINE ? 3'600'000'000'000 : until - now();
    const weir_time left_ms = std::clamp<weir_time>((left + 999'999) / 1'000'000, 0, 3'600'000);
    const int ready = ::poll(fds, fd >= 0 ? 2 : 1, static_cast<int>(left_ms));
    if (ready < 0 && errno != EINTR) return WEIR_WAIT_INTERRUPTED;
    if (ready < 0) continue;
    if (fds[0].revents != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const ssize_t size = ::read(wake_fd, &count, sizeof count);
      return WEIR_WAIT_INTERRUPTED;
    }
    if (fd >= 0 && fds[1].revents != 0) return WEIR_WAIT_READY;
    if (until != WEIR_NO_DEADLINE && now() >= until) return WEIR_WAIT_TIMEOUT;
  }
}

std::int32_t Host::wait_virtually(std::uint64_t tag, weir_time until) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (woken_.erase(tag) != 0) return WEIR_WAIT_INTERRUPTED;
  }
  if (until == WEIR_NO_DEADLINE) fail("the driver waits for ever: nobody is left to end this wait");
  if (virtual_now_.load() < until) virtual_now_.store(until);
  return WEIR_WAIT_TIMEOUT;
}

void Host::wake(std::uint64_t tag) noexcept {
  if (clock_ == Clock::virtual_time) {
    const std::lock_guard lock(mutex_);
    woken_[tag] = true;
    return;
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t size = ::write(event_fd(tag), &one, sizeof one);
}

int Host::event_fd(std::uint64_t tag) noexcept {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = event_fds_.try_emplace(tag, -1);
  if (is_new) at->second = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (at->second < 0) unable("the kit has no descriptor left to wait with");
  return at->second;
}

}  // namespace weir::check
