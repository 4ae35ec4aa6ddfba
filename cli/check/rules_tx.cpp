// SPDX-License-Identifier: MIT
//
// Level 3: transactions, and the state walked at random against a model of it.
#include "cli/check/client.hpp"
#include "cli/check/rule.hpp"

#include <array>
#include <random>

namespace weir::check {
namespace {

void machine(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  for (const bool commits : {true, false}) {
    s.begin();
    s.must(WEIR_OK, "begin");
    expect(s.is(WEIR_STATE_IN_TX), "after begin the state does not say in_tx");
    s.query(subject.sql("select_one"));
    s.must(WEIR_OK, "a query in a transaction");
    commits ? s.commit() : s.rollback();
    s.must(WEIR_OK, commits ? "commit" : "rollback");
    expect(!s.is(WEIR_STATE_IN_TX), "after {} the state says in_tx",
           commits ? "commit" : "rollback");
  }
}

void nested(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  s.begin();
  s.must(WEIR_OK, "begin");
  s.begin();
  s.must(WEIR_E_INVALID_STATE, "a begin inside a transaction");
  expect(s.error.tx_fate == WEIR_TX_OPEN, "a refused begin says tx_fate {}, expected {} (open)",
         s.error.tx_fate, WEIR_TX_OPEN);
  s.rollback();
  s.must(WEIR_OK, "rollback");
}

void rollback_idle(Subject& subject) {
  Scene scene(subject);
  scene.open();
  scene.session.rollback();
  scene.session.must(WEIR_OK, "a rollback where no transaction is open");
}

void commit_idle(Subject& subject) {
  Scene scene(subject);
  scene.open();
  scene.session.commit();
  scene.session.must(WEIR_E_INVALID_STATE, "a commit where no transaction is open");
}

std::vector<Row> observed(Session& session, const Subject& subject) {
  session.query(subject.sql("observe"));
  session.must(WEIR_OK, "the quirks' observe");
  return session.rows;
}

void insert(Session& session, const Subject& subject, std::int64_t value) {
  session.query(subject.sql("insert"), {Value::integer(value)});
  session.must(WEIR_OK, "the quirks' insert");
}

void commits(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session other(scene.source, 2);
  other.open();
  other.must(WEIR_OK, "open of a second session");
  const std::vector<Row> before = observed(other, subject);
  scene.session.begin();
  scene.session.must(WEIR_OK, "begin");
  insert(scene.session, subject, 1'000'001);
  scene.session.commit();
  scene.session.must(WEIR_OK, "commit");
  expect(observed(other, subject) != before, "another session does not see what was committed");
}

void rolls_back(Subject& subject) {
  Scene scene(subject);
  scene.open();
  const std::vector<Row> before = observed(scene.session, subject);
  scene.session.begin();
  scene.session.must(WEIR_OK, "begin");
  insert(scene.session, subject, 1'000'002);
  fact("last_id", "{}",
       (scene.session.out.flags & WEIR_EXEC_HAS_LAST_ID) != 0 ? "told" : "not told");
  expect(observed(scene.session, subject) != before, "a transaction does not see its own insert");
  scene.session.rollback();
  scene.session.must(WEIR_OK, "rollback");
  expect(observed(scene.session, subject) == before, "what was rolled back is there");
}

// What a host has to know of the database, and no rule: what becomes of a transaction.
void note_failing_statement(Scene& scene) {
  Session& s = scene.session;
  s.begin();
  s.must(WEIR_OK, "begin");
  s.query(scene.subject.sql("syntax_error"));
  fact("a statement that fails in a transaction", "{}",
       !s.is(WEIR_STATE_IN_TX)      ? "ends it"
       : s.is(WEIR_STATE_TX_FAILED) ? "leaves a rollback to it"
                                    : "leaves it open");
  s.rollback();
}

void half_way(Subject& subject) {
  Scene scene(subject);
  scene.open();
  const std::vector<Row> before = observed(scene.session, subject);
  scene.session.query(subject.sql("rows_1000"));
  const std::vector<Row> rows = scene.session.rows;
  scene.session.query(subject.sql("fails_half_way"));
  expect(scene.session.status != WEIR_OK, "the quirks' fails_half_way does not fail");
  if (scene.session.error.effect == WEIR_EFFECT_UNKNOWN) return;  // then nothing is promised
  expect(observed(scene.session, subject) == before,
         "a statement that failed half way has left changes");
  scene.session.query(subject.sql("rows_1000"));
  expect(scene.session.rows == rows, "a statement that failed half way has left rows");
}

void no_downgrade(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  s.begin(1U << 20);
  s.must(WEIR_E_UNSUPPORTED, "begin with an unknown flag");
  s.begin(0, 99);
  s.must(WEIR_E_UNSUPPORTED, "begin with an unknown isolation level");
  expect(!s.is(WEIR_STATE_IN_TX), "a refused begin opened a transaction");
  constexpr std::array<std::string_view, 5> names{"default", "read uncommitted", "read committed",
                                                  "repeatable read", "serializable"};
  std::string granted;
  for (std::int32_t level = WEIR_ISOLATION_DEFAULT; level <= WEIR_ISOLATION_SERIALIZABLE; ++level) {
    s.begin(0, level);
    expect(s.status == WEIR_OK || s.status == WEIR_E_UNSUPPORTED,
           "begin with isolation {} ended with {}, expected ok or unsupported", level,
           kind_name(s.status));
    if (s.status != WEIR_OK) continue;
    granted +=
        (granted.empty() ? "" : ", ") + std::string(names.at(static_cast<std::size_t>(level)));
    s.rollback();
  }
  fact("isolation", "{}", granted);
}

void read_only(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  s.begin(WEIR_BEGIN_READ_ONLY);
  s.must(WEIR_OK, "begin of a read-only transaction");
  s.query(subject.sql("insert"), {Value::integer(3)});
  s.must(WEIR_E_READ_ONLY, "an insert in a read-only transaction");
  s.rollback();
  s.must(WEIR_OK, "rollback");
  insert(s, subject, 4);
}

void by_statement(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  s.query(subject.sql("begin"));
  s.must(WEIR_OK, "the quirks' begin");
  expect(s.is(WEIR_STATE_IN_TX),
         "a transaction was opened by a statement; the state does not say so");
  s.rollback();
  s.must(WEIR_OK, "rollback");
  expect(!s.is(WEIR_STATE_IN_TX), "after rollback the state says in_tx");
}

// One session, walked at random, with what its state must say after each step.
class Walk {
 public:
  Walk(const Subject& subject, std::uint64_t seed) : scene_(subject), random_(seed) {
    scene_.open();
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      take_step();
      compare();
    }
  }

