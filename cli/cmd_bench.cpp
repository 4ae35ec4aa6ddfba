// SPDX-License-Identifier: MIT
//
// weir bench: closed loop, or arrivals at a rate.
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "core/base/histogram.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include <fmt/format.h>

namespace weir::cli {
namespace {

struct Plan {
  std::uint64_t rate = 0;  // per second; 0 = as many as possible
  Duration time{};
  std::uint64_t threads = 0;
  std::string sql;
};

struct Sample {
  Duration wait;   // until the connection
  Duration query;  // with it
};

// What all threads have measured. They hand over many samples at once, so the lock is cheap.
class Results {
 public:
  void add(const std::vector<Sample>& samples) {
    const std::lock_guard lock(mutex_);
    for (const Sample& sample : samples) {
      wait_.add(sample.wait);
      query_.add(sample.query);
    }
  }
  void add_failure(const Error& error) {
    const std::lock_guard lock(mutex_);
    auto& [count, first] = failures_.try_emplace(error.code(), 0, error).first->second;
    ++count;
  }
  struct Summary {
    LatencySummary wait;
    LatencySummary query;
    std::map<Code, std::pair<std::uint64_t, Error>> failures;
  };
  [[nodiscard]] Summary summary() const {
    const std::lock_guard lock(mutex_);
    return {wait_.summary(), query_.summary(), failures_};
  }

 private:
  mutable std::mutex mutex_;
  base::Histogram wait_;
  base::Histogram query_;
  std::map<Code, std::pair<std::uint64_t, Error>> failures_;  // how often, and the first one
};

class Load {
 public:
  Load(Context& context, Pool& pool, const Plan& plan)
      : context_(context),
        pool_(pool),
        plan_(plan),
        start_(pool.now()),
        end_(after(start_, plan.time)) {}

  // Blocks: for the planned time. Returns: how long it really took. Errors: resource, if there are
  // not as many threads to be had.
  Result<Duration> run() {
    std::vector<std::thread> threads;
    try {
      while (threads.size() < plan_.threads) threads.emplace_back([this] { work(); });
    } catch (const std::exception& e) {
      given_up_ = true;
      for (std::thread& thread : threads) thread.join();
      return weir::fail(Code::resource, fmt::format("of {} threads only {} could be started: {}",
                                                    plan_.threads, threads.size(), e.what()));
    }
    while (!over() && running_ != 0) {
      pool_.sleep_until(std::min(end_, after(pool_.now(), std::chrono::milliseconds(100))));
      show_progress();
    }
    for (std::thread& thread : threads) thread.join();
    context_.out.end_progress();
    return pool_.now() - start_;
  }
  [[nodiscard]] const Results& results() const { return results_; }

 private:
  [[nodiscard]] bool over() const {
    return given_up_ || context_.interrupt.raised() || pool_.now() >= end_;
  }

  // When the next operation is due; nothing if that is after the end.
  std::optional<Instant> next_due() {
    if (plan_.rate == 0) return over() ? std::nullopt : std::optional(pool_.now());
    const std::uint64_t n = arrivals_.fetch_add(1);
    const double offset = static_cast<double>(n) * 1e9 / static_cast<double>(plan_.rate);
    const Instant due = after(start_, Duration(static_cast<std::int64_t>(offset)));
    if (due >= end_) return std::nullopt;
    while (!over() && pool_.now() < due) {
      pool_.sleep_until(std::min(due, after(pool_.now(), std::chrono::milliseconds(50))));
    }
    return over() ? std::nullopt : std::optional(due);
  }

  void work() {
    std::vector<Sample> samples;
    samples.reserve(samples_max);
    while (const auto due = next_due()) {
      if (auto sample = operate(*due)) {
        samples.push_back(*sample);
        done_.fetch_add(1, std::memory_order_relaxed);
      } else if (!context_.interrupt.raised()) {
        results_.add_failure(sample.error());
        if (sample.error().exit_code() == exit_unavailable) break;  // it will not get better
      }
      if (samples.size() == samples_max) {
        results_.add(samples);
        samples.clear();
      }
    }
    results_.add(samples);
    running_.fetch_sub(1);
  }

  Result<Sample> operate(Instant due) {
    return pool_.with({.tag = "bench"}, [&](Connection& c) -> Result<Sample> {
      const Instant lent = pool_.now();
      auto statement = c.prepare(plan_.sql);
      if (!statement) return weir::fail(statement.error());
      auto rows = statement->query();
      if (!rows) return weir::fail(rows.error());
      return Sample{lent - due, pool_.now() - lent};
    });
  }

  void show_progress() {
    if (!context_.out.shows_progress()) return;
    const double seconds = std::chrono::duration<double>(pool_.now() - start_).count();
    const PoolStats stats = pool_.stats();
    const std::uint64_t done = done_.load(std::memory_order_relaxed);
    context_.out.progress(
        fmt::format("{:.1f} s of {}  {} operations  {:.0f} /s  lent {} of {}  waiting {}", seconds,
                    readable(plan_.time), done, static_cast<double>(done) / seconds, stats.now.lent,
                    stats.now.max, stats.now.waiting));
  }

