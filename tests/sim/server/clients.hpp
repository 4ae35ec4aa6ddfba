// SPDX-License-Identifier: MIT
//
// clients.hpp: clients of a simulated server without a driver between: they send, and time jumps
// from one look to the next.
#pragma once

#include "sim/server/server.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace weir::sim {

constexpr weir_time ms = 1'000'000;

inline Distribution takes(const char* text) { return Distribution::parse(text).value(); }

class Clients {
 public:
  explicit Clients(Settings settings) : server(std::move(settings)) {}

  // Waits for the reply in progress; status OTHER if none comes.
  Answer await(std::uint64_t link) {
    for (;;) {
      last = server.poll(now, link);
      if (!last.pending) return *last.answer;
      if (last.look_at == WEIR_NO_DEADLINE) return failure(WEIR_E_OTHER, "never");
      now = std::max(now, last.look_at);
    }
  }
  std::uint64_t dial(std::uint64_t tag = 0) {
    return server.dial(now, tag == 0 ? ++last_tag_ : tag, nullptr);
  }
  std::uint64_t open() {
    const std::uint64_t link = dial();
    EXPECT_EQ(WEIR_OK, await(link).status);
    return link;
  }
  void send(std::uint64_t link, const std::string& text, std::uint64_t op_id = 1) {
    Request request;
    request.text = text;
    request.op_id = op_id;
    server.send(now, link, request);
  }
  void send(std::uint64_t link, std::int32_t kind, std::int32_t level = WEIR_RESET_FULL) {
    Request request;
    request.kind = kind;
    request.level = level;
    server.send(now, link, request);
  }
  Answer ask(std::uint64_t link, const std::string& text, std::uint64_t op_id = 1) {
    send(link, text, op_id);
    return await(link);
  }
  weir_status say(std::uint64_t link, const std::string& text) { return ask(link, text).status; }
  Answer reset(std::uint64_t link, std::int32_t level = WEIR_RESET_FULL) {
    send(link, WEIR_SIM_RESET, level);
    return await(link);
  }
  void close(std::uint64_t link) {
    send(link, WEIR_SIM_GOODBYE);
    await(link);
    server.hang_up(now, link);
  }
  long count(What what) const {
    const auto& records = server.ledger().records;
    return std::count_if(records.begin(), records.end(),
                         [what](const Record& record) { return record.what == what; });
  }

  Server server;
  weir_time now = 1000 * ms;
  Reply last;

 private:
  std::uint64_t last_tag_ = 0;
};

}  // namespace weir::sim
