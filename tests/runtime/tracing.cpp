// SPDX-License-Identifier: MIT
//
// Goal: a span for each call, with the names of OpenTelemetry, and comments that no server can take
// for SQL.
#include "tests/runtime/world.hpp"

#include <weir/tracing.hpp>

namespace weir::runtime {
namespace {

struct Written final : Span {
  explicit Written(std::vector<std::string>& lines) : lines_(lines) {}
  void end(const SpanEnd& end) override {
    lines_.push_back("end " + (end.rows ? std::to_string(*end.rows) : "") +
                     (end.batch_size ? "of " + std::to_string(*end.batch_size) : "") +
                     (end.error == nullptr ? "" : std::string(end.error->name())) + " " +
                     end.error_type);
  }
  std::string traceparent() const override { return "00-ab-cd-01"; }
  std::vector<std::string>& lines_;
};

struct Writer final : Tracer {
  std::unique_ptr<Span> start_span(const SpanStart& start) override {
    lines.push_back(std::string(start.name) + "|" + std::string(start.system) + "|" +
                    std::string(start.operation) + "|" + std::string(start.sql) + "|" +
                    std::string(start.pool));
    if (start.operation == "INSERT") return nullptr;
    return std::make_unique<Written>(lines);
  }
  std::vector<std::string> lines;
};

using Tracing = PoolTest;

TEST_F(Tracing, each_call_has_its_span) {
  auto pool = open(small(1));
  auto writer = std::make_shared<Writer>();
  pool->use(trace(writer));
  EXPECT_TRUE(pool->transaction([](Connection& c) { return c.query("SELECT 1"); }));
  EXPECT_FALSE(pool->query("FAIL constraint"));
  EXPECT_TRUE(pool->execute("INSERT into t"));
  EXPECT_EQ(writer->lines,
            (std::vector<std::string>{
                "BEGIN|other_sql|BEGIN||main", "end  ", "SELECT|other_sql|SELECT||main", "end 1 ",
                "COMMIT|other_sql|COMMIT||main", "end  ", "FAIL|other_sql|FAIL||main",
                "end constraint 17", "INSERT t|other_sql|INSERT||main"}));
}

TEST_F(Tracing, a_statement_for_many_rows_is_a_batch) {
  auto pool = open(small(1));
  auto writer = std::make_shared<Writer>();
  pool->use(trace(writer));
  std::vector<std::tuple<int>> rows(3);
  EXPECT_TRUE(pool->execute_many("SELECT ?", rows));
  rows.resize(1);
  EXPECT_TRUE(pool->execute_many("SELECT ?", rows));
  rows.clear();
  EXPECT_TRUE(pool->execute_many("SELECT ?", rows));
  EXPECT_FALSE(pool->execute_many("FAIL constraint", std::vector<std::tuple<>>(2)));
  EXPECT_EQ(writer->lines, (std::vector<std::string>{
                               "BATCH SELECT|other_sql|BATCH SELECT||main", "end of 3 ",
                               "BATCH SELECT|other_sql|BATCH SELECT||main", "end  ",
                               "BATCH SELECT|other_sql|BATCH SELECT||main", "end of 0 ",
                               "BATCH FAIL|other_sql|BATCH FAIL||main", "end constraint 17"}));
}

TEST_F(Tracing, the_text_and_a_comment_are_for_those_who_ask) {
  std::string sent;
  hooks.on_query = [&](const QueryEvent& event) { sent = event.sql; };
  auto pool = open(small(1));
  auto writer = std::make_shared<Writer>();
  pool->use(trace(writer, {.sql = true, .comment = true}));
  static_cast<void>(pool->query("SELECT 1"));  // the mock knows no comments
  EXPECT_EQ(writer->lines[0], "SELECT|other_sql|SELECT|SELECT 1|main");
  EXPECT_EQ(sent, "SELECT 1 /*traceparent='00-ab-cd-01'*/");
  ASSERT_TRUE(pool->with([&](Connection& c) { return c.prepare("SELECT 2")->query(); }));
  EXPECT_EQ(sent, "SELECT 2");
}

TEST(Comment, is_in_the_form_of_sqlcommenter) {
  EXPECT_EQ(with_comment("select 1", {{"route", "/cart"}, {"db driver", "it's"}}),
            "select 1 /*db%20driver='it%27s',route='%2Fcart'*/");
  EXPECT_EQ(with_comment("select 1 ; \n", {{"a", "b"}}), "select 1 /*a='b'*/ ; \n");
  EXPECT_EQ(with_comment("", {{"a", "b"}}), " /*a='b'*/");
  EXPECT_EQ(with_comment("select 1", {{"a", ""}}), "select 1");
  EXPECT_EQ(with_comment("select 1", {}), "select 1");
  EXPECT_EQ(with_comment("select 1 -- x", {{"a", "b"}}), "select 1 -- x");
  EXPECT_EQ(with_comment("select /* x */ 1", {{"a", "b"}}), "select /* x */ 1");
}

// Nothing that comes from outside can end the comment.
TEST(Comment, holds_what_is_in_it) {
  EXPECT_EQ(with_comment("select 1", {{"*/", "*/; drop table users; --'"}}),
            "select 1 /*%2A%2F='%2A%2F%3B%20drop%20table%20users%3B%20--%27'*/");
}

}  // namespace
}  // namespace weir::runtime
