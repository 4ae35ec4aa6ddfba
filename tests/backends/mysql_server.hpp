// SPDX-License-Identifier: MIT
//
// mysql_server.hpp: a MariaDB server of the test program's own: data in a temporary directory, a
// Unix socket in there and a port on the loopback address, little memory. What was committed
// outlives a crash of the server, but not one of the machine. It ends with the program, also with
// one that crashes.
//
// Called by: tests. One per program, started on first use. Threads: any, after the first use.
#pragma once

#include "tests/backends/held_port.hpp"

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace weir::test {

class MysqlServer {
 public:
  static MysqlServer& instance();

  // Why there is no server, and what to do about it; empty if it runs.
  const std::string& missing() const { return missing_; }

  // The same as far as it can be told without starting one.
  static std::string not_installed();

  // The account that the tests log in with. It may do everything.
  static constexpr const char* user = "weir";
  static constexpr const char* password = "open-sesame";

  const std::string& socket() const { return socket_; }
  std::uint16_t port() const { return port_.number(); }
  ::pid_t pid() const { return pid_; }
  // A url by the socket, with the account; `database` may be empty.
  std::string url(const std::string& database = "") const;
  // The url of a database that is empty and nobody else's.
  std::string fresh_database();
  // Stops the server in good order, or as a crash does, and starts it on the same data, with more
  // arguments for this time.
  void restart(bool crash, const std::vector<std::string>& more = {});

  // Makes a certificate for localhost that signs itself, root.crt in directory(), and has the
  // server use it; false if there is no openssl to make it with.
  bool offer_tls();
  const std::string& directory() const { return directory_; }

  MysqlServer(const MysqlServer&) = delete;
  MysqlServer& operator=(const MysqlServer&) = delete;

 private:
  MysqlServer();
  ~MysqlServer();
  void prepare();
  void start(const std::vector<std::string>& more = {});
  void stop(int signal);
  bool run(const std::vector<std::string>& words) const;
  bool install(const std::string& program) const;
  bool await_ready(int notices);

  std::string missing_;
  std::string directory_;
  std::string program_;
  std::string socket_;
  std::vector<std::string> tls_;  // arguments
  HeldPort port_;
  ::pid_t pid_ = 0;
  int databases_ = 0;
};

}  // namespace weir::test
