// SPDX-License-Identifier: MIT
//
// Durations as text: what is read, what is refused and answered with what, and the round trip.
#include "core/base/duration_text.hpp"

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace weir {
namespace {

TEST(DurationText, reads_what_people_write) {
  struct Case {
    const char* text;
    std::int64_t nanoseconds;
  };
  constexpr Case cases[] = {{"0s", 0},
                            {"250ms", 250'000'000},
                            {"10s", 10'000'000'000},
                            {"5m", 300'000'000'000},
                            {"1h", 3'600'000'000'000},
                            {"1m30s", 90'000'000'000},
                            {"1h0m1s", 3'601'000'000'000},
                            {"7us", 7'000},
                            {"1ns", 1},
                            {"007s", 7'000'000'000}};
  for (const Case& c : cases) {
    const auto parsed = parse_duration(c.text);
    ASSERT_TRUE(parsed) << c.text;
    EXPECT_EQ(parsed->count(), c.nanoseconds) << c.text;
  }
}

TEST(DurationText, refuses_and_suggests) {
  struct Case {
    const char* text;
    const char* suggestion;
  };
  constexpr Case cases[] = {
      {"", ""},
      {"30", "30s\" or \"30ms"},
      {"30000", "30000ms\" or \"30000s"},
      {"0", "0s"},
      {"30sec", "30s"},
      {"30 s", "30s"},
      {" 30s", "30s"},
      {"30S", "30s"},
      {"5 minutes", "5m"},
      {"1d", "24h"},
      {"2 weeks", "336h"},
      {"1.5s", "1s500ms"},
      {"0.25h", "15m"},
      {"1.5days", ""},
      {"-5s", ""},
      {"30s1m", ""},
      {"1s1s", ""},
      {"s", ""},
      {"ten seconds", ""},
      {"5\xc2\xb5s", "5us"},
      {"99999999999999999999s", ""},
      {"10000000h", ""},
      {"none", ""},
      {"1.s", ""},
      {"1s2", ""},
  };
  for (const Case& c : cases) {
    const auto parsed = parse_duration(c.text);
    ASSERT_FALSE(parsed) << c.text;
    EXPECT_FALSE(parsed.error().reason.empty()) << c.text;
    EXPECT_EQ(parsed.error().suggestion, c.suggestion) << c.text;
  }
}

TEST(DurationText, prints_shortest_and_exact) {
  EXPECT_EQ(duration_text(Duration(0)), "0s");
  EXPECT_EQ(duration_text(no_timeout), "none");
  EXPECT_EQ(duration_text(std::chrono::seconds(90)), "1m30s");
  EXPECT_EQ(duration_text(std::chrono::minutes(30)), "30m");
  EXPECT_EQ(duration_text(Duration(1'000'000'001)), "1s1ns");
}

TEST(DurationText, the_largest_is_not_none) {
  const Duration largest(std::numeric_limits<std::int64_t>::max() - 1);
  EXPECT_EQ(parse_duration(duration_text(largest)).value(), largest);
}

RC_GTEST_PROP(DurationText, reads_back_what_it_prints, ()) {
  const auto count =
      *rc::gen::suchThat(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t n) { return n >= 0; });
  const Duration duration(count == no_timeout.count() ? 0 : count);
  const auto back = parse_duration(duration_text(duration));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == duration);
}

RC_GTEST_PROP(DurationText, a_single_suggestion_is_a_duration, ()) {
  const auto text =
      *rc::gen::container<std::string>(rc::gen::elementOf(std::string("0123456789.smhnud eci-")));
  const auto parsed = parse_duration(text);
  if (parsed) return;
  const std::string& suggestion = parsed.error().suggestion;
  if (suggestion.empty() || suggestion.find('"') != std::string::npos) return;
  RC_ASSERT(parse_duration(suggestion).has_value());
}

}  // namespace
}  // namespace weir
