// SPDX-License-Identifier: MIT
#include "core/base/histogram.hpp"

#include <weir/query_times.hpp>

namespace weir {

struct QueryTimes::Data {
  base::SharedHistogram times;
};

QueryTimes::QueryTimes() : data_(std::make_shared<Data>()) {}

Middleware QueryTimes::middleware() const {
  return [data = data_](Call& call, Next& next) {
    const CallKind kind = call.kind();
    if (kind != CallKind::query && kind != CallKind::execute && kind != CallKind::stream) {
      return next();
    }
    const Instant start = call.now();
    auto done = next();
    data->times.add(call.now() - start);
    return done;
  };
}

LatencySummary QueryTimes::summary() const { return data_->times.summary(); }

}  // namespace weir
