// SPDX-License-Identifier: MIT
//
// weir doctor: each pool through all the steps of its life, on one connection, and what it is set
// to against what its server allows.
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "core/base/text.hpp"
#include "core/loader/loader.hpp"
#include "core/observe/server_advice.hpp"
#include "core/runtime/advice.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir::cli {
namespace {

using nlohmann::ordered_json;

// Prints the steps of one pool and remembers how it ended.
class Examination {
 public:
  Examination(Context& context, const PoolConfig& pool, std::size_t name_width)
      : context_(context), pool_(pool) {
    if (!context_.global.json) {
      context_.out.data(fmt::format("{:<{}} ", pool.name, name_width));
    }
  }

  void passed(std::string_view step, std::string detail = "") {
    if (!context_.global.json) {
      context_.out.data(fmt::format("  {} {}", step, context_.out.mark(true)));
      if (!detail.empty()) context_.out.data(" " + context_.out.toned(Tone::dim, detail));
      context_.out.flush();
    }
    note(step, true, std::move(detail));
  }

  void failed(std::string_view step, const Error& error) {
    if (!context_.global.json) {
      context_.out.data(fmt::format("  {} {}\n", step, context_.out.mark(false)));
    }
    note(step, false, "");
    report_["error"] = to_json(error);
    exit_code_ = context_.interrupt.raised() ? context_.interrupt.exit_code() : error.exit_code();
    context_.out.prose(error.what());
    context_.out.prose(advice(error));
  }

  // Shown below the line of the steps; does not change the exit code.
  void advise(std::vector<observe::Advice> advice) { advice_ = std::move(advice); }

  int finish() {
    if (!context_.global.json && exit_code_ == exit_ok) {
      context_.out.data("\n");
      for (const observe::Advice& a : advice_) print(a);
    }
    report_["pool"] = pool_.name;
    report_["advice"] = ordered_json::array();
    for (const observe::Advice& a : advice_) {
      report_["advice"].push_back(
          {{"grade", word(a)}, {"key", a.key}, {"reason", a.reason}, {"fix", a.fix}});
    }
    report_["ok"] = exit_code_ == exit_ok;
    report_["steps"] = steps_;
    return exit_code_;
  }
  [[nodiscard]] const ordered_json& report() const { return report_; }

 private:
  void note(std::string_view step, bool ok, std::string detail) {
    ordered_json j{{"step", std::string(step)}, {"ok", ok}};
    if (!detail.empty()) j["detail"] = std::move(detail);
    steps_.push_back(std::move(j));
  }

  static const char* word(const observe::Advice& advice) {
    return advice.grade == observe::Advice::Grade::warn ? "warning" : "note";
  }
  void print(const observe::Advice& a) {
    context_.out.data(fmt::format("  {}: {}: {}\n", word(a), a.key, printable(a.reason)));
    context_.out.data(fmt::format("      {}\n", printable(a.fix)));
  }

  // What the message leaves open: where to read more.
  static std::string advice(const Error& error) {
    return fmt::format("      `weir explain {}` says what usually causes this\n", error.id());
  }

