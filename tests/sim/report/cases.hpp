// SPDX-License-Identifier: MIT
//
// Reports made by hand, for the tests of sim/report: small enough to know by heart what every
// rendering has to say about them.
#pragma once

#include "sim/report/facts.hpp"

#include <chrono>

namespace weir::sim::test {

using namespace std::chrono_literals;

inline Instant at(Duration since_beginning) { return World::beginning + since_beginning; }

// Ten seconds, in which the server refuses for two; all is well.
struct Sample10s {
  Scenario scenario;
  Report report;
  Sample10s() {
    scenario.name = "ten seconds";
    scenario.seed = 42;
    scenario.duration = 10s;
    scenario.server.faults.push_back({FaultKind::refuse, 0, 2'000'000'000, 4'000'000'000, 1, 0});
    scenario.server.faults.push_back({FaultKind::slow, 0, 9'000'000'000});
    scenario.actions.push_back({Action::What::evict, 5s, 0, 0, 1s});
    report.ending = {Ending::Kind::done, "", "", at(15s), 123'456, 0x9c1e0000000000ab};
    report.virtual_time = 15s;
    report.sessions_max = 3;
    report.judgement.checked = {{"S1", 12'034}, {"S1 by the server", 12'034}, {"L1", 1000}};
    report.judgement.seen = {{{"connecting", "created"}, 3}, {{"racked", "lent"}, 1000}};
    report.thread_names = {"main", "client 1.0", "client 1.1"};
    for (int i = 0; i < 1000; ++i) add_round(i);
    report.failures = {{Code::acquire_timeout, 10}};
    for (int i = 0; i < 10; ++i) {
      const auto lent = static_cast<std::uint32_t>(i % 4);
      report.samples.push_back({at(i * 1s), {4, lent, 3 - lent, 0, 0, lent == 3 ? 2U : 0U}, 3});
    }
  }

 private:
  void add_round(int i) {
    const Duration due = i * 10ms;
    const Duration wait = i % 10 == 0 ? 5ms : 1ms;
    const auto client = static_cast<std::uint32_t>(i % 2);
    const Instant lent = at(due + wait);
    Round round{1, client, 2 + client, at(due), at(due), lent, lent, lent + 2ms, Code{}, 1};
    if (i % 100 == 99) {
      round.served = round.lent = no_deadline;
      round.result = Code::acquire_timeout;
    } else {
      report.wait.add(wait);
    }
    report.round.add(wait + 2ms);
    report.history.push_back(round);
    ++report.rounds;
  }
};

// Two clients and one lock, the second is preempted inside of it; then the run breaks S13.
struct BrokenCase {
  Scenario scenario;
  Report report;
  BrokenCase() {
    scenario.name = "broken";
    scenario.seed = 7;
    scenario.duration = 1s;
    report.ending = {Ending::Kind::failed,
                     "S13",
                     "session 3: role \"admin\" & <b> is left behind",
                     at(5ms),
                     14,
                     0xab};
    report.virtual_time = 5ms;
    report.judgement.checked = {{"S13", 3}, {"L1", 2}};
    report.thread_names = {"main", "client 1.0", "client 1.1"};
    report.deviations = {{3, 2, Question::preempt, 2}, {2, 4, Question::preempt, the_clock}};
    report.trace = {
        {1, 1, Op::spawn, 0, 0, at(0s)},
        {1, 2, Op::join, 2, 0, at(0s)},
        {3, 0, Op::start, 0, 0, at(0s)},
        {3, 1, Op::lock, 7, 0, at(0s)},
        {3, 2, Op::load, 9, 0, at(0s)},
        {2, 1, Op::load, 9, 0, at(0s)},
        {2, 2, Op::lock, 7, 0, at(0s)},
        {3, 3, Op::unlock, 7, 0, at(0s)},
        {2, 2, Op::wake, 7, 3, at(0s)},
        {3, 4, Op::sleep, 0, 0, at(0s)},
        {2, 3, Op::load, 9, 0, at(0s)},
        {2, 4, Op::store, 9, 0, at(0s)},
        {0, 0, Op::advance, 0, 5'000'000, at(5ms)},
        {3, 4, Op::timeout, 0, 0, at(5ms)},
        {2, 5, Op::unlock, 7, 0, at(5ms)},
    };
  }
};

}  // namespace weir::sim::test