 private:
  void did(const char* what) {
    path_ += path_.empty() ? what : fmt::format(", {}", what);
    constexpr std::size_t shown = 600;
    if (path_.size() > shown) path_ = "..." + path_.substr(path_.size() - shown);
  }
  void must(bool holds, std::string_view what) const {
    expect(holds, "{}; the steps were: {}", what, path_);
  }

  void take_step() {
    Session& s = scene_.session;
    const Subject& subject = scene_.subject;
    if (s.result != nullptr) return step_with_result();
    switch (random_() % 7) {
      case 0:
        did("begin");
        s.begin();
        must(s.status == (in_tx_ ? WEIR_E_INVALID_STATE : WEIR_OK),
             "begin: " + kind_name(s.status));
        in_tx_ = true;
        break;
      case 1:
        if (!in_tx_) break;
        did("commit");
        s.commit();
        // Where the database has failed the transaction, a commit may say so.
        must(s.status == WEIR_OK || failed_, "commit: " + kind_name(s.status));
        end_tx();
        break;
      case 2:
        did("rollback");
        s.rollback();
        must(s.status == WEIR_OK, "rollback: " + kind_name(s.status));
        end_tx();
        break;
      case 3:
        did("a syntax error");
        s.query(subject.sql("syntax_error"));
        must(s.status != WEIR_OK, "a syntax error went well");
        failed_ = s.is(WEIR_STATE_TX_FAILED);
        must(!failed_ || in_tx_, "tx_failed without a transaction");
        break;
      case 4:
        did("a query");
        s.query(subject.sql("select_one"));
        must((s.status == WEIR_OK) != failed_, "a query: " + kind_name(s.status));
        break;
      case 5:
        if (failed_) break;
        did("the start of a result");
        s.start(subject.sql("rows_1000"), {}, 0, nullptr, 10);
        must(s.status == WEIR_OK, "the start of a result: " + kind_name(s.status));
        break;
      default:
        if (!subject.claims(WEIR_CAP_RESET_SESSION)) break;
        did("reset");
        s.reset(WEIR_RESET_TX);
        must(s.status == WEIR_OK, "reset: " + kind_name(s.status));
        end_tx();
        break;
    }
  }

