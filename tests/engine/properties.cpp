// SPDX-License-Identifier: MIT
//
// Goal:   the properties of pools.md, section 5, hold for every configuration and every order of
//         events.
// Method: random programs against EngineWorld, which judges after each step. A failing program
//         shrinks. At the end faults stop, and the pool has to recover (heal). A property whose
//         premise never came true has not been tested: that fails, too.
// Scale:  2000 programs; with WEIR_TEST_SCALE=full 20 000, or 5000 under a sanitizer, which makes
//         each ten times as slow; RC_PARAMS overrides (see rapidcheck).
// Mutants: WEIR_JUDGED_BY="S7, L2" asks for the first program that breaks one of these properties
//         before it breaks another; the others, and those that an assertion ends, do not count.
#include "tests/engine/program.hpp"

#include <array>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace weir::engine::test {
namespace {

using Kind = Command::Kind;

// What runs now, for the case that the engine stops the process by an assertion.
std::string current_case;

const char* judged_by = std::getenv("WEIR_JUDGED_BY");
sigjmp_buf next_program;

extern "C" void on_assertion(int) {
  if (judged_by != nullptr) siglongjmp(next_program, 1);  // leaks: this process is a measurement
  std::fputs(current_case.c_str(), stderr);
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

// Whether one of the ids of "S7, L2: text" is among `names`.
bool breaks_one_of(const std::string& names, const std::string& violation) {
  std::istringstream ids(violation.substr(0, violation.find(':')));
  for (std::string id; ids >> id;) {
    if ((' ' + names + ',').find(' ' + id.substr(0, id.find(',')) + ',') != std::string::npos) {
      return true;
    }
  }
  return false;
}

rc::Gen<Command> commands() {
  const auto kind = rc::gen::weightedElement<Kind>({
      {20, Kind::acquire},       {3, Kind::acquire_now},
      {6, Kind::acquire_nested}, {3, Kind::cancel},
      {3, Kind::claim},          {18, Kind::release},
      {4, Kind::release_dirty},  {3, Kind::release_broken},
      {1, Kind::release_again},  {1, Kind::release_foreign},
      {22, Kind::advance},       {1, Kind::jump},
      {1, Kind::tick},           {1, Kind::leap},
      {3, Kind::resize},         {2, Kind::reload},
      {1, Kind::evict},          {1, Kind::suspend},
      {2, Kind::resume},         {1, Kind::drain},
      {8, Kind::driver},         {3, Kind::finish},
      {1, Kind::late_result},
  });
  const auto number = rc::gen::inRange<std::uint32_t>(0, 840);
  return rc::gen::build<Command>(rc::gen::set(&Command::kind, kind),
                                 rc::gen::set(&Command::a, number),
                                 rc::gen::set(&Command::b, number));
}

void run_program(const std::vector<std::uint32_t>& numbers, const std::vector<Command>& program,
                 bool starts) {
  const EngineConfig config = drawn_config(numbers);
  std::ostringstream text;
  text << "config: " << text_of(config) << " wake " << numbers.back() % 3 << "\nstarts: " << starts
       << '\n';
  for (const Command& command : program) text << "  " << command << '\n';
  current_case = text.str();
  if (judged_by != nullptr && sigsetjmp(next_program, 1) != 0) return;
  EngineWorld world(config, 7);
  constexpr std::array<Duration, 3> wake_latencies = {20us, 3ms, no_timeout};
  world.set_wake_latency(wake_latencies[numbers.back() % 3]);
  try {
    if (starts) world.start();
    for (const Command& command : program) run(world, command);
    heal(world);
  } catch (const Violation& violation) {
    if (judged_by != nullptr) {
      if (!breaks_one_of(judged_by, violation.what())) return;
      std::cout << current_case << "killed by " << violation.what() << "\nsteps: " << steps_made()
                << std::endl;
      std::_Exit(1);
    }
    RC_LOG() << current_case;
    RC_FAIL(violation.what());
  }
}

TEST(EngineProperties, HoldInEveryProgram) {
  const bool held = rc::check("the properties hold in every program", [] {
    const auto numbers = *rc::gen::container<std::vector<std::uint32_t>>(
        config_numbers + 1, rc::gen::inRange<std::uint32_t>(0, 840));
    run_program(numbers, *rc::gen::container<std::vector<Command>>(commands()),
                *rc::gen::inRange(0, 4) != 0);
  });
  EXPECT_TRUE(held);
}

using Program = std::vector<Command>;
using Numbers = std::vector<std::uint32_t>;

Numbers drawn_numbers() {
  return *rc::gen::container<Numbers>(config_numbers + 1, rc::gen::inRange<std::uint32_t>(0, 840));
}

// A broken property is told by HoldInEveryProgram; here it only ends the run.
void run_some(EngineWorld& world, const Program& program) {
  try {
    for (const Command& command : program) run(world, command);
  } catch (const Violation&) {
    RC_DISCARD("a property does not hold");
  }
}

// T12, O3. Both worlds live at the same time, so that no address is the same in the two.
TEST(EngineProperties, TheSameProgramDoesTheSame) {
  EXPECT_TRUE(rc::check("the same program does the same", [] {
    const EngineConfig config = drawn_config(drawn_numbers());
    const auto program = *rc::gen::container<Program>(commands());
    EngineWorld one(config, 7);
    EngineWorld other(config, 7);
    run_some(one, program);
    run_some(other, program);
    RC_ASSERT(one.trace() == other.trace());
    RC_ASSERT(one.now() == other.now());
    RC_ASSERT(one.events().size() == other.events().size());
  }));
}

// As many as there may be: how many callers hold a connection at the same time.
std::uint32_t most_leases(EngineWorld& world) {
  heal(world);
  for (std::uint32_t i = 0; i < 3 * (world.config().max + 2); ++i) {
    world.acquire(30s);
    world.run_for(2s);
  }
  return world.lent();
}

// To a size, with room for everybody to wait: where nobody may, a look is for nobody, either.
void resize(EngineWorld& world, std::uint32_t min, std::uint32_t max) {
  EngineConfig next = world.config();
  next.min = min;
  next.max = max;
  next.max_waiting = 1024;
  world.reload(next, false);
}

// C4: two changes of the size are the last of them, from wherever the pool was.
TEST(EngineProperties, ASizeIsAbsolute) {
  EXPECT_TRUE(rc::check("a size is absolute", [] {
    EngineConfig config = drawn_config(drawn_numbers());
    RC_PRE(!config.pinned);
    const auto program = *rc::gen::container<Program>(commands());
    const auto first = *rc::gen::inRange<std::uint32_t>(1, 7);
    const auto last = *rc::gen::inRange<std::uint32_t>(1, 7);
    const auto min = *rc::gen::inRange<std::uint32_t>(0, last + 1);
    EngineWorld by_way_of(config, 7);
    EngineWorld at_once(config, 7);
    run_some(by_way_of, program);
    run_some(at_once, program);
    RC_PRE(by_way_of.engine().phase() != Engine::Phase::draining);
    resize(by_way_of, std::min(min, first), first);
    resize(by_way_of, min, last);
    resize(at_once, min, last);
    RC_ASSERT(most_leases(by_way_of) == last);
    RC_ASSERT(most_leases(at_once) == last);
    RC_ASSERT(by_way_of.waiting() == at_once.waiting());
    RC_ASSERT(by_way_of.engine().physical() == at_once.engine().physical());
    ++premises()["C4"];
  }));
}

// How long `count` connects take that go at most `at_once` side by side, when they begin with
// `window` and double (S8).
Duration waves(std::uint32_t count, std::uint32_t at_once, std::uint32_t window, Duration each) {
  Duration total{};
  for (std::uint32_t up = 0; up < count; window = std::min(2 * window, at_once)) {
    up += window;
    total += each;
  }
  return total;
}

// Returns: how long it took until min connections were up; for ever if it is not within a minute.
Duration time_to_min(EngineWorld& world) {
  const Instant began = world.now();
  while (!world.engine().ready() && world.now() < began + 1min) world.run_for(1ms);
  return world.now() - began;
}

// L3, R1: nobody waits, so it is min alone that brings them up.
TEST(EngineProperties, MinIsReachedInTime) {
  EXPECT_TRUE(rc::check("min is reached in time", [] {
    EngineConfig config = plain_config();
    config.max = *rc::gen::inRange<std::uint32_t>(1, 30);
    config.min = *rc::gen::inRange<std::uint32_t>(1, config.max + 1);
    config.max_connecting = *rc::gen::inRange<std::uint32_t>(1, 6);
    config.has_init = *rc::gen::inRange(0, 2) == 0;
    const Duration connect = config.has_init ? 2ms : 1ms;
    const Duration close = 1ms;
    const auto in_full = waves(config.min, config.max_connecting, config.max_connecting, connect);
    const auto slowly = waves(config.min, config.max_connecting, 1, connect);
    EngineWorld world(config);
    world.start();
    RC_ASSERT(time_to_min(world) <= in_full);
    world.evict();  // each may have to be gone before its successor comes
    RC_ASSERT(time_to_min(world) <= close + in_full);
    world.answer(Op::connect, Answer::fails());
    world.evict();
    world.run_for(Duration(1s) * *rc::gen::inRange(1, 60));
    world.answer(Op::connect, Answer{});
    const Duration longest = config.create_retry_max * 12 / 10;
    RC_ASSERT(time_to_min(world) <= longest + slowly);
    const std::uint32_t more = config.max + *rc::gen::inRange<std::uint32_t>(1, 10);
    world.resize(more, more);
    RC_ASSERT(time_to_min(world) <= waves(more - config.min, config.max_connecting, 1, connect));
    ++premises()["L3 in time"];
  }));
}

TEST(EngineProperties, NoneWasVacuous) {
  for (const char* id : {"S1",         "S1 lowered",  "S1 quarantine",
                         "S3",         "S4",          "S5",
                         "S6",         "S7",          "S7 bounded",
                         "S8",         "S10",         "S11",
                         "S12",        "S13",         "S15",
                         "S18",        "S19",         "S20",
                         "F1",         "F2",          "F2 bounded",
                         "L1",         "L3",          "L3 healed",
                         "L5",         "L7",          "L8",
                         "T1",         "T2",          "T3",
                         "T4",         "T5",          "T6",
                         "T7",         "T8",          "T9",
                         "T11",        "R2",          "R3",
                         "R8",         "C1",          "O1",
                         "O3",         "O4",          "take",
                         "give",       "offer",       "offer passed on",
                         "quarantine", "late result", "C4",
                         "L3 in time", "T13"}) {
    std::cout << id << ": " << premises()[id] << '\n';
    EXPECT_GT(premises()[id], 0U) << id;
  }
}

}  // namespace
}  // namespace weir::engine::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const char* scale = std::getenv("WEIR_TEST_SCALE");
  const bool full = scale != nullptr && std::string(scale) == "full";
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  const char* const many = "5000";
#else
  const char* const many = "20000";
#endif
  const std::string params =
      std::string("seed=20260101 max_size=200 max_success=") + (full ? many : "2000");
  setenv("RC_PARAMS", params.c_str(), 0);  // a given one stays
  std::signal(SIGABRT, weir::engine::test::on_assertion);
  return RUN_ALL_TESTS();
}
