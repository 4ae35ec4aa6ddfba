// SPDX-License-Identifier: MIT
//
// Histogram: log-linear latency buckets, 16 per power of two, so that a quantile is at most 1/16
// above the true value; after G. Tene's HdrHistogram. Fixed 7.6 KiB.
//
// Threads: of a Histogram none, the owner serialises; of a SharedHistogram any, and what is read of
//          it while values are added may be of one value more or less.
#pragma once

#include <weir/stats.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace weir::base {

inline void raise(std::uint64_t& most, std::uint64_t to) noexcept {
  if (to > most) most = to;
}
inline void raise(std::atomic<std::uint64_t>& most, std::uint64_t to) noexcept {
  std::uint64_t seen = most;
  while (to > seen && !most.compare_exchange_weak(seen, to)) {
  }
}

template <class Count>
class BasicHistogram {
 public:
  // `times` values that are taken to be alike.
  void add(Duration value, std::uint64_t times = 1) noexcept {
    const std::uint64_t ns = value.count() < 0 ? 0 : static_cast<std::uint64_t>(value.count());
    buckets_[bucket_of(ns)] += times;
    count_ += times;
    sum_ += ns * times;
    raise(max_, ns);
  }

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

  // The upper edge of the bucket that holds the value of that rank; at most the maximum seen.
  // Requires: 0 <= quantile <= 1.
  [[nodiscard]] Duration quantile(double quantile) const noexcept {
    const std::uint64_t count = count_;
    const std::uint64_t max = max_;
    if (count == 0) return Duration{};
    const auto scaled = static_cast<std::uint64_t>(quantile * static_cast<double>(count));
    const std::uint64_t rank = scaled >= count ? count - 1 : scaled;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > rank) {
        const std::uint64_t edge = upper_edge(i);
        return Duration(static_cast<std::int64_t>(edge < max ? edge : max));
      }
    }
    return Duration(static_cast<std::int64_t>(max));
  }

  [[nodiscard]] LatencySummary summary() const noexcept {
    LatencySummary s;
    s.count = count_;
    if (s.count == 0) return s;
    s.sum = Duration(static_cast<std::int64_t>(
        std::min<std::uint64_t>(sum_, std::numeric_limits<std::int64_t>::max())));
    count_up_to_bounds(s.buckets);
    s.mean = Duration(static_cast<std::int64_t>(sum_ / s.count));
    s.p50 = quantile(0.50);
    s.p90 = quantile(0.90);
    s.p99 = quantile(0.99);
    s.p999 = quantile(0.999);
    s.max = Duration(static_cast<std::int64_t>(max_));
    return s;
  }

 private:
  void count_up_to_bounds(decltype(LatencySummary::buckets)& out) const noexcept {
    std::uint64_t seen = 0;
    std::size_t bucket = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto bound = static_cast<std::uint64_t>(latency_bounds[i].count());
      while (upper_edge(bucket) <= bound) seen += buckets_[bucket++];
      out[i] = seen;
    }
  }

  static constexpr std::size_t sub_bits = 4;  // 16 buckets per power of two
  static constexpr std::size_t sub_count = std::size_t{1} << sub_bits;
  // Values below 16 have a bucket each; each of the powers 2^4 .. 2^62 has 16; int64 ends at 2^63.
  static constexpr std::size_t bucket_count = sub_count + (63 - sub_bits) * sub_count;

  static std::size_t bucket_of(std::uint64_t ns) noexcept {
    if (ns < sub_count) return ns;
    const auto power = static_cast<std::size_t>(std::bit_width(ns)) - 1;
    const std::size_t within = (ns >> (power - sub_bits)) - sub_count;
    return sub_count + (power - sub_bits) * sub_count + within;
  }
  static std::uint64_t upper_edge(std::size_t bucket) noexcept {
    if (bucket < sub_count) return bucket;
    const std::size_t power = (bucket - sub_count) / sub_count + sub_bits;
    const std::uint64_t within = (bucket - sub_count) % sub_count;
    return ((sub_count + within + 1) << (power - sub_bits)) - 1;
  }

  std::array<Count, bucket_count> buckets_{};
  Count count_ = 0;
  Count sum_ = 0;
  Count max_ = 0;
};

using Histogram = BasicHistogram<std::uint64_t>;
using SharedHistogram = BasicHistogram<std::atomic<std::uint64_t>>;

}  // namespace weir::base