  void step_with_result() {
    Session& s = scene_.session;
    if (random_() % 2 == 0) {
      did("fetch");
      s.fetch();
      must(s.status == WEIR_OK, "fetch: " + kind_name(s.status));
      if ((s.batch.flags & WEIR_BATCH_END) == 0) return;
    }
    did("result_close");
    s.close_result();
  }

  void end_tx() {
    in_tx_ = false;
    failed_ = false;
  }

  void compare() {
    const Session& s = scene_.session;
    const std::uint32_t flags = s.flags();
    must(((flags & WEIR_STATE_IN_TX) != 0) == in_tx_, fmt::format("in_tx is not {}", in_tx_));
    must(((flags & WEIR_STATE_RESULT_OPEN) != 0) == (s.result != nullptr),
         fmt::format("result_open is not {}", s.result != nullptr));
    must((flags & WEIR_STATE_BROKEN) == 0, "the session is broken");
  }

  Scene scene_;
  std::mt19937_64 random_;
  bool in_tx_ = false;
  bool failed_ = false;
  std::string path_;
};

void walk(Subject& subject) {
  const int walks = subject.scaled(200, 10);
  constexpr int steps = 100;
  for (int i = 0; i < walks; ++i) {
    Walk one(subject, subject.job().seed + static_cast<std::uint64_t>(i));
    one.run(steps);
  }
  note("{} walks of {} steps from seed {}", walks, steps, subject.job().seed);
  Scene scene(subject);
  scene.open();
  note_failing_statement(scene);
}

constexpr Rule table[] = {
    {"L3.tx.machine", Grade::must, "D42", "begin, commit and rollback open and end a transaction.",
     Needs::database, WEIR_CAP_TX, "select_one", machine},
    {"L3.tx.nested", Grade::must, "D42", "A begin inside a transaction is refused, which goes on.",
     Needs::database, WEIR_CAP_TX, "", nested},
    {"L3.tx.rollback_idle", Grade::must, "D42", "A rollback with no transaction open is no error.",
     Needs::database, WEIR_CAP_TX, "", rollback_idle},
    {"L3.tx.commit_idle", Grade::should, "D42", "A commit with no transaction open is refused.",
     Needs::database, WEIR_CAP_TX, "", commit_idle},
    {"L3.tx.commits", Grade::must, "D42", "What is committed can be seen by others.",
     Needs::database, WEIR_CAP_TX, "observe insert", commits},
    {"L3.tx.rolls_back", Grade::must, "D42", "What is rolled back has not happened.",
     Needs::database, WEIR_CAP_TX, "observe insert", rolls_back},
    {"L3.tx.no_downgrade", Grade::must, "D42",
     "An isolation level or flag that cannot be had is unsupported, never ignored.",
     Needs::database, WEIR_CAP_TX, "", no_downgrade},
    {"L3.tx.read_only", Grade::must, "D42", "A read-only transaction refuses to write.",
     Needs::database, WEIR_CAP_TX | WEIR_CAP_READ_ONLY_TX, "insert", read_only},
    {"L3.tx.by_statement", Grade::must, "D27",
     "A transaction that a statement opened is in the state, too.", Needs::database, WEIR_CAP_TX,
     "begin", by_statement},
    {"L3.statement.half_way", Grade::must, "D39", "A statement that failed has changed nothing.",
     Needs::database, 0, "observe rows_1000 fails_half_way", half_way},
    {"L3.state.walk", Grade::must, "D27",
     "After any sequence of calls the state is what the calls have made it.", Needs::database,
     WEIR_CAP_TX, "select_one rows_1000 syntax_error", walk},
};

}  // namespace

std::span<const Rule> tx_rules() noexcept { return table; }

}  // namespace weir::check
