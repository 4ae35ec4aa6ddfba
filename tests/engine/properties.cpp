// SPDX-License-Identifier: MIT
//
// Goal:   the properties of pools.md, section 5, hold for every configuration and every order of
// events. Method: random programs against EngineWorld, which judges after each step. A failing
// program shrinks.
//         At the end faults stop, and the pool has to recover (heal). A property whose premise
//         never came true has not been tested: that fails, too.
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

TEST(EngineProperties, NoneWasVacuous) {
  for (const char* id : {"S1",         "S1 lowered", "S1 quarantine",
                         "S3",         "S4",         "S5",
                         "S6",         "S7",         "S7 bounded",
                         "S8",         "S10",        "S11",
                         "S12",        "S13",        "S15",
                         "S18",        "S19",        "S20",
                         "F1",         "F2",         "F2 bounded",
                         "L1",         "L3",         "L3 healed",
                         "L5",         "L7",         "L8",
                         "T1",         "T2",         "T3",
                         "T4",         "T5",         "T6",
                         "T7",         "T8",         "T9",
                         "T11",        "R2",         "R3",
                         "R8",         "C1",         "O1",
                         "O3",         "O4",         "take",
                         "give",       "offer",      "offer passed on",
                         "quarantine", "late result"}) {
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
