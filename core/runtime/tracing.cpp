// SPDX-License-Identifier: MIT
#include "core/base/text.hpp"

#include <weir/tracing.hpp>

#include <algorithm>
#include <vector>

namespace weir {
namespace {

std::string_view system_of(std::string_view driver) noexcept {
  if (driver == "postgres") return "postgresql";
  if (driver == "mysql" || driver == "sqlite") return driver;
  return "other_sql";
}

std::string status_of(std::string_view driver, const Error& error) {
  const DatabaseError* database = error.database();
  if (database == nullptr) return {};
  // The convention wants the number where the database has one of its own.
  if (driver == "postgres" && !database->sqlstate.empty()) return database->sqlstate;
  return database->native_code == 0 ? std::string() : std::to_string(database->native_code);
}

// As the conventions have it of one statement for many sets of parameters.
std::string batched(const Call& call, std::string what) {
  if (call.kind() != CallKind::execute_many) return what;
  return what.empty() ? "BATCH" : "BATCH " + what;
}

SpanEnd end_of(const Call& call, const Result<CallDone>& done) {
  if (done) {
    SpanEnd end{.rows = done->rows};
    if (done->runs != 1) end.batch_size = done->runs;  // of one it is no batch to them
    return end;
  }
  SpanEnd end{.error = &done.error(), .status_code = status_of(call.driver(), done.error())};
  end.error_type = end.status_code.empty() ? std::string(done.error().name()) : end.status_code;
  return end;
}

// Where a comment of its own would make another statement of it each time, there is none.
bool takes_comment(const Call& call) noexcept {
  return call.kind() == CallKind::query || call.kind() == CallKind::execute ||
         call.kind() == CallKind::stream;
}

std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_digit(c) || is_lower(c) || is_upper(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += '%';
      encoded += digits[byte >> 4U];
      encoded += digits[byte & 15U];
    }
  }
  return encoded;
}

}  // namespace

Middleware trace(std::shared_ptr<Tracer> tracer, TraceOptions options) {
  return [tracer = std::move(tracer), options](Call& call, Next& next) -> Result<CallDone> {
    const std::string operation = batched(call, call.operation());
    const std::string summary = batched(call, call.summary());
    const std::string_view system = system_of(call.driver());
    const std::unique_ptr<Span> span =
        tracer->start_span({.name = summary.empty() ? system : std::string_view(summary),
                            .system = system,
                            .operation = operation,
                            .summary = summary,
                            .sql = options.sql ? call.sql() : std::string_view(),
                            .pool = call.pool(),
                            .site = call.site()});
    if (!span) return next();
    if (options.comment && takes_comment(call)) {
      // Ignored: a statement that was prepared before keeps its text.
      static_cast<void>(
          call.set_sql(with_comment(call.sql(), {{"traceparent", span->traceparent()}})));
    }
    auto done = next();
    span->end(end_of(call, done));
    return done;
  };
}

std::string with_comment(
    std::string_view sql,
    std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  constexpr auto npos = std::string_view::npos;
  std::string whole(sql);
  if (sql.find("/*") != npos || sql.find("--") != npos) return whole;
  std::vector<std::string> parts;
  for (const auto& [key, value] : pairs) {
    if (!value.empty()) parts.push_back(percent_encoded(key) + "='" + percent_encoded(value) + "'");
  }
  if (parts.empty()) return whole;
  std::sort(parts.begin(), parts.end());
  std::string comment = " /*";
  for (const std::string& part : parts) comment += (&part == parts.data() ? "" : ",") + part;
  comment += "*/";
  std::size_t end = whole.find_last_not_of(" \t\r\n;");
  return whole.insert(end == npos ? 0 : end + 1, comment);
}

}  // namespace weir
