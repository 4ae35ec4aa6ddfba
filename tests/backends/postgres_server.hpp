// SPDX-License-Identifier: MIT
//
// postgres_server.hpp: a real PostgreSQL server for a test program: a fresh cluster in a directory
// of its own, on a socket there and on a free port of the loopback, gone when the program ends,
// however it ends. Made on first use and then shared, because a cluster costs a second or two.
//
// Called by: the tests of the PostgreSQL driver, and by drivers.cpp. Threads: the main one.
#pragma once

#include "tests/backends/held_port.hpp"

#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace weir::test {

class PostgresServer {
 public:
  // Why there can be no server here, and what to do about it; empty if there can be one.
  static std::string missing();
  // The directory of its programs; empty if there is none.
  static std::string programs();
  // The server of this program. Ends the program if it cannot be started: that is no test's fault.
  static PostgresServer& shared();

  // A standby that streams from `primary`, of which it is a copy; sockets and settings are its own.
  static std::unique_ptr<PostgresServer> standby_of(const PostgresServer& primary);

  PostgresServer() : PostgresServer(nullptr) {}
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // Through the socket, where everybody is trusted. `more`: further parameters, "a=b&c=d".
  std::string url(const std::string& more = "", const std::string& database = "postgres") const;
  // Through the loopback, where a password is wanted. `login`: "user:password".
  std::string tcp_url(const std::string& login, const std::string& more = "",
                      const std::string& database = "postgres") const;
  const std::string& directory() const { return directory_; }
  int port() const { return port_.number(); }
  pid_t pid() const { return pid_; }  // of the process that takes connections and cancels

  // Stops the server and starts it with these lines after its own settings, as a standby or not.
  void restart(const std::string& settings, bool standby = false);
  // Stops the server as if it had crashed: sessions are cut off, and the next start recovers.
  void crash();
  // Returns when the server takes sessions.
  void start();
  // Makes a certificate for localhost that signs itself, and has the server use it; false if there
  // is no openssl to make it with. The file for the client is root.crt in directory().
  bool offer_tls();

 private:
  explicit PostgresServer(const PostgresServer* primary);
  void prepare_directory();
  pid_t run(const std::vector<std::string>& words) const;
  void prepare_cluster();
  void copy_cluster(const PostgresServer& primary);
  void stop(int signal);
  std::string data() const { return directory_ + "/data"; }

  std::string bin_;
  std::string directory_;
  std::string settings_;
  uid_t user_ = 0;  // 0: as we are
  gid_t group_ = 0;
  HeldPort port_;
  pid_t pid_ = 0;
};

}  // namespace weir::test
