// SPDX-License-Identifier: MIT
#include "sim/report/html.hpp"

#include "core/observe/texts.hpp"
#include "sim/report/charts.hpp"
#include "sim/report/columns.hpp"
#include "sim/report/html_style.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

namespace weir::sim {
namespace {

using observe::short_duration;
using State = Verdict::State;

std::string section(std::string_view title, std::string_view explanation, std::string_view body) {
  if (body.empty()) return "";
  return fmt::format(
      "<section><h2>{}</h2>\n{}<div class=\"card\">{}</div></section>\n", title,
      explanation.empty() ? std::string() : fmt::format("<p class=\"dim\">{}</p>\n", explanation),
      body);
}

std::string head(const Case& shown) {
  const Report& r = shown.report;
  std::string out = fmt::format(
      "<header><h1>{}</h1><button id=\"theme\" type=\"button\">light / dark</button></header>\n",
      html_text(shown.scenario.name.empty() ? "scenario" : shown.scenario.name));
  out +=
      fmt::format("<div class=\"verdict{}\">{}{}</div>\n<dl class=\"facts\">\n",
                  r.ok() ? "" : " broken", r.ok() ? "\u2713 " : "\u2717 ", html_text(headline(r)));
  const auto fact = [&](std::string_view name, const std::string& value) {
    out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, html_text(value));
  };
  fact("rounds", grouped(r.rounds));
  fact("sessions at most", grouped(r.sessions_max));
  fact(shown.wall > Duration{} ? "virtual time in real time" : "virtual time", pace_text(shown));
  if (r.stalled > Duration{}) fact("stalled by early timers", short_duration(r.stalled));
  fact("steps", grouped(r.ending.steps));
  fact("seed", std::to_string(shown.scenario.seed));
  fact("trace", hash_text(r.ending.trace_hash));
  return out + "</dl>\n";
}

// ---------------------------------------------------------------- verdicts

std::string verdict_row(const Verdict& v) {
  struct Look {
    std::string_view css;
    std::string_view text;
  };
  constexpr Look looks[] = {
      {"broken", "\u2717 broken"}, {"held", "\u2713 held"}, {"untested", "\u2013 never tested"}};
  const Look look = looks[static_cast<std::size_t>(v.state)];
  std::string what = html_text(v.promise);
  if (v.state == State::broken) {
    what += fmt::format("<span class=\"sentence\">{}</span>", html_text(v.sentence));
  }
  return fmt::format(
      "<tr class=\"{}\"><td class=\"state\">{}</td><td class=\"id\">{}</td><td "
      "class=\"says\">{}</td>"
      "<td class=\"n\">{}</td></tr>\n",
      look.css, look.text, html_text(v.property), what, grouped(v.times));
}

// Many properties held is the usual case: they fold away behind what is broken or untested.
std::string verdict_tables(const Report& report) {
  constexpr std::string_view open =
      "<table class=\"verdicts\"><thead><tr><th>verdict</th><th>property</th><th>what it says</th>"
      "<th class=\"n\">times tested</th></tr></thead><tbody>\n";
  constexpr std::string_view close = "</tbody></table>\n";
  std::string rows[3];
  std::size_t count[3] = {};
  for (const Verdict& v : verdicts(report)) {
    rows[static_cast<std::size_t>(v.state)] += verdict_row(v);
    ++count[static_cast<std::size_t>(v.state)];
  }
  std::string out;
  if (!rows[0].empty()) out += std::string(open) + rows[0] + std::string(close);
  const auto folded = [&](std::size_t i, std::string_view title) {
    if (rows[i].empty()) return;
    out += fmt::format("<details><summary>{} {}</summary>{}{}{}</details>\n", count[i], title, open,
                       rows[i], close);
  };
  folded(1, "held");
  folded(2, "never put to the test: these have shown nothing");
  return out;
}

// ---------------------------------------------------------------- tables

std::string percentile_table(const Report& report) {
  std::string out =
      "<table><thead><tr><th></th><th class=\"n\">p50</th><th class=\"n\">p90</th><th "
      "class=\"n\">p99</th><th class=\"n\">p99.9</th><th class=\"n\">max</th><th "
      "class=\"n\">count</th></tr></thead><tbody>\n";
  for (const Measure& m : measures(report)) {
    const LatencySummary s = m.histogram.summary();
    if (s.count == 0) continue;
    out += fmt::format("<tr><td>{}</td>", m.name);
    for (const Duration d : {s.p50, s.p90, s.p99, s.p999, s.max}) {
      out += fmt::format("<td class=\"n\">{}</td>", short_duration(d));
    }
    out += fmt::format("<td class=\"n\">{}</td></tr>\n", grouped(s.count));
  }
  return out + "</tbody></table>\n";
}

std::string result_table(const Report& report) {
  std::string out =
      "<table><thead><tr><th>result</th><th class=\"n\">rounds</th><th "
      "class=\"n\">share</th></tr></thead><tbody>\n";
  for (const ResultCount& r : results(report)) {
    out += fmt::format("<tr><td>{} {}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
                       html_text(r.id), html_text(r.name), grouped(r.count), share_text(r.share));
  }
  return out + "</tbody></table>\n";
}

// In the order of a connection's life; what is not known to it comes last.
std::vector<std::string> states_of(const Judgement& judgement) {
  constexpr std::string_view known[] = {"connecting", "initialising", "racked",      "validating",
                                        "resetting",  "closing",      "quarantined", "closed"};
  std::set<std::string> there;
  for (const auto& [where, times] : judgement.seen) there.insert(where.first);
  std::vector<std::string> out;
  for (const std::string_view state : known) {
    if (there.erase(std::string(state)) > 0) out.emplace_back(state);
  }
  out.insert(out.end(), there.begin(), there.end());
  return out;
}

// Four shades, by powers of what there is most of.
int shade(std::uint64_t times, std::uint64_t most) {
  if (times == 0) return 0;
  const double share = most <= 1 ? 1
                                 : std::log(static_cast<double>(times) + 1) /
                                       std::log(static_cast<double>(most) + 1);
  return std::clamp(static_cast<int>(std::ceil(share * 4)), 1, 4);
}

std::string heat_map(const Judgement& judgement) {
  if (judgement.seen.empty()) return "";
  std::set<std::string> events;
  std::uint64_t most = 0;
  for (const auto& [where, times] : judgement.seen) {
    events.insert(where.second);
    most = std::max(most, times);
  }
  std::string out = "<table class=\"heat\"><thead><tr><td></td>";
  for (const std::string& event : events) {
    out += fmt::format("<th scope=\"col\">{}</th>", html_text(event));
  }
  out += "</tr></thead><tbody>\n";
  for (const std::string& state : states_of(judgement)) {
    out += fmt::format("<tr><th scope=\"row\">{}</th>",
                       state == "-" ? "no connection" : html_text(state));
    for (const std::string& event : events) {
      const auto it = judgement.seen.find({state, event});
      const std::uint64_t times = it == judgement.seen.end() ? 0 : it->second;
      out += fmt::format("<td class=\"h{}\" title=\"{}\">{}</td>", shade(times, most),
                         grouped(times), times == 0 ? "\u00b7" : short_count(times));
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

// ---------------------------------------------------------------- lanes

std::string lane_time(Instant at) {
  const std::int64_t ns = since_beginning(at).count();
  return fmt::format("{}.{:09}", ns / 1'000'000'000, ns % 1'000'000'000);
}

std::string lane_row(const Row& row, const std::vector<ThreadId>& threads, bool same_time) {
  std::string out =
      fmt::format("<tr><td class=\"t\">{}</td>", same_time ? std::string() : lane_time(row.at));
  if (row.kind == Row::Kind::step) {
    for (const ThreadId thread : threads) {
      if (thread == row.thread) {
        out += fmt::format("<td class=\"on{}\">{}</td>", row.forced ? " forced" : "",
                           html_text(row.text));
      } else {
        out += "<td></td>";
      }
    }
    return out + "</tr>\n";
  }
  const std::string_view mark = row.kind == Row::Kind::repeats ? "\u21bb " : "\u2192 ";
  const std::string_view css = row.kind == Row::Kind::failure ? " failure"
                               : row.forced                   ? " forced"
                                                              : "";
  return out + fmt::format("<td class=\"told{}\" colspan=\"{}\">{}{}</td></tr>\n", css,
                           std::max<std::size_t>(threads.size(), 1), mark, html_text(row.text));
}

std::string lanes(const Report& report, std::size_t rows_max) {
  if (report.ok() || report.trace.empty()) return "";
  const Columns columns = columns_of(report, rows_max);
  std::string out = "<table class=\"lanes\"><thead><tr><th class=\"t\">time in s</th>";
  for (const ThreadId thread : columns.threads) {
    out += fmt::format("<th>{}</th>", html_text(thread_name(report, thread)));
  }
  out += "</tr></thead><tbody>\n";
  if (columns.left_out > 0) {
    out += fmt::format(
        "<tr><td class=\"t\"></td><td class=\"told\" colspan=\"{}\">{} steps before "
        "this are not shown</td></tr>\n",
        std::max<std::size_t>(columns.threads.size(), 1), grouped(columns.left_out));
  }
  Instant before = no_deadline;
  for (const Row& row : columns.rows) {
    out += lane_row(row, columns.threads, row.at == before);
    before = row.at;
  }
  return out + "</tbody></table>\n";
}

std::string log_lines(const Report& report) {
  if (report.log.empty()) return "";
  constexpr std::size_t shown_max = 500;
  const std::size_t from = report.log.size() > shown_max ? report.log.size() - shown_max : 0;
  std::string out;
  if (from > 0) out += fmt::format("({} lines before this are not shown)\n", grouped(from));
  for (std::size_t i = from; i < report.log.size(); ++i) out += html_text(report.log[i]) + "\n";
  return fmt::format("<details><summary>{} lines</summary><pre>{}</pre></details>\n",
                     grouped(report.log.size()), out);
}

constexpr std::string_view hatch =
    "<svg width=\"0\" height=\"0\" style=\"position:absolute;min-width:0\" aria-hidden=\"true\">"
    "<defs><pattern id=\"hatch\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\">"
    "<path d=\"M-1,1l2,-2M0,7l7,-7M6,8l2,-2\"/></pattern></defs></svg>\n";

std::string results_section(const Report& report) {
  return fmt::format(
      "<section class=\"pair\"><div><h2>Times</h2><div class=\"card\">{}</div></div>"
      "<div><h2>Results</h2><div class=\"card\">{}</div></div></section>\n",
      percentile_table(report), result_table(report));
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f) {
      out += "\ufffd";
    } else {
      out += c;
    }
  }
  return out;
}

std::string to_html(const Case& shown, const HtmlOptions& options) {
  const Report& report = shown.report;
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += fmt::format("<title>{} {}</title>\n<style>{}</style></head><body>\n",
                     report.ok() ? "\u2713" : "\u2717", html_text(shown.scenario.name), html_style);
  out += std::string(hatch) + head(shown);
  out += section("Verdicts", "", verdict_tables(report));
  const std::string over_time = states_chart(shown) + waits_chart(shown);
  out += section("Over time",
                 "Connections by state, stacked; hatched: faults of the server. "
                 "Waits count from when the work was due.",
                 over_time);
  out += results_section(report);
  out += section("Percentiles", "Each further nine takes the same room.", percentiles_chart(shown));
  out += section("How it ended, step by step",
                 "One lane for each thread; an arrow says why another one goes on. "
                 "Numbers name locks and variables.",
                 lanes(report, options.lane_rows_max));
  out += section("Coverage",
                 "How often a connection in this state met this operation or event; "
                 "a dot: never.",
                 heat_map(report.judgement));
  out += section("Log of the pool", "", log_lines(report));
  return out + fmt::format("<script>{}</script>\n</body></html>\n", html_script);
}

}  // namespace weir::sim
