// SPDX-License-Identifier: MIT
//
// Goal: statements that run together slow each other down as processor sharing and the universal
// scalability law say, and a client is told the right time to look.
// Method: cases small enough to work out by hand; for many, what must be conserved.
#include "sim/server/capacity.hpp"

#include "tests/sim/server/clients.hpp"

#include <numeric>
#include <vector>

#include <rapidcheck/gtest.h>

namespace weir::sim {
namespace {

Settings one_core(const char* service) {
  Settings settings;
  settings.statement = takes(service);
  settings.capacity.cores = 1;
  return settings;
}

TEST(Capacity, two_statements_share_a_core) {
  Clients c(one_core("10ms"));
  const auto a = c.open();
  const auto b = c.open();
  const weir_time start = c.now;
  c.send(a, "SELECT 1");
  EXPECT_EQ(start + 10 * ms, c.server.poll(c.now, a).look_at);
  c.now += 5 * ms;
  c.send(b, "SELECT 1");
  EXPECT_TRUE(c.server.poll(start + 10 * ms, a).pending) << "it was delayed by the other";
  c.now = start + 10 * ms;
  c.await(a);
  EXPECT_EQ(start + 15 * ms, c.now);
  c.await(b);
  EXPECT_EQ(start + 20 * ms, c.now);
}

TEST(Capacity, more_cores_than_statements_make_none_faster) {
  Settings settings = one_core("10ms");
  settings.capacity.cores = 4;
  Clients c(settings);
  const auto a = c.open();
  const auto b = c.open();
  const weir_time start = c.now;
  c.send(a, "SELECT 1");
  c.send(b, "SELECT 1");
  c.await(a);
  c.await(b);
  EXPECT_EQ(start + 10 * ms, c.now);
}

TEST(Capacity, throughput_has_a_peak_where_the_law_has_it) {
  Capacity capacity;
  capacity.sigma_ppm = 20'000;
  capacity.kappa_ppm = 500;
  const auto throughput = [&](std::int64_t n) { return n * capacity.speed(n); };
  std::int64_t best = 1;
  for (std::int64_t n = 2; n <= 1000; ++n) {
    if (throughput(n) > throughput(best)) best = n;
  }
  EXPECT_NEAR(44, static_cast<double>(best), 1);  // sqrt((1 - sigma) / kappa) = 44.3
  EXPECT_LT(throughput(1000), throughput(44) / 4);
  EXPECT_GE(capacity.speed(INT64_MAX), 1);
}

TEST(Capacity, a_cancelled_statement_leaves_its_share_to_the_others) {
  Clients c(one_core("10ms"));
  const auto a = c.open();
  const auto b = c.open();
  const weir_time start = c.now;
  weir_host host{};
  const auto watched = c.server.dial(c.now, 99, &host);
  c.await(watched);
  c.send(a, "SELECT 1", 3);
  c.send(watched, "SELECT 1");
  EXPECT_EQ(start + 20 * ms, c.server.poll(c.now, watched).look_at);
  c.now += 5 * ms;
  c.server.cancel(c.now, a, 3);
  EXPECT_EQ(WEIR_E_CANCELLED, c.await(a).status);
  const auto wakes = c.server.take_wakes();
  ASSERT_EQ(1U, wakes.size()) << "it waits for longer than it must";
  EXPECT_EQ(99U, wakes[0].conn_tag);
  c.await(watched);
  EXPECT_EQ(start + 12 * ms + ms / 2, c.now);
  c.close(b);
}

// On one core no time is lost or won: whoever comes when, the last one ends when all work is done.
RC_GTEST_PROP(Capacity, work_is_conserved, ()) {
  const auto sleeps = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(1, 1000)));
  Settings settings = one_core("constant(7ms)");
  Clients c(settings);
  std::vector<std::uint64_t> links;
  for (std::size_t i = 0; i < sleeps.size(); ++i) links.push_back(c.open());
  const weir_time start = c.now;
  weir_time all = 0;
  for (std::size_t i = 0; i < links.size(); ++i) {
    c.send(links[i], "SELECT 1");
    all += 7 * ms;
    // The next comes before the work at hand is done, so that the core is never idle.
    if (i + 1 < links.size()) c.now = std::min(c.now + sleeps[i] * 1000, start + all - 1);
  }
  for (const std::uint64_t link : links) c.await(link);
  RC_ASSERT(c.now >= start + all);
  // A speed is rounded down to 2^-20 of a core.
  const auto n = static_cast<weir_time>(links.size());
  RC_ASSERT(c.now <= start + all + all * n / Capacity::full_speed + 2 * n);
}

}  // namespace
}  // namespace weir::sim
