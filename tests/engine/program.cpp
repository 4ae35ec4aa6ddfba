// SPDX-License-Identifier: MIT
#include "tests/engine/program.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <sstream>

namespace weir::engine::test {

namespace {

using Kind = Command::Kind;

template <class T, std::size_t N>
const T& pick(const std::array<T, N>& from, std::uint32_t number) {
  return from[number % N];
}

constexpr std::array<const char*, command_kinds> kind_names = {
    "acquire",       "acquire_now",    "acquire_nested", "cancel",          "claim",      "release",
    "release_dirty", "release_broken", "release_again",  "release_foreign", "advance",    "jump",
    "tick",          "leap",           "resize",         "reload",          "evict",      "suspend",
    "resume",        "drain",          "driver",         "finish",          "late_result"};

constexpr std::array<Duration, 6> timeouts = {1ms, 30ms, 1s, 10s, 30s, no_timeout};
constexpr std::array<Duration, 11> steps = {0ns,  10us,  10us, 30us, 1ms, 5ms,
                                            50ms, 500ms, 1s,   3s,   20s};

Call* nth(EngineWorld& world, std::uint32_t number, bool (*wanted)(const Call&)) {
  std::vector<Call*> found;
  for (Call& call : world.calls()) {
    if (wanted(call)) found.push_back(&call);
  }
  return found.empty() ? nullptr : found[number % found.size()];
}

bool waits(const Call& call) { return call.waiting; }
bool holds(const Call& call) { return call.held; }
constexpr std::array<Op, 6> every_op = {Op::connect, Op::init,  Op::validate,
                                        Op::reset,   Op::close, Op::check};

bool held_once(const Call& call) { return call.lent() && !call.held; }

void give_back(EngineWorld& world, std::uint32_t number, const ReturnFacts& facts) {
  if (Call* call = nth(world, number, holds)) world.release(*call, facts);
}

Answer drawn_answer(std::uint32_t number) {
  static constexpr std::array<Answer, 8> answers = {
      Answer{},
      Answer{},
      Answer{OpResult::ok, 20us},
      Answer{OpResult::ok, 0ns},
      Answer{OpResult::failed, 1ms},
      Answer{OpResult::failed, 0ns},
      Answer{OpResult::failed, 1ms, Answer::Hang::until_abort},
      Answer{OpResult::ok, 1ms, Answer::Hang::for_good}};
  return pick(answers, number);
}

void change_driver(EngineWorld& world, std::uint32_t a, std::uint32_t b) {
  static constexpr std::array<Op, 8> ops = {Op::connect,  Op::connect, Op::init,  Op::validate,
                                            Op::validate, Op::reset,   Op::close, Op::check};
  Answer answer = drawn_answer(b);
  const Op op = pick(ops, a);
  if (op == Op::connect && answer.result == OpResult::failed) {
    static constexpr std::array<OpResult, 3> results = {OpResult::failed, OpResult::server_full,
                                                        OpResult::fatal};
    answer.result = pick(results, a / 8);
  }
  if (op == Op::check && a % 2 == 0 && answer.result == OpResult::failed) {
    answer.result = OpResult::refused;
  }
  if (a % 3 == 0) {
    world.next(op, answer);
  } else {
    world.answer(op, answer);
  }
}

void finish_one(EngineWorld& world, std::uint32_t a, std::uint32_t b) {
  std::vector<SlotId> busy;
  for (const Op op : every_op) {
    for (const SlotId slot : world.running(op)) busy.push_back(slot);
  }
  if (!busy.empty()) {
    world.finish(busy[a % busy.size()], b % 3 == 0 ? OpResult::failed : OpResult::ok);
  }
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Command& command) {
  return out << kind_names[static_cast<std::size_t>(command.kind)] << ' ' << command.a << ' '
             << command.b;
}

EngineConfig drawn_config(const std::vector<std::uint32_t>& n) {
  const auto at = [&](std::size_t i) { return i < n.size() ? n[i] : 0; };
  EngineConfig c = plain_config();
  c.pinned = at(0) % 12 == 11;
  c.max = c.pinned ? 1 : 1 + at(1) % 4;
  c.min = at(2) % (c.max + 1);
  c.max_connecting = 1 + at(3) % 4;
  c.max_waiting = pick(std::array<std::uint32_t, 4>{1024, 1024, 3, 0}, at(4));
  c.create_timeout = pick(std::array<Duration, 3>{5s, 100ms, no_timeout}, at(5));
  c.create_retry_interval = pick(std::array<Duration, 2>{200ms, 1ms}, at(6));
  c.propagate_create_error = static_cast<PropagateCreateError>(at(7) % 3);
  c.idle_timeout = pick(std::array<Duration, 4>{no_timeout, 1s, 5s, 600s}, at(8));
  c.reap_interval = pick(std::array<Duration, 2>{1s, 50ms}, at(9));
  c.max_lifetime = pick(std::array<Duration, 4>{no_timeout, 2s, 10s, 1800s}, at(10));
  c.validate_after = pick(std::array<Duration, 4>{no_timeout, 0ns, 10ms, 500ms}, at(11));
  c.keepalive = pick(std::array<Duration, 3>{no_timeout, 300ms, 4s}, at(12));
  c.fairness = at(13) % 3 == 0 ? Fairness::strict : Fairness::bounded;
  c.fair_after = pick(std::array<Duration, 3>{5ms, 0ns, 100ms}, at(14));
  c.hold_warn = pick(std::array<Duration, 2>{no_timeout, 2s}, at(15));
  c.reset = static_cast<ResetPolicy>(at(16) % 3);
  c.has_init = at(17) % 3 == 0;
  c.quarantine_max = pick(std::array<std::uint32_t, 4>{0, 0, 1, 2}, at(18));
  c.check_interval = pick(std::array<Duration, 4>{no_timeout, no_timeout, 300ms, 4s}, at(19));
  return c;
}

std::string text_of(const EngineConfig& c) {
  std::ostringstream out;
  const auto ms = [](Duration d) {
    return d == no_timeout ? std::string("none") : std::to_string(d.count() / 1000) + "us";
  };
  out << "min " << c.min << " max " << c.max << " max_connecting " << c.max_connecting
      << " max_waiting " << c.max_waiting << " create_timeout " << ms(c.create_timeout) << " retry "
      << ms(c.create_retry_interval) << " propagate " << static_cast<int>(c.propagate_create_error)
      << " idle " << ms(c.idle_timeout) << " reap " << ms(c.reap_interval) << " lifetime "
      << ms(c.max_lifetime) << " validate_after " << ms(c.validate_after) << " keepalive "
      << ms(c.keepalive) << " bounded " << (c.fairness == Fairness::bounded) << " fair_after "
      << ms(c.fair_after) << " hold_warn " << ms(c.hold_warn) << " reset "
      << static_cast<int>(c.reset) << " init " << c.has_init << " quarantine " << c.quarantine_max
      << " check " << ms(c.check_interval) << " pinned " << c.pinned;
  return out.str();
}

namespace {

// A task waits for one thing at a time.
void acquire_nested(EngineWorld& world, std::uint32_t a, std::uint32_t b) {
  const TaskId task = 1 + a % 3;
  for (const Call& call : world.calls()) {
    if (call.waiting && call.task == task) return;
  }
  world.acquire(pick(timeouts, b), WaiterKind::thread, task);
}

// Other limits; sometimes other connections, too.
void reload(EngineWorld& world, std::uint32_t a, std::uint32_t b) {
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < config_numbers; ++i) {
    numbers.push_back((a * 31 + b * 7 + i * i * 13) % 840);
  }
  EngineConfig next = drawn_config(numbers);
  const EngineConfig& old = world.config();
  next.pinned = old.pinned;
  if (next.pinned) next.min = next.max = 1;
  const bool renewed = !next.pinned && b % 3 == 0;
  if (!renewed) next.has_init = old.has_init;
  // The same again is no change at all (C2).
  world.reload(b % 5 == 0 ? old : next, b % 5 == 0 ? false : renewed);
}

}  // namespace

void run(EngineWorld& world, const Command& command) {
  const auto [kind, a, b] = command;
  switch (kind) {
    case Kind::acquire:
      world.acquire(pick(timeouts, a), b % 3 == 0 ? WaiterKind::callback : WaiterKind::thread);
      break;
    case Kind::acquire_now:
      world.acquire(0ns);
      break;
    case Kind::acquire_nested:
      acquire_nested(world, a, b);
      break;
    case Kind::cancel:
      if (Call* call = nth(world, a, waits)) world.cancel(*call);
      break;
    case Kind::claim:
      if (Call* call = nth(world, a, waits)) world.claim(*call);
      break;
    case Kind::release:
      give_back(world, a, {});
      break;
    case Kind::release_dirty:
      give_back(world, a, b % 2 == 0 ? ReturnFacts{.dirty = true} : ReturnFacts{.busy = true});
      break;
    case Kind::release_broken:
      give_back(world, a, {.broken = true});
      break;
    case Kind::release_again:
      if (Call* call = nth(world, a, held_once)) world.release_lease(call->slot, call->lease);
      break;
    case Kind::release_foreign:
      world.release_lease(a % 6, 1'000'000 + b);
      break;
    case Kind::advance:
      world.run_for(pick(steps, a));
      break;
    case Kind::jump:
      world.jump(pick(steps, a));
      break;
    case Kind::tick:
      world.tick();
      break;
    case Kind::leap:
      world.leap(pick(steps, a));
      break;
    case Kind::reload:
      reload(world, a, b);
      break;
    case Kind::evict:
      world.evict();
      break;
    case Kind::suspend:
      world.suspend();
      break;
    case Kind::resume:
      world.resume();
      break;
    case Kind::resize: {
      const std::uint32_t max = world.config().pinned ? 1 : 1 + a % 5;
      world.resize(b % (max + 1), max);
      break;
    }
    case Kind::drain:
      if (a % 4 == 0) world.drain();
      break;
    case Kind::driver:
      change_driver(world, a, b);
      break;
    case Kind::finish:
      finish_one(world, a, b);
      break;
    case Kind::late_result:
      if (world.engine().slot_count() > 0) world.finish_again(a % world.engine().slot_count());
      break;
  }
}

void heal(EngineWorld& world) {
  world.resume();
  for (const Op op : every_op) {
    world.forget_script(op);
    world.answer(op, Answer{});
  }
  // Each round serves at least one waiter, or waits out the longest backoff.
  const std::size_t rounds = 3 + world.calls().size();
  for (std::size_t round = 0; round < rounds; ++round) {
    for (const Op op : every_op) {
      for (const SlotId slot : world.running(op)) world.finish(slot, OpResult::ok);
    }
    for (Call& call : world.calls()) {
      if (call.held) world.release(call);
    }
    world.run_for(3s);
  }
  const auto must = [](bool held, const char* what) {
    if (!held) throw Violation(what);
  };
  must(world.waiting() == 0, "L2: a caller waits although all is well");
  if (world.engine().phase() == Engine::Phase::draining) {
    must(world.engine().drained(), "L5: a drain does not complete");
    ++premises()["L5"];
  } else if (world.engine().counters().queued > 0) {
    // Just now one may be on its way out and its successor on its way in.
    for (int i = 0; i < 100 && !world.engine().ready(); ++i) world.run_for(1ms);
    must(world.engine().ready(), "L3: min is not reached although all is well");
    ++premises()["L3 healed"];
  }
}

}  // namespace weir::engine::test
