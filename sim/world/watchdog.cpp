// SPDX-License-Identifier: MIT
#include "sim/world/watchdog.hpp"

#include "sim/world/world.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <execinfo.h>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

namespace weir::sim {
namespace {

// Nobody sends this one but setitimer(ITIMER_VIRTUAL), which is hardly used; what is not ours goes
// to whoever had it before.
constexpr int the_signal = SIGVTALRM;
struct sigaction handler_before {};

struct Timer {
  ::timer_t id{};
  bool made = false;
  ::pid_t process = 0;  // a fork inherits no timers
  World* world = nullptr;
  std::uint64_t seen = 0;  // steps of the world when the handler last looked
};

Timer& timer() noexcept {
  thread_local Timer of_this_thread;
  return of_this_thread;
}

void set(const Timer& t, Duration span) noexcept {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(span);
  ::itimerspec when{};
  when.it_value.tv_sec = seconds.count();
  when.it_value.tv_nsec = (span - seconds).count();
  ::timer_settime(t.id, 0, &when, nullptr);
}

bool debugged() noexcept {
  char text[4096];
  const int file = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t size = ::read(file, text, sizeof text);
  ::close(file);
  constexpr std::string_view key = "TracerPid:\t";
  const std::string_view status(text, size < 0 ? 0 : static_cast<std::size_t>(size));
  const std::size_t at = status.find(key);
  return at != std::string_view::npos && status.substr(at + key.size(), 1) != "0";
}

[[noreturn]] void stuck(World& world) noexcept {
  char text[1024];
  const int size = std::snprintf(
      text, sizeof text,
      "weir-sim: %.200s has not come to a scheduling point for %g s of real time, at +%.9g s of "
      "virtual time (seed %llu). It loops, or it waits for the real world: a lock of its own, a "
      "socket, a file. Under simulation waiting goes through the pool or weir_host; a driver that "
      "has to block can be run by the wall clock (clock = \"wall\" in its scenario). Stack:\n",
      world.name_of(world.running()).c_str(),
      std::chrono::duration<double>(world.options().stuck_after).count(),
      std::chrono::duration<double>(world.now() - World::beginning).count(),
      static_cast<unsigned long long>(world.options().seed));
  // Ignored: there is nobody to tell it to, and the process ends all the same.
  [[maybe_unused]] const auto n = ::write(2, text, static_cast<std::size_t>(size));
  void* frames[64];
  ::backtrace_symbols_fd(frames, ::backtrace(frames, 64), 2);
  std::abort();
}

void look(int number, siginfo_t* info, void* context) {
  if (info->si_code != SI_TIMER || info->si_value.sival_ptr != &handler_before) {
    if ((handler_before.sa_flags & SA_SIGINFO) != 0) {
      handler_before.sa_sigaction(number, info, context);
    } else if (handler_before.sa_handler != SIG_DFL && handler_before.sa_handler != SIG_IGN) {
      handler_before.sa_handler(number);
    }
    return;
  }
  Timer& mine = timer();
  if (mine.world == nullptr) return;  // the run has just ended
  const std::uint64_t steps = mine.world->steps();
  if (steps == mine.seen && !debugged()) {
    mine.world->disarm();  // what follows may call the like
    stuck(*mine.world);
  }
  mine.seen = steps;
  set(mine, mine.world->options().stuck_after);
}

bool install() noexcept {
  void* frame;
  ::backtrace(&frame, 1);  // the first call loads a library, which a handler must not
  struct sigaction action {};
  action.sa_sigaction = &look;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  return ::sigaction(the_signal, &action, &handler_before) == 0;
}

// Of this OS thread. Without one, which a process that is out of timers cannot have, nothing is
// watched.
bool has_timer() noexcept {
  static const bool installed = install();
  Timer& mine = timer();
  if (mine.process == ::getpid()) return mine.made;
  mine.process = ::getpid();
  ::sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = the_signal;
  event.sigev_value.sival_ptr = &handler_before;
  event._sigev_un._tid = ::gettid();
  mine.made = installed && ::timer_create(CLOCK_MONOTONIC, &event, &mine.id) == 0;
  return mine.made;
}

// Replaces what the OS thread watched.
void watch(World* world) noexcept {
  const bool on = world != nullptr && world->options().stuck_after > Duration{} &&
                  !world->options().wall_clock && world->options().engine != Engine::threads;
  Timer& mine = timer();
  if (!on && mine.world == nullptr) return;
  if (!has_timer()) return;
  mine.world = on ? world : nullptr;
  mine.seen = on ? world->steps() : 0;
  set(mine, on ? world->options().stuck_after : Duration{});
}

}  // namespace

Watchdog::Watchdog(World& world) noexcept : around_(timer().world) { watch(&world); }
Watchdog::~Watchdog() { watch(around_); }

}  // namespace weir::sim
