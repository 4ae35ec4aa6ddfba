// SPDX-License-Identifier: MIT
//
// AdminSocket: a Unix socket on which a running program is asked and told things, a line at a time.
// It knows how lines come and go; what one means is its owner's (admin_desk.hpp).
//
// Owner:    Pools::Impl. Threads: one of its own, which calls `answer`, one line after another;
//           making and destroying: one.
// Bounds:   `clients_max` at once, requests of `line_bytes_max`. A client that does not read its
//           answer is not heard further, and keeps nobody else from being heard.
// Trust:    the file has mode 0600 before anybody can connect, and who connects must be the user of
//           this process, or root.
// The path: what a process that has ended left there is removed, and so is the socket's own at the
//           end; nothing else ever is. Two processes that start at once do not take it from one
//           another: it is taken under a lock on its directory.
// Forks:    thread and file are the parent's, so a child is never to destroy one. It stops to
//           listen in fork() itself, so that whoever wants to connect sees the parent end.
#pragma once

#include "core/base/descriptor.hpp"
#include "core/runtime/os_runtime.hpp"

#include <weir/result.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::runtime {

class AdminSocket {
 public:
  static constexpr std::size_t clients_max = 16;
  static constexpr std::size_t line_bytes_max = 4096;

  // From a request to its answer, both without a line end.
  using Answer = std::function<std::string(std::string_view line)>;

  // Errors: invalid_state if another process is there, or keeps the directory locked, config_value
  // with the cause if the path cannot be used, resource. Blocks: for another process that starts at
  // this moment, a second at most.
  [[nodiscard]] static Result<std::unique_ptr<AdminSocket>> open(std::string path, Answer answer);

  // Blocks: for the answer that is being given. Requires: not called in that answer, nor in a
  // child.
  ~AdminSocket();
  AdminSocket(const AdminSocket&) = delete;
  AdminSocket& operator=(const AdminSocket&) = delete;

  // Whether the caller is the thread that answers, and so cannot wait for its own end.
  [[nodiscard]] bool is_on_own_thread() const noexcept;

 private:
  class All;  // those of this process

  struct Client {
    Descriptor socket;
    std::string heard;    // not answered yet
    std::string owed;     // of an answer, not sent yet
    bool ending = false;  // once nothing is owed
  };
  // Which file is at a path.
  struct FileId {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    friend bool operator==(const FileId&, const FileId&) = default;
  };

  AdminSocket(std::string path, Answer answer) noexcept;
  [[nodiscard]] Result<void> start();
  [[nodiscard]] Result<void> take_path();
  [[nodiscard]] Result<void> bind_path();
  void leave_to_parent() noexcept;  // in a child
  void serve() noexcept;
  bool turn();
  void admit();
  static void refuse(Client& client, std::string why);
  static bool has_request(const Client& client);
  bool attend(Client& client) const;
  void answer_one(Client& client) const;
  static bool hear(Client& client);  // these two: false if the client has gone
  static bool pay(Client& client);

  static All all;
  AdminSocket* next_ = nullptr;  // of all; guarded by its lock

  const std::string path_;
  const Answer answer_;
  FileId file_;
  Descriptor listener_;
  Descriptor wake_;  // readable: it is over
  std::vector<Client> clients_;
  bool resting_ = false;  // there was no descriptor for a client: nobody is admitted for a while
  OsRuntime::atomic<std::uint64_t> answering_{0};  // OsRuntime::thread_id() of thread_
  OsRuntime::thread thread_;
};

}  // namespace weir::runtime
