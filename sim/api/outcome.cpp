// SPDX-License-Identifier: MIT
#include "sim/api/outcome.hpp"

#include "sim/explore/build_id.hpp"
#include "sim/explore/scenario_file.hpp"
#include "sim/report/columns.hpp"
#include "sim/report/html.hpp"
#include "sim/report/text.hpp"

#include <algorithm>

namespace weir::sim {
namespace {

Case shown(const Outcome::Data& data) { return {data.scenario, data.report, data.wall}; }

}  // namespace

Outcome make_outcome(Outcome::Data data) {
  const Ending& ending = data.report.ending;
  data.scenario.expected = {};
  if (!ending.ok()) {
    data.scenario.expected = {ending.property, ending.trace_hash, build_id(),
                              ending.text.substr(0, ending.text.find('\n'))};
  }
  return Outcome(std::make_shared<const Outcome::Data>(std::move(data)));
}

bool Outcome::ok() const noexcept { return data_->report.ok(); }
const std::string& Outcome::property() const noexcept { return data_->report.signature(); }
const std::string& Outcome::story() const noexcept { return data_->report.ending.text; }
std::uint64_t Outcome::trace_hash() const noexcept { return data_->report.ending.trace_hash; }
Duration Outcome::virtual_time() const noexcept { return data_->report.virtual_time; }

std::uint64_t Outcome::rounds() const noexcept { return data_->report.rounds; }

std::uint64_t Outcome::failures() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& [code, count] : data_->report.failures) sum += count;
  return sum;
}

std::uint64_t Outcome::failures(Code code) const noexcept {
  for (const auto& [one, count] : data_->report.failures) {
    if (one == code) return count;
  }
  return 0;
}

LatencySummary Outcome::round() const { return data_->report.round.summary(); }
const PoolStats& Outcome::stats() const noexcept { return data_->report.stats; }

std::uint64_t Outcome::checked(std::string_view property) const {
  const auto& checked = data_->report.judgement.checked;
  const auto found = checked.find(property);
  return found == checked.end() ? 0 : found->second;
}

std::string Outcome::scenario() const { return to_toml(data_->scenario); }

std::string Outcome::text() const {
  const std::string steps = columns();
  return to_text(shown(*data_)) + (steps.empty() ? "" : "\n" + steps);
}

std::string Outcome::columns() const { return ok() ? "" : to_columns(data_->report); }
std::string Outcome::html() const { return to_html(shown(*data_)); }

}  // namespace weir::sim
