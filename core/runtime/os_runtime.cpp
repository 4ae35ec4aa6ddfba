// SPDX-License-Identifier: MIT
#include "core/runtime/os_runtime.hpp"

#include "core/runtime/at_fork.hpp"
#include "core/runtime/process.hpp"

#include <weir/driver.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

namespace weir::runtime {

std::atomic<std::uint32_t> forks{0};

bool at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept {
  return ::pthread_atfork(before, in_parent, in_child) == 0;
}

namespace {
// Registered before the first pool, and never taken back: plugins and libweir are not unloaded.
// Ignored: without memory for a handler at start there will be no pool either.
[[maybe_unused]] const bool counts_forks =
    at_fork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
}  // namespace

std::uint64_t OsRuntime::random_seed() {
  std::uint64_t seed = 0;
  // Jitter does not need good randomness: if the kernel has none yet, the clock will do.
  if (::getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed) {
    seed = static_cast<std::uint64_t>(now().time_since_epoch().count());
  }
  return seed;
}

OsRuntime::FdWaiter::FdWaiter() : event_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

OsRuntime::FdWaiter::~FdWaiter() {
  if (event_fd_ >= 0) ::close(event_fd_);
}

// For poll(). Where there is no deadline it is none: the kernel sets a timer for each other one,
// and takes it back, which costs a small query a fifth of its time.
int OsRuntime::FdWaiter::timeout_ms(Instant until) const noexcept {
  Duration span = until == no_deadline ? Duration::max() : std::max(until - now(), Duration{});
  // Without an event descriptor a wake-up is noticed at the next slice.
  if (event_fd_ < 0) span = std::min<Duration>(span, std::chrono::milliseconds(20));
  if (span == Duration::max()) return -1;
  span = std::min<Duration>(span, std::chrono::hours(1));
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(span).count());
}

std::int32_t OsRuntime::FdWaiter::wait(int fd, std::uint32_t events, Instant until) noexcept {
  pollfd fds[2] = {{fd, 0, 0}, {event_fd_, POLLIN, 0}};
  if ((events & WEIR_WAIT_READ) != 0) fds[0].events |= POLLIN;
  if ((events & WEIR_WAIT_WRITE) != 0) fds[0].events |= POLLOUT;
  for (;;) {
    const int answer = ::poll(fds, event_fd_ >= 0 ? 2 : 1, timeout_ms(until));
    if (answer < 0 && errno != EINTR) return WEIR_WAIT_READY;  // the driver's own call will tell
    if (fds[1].revents != 0 && event_fd_ >= 0) {
      std::uint64_t count = 0;
      // Ignored: nothing to read means that somebody else has read it.
      [[maybe_unused]] const auto n = ::read(event_fd_, &count, sizeof count);
      return WEIR_WAIT_INTERRUPTED;
    }
    if (answer > 0) return WEIR_WAIT_READY;
    if (until != no_deadline && now() >= until) return WEIR_WAIT_TIMEOUT;
    if (event_fd_ < 0) return WEIR_WAIT_INTERRUPTED;
  }
}

void OsRuntime::FdWaiter::wake() noexcept {
  const std::uint64_t one = 1;
  // Ignored: a full counter means that a wake-up is pending already.
  [[maybe_unused]] const auto n = ::write(event_fd_, &one, sizeof one);
}

}  // namespace weir::runtime
