// SPDX-License-Identifier: MIT
#include "sim/server/distribution.hpp"

#include "core/base/duration_text.hpp"
#include "core/base/text.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace weir::sim {
namespace fixed {
namespace {

// 2^(1/2), 2^(1/4) ... in 1.31.
constexpr std::uint64_t roots_of_two[] = {
    0xb504f334U, 0x9837f052U, 0x8b95c1e4U, 0x85aac368U, 0x82cd8699U, 0x8164d1f4U, 0x80b1ed50U,
    0x8058d7d3U, 0x802c6437U, 0x8016302fU, 0x800b179dU, 0x80058bafU, 0x8002c5d0U, 0x800162e6U,
    0x8000b173U, 0x800058b9U, 0x80002c5dU, 0x8000162eU, 0x80000b17U, 0x8000058cU, 0x800002c6U,
    0x80000163U, 0x800000b1U, 0x80000059U, 0x8000002cU, 0x80000016U, 0x8000000bU, 0x80000006U,
    0x80000003U, 0x80000001U, 0x80000001U,
};

}  // namespace

// Bit by bit: squaring doubles a logarithm, and what crosses 2 is the next bit of the fraction.
std::int64_t log2(std::uint64_t x) noexcept {
  const int whole = 63 - std::countl_zero(x);
  std::uint64_t mantissa = whole >= 31 ? x >> (whole - 31) : x << (31 - whole);  // 1.31, in [1, 2)
  std::int64_t fraction = 0;
  for (int bit = 31; bit >= 1; --bit) {
    mantissa = (mantissa * mantissa) >> 31;
    if (mantissa < (std::uint64_t{1} << 32)) continue;
    mantissa >>= 1;
    fraction |= std::int64_t{1} << bit;
  }
  return (std::int64_t{whole} << 32) + fraction;
}

std::int64_t times(std::int64_t value, std::int64_t factor) noexcept {
  constexpr int low_bits = 20;
  constexpr std::int64_t low_mask = (std::int64_t{1} << low_bits) - 1;
  if (value >> 42 != 0 || factor >> 41 != 0) return INT64_MAX;
  const std::int64_t high = (value >> low_bits) * factor >> (32 - low_bits);
  return high + ((value & low_mask) * factor >> 32);
}

std::int64_t times_exp2(std::int64_t value, std::int64_t exponent) noexcept {
  const std::int64_t whole = exponent >> 32;  // rounds down, so that the fraction is positive
  const std::uint64_t fraction = static_cast<std::uint64_t>(exponent) & 0xffffffffU;
  std::uint64_t mantissa = std::uint64_t{1} << 31;
  for (int i = 0; i < 31; ++i) {
    if ((fraction >> (31 - i) & 1U) != 0) mantissa = (mantissa * roots_of_two[i]) >> 31;
  }
  const std::int64_t scaled = times(value, static_cast<std::int64_t>(mantissa << 1));
  if (whole < 0) return whole < -62 ? 0 : scaled >> -whole;
  const bool fits = whole < 62 && scaled <= INT64_MAX >> whole;
  return fits ? scaled << whole : INT64_MAX;
}

}  // namespace fixed

namespace {

constexpr std::int64_t million = 1'000'000;
constexpr std::int64_t ln_2 = 2'977'044'472;       // 32.32
constexpr std::int64_t log2_of_e = 6'196'328'019;  // 32.32

// How often 1 has been halved to reach a uniform number in (0, 1): 32.32, exponential.
std::int64_t halvings(base::Random& random) noexcept {
  return (std::int64_t{64} << 32) - fixed::log2(random.next() | 1U);
}

// Standard normal, 32.32: the sum of twelve uniforms less its mean. Its tails end at six sigma, and
// beyond three they are somewhat thin; no table and no function of the C library is needed.
std::int64_t normal(base::Random& random) noexcept {
  std::int64_t sum = 0;
  for (int i = 0; i < 6; ++i) {
    const std::uint64_t word = random.next();
    sum += static_cast<std::int64_t>(word >> 32) + static_cast<std::int64_t>(word & 0xffffffffU);
  }
  return sum - (std::int64_t{6} << 32);
}

std::int64_t sample_lognormal(std::int64_t median, std::int64_t sigma_ppm, base::Random& random) {
  const std::int64_t z = normal(random);
  const std::int64_t bits = fixed::times(z < 0 ? -z : z, log2_of_e);
  const std::int64_t exponent = bits / 1000 * sigma_ppm / 1000;
  return fixed::times_exp2(median, z < 0 ? -exponent : exponent);
}

std::int64_t below(base::Random& random, std::int64_t n) noexcept {
  return static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(n));
}

}  // namespace

