// SPDX-License-Identifier: MIT
//
// Level 4: what the network does to bytes. They are cut off, turned and slowed, at every place, and
// the driver must say no more than it can know.
#include "cli/check/line.hpp"
#include "cli/check/rule.hpp"

#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace weir::check {
namespace {

constexpr weir_time ms = Line::ms;
constexpr auto reset = Faults::End::reset;

// Whose bytes are cut. What is cut after byte 0 of either is torn before anything is sent.
enum class Way : std::uint8_t { request, answer };

struct Cut {
  Way way;
  std::uint64_t after;

  void make(Proxy& proxy) const {
    const Faults fault{.end_after = after, .end = reset};
    proxy.set(way == Way::request ? fault : Faults{}, way == Way::answer ? fault : Faults{});
  }
  [[nodiscard]] std::string of(std::string_view call) const {
    return fmt::format("{} whose {} was cut after {} bytes", call,
                       way == Way::request ? "request" : "answer", after);
  }
};

// What an error may say of a request that writes, and what the database must then look like.
void must_be_true(Line& line, const Session& s, const std::vector<Row>& before, bool has_arrived,
                  std::string_view what) {
  const int effect = s.error.effect;
  expect(effect != WEIR_EFFECT_NOT_SENT || !has_arrived,
         "{} says not_sent, and some of it has come to the server", what);
  const bool is_done = line.observe() != before;
  expect(effect == WEIR_EFFECT_UNKNOWN || !is_done, "{} says effect {}, and it was done", what,
         effect);
}

// Cuts after every byte, until one comes after all of them.
template <class Try>
void cut_everywhere(Line& line, Way way, Try try_one) {
  const auto stride = static_cast<std::uint64_t>(line.subject.scaled(1, 5));
  Cut cut{way, way == Way::request ? 0U : 1U};
  while (try_one(cut)) cut.after += cut.after < stride ? 1 : stride;
  note("{}: cut after up to {} bytes", way == Way::request ? "request" : "answer", cut.after);
}

void cut_inserts(Subject& subject) {
  Line line(subject);
  for (const Way way : {Way::request, Way::answer}) {
    cut_everywhere(line, way, [&](const Cut& cut) {
      auto s = line.open();
      const std::vector<Row> before = line.observe();
      const std::uint64_t passed = line.proxy.passed_to_server();
      cut.make(line.proxy);
      s->query(subject.sql("insert"), {Value::integer(7)});
      const std::string what = cut.of("an insert");
      if (s->status == WEIR_OK) {
        expect(cut.after > 0, "{} went well: the driver has made a new connection unasked", what);
        expect(line.observe() != before, "{} went well, and was not done", what);
        return false;
      }
      must_be_true(line, *s, before, line.proxy.passed_to_server() > passed, what);
      line.must_be_lost(std::move(s), what);
      return true;
    });
  }
}

void cut_commits(Subject& subject) {
  Line line(subject);
  for (const Way way : {Way::request, Way::answer}) {
    cut_everywhere(line, way, [&](const Cut& cut) {
      auto s = line.open();
      s->begin();
      s->must(WEIR_OK, "begin");
      s->query(subject.sql("insert"), {Value::integer(7)});
      s->must(WEIR_OK, "the quirks' insert");
      const std::vector<Row> before = line.observe();
      const std::uint64_t passed = line.proxy.passed_to_server();
      cut.make(line.proxy);
      s->commit();
      const std::string what = cut.of("a commit");
      if (s->status == WEIR_OK) {
        expect(line.observe() != before, "{} went well, and was not done", what);
        return false;
      }
      must_be_true(line, *s, before, line.proxy.passed_to_server() > passed, what);
      const int fate = s->error.tx_fate;
      const bool may_be_done = s->error.effect == WEIR_EFFECT_UNKNOWN;
      expect(
          fate != WEIR_TX_OPEN && fate != WEIR_TX_FAILED && !(fate == WEIR_TX_GONE && may_be_done),
          "{} says tx_fate {}, expected that nothing is known", what, fate);
      expect(s->error.stage == WEIR_STAGE_COMMIT, "{} says stage {}, expected {}", what,
             s->error.stage, WEIR_STAGE_COMMIT);
      line.must_be_lost(std::move(s), what);
      return true;
    });
  }
}

// The rows that came must be the first ones, whole.
void must_be_first_rows(const Session& s, std::string_view what) {
  for (std::size_t i = 0; i < s.rows.size(); ++i) {
    const auto number = static_cast<std::int64_t>(i + 1);
    const Row expected{Value::integer(number), Value::str(fmt::format("row {}", number))};
    expect(s.rows[i] == expected, "{}: row {} has another content", what, number);
  }
}

void cut_rows(Subject& subject) {
  Line line(subject);
  for (std::uint64_t after = 1;; after += 1 + after / 2) {
    auto s = line.open();
    const Cut cut{Way::answer, after};
    cut.make(line.proxy);
    s->query(subject.sql("rows_1000"), {}, 0, nullptr, 100);
    const std::string what = cut.of("a query of 1000 rows");
    must_be_first_rows(*s, what);
    if (s->status == WEIR_OK) {
      expect(s->rows.size() == 1000, "{} went well with {} rows", what, s->rows.size());
      return;
    }
    line.must_be_lost(std::move(s), what);
  }
}

/* ---------------------------------------------------------------- a connection that ends */

void pause_for(weir_time ns) { std::this_thread::sleep_for(std::chrono::nanoseconds(ns)); }

// By a reset, or as a server does that is shut down.
constexpr std::array<std::pair<std::string_view, Faults>, 2> ends{{
    {"a reset", {.end_after = 0, .end = Faults::End::reset}},
    {"a hang-up", {.end_after = 0, .end = Faults::End::fin}},
}};

void ends_idle(Subject& subject) {
  Line line(subject);
  for (const auto& [end, faults] : ends) {
    auto s = line.open();
    line.proxy.set({}, faults);
    s->query(subject.sql("select_one"));
    line.must_be_lost(std::move(s), fmt::format("a query after {}", end));
    s = line.open();
    line.proxy.set({}, faults);
    s->ping(WEIR_PING_PROTOCOL);
    s->must(WEIR_OK, fmt::format("a ping after {}", end));
    expect(s->alive == WEIR_ALIVE_NO, "a ping after {} says alive {}, expected {}", end, s->alive,
           WEIR_ALIVE_NO);
    line.must_close(std::move(s), fmt::format("a ping after {}", end));
  }
}

void ends_running(Subject& subject) {
  Line line(subject);
  for (const auto& [end, faults] : ends) {
    auto s = line.open();
    std::thread other([&line, &faults = faults] {
      pause_for(50 * ms);
      line.proxy.set({}, faults);
    });
    s->query(subject.sql("long_running"));
    other.join();
    line.must_be_lost(std::move(s), fmt::format("a running query that met {}", end));
  }
}

void ends_in_transaction(Subject& subject) {
  Line line(subject);
  for (const auto& [end, faults] : ends) {
    auto s = line.open();
    const std::vector<Row> before = line.observe();
    s->begin();
    s->must(WEIR_OK, "begin");
    s->query(subject.sql("insert"), {Value::integer(7)});
    s->must(WEIR_OK, "the quirks' insert");
    line.proxy.set({}, faults);
    s->query(subject.sql("select_one"));
    const std::string what = fmt::format("a query in a transaction, after {}", end);
    const int fate = s->error.tx_fate;
    expect(fate != WEIR_TX_OPEN && fate != WEIR_TX_FAILED,
           "{} says tx_fate {}, and the transaction is out of reach", what, fate);
    line.must_be_lost(std::move(s), what);
    expect(line.observe() == before, "{}, what the transaction did has stayed", what);
  }
}

// The server itself ends the session, and says so before it hangs up.
void ends_by_server(Subject& subject) {
  Line line(subject);
  Scene killer(subject);
  killer.session.open();
  killer.session.must(WEIR_OK, "open");
  const auto id_of = [&](const Session& s) {
    weir_conn_state state{};
    state.struct_size = sizeof state;
    subject.driver().state(s.conn, &state);
    if (state.backend_id == 0) skip("the state has no backend_id to name to the quirks' kill");
    return static_cast<std::int64_t>(state.backend_id);
  };
  const auto kill = [&](std::int64_t id) {
    killer.session.query(subject.sql("kill"), {Value::integer(id)});
    killer.session.must(WEIR_OK, "the quirks' kill");
  };
  auto s = line.open();
  kill(id_of(*s));
  pause_for(100 * ms);  // so that it is not the query which is ended
  s->query(subject.sql("select_one"));
  line.must_be_lost(std::move(s), "a query after the server has ended the session");
  s = line.open();
  std::thread other([&kill, id = id_of(*s)] {
    pause_for(50 * ms);
    kill(id);
  });
  s->query(subject.sql("long_running"));
  other.join();
  line.must_be_lost(std::move(s), "a running query whose session the server ends");
}

/* ---------------------------------------------------------------- bytes that are wrong or late */

void corrupt(Subject& subject) {
  Line line(subject);
  const auto stride = static_cast<std::uint64_t>(subject.scaled(1, 5));
  const std::string one = subject.sql("select_one");
  for (std::uint64_t at = 0, size = 1; at < size; at += stride) {
    auto s = line.open();
    const std::uint64_t passed = line.proxy.passed_to_client();
    const std::string what = fmt::format("a query whose answer has byte {} turned", at);
    line.proxy.set({}, {.corrupt_at = at});
    constexpr weir_time length = 200 * ms;  // what waits for more bytes than come waits in vain
    s->deadline = line.host.in(length);
    step("{}", what);
    s->query(one);
    const weir_time late = line.host.now() - s->deadline;
    expect(late <= line.overrun_max(length), "{} was back {} ms after its deadline", what,
           late / ms);
    // A value may be another one now, and nobody can tell; nor where a byte says that rows end. The
    // shape of a row cannot.
    expect(
        s->status != WEIR_OK || s->rows.empty() || (s->rows.size() == 1 && s->rows[0].size() == 1),
        "{} went well, with more than its one row of one value", what);
    size = std::max(size, line.proxy.passed_to_client() - passed);
    line.must_close(std::move(s), what);
  }
}

void slow(Subject& subject) {
  Line line(subject);
  const Faults slow_way{.delay_ms = 30, .bytes_per_ms = 30};
  line.proxy.set(slow_way, slow_way);
  Session s(line.source, 1000);
  s.deadline = line.host.in(Line::patience * slowness());
  s.open();
  s.must(WEIR_OK, "open by a slow network");
  for (const std::uint32_t batch_rows : {100U, 1001U}) {
    s.query(subject.sql("rows_1000"), {}, 0, nullptr, batch_rows);
    s.must(WEIR_OK, "a query by a slow network");
    expect(s.rows.size() == 1000, "by a slow network there are {} rows of 1000", s.rows.size());
    must_be_first_rows(s, "by a slow network");
  }
}

constexpr Rule table[] = {
    {"L4.net.cut", Grade::must, "D19",
     "What is cut off is a lost conn, and no error says more of it than can be known.",
     Needs::network, 0, "insert observe select_one", cut_inserts, false, 60},
    {"L4.net.commit", Grade::must, "D42",
     "A commit that is cut off may have been done, and no error says otherwise.", Needs::network,
     WEIR_CAP_TX, "insert observe select_one", cut_commits, false, 60},
    {"L4.net.rows", Grade::must, "D35", "Rows that are cut off never pass for all of them.",
     Needs::network, 0, "rows_1000 observe select_one", cut_rows, false, 40},
    {"L4.net.idle", Grade::must, "D28",
     "A conn that ended while it was idle is lost at the next call, and dead to a ping.",
     Needs::network, 0, "select_one observe", ends_idle},
    {"L4.net.running", Grade::must, "D19", "A conn that ends under a running call ends the call.",
     Needs::network, 0, "long_running select_one observe", ends_running},
    {"L4.net.tx", Grade::must, "D42", "A transaction does not outlive its conn.", Needs::network,
     WEIR_CAP_TX, "insert select_one observe", ends_in_transaction},
    {"L4.net.killed", Grade::must, "D19", "A session that the server ends is a lost conn.",
     Needs::network, 0, "kill long_running select_one observe", ends_by_server},
    {"L4.net.corrupt", Grade::must, "D31",
     "A wrong byte in an answer is an error or another value, no crash and no hang.",
     Needs::network, 0, "select_one observe", corrupt, false, 120},
    {"L4.net.slow", Grade::must, "D35", "Rows come complete by a slow network.", Needs::network, 0,
     "rows_1000 observe", slow, false, 60},
};

}  // namespace

std::span<const Rule> network_rules() noexcept { return table; }

}  // namespace weir::check
