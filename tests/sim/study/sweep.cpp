// SPDX-License-Identifier: MIT
// Goal:   a sweep runs each combination, has what theory says beside it or says why not, and its
//         page stands alone and is well-formed.
#include "sim/study/sweep.hpp"

#include "tests/sim/study/pages.hpp"
#include "tests/sim/study/scenarios.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace weir::sim::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<Range> ranges(std::initializer_list<const char*> texts) {
  std::vector<Range> all;
  for (const char* text : texts) all.push_back(parse_range(text).value());
  return all;
}

Sweep swept(const std::string& text, const std::vector<Range>& by) {
  const auto settings = combinations(by).value();
  std::vector<Scenario> scenarios;
  for (const auto& point : settings) scenarios.push_back(read(text, point));
  auto sweep_of = sweep(scenarios, settings, by, {.runs = 2, .run = {}, .progress = {}});
  EXPECT_TRUE(sweep_of) << (sweep_of ? "" : sweep_of.error().why);
  return *std::move(sweep_of);
}

TEST(Sweep, HasAllCombinations) {
  const auto all = combinations(ranges({"pool.max=2,3", "server.cores=1,4"})).value();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(to_string(all[1]), "pool.max=2, server.cores=4");
  EXPECT_EQ(to_string(all[2]), "pool.max=3, server.cores=1");
}

TEST(Sweep, RefusesWhatIsTooMuch) {
  EXPECT_THAT(combinations(ranges({"a=1..100", "b=1..100"})).error().message(),
              HasSubstr("more than 1000"));
  EXPECT_THAT(combinations(ranges({"a=1", "a=2"})).error().message(),
              HasSubstr("a is there twice"));
}

TEST(Sweep, HasTheTheoryBesideIt) {
  const Sweep s = swept(mmc(1, "", "4s"), ranges({"pool.max=4..6"}));
  EXPECT_FALSE(theory(sweep_gauges()[0], s.points.at(0)));
  EXPECT_TRUE(theory(sweep_gauges()[0], s.points.at(1)));
  EXPECT_THAT(theory_gaps(s), ElementsAre(HasSubstr("pool.max=4: more comes")));
  EXPECT_THAT(to_text(s), HasSubstr("M/M/c"));
  const auto json = nlohmann::json::parse(to_json(s));
  EXPECT_EQ(json["points"][1]["settings"]["pool.max"], "5");
  EXPECT_TRUE(json["points"][1]["theory"]["p99 wait"].is_number());
  EXPECT_TRUE(json["points"][0]["theory"].empty());
}

TEST(Sweep, OfWhatIsNoQueueSaysWhy) {
  const std::string text =
      "format = 1\nduration = \"1s\"\n[[client]]\ncount = 3\n"
      "every = \"exp(5ms)\"\nhold = \"1ms\"\n";
  const Sweep s = swept(text, ranges({"pool.max=1,2"}));
  EXPECT_THAT(theory_gaps(s), ElementsAre(HasSubstr("closed loop")));
  EXPECT_THAT(to_html(s), HasSubstr("No M/M/c curve"));
  EXPECT_THAT(to_html(s), Not(HasSubstr("class=\"theory\"")));
}

TEST(Sweep, HasAPageThatStandsAlone) {
  Sweep s = swept(mmc(1, "timeout = \"200ms\"", "4s"), ranges({"pool.max=3..6", "seed=1,2"}));
  s.name = "<script>alert(1)</script>";
  const std::string page = to_html(s);
  expect_stands_alone(page);
  EXPECT_EQ(count(page, "<svg "), 6U);  // waits, throughput, timeouts; of two seeds
  EXPECT_EQ(count(page, "<path class=\"theory\""), 4U);
}

TEST(Sweep, OfOneValueIsDrawn) {
  const Sweep s = swept(mmc(1, "", "4s"), ranges({"pool.max=6"}));
  EXPECT_THAT(to_html(s), Not(HasSubstr("nan")));
  EXPECT_THAT(theory_gaps(s), IsEmpty());
}

}  // namespace
}  // namespace weir::sim::test
