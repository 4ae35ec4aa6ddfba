// SPDX-License-Identifier: MIT
//
// Hosts and scenarios for the tests of weir/sim.hpp, which see what a host sees.
#pragma once

#include <weir/sim.hpp>
#include <weir/weir.hpp>

#include <string>
#include <string_view>

namespace weir::sim {

// Four clients that look at a key, for two hundred milliseconds, in an order that is drawn.
inline constexpr std::string_view busy = R"toml(
format = 1
duration = "200ms"
mode = "adversarial"
steps_max = 500000

[pool]
max = 2

[server]
statement = "exp(1ms)"

[[client]]
number = 1
count = 4
every = "exp(2ms)"
sql = ["SELECT 1"]

[schedule]
kind = "random"
rate = 0.05
)toml";

// Fails the test that calls it if the text is wrong.
inline Outcome simulated(std::string_view scenario, const Host& host = {},
                         const SimulateOptions& options = {}) {
  return or_throw(simulate(scenario, host, options));
}

// With a deadline: without one it waits for ever for a server that has gone in silence.
inline Result<void> one_statement(Pool& pool) {
  auto rows =
      pool.with([](Connection& c) { return c.within(std::chrono::seconds(1)).query("SELECT 1"); });
  return rows ? Result<void>() : fail(std::move(rows).error());
}

// Counts in the host's memory, with a statement between reading and writing: the lost update.
struct Counter {
  int stored = 0;
  int done = 0;
  bool careful = false;

  Host host() {
    return {.prepare = [this](Pool&) { return stored = done = 0, Result<void>(); },
            .work = [this](Pool& pool) { return add_one(pool); },
            .check = [this](Pool&) -> Result<void> {
              if (stored == done) return {};
              return fail(Code::internal, "an update was lost");
            }};
  }

 private:
  Result<void> add_one(Pool& pool) {
    const int seen = stored;
    if (auto ok = one_statement(pool); !ok) return ok;
    stored = careful ? stored + 1 : seen + 1;
    ++done;
    return {};
  }
};

inline std::size_t occurrences(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; ++at) ++count;
  return count;
}

}  // namespace weir::sim
