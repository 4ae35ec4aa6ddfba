// SPDX-License-Identifier: MIT
//
// Level 3: statements. What is refused, how failures are told, parameters, prepared statements,
// many rows.
#include "cli/check/client.hpp"
#include "cli/check/rule.hpp"

#include <limits>

namespace weir::check {
namespace {

// Refused by the driver itself: nothing was sent, and the session goes on.
void must_be_refused_unsent(Scene& scene, const std::string& what, const std::string& sql,
                            const Row& params = {}) {
  Session& s = scene.session;
  s.query(sql, params);
  s.must(WEIR_E_INVALID_ARGUMENT, what);
  expect(s.error.effect == WEIR_EFFECT_NOT_SENT,
         "{} is refused with effect {}, expected {} (not sent)", what, s.error.effect,
         WEIR_EFFECT_NOT_SENT);
  expect(s.error.conn_fate == WEIR_CONN_USABLE, "{} is refused with conn_fate {}, expected {}",
         what, s.error.conn_fate, WEIR_CONN_USABLE);
  scene.still_usable(what);
}

void empty(Subject& subject) {
  Scene scene(subject);
  scene.open();
  for (const char* sql : {"", "  ", "  ;; "}) {
    must_be_refused_unsent(scene, fmt::format("the statement '{}'", sql), sql);
  }
}

void nul(Subject& subject) {
  Scene scene(subject);
  scene.open();
  const std::string one = subject.sql("select_one");
  must_be_refused_unsent(scene, "a statement with a NUL at its end", one + std::string("\0", 1));
  must_be_refused_unsent(scene, "a statement with a NUL inside",
                         one + std::string("\0 and more", 10));
}

void two(Subject& subject) {
  Scene scene(subject);
  scene.open();
  const std::string one = subject.sql("select_one");
  must_be_refused_unsent(scene, "two statements in one text", one + "; " + one);
  scene.session.query(one + " ; ");
  scene.session.must(WEIR_OK, "a statement with a semicolon at its end");
}

void parameter_count(Subject& subject) {
  Scene scene(subject);
  scene.open();
  const std::string echo = subject.sql("echo_two");
  must_be_refused_unsent(scene, "one value for two parameters", echo, {Value::integer(1)});
  must_be_refused_unsent(scene, "no value for two parameters", echo);
  must_be_refused_unsent(scene, "one value for no parameter", subject.sql("select_one"),
                         {Value::integer(1)});
}

void parameter_types(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  const std::string echo = subject.sql("echo_two");
  const auto ask = [&](const char* what, const weir_cell* cells) {
    weir_exec_args args{};
    args.struct_size = sizeof args;
    args.sql = text(echo);
    args.params = cells;
    args.param_count = 2;
    const weir_call call = s.call();
    s.batch = {};
    s.batch.struct_size = sizeof s.batch;
    step("{}", what);
    s.status = scene.driver.execute(s.conn, &call, &args, &s.out, &s.result, &s.batch, &s.error);
    s.must(WEIR_E_INVALID_ARGUMENT, what);
    scene.still_usable(what);
  };
  ask("two parameters and no cells", nullptr);
  weir_cell cells[2]{};
  cells[0].type = 999;
  ask("a parameter of an unknown type", cells);
  cells[0].type = WEIR_T_TEXT;
  cells[0].size = 5;
  ask("a text parameter that has a size and no bytes", cells);
}

void syntax(Subject& subject) {
  Scene scene(subject);
  scene.open();
  scene.session.query(subject.sql("syntax_error"));
  scene.session.must(WEIR_E_SYNTAX, "the quirks' syntax_error");
  expect(scene.session.error.conn_fate == WEIR_CONN_USABLE,
         "a syntax error has conn_fate {}, expected {}", scene.session.error.conn_fate,
         WEIR_CONN_USABLE);
  scene.still_usable("a syntax error");
}

void kinds(Subject& subject) {
  for (const auto& [name, statements] : subject.quirks().errors) {
    const weir_status expected = kind_named(name);
    if (expected == WEIR_OK)
      unable("the quirks' [errors] names the kind {}, which does not exist", name);
    Scene scene(subject);
    scene.open();
    for (std::size_t i = 0; i < statements.size(); ++i) {
      scene.session.query(statements[i]);
      const bool is_last = i + 1 == statements.size();
      scene.session.must(is_last ? expected : WEIR_OK, fmt::format("`{}`", statements[i]));
    }
  }
}

bool is_sqlstate(const char* state) {
  const std::string_view text(state, 8);
  if (text == std::string_view("\0\0\0\0\0\0\0\0", 8)) return true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    if (i < 5 ? !is_word : c != '\0') return false;
  }
  return true;
}

// The failures that every driver can be brought to.
template <class Look>
void for_failures(Scene& scene, Look look) {
  const Subject& subject = scene.subject;
  const std::pair<const char*, std::string> cases[] = {
      {"a syntax error", subject.sql("syntax_error")}, {"an empty statement", ""}};
  for (const auto& [what, sql] : cases) {
    scene.session.error.clear();
    scene.session.query(sql);
    if (scene.session.status != WEIR_OK) look(what);
  }
  for (const auto& [name, statements] : subject.quirks().errors) {
    scene.session.error.clear();
    for (const std::string& sql : statements) scene.session.query(sql);
    if (scene.session.status != WEIR_OK) look(name.c_str());
  }
}

void facts(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  for_failures(scene, [&](const char* what) {
    expect(s.error.kind == s.status, "for {}, execute returned {} and the error says {}", what,
           kind_name(s.status), kind_name(s.error.kind));
    expect(
        s.error.conn_fate <= WEIR_CONN_UNKNOWN && s.error.effect <= WEIR_EFFECT_DEFINITE &&
            s.error.tx_fate <= WEIR_TX_GONE && s.error.stage <= WEIR_STAGE_PING,
        "for {}, the error has a fact out of range: stage {}, conn_fate {}, effect {}, tx_fate {}",
        what, s.error.stage, s.error.conn_fate, s.error.effect, s.error.tx_fate);
    expect(s.error.text_size > 0, "for {}, the error has no text", what);
  });
}

void sqlstate(Subject& subject) {
  Scene scene(subject);
  scene.open();
  for_failures(scene, [&](const char* what) {
    expect(is_sqlstate(scene.session.error.sqlstate),
           "for {}, sqlstate is neither empty nor five of 0-9 and A-Z", what);
  });
}

void outputs(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  auto* const untouched = reinterpret_cast<weir_result*>(std::uintptr_t{64});
  weir_result* result = untouched;
  weir_exec_args args{};
  args.struct_size = sizeof args;
  const std::string sql = subject.sql("syntax_error");
  args.sql = text(sql);
  s.out = {};
  s.out.struct_size = sizeof s.out;
  s.out.affected = 77;
  s.batch = {};
  s.batch.struct_size = sizeof s.batch;
  s.batch.rows = 78;
  const weir_call call = s.call();
  step("execute of a syntax error");
  s.status = scene.driver.execute(s.conn, &call, &args, &s.out, &result, &s.batch, &s.error);
  s.must(WEIR_E_SYNTAX, "the quirks' syntax_error");
  expect(result == untouched && s.out.affected == 77 && s.batch.rows == 78,
         "an execute that failed wrote to its outputs all the same");
}

void too_late(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  const std::string one = subject.sql("select_one");
  const auto late = [&](const char* what, auto call) {
    s.deadline = scene.host.now() - 1;
    scene.host.forget_counts();
    call();
    s.deadline = WEIR_NO_DEADLINE;
    s.must(WEIR_E_TIMEOUT, fmt::format("{} whose deadline has passed", what));
    expect(s.error.effect == WEIR_EFFECT_NOT_SENT && s.error.conn_fate == WEIR_CONN_USABLE,
           "{} whose deadline has passed says effect {} and conn_fate {}, expected not sent and "
           "usable",
           what, s.error.effect, s.error.conn_fate);
    expect(scene.host.waits() == 0, "{} whose deadline has passed waited all the same", what);
  };
  late("execute", [&] { s.query(one); });
  if (subject.claims(WEIR_CAP_PREPARE)) {
    weir_stmt* stmt = nullptr;
    late("prepare", [&] { s.prepare(one, &stmt); });
  }
  if (subject.claims(WEIR_CAP_TX)) {
    late("begin", [&] { s.begin(); });
    late("commit", [&] { s.commit(); });
    late("rollback", [&] { s.rollback(); });
  }
  if (subject.claims(WEIR_CAP_RESET_SESSION)) late("reset", [&] { s.reset(); });
  scene.still_usable("calls whose deadline had passed");
}

// False: it was refused.
bool must_echo(Scene& scene, const std::string& type, const Value& value, bool may_be_refused) {
  Session& s = scene.session;
  const std::string sql = scene.subject.quirks().echo.at(type);
  s.query(sql, {value});
  // What a database cannot hold it refuses; it never comes back as something else.
  if (may_be_refused && (s.status == WEIR_E_INVALID_ARGUMENT || s.status == WEIR_E_DATA)) {
    return false;
  }
  s.must(WEIR_OK, fmt::format("`{}` with {}", sql, value.show()));
  const bool one = s.rows.size() == 1 && s.rows[0].size() == 1;
  expect(one && s.rows[0][0] == value, "{} comes back as {}", value.show(),
         one ? s.rows[0][0].show() : fmt::format("{} rows", s.rows.size()));
  return true;
}

void values(Subject& subject) {
  Scene scene(subject);
  scene.open();
  using Limits = std::numeric_limits<double>;
  const std::map<std::string, std::vector<Value>> certain = {
      {"int64",
       {Value::integer(0), Value::integer(-1), Value::integer(INT64_MAX), Value::integer(INT64_MIN),
        Value::integer(std::int64_t{1} << 53), Value::null()}},
      {"double",
       {Value::real(0.0), Value::real(1.5), Value::real(-1e308), Value::real(Limits::denorm_min()),
        Value::real(0.1), Value::null()}},
      {"text",
       {Value::str(""), Value::str("a'b\"c\\d;--"),
        Value::str("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x98"), Value::str("\n\t"), Value::null()}},
      {"bool", {Value::boolean(true), Value::boolean(false), Value::null()}},
      {"blob",
       {Value::blob(""), Value::blob(std::string("\0\1\xff", 3)), Value::blob("plain"),
        Value::null()}}};
  using Named = std::pair<std::string_view, Value>;
  const std::map<std::string, std::vector<Named>> doubtful = {
      {"double",
       {{"infinity", Value::real(Limits::infinity())},
        {"-0", Value::real(-0.0)},
        {"NaN", Value::real(Limits::quiet_NaN())}}},
      {"text", {{"a text with a NUL", Value::str(std::string("a\0b", 3))}}}};
  bool asked = false;
  std::string exact;
  std::string refused;
  const auto add = [](std::string& list, std::string_view what) {
    list += fmt::format("{}{}", list.empty() ? "" : ", ", what);
  };
  for (const auto& [type, statement] : subject.quirks().echo) {
    asked |= certain.contains(type);
    if (const auto found = certain.find(type); found != certain.end()) {
      for (const Value& value : found->second) must_echo(scene, type, value, false);
      add(exact, type);
    }
    if (const auto found = doubtful.find(type); found != doubtful.end()) {
      for (const auto& [name, value] : found->second) {
        if (!must_echo(scene, type, value, true)) add(refused, name);
      }
    }
  }
  if (!asked) skip("the quirks' [echo] has none of int64, double, text, blob and bool");
  fact("types that come back as they went", "{}", exact);
  fact("values that are refused", "{}", refused.empty() ? "none" : refused);
}

void large_values(Subject& subject) {
  Scene scene(subject);
  scene.open();
  constexpr std::size_t size = 4 << 20;
  const auto& echo = subject.quirks().echo;
  if (!echo.contains("text") && !echo.contains("blob")) {
    skip("the quirks' [echo] has neither text nor blob");
  }
  for (const auto& [type, statement] : echo) {
    if (type == "text") must_echo(scene, type, Value::str(std::string(size, 't')), false);
    if (type == "blob") must_echo(scene, type, Value::blob(std::string(size, '\x80')), false);
  }
}

void prepared(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  weir_stmt* stmt = nullptr;
  s.prepare(subject.sql("echo_two"), &stmt);
  s.must(WEIR_OK, "prepare");
  expect(s.param_count == 2, "prepare says {} parameters, expected 2", s.param_count);
  for (int i = 0; i < 3; ++i) {
    const Row given{Value::integer(i), Value::str(fmt::format("s{}", i))};
    s.query("", given, 0, stmt);
    s.must(WEIR_OK, "a prepared statement");
    expect(s.rows.size() == 1 && s.rows[0] == given,
           "run {} of a prepared statement gives not what it was given", i + 1);
  }
  s.query("", {}, 0, stmt);
  s.must(WEIR_E_INVALID_ARGUMENT, "a prepared statement without its values");
  s.stmt_close(stmt);
  scene.still_usable("stmt_close");
}

void prepared_elsewhere(Subject& subject) {
  Scene scene(subject);
  scene.open();
  weir_stmt* stmt = nullptr;
  scene.session.prepare(subject.sql("echo_two"), &stmt);
  scene.session.must(WEIR_OK, "prepare");
  Session other(scene.source, 9);
  other.open();
  other.must(WEIR_OK, "open of a second session");
  other.query("", {Value::integer(1), Value::str("x")}, 0, stmt);
  other.must(WEIR_E_INVALID_ARGUMENT, "a prepared statement of another conn");
  scene.session.stmt_close(stmt);
}

// execute_many of insert with these cells.
weir_status insert_many(Scene& scene, const std::vector<weir_cell>& cells, weir_many_out& out) {
  Session& s = scene.session;
  const std::string sql = scene.subject.sql("insert");
  weir_many_args args{};
  args.struct_size = sizeof args;
  args.sql = text(sql);
  args.cells = cells.data();
  args.row_count = cells.size();
  args.param_count = 1;
  args.row_stride = 1;
  out = {};
  out.struct_size = sizeof out;
  const weir_call call = s.call();
  step("execute_many");
  return s.status = scene.driver.execute_many(s.conn, &call, &args, &out, &s.error);
}

void many(Subject& subject) {
  Scene scene(subject);
  scene.open();
  std::vector<weir_cell> cells;
  for (std::int64_t i = 0; i < 5; ++i) cells.push_back(Value::integer(i).cell());
  weir_many_out out{};
  insert_many(scene, cells, out);
  scene.session.must(WEIR_OK, "execute_many of five rows");
  expect(out.rows_done == 5 && out.affected == 5,
         "execute_many of five rows says rows_done {} and affected {}, expected 5 and 5",
         out.rows_done, out.affected);
}

void many_fails(Subject& subject) {
  Scene scene(subject);
  scene.open();
  std::vector<weir_cell> cells;
  for (std::int64_t i = 0; i < 5; ++i) cells.push_back(Value::integer(i).cell());
  cells[3].type = 999;
  weir_many_out out{};
  insert_many(scene, cells, out);
  scene.session.must(WEIR_E_INVALID_ARGUMENT, "execute_many whose row 3 has a value of no type");
  expect(out.rows_done == 3 || out.rows_done == 0,
         "row 3 failed and rows_done is {}, expected 3, or 0 if all rows are looked at first",
         out.rows_done);
  expect(out.affected == out.rows_done, "{} rows were done and affected is {}", out.rows_done,
         out.affected);
  expect(out.rows_done == 0 || scene.session.error.effect != WEIR_EFFECT_NOT_SENT,
         "{} rows were done, and the error says that nothing was sent", out.rows_done);
  scene.still_usable("execute_many that failed");
}

constexpr Rule table[] = {
    {"L3.statement.empty", Grade::must, "D37", "A text without a statement is refused, unsent.",
     Needs::database, 0, "select_one", empty},
    {"L3.statement.nul", Grade::must, "D16",
     "A statement with a NUL inside is refused, unsent, and not cut short.", Needs::database, 0,
     "select_one", nul},
    {"L3.statement.two", Grade::must, "D37", "Two statements in one text are refused, unsent.",
     Needs::database, 0, "select_one", two},
    {"L3.statement.too_late", Grade::must, "D30",
     "A call whose deadline has passed is a timeout before any work.", Needs::database, 0,
     "select_one", too_late},
    {"L3.params.count", Grade::must, "D37", "A wrong number of values is refused, unsent.",
     Needs::database, 0, "select_one echo_two", parameter_count},
    {"L3.params.types", Grade::must, "D37", "A value that is none is refused.", Needs::database, 0,
     "select_one echo_two", parameter_types},
    {"L3.error.syntax", Grade::must, "D19", "A syntax error is one, and the session goes on.",
     Needs::database, 0, "select_one syntax_error", syntax},
    {"L3.error.kinds", Grade::must, "D19", "Each error of the database has the kind that it is.",
     Needs::database, 0, "errors", kinds},
    {"L3.error.facts", Grade::must, "D19",
     "An error's kind is the status, and its facts are facts.", Needs::database, 0, "syntax_error",
     facts},
    {"L3.error.sqlstate", Grade::must, "D19",
     "sqlstate is five of 0-9 and A-Z with zeros behind, or all zero.", Needs::database, 0,
     "syntax_error", sqlstate},
    {"L3.error.outputs", Grade::must, "D18", "A statement that fails leaves the outputs alone.",
     Needs::database, 0, "syntax_error", outputs},
    {"L3.values.exact", Grade::must, "D37", "Values come back as they went, or are refused.",
     Needs::database, 0, "echo", values},
    {"L3.values.large", Grade::must, "D37", "Texts and blobs of 4 MiB come back whole.",
     Needs::database, 0, "echo", large_values},
    {"L3.prepare.again", Grade::must, "D41", "A prepared statement runs again and again.",
     Needs::database, WEIR_CAP_PREPARE, "select_one echo_two", prepared},
    {"L3.prepare.elsewhere", Grade::must, "D41",
     "A prepared statement is refused by every conn but its own.", Needs::database,
     WEIR_CAP_PREPARE, "echo_two", prepared_elsewhere},
    {"L3.many.counts", Grade::must, "D40", "execute_many counts rows and what they changed.",
     Needs::database, WEIR_CAP_EXECUTE_MANY, "insert", many},
    {"L3.many.failing_row", Grade::must, "D40", "execute_many says which row failed.",
     Needs::database, WEIR_CAP_EXECUTE_MANY, "insert select_one", many_fails},
};

}  // namespace

std::span<const Rule> statement_rules() noexcept { return table; }

}  // namespace weir::check
