// SPDX-License-Identifier: MIT
#include "sim/world/world.hpp"

#include "core/base/assert.hpp"
#include "sim/world/streams.hpp"
#include "sim/world/watchdog.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace weir::sim {

thread_local World* World::here = nullptr;

std::string_view to_string(Op op) noexcept {
  static constexpr std::string_view names[] = {
      "start", "end",     "lock",     "try_lock", "unlock", "wait",  "notify",
      "load",  "store",   "exchange", "spawn",    "join",   "sleep", "yield",
      "wake",  "timeout", "disk",     "advance",  "note"};
  return names[static_cast<std::size_t>(op)];
}

namespace {
// An invariant of ours that breaks in a world ends the world: its schedule is the finding.
void end_world(const char* expression, const char* file, int line) {
  World* const world = World::find();
  if (world == nullptr || world->running() == 0) return;
  world->fail("invariant",
              std::string(expression) + " (" + file + ":" + std::to_string(line) + ")");
}
}  // namespace

World::World(const WorldOptions& options, std::unique_ptr<Schedule> schedule)
    : options_(options),
      schedule_(std::move(schedule)),
      mode_(options.mode),
      contexts_(Contexts::create(options.engine)),
      now_(beginning - options.lead) {
  base::assert_hook = &end_world;
  if (options.lead == Duration{}) return;
  after_lead_ = std::exchange(schedule_, make_schedule({}, 0));
  options_.mode = Mode::ideal;
}

World::~World() = default;

World& World::current() noexcept {
  if (here == nullptr) {
    std::fputs("weir-sim: a virtual primitive was used by a thread that belongs to no world\n",
               stderr);
    std::abort();
  }
  return *here;
}

base::Random World::stream(std::string_view purpose, std::uint64_t number) const {
  return sim::stream(options_.seed, number, purpose);
}

const std::string& World::name_of(ThreadId thread) const {
  static const std::string clock = "clock";
  return thread == the_clock ? clock : threads_[thread - 1]->name;
}

// ---------------------------------------------------------------- the run

Ending World::run(std::function<void()> main) {
  WEIR_ASSERT(threads_.empty());
  World* const around = std::exchange(here, this);
  const Watchdog watchdog(*this);
  if (options_.wall_clock) wall_ahead_ = wall_now() - now_;
  static_cast<void>(spawn(std::move(main)));
  threads_.front()->name = "main";
  plan_look();
  Thread& first = *ready_.front();
  ready_.pop_front();
  running_ = &first;
  first.state = State::running;
  if (options_.mode == Mode::cpu_model) {
    first.has_core = true;
    ++busy_cores_;
  }
  contexts_->switch_to(contexts_->outside(), *first.context, false);
  here = around;
  running_ = nullptr;
  bury();
  for (auto& thread : threads_) {
    if (!thread->context || thread->state == State::ended) continue;
    contexts_->leave_behind(std::move(thread->context));
    // Its functions and what they own are referred to from the stack that stays.
    static_cast<void>(thread.release());
    thread = std::make_unique<Thread>();
  }
  ending_.at = now_;
  ending_.steps = step_;
  ending_.trace_hash = hash_.value();
  return ending_;
}

void World::run_thread(void* argument) {
  Thread& me = *static_cast<Thread*>(argument);
  World& world = *me.world;
  here = &world;
  world.bury();
  world.event(me.id, Op::start, 0, 0);
  try {
    me.body();
  } catch (const std::exception& e) {
    world.fail("exception", me.name + " let an exception escape: " + e.what());
  } catch (...) {
    world.fail("exception", me.name + " let an exception escape that is no std::exception");
  }
  me.body = nullptr;
  ++me.ordinal;
  world.event(me.id, Op::end, 0, 0);
  me.state = State::ended;
  world.wake_all(me.joiners);
  --world.alive_;
  world.release_core(me);
  world.go_on_elsewhere(/*ends=*/true);
}

