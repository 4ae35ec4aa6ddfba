// SPDX-License-Identifier: MIT
//
// extension.hpp: the simulated servers of a world as the host extension "weir.sim.server/1", by
// which a driver reaches them. Translates between C and the servers, and decides nothing.
//
// Called by: the world, which adds servers and answers weir_host.extension with find(); the driver,
// through the table. Owned by the world; outlives every pool in it. Threads: one at a time.
// Invariant: a table handed out stays valid as long as this object.
#pragma once

#include "sim/server/server.hpp"

#include <weir/draft/sim_server.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::sim {

class Servers {
 public:
  Servers() noexcept;
  Servers(const Servers&) = delete;
  Servers& operator=(const Servers&) = delete;

  // A server for the sources with this URL, "mock:orders". The reference stays valid.
  Server& add(std::string url, Settings settings);

  // What weir_host.extension answers for `id`; null if it is not ours.
  [[nodiscard]] const void* find(std::string_view id) const noexcept;
  [[nodiscard]] const weir_sim_server* table() const noexcept { return &table_; }

 private:
  struct Entry {
    std::string url;
    std::unique_ptr<Server> server;
  };
  // A link's number has its server's in front.
  static constexpr int link_bits = 48;
  static constexpr std::uint64_t link_mask = (std::uint64_t{1} << link_bits) - 1;

  [[nodiscard]] std::uint64_t number_of(std::string_view url) const noexcept;
  std::uint64_t dial(weir_time now, const weir_sim_dial& dial);
  void send(weir_time now, std::uint64_t link, const weir_sim_request& request);
  void poll(weir_time now, std::uint64_t link, weir_sim_reply& out);
  // The server of a link, or null; `link` becomes that server's own number.
  Server* of(std::uint64_t& link) const noexcept;
  static void wake(Server& server);
  template <auto Method, class... Args>
  static void pass_on(void* ctx, weir_time now, std::uint64_t link, Args... args) noexcept;

  weir_sim_server table_{};
  std::vector<Entry> entries_;
};

}  // namespace weir::sim
