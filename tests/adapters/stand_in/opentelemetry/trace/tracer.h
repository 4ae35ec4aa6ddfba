// SPDX-License-Identifier: MIT
//
// A stand-in, see nostd/shared_ptr.h: a tracer that keeps its spans.
#pragma once

#include <opentelemetry/nostd/shared_ptr.h>
#include <opentelemetry/trace/span.h>
#include <vector>

namespace opentelemetry::trace {

class Tracer {
 public:
  nostd::shared_ptr<Span> StartSpan(nostd::string_view name, const StartSpanOptions& options = {}) {
    spans.push_back(std::make_shared<Span>());
    spans.back()->name = name.kept();
    spans.back()->kind = options.kind;
    return spans.back();
  }

  std::vector<nostd::shared_ptr<Span>> spans;
};

}  // namespace opentelemetry::trace
