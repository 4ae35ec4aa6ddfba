// SPDX-License-Identifier: MIT
//
// weir sim: size, sweep, compare. What many runs say together; the studies themselves are in
// sim/study.
#include "cli/command.hpp"
#include "cli/sim_support.hpp"
#include "sim/study/compare.hpp"
#include "sim/study/size.hpp"
#include "sim/study/sweep.hpp"

#include <fmt/format.h>

namespace weir::cli {
namespace {

Error missing(std::string_view option, std::string_view example) {
  return Error(Code::config_value, fmt::format("{} is missing; write it like {}", option, example));
}

// An option with what is wrong about it.
Error about(std::string_view option, const Error& error) {
  return Error(error.code(), fmt::format("{}: {}", option, error.message()));
}

// What was given of an option that may be given again.
std::vector<std::string> all_of(const Context& context, std::string_view option) {
  std::vector<std::string> all;
  std::string rest = context.text(option);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    all.push_back(rest.substr(0, end));
    rest.erase(0, end + 1);
  }
  return all;
}

Result<sim::StudyOptions> study_options(Context& context, std::uint64_t runs_by_default) {
  sim::StudyOptions options;
  auto engine = engine_of(context);
  if (!engine) return fail(std::move(engine).error());
  options.run.engine = *engine;
  options.run.interrupted = [&context] { return context.interrupt.raised(); };
  auto runs = whole_number(context, "--runs", runs_by_default, 2, 1000);
  if (!runs) return fail(std::move(runs).error());
  options.runs = static_cast<std::uint32_t>(*runs);
  if (auto seed = whole_number(context, "--seed", 1, 0, INT64_MAX); !seed) {
    return fail(std::move(seed).error());
  }
  options.progress = [&context](const std::string& line) { context.out.progress(line); };
  return options;
}

// Errors: of the file, with their exit code.
Result<sim::Scenario> scenario_of(const Context& context, const std::string& file,
                                  std::span<const sim::Setting> settings = {}) {
  auto scenario = sim::read_scenario(file, settings);
  if (!scenario) return scenario;
  if (auto ok = repeatable(*scenario, file, "several say nothing together"); !ok) {
    return fail(std::move(ok).error());
  }
  if (context.has("--seed")) scenario->seed = *whole_number(context, "--seed", 1, 0, INT64_MAX);
  return scenario;
}

int stopped(Context& context, const sim::Stopped& why) {
  context.out.end_progress();
  if (why.interrupted) {
    context.out.prose("interrupted: nothing can be said\n");
    return context.interrupt.exit_code();
  }
  if (why.unable) return context.fail(*why.unable);
  if (context.global.json) context.json({{"ok", false}, {"why", why.why}});
  context.out.prose(why.why + "\n`weir sim run` with this seed shows it\n");
  return exit_property;
}

// The page first: who asked for one, and cannot have it, is told so instead of the numbers.
template <class Answer, class... More>
Result<void> show(Context& context, const Answer& answer, const More&... more) {
  context.out.end_progress();
  if (context.has("--html")) {
    auto ok = write_file(context.text("--html"), to_html(answer, more...));
    if (!ok) return ok;
  }
  context.out.data(context.global.json ? to_json(answer, more...) + "\n"
                                       : to_text(answer, more...));
  return {};
}

}  // namespace

int run_sim_size(Context& context) {
  auto options = study_options(context, 5);
  if (!options) return context.usage_error(options.error().message());
  if (!context.has("--slo")) {
    return context.usage_error(missing("--slo", "--slo 'p99 wait < 20ms'").message());
  }
  auto slo = sim::parse_slo(context.text("--slo"));
  if (!slo) return context.usage_error(about("--slo", slo.error()).message());
  auto most = whole_number(context, "--most", 128, 1, 10'000);
  if (!most) return context.usage_error(most.error().message());
  auto scenario = scenario_of(context, context.text("FILE"));
  if (!scenario) return context.fail(scenario.error());
  const auto answer = sim::find_size(*scenario, *slo, static_cast<std::uint32_t>(*most), *options);
  if (!answer) return stopped(context, answer.error());
  if (auto ok = show(context, *answer, *slo); !ok) return context.fail(ok.error());
  return answer->max ? exit_ok : exit_failed;
}

namespace {

Result<std::vector<sim::Range>> ranges_of(const Context& context) {
  std::vector<sim::Range> ranges;
  for (const std::string& text : all_of(context, "--set")) {
    auto range = sim::parse_range(text);
    if (!range) return fail(about("--set", range.error()));
    ranges.push_back(*std::move(range));
  }
  if (ranges.empty()) return fail(missing("--set", "--set pool.max=2..20"));
  return ranges;
}

}  // namespace

int run_sim_sweep(Context& context) {
  auto options = study_options(context, 5);
  if (!options) return context.usage_error(options.error().message());
  auto ranges = ranges_of(context);
  if (!ranges) return context.usage_error(ranges.error().message());
  const auto settings = sim::combinations(*ranges);
  if (!settings) return context.usage_error(about("--set", settings.error()).message());
  // All of them first: nobody waits for minutes to read that the last value is a wrong one.
  std::vector<sim::Scenario> scenarios;
  for (const auto& point : *settings) {
    auto scenario = scenario_of(context, context.text("FILE"), point);
    if (!scenario) return context.fail(scenario.error());
    scenarios.push_back(*std::move(scenario));
  }
  const auto swept = sim::sweep(scenarios, *settings, *ranges, *options);
  if (!swept) return stopped(context, swept.error());
  if (auto ok = show(context, *swept); !ok) return context.fail(ok.error());
  return exit_ok;
}

namespace {

// B: another file, or FILE with other values.
Result<sim::Scenario> other_of(const Context& context, const std::vector<sim::Setting>& settings) {
  return scenario_of(context, context.text("OTHER", context.text("FILE")), settings);
}

}  // namespace

int run_sim_compare(Context& context) {
  auto options = study_options(context, 10);
  if (!options) return context.usage_error(options.error().message());
  if (context.has("OTHER") == context.has("--with")) {
    return context.usage_error(
        "compare takes a second scenario, or --with KEY=VALUE: one of the two");
  }
  std::vector<sim::Setting> settings;
  for (const std::string& text : all_of(context, "--with")) {
    auto setting = sim::parse_setting(text);
    if (!setting) return context.usage_error(about("--with", setting.error()).message());
    settings.push_back(*std::move(setting));
  }
  auto a = scenario_of(context, context.text("FILE"));
  if (!a) return context.fail(a.error());
  auto b = other_of(context, settings);
  if (!b) return context.fail(b.error());
  auto compared = sim::compare(*a, *b, *options);
  if (!compared) return stopped(context, compared.error());
  if (!settings.empty()) compared->b_name += " with " + to_string(settings);
  if (auto ok = show(context, *compared); !ok) return context.fail(ok.error());
  return exit_ok;
}

}  // namespace weir::cli
