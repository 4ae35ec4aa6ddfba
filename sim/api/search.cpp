// SPDX-License-Identifier: MIT
//
// Search: a drawn scenario in which whatever the host's own scenario says is as that says it.
#include "core/observe/texts.hpp"
#include "sim/api/outcome.hpp"
#include "sim/explore/campaign.hpp"
#include "sim/explore/scenario_file.hpp"
#include "sim/report/facts.hpp"
#include "sim/world/streams.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace weir::sim {
namespace {

// ---------------------------------------------------------------- what is drawn

// So long must a run be for all that the host's scenario has in it to begin.
Duration least_duration(const Scenario& base) {
  Duration last{};
  const auto begins = [&](Duration at) { last = std::max(last, at); };
  for (const Fault& fault : base.server.faults) begins(Duration(fault.from));
  for (const DiskTrouble& trouble : base.disk.faults) begins(trouble.from);
  for (const Action& action : base.actions) begins(action.at);
  for (const ClientGroup& group : base.clients) begins(group.from);
  return std::min<Duration>(last + std::chrono::milliseconds(1), base.duration);
}

// Puts the host's scenario over a drawn one.
class Overlay {
 public:
  Overlay(const Search& search, Scenario base)
      : base_(std::move(base)),
        pools_(search.pools),
        faults_(search.faults),
        actions_(search.actions),
        statements_(search.statements) {}

  void operator()(Scenario& s) const {
    s.name = base_.name;
    s.duration = std::max(s.duration, least_duration(base_));
    s.steps_max = std::min(s.steps_max, base_.steps_max);
    s.plugin = base_.plugin;
    pool(s.pool);
    clients(s);
    if (has_plugin(s)) {
      s.server = {};
    } else {
      server(s.server);
      disk(s.disk);
    }
    if (!base_.actions.empty() || !actions_) s.actions = base_.actions;
    cut_to(s, s.duration);
  }

 private:
  // A drawn one is still of the same database, and does with it what the host's does.
  void pool(PoolConfig& pool) const {
    if (!pools_) return;
    pool.driver = base_.pool.driver;
    pool.name = base_.pool.name;
    pool.url = base_.pool.url;
    pool.options = base_.pool.options;
    pool.init_sql = base_.pool.init_sql;
    pool.retry = base_.pool.retry;
  }

  void clients(Scenario& s) const {
    // What is drawn for clients to say is about tables of a setup that is drawn, too.
    const bool drawn = base_.clients.empty() && base_.setup.empty() && statements_;
    if (!drawn) s.setup = base_.setup;
    if (!base_.clients.empty()) {
      s.clients = base_.clients;
      for (ClientGroup& group : s.clients) {
        base::Random random = stream(s.seed, group.number, "count");
        group.count = 1 + static_cast<std::uint32_t>(random.next() % group.count);
      }
    } else if (!drawn) {
      for (ClientGroup& group : s.clients) say_nothing(group);
    }
  }

  // What is left is when the rounds are, and how many.
  static void say_nothing(ClientGroup& group) {
    group.sql.clear();
    group.transaction = false;
    group.retry = false;
    group.hold = {};
    group.timeout.reset();
    group.waits = ClientGroup::Waits::thread;
    group.gives_up.reset();
    group.together = 1;
    group.nested = 0;
    group.leak_ppm = 0;
  }

  void server(Settings& settings) const {
    Settings times = base_.server;
    std::vector<Fault> faults = std::exchange(times.faults, {});
    if (faults.empty() && faults_) faults = std::move(settings.faults);
    if (times != Settings{}) settings = times;
    settings.faults = std::move(faults);
  }

  void disk(DiskSettings& disk) const {
    const DiskSettings& base = base_.disk;
    if (base.latency != Distribution{} || base.sync != Distribution{}) {
      disk.latency = base.latency;
      disk.sync = base.sync;
    }
    if (!base.faults.empty() || !faults_) disk.faults = base.faults;
  }

