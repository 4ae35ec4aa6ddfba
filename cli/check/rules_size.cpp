// SPDX-License-Identifier: MIT
//
// Level 3: structs of any size, on a live session. Each lies right before a page without access, so
// that reading or writing past its end is a crash here, and not a corrupted host elsewhere.
#include "cli/check/client.hpp"
#include "cli/check/fence.hpp"
#include "cli/check/rule.hpp"

#include <cstddef>

namespace weir::check {
namespace {

// A session that is open, and select_one with structs of the rule's choice.
class Bench {
 public:
  explicit Bench(Subject& subject) : scene(subject), one(subject.sql("select_one")) {
    scene.open();
    args.struct_size = sizeof args;
    args.sql = text(one);
    out.struct_size = sizeof out;
    batch.struct_size = sizeof batch;
  }
  weir_status select(const weir_call* call, const weir_exec_args* with, weir_exec_out* to,
                     weir_batch* rows) {
    weir_result* result = nullptr;
    const weir_status status =
        scene.driver.execute(scene.session.conn, call, with, to, &result, rows, &error);
    if (result != nullptr) scene.driver.result_close(result, call);
    return status;
  }
  weir_call call() { return scene.session.call(); }

  Scene scene;
  const std::string one;
  weir_exec_args args{};
  weir_exec_out out{};
  weir_batch batch{};
  Error error;
};

void calls(Subject& subject) {
  Bench bench(subject);
  for_each_size<weir_call>([&](std::uint32_t size) {
    const weir_call plain = bench.call();
    const Fenced<weir_call> call(plain, size);
    step("execute with a weir_call of {} bytes", size);
    const weir_status status = bench.select(call.get(), &bench.args, &bench.out, &bench.batch);
    // A shorter call has the deadline zero, which has passed.
    const weir_status expected = size >= sizeof(weir_call) ? WEIR_OK : WEIR_E_TIMEOUT;
    expect(status == expected, "execute with a weir_call of {} bytes ended with {}, expected {}",
           size, kind_name(status), kind_name(expected));
    std::uint32_t done = 0;
    step("reset with a weir_call of {} bytes", size);
    bench.scene.driver.reset(bench.scene.session.conn, WEIR_RESET_TX, call.get(), &done, nullptr);
    step("cancel with a weir_call of {} bytes", size);
    bench.scene.driver.cancel(bench.scene.session.canceller, 1, call.get(), nullptr);
    expect(call.is_intact(), "a weir_call of {} bytes was written to", size);
  });
}

void statements(Subject& subject) {
  Bench bench(subject);
  const FencedText sql(bench.one);
  weir_exec_args args{};
  args.sql = sql.get();
  for_each_size<weir_exec_args>([&](std::uint32_t size) {
    const Fenced<weir_exec_args> fenced(args, size);
    const weir_call call = bench.call();
    step("execute with weir_exec_args of {} bytes", size);
    const weir_status status = bench.select(&call, fenced.get(), &bench.out, &bench.batch);
    const bool has_sql = size >= offsetof(weir_exec_args, stmt);
    const weir_status expected = has_sql ? WEIR_OK : WEIR_E_INVALID_ARGUMENT;
    expect(status == expected, "execute with weir_exec_args of {} bytes ended with {}, expected {}",
           size, kind_name(status), kind_name(expected));
    expect(fenced.is_intact(), "weir_exec_args of {} bytes were written to", size);
  });
}

void parameters(Subject& subject) {
  Bench bench(subject);
  const FencedText bytes("seven bytes");
  const FencedText sql(subject.sql("echo_two"));
  const Fence cells(2 * sizeof(weir_cell));
  weir_cell params[2]{};
  params[0].type = WEIR_T_INT64;
  params[0].v.i = 8;
  params[1].type = WEIR_T_TEXT;
  params[1].v.p = bytes.get().data;
  params[1].size = static_cast<std::uint32_t>(bytes.get().size);
  std::memcpy(cells.object(), params, sizeof params);
  bench.args.sql = sql.get();
  bench.args.params = static_cast<const weir_cell*>(cells.object());
  bench.args.param_count = 2;
  const weir_call call = bench.call();
  step("execute with parameters that end where their memory ends");
  const weir_status status = bench.select(&call, &bench.args, &bench.out, &bench.batch);
  expect(status == WEIR_OK, "the quirks' echo_two ended with {}: {}", kind_name(status),
         bench.error.what());
  expect(cells.is_clean_before(), "it wrote before the parameters");
  const bool right = bench.batch.rows == 1 && bench.batch.columns == 2 &&
                     Value::of(bench.batch.cells[1]) == Value::str("seven bytes");
  expect(right, "echo_two does not return its second parameter, a text");
}

void begins(Subject& subject) {
  Bench bench(subject);
  for_each_size<weir_begin_args>([&](std::uint32_t size) {
    const Fenced<weir_begin_args> fenced({}, size);
    const weir_call call = bench.call();
    step("begin with weir_begin_args of {} bytes", size);
    const weir_status status =
        bench.scene.driver.begin(bench.scene.session.conn, &call, fenced.get(), &bench.error);
    expect(status == WEIR_OK, "begin with weir_begin_args of {} bytes failed with {}: {}", size,
           kind_name(status), bench.error.what());
    expect(fenced.is_intact(), "weir_begin_args of {} bytes were written to", size);
    bench.scene.session.rollback();
    bench.scene.session.must(WEIR_OK, "rollback");
  });
}

void opens(Subject& subject) {
  Scene scene(subject);
  for_each_size<weir_open_args>([&](std::uint32_t size) {
    Session session(scene.source, 11);
    weir_open_args args{};
    args.conn_tag = 11;
    const Fenced<weir_open_args> fenced(args, size);
    const weir_call call = session.call();
    step("open with weir_open_args of {} bytes", size);
    session.status = scene.driver.open(scene.source.handle, &call, fenced.get(), session.canceller,
                                       &session.conn, &session.error);
    session.must(WEIR_OK, fmt::format("open with weir_open_args of {} bytes", size));
    expect(fenced.is_intact(), "weir_open_args of {} bytes were written to", size);
  });
}

void answers(Subject& subject) {
  Bench bench(subject);
  for_each_size<weir_exec_out>([&](std::uint32_t size) {
    const Fenced<weir_exec_out> out({}, size);
    const weir_call call = bench.call();
    step("execute with a weir_exec_out of {} bytes", size);
    const weir_status status = bench.select(&call, &bench.args, out.get(), &bench.batch);
    expect(status == WEIR_OK && out.is_intact(),
           "execute with a weir_exec_out of {} bytes ended with {}, or wrote outside", size,
           kind_name(status));
  });
}

void batches(Subject& subject) {
  Bench bench(subject);
  Session& session = bench.scene.session;
  for_each_size<weir_batch>([&](std::uint32_t size) {
    const Fenced<weir_batch> batch({}, size);
    const weir_call call = bench.call();
    step("execute with a weir_batch of {} bytes", size);
    const weir_status status = bench.select(&call, &bench.args, &bench.out, batch.get());
    expect(status == WEIR_OK && batch.is_intact(),
           "execute with a weir_batch of {} bytes ended with {}, or wrote outside", size,
           kind_name(status));
    session.start(subject.sql("rows_1000"), {}, 0, nullptr, 10);
    session.must(WEIR_OK, "the quirks' rows_1000");
    if (session.result == nullptr) return;
    const Fenced<weir_batch> next({}, size);
    step("fetch with a weir_batch of {} bytes", size);
    session.status = bench.scene.driver.fetch(session.result, &call, next.get(), &session.error);
    session.must(WEIR_OK, fmt::format("fetch with a weir_batch of {} bytes", size));
    expect(next.is_intact(), "fetch wrote outside a weir_batch of {} bytes", size);
    session.close_result();
  });
}

void states(Subject& subject) {
  Bench bench(subject);
  for_each_size<weir_conn_state>([&](std::uint32_t size) {
    const Fenced<weir_conn_state> out({}, size);
    step("state with a weir_conn_state of {} bytes", size);
    bench.scene.driver.state(bench.scene.session.conn, out.get());
    expect(out.is_intact(), "state wrote outside a weir_conn_state of {} bytes", size);
  });
}

void prepares(Subject& subject) {
  Bench bench(subject);
  Session& session = bench.scene.session;
  for (const std::uint32_t size : {4U, 8U, 24U}) {
    const Fenced<weir_prepare_out> out({}, size);
    const weir_call call = bench.call();
    weir_stmt* stmt = nullptr;
    step("prepare with a weir_prepare_out of {} bytes", size);
    session.status = bench.scene.driver.prepare(session.conn, &call, text(bench.one), &stmt,
                                                out.get(), &session.error);
    session.must(WEIR_OK, fmt::format("prepare with a weir_prepare_out of {} bytes", size));
    expect(out.is_intact(), "prepare wrote outside a weir_prepare_out of {} bytes", size);
    session.stmt_close(stmt);
  }
}

void many(Subject& subject) {
  Bench bench(subject);
  Session& session = bench.scene.session;
  weir_many_args args{};
  args.struct_size = sizeof args;
  args.sql = text(bench.one);
  args.row_count = 2;
  for_each_size<weir_many_args>([&](std::uint32_t size) {
    const Fenced<weir_many_args> fenced(args, size);
    const weir_call call = bench.call();
    step("execute_many with weir_many_args of {} bytes", size);
    bench.scene.driver.execute_many(session.conn, &call, fenced.get(), nullptr, nullptr);
    expect(fenced.is_intact(), "weir_many_args of {} bytes were written to", size);
  });
  for_each_size<weir_many_out>([&](std::uint32_t size) {
    const Fenced<weir_many_out> out({}, size);
    const weir_call call = bench.call();
    step("execute_many with a weir_many_out of {} bytes", size);
    session.status =
        bench.scene.driver.execute_many(session.conn, &call, &args, out.get(), &session.error);
    session.must(WEIR_OK, fmt::format("execute_many with a weir_many_out of {} bytes", size));
    expect(out.is_intact(), "execute_many wrote outside a weir_many_out of {} bytes", size);
  });
}

// Each call that has the field is asked with a bit that nobody knows.
void must_understand(Subject& subject) {
  Bench bench(subject);
  Session& s = bench.scene.session;
  const weir_driver& driver = bench.scene.driver;
  constexpr std::uint32_t bit = 1U << 17;
  weir_call strange = s.call();
  strange.must_understand = bit;
  const weir_call plain = s.call();
  const auto refused = [&](const char* what, weir_status status) {
    expect(status == WEIR_E_UNSUPPORTED,
           "{} with an unknown must_understand bit ended with {}, expected unsupported", what,
           kind_name(status));
  };
  refused("execute", bench.select(&strange, &bench.args, &bench.out, &bench.batch));
  weir_exec_args exec = bench.args;
  exec.must_understand = bit;
  refused("execute (weir_exec_args)", bench.select(&plain, &exec, &bench.out, &bench.batch));
  std::int32_t alive = 0;
  refused("ping", driver.ping(s.conn, WEIR_PING_PROTOCOL, &strange, &alive, nullptr));
  std::uint32_t done = 0;
  if (subject.claims(WEIR_CAP_RESET_SESSION)) {
    refused("reset", driver.reset(s.conn, WEIR_RESET_TX, &strange, &done, nullptr));
  }
  if (subject.claims(WEIR_CAP_CANCEL)) {
    refused("cancel", driver.cancel(s.canceller, 1, &strange, nullptr));
  }
  if (subject.claims(WEIR_CAP_TX)) {
    weir_begin_args begin{};
    begin.struct_size = sizeof begin;
    refused("begin", driver.begin(s.conn, &strange, &begin, nullptr));
    begin.must_understand = bit;
    refused("begin (weir_begin_args)", driver.begin(s.conn, &plain, &begin, nullptr));
    refused("commit", driver.commit(s.conn, &strange, nullptr));
    refused("rollback", driver.rollback(s.conn, &strange, nullptr));
    expect(!s.is(WEIR_STATE_IN_TX), "a refused begin opened a transaction");
  }
  if (subject.claims(WEIR_CAP_PREPARE)) {
    weir_stmt* stmt = nullptr;
    refused("prepare", driver.prepare(s.conn, &strange, text(bench.one), &stmt, nullptr, nullptr));
  }
  if (subject.claims(WEIR_CAP_EXECUTE_MANY)) {
    weir_many_args args{};
    args.struct_size = sizeof args;
    args.sql = text(bench.one);
    refused("execute_many", driver.execute_many(s.conn, &strange, &args, nullptr, nullptr));
    args.must_understand = bit;
    refused("execute_many (weir_many_args)",
            driver.execute_many(s.conn, &plain, &args, nullptr, nullptr));
  }
  bench.scene.still_usable("calls with unknown must_understand bits");
}

constexpr Rule table[] = {
    {"L3.sizes.call", Grade::must, "D13", "A weir_call is read no further than its struct_size.",
     Needs::database, 0, "select_one", calls},
    {"L3.sizes.exec_args", Grade::must, "D13",
     "weir_exec_args and the statement's text are read no further than their sizes.",
     Needs::database, 0, "select_one", statements},
    {"L3.sizes.params", Grade::must, "D16",
     "Parameters and their bytes are read to their ends only.", Needs::database, 0,
     "select_one echo_two", parameters},
    {"L3.sizes.begin_args", Grade::must, "D13",
     "weir_begin_args are read no further than their struct_size.", Needs::database, WEIR_CAP_TX,
     "select_one", begins},
    {"L3.sizes.open_args", Grade::must, "D13",
     "weir_open_args are read no further than their struct_size.", Needs::database, 0, "", opens},
    {"L3.sizes.exec_out", Grade::must, "D14",
     "A weir_exec_out is written no further than its struct_size.", Needs::database, 0,
     "select_one", answers},
    {"L3.sizes.batch", Grade::must, "D14",
     "A weir_batch is written no further than its struct_size.", Needs::database, 0,
     "select_one rows_1000", batches},
    {"L3.sizes.state", Grade::must, "D14",
     "A weir_conn_state is written no further than its struct_size.", Needs::database, 0,
     "select_one", states},
    {"L3.sizes.prepare_out", Grade::must, "D14",
     "A weir_prepare_out is written no further than its struct_size.", Needs::database,
     WEIR_CAP_PREPARE, "select_one", prepares},
    {"L3.sizes.many", Grade::must, "D14",
     "weir_many_args and weir_many_out are touched no further than their struct_size.",
     Needs::database, WEIR_CAP_EXECUTE_MANY, "select_one", many},
    {"L3.call.must_understand", Grade::must, "D15",
     "Every call refuses must_understand bits that it does not know, before anything is done.",
     Needs::database, 0, "select_one", must_understand},
};

}  // namespace

std::span<const Rule> size_rules() noexcept { return table; }

}  // namespace weir::check