Distribution Distribution::constant(std::int64_t ns) {
  Distribution d;
  d.low_ = std::clamp<std::int64_t>(ns, 0, longest_ns);
  d.high_ = d.low_;  // as the text's, so that equal ones are equal
  return d;
}

std::int64_t Distribution::draw(base::Random& random) const noexcept {
  std::int64_t ns = low_;
  switch (kind_) {
    case Kind::constant:
      break;
    case Kind::uniform:
      ns = low_ + below(random, high_ - low_ + 1);
      break;
    case Kind::exponential:
      ns = fixed::times(low_, fixed::times(halvings(random), ln_2));
      break;
    case Kind::lognormal:
      ns = sample_lognormal(low_, ppm_, random);
      break;
    case Kind::pareto:
      ns = fixed::times_exp2(low_, halvings(random) * 1000 / ppm_ * 1000);
      break;
    case Kind::bimodal:
      ns = below(random, million) < ppm_ ? high_ : low_;
      break;
    case Kind::empirical:
      ns = values_[static_cast<std::size_t>(
          below(random, static_cast<std::int64_t>(values_.size())))];
      break;
  }
  return std::clamp<std::int64_t>(ns, 0, longest_ns);
}

double Distribution::mean_ns() const {
  const auto low = static_cast<double>(low_);
  const auto high = static_cast<double>(high_);
  const double number = static_cast<double>(ppm_) / static_cast<double>(million);
  switch (kind_) {
    case Kind::uniform:
      return (low + high) / 2;
    case Kind::lognormal:
      return low * std::exp(number * number / 2);
    case Kind::pareto:
      return number > 1 ? low * number / (number - 1) : std::numeric_limits<double>::infinity();
    case Kind::bimodal:
      return low + (high - low) * number;
    case Kind::empirical:
      return std::accumulate(values_.begin(), values_.end(), 0.0) /
             static_cast<double>(values_.size());
    case Kind::constant:
    case Kind::exponential:
      break;
  }
  return low;
}

// ---- The text -----------------------------------------------------------------------------------

