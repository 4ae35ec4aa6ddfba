// SPDX-License-Identifier: MIT
#include "cli/top_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::cli {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

PoolView pool(std::uint64_t leases = 100, std::uint64_t timeouts = 3) {
  PoolView view;
  view.name = "main";
  view.state = "open";
  view.health = "ready";
  view.max = 10;
  view.active = 4;
  view.idle = 2;
  view.leases = leases;
  view.timeouts = timeouts;
  view.wait = {.count = 10, .sum = 10ms, .p50 = 1ms, .p99 = 1ms};
  view.use = {.count = leases, .sum = leases * 2ms, .p50 = 2ms, .p99 = 2ms};
  return view;
}

std::vector<std::string> texts(const std::vector<Line>& lines, std::size_t width = uncut) {
  const Output out(ColorMode::never, true);
  std::vector<std::string> all;
  for (const Line& line : lines) all.push_back(rendered(line, out, width));
  return all;
}

const Heading heading{4711, "/run/weir.sock", 1s, "12:00:01"};

TEST(TopView, RatesAreOfTheIntervalAndNotOfTheWholeLife) {
  const PoolView before = pool(100, 3);
  PoolView now = pool(150, 5);
  now.wait = {.count = 12, .sum = 50ms, .p50 = 1ms, .p99 = 20ms};
  const Rates rates = rates_between(&before, now, 500ms);
  EXPECT_EQ(rates.leases, 50U);
  EXPECT_EQ(rates.leases_per_second, 100.0);
  EXPECT_EQ(rates.timeouts, 2U);
  EXPECT_EQ(rates.wait, Duration(20ms));
  EXPECT_EQ(rates.use, Duration(2ms));
}

TEST(TopView, NothingHappenedIsNoMean) {
  const PoolView same = pool();
  const Rates rates = rates_between(&same, same, 1s);
  EXPECT_EQ(rates.leases_per_second, 0.0);
  EXPECT_FALSE(rates.wait);
  EXPECT_FALSE(rates.use);
}

TEST(TopView, TheFirstLookAndAnotherProgramsCountersHaveNoRates) {
  EXPECT_FALSE(rates_between(nullptr, pool(), 1s).leases_per_second);
  const PoolView before = pool(100, 3);
  for (const PoolView& now : {pool(99, 3), pool(100, 2)}) {
    const Rates rates = rates_between(&before, now, 1s);
    EXPECT_FALSE(rates.leases || rates.timeouts || rates.wait || rates.use);
  }
  const Snapshot one{.pid = 1, .pools = {pool(100, 3)}};
  const Snapshot restarted{.pid = 2, .pools = {pool(200, 3)}};
  EXPECT_FALSE(ticks_between(&one, restarted, 1s)[0].rates.leases);
}

TEST(TopView, PoolsAreComparedByTheirNames) {
  Snapshot before{.pid = 1, .pools = {pool(10), pool(100)}};
  before.pools[0].name = "first";
  const Snapshot now{.pid = 1, .pools = {pool(130)}};
  EXPECT_EQ(ticks_between(&before, now, 1s)[0].rates.leases, 30U);
}

TEST(TopView, ABarIsEmptyForNoneAndFullForAllOnly) {
  PoolView view = pool();
  EXPECT_EQ(bar(view, 10, false), "####==....");
  EXPECT_EQ(bar(view, 10, true), "████▒▒····");
  view.max = 1000;
  view.active = 1;
  view.idle = 0;
  EXPECT_EQ(bar(view, 10, false), "#.........");
  view.active = 999;
  EXPECT_EQ(bar(view, 10, false), "#########.");
  view.active = 1000;
  EXPECT_EQ(bar(view, 10, false), "##########");
  view.active = view.max = 0;
  EXPECT_EQ(bar(view, 10, false), "..........");
  view.idle = 3;  // more than max, after a reload
  EXPECT_EQ(bar(view, 10, false), "==========");
}

TEST(TopView, AFrameHasAHeadingARowForEachPoolAndTheReasons) {
  PoolTick tick{pool(), rates_between(nullptr, pool(), 1s)};
  tick.pool.health = "not_ready";
  tick.pool.reasons = {{"not_ready", "the pool is suspended"}};
  const auto lines = texts(frame(heading, {tick}, false));
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_THAT(lines[0], AllOf(HasSubstr("pid 4711"), HasSubstr("every 1s"), HasSubstr("12:00:01"),
                              HasSubstr("/run/weir.sock")));
  EXPECT_THAT(lines[2], StartsWith("POOL  STATE  HEALTH     CONNECTIONS"));
  EXPECT_THAT(lines[3], AllOf(StartsWith("main  open   not_ready  ####==.... 4+2/10"),
                              EndsWith(" 0       -         -     -    -    - of 3")));
  EXPECT_EQ(lines[5], "main: the pool is suspended");
}

TEST(TopView, LinesAreCutByColumns) {
  const PoolTick tick{pool(), {}};
  for (const std::string& line : texts(frame(heading, {tick}, true), 25)) {
    EXPECT_LE(width_of(line), 25U) << line;
  }
  EXPECT_EQ(cut("äöü", 2), "äö");
  EXPECT_EQ(cut("äöü", 3), "äöü");
  EXPECT_EQ(cut("", 3), "");
  EXPECT_EQ(cut("数据库", 4), "数据");
  EXPECT_EQ(cut("数据库", 5), "数据") << "half of a letter is none";
  EXPECT_EQ(cut("e\u0301te\u0301", 1), "e\u0301") << "an accent stays with its letter";
  EXPECT_EQ(cut("abc", 0), "");
  const Output out(ColorMode::never, true);
  EXPECT_EQ(rendered({{"数据库"}, {"next"}}, out, 5), "数据") << "nothing follows what was cut";
}

