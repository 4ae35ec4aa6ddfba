// SPDX-License-Identifier: MIT
//
// distribution.hpp: how long things take in a simulated world, as a line of a scenario says it.
//
//   2ms  constant(2ms)          always
//   uniform(1ms,5ms)            evenly between
//   exp(2ms)                    exponential with this mean
//   lognormal(2ms,0.5)          this median; sigma of the logarithm
//   pareto(1ms,1.5)             this minimum; shape: the smaller, the heavier the tail
//   bimodal(1ms,100ms,0.01)     the first, or with this probability the second
//   empirical(1ms,1ms,7ms)      one of these, evenly
//
// Called by: the server and workloads. A value, owned by whoever holds it. Threads: any.
// Invariants: integers only, own samplers: std::*_distribution differs between libraries, and
//             floating point between instruction sets. A draw is between 0 and longest_ns. Each
//             kind takes the same number of words from the generator at every draw.
#pragma once

#include "core/base/random.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace weir::sim {

class Distribution {
 public:
  enum class Kind : std::uint8_t {
    constant,
    uniform,
    exponential,
    lognormal,
    pareto,
    bimodal,
    empirical
  };
  static constexpr std::int64_t longest_ns = 3'600'000'000'000;

  Distribution() = default;  // always 0
  static Distribution constant(std::int64_t ns);

  // Or what is wrong with the text, and what would be right.
  static tl::expected<Distribution, std::string> parse(std::string_view text);
  // "uniform", "exp" ...: for a suggestion.
  static std::vector<std::string_view> names();

  [[nodiscard]] std::int64_t draw(base::Random& random) const noexcept;
  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  // For calculations beside a run; infinite where there is none. Not capped, as draws are.
  [[nodiscard]] double mean_ns() const;
  // The shortest text that parse() reads as the same distribution.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Distribution&, const Distribution&) = default;

 private:
  friend class DistributionReader;
  Kind kind_ = Kind::constant;
  std::int64_t low_ = 0;              // ns: the value, the minimum, the mean, the median
  std::int64_t high_ = 0;             // ns
  std::int64_t ppm_ = 0;              // sigma, shape or probability, in millionths
  std::vector<std::int64_t> values_;  // of empirical
};

// Millionths as a decimal number: "0.5". Never with an exponent; read back exactly.
[[nodiscard]] std::string decimal_text(std::int64_t millionths);

// The samplers' arithmetic, in 32.32 fixed point; for tests, too.
namespace fixed {

std::int64_t log2(std::uint64_t x) noexcept;                                  // requires x >= 1
std::int64_t times_exp2(std::int64_t value, std::int64_t exponent) noexcept;  // saturates
std::int64_t times(std::int64_t value, std::int64_t factor) noexcept;  // both >= 0; saturates

}  // namespace fixed
}  // namespace weir::sim