ThreadId World::spawn(std::function<void()> body) {
  auto thread = std::make_unique<Thread>();
  thread->id = static_cast<ThreadId>(threads_.size() + 1);
  thread->name = "thread " + std::to_string(thread->id);
  thread->world = this;
  thread->body = std::move(body);
  thread->context = contexts_->make(&World::run_thread, thread.get());
  ++alive_;
  threads_.push_back(std::move(thread));
  make_ready(*threads_.back());
  return threads_.back()->id;
}

void World::join(ThreadId id) {
  Thread& other = at(id);
  point(Op::join, id);
  while (other.state != State::ended) block(other.joiners, no_deadline, Op::join, id);
}

// The context of a thread that has ended goes once nobody stands on it.
void World::bury() {
  if (ended_ != nullptr && ended_ != running_) {
    ended_->context.reset();
    ended_ = nullptr;
  }
}

void World::fail(std::string property, std::string text) {
  if (ending_.ok()) stop(Ending::Kind::failed, std::move(property), std::move(text));
}

void World::stop(Ending::Kind kind, std::string property, std::string text) {
  ending_.kind = kind;
  ending_.property = std::move(property);
  ending_.text = std::move(text);
  if (running_ == nullptr) return;
  contexts_->switch_to(*running_->context, contexts_->outside(), false);
}

// ---------------------------------------------------------------- points

void World::plan_look() noexcept {
  const std::uint64_t next = schedule_->next_look(step_ - begun_at_);
  schedule_looks_at_ = next == never ? never : next + begun_at_;
  const bool each = options_.mode == Mode::cpu_model || options_.wall_clock;
  look_at_ = each ? step_ + 1 : std::min(schedule_looks_at_, options_.steps_max);
}

void World::begin() {
  WEIR_ASSERT(after_lead_ != nullptr);
  if (options_.wall_clock && now_ < beginning) {  // nobody waits for the rest of the lead
    wall_ahead_ -= beginning - now_;
    follow_wall_clock();
  }
  schedule_ = std::move(after_lead_);
  options_.mode = mode_;
  begun_at_ = step_;
  if (options_.mode == Mode::cpu_model) {
    running_->has_core = true;
    ++busy_cores_;
  }
  plan_look();
}

void World::calm() {
  schedule_ = make_schedule({}, 0);
  options_.mode = Mode::ideal;
  plan_look();
}

void World::look() {
  if (step_ >= options_.steps_max) {
    stop(Ending::Kind::hang, "hang",
         "still running after " + std::to_string(step_) + " steps, at " +
             std::to_string((now_ - beginning).count()) + " ns: " + who_waits());
  }
  if (options_.mode == Mode::cpu_model) charge();
  if (options_.wall_clock) follow_wall_clock();
  if (step_ >= schedule_looks_at_) preempt();
  plan_look();
}

// The operation takes its time on a processor, which the thread keeps.
void World::charge() {
  Thread& me = *running_;
  timers_.set(me.id, now_ + options_.op_cost);
  me.state = State::blocked;
  me.waits_in = Op::yield;
  go_on_elsewhere(false);
}

bool World::may_run(const Thread& thread) const noexcept {
  return options_.mode != Mode::cpu_model || thread.has_core || busy_cores_ < options_.cores;
}

void World::release_core(Thread& thread) noexcept {
  if (!std::exchange(thread.has_core, false)) return;
  --busy_cores_;
}

void World::preempt() {
  asked_.assign(1, running_->id);
  for (Thread* thread : ready_) {
    if (may_run(*thread)) asked_.push_back(thread->id);
  }
  const bool clock =
      options_.mode == Mode::adversarial && schedule_->moves_clock() && !timers_.empty();
  if (clock) asked_.push_back(the_clock);
  if (asked_.size() == 1) return;
  const std::size_t chosen = ask(Question::preempt);
  if (chosen == 0) return;
  if (asked_[chosen] == the_clock) return step_clock(/*early=*/true);
  Thread& next = at(asked_[chosen]);
  ready_.erase(std::find(ready_.begin(), ready_.end(), &next));
  release_core(*running_);
  make_ready(*running_);
  switch_to(next, false);
}

