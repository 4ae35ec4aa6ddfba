// SPDX-License-Identifier: MIT
//
// Context: what a virtual thread runs on, and the one function that goes from one to another. Three
// engines implement it; the scheduler above them is the same, so a schedule that fails on fibers
// replays on the others:
//   fiber     a stack and a hand-written switch, about 4 ns          fiber.cpp, switch_*.S
//   ucontext  a stack and swapcontext: other processors              ucontext.cpp
//   threads   an OS thread each, of which one runs: debuggers, TSan  token_threads.cpp
// But two threads that wait for each other below the world, as in a stop_callback, block `threads`
// for ever; run() refuses scenarios that do.
//
// Called by: World alone. Owner: the world; a context that never ended is leaked on purpose with
//            all that is on its stack (leave_behind), because nothing can unwind it.
// Threads:   a world and its contexts are used by one OS thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace weir::sim {

enum class Engine : std::uint8_t { fiber, ucontext, threads };
[[nodiscard]] std::string_view to_string(Engine) noexcept;
// The fastest that this build can run: fiber, unless it is instrumented by ThreadSanitizer, which
// has to be told of fibers, or made for a processor that has no switch.
[[nodiscard]] Engine default_engine() noexcept;

class Context {
 public:
  Context() = default;
  virtual ~Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

class Contexts {
 public:
  using Entry = void (*)(void*);

  virtual ~Contexts() = default;
  // Stands for the caller's own stack, from which the world is run.
  [[nodiscard]] virtual Context& outside() noexcept = 0;
  // `entry` must not return: its last act is a switch with `ends`.
  [[nodiscard]] virtual std::unique_ptr<Context> make(Entry entry, void* argument) = 0;
  // Returns when somebody switches back to `from`; never if `ends`.
  virtual void switch_to(Context& from, Context& to, bool ends) noexcept = 0;
  // `context` has begun, will not go on, and cannot be unwound.
  virtual void leave_behind(std::unique_ptr<Context> context) noexcept = 0;

  [[nodiscard]] static std::unique_ptr<Contexts> create(Engine engine);
};

}  // namespace weir::sim
