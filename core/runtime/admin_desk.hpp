// SPDX-License-Identifier: MIT
//
// AdminDesk: what a line that comes in through the admin socket means, and the line that answers
// it. The protocol is in docs/admin.md; `weir stats`, `top`, `pause` and the rest speak it.
//
// Owner:   Pools::Impl. Threads: that of the socket.
// Promise: no answer waits for a connection to come or to go; only `reload` reads files.
#pragma once

#include <weir/pool.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::runtime {

struct AdminDesk {
  std::map<std::string, Pool*, std::less<>> pools;  // live as long as the desk
  std::function<Result<std::vector<std::string>>()> reload;

  // One line of JSON, without its end; never throws but for want of memory.
  [[nodiscard]] std::string answer(std::string_view line) const;
};

// {"error":{"code":"W404","name":"invalid_state","message":"..."}}
[[nodiscard]] std::string admin_error(const Error& error);

}  // namespace weir::runtime
