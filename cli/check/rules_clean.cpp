// SPDX-License-Identifier: MIT
//
// Level 3: what the next user of a session may see of the last one: nothing.
#include "cli/check/client.hpp"
#include "cli/check/rule.hpp"

namespace weir::check {
namespace {

void sees_dirt(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  constexpr std::uint32_t any = WEIR_STATE_DIRTY | WEIR_STATE_DIRTY_UNKNOWN;
  if (subject.claims(WEIR_CAP_RESET_SESSION)) {
    s.reset(WEIR_RESET_SESSION);
    s.must(WEIR_OK, "reset");
  }
  s.query(subject.sql("select_one"));
  s.must(WEIR_OK, "the quirks' select_one");
  expect((s.flags() & WEIR_STATE_DIRTY) == 0, "after a plain query the state says dirty");
  s.query(subject.sql("dirty"));
  s.must(WEIR_OK, "the quirks' dirty");
  expect((s.flags() & any) != 0, "after `{}` the state says neither dirty nor dirty_unknown",
         subject.sql("dirty"));
}

void says_clean(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  s.query(subject.sql("dirty"));
  s.must(WEIR_OK, "the quirks' dirty");
  s.reset(WEIR_RESET_SESSION);
  s.must(WEIR_OK, "reset");
  constexpr std::uint32_t any = WEIR_STATE_DIRTY | WEIR_STATE_DIRTY_UNKNOWN;
  const bool proven = (s.done & WEIR_RESET_NOT_PROVEN) == 0;
  expect(!proven || (s.flags() & any) == 0,
         "after a reset that vouches for the session the state has the flags {:#x}", s.flags());
  scene.still_usable("reset");
}

// A query's answer, its failure included.
std::string answer(Session& s, const Subject& subject) {
  s.query(subject.sql("probe"));
  std::string text = kind_name(s.status);
  if (s.status != WEIR_OK) return text;
  for (const Row& row : s.rows) {
    for (const Value& value : row) text += " " + value.show();
  }
  return text;
}

void cleans(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  const std::string before = answer(s, subject);
  s.query(subject.sql("dirty"));
  s.must(WEIR_OK, "the quirks' dirty");
  expect(answer(s, subject) != before,
         "the quirks' dirty makes no difference to the quirks' probe: mend the quirks");
  for (const std::int32_t level : {WEIR_RESET_SESSION, WEIR_RESET_FULL}) {
    if (level == WEIR_RESET_FULL && !subject.claims(WEIR_CAP_RESET_FULL)) break;
    s.query(subject.sql("dirty"));
    s.reset(level);
    s.must(WEIR_OK, fmt::format("reset to level {}", level));
    if ((s.done & WEIR_RESET_NOT_PROVEN) != 0) continue;
    const std::string after = answer(s, subject);
    expect(after == before,
           "after a reset to level {} the probe says '{}', in a fresh session '{}'", level, after,
           before);
  }
}

void ends_tx(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  s.begin();
  s.must(WEIR_OK, "begin");
  s.reset(WEIR_RESET_TX);
  s.must(WEIR_OK, "reset in a transaction");
  expect(!s.is(WEIR_STATE_IN_TX), "after a reset the state says in_tx");
  scene.still_usable("reset");
}

void ends_result(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  s.start(subject.sql("rows_1000"), {}, 0, nullptr, 10);
  s.must(WEIR_OK, "the quirks' rows_1000");
  s.result = nullptr;
  s.reset(WEIR_RESET_TX);
  s.must(WEIR_OK, "reset with a result open");
  expect(!s.is(WEIR_STATE_RESULT_OPEN), "after a reset the state says that a result is open");
  scene.still_usable("reset");
}

void unknown_level(Subject& subject) {
  Scene scene(subject);
  scene.open();
  for (const std::int32_t level : {77, -1}) {
    scene.session.reset(level);
    scene.session.must(WEIR_E_UNSUPPORTED, fmt::format("reset to the unknown level {}", level));
  }
  scene.still_usable("a reset to an unknown level");
}

void ends_statements(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  weir_stmt* stmt = nullptr;
  s.prepare(subject.sql("select_one"), &stmt);
  s.must(WEIR_OK, "prepare");
  s.reset(WEIR_RESET_FULL);
  s.must(WEIR_OK, "reset to full");
  const bool gone = (s.done & WEIR_RESET_STMTS_GONE) != 0;
  fact("prepared statements after a full reset", "{}", gone ? "gone" : "go on");
  s.query("", {}, 0, stmt);
  s.must(gone ? WEIR_E_INVALID_STATE : WEIR_OK,
         fmt::format("a prepared statement after a full reset that says {}",
                     gone ? "statements gone" : "nothing of statements"));
  s.stmt_close(stmt);
}

constexpr Rule table[] = {
    {"L3.state.dirty", Grade::must, "D27", "The state says that the session was changed.",
     Needs::database, WEIR_CAP_DIRTY, "select_one dirty", sees_dirt},
    {"L3.reset.says_clean", Grade::must, "D29", "After a reset the state says that it is clean.",
     Needs::database, WEIR_CAP_DIRTY | WEIR_CAP_RESET_SESSION, "select_one dirty", says_clean},
    {"L3.reset.cleans", Grade::must, "D29",
     "After a reset nothing of the earlier user is left, or the driver says so.", Needs::database,
     WEIR_CAP_RESET_SESSION, "dirty probe", cleans},
    {"L3.reset.ends_tx", Grade::must, "D29", "A reset ends the transaction.", Needs::database,
     WEIR_CAP_TX | WEIR_CAP_RESET_SESSION, "select_one", ends_tx},
    {"L3.reset.ends_result", Grade::must, "D29", "A reset ends an open result.", Needs::database,
     WEIR_CAP_RESET_SESSION, "select_one rows_1000", ends_result},
    {"L3.reset.unknown", Grade::must, "D29", "An unknown level of reset is unsupported.",
     Needs::database, WEIR_CAP_RESET_SESSION, "select_one", unknown_level},
    {"L3.reset.statements", Grade::must, "D41", "A reset that ends prepared statements says so.",
     Needs::database, WEIR_CAP_PREPARE | WEIR_CAP_RESET_FULL, "select_one", ends_statements},
};

}  // namespace

std::span<const Rule> clean_rules() noexcept { return table; }

}  // namespace weir::check
