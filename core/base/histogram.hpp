// SPDX-License-Identifier: MIT
//
// Histogram: log-linear latency buckets, 16 per power of two, so that a quantile is at most 1/16
// above the true value; after G. Tene's HdrHistogram. Half a KiB, and 128 bytes for each power of
// two that a value has been in; a SharedHistogram has them all from the start, 7.6 KiB.
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
#include <memory>
#include <utility>

namespace weir::base {

inline void raise(std::uint64_t& most, std::uint64_t to) noexcept {
  if (to > most) most = to;
}
inline void raise(std::atomic<std::uint64_t>& most, std::uint64_t to) noexcept {
  std::uint64_t seen = most;
  while (to > seen && !most.compare_exchange_weak(seen, to)) {
  }
}

namespace histogram {

inline constexpr std::size_t row_bits = 4;  // 16 buckets per power of two
inline constexpr std::size_t row_size = std::size_t{1} << row_bits;
// Values below 16 have a bucket each; each of the powers 2^4 .. 2^62 has 16; int64 ends at 2^63.
inline constexpr std::size_t rows = 1 + 63 - row_bits;

// The two have the same functions: add() and value().
template <class Count>
class AllRows {
 public:
  void add(std::size_t bucket, std::uint64_t times) noexcept { buckets_[bucket] += times; }
  [[nodiscard]] std::uint64_t value(std::size_t bucket) const noexcept { return buckets_[bucket]; }

 private:
  std::array<Count, rows * row_size> buckets_{};
};

template <class Count>
class RowsInUse {
 public:
  RowsInUse() = default;
  RowsInUse(const RowsInUse& other) {
    for (std::size_t i = 0; i < rows; ++i) {
      if (other.rows_[i]) rows_[i] = std::make_unique<Row>(*other.rows_[i]);
    }
  }
  RowsInUse(RowsInUse&&) noexcept = default;
  RowsInUse& operator=(RowsInUse other) noexcept {
    rows_.swap(other.rows_);
    return *this;
  }
  ~RowsInUse() = default;

  void add(std::size_t bucket, std::uint64_t times) {
    auto& row = rows_[bucket / row_size];
    if (!row) row = std::make_unique<Row>();
    (*row)[bucket % row_size] += times;
  }
  [[nodiscard]] std::uint64_t value(std::size_t bucket) const noexcept {
    const auto& row = rows_[bucket / row_size];
    return row ? (*row)[bucket % row_size] : 0;
  }

 private:
  using Row = std::array<Count, row_size>;
  std::array<std::unique_ptr<Row>, rows> rows_{};
};

}  // namespace histogram

template <class Count, class Buckets>
class BasicHistogram {
 public:
  // `times` values that are taken to be alike.
  void add(Duration value,
           std::uint64_t times = 1) noexcept(noexcept(std::declval<Buckets&>().add(0, times))) {
    const std::uint64_t ns = value.count() < 0 ? 0 : static_cast<std::uint64_t>(value.count());
    buckets_.add(bucket_of(ns), times);
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
    for (std::size_t i = 0; i < bucket_count; ++i) {
      seen += buckets_.value(i);
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
      while (upper_edge(bucket) <= bound) seen += buckets_.value(bucket++);
      out[i] = seen;
    }
  }

  static constexpr std::size_t sub_bits = histogram::row_bits;
  static constexpr std::size_t sub_count = histogram::row_size;
  static constexpr std::size_t bucket_count = histogram::rows * histogram::row_size;

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

  Buckets buckets_;
  Count count_ = 0;
  Count sum_ = 0;
  Count max_ = 0;
};

using Histogram = BasicHistogram<std::uint64_t, histogram::RowsInUse<std::uint64_t>>;
using SharedHistogram =
    BasicHistogram<std::atomic<std::uint64_t>, histogram::AllRows<std::atomic<std::uint64_t>>>;

}  // namespace weir::base
