// SPDX-License-Identifier: MIT
//
// Goal: the adapter for opentelemetry-cpp says of a call what the conventions ask, ends each span
// once, and compiles against the API's names (a stand-in for them).
#include <weir/adapters/opentelemetry.hpp>

#include <gtest/gtest.h>

namespace weir {
namespace {

using opentelemetry::trace::SpanKind;

struct OpenTelemetry : testing::Test {
  std::shared_ptr<opentelemetry::trace::Tracer> tracer =
      std::make_shared<opentelemetry::trace::Tracer>();
  OpenTelemetryTracer adapter{tracer};
  const opentelemetry::trace::Span& first() { return *tracer->spans.at(0); }
};

TEST_F(OpenTelemetry, a_span_has_the_names_of_the_conventions) {
  auto span = adapter.start_span({.name = "SELECT users",
                                  .system = "postgresql",
                                  .operation = "SELECT",
                                  .summary = "SELECT users",
                                  .sql = "select 1 from users",
                                  .pool = "main",
                                  .site = {"shop.cpp", 7}});
  EXPECT_EQ(span->traceparent(),
            "00-" + std::string(32, 'a') + "-" + std::string(16, 'b') + "-" + "11");
  span->end({.rows = 3});
  span.reset();
  EXPECT_EQ(first().name, "SELECT users");
  EXPECT_EQ(first().kind, SpanKind::kClient);
  EXPECT_EQ(first().ends, 1);
  EXPECT_FALSE(first().failed);
  const std::map<std::string, std::string> expected{{"db.system.name", "postgresql"},
                                                    {"db.operation.name", "SELECT"},
                                                    {"db.query.summary", "SELECT users"},
                                                    {"db.query.text", "select 1 from users"},
                                                    {"db.client.connection.pool.name", "main"},
                                                    {"code.file.path", "shop.cpp"},
                                                    {"code.line.number", "7"},
                                                    {"db.response.returned_rows", "3"}};
  EXPECT_EQ(first().attributes, expected);
}

TEST_F(OpenTelemetry, a_batch_has_its_size) {
  auto span = adapter.start_span({.name = "BATCH UPDATE users", .operation = "BATCH UPDATE"});
  span->end({.batch_size = 42});
  EXPECT_EQ(first().attributes.at("db.operation.name"), "BATCH UPDATE");
  EXPECT_EQ(first().attributes.at("db.operation.batch.size"), "42");
}

TEST_F(OpenTelemetry, a_failure_is_its_status) {
  auto span = adapter.start_span({.name = "BEGIN", .system = "sqlite", .operation = "BEGIN"});
  const Error error(Code::constraint, "twice");
  span->end({.error = &error, .status_code = "19", .error_type = "19"});
  EXPECT_EQ(first().kind, SpanKind::kInternal);
  EXPECT_TRUE(first().failed);
  EXPECT_EQ(first().why, "twice");
  EXPECT_EQ(first().attributes.at("error.type"), "19");
  EXPECT_EQ(first().attributes.at("db.response.status_code"), "19");
}

TEST_F(OpenTelemetry, a_span_that_is_dropped_ends_and_one_that_is_not_recorded_has_no_parent) {
  auto span = adapter.start_span({.name = "x"});
  tracer->spans[0]->valid = false;
  EXPECT_EQ(span->traceparent(), "");
  span.reset();
  EXPECT_EQ(first().ends, 1);
}

}  // namespace
}  // namespace weir
