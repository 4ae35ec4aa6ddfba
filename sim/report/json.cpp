// SPDX-License-Identifier: MIT
#include "sim/report/json.hpp"

#include <nlohmann/json.hpp>

namespace weir::sim {
namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json verdict(const Verdict& v) {
  constexpr std::string_view words[] = {"broken", "held", "untested"};
  Json out = {{"property", v.property},
              {"verdict", words[static_cast<std::size_t>(v.state)]},
              {"times", v.times},
              {"promise", v.promise}};
  if (v.state == Verdict::State::broken) out["sentence"] = v.sentence;
  return out;
}

Json percentiles(const base::Histogram& histogram) {
  const LatencySummary s = histogram.summary();
  return {{"count", s.count},        {"mean_ns", s.mean.count()}, {"p50_ns", s.p50.count()},
          {"p90_ns", s.p90.count()}, {"p99_ns", s.p99.count()},   {"p999_ns", s.p999.count()},
          {"max_ns", s.max.count()}};
}

Json ending(const Report& report) {
  constexpr std::string_view kinds[] = {"done", "failed", "hang"};
  return {{"kind", kinds[static_cast<std::size_t>(report.ending.kind)]},
          {"property", report.ending.property},
          {"text", report.ending.text},
          {"at_ns", since_beginning(report.ending.at).count()},
          {"steps", report.ending.steps}};
}

Json result_list(const Report& report) {
  Json list = Json::array();
  for (const ResultCount& r : results(report)) {
    list.push_back({{"code", r.id}, {"name", r.name}, {"count", r.count}});
  }
  return list;
}

Json coverage(const Judgement& judgement) {
  Json list = Json::array();
  for (const auto& [where, times] : judgement.seen) {
    list.push_back({{"state", where.first}, {"event", where.second}, {"times", times}});
  }
  return list;
}

}  // namespace

std::string json_string(std::string_view text) { return dumped(Json(std::string(text))); }

std::string to_json(const Case& shown) {
  const Report& r = shown.report;
  Json out = {{"scenario", shown.scenario.name},
              {"ok", r.ok()},
              {"seed", shown.scenario.seed},
              {"trace_hash", hash_text(r.ending.trace_hash)},
              {"ending", ending(r)}};
  Json& list = out["verdicts"] = Json::array();
  for (const Verdict& v : verdicts(r)) list.push_back(verdict(v));
  for (const Measure& m : measures(r)) out[std::string(m.name)] = percentiles(m.histogram);
  out["rounds"] = r.rounds;
  out["results"] = result_list(r);
  out["sessions_max"] = r.sessions_max;
  out["virtual_ns"] = r.virtual_time.count();
  out["stalled_ns"] = r.stalled.count();
  if (shown.wall > Duration{}) out["wall_ns"] = shown.wall.count();
  Json& deviations = out["deviations"] = Json::array();
  for (const Deviation& d : r.deviations) deviations.push_back(to_string(d));
  out["coverage"] = coverage(r.judgement);
  out["marks"] = Json::object();
  for (const auto& [mark, times] : r.judgement.marks) out["marks"][mark] = times;
  return dumped(out);
}

}  // namespace weir::sim