TEST(TopView, LettersAreAsWideAsATerminalDrawsThem) {
  EXPECT_EQ(width_of("main"), 4U);
  EXPECT_EQ(width_of("äö·█✓"), 5U);
  EXPECT_EQ(width_of("数据库"), 6U);
  EXPECT_EQ(width_of("가"), 2U);
  EXPECT_EQ(width_of("e\u0301"), 1U) << "a letter and its accent";
  EXPECT_EQ(width_of("\u200b"), 0U) << "a space of no width";
  EXPECT_EQ(width_of("\U0001f600"), 2U);
  EXPECT_EQ(width_of("\u0378"), 1U) << "no letter yet";
  EXPECT_EQ(padded("数据", 6, false), "数据  ");
  EXPECT_EQ(padded("数据", 6, true), "  数据");
}

TEST(TopView, WhatAProgramSaysCannotDraw) {
  PoolTick tick{pool(), {}};
  tick.pool.name = "a\x1b[2Jb\nc";
  for (const std::string& line : texts(frame(heading, {tick}, false))) {
    EXPECT_THAT(line, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\n"))));
  }
}

TEST(TopView, WithoutAnAnswerAFrameSaysWhy) {
  const auto lines = texts(frame_without_answer(heading, {Code::connect_failed, "gone:\nwhy"}));
  EXPECT_THAT(lines,
              ElementsAre(HasSubstr("weir top"), "", "gone:", "why", "Trying again every 1s."));
}

TEST(TopView, ALineHasKeysAndValuesAndNoSpacesInThem) {
  const PoolView before = pool(50, 3);
  const PoolView now = pool(100, 4);
  EXPECT_EQ(tick_text("12:00:01", {now, rates_between(&before, now, 1s)}),
            "12:00:01 pool=main state=open health=ready active=4 idle=2 opening=0 max=10 waiting=0 "
            "oldest_wait_ms=0.000 leases_per_s=50.0 wait_ms=- use_ms=2.000 timeouts=1 "
            "timeouts_total=4");
  EXPECT_THAT(tick_text("12:00:01", {now, {}}), HasSubstr("leases_per_s=- wait_ms=- use_ms=- "
                                                          "timeouts=- timeouts_total=4"));
}

TEST(TopView, AnObjectHasNullForWhatIsNotKnown) {
  const Json json = tick_json("12:00:01", {pool(), {}});
  EXPECT_TRUE(json.at("leases_per_second").is_null());
  EXPECT_TRUE(json.at("wait").is_null());
  EXPECT_EQ(json.at("timeouts_total"), 3);
}

Json stats_of(std::string_view name) {
  const Json times{{"count", 2}, {"sum", 0.5}, {"p50", 0.1}, {"p99", 1e300}};
  return {{"pool", name},    {"state", "open"}, {"max", 10},    {"active", 4},      {"idle", 2},
          {"connecting", 1}, {"other", 0},      {"waiting", 0}, {"oldest_wait", 0}, {"leases", 7},
          {"timeouts", 1},   {"wait", times},   {"use", times}};
}

TEST(Snapshot, PutsStatsAndHealthTogether) {
  const Json stats{{"pools", Json::array({stats_of("a"), stats_of("b")})}};
  const Json health = Json::parse(R"({"pools":[{"pool":"b","status":"not_ready","reasons":[
      {"cause":"suspended","status":"not_ready","text":"the pool\nis suspended","age":1}]}]})");
  const auto pools = read_pools(stats, health);
  ASSERT_TRUE(pools);
  EXPECT_EQ((*pools)[0].health, "");
  EXPECT_EQ((*pools)[1].health, "not_ready");
  EXPECT_EQ((*pools)[1].reasons[0].text, "the pool is suspended");
  EXPECT_EQ((*pools)[1].wait.sum, Duration(500ms));
  EXPECT_GT((*pools)[1].wait.p99, Duration(1h)) << "beyond what fits, not below zero";
}

TEST(Snapshot, SaysWhatAnAnswerOfAnotherVersionLacks) {
  Json one = stats_of("a");
  one["wait"].erase("sum");
  const Json none{{"pools", Json::array()}};
  for (const Json& stats : {Json{{"pools", Json::array({one})}}, Json{{"pool", 1}},
                            Json{{"pools", Json::array({1})}}}) {
    const auto pools = read_pools(stats, none);
    ASSERT_FALSE(pools) << stats;
    EXPECT_EQ(pools.error().code(), Code::unsupported);
    EXPECT_THAT(pools.error().message(), HasSubstr("version"));
  }
}

TEST(Snapshot, AnUnknownPoolIsToldTheNearestOne) {
  Snapshot snapshot{.pid = 1, .pools = {pool()}};
  const auto missed = keep_pool(snapshot, "mian");
  ASSERT_FALSE(missed);
  EXPECT_THAT(missed.error().message(), HasSubstr("did you mean 'main'?"));
  EXPECT_TRUE(keep_pool(snapshot, ""));
  EXPECT_TRUE(keep_pool(snapshot, "main"));
  EXPECT_EQ(snapshot.pools.size(), 1U);
}

}  // namespace
}  // namespace weir::cli
