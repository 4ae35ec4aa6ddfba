// SPDX-License-Identifier: MIT
#include "bench/query/pgbouncer.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <libpq-fe.h>
#include <thread>

namespace weir::bench::query {
namespace {

// Part of the socket's name, in a directory where there is no other.
constexpr const char* port = "6432";

}  // namespace

std::string PgBouncer::program() { return test::find_program("pgbouncer"); }

PgBouncer::PgBouncer(const std::string& server, int connections) {
  const std::string file = directory_.path() + "/pgbouncer.ini";
  std::ofstream(file) << "[databases]\n* = " << server << "\n[pgbouncer]\nlisten_addr =\n"
                      << "listen_port = " << port << "\nunix_socket_dir = " << directory_.path()
                      << "\nauth_type = any\npool_mode = transaction\ndefault_pool_size = "
                      << connections << "\nlog_connections = 0\nlog_disconnections = 0\n"
                      << "log_stats = 0\n";
  // SIGTERM: at once.
  pid_ = test::launch({program(), file}, directory_.account(), directory_.path() + "/log", SIGTERM);
  await_ready();
}

PgBouncer::~PgBouncer() {
  ::kill(pid_, SIGTERM);
  test::wait_for(pid_);
}

std::string PgBouncer::conninfo() const {
  return "host=" + directory_.path() + " port=" + port + " user=weir dbname=postgres";
}

// Returns when it has a session of the server's.
void PgBouncer::await_ready() const {
  using namespace std::chrono_literals;
  const auto give_up = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < give_up && ::waitpid(pid_, nullptr, WNOHANG) == 0) {
    PGconn* const probe = PQconnectdb(conninfo().c_str());
    const bool ready = PQstatus(probe) == CONNECTION_OK;
    PQfinish(probe);
    if (ready) return;
    std::this_thread::sleep_for(10ms);
  }
  std::ifstream log(directory_.path() + "/log");
  std::fprintf(stderr, "PgBouncer did not start; its log:\n%s\n",
               std::string(std::istreambuf_iterator<char>(log), {}).c_str());
  std::abort();
}

}  // namespace weir::bench::query
