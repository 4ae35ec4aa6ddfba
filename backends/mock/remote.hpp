// SPDX-License-Identifier: MIT
//
// remote.hpp: the server of a simulation, where the host has one for the source's URL. It then says
// what the script would have said, and more: it has sessions, data and a capacity of its own.
//
// Called by: the calls of a conn. Owned by the source, constant after source_create. Threads: any.
#pragma once

#include "backends/common/abi.hpp"

#include <weir/draft/sim_server.h>

namespace weir::mock {

struct Remote {
  weir_sim_server table{};
  std::uint64_t server = 0;  // 0: there is none

  explicit operator bool() const noexcept { return server != 0; }
};

// What the host has for this URL.
Remote find_remote(const weir_host& host, weir_text url) noexcept;

}  // namespace weir::mock