  Scenario base_;
  bool pools_;
  bool faults_;
  bool actions_;
  bool statements_;
};

Result<Generator> generator_of(Search search) {
  auto base = scenario_from_string(search.scenario, "scenario", search.base_dir);
  if (!base) return fail(std::move(base).error());
  if (base->clock == Clock::wall) {
    return fail(Code::config_conflict,
                "clock = \"wall\": no two runs by the wall clock are the same, so what a search "
                "found could not be found again; simulate() runs such a scenario once");
  }
  if (has_plugin(*base)) search.statements = false;  // what its database understands is not known
  Generator generator;
  generator.longest = base->duration;
  generator.driver = base->pool.driver;
  generator.engine = engine_of(search.os_threads);
  if (!search.pools) generator.pool = base->pool;
  generator.shape = Overlay(search, *std::move(base));
  return generator;
}

// ---------------------------------------------------------------- what was found

// Whether the case does again what its file says it does.
std::string replays(const CaseFound& found, Engine engine, const Host& host) {
  if (found.report.ok()) return "a run that had failed did not fail again";
  return compare_runs(found.minimal, found.report, engine, host);
}

std::string times_text(const Findings& findings) {
  return fmt::format("{} runs, {} of virtual time in {}", grouped(findings.runs),
                     observe::short_duration(findings.virtual_time),
                     observe::short_duration(findings.wall));
}

}  // namespace

std::string Findings::text() const {
  std::string out;
  for (const Outcome& outcome : found) {
    out += fmt::format("{}: {}\n\n{}\nThe case as a file:\n\n{}\n", outcome.property(),
                       outcome.story(), outcome.columns(), outcome.scenario());
  }
  for (const std::string& differs : nondeterministic) out += differs + "\n";
  out += times_text(*this) + "\nput to the test:";
  for (const auto& [property, count] : checked) {
    out += fmt::format(" {} {}", property, short_count(count));
  }
  return out + "\n";
}

Result<Findings> explore(const Search& search, const Host& host) {
  Search asked = search;
  asked.statements = search.statements && !host.work;
  auto generator = generator_of(asked);
  if (!generator) return fail(std::move(generator).error());
  CampaignOptions options;
  options.budget = search.budget;
  options.runs_max = search.runs_max;
  options.seed = search.seed;
  options.generator = *std::move(generator);
  options.host = host;
  options.engine = engine_of(search.os_threads);
  options.twice = search.twice;
  options.findings_max = search.findings_max;
  options.shrink_budget = search.shrink_budget;
  CampaignState state = explore(options);

  Findings findings;
  for (CaseFound& found : state.found) {
    if (found.report.unable) return fail(*std::move(found.report.unable));
    if (std::string differs = replays(found, options.engine, host); !differs.empty()) {
      state.nondeterministic.push_back(std::move(differs));
    } else {
      findings.found.push_back(
          make_outcome({std::move(found.minimal), std::move(found.report), {}, options.engine}));
    }
  }
  findings.nondeterministic = std::move(state.nondeterministic);
  findings.runs = state.runs;
  findings.steps = state.steps;
  findings.virtual_time = state.virtual_time;
  findings.wall = state.wall;
  findings.checked = std::move(state.judgement.checked);
  return findings;
}

Result<std::string> draw(const Search& search, std::uint64_t seed, int size) {
  const auto generator = generator_of(search);
  if (!generator) return fail(generator.error());
  return to_toml(draw(base::Random(seed), size, *generator));
}

Result<std::vector<std::string>> smaller(std::string_view scenario, const std::string& base_dir) {
  auto read = scenario_from_string(scenario, "scenario", base_dir);
  if (!read) return fail(std::move(read).error());
  read->expected = {};
  const std::string own = to_toml(*read);
  std::vector<std::string> all;
  for (const Scenario& candidate : candidates(*read)) {
    // What differs only in something without effect is the same file: a shrinker would go on for
    // ever.
    if (std::string text = to_toml(candidate); text != own) all.push_back(std::move(text));
  }
  return all;
}

}  // namespace weir::sim
