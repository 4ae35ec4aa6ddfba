// SPDX-License-Identifier: MIT
// Goal:   what work needs depends on its number, and not on the pool, so that pools are compared on
//         the same work.
// Method: the same scenario with different pools; each round is known by when it was due.
#include "sim/explore/run.hpp"
#include "tests/sim/study/scenarios.hpp"

#include <map>

namespace weir::sim::test {
namespace {

using namespace std::chrono_literals;

// When it was due -> how long it had its connection.
std::map<Duration, Duration> work(const Scenario& scenario) {
  const Report report = run(scenario, {.keep_history = true});
  EXPECT_TRUE(report.ok()) << report.ending.text;
  std::map<Duration, Duration> all;
  for (const Round& round : report.history) {
    if (round.lent != no_deadline) all[round.due - World::beginning] = round.done - round.lent;
  }
  return all;
}

constexpr const char* busy = R"toml(format = 1
duration = "5s"
[pool]
max = 2
acquire_timeout = "50ms"
[server]
network = "uniform(100us,300us)"
statement = "exp(4ms)"
commit = "exp(1ms)"
auth = "5ms"
)toml";

TEST(Work, OfAnOpenLoopIsTheSameInEachPool) {
  const std::string text = std::string(busy) +
                           "[[client]]\ncount = 50\nloop = \"open\"\nevery = \"exp(3ms)\"\n"
                           "sql = [\"SELECT 1\", \"SELECT 2\"]\nhold = \"exp(1ms)\"\n";
  const auto small = work(read(text));
  const Setting more{"pool.max", "9"};
  const auto large = work(read(text, {&more, 1}));
  ASSERT_GT(large.size(), 1500U);
  EXPECT_LT(small.size(), large.size());  // some of them gave up
  for (const auto& [due, took] : small) {
    const auto same = large.find(due);
    ASSERT_NE(same, large.end());
    EXPECT_EQ(same->second, took) << "due at " << due.count();
  }
}

TEST(Work, OfATransactionHasItsCommitsTime) {
  const std::string text = std::string(busy) +
                           "[[client]]\ncount = 50\nloop = \"open\"\nevery = \"exp(9ms)\"\n"
                           "sql = [\"SELECT 1\"]\ntransaction = true\n";
  // Begin has no mark, so the way of it is the connection's, and not the work's.
  const Setting wires{"server.network", "100us"};
  const std::vector<Setting> more{wires, {"pool.max", "9"}};
  const auto small = work(read(text, {&wires, 1}));
  const auto large = work(read(text, more));
  ASSERT_GT(small.size(), 300U);
  for (const auto& [due, took] : small) {
    const auto same = large.find(due);
    if (same != large.end()) {
      EXPECT_EQ(same->second, took);
    }
  }
}

TEST(Work, OfAClosedLoopIsTheSameRoundByRound) {
  const std::string text =
      std::string(busy) +
      "[[client]]\ncount = 6\nevery = \"exp(5ms)\"\nrounds = 40\nsql = [\"SELECT 1\"]\n";
  const auto of = [&](const std::vector<Setting>& settings) {
    const Report report = run(read(text, settings), {.keep_history = true});
    std::map<std::uint32_t, std::vector<Duration>> rounds;
    for (const Round& round : report.history) {
      rounds[round.client].push_back(round.lent == no_deadline ? Duration{}
                                                               : round.done - round.lent);
    }
    return rounds;
  };
  const std::vector<Setting> slow{{"pool.acquire_timeout", "10s"}};
  const std::vector<Setting> many{{"pool.acquire_timeout", "10s"}, {"pool.max", "6"}};
  const auto few = of(slow);
  ASSERT_EQ(few.size(), 6U);
  EXPECT_EQ(few, of(many));
}

TEST(Work, OfOneSeedIsNotThatOfAnother) {
  const std::string text = mmc(8);
  const Setting other{"seed", "2"};
  EXPECT_NE(work(read(text)), work(read(text, {&other, 1})));
}

}  // namespace
}  // namespace weir::sim::test
