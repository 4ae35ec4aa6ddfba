// SPDX-License-Identifier: MIT
//
// resolve.hpp: host names to addresses, with a deadline. The C library's look-up blocks and cannot
// be called off, so each runs on a thread of its own, and the conn waits for its descriptor in the
// host. A look-up that nobody waits for any more ends in its own time (the resolver's time-out).
//
// Called by: open. Owner: the env, which joins every thread before it goes. Threads: any.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weir::postgres {

// One look-up. `fd` is readable when it is over; what was found may be read once `over` is seen.
struct Lookup {
  explicit Lookup(std::string name);
  ~Lookup();
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  const std::string host;
  const int fd;                        // -1: the process is out of descriptors
  std::atomic<bool> over{false};       // released by the thread when the rest is written
  std::vector<std::string> addresses;  // numeric, in the order of the system's rules
  std::string complaint;               // why there are none
};

class Resolver {
 public:
  Resolver() = default;
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  // Starts a look-up. Where there is no thread to be had, it is over and has found nothing.
  std::shared_ptr<Lookup> start(const std::string& host);

 private:
  struct Running {
    std::shared_ptr<Lookup> lookup;
    std::thread thread;
  };
  void join_finished();  // mutex_ is held

  std::mutex mutex_;
  std::list<Running> running_;  // guarded by mutex_
};

// Whether `host` needs no look-up: an address, or the directory of a socket.
bool is_numeric(const std::string& host) noexcept;
bool is_socket_directory(const std::string& host) noexcept;

}  // namespace weir::postgres
