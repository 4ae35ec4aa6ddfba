// SPDX-License-Identifier: MIT
//
// Level 3: rows. Batches, what is lent and for how long, open results.
#include "cli/check/client.hpp"
#include "cli/check/rule.hpp"

namespace weir::check {
namespace {

constexpr std::size_t rows_count = 1000;

void small(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  s.start(subject.sql("select_one"));
  s.must(WEIR_OK, "the quirks' select_one");
  expect(s.result == nullptr && (s.batch.flags & WEIR_BATCH_END) != 0,
         "a result of one row comes with batch flags {:#x} and {}, expected WEIR_BATCH_END and no "
         "result to close",
         s.batch.flags, s.result == nullptr ? "no result" : "a result");
  expect(s.batch.rows == 1 && s.batch.columns == 1, "select_one has {} rows of {} columns",
         s.batch.rows, s.batch.columns);
  expect(!s.is(WEIR_STATE_RESULT_OPEN), "the state says that a result is open, and there is none");
}

void must_be_all_rows(const Session& s, std::string_view how) {
  expect(s.rows.size() == rows_count, "{} there are {} rows, expected {}", how, s.rows.size(),
         rows_count);
  for (std::size_t i = 0; i < rows_count; ++i) {
    const Row expected{Value::integer(static_cast<std::int64_t>(i) + 1),
                       Value::str(fmt::format("row {}", i + 1))};
    expect(s.rows[i] == expected, "{} row {} is {}, expected {}, '{}'", how, i + 1,
           s.rows[i].empty() ? "empty" : s.rows[i][0].show(), i + 1, expected[1].s);
  }
}

void complete(Subject& subject) {
  Scene scene(subject);
  scene.open();
  for (const std::uint32_t batch_rows : {0U, 1U, 7U, 999U, 1000U, 1001U}) {
    scene.session.query(subject.sql("rows_1000"), {}, 0, nullptr, batch_rows);
    scene.session.must(WEIR_OK, "the quirks' rows_1000");
    must_be_all_rows(scene.session, fmt::format("in batches of {}", batch_rows));
  }
}

void bounded(Subject& subject) {
  Scene scene(subject);
  scene.open();
  for (const std::uint32_t batch_rows : {1U, 7U, 100U}) {
    scene.session.query(subject.sql("rows_1000"), {}, 0, nullptr, batch_rows);
    scene.session.must(WEIR_OK, "the quirks' rows_1000");
    expect(scene.session.rows_of_largest_batch <= batch_rows,
           "with batch_rows {} there is a batch of {} rows", batch_rows,
           scene.session.rows_of_largest_batch);
  }
}

void at_once(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  s.start(subject.sql("rows_1000"), {}, WEIR_EXEC_ONE_BATCH, nullptr, 10);
  s.must(WEIR_OK, "the quirks' rows_1000");
  expect(s.batch.rows == rows_count && s.result == nullptr,
         "with WEIR_EXEC_ONE_BATCH the first batch has {} of {} rows", s.batch.rows, rows_count);
}

void none_wanted(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  s.start(subject.sql("rows_1000"), {}, WEIR_EXEC_NO_ROWS);
  s.must(WEIR_OK, "the quirks' rows_1000");
  expect(s.result == nullptr && (s.batch.flags & WEIR_BATCH_END) != 0,
         "with WEIR_EXEC_NO_ROWS a result stays open");
  scene.still_usable("a statement whose rows nobody wants");
}

void none_there(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  s.start(subject.sql("no_rows"));
  s.must(WEIR_OK, "the quirks' no_rows");
  expect(s.batch.rows == 0 && (s.batch.flags & WEIR_BATCH_END) != 0 && s.result == nullptr,
         "a result without rows comes with {} rows and batch flags {:#x}", s.batch.rows,
         s.batch.flags);
  expect(s.out.column_count > 0, "a result without rows has no columns: it is not described");
}

void columns(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  s.start(subject.sql("rows_1000"), {}, 0, nullptr, 10);
  s.must(WEIR_OK, "the quirks' rows_1000");
  expect(s.out.column_count == 2 && s.batch.columns == 2,
         "rows_1000 has {} columns in weir_exec_out and {} in the batch, expected 2 and 2",
         s.out.column_count, s.batch.columns);
  expect(
      s.out.column_stride >= sizeof(weir_column) && s.out.column_stride % alignof(weir_column) == 0,
      "column_stride is {}, expected the size of a weir_column ({}) or more", s.out.column_stride,
      sizeof(weir_column));
  expect(s.batch.row_stride >= s.batch.columns, "row_stride is {} for {} columns",
         s.batch.row_stride, s.batch.columns);
  for (const std::string& name : s.columns) expect(!name.empty(), "a column has no name");
  s.close_result();
}

// What is lent stays until the next call on the conn; state() and other conns are no such call.
void lent(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session other(scene.source, 9);
  other.open();
  other.must(WEIR_OK, "open of a second session");
  Session& s = scene.session;
  s.start(subject.sql("echo_two"), {Value::integer(7), Value::str("as it was lent")});
  s.must(WEIR_OK, "the quirks' echo_two");
  expect(s.batch.rows == 1 && s.batch.columns == 2, "echo_two has {} rows of {} columns",
         s.batch.rows, s.batch.columns);
  for (int i = 0; i < 100; ++i) {
    (void)s.flags();
    other.query(subject.sql("echo_two"), {Value::integer(i), Value::str("something else here")});
  }
  expect(Value::of(s.batch.cells[0]) == Value::integer(7) &&
             Value::of(s.batch.cells[1]) == Value::str("as it was lent"),
         "what was lent changed before the next call on the conn: it is {} and {} now",
         Value::of(s.batch.cells[0]).show(), Value::of(s.batch.cells[1]).show());
}

// The parameters are the caller's again once execute has returned.
void owns_parameters(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  std::string bytes = "first";
  {
    weir_cell cells[2]{};
    cells[0] = Value::integer(1).cell();
    cells[1].type = WEIR_T_TEXT;
    cells[1].v.p = bytes.data();
    cells[1].size = static_cast<std::uint32_t>(bytes.size());
    const std::string sql = subject.sql("echo_two");
    weir_exec_args args{};
    args.struct_size = sizeof args;
    args.sql = text(sql);
    args.params = cells;
    args.param_count = 2;
    s.batch = {};
    s.batch.struct_size = sizeof s.batch;
    s.out.struct_size = sizeof s.out;
    const weir_call call = s.call();
    s.status = scene.driver.execute(s.conn, &call, &args, &s.out, &s.result, &s.batch, &s.error);
    s.must(WEIR_OK, "the quirks' echo_two");
  }
  bytes.assign("XXXXX");
  expect(s.batch.rows == 1 && Value::of(s.batch.cells[1]) == Value::str("first"),
         "the batch points into a parameter, which is the caller's again");
}

void open_result(Subject& subject, Scene& scene) {
  scene.open();
  scene.session.start(subject.sql("rows_1000"), {}, 0, nullptr, 10);
  scene.session.must(WEIR_OK, "the quirks' rows_1000");
  if (scene.session.result == nullptr) skip("a result of 1000 rows comes in one batch, unasked");
}

void blocks(Subject& subject) {
  Scene scene(subject);
  open_result(subject, scene);
  Session& s = scene.session;
  weir_result* const open = s.result;
  const auto next = static_cast<std::int64_t>(s.batch.rows) + 1;  // ten is the most, not the least
  s.start(subject.sql("select_one"));
  s.must(WEIR_E_INVALID_STATE, "a second execute while a result is open");
  expect(s.error.effect == WEIR_EFFECT_NOT_SENT,
         "a second execute while a result is open says effect {}, expected {} (not sent)",
         s.error.effect, WEIR_EFFECT_NOT_SENT);
  s.result = open;
  s.batch = {};
  s.batch.struct_size = sizeof s.batch;
  s.fetch();
  s.must(WEIR_OK, "fetch after a second execute was refused");
  expect(s.batch.rows > 0 && Value::of(s.batch.cells[0]) == Value::integer(next),
         "after a refused execute the result goes on with {}, expected row {}",
         s.batch.rows > 0 ? Value::of(s.batch.cells[0]).show() : "nothing", next);
  s.close_result();
}

void shows_in_state(Subject& subject) {
  Scene scene(subject);
  open_result(subject, scene);
  expect(scene.session.is(WEIR_STATE_RESULT_OPEN),
         "a result is open, and the state does not say so");
  scene.session.close_result();
  expect(!scene.session.is(WEIR_STATE_RESULT_OPEN),
         "the result is closed, and the state says open");
}

void closes_early(Subject& subject) {
  Scene scene(subject);
  open_result(subject, scene);
  scene.session.close_result();
  scene.still_usable("result_close before the last row");
  scene.session.query(subject.sql("rows_1000"), {}, 0, nullptr, 100);
  scene.session.must(WEIR_OK, "the same query after result_close before the last row");
  must_be_all_rows(scene.session, "after an earlier result was closed half read");
}

constexpr Rule table[] = {
    {"L3.rows.small", Grade::must, "D34", "A small result comes whole, with nothing to close.",
     Needs::database, 0, "select_one", small},
    {"L3.rows.complete", Grade::must, "D35", "Rows come complete and in order, however batched.",
     Needs::database, 0, "rows_1000", complete},
    {"L3.rows.bounded", Grade::must, "D35", "No batch has more rows than were asked for.",
     Needs::database, WEIR_CAP_STREAM, "rows_1000", bounded},
    {"L3.rows.one_batch", Grade::must, "D35", "WEIR_EXEC_ONE_BATCH brings all rows at once.",
     Needs::database, 0, "rows_1000", at_once},
    {"L3.rows.unwanted", Grade::must, "D35", "WEIR_EXEC_NO_ROWS leaves no result open.",
     Needs::database, 0, "rows_1000 select_one", none_wanted},
    {"L3.rows.none", Grade::must, "D35", "A result without rows is described all the same.",
     Needs::database, 0, "no_rows", none_there},
    {"L3.rows.columns", Grade::must, "D17", "Columns are named, and found by their stride.",
     Needs::database, 0, "rows_1000", columns},
    {"L3.rows.lent", Grade::must, "D36", "What is lent stays until the next call on the conn.",
     Needs::database, 0, "echo_two", lent},
    {"L3.rows.parameters", Grade::must, "D36", "Rows do not point into the caller's parameters.",
     Needs::database, 0, "echo_two", owns_parameters},
    {"L3.result.blocks", Grade::must, "D38",
     "While a result is open a second execute is refused, and the first goes on.", Needs::database,
     WEIR_CAP_STREAM, "rows_1000 select_one", blocks},
    {"L3.result.state", Grade::must, "D27", "The state says whether a result is open.",
     Needs::database, WEIR_CAP_STREAM, "rows_1000", shows_in_state},
    {"L3.result.closes_early", Grade::must, "D38", "A result can be closed before its last row.",
     Needs::database, WEIR_CAP_STREAM, "rows_1000 select_one", closes_early},
};

}  // namespace

std::span<const Rule> row_rules() noexcept { return table; }

}  // namespace weir::check
