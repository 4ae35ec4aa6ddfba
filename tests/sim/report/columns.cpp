// SPDX-License-Identifier: MIT
// Goal:   the end of a failing run can be read as a story: who did what, and why who went on.
// Method: golden texts of traces made by hand.
#include "sim/report/columns.hpp"

#include "tests/sim/report/cases.hpp"

#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>

namespace weir::sim::test {
namespace {

TEST(ReportColumns, EachSwitchHasItsReason) {
  const BrokenCase broken;
  EXPECT_EQ(to_columns(broken.report, {.rows_max = 60, .width = 90}),
            R"(time         main                     client 1.0               client 1.1
0.000000000  spawn
             join client 1.0
             -- main waits for the end of client 1.0: client 1.1 goes on
                                                               start
                                                               lock 7
                                                               load 9
             >> client 1.1 is preempted here [3.2p2]: client 1.0 goes on
                                      load 9
                                      lock 7
             -- client 1.0 blocks in lock of object 7, held by client 1.1: client 1.1 goes
                on
                                                               unlock 7
                                      woken by client 1.1
                                                               sleep
             -- client 1.1 sleeps: client 1.0 goes on
                                      load 9
                                      store 9
0.005000000  >> clock steps: +5.00ms, although somebody could run
                                                               its time has come
                                      unlock 7

S13 broken at 5.00ms: session 3: role "admin" & <b> is left behind
)");
}

TEST(ReportColumns, NoLineIsWiderThanAsked) {
  BrokenCase broken;
  for (std::string& name : broken.report.thread_names) name += " with a long name";
  for (const std::size_t width : {40U, 60U, 100U}) {
    std::istringstream lines(to_columns(broken.report, {.rows_max = 60, .width = width}));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), width) << line;
  }
}

TEST(ReportColumns, ThreadsWithoutAColumnShareTheLastOne) {
  const BrokenCase broken;
  const std::string text = to_columns(broken.report, {.rows_max = 60, .width = 50});
  EXPECT_NE(text.find("others"), std::string::npos);
  EXPECT_NE(text.find("client 1.1: start"), std::string::npos);
}

TEST(ReportColumns, OnlyTheEndIsShownAndOnlyWhoTookPart) {
  const BrokenCase broken;
  const Columns columns = columns_of(broken.report, 4);
  EXPECT_EQ(columns.rows.size(), 5U);  // and the failure
  EXPECT_EQ(columns.threads, (std::vector<ThreadId>{2, 3}));
  EXPECT_EQ(columns.left_out, 11U);
  EXPECT_EQ(to_columns(broken.report, {.rows_max = 4, .width = 80}).substr(0, 41),
            "(11 steps before this are not shown)\ntime");
}

TEST(ReportColumns, RepeatsAreFolded) {
  BrokenCase broken;
  broken.report.deviations.clear();
  broken.report.trace.clear();
  for (std::uint32_t i = 0; i < 300; i += 3) {
    broken.report.trace.push_back({2, i + 1, Op::lock, 7, 0, at(1ms)});
    broken.report.trace.push_back({2, i + 2, Op::load, 9, 0, at(1ms)});
    broken.report.trace.push_back({2, i + 3, Op::unlock, 7, 0, at(1ms)});
  }
  broken.report.trace.push_back({2, 301, Op::end, 0, 0, at(1ms)});
  EXPECT_EQ(to_columns(broken.report, {.rows_max = 60, .width = 80}),
            R"(time         client 1.0
0.001000000  lock 7
             load 9
             unlock 7
                : the 3 lines above, 99 times more
             end

S13 broken at 5.00ms: session 3: role "admin" & <b> is left behind
)");
}

TEST(ReportColumns, ALongTraceCostsOnlyItsEnd) {
  BrokenCase broken;
  broken.report.trace.clear();
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    broken.report.trace.push_back({2, i, Op::note, 0, i * 7919 % 1'000'003, at(1ms)});
  }
  const Columns columns = columns_of(broken.report, 60);
  EXPECT_EQ(columns.rows.size(), 61U);
  EXPECT_EQ(columns.left_out, 200'000U - 60U);
}

TEST(ReportColumns, AWaitGivesTheMutexBackAndTakesItAgain) {
  BrokenCase broken;
  broken.report.deviations = {{3, 2, Question::spurious, 1}};
  broken.report.trace = {
      {2, 1, Op::lock, 7, 0, at(0s)},   {2, 2, Op::wait, 8, 0, at(0s)},
      {3, 1, Op::lock, 7, 0, at(0s)},   {3, 2, Op::exchange, 9, 0, at(0s)},
      {3, 3, Op::notify, 8, 0, at(0s)}, {2, 2, Op::wake, 8, 3, at(0s)},
      {3, 4, Op::unlock, 7, 0, at(0s)}, {3, 5, Op::end, 0, 0, at(0s)},
      {2, 3, Op::load, 9, 0, at(0s)},   {1, 1, Op::lock, 7, 0, at(0s)},
      {2, 4, Op::unlock, 7, 0, at(0s)},
  };
  const std::string text = to_columns(broken.report);
  EXPECT_NE(text.find("client 1.0 waits for object 8: client 1.1 goes on"), std::string::npos);
  EXPECT_NE(text.find("! exchange 9 fails spuriously"), std::string::npos);
  EXPECT_NE(text.find("client 1.1 has ended: client 1.0 goes on"), std::string::npos);
  EXPECT_NE(text.find("main blocks in lock of object 7, held by client 1.0"), std::string::npos);
}

TEST(ReportColumns, NothingKeptIsNothingShown) {
  BrokenCase broken;
  broken.report.trace.clear();
  EXPECT_EQ(to_columns(broken.report), "");
}

}  // namespace
}  // namespace weir::sim::test
