// SPDX-License-Identifier: MIT
//
// main.cpp: SQLite is configured before anything else may use it.
#include "tests/sim/sqlite/support.hpp"

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  ::setenv("TZ", "WEST-9", 1);  // a machine that is not in UTC
  const std::string why =
      weir::sim::configure_sqlite([]() noexcept { return weir::test::running_thread; });
  if (!why.empty()) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