// Returns: an index into asked_.
std::size_t World::ask(Question question) {
  if (asked_.size() == 1) return 0;
  const Thread& me = *running_;
  const std::size_t chosen =
      schedule_->choose({question, me.id, me.ordinal, step_ - begun_at_, asked_});
  WEIR_ASSERT(chosen < asked_.size());
  if (chosen != 0) deviations_.push_back({me.id, me.ordinal, question, asked_[chosen]});
  return chosen;
}

bool World::spurious() {
  asked_ = {0, 1};
  return ask(Question::spurious) == 1;
}

// ---------------------------------------------------------------- blocking and waking

bool World::block(WaitList* list, Instant until, Op what, ObjectId object) {
  Thread& me = *running_;
  ++me.ordinal;  // one operation may block twice, as a wait does: for its turn and for the mutex
  me.timed_out = false;
  if (until <= now_) {
    // Due already. It yields, as a wait does.
    event(me.id, Op::timeout, object, 0);
    release_core(me);
    make_ready(me);
    go_on_elsewhere(false);
    return false;
  }
  me.state = State::blocked;
  me.waits_in = what;
  me.waits_for = object;
  me.wait_until = until;
  me.list = list;
  if (list != nullptr) list->threads_.push_back(&me);
  timers_.set(me.id, until);
  release_core(me);
  go_on_elsewhere(false);
  return !me.timed_out;
}

void World::unblock(Thread& thread, bool timed_out) {
  if (thread.list != nullptr) {
    auto& others = thread.list->threads_;
    others.erase(std::find(others.begin(), others.end(), &thread));
    thread.list = nullptr;
  }
  timers_.remove(thread.id);
  thread.timed_out = timed_out;
  make_ready(thread, thread.has_core);
}

void World::make_ready(Thread& thread, bool first) {
  thread.state = State::ready;
  if (first) {
    ready_.push_front(&thread);
  } else {
    ready_.push_back(&thread);
  }
  if (schedule_->looks_at_wakes()) look_at_ = schedule_looks_at_ = std::min(look_at_, step_ + 1);
}

void World::wake_first(WaitList& list, bool choose) {
  if (list.empty()) return;
  std::size_t which = 0;
  if (choose && list.size() > 1) {
    asked_.clear();
    for (const Thread* thread : list.threads_) asked_.push_back(thread->id);
    which = ask(Question::notify);
  }
  Thread& woken = *list.threads_[which];
  event(woken.id, Op::wake, woken.waits_for, running());
  unblock(woken, false);
}

void World::wake_all(WaitList& list) {
  while (!list.empty()) wake_first(list, false);
}

void World::sleep_until(Instant until) {
  point(Op::sleep, 0);
  static_cast<void>(block(nullptr, until, Op::sleep, 0));
}

// ---------------------------------------------------------------- who goes on

// The running thread cannot.
void World::go_on_elsewhere(bool ends) {
  Thread* const next = pick_next();
  if (next == running_ && !ends) {
    next->state = State::running;
    return;
  }
  if (next == nullptr) {
    if (ends && alive_ == 0) {
      Thread& me = *running_;
      ended_ = &me;
      running_ = nullptr;
      contexts_->switch_to(*me.context, contexts_->outside(), true);
      return;
    }
    stop(Ending::Kind::hang, "hang", "nobody can go on: " + who_waits());
    return;
  }
  switch_to(*next, ends);
}

World::Thread* World::pick_next() {
  for (;;) {
    asked_.clear();
    for (Thread* thread : ready_) {
      if (may_run(*thread)) asked_.push_back(thread->id);
      if (options_.mode != Mode::cpu_model && !schedule_->looks_at_wakes() &&
          schedule_looks_at_ == never) {
        break;  // fifo: the first one it is
      }
    }
    if (asked_.empty()) {
      if (timers_.empty()) return nullptr;
      step_clock(/*early=*/false);
      continue;
    }
    const bool clock =
        options_.mode == Mode::adversarial && schedule_->moves_clock() && !timers_.empty();
    if (clock) asked_.push_back(the_clock);
    const ThreadId chosen = asked_[ask(Question::next)];
    if (chosen == the_clock) {
      step_clock(/*early=*/true);
      continue;
    }
    Thread& next = at(chosen);
    if (ready_.front() == &next) {
      ready_.pop_front();
    } else {
      ready_.erase(std::find(ready_.begin(), ready_.end(), &next));
    }
    return &next;
  }
}

