// SPDX-License-Identifier: MIT
//
// weir stats, pause, resume, recycle and reload: one question to a running program each.
#include "cli/admin_client.hpp"
#include "cli/columns.hpp"
#include "cli/command.hpp"
#include "core/base/duration_text.hpp"
#include "core/base/text.hpp"
#include "core/config/rules.hpp"
#include "core/observe/texts.hpp"

#include <chrono>

#include <fmt/format.h>

namespace weir::cli {
namespace {

using observe::short_duration;

// `verb` or `verb POOL`. A name with a space in it would be two words of a request.
Result<std::string> request(const Context& context, std::string_view verb) {
  const std::string pool = context.text("POOL");
  if (!context.has("POOL")) return std::string(verb);
  if (!config::is_pool_name(pool)) {
    return weir::fail(Code::unknown_pool, fmt::format("no pool can be called '{}': {}",
                                                      printable(pool), config::pool_name_rule));
  }
  return fmt::format("{} {}", verb, pool);
}

// Asks it about POOL. Returns: the exit code, or what the program answered.
tl::expected<Json, int> ask_about_pool(Context& context, AdminClient& client,
                                       std::string_view verb) {
  auto asked = request(context, verb);
  if (!asked) return tl::unexpected(context.fail(asked.error()));
  auto answer = client.ask(*asked);
  if (!answer) return tl::unexpected(context.fail(answer.error()));
  return *answer;
}

std::string text_in(const Json& answer, const char* key) {
  const auto found = answer.find(key);
  return found != answer.end() && found->is_string() ? one_line(found->get<std::string>())
                                                     : std::string("?");
}

std::uint64_t number_in(const Json& answer, const char* key) {
  const auto found = answer.find(key);
  return found != answer.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string leases_are(std::uint64_t count) {
  return count == 1 ? "1 lease is" : fmt::format("{} leases are", count);
}

// What the program adds for people, such as who holds the connections that are out.
void tell_note(Context& context, const Json& answer) {
  const auto note = answer.find("note");
  if (note == answer.end() || !note->is_string()) return;
  context.out.prose(fmt::format("weir: {}\n", one_line(note->get<std::string>())));
}

// ---------------------------------------------------------------- stats

Cell p99(const Times& times) {
  return {times.count == 0 ? "-" : short_duration(times.p99), Tone::plain, true};
}

void print_table(Context& context, const Snapshot& snapshot) {
  const auto number = [](std::uint64_t value) {
    return Cell{fmt::format("{}", value), Tone::plain, true};
  };
  std::vector<Line> lines(1);
  for (const char* title : {"POOL", "STATE", "HEALTH"}) lines[0].push_back({title, Tone::dim});
  for (const char* title : {"ACTIVE", "IDLE", "OPENING", "MAX", "WAITING", "LEASES", "TIMEOUTS",
                            "WAIT-p99", "USE-p99"}) {
    lines[0].push_back({title, Tone::dim, true});
  }
  for (const PoolView& pool : snapshot.pools) {
    lines.push_back({{one_line(pool.name), Tone::strong},
                     {pool.state, tone_of(pool.state)},
                     {pool.health, tone_of(pool.health)},
                     number(pool.active),
                     number(pool.idle),
                     number(pool.opening),
                     number(pool.max),
                     number(pool.waiting),
                     number(pool.leases),
                     number(pool.timeouts),
                     p99(pool.wait),
                     p99(pool.use)});
  }
  for (const Line& line : aligned(std::move(lines))) {
    context.out.data(rendered(line, context.out) + "\n");
  }
  for (const PoolView& pool : snapshot.pools) {
    for (const PoolReason& reason : pool.reasons) {
      context.out.data(fmt::format("{}: {}\n", one_line(pool.name),
                                   context.out.toned(tone_of(reason.status), reason.text)));
    }
  }
}

// ---------------------------------------------------------------- pause

struct Waited {
  std::uint64_t active = 0;
  std::string state;
};

// Until every lease of the pool is back, the pool is no longer paused, or the time is over.
Result<Waited> wait_for_leases(AdminClient& client, const StopEvent& stop, std::string_view pool,
                               Duration time) {
  using Clock = std::chrono::steady_clock;
  constexpr Duration between = std::chrono::milliseconds(50);
  const auto begun = Clock::now();
  while (true) {
    auto snapshot = take_snapshot(client);
    if (!snapshot) return tl::unexpected(snapshot.error());
    if (auto kept = keep_pool(*snapshot, pool); !kept) return tl::unexpected(kept.error());
    const Waited now{snapshot->pools[0].active, snapshot->pools[0].state};
    const Duration left = time - (Clock::now() - begun);
    if (now.active == 0 || now.state != "suspended" || left <= Duration{}) return now;
    if (stop.wait(std::min(between, left))) return now;
  }
}

int pause_and_wait(Context& context, AdminClient& client, const StopEvent& stop, Json answer,
                   Duration time) {
  const std::string pool = text_in(answer, "pool");
  const auto waited = wait_for_leases(client, stop, pool, time);
  if (context.interrupt.raised()) {
    context.out.prose(
        fmt::format("weir: interrupted; {0} stays paused, until `weir resume {0}`\n", pool));
    return context.interrupt.exit_code();
  }
  if (!waited) return context.fail(waited.error());
  answer["state"] = waited->state;
  answer["active"] = waited->active;
  if (waited->active == 0) answer["note"] = nullptr;  // it named who was still out
  if (context.global.json) context.json(answer);
  if (waited->state != "suspended") {
    context.out.prose(
        fmt::format("weir: {} is no longer paused, but {}: somebody else has changed "
                    "it\n",
                    pool, waited->state));
    return exit_failed;
  }
  if (waited->active > 0) {
    context.out.prose(
        fmt::format("weir: after {1} {2} still out; {0} stays paused, until `weir resume {0}`\n",
                    pool, duration_text(time), leases_are(waited->active)));
    // Asked once more, it says who holds them.
    if (auto again = client.ask(fmt::format("pause {}", pool)); again) tell_note(context, *again);
    return exit_failed;
  }
  if (!context.global.json) {
    context.out.data(
        fmt::format("{0} is paused, until `weir resume {0}`; every lease is back\n", pool));
  }
  return exit_ok;
}

// The commands that do one thing to one pool; `say` makes of the pool's name and of how many leases
// are out a sentence.
template <class Say>
int change_pool(Context& context, std::string_view verb, Say say) {
  auto place = admin_place(context);
  if (!place) return refuse_place(context, place.error());
  const StopEvent stop(context.interrupt);
  AdminClient client(*place, stop);
  auto answer = ask_about_pool(context, client, verb);
  if (!answer) return answer.error();
  if (context.global.json) {
    context.json(*answer);
    return exit_ok;
  }
  context.out.data(say(text_in(*answer, "pool"), leases_are(number_in(*answer, "active"))));
  tell_note(context, *answer);
  return exit_ok;
}

}  // namespace

int run_stats(Context& context) {
  auto place = admin_place(context);
  if (!place) return refuse_place(context, place.error());
  const StopEvent stop(context.interrupt);
  AdminClient client(*place, stop);
  auto snapshot = take_snapshot(client);
  if (!snapshot) return context.fail(snapshot.error());
  if (auto kept = keep_pool(*snapshot, context.text("POOL")); !kept) {
    return context.fail(kept.error());
  }
  if (!context.global.json) {
    print_table(context, *snapshot);
    return exit_ok;
  }
  Json pools = Json::array();
  for (PoolView& pool : snapshot->pools) pools.push_back(std::move(pool.json));
  context.json({{"pid", snapshot->pid}, {"pools", std::move(pools)}});
  return exit_ok;
}

int run_pause(Context& context) {
  auto time = duration(context, "--wait", Duration{});
  if (!time) return context.usage_error(time.error().message());
  if (!context.has("--wait")) {
    return change_pool(context, "pause", [](std::string_view pool, std::string_view leases) {
      return fmt::format("{0} is paused, until `weir resume {0}`; {1} still out\n", pool, leases);
    });
  }
  auto place = admin_place(context);
  if (!place) return refuse_place(context, place.error());
  const StopEvent stop(context.interrupt);
  AdminClient client(*place, stop);
  auto answer = ask_about_pool(context, client, "pause");
  if (!answer) return answer.error();
  return pause_and_wait(context, client, stop, std::move(*answer), *time);
}

int run_resume(Context& context) {
  return change_pool(context, "resume", [](std::string_view pool, std::string_view leases) {
    return fmt::format("{} lends; {} out\n", pool, leases);
  });
}

int run_recycle(Context& context) {
  return change_pool(context, "recycle", [](std::string_view pool, std::string_view leases) {
    return fmt::format(
        "every connection of {} is replaced: idle ones now, lent ones when they come "
        "back; {} out\n",
        pool, leases);
  });
}

int run_reload(Context& context) {
  auto place = admin_place(context);
  if (!place) return refuse_place(context, place.error());
  const StopEvent stop(context.interrupt);
  AdminClient client(*place, stop);
  auto answer = client.ask("reload");
  if (!answer) return context.fail(answer.error());
  if (context.global.json) {
    context.json(*answer);
    return exit_ok;
  }
  const Json changes = answer->value("changes", Json::array());
  for (const Json& change : changes) {
    if (change.is_string()) context.out.data(one_line(change.get<std::string>()) + "\n");
  }
  if (changes.empty()) context.out.prose("weir: the file was read again; nothing has changed\n");
  return exit_ok;
}

}  // namespace weir::cli
