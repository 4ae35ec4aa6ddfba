// SPDX-License-Identifier: MIT
//
// Level 3: sessions. Open, close, state, ping, what is not claimed, and what a process is left
// like.
#include "cli/check/client.hpp"
#include "cli/check/process_look.hpp"
#include "cli/check/rule.hpp"

#include <algorithm>
#include <chrono>
#include <sys/stat.h>
#include <unistd.h>

namespace weir::check {
namespace {

void opens(Subject& subject) {
  Scene scene(subject);
  scene.open();
  constexpr std::uint32_t never = WEIR_STATE_BROKEN | WEIR_STATE_RESULT_OPEN | WEIR_STATE_IN_TX |
                                  WEIR_STATE_TX_FAILED | WEIR_STATE_CANCEL_PENDING;
  const std::uint32_t flags = scene.session.flags();
  expect((flags & never) == 0, "a fresh session has the state flags {:#x}, expected none of {:#x}",
         flags, never);
  scene.still_usable("open");
}

// What close() leaves to others: with an open result, a statement and a transaction.
// A session that goes in mid-transaction, while rows are read or not.
void closes_unfinished(Subject& subject, Source& source, bool reading) {
  Session other(source, 2);
  other.open();
  other.must(WEIR_OK, "open of a second session");
  if (subject.claims(WEIR_CAP_PREPARE)) {
    weir_stmt* forgotten = nullptr;
    other.prepare(subject.sql("select_one"), &forgotten);
    other.must(WEIR_OK, "prepare");
  }
  if (subject.claims(WEIR_CAP_TX)) {
    other.begin();
    other.must(WEIR_OK, "begin");
  }
  other.query(subject.sql("insert"), {Value::integer(4711)});
  other.must(WEIR_OK, "the quirks' insert");
  if (reading) {
    other.start(subject.sql("rows_1000"), {}, 0, nullptr, 10);
    other.must(WEIR_OK, "the quirks' rows_1000");
    other.result = nullptr;  // forgotten, too
  }
  other.close();
}

void closes_all(Subject& subject) {
  Scene scene(subject);
  scene.open();
  const std::string observe = subject.sql("observe");
  scene.session.query(observe);
  scene.session.must(WEIR_OK, "the quirks' observe");
  const std::vector<Row> before = scene.session.rows;
  for (const bool reading : {true, false}) {
    closes_unfinished(subject, scene.source, reading);
    scene.session.deadline = scene.host.in(10'000'000'000);
    scene.session.query(observe);
    scene.session.must(WEIR_OK, "a query after another session was closed in mid-transaction");
    if (!subject.claims(WEIR_CAP_TX)) break;
    expect(scene.session.rows == before,
           "what a session did in a transaction is there after close, expected a rollback");
  }
}

void state_is_quick(Subject& subject) {
  Scene scene(subject);
  scene.open();
  const int looks = scene.host.waits();
  // The quickest of many runs: the others were interrupted by whatever else the machine does.
  constexpr int runs = 20;
  constexpr int times = 100;
  auto quickest = std::chrono::nanoseconds::max();
  for (int run = 0; run < runs; ++run) {
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < times; ++i) (void)scene.session.flags();
    quickest =
        std::min<std::chrono::nanoseconds>(quickest, std::chrono::steady_clock::now() - begun);
  }
  const auto ns = quickest.count() / times;
  const int ns_max = 20'000 * slowness();
  note("state takes {} ns", ns);
  expect(ns <= ns_max, "state takes {} ns, expected at most {}", ns, ns_max);
  expect(scene.host.waits() == looks, "state waits in the host");
}

void pings(Subject& subject) {
  Scene scene(subject);
  scene.open();
  struct Depth {
    int depth;
    std::uint64_t cap;
  };
  for (const Depth d :
       {Depth{WEIR_PING_STATE, 0}, Depth{WEIR_PING_SOCKET, WEIR_CAP_PING_SOCKET},
        Depth{WEIR_PING_PROTOCOL, 0}, Depth{WEIR_PING_SESSION, WEIR_CAP_PING_SESSION}}) {
    if (!subject.claims(d.cap)) continue;
    scene.session.ping(d.depth);
    scene.session.must(WEIR_OK, fmt::format("ping of depth {}", d.depth));
    expect(scene.session.alive == WEIR_ALIVE_YES,
           "ping of depth {} on a living session answers {}, expected {}", d.depth,
           scene.session.alive, WEIR_ALIVE_YES);
  }
}

void pings_unknown(Subject& subject) {
  Scene scene(subject);
  scene.open();
  for (const int depth : {77, -1}) {
    scene.session.ping(depth);
    scene.session.must(WEIR_E_UNSUPPORTED, fmt::format("ping of the unknown depth {}", depth));
  }
  scene.still_usable("a ping of an unknown depth");
}

void pings_dead(Subject& subject) {
  Scene scene(subject);
  scene.open();
  step("abort");
  scene.driver.abort(scene.session.canceller);
  for (const int depth : {WEIR_PING_STATE, WEIR_PING_PROTOCOL}) {
    scene.session.ping(depth);
    scene.session.must(WEIR_OK, fmt::format("ping of depth {} on an aborted conn", depth));
    expect(scene.session.alive == WEIR_ALIVE_NO,
           "ping of depth {} on an aborted conn answers {}, expected {}", depth,
           scene.session.alive, WEIR_ALIVE_NO);
  }
}

void pings_too_late(Subject& subject) {
  Scene scene(subject);
  scene.open();
  scene.session.deadline = scene.host.now() - 1;
  scene.session.ping(WEIR_PING_PROTOCOL);
  scene.session.must(WEIR_E_TIMEOUT, "a ping whose deadline has passed");
  expect(scene.session.is(WEIR_STATE_BROKEN),
         "after a ping that met its deadline the conn is not broken: its answer may still come");
  expect(scene.session.error.conn_fate == WEIR_CONN_BROKEN,
         "a ping that met its deadline says conn_fate {}, and the state says broken",
         scene.session.error.conn_fate);
}

void unclaimed(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  const std::string one = subject.sql("select_one");
  const auto refused = [&](std::uint64_t cap, const char* what, auto call) {
    if (subject.claims(cap)) return;
    step("{}, which is not claimed", what);
    s.status = call();
    s.must(WEIR_E_UNSUPPORTED, fmt::format("{}, which is not claimed,", what));
  };
  refused(WEIR_CAP_TX, "begin", [&] { return s.begin(); });
  refused(WEIR_CAP_TX, "commit", [&] { return s.commit(); });
  refused(WEIR_CAP_TX, "rollback", [&] { return s.rollback(); });
  refused(WEIR_CAP_RESET_FULL, "reset to full", [&] { return s.reset(WEIR_RESET_FULL); });
  // A full reset includes the one of the session.
  if (!subject.claims(WEIR_CAP_RESET_FULL)) {
    refused(WEIR_CAP_RESET_SESSION, "reset to session",
            [&] { return s.reset(WEIR_RESET_SESSION); });
  }
  refused(WEIR_CAP_PING_SOCKET, "ping of the socket", [&] { return s.ping(WEIR_PING_SOCKET); });
  refused(WEIR_CAP_PREPARE, "prepare", [&] {
    weir_stmt* stmt = nullptr;
    return s.prepare(one, &stmt);
  });
  refused(WEIR_CAP_EXECUTE_MANY, "execute_many", [&] {
    weir_many_args args{};
    args.struct_size = sizeof args;
    args.sql = text(one);
    const weir_call call = s.call();
    return scene.driver.execute_many(s.conn, &call, &args, nullptr, &s.error);
  });
  refused(WEIR_CAP_READ_ONLY_TX, "begin of a read-only transaction", [&]() -> weir_status {
    return subject.claims(WEIR_CAP_TX) ? s.begin(WEIR_BEGIN_READ_ONLY) : WEIR_E_UNSUPPORTED;
  });
  void* handle = nullptr;
  step("native with an unknown id");
  s.status = scene.driver.native(s.conn, "no such handle*", &handle, &s.error);
  s.must(WEIR_E_UNSUPPORTED, "native with an unknown id");
  expect(handle == nullptr, "native with an unknown id wrote to *handle");
  refused(WEIR_CAP_MULTI_RESULT, "next_set", [&]() -> weir_status {
    s.start(subject.sql("rows_1000"), {}, 0, nullptr, 1);
    if (s.result == nullptr) return WEIR_E_UNSUPPORTED;
    const weir_call call = s.call();
    const weir_status status = scene.driver.next_set(s.result, &call, &s.out, &s.error);
    s.close_result();
    return status;
  });
  scene.still_usable("calls that are not offered");
}

// Everything a lease may do, once.
void use(Scene& scene) {
  const Subject& subject = scene.subject;
  scene.session.query(subject.sql("rows_1000"), {}, 0, nullptr, 100);
  scene.session.query(subject.sql("syntax_error"));
  scene.session.ping(WEIR_PING_PROTOCOL);
  if (subject.claims(WEIR_CAP_RESET_SESSION)) scene.session.reset(WEIR_RESET_SESSION);
}

void leaves_nothing(Subject& subject) {
  const ProcessLook before = ProcessLook::take();
  constexpr int times = 3;  // what is kept once may be a cache, what grows is not
  for (int i = 0; i < times; ++i) {
    Scene scene(subject);
    scene.open();
    use(scene);
  }
  const std::string descriptors = descriptors_changed_since(before);
  expect(descriptors.empty(), "after env_destroy {}", descriptors.substr(0, 300));
}

void leaves_no_thread(Subject& subject) {
  const std::size_t before = thread_count();
  {
    Scene scene(subject);
    scene.open();
    use(scene);
    const std::size_t during = thread_count();
    expect(during <= before || subject.claims(WEIR_CAP_OWN_THREADS),
           "a session has {} threads beside the host's, and own_threads is not claimed",
           during - before);
  }
  const std::size_t after = settled_thread_count(before);
  expect(after <= before, "after env_destroy there are {} threads more than before",
         after - before);
}

void keeps_process(Subject& subject) {
  const ProcessLook before = ProcessLook::take();
  {
    Scene scene(subject);
    scene.open();
    use(scene);
    const ProcessLook during = ProcessLook::take();
    const std::string changed =
        signals_changed(before, during) + surroundings_changed(before, during);
    expect(changed.empty(), "a session changed the process: {}", changed.substr(0, 400));
  }
}

off_t output_size() {
  struct stat about {};
  ::fstat(STDOUT_FILENO, &about);
  return about.st_size;
}

void is_quiet(Subject& subject) {
  const off_t before = output_size();
  {
    Scene scene(subject);
    scene.open();
    use(scene);
  }
  const off_t written = output_size() - before;
  expect(written == 0, "a session wrote {} bytes to stdout or stderr: hand lines to host->log",
         written);
}

void close_on_exec(Subject& subject) {
  const std::string before = inheritable_descriptors();
  Scene scene(subject);
  scene.open();
  use(scene);
  const std::string during = inheritable_descriptors();
  expect(before == during, "a program that the host starts now inherits {}: open with O_CLOEXEC",
         during);
}

void envs_apart(Subject& subject) {
  Scene mine(subject);
  mine.open();
  Scene theirs(subject);
  theirs.session.open();
  theirs.session.must(WEIR_OK, "open in a second env");
  mine.host.forget_counts();
  use(theirs);
  if (subject.claims(WEIR_CAP_ABORT)) {
    step("abort in a second env");
    theirs.driver.abort(theirs.session.canceller);
  }
  expect(mine.host.wakes() == 0 && mine.host.looks() == 0,
         "work in one env called another env's host: {} times wake, {} times now or wait",
         mine.host.wakes(), mine.host.looks());
  mine.still_usable("an abort in another env");
}

void refuses(Subject& subject) {
  for (const auto& [kind, url] : subject.quirks().refused) {
    const weir_status expected = kind_named(kind);
    if (expected == WEIR_OK)
      unable("the quirks' [refused] names the kind {}, which does not exist", kind);
    const Host host;
    Source source(subject.driver(), host.abi(), url, options_of(subject), subject.job().directory);
    if (source.status == expected) continue;  // seen as early as can be
    expect(source.status == WEIR_OK, "source_create for {} ended with {}: {}", url,
           kind_name(source.status), source.error.what());
    Session session(source);
    session.deadline = host.in(10'000'000'000);
    session.open();
    session.must(expected, fmt::format("open of {}", url));
    expect(session.conn == nullptr, "an open that failed wrote to *conn all the same");
  }
}

constexpr Rule table[] = {
    {"L3.session.opens", Grade::must, "D23", "A session opens, clean, answers and closes.",
     Needs::database, 0, "select_one", opens, true},
    {"L3.session.closes", Grade::must, "D24",
     "close ends results, statements and the transaction that are still open.", Needs::database, 0,
     "observe insert rows_1000", closes_all},
    {"L3.session.refused", Grade::must, "D23",
     "What cannot be opened is refused with the kind of error that says why.", Needs::database, 0,
     "refused", refuses},
    {"L3.state.quick", Grade::must, "D27", "state neither waits nor works.", Needs::database, 0, "",
     state_is_quick},
    {"L3.ping.answers", Grade::must, "D28", "Each depth of ping that is offered answers.",
     Needs::database, 0, "", pings},
    {"L3.ping.unknown", Grade::must, "D28", "An unknown depth of ping is unsupported.",
     Needs::database, 0, "select_one", pings_unknown},
    {"L3.ping.dead", Grade::must, "D28",
     "ping says of a dead conn that it is dead, and not an error.", Needs::database, WEIR_CAP_ABORT,
     "", pings_dead},
    {"L3.ping.too_late", Grade::must, "D28",
     "A ping that meets its deadline leaves the conn broken.", Needs::database, 0, "",
     pings_too_late},
    {"L3.caps.unclaimed", Grade::must, "D10", "What is not claimed is unsupported.",
     Needs::database, 0, "select_one rows_1000", unclaimed},
    {"L3.process.descriptors", Grade::must, "D22", "A session leaves no descriptor behind.",
     Needs::database, 0, "rows_1000 syntax_error", leaves_nothing},
    {"L3.process.threads", Grade::must, "D22",
     "A session has no thread of its own that was not claimed, and leaves none.", Needs::database,
     0, "rows_1000 syntax_error", leaves_no_thread},
    {"L3.process.changes", Grade::must, "D22",
     "A session leaves signals, locale, directory and limits alone.", Needs::database, 0,
     "rows_1000 syntax_error", keeps_process},
    {"L3.process.output", Grade::must, "D22", "A session writes nothing to stdout or stderr.",
     Needs::database, 0, "rows_1000 syntax_error", is_quiet},
    // Not a MUST: a client library may open its sockets without, and show them to nobody.
    {"L3.process.inherited", Grade::should, "D22",
     "Its descriptors are close-on-exec, as far as the client library lets it.", Needs::database, 0,
     "rows_1000 syntax_error", close_on_exec},
    {"L3.env.apart", Grade::must, "D26", "Envs know nothing of each other.", Needs::database, 0,
     "select_one rows_1000 syntax_error", envs_apart},
};

}  // namespace

std::span<const Rule> session_rules() noexcept { return table; }

}  // namespace weir::check
