// SPDX-License-Identifier: MIT
#include "sim/world/sim_runtime.hpp"

#include "core/runtime/basic_pool.hpp"

#include <weir/driver.h>

#include <algorithm>
#include <poll.h>
#include <utility>

namespace weir::sim {

std::uint64_t SimRuntime::random_seed() {
  World& world = World::current();
  return world.stream("runtime", world.next_object()).next();
}

std::int32_t SimRuntime::FdWaiter::wait(int fd, std::uint32_t events, Instant until) noexcept {
  constexpr Duration between_looks = std::chrono::microseconds(200);
  World& world = World::current();
  if (!world.options().wall_clock) {
    world.fail("real world", "the driver waits for descriptor " + std::to_string(fd) +
                                 ": virtual time has no sockets. Run it by the wall clock (clock = "
                                 "\"wall\"), or simulate its server with the mock");
    return WEIR_WAIT_TIMEOUT;
  }
  pollfd seen{fd, 0, 0};
  if ((events & WEIR_WAIT_READ) != 0) seen.events |= POLLIN;
  if ((events & WEIR_WAIT_WRITE) != 0) seen.events |= POLLOUT;
  for (;;) {
    if (std::exchange(woken_, false)) return WEIR_WAIT_INTERRUPTED;
    if (::poll(&seen, 1, 0) != 0)
      return WEIR_WAIT_READY;  // of an error the driver's own call tells
    if (world.look_at_clock() >= until) return WEIR_WAIT_TIMEOUT;
    world.sleep_until(std::min(until, after(world.now(), between_looks)));
  }
}

}  // namespace weir::sim

namespace weir::runtime {

template class BasicExecutor<sim::SimRuntime>;
template class BasicHost<sim::SimRuntime>;
template class BasicPool<sim::SimRuntime>;

}  // namespace weir::runtime
