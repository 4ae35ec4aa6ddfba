// SPDX-License-Identifier: MIT
//
// The text of a promise, and what it says of a number.
#include "core/base/duration_text.hpp"
#include "core/base/text.hpp"
#include "sim/study/size.hpp"

#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace weir::sim {
namespace {

std::string_view bare(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<double> number(std::string_view text) {
  double n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size() || !(n > 0)) return std::nullopt;
  return n;
}

std::optional<double> limit_of(const Gauge& gauge, std::string_view text) {
  if (gauge.is_share()) {
    if (!text.ends_with('%')) return std::nullopt;
    const auto percent = number(text.substr(0, text.size() - 1));
    return percent && *percent <= 100 ? std::optional(*percent / 100) : std::nullopt;
  }
  if (!gauge.is_time())
    return number(text.ends_with("/s") ? text.substr(0, text.size() - 2) : text);
  const auto time = parse_duration(text);
  if (!time || *time <= Duration{}) return std::nullopt;
  return std::chrono::duration<double>(*time).count();
}

std::string_view example(const Gauge& gauge) {
  return gauge.is_share() ? "0.1%" : gauge.is_time() ? "20ms" : "900/s";
}

Result<Slo::Term> parse_term(std::string_view text) {
  const std::size_t sign = text.find_first_of("<>");
  if (sign == std::string_view::npos) {
    return fail(Code::config_value, fmt::format("'{}' is no promise; write one like 'p99 wait < "
                                                "20ms' or 'errors < 0.1%'",
                                                printable(text)));
  }
  auto gauge = parse_gauge(bare(text.substr(0, sign)));
  if (!gauge) return fail(std::move(gauge).error());
  const char wanted = gauge->more_is_better() ? '>' : '<';
  if (text[sign] != wanted) {
    return fail(Code::config_value,
                fmt::format("'{}' would promise to be bad; write '{} {} {}'", printable(text),
                            to_string(*gauge), wanted, example(*gauge)));
  }
  const std::string_view value = bare(text.substr(sign + 1));
  const auto limit = limit_of(*gauge, value);
  if (limit) return Slo::Term{*gauge, *limit};
  return fail(Code::config_value,
              fmt::format("'{}' is no limit for {}; write it like {}", printable(value),
                          to_string(*gauge), example(*gauge)));
}

}  // namespace

Result<Slo> parse_slo(std::string_view text) {
  Slo slo;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    auto term = parse_term(bare(text.substr(0, comma)));
    if (!term) return fail(std::move(term).error());
    slo.terms.push_back(*term);
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
  }
  return slo;
}

std::string to_string(const Slo::Term& term) {
  const char sign = term.gauge.more_is_better() ? '>' : '<';
  std::string limit = value_text(term.gauge, term.limit);
  if (term.gauge.is_time()) {
    limit = duration_text(Duration(std::llround(term.limit * 1e9)));
  }
  return fmt::format("{} {} {}", to_string(term.gauge), sign, limit);
}

std::string to_string(const Slo& slo) {
  std::string out;
  for (const Slo::Term& term : slo.terms) out += (out.empty() ? "" : ", ") + to_string(term);
  return out;
}

double Slo::Term::load(double value) const {
  if (!gauge.more_is_better()) return value / limit;
  return value > 0 ? limit / value : std::numeric_limits<double>::infinity();
}

}  // namespace weir::sim
