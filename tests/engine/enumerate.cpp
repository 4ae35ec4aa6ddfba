// SPDX-License-Identifier: MIT
//
// Goal:   the properties of pools.md, section 5, hold in every state that a small pool can reach,
//         not only in those that a random program happens to visit (S1, S2, S4, S6 to S8, S10, S11,
//         S13, S18, S19, F1, F2, L2, L3, L5, L7, L8, T1, T2, T7, T9, T11).
// Method: breadth first, with every input in every state, until there is no new state. Each state
//         is judged by SmallPool's own books and by Engine::check(), and has to recover once
//         nothing fails any more. What is the same state: SmallPool::key().
// Scale:  one or two connections, up to two callers in the queue; with WEIR_TEST_SCALE=full up to
//         three, and more mixtures, but not under a sanitizer. Nothing is cut short: each search
//         ends where there is nothing new. docs/pool-states.md is made from the searches that both
//         scales have in common.
#include "tests/engine/pool_states.hpp"
#include "tests/engine/search.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include <gtest/gtest.h>

namespace weir::engine::test {
namespace {

// What runs now, for the case that the engine stops the process by an assertion.
const Search* current = nullptr;

extern "C" void tell_path(int) {
  if (current != nullptr) std::fputs(current->path().c_str(), stderr);
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

// So many connections and waiters, with times that are whole seconds.
Scope scope(std::uint32_t min, std::uint32_t max, std::uint32_t waiting, Fairness fairness) {
  Scope s;
  EngineConfig& c = s.config = plain_config();
  c.min = min;
  c.max = c.max_connecting = max;
  c.max_waiting = waiting;
  c.create_timeout = 1s;
  c.create_retry_interval = c.create_retry_max = 500ms;
  c.fairness = fairness;
  c.fair_after = 1s;
  return s;
}

Scope with_init(Scope s) {
  s.config.has_init = true;
  return s;
}

Scope one_connect_at_a_time(Scope s) {
  s.config.max_connecting = 1;
  return s;
}

// A hung connection may have a replacement.
Scope with_quarantine(Scope s) {
  s.config.quarantine_max = 1;
  return s;
}

Scope with_nesting(Scope s) {
  s.nesting = true;
  return s;
}

Scope with_resize(Scope s, std::uint32_t min, std::uint32_t max) {
  s.other_min = min;
  s.other_max = max;
  return s;
}

// What time does to connections on the rack.
Scope with_timers(Scope s) {
  s.config.validate_after = 1s;
  s.config.keepalive = 2s;
  s.config.hold_warn = 1s;
  s.config.idle_timeout = 3s;
  s.config.max_lifetime = 4s;
  return s;
}

constexpr Fairness strict = Fairness::strict;
constexpr Fairness bounded = Fairness::bounded;

std::vector<Scope> scopes() {
  return {
      with_nesting(with_init(scope(0, 1, 2, strict))),
      with_nesting(with_init(scope(1, 1, 2, bounded))),
      with_quarantine(with_init(scope(0, 1, 1, strict))),
      with_timers(scope(0, 1, 1, strict)),
      with_timers(scope(1, 1, 1, bounded)),
      one_connect_at_a_time(with_resize(scope(1, 2, 0, strict), 0, 1)),
  };
}

std::vector<Scope> more_scopes() {
  return {
      with_nesting(with_init(scope(0, 1, 3, strict))),
      with_nesting(with_init(scope(1, 1, 3, bounded))),
      with_nesting(with_quarantine(scope(0, 1, 2, bounded))),
      with_nesting(scope(0, 2, 2, bounded)),
      with_resize(scope(2, 2, 1, bounded), 0, 1),
      with_timers(with_init(with_quarantine(scope(0, 1, 1, bounded)))),
  };
}

std::string text_of(const Scope& s) {
  const EngineConfig& c = s.config;
  std::string text = "min " + std::to_string(c.min) + ", max " + std::to_string(c.max) + ", " +
                     std::to_string(c.max_waiting) + " waiting, " +
                     (c.fairness == strict ? "strict" : "bounded");
  if (c.has_init) text += ", init";
  if (c.quarantine_max > 0) text += ", quarantine";
  if (s.nesting) text += ", nesting";
  if (s.rack_timers()) text += ", timers";
  if (s.other_max > 0) text += ", resize";
  return text;
}

void explore(const Scope& s, PoolStates* page) {
  const auto began = std::chrono::steady_clock::now();
  Search search(s);
  current = &search;
  try {
    search.run([page](const SmallPool& before, const Input& input, const SmallPool& after) {
      if (page != nullptr) page->record(before, input, after);
    });
    const std::size_t heals = search.heals();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::cout << text_of(s) << ": " << search.states() << " states, " << search.steps()
              << " steps, the farthest after " << search.depth() << ", all recover within " << heals
              << ", " << took.count() << " s" << std::endl;
  } catch (const Violation& violation) {
    ADD_FAILURE() << text_of(s) << '\n' << violation.what();
  }
  current = nullptr;
}

void expect_page(const std::string& expected) {
  const char* root = std::getenv("WEIR_TEST_SOURCE_ROOT");
  const std::string path = std::string(root != nullptr ? root : ".") + "/docs/pool-states.md";
  if (std::getenv("WEIR_UPDATE_DOCS") != nullptr) std::ofstream(path, std::ios::binary) << expected;
  std::ifstream file(path, std::ios::binary);
  const std::string actual((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
  EXPECT_TRUE(actual == expected) << "docs/pool-states.md is not what the engine does; write it "
                                  << "anew: WEIR_UPDATE_DOCS=1 ./dev test -- engine_enumerate";
}

// Larger pools, where a step costs what it costs and no sanitizer ten times that.
bool more_is_wanted() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#else
  const char* scale = std::getenv("WEIR_TEST_SCALE");
  return scale != nullptr && std::string(scale) == "full";
#endif
}

TEST(EveryState, KeepsThePropertiesAndIsWhatThePageSays) {
  PoolStates page;
  for (const Scope& s : scopes()) explore(s, &page);
  expect_page(page.markdown());
  if (!more_is_wanted()) return;
  for (const Scope& s : more_scopes()) explore(s, nullptr);
}

}  // namespace
}  // namespace weir::engine::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::signal(SIGABRT, weir::engine::test::tell_path);
  return RUN_ALL_TESTS();
}
