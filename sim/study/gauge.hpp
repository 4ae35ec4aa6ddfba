// SPDX-License-Identifier: MIT
//
// Gauges: what runs are compared by. One is a number that a run has ("p99 wait"), and has a name
// that people write and read; over several seeds it has a mean and a 95 % interval.
//
//   mean|p50|p90|p99|p99.9|max wait    of the first acquire of a piece of work, from when it was
//   due mean|p50|p90|p99|p99.9|max round   of the whole of it throughput rounds per second that
//   went well, until the last was over timeouts, errors                   share of the rounds that
//   timed out in the pool; that failed
//
// A percentile of waits counts who was never served as one who waits for ever, or a pool that turns
// everybody away would look fast; the mean is of those who were served.
//
// Called by: sim/study. Owns nothing. Threads: any; values and pure functions.
#pragma once

#include "sim/explore/run.hpp"

#include <weir/result.hpp>

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::sim {

// Of one run, what gauges need. A Report has megabytes, and a study hundreds of them.
struct Seen {
  base::Histogram wait;
  base::Histogram round;
  std::uint64_t unserved = 0;
  std::uint64_t rounds = 0;
  std::uint64_t failed = 0;
  std::uint64_t timeouts = 0;
  double seconds = 0;  // until all of it was done
};
[[nodiscard]] Seen seen(const Report& report);

struct Gauge {
  enum class What : std::uint8_t { wait, round, throughput, timeouts, errors } what = What::wait;
  double quantile = mean;  // of wait and round
  static constexpr double mean = -1;
  friend bool operator==(const Gauge&, const Gauge&) = default;

  [[nodiscard]] bool is_time() const noexcept { return what <= What::round; }
  [[nodiscard]] bool is_share() const noexcept { return what >= What::timeouts; }
  [[nodiscard]] bool more_is_better() const noexcept { return what == What::throughput; }
};
// Errors: config_value, with the gauges that there are.
[[nodiscard]] Result<Gauge> parse_gauge(std::string_view name);
[[nodiscard]] std::string to_string(const Gauge& gauge);

// Seconds, rounds per second, or a share of 1. Infinite: a wait that does not end.
[[nodiscard]] double value(const Gauge& gauge, const Seen& seen);
// "1.25ms", "950/s", "0.06%", "never".
[[nodiscard]] std::string value_text(const Gauge& gauge, double value);

// The mean over some runs, and half of the 95 % interval around it (Student's t).
struct Estimate {
  double mean = 0;
  double half = std::numeric_limits<double>::infinity();  // of one run nothing is known

  [[nodiscard]] double low() const noexcept { return mean - half; }
  [[nodiscard]] double high() const noexcept { return mean + half; }
};
[[nodiscard]] Estimate estimate(std::span<const double> values);
[[nodiscard]] Estimate estimate(const Gauge& gauge, std::span<const Seen> runs);
// "1.25ms ± 40us"
[[nodiscard]] std::string estimate_text(const Gauge& gauge, const Estimate& estimate);

}  // namespace weir::sim
