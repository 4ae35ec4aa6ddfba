// SPDX-License-Identifier: MIT
//
// Contexts on fibers: the switch of switch_*.S or swapcontext, with what a C++ program needs beside
// it. The exception state (which exceptions are being handled, how many are in flight) belongs to
// the OS thread, so each switch swaps it: a destructor that blocks while an exception unwinds, in
// one fiber, must not confuse a catch block of another. AddressSanitizer is told of each stack.
#include "core/base/sanitizers.hpp"
#include "sim/world/context.hpp"
#include "sim/world/stack.hpp"

#include <cstring>
#include <cxxabi.h>
#include <optional>
#include <ucontext.h>
#include <utility>

#if defined(__x86_64__)
extern "C" {
void weir_sim_switch(void** save_here, void* go_on_at);
void weir_sim_begin();
}
#endif

namespace weir::sim {
namespace {

// The head of what __cxa_get_globals() returns, by the Itanium C++ ABI, section 2.2.2.
struct ExceptionState {
  void* caught = nullptr;
  unsigned uncaught = 0;
};

ExceptionState* exception_state() noexcept {
  return reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals());
}

class Fiber : public Context {
 public:
  Fiber() = default;  // the outside
  Fiber(Contexts::Entry entry, void* argument)
      : stack(Stack::take()), entry_(entry), argument_(argument) {}

  // Where a new fiber is after its first switch.
  [[noreturn]] static void begin(void* self) {
    auto& fiber = *static_cast<Fiber*>(self);
    landed(fiber);
    fiber.entry_(fiber.argument_);
    __builtin_unreachable();
  }

  // What is told before and after each switch.
  static void leaving(Fiber& from, const Fiber& to, ExceptionState& now, bool ends) noexcept {
    from.exceptions = now;
    now = to.exceptions;
#ifdef WEIR_ASAN
    char* const bottom = to.stack ? to.stack->bottom() : static_cast<char*>(to.outside_bottom);
    const std::size_t size = to.stack ? Stack::size : to.outside_size;
    __sanitizer_start_switch_fiber(ends ? nullptr : &from.fake_stack, bottom, size);
#else
    static_cast<void>(ends);
#endif
  }
  static void landed([[maybe_unused]] Fiber& here) noexcept {
#ifdef WEIR_ASAN
    const void* bottom = nullptr;
    std::size_t size = 0;
    __sanitizer_finish_switch_fiber(here.fake_stack, &bottom, &size);
    // The first landing comes from the outside, whose bounds nobody else can tell.
    if (here.outside != nullptr && here.outside->outside_bottom == nullptr) {
      here.outside->outside_bottom = const_cast<void*>(bottom);
      here.outside->outside_size = size;
    }
#endif
  }

#ifdef WEIR_ASAN
  // The frames that AddressSanitizer keeps on a stack of its own (detect_stack_use_after_return)
  // are found by the words of this one that point into them. A leak checker looks at those of a
  // running thread, and has to be told of these, else what they alone own is reported.
  __attribute__((no_sanitize_address)) void keep_fake_frames() noexcept {
    if (fake_stack == nullptr) return;
    const void* last = nullptr;  // many words in a row point into one frame
    for (char* at = stack->bottom(); at < stack->top(); at += sizeof(void*)) {
      void* begin = nullptr;
      void* end = nullptr;
      void* const word = *reinterpret_cast<void**>(at);
      if (__asan_addr_is_in_fake_stack(fake_stack, word, &begin, &end) == nullptr) continue;
      if (std::exchange(last, begin) == begin) continue;
      const auto size = static_cast<char*>(end) - static_cast<char*>(begin);
      __lsan_register_root_region(begin, static_cast<std::size_t>(size));
    }
  }
#endif

  std::optional<Stack> stack;  // none: the outside
  ExceptionState exceptions;
  void* sp = nullptr;
  std::unique_ptr<ucontext_t> machine;  // where swapcontext switches; a kilobyte
#ifdef WEIR_ASAN
  void* fake_stack = nullptr;
  void* outside_bottom = nullptr;
  std::size_t outside_size = 0;
#endif
  Fiber* outside = nullptr;