  Context& context_;
  const PoolConfig& pool_;
  int exit_code_ = exit_ok;
  ordered_json report_ = ordered_json::object();
  ordered_json steps_ = ordered_json::array();
  std::vector<observe::Advice> advice_;
};

// A session of a driver that cannot clean it goes on as it is (driver.h, `reset`).
bool can_reset(const loader::DriverTable& driver) {
  return driver.has(WEIR_CAP_RESET_SESSION) || driver.has(WEIR_CAP_RESET_FULL);
}

// One connection, which is reset on return, if that can be.
PoolConfig for_examination(PoolConfig pool, bool resets) {
  pool = for_one_connection(std::move(pool));
  pool.max = 1;  // or the second lease would not wait for the reset
  if (resets) pool.reset = ResetPolicy::always;
  return pool;
}

// The next lease of a pool with one idle connection gets that one, so it proves the reset.
Result<void> borrow_again(Pool& pool) {
  const std::uint64_t created = pool.stats().created;
  auto lease = pool.acquire();
  if (!lease) return fail(lease.error());
  if (pool.stats().created != created) {
    return fail(Code::driver_error,
                "the connection could not be reset after use, so it was closed and replaced");
  }
  return {};
}

// What the server says of itself; nothing of a database whose questions are not known.
Result<observe::ServerFacts> ask_server(Pool& pool, std::string_view driver) {
  observe::ServerFacts facts;
  auto lease = pool.acquire();
  if (!lease) return fail(std::move(lease).error());
  for (const observe::Question& question : observe::questions(driver)) {
    auto rows = (*lease)->query(question.sql);
    if (!rows) return fail(std::move(rows).error());
    observe::note_answers(question, *rows, facts);
  }
  return facts;
}

// The pool's own settings, not those that it was examined with. A server that does not answer, or a
// proxy that stands for it, is no fault of the pool's, which works.
void examine_settings(Examination& examination, Pool& pool, const Config& config,
                      const PoolConfig& settings) {
  const Instant asked = pool.now();
  auto facts = ask_server(pool, settings.driver);
  auto advice = observe::advise(settings, facts ? *facts : observe::ServerFacts{},
                                runtime::facts_of_process(config));
  if (!facts) {
    advice.push_back({observe::Advice::Grade::note, "url",
                      "the server did not say what it allows: " + facts.error().message(),
                      "nothing was held against its limits; ask whoever runs it"});
  }
  examination.passed("settings", advice.empty() ? readable(pool.now() - asked)
                                                : fmt::format("{} to look at", advice.size()));
  examination.advise(std::move(advice));
}

// Returns: false if it failed, and that was said.
bool examine_connection(Examination& examination, Pool& pool, bool resets) {
  const Instant asked = pool.now();
  auto lease = pool.acquire({.tag = "doctor"});
  if (!lease) return examination.failed("connect", lease.error()), false;
  examination.passed("connect", readable(pool.now() - asked));

  const Instant sent = pool.now();
  auto rows = (*lease)->query("SELECT 1");
  if (!rows) return examination.failed("query", rows.error()), false;
  examination.passed("query", readable(pool.now() - sent));

  lease->release();
  if (!resets) return examination.passed("reset", "the driver has none"), true;
  if (auto reset = borrow_again(pool); !reset) {
    return examination.failed("reset", reset.error()), false;
  }
  examination.passed("reset");
  return true;
}

void examine(Context& context, const Config& config, const PoolConfig& pool,
             Examination& examination) {
  examination.passed("config");
  // Asked of the loader first, because its answer has the path of the driver.
  auto driver = loader::load(pool.driver, config.drivers, config.base_dir, {});
  if (!driver) return examination.failed("driver", driver.error());
  const bool resets = can_reset((*driver)->table);
  auto pools = open_pool(context, config, for_examination(pool, resets));
  if (!pools) return examination.failed("driver", pools.error());
  examination.passed("driver",
                     fmt::format("{} {}", pool.driver, printable((*driver)->table.info().version)));
  const Interrupt::Action stop(context.interrupt,
                               [&] { static_cast<void>(pools->drain(Duration{})); });
  Pool& open = (*pools)[pool.name];
  if (examine_connection(examination, open, resets)) {
    examine_settings(examination, open, config, pool);
  }
}

}  // namespace

int run_doctor(Context& context) {
  auto config = load_config(context);
  if (!config) return context.fail(config.error());
  std::vector<PoolConfig> pools;
  if (context.has("POOL")) {
    auto chosen = choose_pool(*config, context.text("POOL"));
    if (!chosen) return context.fail(chosen.error());
    pools.push_back(*std::move(chosen));
  } else {
    for (const auto& [name, pool] : config->pools) pools.push_back(pool);
  }

  std::size_t width = 0;
  for (const PoolConfig& pool : pools) width = std::max(width, pool.name.size());
  int worst = exit_ok;
  ordered_json reports = ordered_json::array();
  for (const PoolConfig& pool : pools) {
    if (context.interrupt.raised()) break;
    Examination examination(context, pool, width);
    examine(context, *config, pool, examination);
    const int code = examination.finish();
    if (worst == exit_ok) worst = code;
    reports.push_back(examination.report());
  }
  if (context.global.json) context.json({{"ok", worst == exit_ok}, {"pools", reports}});
  return worst;
}

}  // namespace weir::cli
