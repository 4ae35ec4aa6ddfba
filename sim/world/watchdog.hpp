// SPDX-License-Identifier: MIT
//
// Watchdog: notices that a virtual thread blocks in the real world, on a socket, a file or a lock
// of its own, or loops. Nobody else can run then, and virtual time stands still, so no limit of the
// world's would ever be met. It ends the process with the name of the thread and a stack.
//
// Called by: World::run(), around a run. Owner: the run.
// How it works: a timer of the OS thread sends it a signal, whose handler compares the world's
// steps with what it saw last time. So a run costs two system calls, and nothing in a step. Off: by
// the wall clock, where blocking is what is asked for; where contexts are threads, which is for
// debuggers; and while a debugger is attached, which stops threads for as long as it likes.
#pragma once

namespace weir::sim {

class World;

class Watchdog {
 public:
  explicit Watchdog(World& world) noexcept;
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  World* around_;  // that this one runs inside of
};

}  // namespace weir::sim
