// SPDX-License-Identifier: MIT
//
// Goal:   the engine does what a pool without any cleverness does (S4, S7, S8, S11, F1, F2, L6, L8,
//         R3, R7, R8, and start, suspend, resume, evict, reload, resize, drain, quarantine).
// Method: random inputs to the engine and to a model beside it, compared after every step: which
//         callers were resolved and how, which operations were started and aborted on which
//         connection, and the state of each connection. A failing program shrinks.
// Scale:  10 000 programs; with WEIR_TEST_SCALE=full 200 000, or 20 000 under a sanitizer; given
//         RC_PARAMS override that (see rapidcheck).
#include "tests/engine/model.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace weir::engine::test {
namespace {

using Kind = Input::Kind;

struct Command {
  Kind kind = Kind::tick;
  std::uint32_t pick = 0;  // one of the inputs of that kind that are possible
};

std::ostream& operator<<(std::ostream& out, const Command& command) {
  return out << static_cast<int>(command.kind) << ' ' << command.pick;
}

// What was done so far, for the case that the engine stops the process by an assertion.
std::string current_case;

extern "C" void tell_case(int) {
  std::fputs(current_case.c_str(), stderr);
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

// How often each kind of input was possible and given, and how often each outcome was seen.
std::map<Kind, std::uint64_t>& given() {
  static std::map<Kind, std::uint64_t> counts;
  return counts;
}
std::map<Outcome, std::uint64_t>& outcomes() {
  static std::map<Outcome, std::uint64_t> counts;
  return counts;
}

rc::Gen<Command> commands() {
  const auto kind = rc::gen::weightedElement<Kind>({
      {1, Kind::start},
      {16, Kind::acquire_thread},
      {8, Kind::acquire_callback},
      {4, Kind::acquire_now},
      {4, Kind::cancel},
      {6, Kind::claim},
      {14, Kind::give_back_clean},
      {4, Kind::give_back_dirty},
      {4, Kind::give_back_broken},
      {1, Kind::give_back_twice},
      {30, Kind::finish},
      {1, Kind::finish_late},
      {8, Kind::tick},
      {1, Kind::leap},
      {1, Kind::suspend},
      {4, Kind::resume},
      {2, Kind::evict},
      {2, Kind::reload},
      {3, Kind::resize},
      {1, Kind::drain},
  });
  return rc::gen::build<Command>(
      rc::gen::set(&Command::kind, kind),
      rc::gen::set(&Command::pick, rc::gen::inRange<std::uint32_t>(0, 60)));
}

Scope drawn_scope() {
  const auto below = [](std::uint32_t end) { return *rc::gen::inRange<std::uint32_t>(0, end); };
  Scope s;
  EngineConfig& c = s.config = plain_config();
  c.max = 1 + below(4);
  c.min = below(c.max + 1);
  c.max_connecting = 1 + below(3);
  c.max_waiting = 1 + below(5);
  c.create_timeout = below(2) == 0 ? 1s : 2s;
  c.create_retry_interval = c.create_retry_max = 500ms;
  c.propagate_create_error = static_cast<PropagateCreateError>(below(3));
  c.has_init = below(3) == 0;
  c.quarantine_max = below(3);
  c.fairness = below(2) == 0 ? Fairness::strict : Fairness::bounded;
  c.fair_after = 1s;
  s.other_max = 1 + below(4);
  s.other_min = below(s.other_max + 1);
  return s;
}

std::string text_of(const Scope& s) {
  const EngineConfig& c = s.config;
  return "min " + std::to_string(c.min) + " max " + std::to_string(c.max) + " max_connecting " +
         std::to_string(c.max_connecting) + " max_waiting " + std::to_string(c.max_waiting) +
         " create_timeout " + std::to_string(c.create_timeout / 1s) + "s propagate " +
         std::to_string(static_cast<int>(c.propagate_create_error)) + " init " +
         std::to_string(c.has_init) + " quarantine " + std::to_string(c.quarantine_max) +
         (c.fairness == Fairness::strict ? " strict" : " bounded") + ", other size: min " +
         std::to_string(s.other_min) + " max " + std::to_string(s.other_max) + '\n';
}

// Nothing if no such input is possible. Every other operation goes well: else there would hardly be
// a lease.
std::optional<Input> drawn_input(const SmallPool& pool, const Command& command) {
  if (command.kind == Kind::drain && command.pick % 8 != 0) return std::nullopt;
  const bool goes_well = command.pick % 2 == 0;
  std::vector<Input> possible = pool.inputs();
  std::erase_if(possible, [&](const Input& input) {
    return input.kind != command.kind || (goes_well && input.result != OpResult::ok);
  });
  if (possible.empty()) return std::nullopt;
  return possible[command.pick / 2 % possible.size()];
}

void run_program(const Scope& scope, const std::vector<Command>& program) {
  current_case = text_of(scope);
  SmallPool pool(scope);
  Model model(scope);
  try {
    for (const Command& command : program) {
      const std::optional<Input> drawn = drawn_input(pool, command);
      if (!drawn) continue;
      const Input input = *drawn;
      current_case += "  " + text_of(input) + '\n';
      pool.apply(input);
      model.follow(input, pool);
      ++given()[input.kind];
      for (const Resolved& resolved : pool.effects().resolved) ++outcomes()[resolved.outcome];
    }
  } catch (const Violation& violation) {
    RC_LOG() << current_case;
    RC_FAIL(violation.what());
  }
}

TEST(Lockstep, TheEngineDoesWhatTheModelSays) {
  EXPECT_TRUE(rc::check("the engine does what the model says", [] {
    const Scope scope = drawn_scope();
    run_program(scope, *rc::gen::container<std::vector<Command>>(commands()));
  }));
}

TEST(Lockstep, NothingWasLeftOut) {
  for (std::size_t i = 0; i < input_kinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    if (kind == Kind::acquire_nested) continue;  // enumerate.cpp
    std::cout << text_of(Input{kind, no_slot}) << ": " << given()[kind] << '\n';
    EXPECT_GT(given()[kind], 0U) << text_of(Input{kind, no_slot});
  }
  for (const Outcome outcome :
       {Outcome::lent, Outcome::timeout, Outcome::none_idle, Outcome::rejected, Outcome::closed,
        Outcome::cancelled, Outcome::create_failed, Outcome::suspended}) {
    EXPECT_GT(outcomes()[outcome], 0U) << static_cast<int>(outcome);
  }
}

}  // namespace
}  // namespace weir::engine::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const char* scale = std::getenv("WEIR_TEST_SCALE");
  const bool full = scale != nullptr && std::string(scale) == "full";
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  const char* const many = "20000";
#else
  const char* const many = "200000";
#endif
  const std::string params =
      std::string("seed=20260101 max_size=200 max_success=") + (full ? many : "10000");
  setenv("RC_PARAMS", params.c_str(), 0);  // a given one stays
  std::signal(SIGABRT, weir::engine::test::tell_case);
  return RUN_ALL_TESTS();
}
