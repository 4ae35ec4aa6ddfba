// SPDX-License-Identifier: MIT
//
// Scenarios of the studies' tests, from their files' text.
#pragma once

#include "sim/explore/scenario_file.hpp"

#include <string>

#include <gtest/gtest.h>

namespace weir::sim::test {

inline Scenario read(const std::string& text, std::span<const Setting> settings = {}) {
  auto scenario = scenario_from_string(text, "<test>", ".", settings);
  EXPECT_TRUE(scenario) << (scenario ? "" : scenario.error().what());
  return scenario ? *std::move(scenario) : Scenario{};
}

// 400 per second, 10 ms each: four connections' work. Twenty seconds are what it takes to meet a
// formula; what is larger than chance by far shows in a few.
inline std::string mmc(int max, const std::string& more = {}, const char* duration = "20s") {
  return std::string("format = 1\nduration = \"") + duration +
         "\"\n[pool]\nfairness = \"strict\"\nmax = " + std::to_string(max) +
         "\n[[client]]\ncount = 100\nloop = \"open\"\nevery = \"exp(2500us)\"\n"
         "hold = \"exp(10ms)\"\n" +
         more;
}

}  // namespace weir::sim::test
