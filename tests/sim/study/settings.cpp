// SPDX-License-Identifier: MIT
// Goal:   a key of a scenario gets another value as if the file said so, and what is wrong is said
//         with what would be right.
// Method: texts, good and bad.
#include "sim/explore/scenario_set.hpp"
#include "tests/sim/study/scenarios.hpp"

#include <gmock/gmock.h>

namespace weir::sim::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* file = "format = 1\n[pool]\nmax = 4\n[[client]]\n[[client]]\nnumber = 7\n";

std::string error_of(const Setting& setting) {
  const auto scenario = scenario_from_string(file, "a.toml", ".", {&setting, 1});
  return scenario ? "" : scenario.error().message();
}
std::vector<std::string> values_of(std::string_view text) {
  const auto range = parse_range(text);
  return range ? range->values : std::vector<std::string>{range.error().message()};
}

TEST(Settings, AreReadAsIfTheyStoodInTheFile) {
  const std::vector<Setting> settings{{"pool.max", "9"},
                                      {"server.cores", "2"},
                                      {"server.statement", "exp(5ms)"},
                                      {"client.1.count", "3"},
                                      {"client.7.every", "\"1ms\""},
                                      {"client.7.sql", "[\"SELECT 1\"]"},
                                      {"pool.retry.attempts", "3"},
                                      {"duration", "3s"}};
  const Scenario s = read(file, settings);
  EXPECT_EQ(s.pool.max, 9U);
  EXPECT_EQ(s.server.capacity.cores, 2U);
  EXPECT_EQ(s.server.statement.text(), "exp(5ms)");
  EXPECT_EQ(s.clients.at(0).count, 3U);
  EXPECT_EQ(s.clients.at(1).every.text(), "1ms");
  EXPECT_EQ(s.clients.at(1).sql.size(), 1U);
  EXPECT_EQ(s.pool.retry.attempts, 3U);
  EXPECT_EQ(s.duration, std::chrono::seconds(3));
}

TEST(Settings, ThatAreWrongAreRefusedWithWhatWouldBeRight) {
  EXPECT_THAT(error_of({"pool.mx", "9"}), testing::AllOf(HasSubstr("pool.mx=9"), HasSubstr("max")));
  EXPECT_THAT(error_of({"pool.max", "0"}), HasSubstr("max"));
  EXPECT_THAT(error_of({"pool.max", "many"}), HasSubstr("max"));
  EXPECT_THAT(error_of({"client.2.count", "1"}), HasSubstr("write client.1.KEY"));
  EXPECT_THAT(error_of({"client.count", "1"}), HasSubstr("write client.1.KEY"));
  EXPECT_THAT(error_of({"fault.1.at", "1s"}), HasSubstr("fault"));
  EXPECT_THAT(error_of({"pool.max.x", "1"}), HasSubstr("write one like"));
  EXPECT_THAT(error_of({"pool.", "1"}), HasSubstr("write one like"));
}

TEST(Settings, RangesHaveAllTheirValues) {
  EXPECT_THAT(values_of("pool.max=2..5"), ElementsAre("2", "3", "4", "5"));
  EXPECT_THAT(values_of("pool.max=1,2,4..6"), ElementsAre("1", "2", "4", "5", "6"));
  EXPECT_THAT(values_of("client.1.every=uniform(1ms,2ms),5ms"),
              ElementsAre("uniform(1ms,2ms)", "5ms"));
  EXPECT_THAT(values_of("pool.max=9..2"), ElementsAre(HasSubstr("write 2..9")));
  EXPECT_THAT(values_of("pool.max=1..100000"), ElementsAre(HasSubstr("more than 1000")));
  EXPECT_THAT(values_of("seed=9223372036854775806..9223372036854775807"),
              ElementsAre("9223372036854775806", "9223372036854775807"));
  EXPECT_THAT(values_of("seed=-9223372036854775808..9223372036854775807"),
              ElementsAre(HasSubstr("more than 1000")));
  for (const char* wrong : {"pool.max", "=3", "pool.max=", "pool.max=1,,2", ""}) {
    EXPECT_THAT(values_of(wrong), ElementsAre(HasSubstr("write it like pool.max=2..20"))) << wrong;
  }
}

}  // namespace
}  // namespace weir::sim::test
