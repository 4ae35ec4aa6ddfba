// SPDX-License-Identifier: MIT
//
// The tripwire: calls by which the real world would leak into a simulated one (its clocks, its
// chance, its threads, its sleep) end the process when a virtual thread makes them, with the name
// of the call and a stack. Everybody else's calls go through to libc.
//
// How it works: these are definitions of libc's own names. A program that links them, or the shared
// library that holds them, is searched before libc, also on behalf of plugins. What it cannot see:
// instructions (rdtsc, rdrand and so std::random_device), static libc, libc's calls to itself.
// Link the object file itself: out of an archive the linker would not take it.
//
// Where contexts are threads the engine needs them itself, so there it is off.
// Threads: any.
#include "core/base/sanitizers.hpp"
#include "sim/world/world.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>
#include <execinfo.h>
#include <poll.h>
#include <pthread.h>
#include <string_view>
#include <sys/random.h>
#include <sys/time.h>
#include <unistd.h>

#define WEIR_TRAP extern "C" __attribute__((visibility("default")))

namespace weir::sim {
namespace {

bool armed() noexcept {
  const World* const world = World::find();
  // The engine first: what may change while others run must not be read where threads are real.
  return world != nullptr && world->options().engine != Engine::threads && world->running() != 0 &&
         world->guarded();
}

bool of_sanitizer(const Dl_info& object) noexcept {
  if (object.dli_fname == nullptr) return false;
  const std::string_view path = object.dli_fname;
  const std::string_view file = path.substr(path.rfind('/') + 1);
  return file.starts_with("libasan.") || file.starts_with("libtsan.") ||
         file.starts_with("libubsan.") || file.starts_with("liblsan.") ||
         file.starts_with("libclang_rt.");
}

// Whether a sanitizer's runtime looks at the clock because memory is asked for: what it sees goes
// nowhere else. It also stands between a program and libc, but only one function deep.
bool for_memory(const void* caller) noexcept {
  Dl_info object;
  if (::dladdr(caller, &object) == 0 || !of_sanitizer(object)) return false;
  void* frames[64];
  void** const end = frames + ::backtrace(frames, 64);
  void** const first = std::find(frames, end, caller);
  return std::find_if(first, end,
                      [&](const void* frame) {
                        return ::dladdr(frame, &object) == 0 || !of_sanitizer(object);
                      }) -
             first >
         2;
}

[[noreturn]] void sprung(const char* call) noexcept {
  World* const world = World::find();
  const std::string who = world->name_of(world->running());
  world->disarm();  // what follows may call the like
  std::fprintf(stderr,
               "weir-sim: %s called %s. Under simulation time, chance, sleep and threads come from "
               "the pool (pool.now(), pool.sleep_until()) or from weir_host; the real ones would "
               "make the run depend on this machine. Stack:\n",
               who.c_str(), call);
  void* frames[64];
  ::backtrace_symbols_fd(frames, ::backtrace(frames, 64), 2);
  std::abort();
}

template <class F>
F* real(const char* name) noexcept {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace
}  // namespace weir::sim

#define WEIR_TRAP_BODY(name, ...)                                                    \
  {                                                                                  \
    static auto* const next = weir::sim::real<decltype(name)>(#name);                \
    if (weir::sim::armed() && !weir::sim::for_memory(__builtin_return_address(0))) { \
      weir::sim::sprung(#name);                                                      \
    }                                                                                \
    return next(__VA_ARGS__);                                                        \
  }

// One trap a line.
// clang-format off
WEIR_TRAP int clock_gettime(clockid_t id, timespec* out) noexcept
    WEIR_TRAP_BODY(clock_gettime, id, out)
WEIR_TRAP int gettimeofday(timeval* out, void* zone) noexcept
    WEIR_TRAP_BODY(gettimeofday, out, zone)
WEIR_TRAP std::time_t time(std::time_t* out) noexcept
    WEIR_TRAP_BODY(time, out)
WEIR_TRAP int nanosleep(const timespec* span, timespec* left)
    WEIR_TRAP_BODY(nanosleep, span, left)
WEIR_TRAP int clock_nanosleep(clockid_t id, int flags, const timespec* span, timespec* left)
    WEIR_TRAP_BODY(clock_nanosleep, id, flags, span, left)
WEIR_TRAP int usleep(useconds_t us)
    WEIR_TRAP_BODY(usleep, us)
WEIR_TRAP unsigned sleep(unsigned seconds)
    WEIR_TRAP_BODY(sleep, seconds)
WEIR_TRAP int poll(pollfd* fds, nfds_t count, int timeout)
    WEIR_TRAP_BODY(poll, fds, count, timeout)
WEIR_TRAP ssize_t getrandom(void* out, std::size_t size, unsigned flags)
    WEIR_TRAP_BODY(getrandom, out, size, flags)
WEIR_TRAP int getentropy(void* out, std::size_t size)
    WEIR_TRAP_BODY(getentropy, out, size)
WEIR_TRAP int rand() noexcept
    WEIR_TRAP_BODY(rand)
WEIR_TRAP long random() noexcept
    WEIR_TRAP_BODY(random)
WEIR_TRAP int sched_yield() noexcept
    WEIR_TRAP_BODY(sched_yield)
#ifndef WEIR_TSAN
WEIR_TRAP int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                             void* (*body)(void*), void* argument) noexcept
    WEIR_TRAP_BODY(pthread_create, thread, attributes, body, argument)
WEIR_TRAP int pthread_cond_wait(pthread_cond_t* cv, pthread_mutex_t* mutex)
    WEIR_TRAP_BODY(pthread_cond_wait, cv, mutex)
WEIR_TRAP int pthread_cond_timedwait(pthread_cond_t* cv, pthread_mutex_t* mutex,
                                     const timespec* until)
    WEIR_TRAP_BODY(pthread_cond_timedwait, cv, mutex, until)
WEIR_TRAP int pthread_cond_clockwait(pthread_cond_t* cv, pthread_mutex_t* mutex, clockid_t id,
                                     const timespec* until)
    WEIR_TRAP_BODY(pthread_cond_clockwait, cv, mutex, id, until)
#endif
    // clang-format on
