// SPDX-License-Identifier: MIT
//
// weir sim: run, explore, replay, minimize. The simulator itself is in sim/; here its scenarios are
// read from files and its reports are written where the user wants them.
#include "cli/command.hpp"
#include "cli/sim_support.hpp"
#include "core/observe/texts.hpp"
#include "sim/explore/build_id.hpp"
#include "sim/explore/campaign.hpp"
#include "sim/report/columns.hpp"
#include "sim/report/html.hpp"
#include "sim/report/json.hpp"
#include "sim/report/perfetto.hpp"
#include "sim/report/text.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <unistd.h>

#include <fmt/format.h>

namespace weir::cli {
namespace {

using WallClock = std::chrono::steady_clock;

struct Timed {
  sim::Report report;
  Duration wall;
};

Timed run_timed(const sim::Scenario& scenario, const sim::RunOptions& options) {
  const auto begin = WallClock::now();
  sim::Report report = sim::run(scenario, options);
  return {std::move(report), std::chrono::duration_cast<Duration>(WallClock::now() - begin)};
}

// --trace, --html: whichever is asked for.
Result<void> write_reports(const Context& context, const sim::Case& shown) {
  if (context.has("--trace")) {
    if (auto ok = write_file(context.text("--trace"), sim::to_perfetto(shown)); !ok) return ok;
  }
  if (context.has("--html")) return write_file(context.text("--html"), sim::to_html(shown));
  return {};
}

void show(Context& context, const sim::Case& shown) {
  if (context.global.json) {
    context.out.data(sim::to_json(shown) + "\n");
    return;
  }
  context.out.data(sim::to_text(shown));
  if (!shown.report.ok() && !shown.report.trace.empty()) {
    context.out.data("\n" + sim::to_columns(shown.report));
  }
}

int code_of(const sim::Report& report) { return report.ok() ? exit_ok : exit_property; }

// The scenario of FILE, with the seed and the engine of the command line.
struct Prepared {
  sim::Scenario scenario;
  sim::RunOptions options;
};
// `again`: what cannot be done unless another run is the same; empty if nothing depends on that.
// Returns: nothing once it was said what is wrong, with `code` to exit with.
std::optional<Prepared> prepare(Context& context, int& code, std::string_view again = {}) {
  const auto wrong = [&](int why) {
    code = why;
    return std::nullopt;
  };
  auto engine = engine_of(context);
  if (!engine) return wrong(context.usage_error(engine.error().message()));
  auto seed = whole_number(context, "--seed", 1, 0, INT64_MAX);
  if (!seed) return wrong(context.usage_error(seed.error().message()));
  auto scenario = sim::read_scenario(context.text("FILE"));
  if (!scenario) return wrong(context.fail(scenario.error()));
  if (context.has("--seed")) scenario->seed = *seed;
  if (!again.empty()) {
    if (auto ok = repeatable(*scenario, context.text("FILE"), again); !ok) {
      return wrong(context.fail(ok.error()));
    }
  }
  sim::RunOptions options;
  options.engine = *engine;
  options.keep_history = context.has("--html") || context.has("--trace");
  options.keep_trace = scenario->clock == sim::Clock::wall;
  options.interrupted = [&context] { return context.interrupt.raised(); };
  return Prepared{*std::move(scenario), std::move(options)};
}

// Runs it; if it fails, once more, with its steps, so that it can be shown. The same run: its steps
// are the same whether they are kept or not.
// Returns: nothing once it was said that it was interrupted or could not be made, with `code` to
// exit with.
std::optional<Timed> run_to_show(Context& context, const Prepared& prepared, int& code) {
  Timed timed = run_timed(prepared.scenario, prepared.options);
  const auto interrupted = [&] { return timed.report.signature() == sim::interrupted_run; };
  if (timed.report.unable) {
    code = context.fail(*timed.report.unable);
    return std::nullopt;
  }
  if (!timed.report.ok() && !interrupted() && !prepared.options.keep_trace &&
      timed.report.ending.steps <= sim::trace_steps_max) {
    sim::RunOptions again = prepared.options;
    again.keep_trace = true;
    timed.report = sim::run(prepared.scenario, again);
  }
  if (!interrupted()) return timed;
  context.out.prose(fmt::format("interrupted after {} of virtual time: nothing can be said of it\n",
                                observe::short_duration(timed.report.virtual_time)));
  code = context.interrupt.exit_code();
  return std::nullopt;
}

}  // namespace

int run_sim_run(Context& context) {
  int code = exit_ok;
  auto prepared = prepare(context, code, context.has("--twice") ? "two cannot be compared" : "");
  if (!prepared) return code;
  const auto timed = run_to_show(context, *prepared, code);
  if (!timed) return code;
  const sim::Case shown{prepared->scenario, timed->report, timed->wall};
  if (auto written = write_reports(context, shown); !written) return context.fail(written.error());
  show(context, shown);
  if (!context.has("--twice")) return code_of(timed->report);
  const std::string differs =
      sim::compare_runs(prepared->scenario, timed->report, prepared->options.engine);
  if (differs.empty()) return code_of(timed->report);
  context.out.prose(differs + "\n");
  return exit_nondeterminism;
}

namespace {

// What has become of the case that the file was written from.
std::string compared(const sim::Report& report, const sim::Expected& expected) {
  const std::string wanted =
      expected.property.empty() ? "all to hold" : expected.property + " to break";
  if (expected.property != report.signature()) {
    return report.ok() ? "stale or mended: the file expects " + wanted +
                             ", and in this build nothing breaks"
                       : "another failure: the file expects " + wanted;
  }
  if (expected.trace_hash == 0) return "ends as expected; the file names no trace to compare with";
  if (expected.trace_hash == report.ending.trace_hash) return "replayed exactly";
  const std::string writer = expected.build.empty() || expected.build == sim::build_id()
                                 ? "the one that wrote the file"
                                 : "build " + expected.build + ", which wrote the file";
  return "stale, but it ends as expected: this build, " + sim::build_id() +
         ", takes other steps than " + writer + "; `weir sim minimize` writes it anew";
}

}  // namespace

int run_sim_replay(Context& context) {
  int code = exit_ok;
  auto prepared = prepare(context, code, "this one cannot be replayed");
  if (!prepared) return code;
  const auto timed = run_to_show(context, *prepared, code);
  if (!timed) return code;
  const sim::Report& report = timed->report;
  const sim::Case shown{prepared->scenario, report, timed->wall};
  if (auto written = write_reports(context, shown); !written) return context.fail(written.error());
  show(context, shown);
  context.out.prose(compared(report, prepared->scenario.expected) + "\n");
  // A file of a failing case is a test: it passes once the failure is gone.
  return code_of(report);
}

int run_sim_minimize(Context& context) {
  int code = exit_ok;
  auto prepared = prepare(context, code, "this one cannot be made smaller");
  if (!prepared) return code;
  auto budget = duration(context, "--budget", std::chrono::seconds(30));
  if (!budget) return context.usage_error(budget.error().message());
  const auto timed = run_to_show(context, *prepared, code);
  if (!timed) return code;
  if (timed->report.ok()) {
    if (context.global.json) context.json({{"ok", true}});
    context.out.prose(context.text("FILE") +
                      ": nothing fails, so there is nothing to make smaller\n");
    return exit_failed;
  }
  const sim::CaseFound found =
      sim::minimize(prepared->scenario, timed->report, *budget, prepared->options.engine,
                    [&] { return context.interrupt.raised(); });
  const std::string text = sim::to_toml(found.minimal);
  const bool to_file = context.has("--out");
  if (to_file) {
    if (auto written = write_file(context.text("--out"), text); !written) {
      return context.fail(written.error());
    }
  }
  if (context.global.json) {
    nlohmann::ordered_json j{
        {"ok", false}, {"property", found.report.signature()}, {"runs", found.shrunk_in}};
    j[to_file ? "file" : "scenario"] = to_file ? context.text("--out") : text;
    context.json(j);
  } else if (!to_file) {
    context.out.data(text);
  }
  context.out.prose(fmt::format("{} runs; {}\n", found.shrunk_in, sim::headline(found.report)));
  context.interrupt.settle();  // a signal ends the search, and what was found counts
  return exit_property;
}

// ---------------------------------------------------------------- explore

namespace {

std::string progress_line(const sim::CampaignState& state) {
  return fmt::format("{} runs, {} of virtual time, {} found", sim::grouped(state.runs),
                     observe::short_duration(state.virtual_time), state.found.size());
}

nlohmann::ordered_json json_of(const sim::CampaignState& state,
                               const std::vector<std::string>& files) {
  nlohmann::ordered_json j{{"ok", state.found.empty() && state.nondeterministic.empty()},
                           {"runs", state.runs},
                           {"steps", state.steps},
                           {"virtual_ns", state.virtual_time.count()},
                           {"wall_ns", state.wall.count()}};
  j["checked"] = nlohmann::ordered_json::object();
  for (const auto& [property, count] : state.judgement.checked) j["checked"][property] = count;
  j["marks"] = nlohmann::ordered_json::object();
  for (const auto& [mark, times] : state.judgement.marks) j["marks"][mark] = times;
  j["found"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < state.found.size(); ++i) {
    const sim::CaseFound& f = state.found[i];
    j["found"].push_back({{"property", f.minimal.expected.property},
                          {"story", f.minimal.expected.story},
                          {"run", f.run},
                          {"after_ns", f.found_after.count()},
                          {"trace_hash", sim::hash_text(f.minimal.expected.trace_hash)},
                          {"file", files[i]}});
  }
  j["nondeterministic"] = state.nondeterministic;
  return j;
}

void tell(Context& context, const sim::CampaignState& state,
          const std::vector<std::string>& files) {
  if (context.global.json) return context.json(json_of(state, files));
  const bool good = state.found.empty() && state.nondeterministic.empty();
  context.out.data(context.out.mark(good) + " " + progress_line(state) +
                   fmt::format(" in {} ({} steps)\n", observe::short_duration(state.wall),
                               sim::grouped(state.steps)));
  for (const std::string& differs : state.nondeterministic) context.out.data(differs + "\n");
  for (std::size_t i = 0; i < state.found.size(); ++i) {
    const sim::CaseFound& f = state.found[i];
    context.out.data(
        fmt::format("\n{}: {}\n  found in run {} after {}, made small in {} runs\n"
                    "  weir sim replay {}\n\n",
                    f.minimal.expected.property, f.minimal.expected.story, f.run,
                    observe::short_duration(f.found_after), f.shrunk_in, files[i]));
    context.out.data(sim::to_columns(f.report));
  }
  context.out.data("\nput to the test:");
  for (const auto& [property, count] : state.judgement.checked) {
    context.out.data(fmt::format(" {} {}", property, sim::short_count(count)));
  }
  context.out.data("\n");
  std::string missed;
  for (const auto& [mark, times] : state.judgement.marks) missed += times == 0 ? " " + mark : "";
  if (!missed.empty()) context.out.data("turns of the shell that no run took:" + missed + "\n");
}

// Asked before the search, which may take hours.
Result<void> can_write_to(const std::filesystem::path& folder) {
  std::error_code ignored;  // what comes next says it better
  std::filesystem::create_directories(folder, ignored);
  if (!std::filesystem::is_directory(folder, ignored)) {
    return fail(
        Code::invalid_argument,
        fmt::format("--out {} is no directory, and none can be made there", folder.string()));
  }
  if (::access(folder.c_str(), W_OK) == 0) return {};
  return fail(Code::invalid_argument, fmt::format("no case could be written to --out {}: {}",
                                                  folder.string(), std::strerror(errno)));
}

// Written as soon as they are known, and before anything is shown: what a report cannot show must
// not be lost.
Result<std::vector<std::string>> write_cases(const Context& context,
                                             const sim::CampaignState& state) {
  const std::filesystem::path folder = context.text("--out", ".");
  std::vector<std::string> files;
  for (const sim::CaseFound& f : state.found) {
    files.push_back(
        (folder / fmt::format("fail-{:04x}.toml", f.minimal.expected.trace_hash & 0xffff))
            .string());
    const std::string text = sim::to_toml(f.minimal);
    if (auto ok = write_file(files.back(), text); !ok) {
      context.out.prose(text);
      return fail(std::move(ok).error());
    }
  }
  return files;
}

// `--pool NAME`: the limits of this pool of the configuration, in every scenario; on the mock.
Result<std::optional<PoolConfig>> pool_to_explore(const Context& context) {
  if (!context.has("--pool") && !context.global.config_given) return std::optional<PoolConfig>();
  auto config = load_config(context);
  if (!config) return fail(std::move(config).error());
  auto pool = choose_pool(*config, context.text("--pool"));
  if (!pool) return fail(std::move(pool).error());
  if (pool->max == max_auto) {
    return fail(
        Code::config_value,
        fmt::format("pool {}: a simulated pool needs a number for `max`; write the one that "
                    "`weir doctor` says \"auto\" comes to",
                    pool->name));
  }
  pool->driver = "mock";
  pool->url = Secret("mock:sim");
  pool->options.clear();
  pool->init_sql.clear();
  pool->log = {};
  return std::optional(*std::move(pool));
}

}  // namespace

int run_sim_explore(Context& context) {
  sim::CampaignOptions options;
  auto engine = engine_of(context);
  if (!engine) return context.usage_error(engine.error().message());
  options.engine = *engine;
  auto budget = duration(context, "--budget", std::chrono::seconds(60));
  if (!budget) return context.usage_error(budget.error().message());
  options.budget = *budget;
  auto seed = whole_number(context, "--seed", 1, 0, INT64_MAX);
  if (!seed) return context.usage_error(seed.error().message());
  options.seed = *seed;
  auto runs = whole_number(context, "--runs", UINT64_MAX, 1, INT64_MAX);
  if (!runs) return context.usage_error(runs.error().message());
  options.runs_max = *runs;
  auto most = whole_number(context, "--max-found", 1, 1, 1000);
  if (!most) return context.usage_error(most.error().message());
  options.findings_max = static_cast<std::uint32_t>(*most);
  auto pool = pool_to_explore(context);
  if (!pool) return context.fail(pool.error());
  options.generator.pool = *std::move(pool);
  options.generator.engine = options.engine;
  if (auto good = can_write_to(context.text("--out", ".")); !good) {
    return context.usage_error(good.error().message());
  }
  options.twice = !context.has("--once");
  options.interrupted = [&] { return context.interrupt.raised(); };
  options.progress = [&](const sim::CampaignState& state) {
    context.out.progress(progress_line(state));
  };
  const sim::CampaignState state = sim::explore(options);
  context.out.end_progress();
  auto files = write_cases(context, state);
  if (!files) return context.fail(files.error());
  tell(context, state, *files);
  if (state.nondeterministic.empty() && state.found.empty()) return exit_ok;
  context.interrupt.settle();  // a signal ends the search, and what was found counts
  return state.nondeterministic.empty() ? exit_property : exit_nondeterminism;
}

}  // namespace weir::cli
