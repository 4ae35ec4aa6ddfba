// SPDX-License-Identifier: MIT
//
// key_tap.hpp: overhears the key by which a session may be cancelled. The server tells it during
// the login, and libpq keeps it where only PQcancel reaches it, which connects, sends and reads
// without a deadline and cannot be interrupted (a cancel that waits in the host comes with libpq
// 17). libpq does show it to whoever has the protocol traced, so the login is traced into this.
//
// The trace of a login may show a password: nothing of it is kept but the line at hand, which is
// wiped when it ends.
//
// Called by: open. Owned by: the attempt to connect. Threads: [conn].
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <libpq-fe.h>
#include <optional>
#include <string_view>

namespace weir::postgres {

struct CancelKey {
  std::int32_t process;
  std::int32_t secret;
};

class KeyTap {
 public:
  explicit KeyTap(PGconn* pg) noexcept;
  ~KeyTap();  // the PGconn must still be there
  KeyTap(const KeyTap&) = delete;
  KeyTap& operator=(const KeyTap&) = delete;

  // The key, once the login is over. None if the server sent none, or one of another size.
  std::optional<CancelKey> key() const noexcept { return key_; }

 private:
  void take(const char* bytes, std::size_t size) noexcept;
  void end_line() noexcept;

  PGconn* const pg_;
  std::FILE* file_ = nullptr;
  char line_[128] = {};
  std::size_t size_ = 0;  // longer lines are cut: the one we want is short
  std::optional<CancelKey> key_;
};

}  // namespace weir::postgres
