// SPDX-License-Identifier: MIT
//
// link.hpp: connections of the client library: how one is made from a configuration, and the short
// side links by which a session is told to stop. What connects and the side links block where
// nothing can cut them, so they run on the crew.
//
// Called by: session.cpp, canceller.cpp. Owns nothing but what it returns. Threads: any that the
// library knows.
// Errors: sql::SQLException of the library, Failed of our own.
#pragma once

#include "backends/mysql/config.hpp"
#include "backends/mysql/errors.hpp"
#include "backends/mysql/library.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

namespace weir::mysql {

// A failure that the driver finds, thrown by the work. The session is broken if it says so.
class Failed : public std::exception {
 public:
  explicit Failed(Failure failure) : failure_(std::move(failure)) {}
  const char* what() const noexcept override { return failure_.text.c_str(); }
  const Failure& failure() const noexcept { return failure_; }

 private:
  Failure failure_;
};

// How the server knows a session.
struct SessionName {
  std::uint64_t id = 0;  // 0: not known yet
  std::string server;    // which server it is: numbers begin anew on another one
  std::chrono::steady_clock::time_point since;
};

// Connects and logs in; gives up after `patience`, in whole seconds, at least one.
std::unique_ptr<sql::Connection> dial(const Config& config, std::chrono::nanoseconds patience,
                                      std::chrono::nanoseconds read_timeout);

// What the failure of dial() means; `waited` tells a silent server from one that hung up.
Failure explain_dial(const sql::SQLException& e, const Config& config,
                     std::chrono::nanoseconds waited, std::chrono::nanoseconds patience);

// The first column of the first row; empty if there is none or it is NULL.
std::string ask(sql::Connection& link, const char* query);
void tell(sql::Connection& link, const char* statement);

// A connection beside a session, to end what that one does. It checks that it came to the server
// where the session is: behind one name there may be many, and a server that was started again
// numbers its sessions from the beginning.
class SideLink {
 public:
  explicit SideLink(const Config& config);

  // Whether `name` can be a session of this server.
  bool knows(const SessionName& name);
  void kill_query(std::uint64_t id);
  void kill_session(std::uint64_t id);

 private:
  std::unique_ptr<sql::Connection> link_;
};

}  // namespace weir::mysql
