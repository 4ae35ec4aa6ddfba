// SPDX-License-Identifier: MIT
//
// Spans through opentelemetry-cpp (its API, 1.0 and later). Only this header knows it, and only a
// host that includes it needs it; it is not part of weir/weir.hpp.
//
//   auto tracer = opentelemetry::trace::Provider::GetTracerProvider()->GetTracer("shop");
//   db.use(weir::trace(std::make_shared<weir::OpenTelemetryTracer>(tracer)));
//
// A span is a child of the span that is active on the calling thread, of kind CLIENT, and INTERNAL
// for SQLite, which is no other process.
//
// Threads: as weir/tracing.hpp says.
#pragma once

#include <weir/tracing.hpp>

#include <opentelemetry/nostd/shared_ptr.h>
#include <opentelemetry/nostd/string_view.h>
#include <opentelemetry/trace/span.h>
#include <opentelemetry/trace/tracer.h>

namespace weir {

class OpenTelemetryTracer final : public Tracer {
 public:
  using Handle = opentelemetry::nostd::shared_ptr<opentelemetry::trace::Tracer>;

  explicit OpenTelemetryTracer(Handle tracer) : tracer_(std::move(tracer)) {}

  [[nodiscard]] std::unique_ptr<weir::Span> start_span(const SpanStart& start) override {
    opentelemetry::trace::StartSpanOptions options;
    options.kind = start.system == "sqlite" ? opentelemetry::trace::SpanKind::kInternal
                                            : opentelemetry::trace::SpanKind::kClient;
    auto span = std::make_unique<Span>(tracer_->StartSpan(view(start.name), options));
    span->set("db.system.name", start.system);
    span->set("db.operation.name", start.operation);
    span->set("db.query.summary", start.summary);
    span->set("db.query.text", start.sql);
    span->set("db.client.connection.pool.name", start.pool);
    if (start.site.line != 0) {
      span->set("code.file.path", start.site.file);
      span->set("code.line.number", start.site.line);
    }
    return span;
  }

 private:
  using Text = opentelemetry::nostd::string_view;

  static Text view(std::string_view text) noexcept { return {text.data(), text.size()}; }

  class Span final : public weir::Span {
   public:
    explicit Span(opentelemetry::nostd::shared_ptr<opentelemetry::trace::Span> span)
        : span_(std::move(span)) {}
    ~Span() override {
      if (!ended_) span_->End();
    }
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;

    void set(const char* key, std::string_view value) {
      if (!value.empty()) span_->SetAttribute(key, view(value));
    }
    void set(const char* key, std::int64_t value) { span_->SetAttribute(key, value); }

    void end(const SpanEnd& end) override {
      if (end.rows) set("db.response.returned_rows", static_cast<std::int64_t>(*end.rows));
      if (end.batch_size) {
        set("db.operation.batch.size", static_cast<std::int64_t>(*end.batch_size));
      }
      set("db.response.status_code", end.status_code);
      set("error.type", end.error_type);
      if (end.error != nullptr) {
        span_->SetStatus(opentelemetry::trace::StatusCode::kError, view(end.error->message()));
      }
      span_->End();
      ended_ = true;
    }

    [[nodiscard]] std::string traceparent() const override {
      const auto context = span_->GetContext();
      if (!context.IsValid()) return {};
      char trace[32];
      char span[16];
      char flags[2];
      context.trace_id().ToLowerBase16(trace);
      context.span_id().ToLowerBase16(span);
      context.trace_flags().ToLowerBase16(flags);
      return "00-" + std::string(trace, sizeof trace) + "-" + std::string(span, sizeof span) + "-" +
             std::string(flags, sizeof flags);
    }

   private:
    opentelemetry::nostd::shared_ptr<opentelemetry::trace::Span> span_;
    bool ended_ = false;
  };

  Handle tracer_;
};

}  // namespace weir
