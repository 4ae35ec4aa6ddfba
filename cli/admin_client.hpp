// SPDX-License-Identifier: MIT
//
// AdminClient: asks a running program about its pools, over the socket that `[admin] socket` of its
// configuration opens: one line there, one line of JSON back. The commands stats, pause, resume,
// recycle, reload, top and `metrics --listen` are made with it. It never opens a pool.
//
// Threads: one per client; any number of clients share a StopEvent.
#pragma once

#include "cli/context.hpp"
#include "cli/snapshot.hpp"
#include "cli/stop_event.hpp"

namespace weir::cli {

// Where a program listens, and for how long an answer is waited for.
struct AdminPlace {
  std::string path;
  std::string from;  // who says so, for messages: "--socket"
  Duration timeout = std::chrono::seconds(5);
};

// --socket and --timeout of the command line, else the configuration that -c names. Errors:
// invalid_argument for what was typed, 1xx for the configuration.
[[nodiscard]] Result<AdminPlace> admin_place(const Context& context);
// Reports an error of admin_place. Returns: the exit code.
int refuse_place(Context& context, const Error& error);

class AdminClient {
 public:
  AdminClient(AdminPlace place, const StopEvent& stop) : place_(std::move(place)), stop_(stop) {}
  AdminClient(const AdminClient&) = delete;
  AdminClient& operator=(const AdminClient&) = delete;
  ~AdminClient() { close(); }

  // Connects if there is no connection. Returns: the object that was answered. Errors: the
  // program's own; connect_failed, with which the connection is given up, so that the next request
  // makes another; cancelled after a signal. Blocks: for the timeout at most.
  [[nodiscard]] Result<Json> ask(std::string_view request);

  [[nodiscard]] const AdminPlace& place() const noexcept { return place_; }
  // Of the program that answered last, by its own word; 0 before.
  [[nodiscard]] std::int64_t pid() const noexcept { return pid_; }

 private:
  [[nodiscard]] Result<void> connect(Instant deadline);
  [[nodiscard]] Result<void> greet(Instant deadline);
  [[nodiscard]] Result<Json> exchange(std::string_view request, Instant deadline);
  [[nodiscard]] Result<void> send_line(std::string_view line, Instant deadline);
  [[nodiscard]] Result<std::string> read_line(Instant deadline);
  [[nodiscard]] Error no_answer(std::string_view reason) const;
  [[nodiscard]] Error silence(Instant deadline) const;
  void close();

  AdminPlace place_;
  const StopEvent& stop_;
  int socket_ = -1;
  std::string read_;  // what came after the last line
  std::int64_t pid_ = 0;
};

// Asks for what the pools do. Errors: of AdminClient; unsupported if the answers are of another
// version. Blocks: for two answers.
[[nodiscard]] Result<Snapshot> take_snapshot(AdminClient& client);

}  // namespace weir::cli
