// SPDX-License-Identifier: MIT
//
// Level 5: what grows when it should not, and what many threads do.
#include "cli/check/client.hpp"
#include "cli/check/process_look.hpp"
#include "cli/check/rule.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

namespace weir::check {
namespace {

// Runs `once` for a while to warm up, then `times` times, and looks at what has grown.
template <class Once>
void must_not_grow(const Subject& subject, const char* what, int times, Once once) {
  const int warm_up = times / 4;
  for (int i = 0; i < warm_up; ++i) once(i);
  const ProcessLook before = ProcessLook::take();
  const std::size_t mappings = mapping_count();
  const std::size_t resident = resident_bytes();
  for (int i = 0; i < times; ++i) once(i);
  const std::string descriptors = descriptors_changed_since(before);
  expect(descriptors.empty(), "{} {} times: {}", what, times, descriptors.substr(0, 300));
  // Threads of the driver's own are as many as its work at the moment; a leak has one each time.
  const std::size_t threads_max = before.threads + (subject.claims(WEIR_CAP_OWN_THREADS) ? 16 : 0);
  const std::size_t threads = settled_thread_count(threads_max);
  expect(threads <= threads_max, "{} {} times: there are {} threads, before there were {}", what,
         times, threads, before.threads);
  constexpr std::size_t mappings_slack = 16;
  const std::size_t mappings_now = mapping_count();
  expect(mappings_now <= mappings + mappings_slack || has_sanitizer(),
         "{} {} times: there are {} memory mappings, before there were {}", what, times,
         mappings_now, mappings);
  // A sanitizer keeps freed memory for a while; its leak checker is the better judge there.
  if (has_sanitizer()) return;
  const std::size_t resident_now = resident_bytes();
  const std::size_t grown = resident_now > resident ? resident_now - resident : 0;
  constexpr std::size_t slack = 256 * 1024;
  note("{} {} times: {} KiB more", what, times, grown / 1024);
  const std::size_t max = slack + static_cast<std::size_t>(times) * 64;
  expect(grown <= max, "{} {} times: {} KiB more memory, {} bytes each", what, times, grown / 1024,
         grown / static_cast<std::size_t>(times));
}

void sessions(Subject& subject) {
  Scene scene(subject);
  scene.open();
  must_not_grow(subject, "a session was opened and closed", subject.scaled(10'000, 500), [&](int) {
    Session one(scene.source, 2);
    one.open();
    one.must(WEIR_OK, "open");
    one.query(subject.sql("select_one"));
    one.must(WEIR_OK, "the quirks' select_one");
  });
}

void failed_opens(Subject& subject) {
  Scene scene(subject);
  scene.open();
  must_not_grow(subject, "an open failed", subject.scaled(10'000, 1'000), [&](int i) {
    Session one(scene.source, 2);
    if (i % 2 == 0 && subject.claims(WEIR_CAP_ABORT)) {
      scene.driver.abort(one.canceller);
    } else {
      one.deadline = scene.host.now() - 1;
    }
    one.open();
    expect(one.status != WEIR_OK, "an open that was aborted or too late went well");
  });
}

void statements(Subject& subject) {
  Scene scene(subject);
  scene.open();
  must_not_grow(subject, "statements ran", subject.scaled(100'000, 4'000), [&](int i) {
    scene.session.query(subject.sql(i % 4 == 0 ? "syntax_error" : "select_one"));
    if (i % 4 != 0) scene.session.must(WEIR_OK, "the quirks' select_one");
    if (i % 4 != 1 || !subject.claims(WEIR_CAP_PREPARE)) return;
    weir_stmt* stmt = nullptr;
    scene.session.prepare(subject.sql("select_one"), &stmt);
    scene.session.must(WEIR_OK, "prepare");
    scene.session.stmt_close(stmt);
  });
}

void own_sessions(Subject& subject) {
  Scene scene(subject);
  scene.open();
  const int rounds = subject.scaled(200, 20);
  std::vector<std::thread> threads;
  for (std::uint64_t tag = 1; tag <= 6; ++tag) {
    threads.emplace_back([&, tag] {
      for (int i = 0; i < rounds; ++i) {
        Session one(scene.source, tag * 1000);
        one.open();
        one.must(WEIR_OK, "open on one of many threads");
        one.query(subject.sql("rows_1000"), {}, 0, nullptr, 100);
        one.must(WEIR_OK, "the quirks' rows_1000 on one of many threads");
        expect(one.rows.size() == 1000, "on one of many threads there are {} rows of 1000",
               one.rows.size());
      }
      if (scene.driver.thread_detach != nullptr) scene.driver.thread_detach(scene.source.env);
    });
  }
  for (std::thread& thread : threads) thread.join();
  scene.still_usable("work on many threads");
}

// Like a caller's threads, which nobody detaches.
void wanders(Subject& subject) {
  Scene scene(subject);
  scene.open();
  const int rounds = subject.scaled(1'000, 100);
  for (int i = 0; i < rounds; ++i) {
    std::thread([&] {
      scene.session.query(subject.sql("rows_1000"), {}, 0, nullptr, 300);
      scene.session.must(WEIR_OK, "a query on another thread than the last");
      expect(scene.session.rows.size() == 1000, "on another thread there are {} rows of 1000",
             scene.session.rows.size());
    }).join();
  }
}

// Every other one is a caller's; the rest are a pool's, and detached.
void short_threads(Subject& subject) {
  Scene scene(subject);
  scene.open();
  must_not_grow(subject, "a thread came, worked and went", subject.scaled(10'000, 200), [&](int i) {
    std::thread([&] {
      scene.still_usable("a thread came");
      if (i % 2 == 0) scene.driver.thread_detach(scene.source.env);
    }).join();
  });
}

void env_ends(Subject& subject) {
  // Never freed: a driver that calls it late is to be seen, not to crash in the kit.
  static Scene* scene = nullptr;
  scene = new Scene(subject);
  scene->open();
  scene->session.query(subject.sql("rows_1000"));
  scene->session.close();
  scene->driver.canceller_release(scene->session.canceller);
  scene->session.canceller = nullptr;
  step("source_destroy");
  scene->driver.source_destroy(scene->source.handle);
  scene->source.handle = nullptr;
  step("env_destroy");
  scene->driver.env_destroy(scene->source.env);
  scene->source.env = nullptr;
  scene->host.retire();
  step("waiting for services that are called after env_destroy");
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
}

void exits_while_open(Subject& subject) {
  // Leaked on purpose: a program may end with connections idle.
  static Scene* scene = nullptr;
  scene = new Scene(subject);
  scene->open();
  static Session* other = nullptr;
  other = new Session(scene->source, 2);
  other->open();
  other->must(WEIR_OK, "open of a second session");
  if (subject.claims(WEIR_CAP_TX)) {
    other->begin();
    other->must(WEIR_OK, "begin");
  }
}

constexpr Rule table[] = {
    {"L5.flat.sessions", Grade::must, "D24", "Sessions come and go, and nothing grows.",
     Needs::database, 0, "select_one", sessions, false, 60},
    {"L5.flat.failed_opens", Grade::must, "D23", "Opens fail, and nothing grows.", Needs::database,
     0, "", failed_opens, false, 60},
    {"L5.flat.statements", Grade::must, "D36", "Statements run and fail, and nothing grows.",
     Needs::database, 0, "select_one syntax_error", statements, false, 60},
    {"L5.threads.own_sessions", Grade::must, "D26",
     "Many threads work at the same time, each with its session.", Needs::database, 0,
     "rows_1000 select_one", own_sessions, false, 60},
    {"L5.threads.wander", Grade::must, "D27", "A session goes from thread to thread.",
     Needs::database, 0, "rows_1000", wanders, false, 60},
    {"L5.threads.short", Grade::must, "D22", "Threads come and go, and nothing grows.",
     Needs::database, 0, "select_one", short_threads, false, 60},
    {"L5.env.ends", Grade::must, "D22", "After env_destroy the host is not called any more.",
     Needs::database, 0, "rows_1000", env_ends},
    {"L5.exit.open", Grade::must, "D22", "A program may end while sessions are open.",
     Needs::database, 0, "select_one", exits_while_open},
};

}  // namespace

std::span<const Rule> soak_rules() noexcept { return table; }

}  // namespace weir::check