  static constexpr std::size_t samples_max = 256;

  Context& context_;
  Pool& pool_;
  const Plan& plan_;
  Instant start_;
  Instant end_;
  std::atomic<std::uint64_t> arrivals_ = 0;
  std::atomic<std::uint64_t> done_ = 0;
  std::atomic<std::uint64_t> running_ = plan_.threads;
  std::atomic<bool> given_up_ = false;
  Results results_;
};

nlohmann::ordered_json latency_json(const LatencySummary& s) {
  return {{"count", s.count},
          {"mean_ns", s.mean.count()},
          {"p50_ns", s.p50.count()},
          {"p99_ns", s.p99.count()},
          {"max_ns", s.max.count()}};
}

std::string latency_line(std::string_view label, const LatencySummary& s) {
  return fmt::format("{:<12}p50 {:<10} p99 {:<10} max {}\n", label, readable(s.p50),
                     readable(s.p99), readable(s.max));
}

void print_json(Context& context, const Plan& plan, const Pool& pool, Duration took,
                const Results::Summary& summary) {
  const double seconds = std::chrono::duration<double>(took).count();
  nlohmann::ordered_json failures = nlohmann::ordered_json::array();
  for (const auto& [code, entry] : summary.failures) {
    failures.push_back({{"count", entry.first}, {"first", to_json(entry.second)}});
  }
  context.json({{"pool", pool.name()},
                {"threads", plan.threads},
                {"rate", plan.rate},
                {"seconds", seconds},
                {"operations", summary.wait.count},
                {"per_second", static_cast<double>(summary.wait.count) / seconds},
                {"wait", latency_json(summary.wait)},
                {"query", latency_json(summary.query)},
                {"failures", failures},
                {"stats", nlohmann::ordered_json::parse(pool.stats().to_json())}});
}

void print_text(Context& context, const Plan& plan, const Pool& pool, Duration took,
                const Results::Summary& summary) {
  const double seconds = std::chrono::duration<double>(took).count();
  const auto per_second = static_cast<double>(summary.wait.count) / seconds;
  context.out.data(fmt::format("{:<12}{:.0f} /s ({} in {}, {} threads, {} connections at most)\n",
                               "throughput", per_second, summary.wait.count, readable(took),
                               plan.threads, pool.config().max));
  if (plan.rate != 0) context.out.data(fmt::format("{:<12}{} /s\n", "asked for", plan.rate));
  context.out.data(latency_line("wait", summary.wait));
  context.out.data(latency_line("query", summary.query));
  for (const auto& [code, entry] : summary.failures) {
    context.out.data(fmt::format("{:<12}{} x {} {}\n", "failed", entry.first, entry.second.id(),
                                 entry.second.name()));
    context.out.prose(entry.second.what());
  }
}

Result<Plan> read_plan(const Context& context) {
  auto rate = whole_number(context, "--rate", 0, 1, 100'000'000);
  if (!rate) return weir::fail(rate.error());
  auto threads = whole_number(context, "--threads", 8, 1, 1024);
  if (!threads) return weir::fail(threads.error());
  auto time = duration(context, "--for", std::chrono::seconds(5));
  if (!time) return weir::fail(time.error());
  return Plan{*rate, *time, *threads, context.text("--sql", "SELECT 1")};
}

}  // namespace

int run_bench(Context& context) {
  auto plan = read_plan(context);
  if (!plan) return context.usage_error(plan.error().message());
  auto config = load_config(context);
  if (!config) return context.fail(config.error());
  auto chosen = choose_pool(*config, context.text("POOL"));
  if (!chosen) return context.fail(chosen.error());
  chosen->start = Start::background;  // an eager one would be waited for where no signal is heard
  auto pools = open_pool(context, *config, *chosen);
  if (!pools) return context.fail(pools.error());
  Pool& pool = (*pools)[chosen->name];
  const Interrupt::Action stop(context.interrupt,
                               [&] { static_cast<void>(pools->drain(Duration{})); });
  // A database that is not there is better said once than by every thread.
  if (auto ready = pool.wait_ready(chosen->start_timeout); !ready) {
    return context.fail(ready.error());
  }
  Load load(context, pool, *plan);
  const auto took = load.run();
  if (!took) return context.fail(took.error());
  const Results::Summary summary = load.results().summary();
  if (context.global.json) {
    print_json(context, *plan, pool, *took, summary);
  } else {
    print_text(context, *plan, pool, *took, summary);
  }
  if (summary.failures.empty()) return exit_ok;
  return summary.failures.begin()->second.second.exit_code();
}

}  // namespace weir::cli
