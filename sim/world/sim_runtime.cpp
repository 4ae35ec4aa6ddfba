// SPDX-License-Identifier: MIT
#include "sim/world/sim_runtime.hpp"

#include "core/runtime/basic_pool.hpp"

#include <weir/driver.h>

namespace weir::sim {

std::uint64_t SimRuntime::random_seed() {
  World& world = World::current();
  return world.stream("runtime", world.next_object()).next();
}

std::int32_t SimRuntime::FdWaiter::wait(int fd, std::uint32_t, Instant) noexcept {
  World::current().fail("real world",
                        "the driver waits for descriptor " + std::to_string(fd) +
                            ": virtual time has no sockets; simulate it with the mock database");
  return WEIR_WAIT_TIMEOUT;
}

}  // namespace weir::sim

namespace weir::runtime {

template class BasicExecutor<sim::SimRuntime>;
template class BasicHost<sim::SimRuntime>;
template class BasicPool<sim::SimRuntime>;

}  // namespace weir::runtime
