// SPDX-License-Identifier: MIT
//
// Level 4: how calls are ended. Deadlines, cancel and abort, by the real clock and with threads,
// and from inside the driver's own call, where no luck is needed to strike at the right moment.
#include "cli/check/client.hpp"
#include "cli/check/rule.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

namespace weir::check {
namespace {

constexpr weir_time ms = 1'000'000;

void pause_for(weir_time ns) { std::this_thread::sleep_for(std::chrono::nanoseconds(ns)); }

// The deadline's tolerance: what a driver promises, and what a loaded machine needs.
weir_time late_max(const Subject& subject, weir_time length) {
  const weir_time promised =
      subject.claims(WEIR_CAP_BLOCKING) ? 1100 * ms : std::max<weir_time>(50 * ms, length / 10);
  return promised * 4 * slowness();
}

// Runs long_running against a deadline; returns how much later than that it ended.
weir_time overrun(Scene& scene, weir_time length) {
  Session& s = scene.session;
  s.deadline = scene.host.in(length);
  s.query(scene.subject.sql("long_running"));
  const weir_time late = scene.host.now() - s.deadline;
  s.deadline = WEIR_NO_DEADLINE;
  s.must(WEIR_E_TIMEOUT, "the quirks' long_running at its deadline");
  return late;
}

void deadline_late(Subject& subject) {
  Scene scene(subject);
  scene.open();
  for (const weir_time length : {1 * ms, 20 * ms, 200 * ms}) {
    const weir_time late = overrun(scene, length);
    const weir_time max = late_max(subject, length);
    note("a deadline in {} ms was overrun by {:.2f} ms", length / ms,
         static_cast<double>(late) / static_cast<double>(ms));
    expect(late <= max,
           "a call with a deadline in {} ms ended {} ms after it, expected at most {} ms",
           length / ms, late / ms, max / ms);
    if (scene.session.is(WEIR_STATE_BROKEN)) return;  // said so: nothing more to ask of it
  }
}

void deadline_early(Subject& subject) {
  Scene scene(subject);
  scene.open();
  const weir_time late = overrun(scene, 100 * ms);
  expect(late >= -1 * ms, "a call with a deadline in 100 ms ended {} ms before it", -late / ms);
}

void deadline_facts(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  overrun(scene, 20 * ms);
  expect(s.error.stage == WEIR_STAGE_EXECUTE, "a timeout of execute says stage {}, expected {}",
         s.error.stage, WEIR_STAGE_EXECUTE);
  const bool is_broken = s.is(WEIR_STATE_BROKEN);
  fact("a connection after a timeout", "{}", is_broken ? "broken" : "usable");
  expect(is_broken == (s.error.conn_fate == WEIR_CONN_BROKEN) ||
             s.error.conn_fate == WEIR_CONN_UNKNOWN,
         "a timeout says conn_fate {}, and the state says {}", s.error.conn_fate,
         is_broken ? "broken" : "not broken");
  if (!is_broken && !s.is(WEIR_STATE_CANCEL_PENDING)) scene.still_usable("a timeout");
}

// Hours in no time: who waits in the host only, waits in virtual time as well.
void waits_in_host(Subject& subject) {
  Scene scene(subject, Host::Clock::virtual_time);
  scene.open();
  Session& s = scene.session;
  const auto begun = std::chrono::steady_clock::now();
  s.deadline = scene.host.in(3'600'000 * ms);
  s.query(subject.sql("sleep_hours"));
  s.must(WEIR_E_TIMEOUT, "the quirks' sleep_hours after one hour of virtual time");
  const auto took = std::chrono::steady_clock::now() - begun;
  const auto real_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  const int real_ms_max = 1000 * slowness();
  expect(real_ms <= real_ms_max,
         "an hour of virtual time took {} ms of real time: the driver waits "
         "elsewhere than in host->wait",
         real_ms);
  const weir_time late = scene.host.now() - s.deadline;
  expect(late >= 0 && late <= 1 * ms, "an hour of virtual time was missed by {} ns", late);
}

void cancels(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  std::atomic<weir_time> at{scene.host.now()};
  std::atomic<bool> ended{false};
  const std::uint64_t op = s.op + 1;
  std::thread other([&] {
    pause_for(50 * ms);
    const weir_call call{sizeof call, 0, 1, WEIR_NO_DEADLINE};
    at = scene.host.now();
    // A cancel that comes before its operation does nothing: until it is hit.
    while (!ended.load()) {
      scene.driver.cancel(s.canceller, op, &call, nullptr);
      pause_for(5 * ms);
    }
  });
  s.deadline = scene.host.in(5'000 * ms * slowness());
  s.query(subject.sql("long_running"));
  const weir_time took = scene.host.now() - at.load();
  ended = true;
  other.join();
  s.deadline = WEIR_NO_DEADLINE;
  s.must(WEIR_E_CANCELLED, "a call that is cancelled from another thread");
  note("a cancelled call ended after {} us", took / 1000);
  const weir_time max = 500 * ms * 4 * slowness();
  expect(took <= max, "a cancelled call ended after {} ms, expected at most {} ms", took / ms,
         max / ms);
  expect(s.error.conn_fate == WEIR_CONN_USABLE, "a cancelled call says conn_fate {}, expected {}",
         s.error.conn_fate, WEIR_CONN_USABLE);
  scene.still_usable("a cancel");
}

// From inside host->now and host->wait: deadlocks if the driver holds a lock across them.
void cancels_inside(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  const std::uint64_t op = s.op + 1;
  const weir_call call{sizeof call, 0, 1, WEIR_NO_DEADLINE};
  scene.host.forget_counts();
  scene.host.on_look = [&](int look) {
    if (look < 3) return;
    step("cancel from inside a service of the host");
    scene.driver.cancel(s.canceller, op, &call, nullptr);
    step("the call that was cancelled from inside");
  };
  s.deadline = scene.host.in(5'000 * ms);
  s.query(subject.sql("long_running"));
  scene.host.on_look = nullptr;
  s.deadline = WEIR_NO_DEADLINE;
  s.must(WEIR_E_CANCELLED, "a call that is cancelled at its third look at the host");
  scene.still_usable("a cancel");
}

void cancels_no_other(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  scene.still_usable("open");
  const weir_call call{sizeof call, 0, 1, WEIR_NO_DEADLINE};
  for (const std::uint64_t op : {s.op, s.op + 1, s.op + 2, std::uint64_t{0}, UINT64_MAX}) {
    step("cancel of operation {} while none runs", op);
    const weir_status status = scene.driver.cancel(s.canceller, op, &call, &s.error);
    expect(status == WEIR_OK, "cancel of an operation that does not run ended with {}, expected ok",
           kind_name(status));
    scene.still_usable(fmt::format("a cancel of operation {}, which did not run,", op));
  }
  expect(!s.is(WEIR_STATE_CANCEL_PENDING),
         "after a cancel that hit nothing the state says pending");
}

// Sweeps a cancel over the end of a query: the next one must never be hit.
void cancels_swept(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  const std::string rows = subject.sql("rows_1000");
  const int rounds = subject.scaled(10'000, 400);
  const weir_time begun = scene.host.now();
  s.query(rows);
  s.must(WEIR_OK, "the quirks' rows_1000");
  const weir_time sweep = 2 * (scene.host.now() - begun) + 1;
  std::atomic<std::uint64_t> target{0};
  std::atomic<bool> settled{true};
  std::atomic<weir_time> delay{0};
  std::thread canceller([&] {
    const weir_call call{sizeof call, 0, 1, WEIR_NO_DEADLINE};
    for (std::uint64_t last = 0;;) {
      const std::uint64_t op = target.load();
      if (op == UINT64_MAX) return;
      if (op == last) {
        std::this_thread::yield();
        continue;
      }
      last = op;
      const weir_time until = scene.host.now() + delay.load();
      while (scene.host.now() < until) std::this_thread::yield();
      scene.driver.cancel(s.canceller, op, &call, nullptr);
      settled = true;
    }
  });
  int hits = 0;
  for (int i = 0; i < rounds; ++i) {
    settled = false;
    constexpr int parts = 300;
    delay = sweep * (i * 61 % parts) / parts;
    const std::uint64_t op = s.op + 1;
    target = op;
    s.query(rows, {}, 0, nullptr, i % 2 == 0 ? 1001 : 500);
    expect(s.status == WEIR_OK || (s.status == WEIR_E_CANCELLED && s.op == op),
           "a query that may be cancelled ended with {} ({})", kind_name(s.status), s.error.what());
    if (s.status == WEIR_E_CANCELLED) ++hits;
    // The cancel may come during these, and names another operation.
    scene.still_usable("a query whose cancel came late");
    s.query(rows);
    s.must(WEIR_OK, "a query after one whose cancel came late");
    while (!settled.load()) std::this_thread::yield();
    scene.still_usable("a cancel that came when its operation was long over");
  }
  target = UINT64_MAX;
  canceller.join();
  note("{} of {} cancels hit", hits, rounds);
}

void aborts(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  std::atomic<weir_time> at{0};
  std::thread other([&] {
    pause_for(50 * ms);
    at = scene.host.now();
    scene.driver.abort(s.canceller);
  });
  s.deadline = scene.host.in(5'000 * ms * slowness());
  s.query(subject.sql("long_running"));
  other.join();
  const weir_time took = scene.host.now() - at.load();
  expect(s.status == WEIR_E_CONN_LOST || s.status == WEIR_E_CANCELLED,
         "a call that is aborted ended with {}, expected conn_lost or cancelled",
         kind_name(s.status));
  expect(s.error.conn_fate == WEIR_CONN_BROKEN, "an aborted call says conn_fate {}, expected {}",
         s.error.conn_fate, WEIR_CONN_BROKEN);
  note("an aborted call ended after {} us", took / 1000);
  const weir_time max = 250 * ms * 4 * slowness();
  expect(took <= max, "an aborted call ended after {} ms, expected at most {} ms", took / ms,
         max / ms);
}

void aborts_for_good(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  step("abort, twice");
  scene.driver.abort(s.canceller);
  scene.driver.abort(s.canceller);
  s.query(subject.sql("select_one"));
  expect(s.status == WEIR_E_CONN_LOST || s.status == WEIR_E_CANCELLED ||
             s.status == WEIR_E_INVALID_STATE,
         "a call after abort ended with {}, expected conn_lost, cancelled or invalid_state",
         kind_name(s.status));
  expect(s.error.conn_fate == WEIR_CONN_BROKEN, "a call after abort says conn_fate {}, expected {}",
         s.error.conn_fate, WEIR_CONN_BROKEN);
  expect(s.is(WEIR_STATE_BROKEN), "after abort the state does not say broken");
}

void aborts_after_close(Subject& subject) {
  Scene scene(subject);
  scene.open();
  scene.session.close();
  scene.host.forget_counts();
  step("abort after close");
  scene.driver.abort(scene.session.canceller);
  expect(scene.host.wakes() == 0, "abort after close wakes a conn that is gone");
}

void aborts_inside(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  scene.host.forget_counts();
  scene.host.on_look = [&](int look) {
    if (look < 3) return;
    step("abort from inside a service of the host");
    scene.driver.abort(s.canceller);
    step("the call that was aborted from inside");
  };
  s.deadline = scene.host.in(5'000 * ms);
  s.query(subject.sql("long_running"));
  scene.host.on_look = nullptr;
  expect(s.status == WEIR_E_CONN_LOST || s.status == WEIR_E_CANCELLED,
         "a call that is aborted at its third look at the host ended with {}", kind_name(s.status));
}

void aborts_racing(Subject& subject) {
  Scene scene(subject);
  scene.open();
  const int rounds = subject.scaled(2'000, 100);
  for (int i = 0; i < rounds; ++i) {
    auto one = std::make_unique<Session>(scene.source, static_cast<std::uint64_t>(i % 50) + 100);
    std::thread other([&scene, &one, i] {
      const weir_time until = scene.host.now() + (i * 991) % 300'000;
      while (scene.host.now() < until) std::this_thread::yield();
      scene.driver.abort(one->canceller);
    });
    if (one->open() == WEIR_OK) {
      one->query(subject.sql("rows_1000"));
      expect(one->status == WEIR_OK || one->status == WEIR_E_CONN_LOST ||
                 one->status == WEIR_E_CANCELLED || one->status == WEIR_E_INVALID_STATE,
             "a query that races with abort ended with {}: {}", kind_name(one->status),
             one->error.what());
      one->close();
    }
    other.join();
  }
}

constexpr Rule table[] = {
    {"L4.deadline.late", Grade::must, "D31", "A call ends at its deadline.", Needs::database, 0,
     "long_running", deadline_late},
    {"L4.deadline.early", Grade::must, "D31", "A call does not end before its deadline.",
     Needs::database, 0, "long_running", deadline_early},
    {"L4.deadline.facts", Grade::must, "D19", "A timeout says where, and whether the conn lives.",
     Needs::database, 0, "long_running select_one", deadline_facts},
    {"L4.wait.host", Grade::must, "D21",
     "Who claims host_wait waits in the host, and nowhere else.", Needs::embedded,
     WEIR_CAP_HOST_WAIT, "sleep_hours", waits_in_host},
    {"L4.cancel.running", Grade::must, "D32", "cancel ends the running call, and the conn lives.",
     Needs::database, WEIR_CAP_CANCEL, "long_running select_one", cancels, false, 40},
    {"L4.cancel.inside", Grade::must, "D32",
     "No lock that cancel needs is held while the driver is in the host.", Needs::embedded,
     WEIR_CAP_CANCEL, "long_running select_one", cancels_inside, false, 8},
    {"L4.cancel.no_other", Grade::must, "D32", "cancel of what does not run does nothing.",
     Needs::database, WEIR_CAP_CANCEL, "select_one", cancels_no_other},
    {"L4.cancel.swept", Grade::must, "D32",
     "A cancel that comes late never hits the next operation.", Needs::database, WEIR_CAP_CANCEL,
     "rows_1000 select_one", cancels_swept, false, 60},
    {"L4.abort.running", Grade::must, "D33", "abort ends the running call at once.",
     Needs::database, WEIR_CAP_ABORT, "long_running", aborts, false, 40},
    {"L4.abort.for_good", Grade::must, "D33", "After abort the conn is broken, for good.",
     Needs::database, WEIR_CAP_ABORT, "select_one", aborts_for_good},
    {"L4.abort.after_close", Grade::must, "D33", "abort after close does nothing.", Needs::database,
     WEIR_CAP_ABORT, "", aborts_after_close},
    {"L4.abort.inside", Grade::must, "D33",
     "No lock that abort needs is held while the driver is in the host.", Needs::embedded,
     WEIR_CAP_ABORT, "long_running", aborts_inside, false, 8},
    {"L4.abort.racing", Grade::must, "D33", "abort may race with open, run and close.",
     Needs::database, WEIR_CAP_ABORT, "rows_1000", aborts_racing, false, 60},
};

}  // namespace

std::span<const Rule> end_rules() noexcept { return table; }

}  // namespace weir::check
