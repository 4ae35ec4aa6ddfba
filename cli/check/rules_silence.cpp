// SPDX-License-Identifier: MIT
//
// Level 4: a network that falls silent. Nothing comes any more and nobody is told, which only
// deadlines, cancel and abort can end.
#include "cli/check/line.hpp"
#include "cli/check/rule.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace weir::check {
namespace {

constexpr weir_time ms = Line::ms;
constexpr weir_time length = 300 * ms;  // of the deadlines

void pause_for(weir_time ns) { std::this_thread::sleep_for(std::chrono::nanoseconds(ns)); }

/* ---------------------------------------------------------------- the calls that wait */

struct Call {
  std::string_view name;
  std::uint64_t caps;
  void (*before)(Line&, Session&);  // while the network is in order
  void (*run)(const Subject&, Session&);
};

void nothing(Line& /*line*/, Session& /*s*/) {}

void open_transaction(Line& line, Session& s) {
  s.begin();
  s.must(WEIR_OK, "begin");
  s.query(line.subject.sql("insert"), {Value::integer(7)});
  s.must(WEIR_OK, "the quirks' insert");
}

// The first rows come, and then no more. A driver that reads ahead misses them at once: that is
// execute again, which has had its turn.
void start_rows(Line& line, Session& s) {
  constexpr std::uint64_t some = 6000;  // bytes, of more than 10000
  line.proxy.set({}, {.end_after = some});
  s.deadline = line.host.in(length);
  s.start(line.subject.sql("rows_1000"), {}, 0, nullptr, 10);
}

void change_session(Line& line, Session& s) {
  s.query(line.subject.sql("dirty"));
  s.must(WEIR_OK, "the quirks' dirty");
}

void run_fetch(const Subject& /*subject*/, Session& s) {
  while (s.result != nullptr && s.fetch() == WEIR_OK && (s.batch.flags & WEIR_BATCH_END) == 0) {
  }
}

void run_prepare(const Subject& subject, Session& s) {
  weir_stmt* stmt = nullptr;
  s.prepare(subject.sql("select_one"), &stmt);
}

void run_many(const Subject& subject, Session& s) {
  const std::string sql = subject.sql("insert");
  const weir_cell cells[] = {Value::integer(1).cell(), Value::integer(2).cell()};
  weir_many_args args{};
  args.struct_size = sizeof args;
  args.sql = text(sql);
  args.cells = cells;
  args.row_count = 2;
  args.param_count = 1;
  args.row_stride = 1;
  weir_many_out out{};
  out.struct_size = sizeof out;
  const weir_call call = s.call();
  step("execute_many");
  s.status = s.driver.execute_many(s.conn, &call, &args, &out, &s.error);
}

// begin and next_set are not among them: they may have nothing to ask.
constexpr Call calls[] = {
    {"execute", 0, nothing,
     [](const Subject& subject, Session& s) { s.query(subject.sql("select_one")); }},
    {"fetch", WEIR_CAP_STREAM, start_rows, run_fetch},
    {"execute_many", WEIR_CAP_EXECUTE_MANY, nothing, run_many},
    {"prepare", WEIR_CAP_PREPARE, nothing, run_prepare},
    {"ping", 0, nothing, [](const Subject&, Session& s) { s.ping(WEIR_PING_PROTOCOL); }},
    {"commit", WEIR_CAP_TX, open_transaction, [](const Subject&, Session& s) { s.commit(); }},
    {"rollback", WEIR_CAP_TX, open_transaction, [](const Subject&, Session& s) { s.rollback(); }},
    {"reset", WEIR_CAP_RESET_SESSION, change_session,
     [](const Subject&, Session& s) { s.reset(WEIR_RESET_SESSION); }},
};

// False: the call has nothing left to wait for, which only fetch may say (start_rows).
bool is_ready(Line& line, Session& s, const Call& call) {
  call.before(line, s);
  if (s.status == WEIR_OK) return true;
  note("{} was not asked: the driver had read ahead", call.name);
  return false;
}

/* ---------------------------------------------------------------- deadlines */

// `late`: by how much a call outlived its deadline.
void must_be_in_time(const Line& line, weir_time late, std::string_view what) {
  note("{} was back {:.2f} ms after its deadline", what,
       static_cast<double>(late) / static_cast<double>(ms));
  const weir_time max = line.overrun_max(length);
  expect(late <= max, "{} was back {} ms after its deadline, expected at most {} ms", what,
         late / ms, max / ms);
  expect(late >= -1 * ms, "{} was back {} ms before its deadline", what, -late / ms);
}

void deadlines(Subject& subject) {
  Line line(subject);
  for (const Call& call : calls) {
    if (!subject.claims(call.caps)) continue;
    auto s = line.open();
    if (!is_ready(line, *s, call)) continue;
    line.fall_silent();
    s->deadline = line.host.in(length);
    call.run(subject, *s);
    const std::string what = fmt::format("{} on a silent network", call.name);
    must_be_in_time(line, line.host.now() - s->deadline, what);
    const bool is_dead = call.name == "ping" && s->status == WEIR_OK && s->alive == WEIR_ALIVE_NO;
    if (!is_dead) s->must(WEIR_E_TIMEOUT, what);
    expect(call.name != "commit" || s->error.effect == WEIR_EFFECT_UNKNOWN,
           "{} says effect {}, and it may have come to the server", what, s->error.effect);
    line.must_close(std::move(s), what);
  }
}

// Silent from the first byte, and in the midst of the login.
void open_deadline(Subject& subject) {
  Line line(subject);
  for (const std::uint64_t heard : {0U, 1U, 20U}) {
    line.proxy.set({}, {.end_after = heard});
    Session s(line.source, 1000 + heard);
    s.deadline = line.host.in(length);
    s.open();
    const std::string what = fmt::format("open on a network silent after {} bytes", heard);
    must_be_in_time(line, line.host.now() - s.deadline, what);
    s.must(WEIR_E_TIMEOUT, what);
  }
}

/* ---------------------------------------------------------------- from another thread */

// Runs `call` while another thread ends it by abort; returns how long after that it was back.
template <class F>
weir_time time_to_abort(Line& line, Session& s, F call) {
  weir_time at = 0;
  std::thread other([&] {
    pause_for(50 * ms);
    at = line.host.now();
    s.driver.abort(s.canceller);
  });
  s.deadline = line.host.in(Line::patience);
  call();
  const weir_time back = line.host.now();
  other.join();
  return back - at;
}

void must_be_ended(const Session& s, weir_time took, std::string_view what) {
  const bool is_dead = s.status == WEIR_OK && s.alive == WEIR_ALIVE_NO;  // a ping's answer
  expect(is_dead || s.status == WEIR_E_CONN_LOST || s.status == WEIR_E_CANCELLED,
         "{} ended with {}, expected conn_lost or cancelled", what, kind_name(s.status));
  note("{} ended after {} us", what, took / 1000);
  const weir_time max = 250 * ms * slowness();
  expect(took <= max, "{} ended after {} ms, expected at most {} ms", what, took / ms, max / ms);
}

void aborts(Subject& subject) {
  Line line(subject);
  for (const Call& call : calls) {
    if (!subject.claims(call.caps)) continue;
    auto s = line.open();
    if (!is_ready(line, *s, call)) continue;
    line.fall_silent();
    s->alive = WEIR_ALIVE_UNKNOWN;
    const weir_time took = time_to_abort(line, *s, [&] { call.run(subject, *s); });
    const std::string what = fmt::format("{} that is aborted on a silent network", call.name);
    must_be_ended(*s, took, what);
    line.must_close(std::move(s), what);
  }
  line.fall_silent();
  Session s(line.source, 1000);
  const weir_time took = time_to_abort(line, s, [&] { s.open(); });
  must_be_ended(s, took, "open that is aborted on a silent network");
}

// cancel asks the server: what it cannot reach it gives up, and leaves the call to its deadline.
void cancel_gives_up(Subject& subject) {
  Line line(subject);
  auto s = line.open();
  const std::uint64_t op = s->op + 1;
  std::thread other([&] { s->query(subject.sql("long_running")); });
  pause_for(100 * ms);
  line.fall_silent();
  const weir_call call{sizeof call, 0, 1, line.host.in(length)};
  step("cancel on a silent network");
  s->driver.cancel(s->canceller, op, &call, nullptr);
  const weir_time late = line.host.now() - call.deadline;
  const weir_time max = line.overrun_max(length);
  if (subject.claims(WEIR_CAP_ABORT)) s->driver.abort(s->canceller);
  other.join();
  expect(late <= max,
         "cancel on a silent network was back {} ms after its deadline, expected at "
         "most {} ms",
         late / ms, max / ms);
  line.must_close(std::move(s), "a cancel on a silent network");
}

/* ---------------------------------------------------------------- what cannot fail */

// These have no error to say, and must be back all the same.
void closes(Subject& subject) {
  Line line(subject);
  const auto back_in_time = [&](Session& s, std::string_view what, auto call) {
    s.deadline = line.host.in(length);
    call();
    const weir_time late = line.host.now() - s.deadline;
    const weir_time max = line.overrun_max(length);
    expect(late <= max,
           "{} on a silent network was back {} ms after its deadline, expected at "
           "most {} ms",
           what, late / ms, max / ms);
  };
  auto s = line.open();
  line.fall_silent();
  line.must_close(std::move(s), "nothing at all, on a silent network");

  s = line.open();
  s->start(subject.sql("rows_1000"), {}, 0, nullptr, 10);
  s->must(WEIR_OK, "the quirks' rows_1000");
  line.fall_silent();
  back_in_time(*s, "result_close", [&] { s->close_result(); });
  line.must_close(std::move(s), "result_close on a silent network");

  if (!subject.claims(WEIR_CAP_PREPARE)) return;
  s = line.open();
  weir_stmt* stmt = nullptr;
  s->prepare(subject.sql("select_one"), &stmt);
  s->must(WEIR_OK, "prepare");
  line.fall_silent();
  back_in_time(*s, "stmt_close", [&] { s->stmt_close(stmt); });
  line.must_close(std::move(s), "stmt_close on a silent network");
}

constexpr Rule table[] = {
    {"L4.silence.deadline", Grade::must, "D31", "On a silent network a call ends at its deadline.",
     Needs::network, 0, "select_one insert rows_1000 dirty observe", deadlines, false, 60},
    {"L4.silence.open", Grade::must, "D23",
     "open ends at its deadline, wherever the network falls silent.", Needs::network, 0, "observe",
     open_deadline},
    {"L4.silence.abort", Grade::must, "D33", "On a silent network abort ends every call at once.",
     Needs::network, WEIR_CAP_ABORT, "select_one insert rows_1000 dirty observe", aborts, false,
     60},
    {"L4.silence.cancel", Grade::must, "D32",
     "A cancel that cannot reach the server gives up at its deadline.", Needs::network,
     WEIR_CAP_CANCEL, "long_running observe", cancel_gives_up},
    {"L4.silence.close", Grade::must, "D24",
     "What cannot fail is back by its deadline: close, result_close, stmt_close.", Needs::network,
     0, "select_one rows_1000 observe", closes},
};

}  // namespace

std::span<const Rule> silence_rules() noexcept { return table; }

}  // namespace weir::check
