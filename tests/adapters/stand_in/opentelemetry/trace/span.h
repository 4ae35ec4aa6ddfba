// SPDX-License-Identifier: MIT
//
// A stand-in, see nostd/shared_ptr.h: a span that keeps what it is told.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <opentelemetry/nostd/string_view.h>
#include <string>
#include <variant>

namespace opentelemetry::trace {

enum class SpanKind { kInternal, kServer, kClient, kProducer, kConsumer };
enum class StatusCode { kUnset, kOk, kError };

struct StartSpanOptions {
  SpanKind kind = SpanKind::kInternal;
};
struct EndSpanOptions {};

template <std::size_t N>
struct Id {
  void ToLowerBase16(char (&out)[N]) const { std::memset(out, digit, N); }
  char digit;
};

struct SpanContext {
  [[nodiscard]] bool IsValid() const { return valid; }
  [[nodiscard]] Id<32> trace_id() const { return {'a'}; }
  [[nodiscard]] Id<16> span_id() const { return {'b'}; }
  [[nodiscard]] Id<2> trace_flags() const { return {'1'}; }
  bool valid;
};

class Span {
 public:
  using AttributeValue = std::variant<bool, std::int32_t, std::int64_t, nostd::string_view>;

  void SetAttribute(nostd::string_view key, const AttributeValue& value) {
    attributes[key.kept()] = std::holds_alternative<nostd::string_view>(value)
                                 ? std::get<nostd::string_view>(value).kept()
                                 : std::to_string(std::get<std::int64_t>(value));
  }
  void SetStatus(StatusCode code, nostd::string_view description) {
    failed = code == StatusCode::kError;
    why = description.kept();
  }
  void End(const EndSpanOptions& = {}) { ++ends; }
  [[nodiscard]] SpanContext GetContext() const { return {valid}; }

  std::string name;
  SpanKind kind{};
  std::map<std::string, std::string> attributes;
  bool failed = false;
  std::string why;
  int ends = 0;
  bool valid = true;
};

}  // namespace opentelemetry::trace
