// SPDX-License-Identifier: MIT
//
// Who is at the other end of a Unix socket, by the kernel's word: for a client that is whoever
// called listen(), for a server whoever called connect(). Used by the admin socket and by the
// commands that ask it.
#pragma once

#include <cerrno>
#include <csignal>
#include <optional>
#include <sys/socket.h>

namespace weir {

// Empty for what is no connected Unix socket.
[[nodiscard]] inline std::optional<ucred> peer_of(int socket) noexcept {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  // What is not connected has the uid -1; pid 0 alone is somebody in another namespace.
  if (peer.uid == static_cast<uid_t>(-1)) return std::nullopt;
  return peer;
}

// Whether a process is there. Forked children of one that has ended keep its socket open, so that
// somebody can be connected to whom nobody will ever answer. One that cannot be seen from here, in
// another namespace, has no number; one of another user may not be signalled, but is there.
[[nodiscard]] inline bool is_alive(pid_t process) noexcept {
  return process <= 0 || ::kill(process, 0) == 0 || errno != ESRCH;
}

}  // namespace weir