void World::switch_to(Thread& next, bool ends) {
  Thread& me = *running_;
  next.state = State::running;
  if (options_.mode == Mode::cpu_model && !next.has_core) {
    next.has_core = true;
    ++busy_cores_;
  }
  running_ = &next;
  if (ends) ended_ = &me;
  contexts_->switch_to(*me.context, *next.context, ends);
  if (ends) return;  // only where contexts are threads: this one is about to end
  bury();
}

// Goes to the earliest timer and wakes all that are due then, in their order.
void World::step_clock(bool early) {
  const Instant then = timers_.earliest();
  if (then - beginning - stalled_ > options_.time_max) {
    stop(Ending::Kind::hang, "hang",
         "still running after the longest virtual time: " + who_waits());
    return;
  }
  if (options_.wall_clock) {
    wait_for_wall_clock(then);
  } else if (then > now_) {
    if (early) stalled_ += then - now_;
    now_ = then;
  }
  wake_due();
}

void World::wake_due() {
  event(the_clock, Op::advance, 0, static_cast<std::uint64_t>((now_ - beginning).count()));
  while (!timers_.empty() && timers_.earliest() <= now_) {
    Thread& due = at(timers_.front());
    if (due.waits_in != Op::yield) event(due.id, Op::timeout, due.waits_for, 0);
    unblock(due, true);
  }
}

// ---------------------------------------------------------------- the wall clock

Instant World::wall_now() const {
  return Instant(std::chrono::steady_clock::now().time_since_epoch()) - wall_ahead_;
}

// What a step has taken in reality it has taken from everybody else, ready or due.
void World::follow_wall_clock() {
  const Instant real = wall_now();
  if (real <= now_) return;
  stalled_ += real - now_;
  now_ = real;
  if (!timers_.empty() && timers_.earliest() <= now_) wake_due();
}

void World::wait_for_wall_clock(Instant then) {
  while (wall_now() < then) std::this_thread::sleep_for(then - wall_now());
  stalled_ += std::max(wall_now() - std::max(then, now_), Duration{});
  now_ = std::max(wall_now(), now_);
}

// ---------------------------------------------------------------- what is told

void World::note(std::uint64_t value) noexcept {
  hash_.mix(value);
  if (options_.keep_trace) keep(Op::note, 0, value);
}

void World::event(ThreadId thread, Op op, ObjectId object, std::uint64_t value) {
  hash_.mix((std::uint64_t{thread} << 40) ^ (std::uint64_t{object} << 8) ^
            static_cast<std::uint64_t>(op) ^ value << 20);
  if (!options_.keep_trace) return;
  const std::uint32_t ordinal = thread == the_clock ? 0 : at(thread).ordinal;
  trace_.push_back({thread, ordinal, op, object, value, now_});
}

void World::keep(Op op, ObjectId object, std::uint64_t value) {
  const ThreadId me = running();
  trace_.push_back({me, me == 0 ? 0 : running_->ordinal, op, object, value, now_});
}

std::string World::who_waits() const {
  std::string text;
  for (const auto& thread : threads_) {
    if (thread->state == State::ended) continue;
    text += text.empty() ? "" : "; ";
    text += thread->name;
    if (thread->state != State::blocked) {
      text += " is ready";
      continue;
    }
    text += " waits in " + std::string(to_string(thread->waits_in));
    if (thread->waits_in == Op::join) {
      text += " of " + name_of(thread->waits_for);
    } else if (thread->waits_for != 0) {
      text += " of object " + std::to_string(thread->waits_for);
    }
    if (thread->wait_until != no_deadline) {
      text += " until +" + std::to_string((thread->wait_until - now_).count()) + " ns";
    }
  }
  return text;
}

}  // namespace weir::sim
