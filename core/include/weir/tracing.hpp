// SPDX-License-Identifier: MIT
//
// Tracing: a span around each call, through an interface that takes any tracer; the one for
// opentelemetry-cpp is in weir/adapters/opentelemetry.hpp.
//
//   db.use(weir::trace(std::make_shared<weir::OpenTelemetryTracer>(provider->GetTracer("shop"))));
//
// Names and values are those of OpenTelemetry's semantic conventions for databases. To them a batch
// is one statement for many sets of parameters, an execute_many; insert_many is one operation.
// Whether there is more than one set is known at the end only, so that the name says BATCH always.
//
// Threads: a Tracer is called by any thread, several at once; a Span by that of its call.
#pragma once

#include <weir/middleware.hpp>

#include <initializer_list>
#include <memory>
#include <utility>

namespace weir {

struct SpanStart {
  std::string_view name = {};       // the summary, or the system if there is none
  std::string_view system = {};     // db.system.name
  std::string_view operation = {};  // db.operation.name: "SELECT", "BATCH UPDATE"
  std::string_view summary = {};    // db.query.summary: "SELECT users", "BATCH UPDATE users"
  std::string_view sql = {};        // db.query.text; empty unless TraceOptions::sql
  std::string_view pool = {};       // db.client.connection.pool.name
  CallSite site = {};  // code.file.path, code.line.number; no file where it is not known
};

struct SpanEnd {
  std::optional<std::uint64_t> rows = {};  // db.response.returned_rows
  // db.operation.batch.size; of a batch that succeeded, and was not of one.
  std::optional<std::uint64_t> batch_size = {};
  const Error* error = nullptr;  // null if the call succeeded
  std::string status_code = {};  // db.response.status_code: SQLSTATE, or a native number
  std::string error_type = {};   // error.type: the same, or Weir's name of the error
};

class Span {
 public:
  virtual ~Span() = default;
  // Once, after the call; it may be left out if an exception is under way.
  virtual void end(const SpanEnd& end) = 0;
  // The W3C header of this span, "00-<trace>-<span>-<flags>"; empty if it is not recorded.
  [[nodiscard]] virtual std::string traceparent() const { return {}; }
};

class Tracer {
 public:
  virtual ~Tracer() = default;
  // Begins a span, a child of what is current on this thread. Null: not this call.
  [[nodiscard]] virtual std::unique_ptr<Span> start_span(const SpanStart& start) = 0;
};

struct TraceOptions {
  bool sql = false;  // give the tracer the text, in which literals may stand
  // Append the traceparent to the SQL as a comment, so that the server's own logs lead here. Not to
  // prepared statements, each of which would be another one.
  bool comment = false;
};

// Middleware that makes a span of each call.
[[nodiscard]] WEIR_API Middleware trace(std::shared_ptr<Tracer> tracer, TraceOptions options = {});

// `sql` with a comment in the form of sqlcommenter, keys in order, values percent-encoded:
// "select 1 /*route='%2Fcart',traceparent='00-...'*/". Pairs with an empty value are left out.
// Returns: `sql` as it is if nothing is left, or if it may hold a comment already.
[[nodiscard]] WEIR_API std::string with_comment(
    std::string_view sql,
    std::initializer_list<std::pair<std::string_view, std::string_view>> pairs);

}  // namespace weir