namespace {

using Kind = Distribution::Kind;

struct Form {
  std::string_view name;
  Kind kind;
  std::size_t durations;  // then, if there is one, a number
  bool number;
  std::string_view example;
};
constexpr Form forms[] = {
    {"constant", Kind::constant, 1, false, "constant(2ms)"},
    {"uniform", Kind::uniform, 2, false, "uniform(1ms,5ms)"},
    {"exp", Kind::exponential, 1, false, "exp(2ms)"},
    {"lognormal", Kind::lognormal, 1, true, "lognormal(2ms,0.5)"},
    {"pareto", Kind::pareto, 1, true, "pareto(1ms,1.5)"},
    {"bimodal", Kind::bimodal, 2, true, "bimodal(1ms,100ms,0.01)"},
    {"empirical", Kind::empirical, 1, false, "empirical(1ms,1ms,7ms)"},
};

std::string examples() {
  std::string all = "2ms";
  for (const Form& form : forms) (all += ", ") += form.example;
  return all;
}

std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t comma = list.find(',');
    parts.push_back(trimmed(list.substr(0, comma)));
    if (comma == std::string_view::npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

// "0.5" in millionths.
std::optional<std::int64_t> parse_decimal(std::string_view text) {
  const std::size_t point = text.find('.');
  std::string_view fraction = point == std::string_view::npos ? "" : text.substr(point + 1);
  const std::string_view whole = text.substr(0, point);
  if (whole.empty() || whole.size() > 4 || fraction.size() > 6) return std::nullopt;
  if (point != std::string_view::npos && fraction.empty()) return std::nullopt;
  std::int64_t value = 0;
  for (std::size_t i = 0; i < whole.size() + 6; ++i) {
    const std::size_t at = i < whole.size() ? i : i - whole.size();
    const std::string_view part = i < whole.size() ? whole : fraction;
    const char c = at < part.size() ? part[at] : '0';
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

// Reads one text; a class, so that it may fill a Distribution that nobody else can make wrong.
class DistributionReader {
 public:
  using Answer = tl::expected<Distribution, std::string>;

  explicit DistributionReader(std::string_view text) : text_(trimmed(text)) {}

  Answer read() {
    const std::size_t open = text_.find('(');
    if (open == std::string_view::npos) {
      return add_duration(text_) ? finish(forms[0]) : wrong();
    }
    const std::string_view name = trimmed(text_.substr(0, open));
    for (const Form& form : forms) {
      if (form.name == name) return read_arguments(form, text_.substr(open + 1));
    }
    return wrong("there is no distribution '" + std::string(name) + "'");
  }

 private:
  Answer read_arguments(const Form& form, std::string_view rest) {
    if (!rest.ends_with(')')) return wrong("the closing parenthesis is missing");
    const auto parts = split(rest.substr(0, rest.size() - 1));
    const std::size_t durations = form.kind == Kind::empirical ? parts.size() : form.durations;
    if (parts.size() != durations + (form.number ? 1 : 0)) {
      return wrong("write it like " + std::string(form.example));
    }
    for (std::size_t i = 0; i < durations; ++i) {
      if (!add_duration(parts[i])) return wrong();
    }
    if (form.number) {
      const auto number = parse_decimal(parts.back());
      if (!number) {
        return wrong("'" + std::string(parts.back()) + "' is not a number such as 0.5");
      }
      made_.ppm_ = *number;
    }
    return finish(form);
  }

  bool add_duration(std::string_view text) {
    const auto ns = parse_duration(text);
    if (!ns) {
      problem_ = "'" + std::string(text) + "': " + ns.error().reason;
      if (!ns.error().suggestion.empty()) problem_ += "; write " + ns.error().suggestion;
      return false;
    }
    if (ns->count() > Distribution::longest_ns) {
      problem_ = "'" + std::string(text) + "' is longer than 1h";
      return false;
    }
    made_.values_.push_back(ns->count());
    return true;
  }

  Answer finish(const Form& form) {
    Distribution& d = made_;
    d.kind_ = form.kind;
    d.low_ = d.values_.front();
    d.high_ = d.values_.back();
    if (form.kind == Kind::uniform && d.low_ > d.high_) return wrong("the first is the smaller");
    if (form.kind == Kind::bimodal && d.ppm_ > million) return wrong("a probability is at most 1");
    if (form.kind == Kind::lognormal && d.ppm_ > 10 * million) {
      return wrong("sigma is at most 10");
    }
    if (form.kind == Kind::pareto && d.ppm_ < million / 10) {
      return wrong("the shape is at least 0.1");
    }
    if (form.kind != Kind::empirical) d.values_.clear();
    return d;
  }

  Answer wrong() { return wrong(problem_); }
  Answer wrong(const std::string& why) {
    return tl::unexpected("'" + std::string(text_) + "': " + why + "; known are " + examples());
  }

  std::string_view text_;
  std::string problem_;
  Distribution made_;
};

tl::expected<Distribution, std::string> Distribution::parse(std::string_view text) {
  return DistributionReader(text).read();
}

std::vector<std::string_view> Distribution::names() {
  std::vector<std::string_view> all;
  for (const Form& form : forms) all.push_back(form.name);
  return all;
}

std::string decimal_text(std::int64_t millionths) {
  std::string text = std::to_string(millionths / million);
  std::string fraction = std::to_string(million + millionths % million);
  fraction.front() = '.';
  while (fraction.back() == '0') fraction.pop_back();
  return fraction == "." ? text : text + fraction;
}

std::string Distribution::text() const {
  if (kind_ == Kind::constant) return duration_text(Duration(low_));
  const Form& form = *std::find_if(std::begin(forms), std::end(forms),
                                   [&](const Form& f) { return f.kind == kind_; });
  std::vector<std::int64_t> durations{low_};
  if (form.durations == 2) durations.push_back(high_);
  if (kind_ == Kind::empirical) durations = values_;
  std::string out(form.name);
  for (std::size_t i = 0; i < durations.size(); ++i) {
    out += (i == 0 ? "(" : ",") + duration_text(Duration(durations[i]));
  }
  if (form.number) out += "," + decimal_text(ppm_);
  return out + ")";
}

}  // namespace weir::sim
