// SPDX-License-Identifier: MIT
//
// A host's test, outside the tree: its own function under the simulator, with a bug that is found,
// and the same library as the pool of the real world.
#include <weir/sim.hpp>
#include <weir/weir.hpp>

#include <cstdio>
#include <stdexcept>

using namespace std::chrono_literals;

namespace {

// Reads, asks the database something, and writes what it had read and one more.
struct Counter {
  int stored = 0;
  int done = 0;

  weir::sim::Host host() {
    return {.prepare = [this](weir::Pool&) { return stored = done = 0, weir::Result<void>(); },
            .work = [this](weir::Pool& pool) -> weir::Result<void> {
              const int seen = stored;
              if (auto rows = pool.query("SELECT 1"); !rows) return weir::fail(rows.error());
              stored = seen + 1;
              ++done;
              return {};
            },
            .check = [this](weir::Pool&) -> weir::Result<void> {
              weir::sim::require(stored == done, "nothing is lost");
              return {};
            }};
  }
};

int simulated() {
  Counter counter;
  weir::sim::Search search;
  search.scenario = "format = 1\n[pool]\nmax = 2\n[[client]]\ncount = 8\nrounds = 5\n";
  search.statements = false;
  search.budget = 60s;
  const auto findings = weir::sim::explore(search, counter.host());
  if (!findings || findings->found.empty()) return std::puts("nothing was found"), 1;
  const weir::sim::Outcome& found = findings->found.front();
  std::printf("%s\n", found.property().c_str());
  const auto again = weir::sim::simulate(found.scenario(), counter.host());
  const bool same = again && again->trace_hash() == found.trace_hash();
  std::printf("%s\n", same ? "replayed" : "another run");

  const auto thrown =
      weir::sim::simulate(search.scenario, {.work = [](weir::Pool&) -> weir::Result<void> {
                            throw std::runtime_error("out of ideas");
                          }});
  if (!thrown) return std::fputs(thrown.error().what().c_str(), stderr), 1;
  std::printf("%s\n", thrown->property().c_str());
  const auto refused = weir::sim::simulate("format = 1\nduratoin = \"1s\"\n");
  std::printf("%s\n", refused ? "accepted" : std::string(refused.error().id()).c_str());
  return 0;
}

int real() {
  auto pools = weir::Pools::from_file("weir.toml");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();
  auto rows = (*pools)["main"].query("select name from users where id = 1");
  if (!rows) return std::fputs(rows.error().what().c_str(), stderr), 1;
  std::printf("%s\n", (*rows)[0].get<std::string>(0).c_str());
  return 0;
}

}  // namespace

int main() {
  const int wrong = simulated();
  return wrong != 0 ? wrong : real();
}
