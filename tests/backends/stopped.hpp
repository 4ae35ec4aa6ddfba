// SPDX-License-Identifier: MIT
//
// stopped.hpp: a process of the server held still, so that what is sent to it stays unread, in
// sockets and as pending signals, until the test lets it go on: a race with one possible order.
//
// Called by: tests of the drivers of servers. Owns nothing but the stop. Threads: any one.
#pragma once

#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <sys/types.h>

namespace weir::test {

// Looks until it is so. False: not within half a minute.
inline bool comes_true(const std::function<bool()>& is_so) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > end) return false;
  }
  return true;
}

class Stopped {
 public:
  // Returns when it stands still.
  explicit Stopped(pid_t pid) : pid_(pid) {
    if (pid_ <= 0 || ::kill(pid_, SIGSTOP) != 0)
      throw std::runtime_error("no such process to stop");
    if (comes_true([this] { return line_of("State:").find('T') != std::string::npos; })) return;
    go_on();
    throw std::runtime_error("the process does not stop");
  }
  ~Stopped() { go_on(); }
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;

  void go_on() noexcept {
    if (pid_ != 0) ::kill(pid_, SIGCONT);
    pid_ = 0;
  }
  // Whether a cancel has come to it: the signal waits until it goes on, and is then taken before
  // anything is read.
  bool is_cancelled() const {
    return pid_ != 0 && (std::stoull(line_of("ShdPnd:"), nullptr, 16) >> (SIGINT - 1) & 1U) != 0;
  }

 private:
  std::string line_of(const std::string& name) const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with(name)) return line.substr(name.size());
    }
    throw std::runtime_error("the process has ended");
  }

  pid_t pid_;  // 0: it goes on
};

}  // namespace weir::test