 private:
  Contexts::Entry entry_ = nullptr;
  void* argument_ = nullptr;
};

class FiberContexts : public Contexts {
 public:
  Context& outside() noexcept override { return outside_; }
  void leave_behind(std::unique_ptr<Context> context) noexcept override {
    auto& fiber = static_cast<Fiber&>(*context);
#ifdef WEIR_ASAN
    fiber.keep_fake_frames();
#endif
    fiber.stack->leave_behind();
  }

 protected:
  // The OS thread's; asked for where that may be another one than last time.
  ExceptionState& exceptions(const Fiber& from) noexcept {
    if (&from == &outside_) exceptions_ = exception_state();
    return *exceptions_;
  }
  Fiber outside_;

 private:
  ExceptionState* exceptions_ = nullptr;
};

#if defined(__x86_64__)
class SwitchedContexts final : public FiberContexts {
 public:
  std::unique_ptr<Context> make(Entry entry, void* argument) override {
    auto fiber = std::make_unique<Fiber>(entry, argument);
    fiber->outside = &outside_;
    // As weir_sim_switch leaves a stack: six registers and where to go on. What is above that is
    // what weir_sim_begin calls from, and a call wants it aligned to 16 bytes.
    auto** top = reinterpret_cast<void**>(fiber->stack->top());
    *--top = reinterpret_cast<void*>(&weir_sim_begin);
    *--top = nullptr;                                 // rbp
    *--top = nullptr;                                 // rbx
    *--top = reinterpret_cast<void*>(&Fiber::begin);  // r12
    *--top = fiber.get();                             // r13
    *--top = nullptr;                                 // r14
    *--top = nullptr;                                 // r15
    fiber->sp = top;
    return fiber;
  }
  void switch_to(Context& from, Context& to, bool ends) noexcept override {
    auto& here = static_cast<Fiber&>(from);
    auto& there = static_cast<Fiber&>(to);
    Fiber::leaving(here, there, exceptions(here), ends);
    weir_sim_switch(&here.sp, there.sp);
    Fiber::landed(here);
  }
};
#endif

class UcontextContexts final : public FiberContexts {
 public:
  UcontextContexts() { outside_.machine = std::make_unique<ucontext_t>(); }
  std::unique_ptr<Context> make(Entry entry, void* argument) override {
    auto fiber = std::make_unique<Fiber>(entry, argument);
    fiber->outside = &outside_;
    fiber->machine = std::make_unique<ucontext_t>();
    ::getcontext(fiber->machine.get());
    fiber->machine->uc_stack.ss_sp = fiber->stack->bottom();
    fiber->machine->uc_stack.ss_size = Stack::size;
    fiber->machine->uc_link = nullptr;
    // makecontext takes ints only, so a pointer goes in two halves.
    const auto address = reinterpret_cast<std::uintptr_t>(fiber.get());
    ::makecontext(fiber->machine.get(), reinterpret_cast<void (*)()>(&start), 2,
                  static_cast<unsigned>(address >> 32), static_cast<unsigned>(address));
    return fiber;
  }
  void switch_to(Context& from, Context& to, bool ends) noexcept override {
    auto& here = static_cast<Fiber&>(from);
    auto& there = static_cast<Fiber&>(to);
    Fiber::leaving(here, there, exceptions(here), ends);
    ::swapcontext(here.machine.get(), there.machine.get());
    Fiber::landed(here);
  }

 private:
  static void start(unsigned high, unsigned low) {
    Fiber::begin(reinterpret_cast<void*>((std::uintptr_t{high} << 32) | low));
  }
};

}  // namespace

std::unique_ptr<Contexts> make_token_threads();  // token_threads.cpp

std::unique_ptr<Contexts> Contexts::create(Engine engine) {
  switch (engine) {
    case Engine::fiber:
#if defined(__x86_64__)
      return std::make_unique<SwitchedContexts>();
#endif
    case Engine::ucontext:
      return std::make_unique<UcontextContexts>();
    case Engine::threads:
      break;
  }
  return make_token_threads();
}

Engine default_engine() noexcept {
#if defined(WEIR_TSAN)
  return Engine::threads;
#elif defined(__x86_64__)
  return Engine::fiber;
#else
  return Engine::ucontext;
#endif
}

std::string_view to_string(Engine engine) noexcept {
  switch (engine) {
    case Engine::fiber:
      return "fiber";
    case Engine::ucontext:
      return "ucontext";
    case Engine::threads:
      return "threads";
  }
  return "";
}

}  // namespace weir::sim
