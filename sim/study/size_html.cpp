// SPDX-License-Identifier: MIT
//
// The page of size(). Between two sizes nothing was measured, so each has its interval as a line of
// its own, and no band. What M/M/c says is dotted.
#include "sim/study/page.hpp"
#include "sim/study/plot.hpp"
#include "sim/study/size.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace weir::sim {
namespace {

constexpr Gauge wait_mean{Gauge::What::wait, Gauge::mean};
constexpr Gauge round_mean{Gauge::What::round, Gauge::mean};
constexpr Gauge throughput{Gauge::What::throughput, Gauge::mean};
constexpr double none = std::numeric_limits<double>::quiet_NaN();  // a gap in a curve

struct Look {
  Plot::Mark shape;
  std::string_view css;
  std::string_view sign;
};
Look look_of(Kept kept) {
  constexpr Look looks[] = {{Plot::Mark::full, "kept", "\u2713"},
                            {Plot::Mark::hollow, "unclear", "?"},
                            {Plot::Mark::cross, "broken", "\u2717"}};
  return looks[static_cast<std::size_t>(kept)];
}

// "8 \u2713": the sizes, and whether they keep all of the promise.
std::vector<std::string> places(const SizeAnswer& a) {
  std::vector<std::string> all;
  for (const Probe& p : a.probes) all.push_back(fmt::format("{} {}", p.max, look_of(p.kept).sign));
  return all;
}

template <class Of>
std::vector<Estimate> values(const SizeAnswer& a, Of&& of) {
  std::vector<Estimate> all;
  for (const Probe& probe : a.probes) all.push_back(of(probe));
  return all;
}

std::vector<double> theory_of(const SizeAnswer& a, const Gauge& gauge) {
  std::vector<double> all;
  for (const Probe& probe : a.probes) all.push_back(expected(gauge, probe.queue).value_or(none));
  return all;
}

// "p99" of "p99 wait".
std::string short_name(const Gauge& gauge) {
  const std::string name = to_string(gauge);
  return name.substr(0, name.find(' '));
}

std::string chart_of_term(const SizeAnswer& a, const Slo& slo, std::size_t n) {
  const Slo::Term& term = slo.terms[n];
  const std::string name = to_string(term.gauge);
  const std::vector<Estimate> measured = values(a, [&](const Probe& p) { return p.terms[n]; });
  const std::vector<double> theory = theory_of(a, term.gauge);
  Scale scale(term.gauge);
  scale.take(term.limit);
  for (const Estimate& e : measured) {
    scale.take(e.mean);
    scale.take(e.high());
  }
  for (const double wait : theory) scale.take(wait);
  Plot plot(fmt::format("{} over max: {}", name, headline(a, slo)), "max", 240, scale, places(a));
  plot.level("promised", to_string(term).substr(name.size() + 1), term.limit);
  plot.curve("joined", name, means(measured));
  plot.curve("theory", "M/M/c " + short_name(term.gauge), theory);
  for (std::size_t i = 0; i < measured.size(); ++i) {
    const Kept kept = judge(term, measured[i]);
    const Look look = look_of(kept);
    plot.whisker(i, look.css, measured[i].low(), measured[i].high());
    plot.mark(i, look.shape, look.css, measured[i].mean,
              fmt::format("max = {}: {}, {}", a.probes[i].max,
                          estimate_text(term.gauge, measured[i]), to_string(kept)));
  }
  return std::move(plot).finish(to_string(term));
}

void draw(Plot& plot, const Gauge& gauge, std::string_view css, const std::vector<Estimate>& all) {
  plot.band(css, all);
  plot.curve(css, to_string(gauge), means(all));
}

// What the size does to all of it, promised or not: why the answer is what it is.
std::string times_chart(const SizeAnswer& a) {
  const auto waits = values(a, [](const Probe& p) { return p.wait_mean; });
  const auto rounds = values(a, [](const Probe& p) { return p.round_mean; });
  Scale scale(wait_mean);
  for (const auto* all : {&waits, &rounds}) {
    for (const Estimate& e : *all) scale.take(e);
  }
  const auto theory = theory_of(a, wait_mean);
  for (const double wait : theory) scale.take(wait);
  Plot plot("Mean wait and mean round over max", "max", 160, scale, places(a));
  draw(plot, round_mean, "p50", rounds);
  draw(plot, wait_mean, "p99", waits);
  plot.curve("theory", "M/M/c mean", theory);
  return std::move(plot).finish("mean wait, and mean of the whole round");
}

std::string throughput_chart(const SizeAnswer& a) {
  const auto all = values(a, [](const Probe& p) { return p.throughput; });
  Scale scale(throughput);
  for (const Estimate& e : all) scale.take(e);
  if (scale.empty()) return "";
  Plot plot("Throughput over max", "max", 140, scale, places(a));
  draw(plot, throughput, "p50", all);
  return std::move(plot).finish("throughput");
}

std::string numbers(const SizeAnswer& a, const Slo& slo) {
  PageTable table{{"max"}, {}};
  for (const Slo::Term& term : slo.terms) table.head.push_back(to_string(term));
  for (const Slo::Term& term : slo.terms) {
    if (term.gauge.what == Gauge::What::wait) {
      table.head.push_back("M/M/c " + to_string(term.gauge));
    }
  }
  for (const char* name : {"mean round", "throughput", "promise"}) table.head.emplace_back(name);
  for (const Probe& probe : a.probes) {
    std::vector<std::string>& row = table.rows.emplace_back();
    row.push_back(std::to_string(probe.max));
    for (std::size_t i = 0; i < slo.terms.size(); ++i) {
      row.push_back(estimate_text(slo.terms[i].gauge, probe.terms[i]));
    }
    for (const Slo::Term& term : slo.terms) {
      if (term.gauge.what != Gauge::What::wait) continue;
      const auto wait = expected(term.gauge, probe.queue);
      row.push_back(wait ? value_text(term.gauge, *wait) : "\u2013");
    }
    row.push_back(estimate_text(round_mean, probe.round_mean));
    row.push_back(estimate_text(throughput, probe.throughput));
    row.push_back(fmt::format("{} {}", look_of(probe.kept).sign, to_string(probe.kept)));
  }
  return page_table(table);
}

std::string gaps(const SizeAnswer& a) {
  std::vector<Variant> variants;
  for (const Probe& probe : a.probes) {
    variants.push_back({fmt::format("max = {}", probe.max), &probe.queue});
  }
  std::string out;
  for (const std::string& gap : theory_gaps(variants)) {
    out += page_note(fmt::format("No M/M/c curve: {}.", gap));
  }
  return out;
}

}  // namespace

std::string to_html(const SizeAnswer& a, const Slo& slo) {
  std::string out = page_top((a.name.empty() ? "scenario" : a.name) + ": how many connections");
  out += page_verdict(a.max.has_value(), fmt::format("{}\nlimit: {}: {}", headline(a, slo),
                                                     to_string(a.limit), a.why));
  out += page_note(fmt::format(
      "Each size that was tried ran {} times, {}. \u2713 keeps the promise with 95 % confidence, ? "
      "is too close to call, \u2717 breaks it. Lines through the marks are 95 % intervals, the "
      "dashed line is what is promised, dotted is what queueing theory says (M/M/c).",
      a.runs, seeds_text(a.seed, a.runs)));
  out += gaps(a);
  std::string promised;
  for (std::size_t i = 0; i < slo.terms.size(); ++i) promised += chart_of_term(a, slo, i);
  out += page_section("The promise", promised);
  out += page_section("What else the size does", times_chart(a) + throughput_chart(a));
  return out + page_section("Numbers", numbers(a, slo)) + page_end();
}

}  // namespace weir::sim
