// SPDX-License-Identifier: MIT
//
// Mathematics checks the simulator, and the pool with it: in a run with Poisson arrivals and
// exponential service the waits and the timeouts must be those of queueing theory. A lost wake-up,
// an unfair hand-off or a biased sampler would show.
//
//   M/M/c                 Erlang C
//   M/M/c with patience   acquires give up after tau: the closed form of simulation.md, section 5.4
//   Little                mean number waiting = arrival rate * mean wait
#include "sim/explore/run.hpp"
#include "tests/sim/explore/scale.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;

struct Queue {
  double arrivals;  // per second
  double service;   // per second and connection
  std::uint32_t connections;
  Duration patience;  // no_timeout: nobody gives up
};

// The bound follows from the runs' own spread, so fewer and shorter runs only make it wider.
std::uint64_t seeds() { return full() ? 8 : 5; }

Scenario scenario_of(const Queue& q, std::uint64_t seed) {
  Scenario s;
  s.seed = seed;
  s.duration = full() ? 400s : 60s;
  s.pool.name = "main";
  s.pool.driver = "mock";
  s.pool.url = Secret("mock:sim");
  s.pool.min = s.pool.max = q.connections;
  s.pool.acquire_timeout = q.patience;
  s.pool.idle_timeout = s.pool.max_lifetime = s.pool.hold_warn = no_timeout;
  s.pool.validate_after = 1h;
  s.pool.fairness = Fairness::strict;
  s.pool.max_waiting = 10'000;
  s.pool.log.info = false;
  ClientGroup clients;
  clients.count = 400;  // far more than ever wait
  clients.loop = ClientGroup::Loop::open;
  const auto nanoseconds = [](double rate) { return std::to_string(std::llround(1e9 / rate)); };
  clients.every = Distribution::parse("exp(" + nanoseconds(q.arrivals) + "ns)").value();
  clients.hold = Distribution::parse("exp(" + nanoseconds(q.service) + "ns)").value();
  s.clients.push_back(clients);
  return s;
}

// The sum of a^k/k! for k < c, and a^(c-1)/(c-1)!.
struct Terms {
  double sum = 0;
  double last = 1;
};
Terms terms(double a, std::uint32_t c) {
  Terms t;
  double term = 1;
  for (std::uint32_t k = 0; k < c; ++k) {
    t.sum += term;
    t.last = term;
    term *= a / (k + 1);
  }
  return t;
}

double erlang_c_mean_wait(const Queue& q) {
  const double a = q.arrivals / q.service;
  const double c = q.connections;
  const Terms t = terms(a, q.connections);
  const double busy = t.last * a / c * c / (c - a);
  return busy / (t.sum + busy) / (c * q.service - q.arrivals);
}

double timeout_probability(const Queue& q) {
  const double tau = std::chrono::duration<double>(q.patience).count();
  const double delta = q.connections * q.service - q.arrivals;
  const double cmu = q.connections * q.service;
  const Terms t = terms(q.arrivals / q.service, q.connections);
  const double decay = std::exp(-delta * tau);
  const double inner = (std::abs(delta) < 1e-9 ? tau : (1 - decay) / delta) + decay / cmu;
  const double busy = t.last / (t.sum + q.arrivals * t.last * inner);
  return q.arrivals * busy * decay / cmu;
}

std::uint64_t timeouts_of(const Report& report) {
  for (const auto& [code, count] : report.failures) {
    if (code == Code::acquire_timeout) return count;
  }
  return 0;
}

// Three standard errors of the mean over the runs, and two percent for what a run is too short for.
void expect_close(const std::vector<double>& seen, double expected, const std::string& what) {
  double mean = 0;
  for (const double x : seen) mean += x / static_cast<double>(seen.size());
  double variance = 0;
  for (const double x : seen) variance += (x - mean) * (x - mean);
  const auto n = static_cast<double>(seen.size());
  const double error = std::sqrt(variance / (n - 1) / n);
  EXPECT_NEAR(mean, expected, 3 * error + 0.02 * expected) << what;
}

TEST(Queueing, waits_are_those_of_erlang_c) {
  for (const Queue& q : {Queue{80, 100, 1, no_timeout}, Queue{170, 100, 2, no_timeout},
                         Queue{400, 100, 5, no_timeout}}) {
    std::vector<double> waits;
    for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
      const Report report = run(scenario_of(q, seed));
      ASSERT_TRUE(report.ok()) << report.ending.text;
      waits.push_back(std::chrono::duration<double>(report.wait.summary().mean).count());
    }
    expect_close(waits, erlang_c_mean_wait(q), std::to_string(q.connections) + " connections");
  }
}

TEST(Queueing, timeouts_are_those_of_a_queue_with_patience) {
  for (const Queue& q : {Queue{180, 100, 2, 30ms}, Queue{110, 10, 10, 100ms},
                         Queue{90, 10, 10, 100ms}, Queue{200, 100, 2, 20ms}}) {
    std::vector<double> shares;
    for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
      const Report report = run(scenario_of(q, seed));
      ASSERT_TRUE(report.ok()) << report.ending.text;
      shares.push_back(static_cast<double>(timeouts_of(report)) /
                       static_cast<double>(report.rounds));
    }
    expect_close(shares, timeout_probability(q),
                 std::to_string(q.connections) + " connections, patience");
  }
}

}  // namespace
}  // namespace weir::sim
