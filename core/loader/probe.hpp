// SPDX-License-Identifier: MIT
//
// The trial load: a plugin is opened, entered and checked in a process of its own before it is let
// into ours, so that one that crashes, aborts, exits or hangs while loading becomes an error text
// instead of the end of the host.
//
// The trial runs in the program weir-probe (probe_main.cpp), installed beside the plugin directory.
// Why a program: in a forked child of a process with threads, only async-signal-safe functions may
// be called, and dlopen is far from that. posix_spawn has no such limit, neither forks the host's
// memory nor runs its atfork handlers, and needs no lock of ours. weir-probe, which is small and
// has one thread, forks once more: the child loads, the parent watches. So the host's own handling
// of SIGCHLD cannot spoil the verdict, which comes through a pipe and not as an exit status.
//
// What it cannot do: a plugin may behave in the trial and crash in the host (other libraries, other
// environment, a matter of chance), or crash later, in env_create or under load: code in the
// process can always end the process. A host sees one SIGCHLD for a child that it did not start.
// Where no process may be started (seccomp) or weir-probe is missing, there is no trial, and the
// loader says so in its notes.
//
// Cost: one process start and one more load, some milliseconds; once per library and process, since
// one that is loaded already is not tried.
//
// Threads: any; no state.
// Blocks: until the verdict, at most `timeout` and one second.
#pragma once

#include <weir/time.hpp>

#include <cstdint>
#include <string>

namespace weir::loader {

enum class Trial : std::uint8_t {
  passed,   // loaded, entered, checked
  refused,  // it came to an orderly error: the host will come to the same one, and can say more
  died,     // a signal or an exit: `detail` says which
  hung,     // no end within the timeout
  skipped,  // no verdict: `detail` says why
};

struct Verdict {
  Trial trial = Trial::skipped;
  std::string detail;
  std::string output;  // what the plugin wrote to stdout and stderr meanwhile; made printable
};

// Tries the library at `path`; with fd >= 0 that descriptor's file instead (a sealed memory file),
// and `path` is ignored.
[[nodiscard]] Verdict try_library(const std::string& program, const std::string& path, int fd,
                                  Duration timeout);

// "asan", "tsan", "msan" or "plain": a plugin built with a sanitizer loads only into a process that
// has the same one, so a trial elsewhere would prove nothing.
[[nodiscard]] const char* process_flavour() noexcept;

}  // namespace weir::loader
