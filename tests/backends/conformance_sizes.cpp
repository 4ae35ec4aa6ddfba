// SPDX-License-Identifier: MIT
//
// Goal: a driver reads and writes no further than struct_size says, for every struct that crosses
// the ABI, be the other side older or newer; and no further than the end of texts and arrays.
// Method: each struct, text and array ends right before a page without access (tests/backends/
// fence.hpp); structs are tried in every size, down to their first two members and beyond today's.
#include "tests/backends/conformance.hpp"
#include "tests/backends/fence.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace weir::test {
namespace {

class Sizes : public Conformance {
 protected:
  // A plain call that has no deadline.
  weir_call plain() { return session.call(); }
  weir_exec_args select_one() const {
    weir_exec_args args{};
    args.sql = text(quirks.select_one);
    return args;
  }
  // Runs select_one with these structs, the others being as today.
  weir_status select(const weir_call* call, const weir_exec_args* args, weir_exec_out* out,
                     weir_batch* batch, weir_error* error) {
    weir_result* result = nullptr;
    const weir_status status =
        driver->execute(session.conn, call, args, out, &result, batch, error);
    EXPECT_EQ(nullptr, result);
    return status;
  }
  weir_status select(const weir_call* call, const weir_exec_args* args, weir_error* error) {
    weir_exec_out out{};
    out.struct_size = sizeof out;
    weir_batch batch{};
    batch.struct_size = sizeof batch;
    return select(call, args, &out, &batch, error);
  }
};

INSTANTIATE_TEST_SUITE_P(Drivers, Sizes, ::testing::ValuesIn(all_drivers()),
                         [](const auto& one) { return one.param.name; });

TEST_P(Sizes, a_host_is_read_as_far_as_it_reaches) {
  for_each_size<weir_host>([&](std::uint32_t size) {
    const Fenced<weir_host> fenced(*host.abi(), size);
    weir_env* env = nullptr;
    const weir_status status = driver->env_create(fenced.get(), &env, nullptr);
    EXPECT_TRUE(fenced.is_intact()) << size;
    if (size < offsetof(weir_host, log)) {
      EXPECT_EQ(WEIR_E_UNSUPPORTED, status) << size;
      return;
    }
    // Without log, event, random or extension: a driver may miss them, not call them.
    ASSERT_EQ(WEIR_OK, status) << size;
    driver->env_destroy(env);
    Source poor(driver, fenced.get(), url, {}, dir.path);
    Session its(poor, 7);
    ASSERT_EQ(WEIR_OK, its.open()) << its.error.what();
    EXPECT_EQ(Value::integer(1), its.one(quirks.select_one));
    EXPECT_EQ(WEIR_OK, its.query(quirks.dirty));
    EXPECT_EQ(WEIR_OK, its.reset());
  });
}

TEST_P(Sizes, the_arguments_of_a_source_are_read_as_far_as_they_reach) {
  const FencedText address(url);
  const FencedText base(dir.path);
  const FencedText key(quirks.some_duration);
  const FencedText value("1000");
  const Fence options(sizeof(weir_option));
  const weir_option option{key.get(), value.get()};
  std::memcpy(options.object(), &option, sizeof option);
  weir_source_args args{};
  args.url = address.get();
  args.base_dir = base.get();
  args.options = static_cast<const weir_option*>(options.object());
  args.option_count = 1;
  for_each_size<weir_source_args>([&](std::uint32_t size) {
    const Fenced<weir_source_args> fenced(args, size);
    weir_source* made = nullptr;
    const weir_status status =
        driver->source_create(source.env, fenced.get(), &made, nullptr, nullptr);
    if (size >= sizeof args) {
      EXPECT_EQ(WEIR_OK, status) << size;
    }
    EXPECT_TRUE(fenced.is_intact()) << size;
    if (status == WEIR_OK) driver->source_destroy(made);
  });
}

TEST_P(Sizes, calls_are_read_as_far_as_they_reach) {
  open();
  for_each_size<weir_call>([&](std::uint32_t size) {
    Session its(source, 9);
    const bool whole = size >= sizeof(weir_call);
    weir_call plain_call = its.call();
    const Fenced<weir_call> call(plain_call, size);
    const auto expect = [&](const char* which, weir_status status) {
      // A shorter call has the deadline zero, which has passed.
      EXPECT_EQ(whole ? WEIR_OK : WEIR_E_TIMEOUT, status) << which << " " << size;
    };
    weir_open_args open_args{};
    open_args.struct_size = sizeof open_args;
    open_args.conn_tag = 9;
    weir_conn* conn = nullptr;
    expect("open",
           driver->open(source.handle, call.get(), &open_args, its.canceller, &conn, nullptr));
    if (!whole) {
      const weir_call good = session.call();
      ASSERT_EQ(WEIR_OK, session.status);
      ASSERT_EQ(WEIR_OK,
                driver->open(source.handle, &good, &open_args, its.canceller, &conn, nullptr));
    }
    its.conn = conn;
    weir_begin_args begin{};
    begin.struct_size = sizeof begin;
    weir_stmt* stmt = nullptr;
    weir_prepare_out prepared{};
    prepared.struct_size = sizeof prepared;
    weir_many_args many{};
    many.struct_size = sizeof many;
    many.sql = text(quirks.select_one);
    std::uint32_t done = 0;
    expect("begin", driver->begin(conn, call.get(), &begin, nullptr));
    expect("rollback", driver->rollback(conn, call.get(), nullptr));
    if (whole) driver->begin(conn, call.get(), &begin, nullptr);
    expect("commit", driver->commit(conn, call.get(), nullptr));
    expect("reset", driver->reset(conn, WEIR_RESET_TX, call.get(), &done, nullptr));
    expect("prepare",
           driver->prepare(conn, call.get(), text(quirks.select_one), &stmt, &prepared, nullptr));
    if (stmt != nullptr) driver->stmt_close(stmt, call.get());
    expect("execute_many", driver->execute_many(conn, call.get(), &many, nullptr, nullptr));
    EXPECT_EQ(WEIR_OK, its.start(quirks.rows_1000, {}, 0, nullptr, 10));
    if (its.result != nullptr) {
      expect("fetch", driver->fetch(its.result, call.get(), &its.batch, nullptr));
      driver->result_close(its.result, call.get());
    }
    EXPECT_EQ(WEIR_OK, driver->cancel(its.canceller, 1, call.get(), nullptr));
    std::int32_t alive = 0;
    expect("ping", driver->ping(conn, WEIR_PING_PROTOCOL, call.get(), &alive, nullptr));
    driver->close(conn, call.get());
    its.conn = nullptr;
    EXPECT_TRUE(call.is_intact()) << size;
  });
}

TEST_P(Sizes, arguments_of_a_statement_are_read_as_far_as_they_reach) {
  open();
  const FencedText sql(quirks.select_one);
  weir_exec_args args{};
  args.sql = sql.get();
  for_each_size<weir_exec_args>([&](std::uint32_t size) {
    const Fenced<weir_exec_args> fenced(args, size);
    const weir_call call = plain();
    const bool has_sql = size >= offsetof(weir_exec_args, stmt);
    EXPECT_EQ(has_sql ? WEIR_OK : WEIR_E_INVALID_ARGUMENT, select(&call, fenced.get(), nullptr))
        << size;
    EXPECT_TRUE(fenced.is_intact()) << size;
  });
  weir_many_args many{};
  many.sql = sql.get();
  many.row_count = 2;
  for_each_size<weir_many_args>([&](std::uint32_t size) {
    const Fenced<weir_many_args> fenced(many, size);
    const weir_call call = plain();
    const weir_status status =
        driver->execute_many(session.conn, &call, fenced.get(), nullptr, nullptr);
    if (size >= sizeof many) {
      EXPECT_EQ(WEIR_OK, status);
    }
    EXPECT_TRUE(fenced.is_intact()) << size;
  });
}

TEST_P(Sizes, parameters_and_their_bytes_are_read_to_their_ends) {
  open();
  const FencedText bytes("seven bytes");
  const Fence cells(2 * sizeof(weir_cell));
  weir_cell params[2]{};
  params[0].type = WEIR_T_TEXT;
  params[0].v.p = bytes.get().data;
  params[0].size = static_cast<std::uint32_t>(bytes.get().size);
  params[1].type = WEIR_T_INT64;
  params[1].v.i = 8;
  std::memcpy(cells.object(), params, sizeof params);
  weir_exec_args args{};
  args.struct_size = sizeof args;
  args.sql = text(quirks.echo_two);
  args.params = static_cast<const weir_cell*>(cells.object());
  args.param_count = 2;
  const weir_call call = plain();
  weir_exec_out out{};
  out.struct_size = sizeof out;
  weir_batch batch{};
  batch.struct_size = sizeof batch;
  ASSERT_EQ(WEIR_OK, select(&call, &args, &out, &batch, nullptr));
  EXPECT_EQ(Value::str("seven bytes"), Value::of(batch.cells[0]));
  EXPECT_TRUE(cells.is_clean_before());

  const FencedText sql(quirks.echo_two);
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, driver->prepare(session.conn, &call, sql.get(), &stmt, nullptr, nullptr));
  session.stmt_close(stmt);
}

TEST_P(Sizes, arguments_of_open_and_begin_are_read_as_far_as_they_reach) {
  open();
  for_each_size<weir_open_args>([&](std::uint32_t size) {
    Session its(source, 11);
    weir_open_args args{};
    args.conn_tag = 11;
    const Fenced<weir_open_args> fenced(args, size);
    const weir_call call = its.call();
    EXPECT_EQ(WEIR_OK,
              driver->open(source.handle, &call, fenced.get(), its.canceller, &its.conn, nullptr));
    EXPECT_TRUE(fenced.is_intact()) << size;
  });
  weir_begin_args begin{};
  begin.flags = WEIR_BEGIN_WRITE;
  for_each_size<weir_begin_args>([&](std::uint32_t size) {
    const Fenced<weir_begin_args> fenced(begin, size);
    const weir_call call = plain();
    EXPECT_EQ(WEIR_OK, driver->begin(session.conn, &call, fenced.get(), nullptr)) << size;
    EXPECT_TRUE(fenced.is_intact()) << size;
    EXPECT_EQ(WEIR_OK, session.rollback());
  });
}

TEST_P(Sizes, answers_are_written_as_far_as_they_reach) {
  open();
  const weir_exec_args args = [&] {
    weir_exec_args filled = select_one();
    filled.struct_size = sizeof filled;
    return filled;
  }();
  for_each_size<weir_exec_out>([&](std::uint32_t size) {
    const Fenced<weir_exec_out> out({}, size);
    weir_batch batch{};
    batch.struct_size = sizeof batch;
    const weir_call call = plain();
    ASSERT_EQ(WEIR_OK, select(&call, &args, out.get(), &batch, nullptr));
    EXPECT_TRUE(out.is_intact()) << size;
    EXPECT_EQ(size >= sizeof(weir_exec_out) ? 1U : 0U, out.value().column_count & 1U) << size;
  });
  for_each_size<weir_batch>([&](std::uint32_t size) {
    const Fenced<weir_batch> batch({}, size);
    weir_exec_out out{};
    out.struct_size = sizeof out;
    const weir_call call = plain();
    ASSERT_EQ(WEIR_OK, select(&call, &args, &out, batch.get(), nullptr));
    EXPECT_TRUE(batch.is_intact()) << size;
    EXPECT_EQ(WEIR_BATCH_END, batch.value().flags & WEIR_BATCH_END) << size;
    session.start(quirks.rows_1000, {}, 0, nullptr, 10);
    ASSERT_NE(nullptr, session.result);
    const Fenced<weir_batch> next({}, size);
    ASSERT_EQ(WEIR_OK, driver->fetch(session.result, &call, next.get(), nullptr));
    EXPECT_TRUE(next.is_intact()) << size;
    session.close_result();
  });
  for_each_size<weir_conn_state>([&](std::uint32_t size) {
    const Fenced<weir_conn_state> out({}, size);
    driver->state(session.conn, out.get());
    EXPECT_TRUE(out.is_intact()) << size;
  });
  for (const std::uint32_t size : {4U, 8U, 24U}) {
    const Fenced<weir_prepare_out> out({}, size);
    const weir_call call = plain();
    weir_stmt* stmt = nullptr;
    ASSERT_EQ(WEIR_OK, driver->prepare(session.conn, &call, text(quirks.echo_two), &stmt, out.get(),
                                       nullptr));
    EXPECT_TRUE(out.is_intact()) << size;
    EXPECT_EQ(size >= 8 ? 2U : 0U, out.value().param_count) << size;
    session.stmt_close(stmt);
  }
}

TEST_P(Sizes, answers_of_sources_and_of_many_rows_are_written_as_far_as_they_reach) {
  open();
  for_each_size<weir_source_traits>([&](std::uint32_t size) {
    const Fenced<weir_source_traits> out({}, size);
    weir_source_args args{};
    args.struct_size = sizeof args;
    args.url = text(url);
    args.base_dir = text(dir.path);
    weir_source* made = nullptr;
    ASSERT_EQ(WEIR_OK, driver->source_create(source.env, &args, &made, out.get(), nullptr));
    EXPECT_TRUE(out.is_intact()) << size;
    driver->source_destroy(made);
  });
  weir_many_args many{};
  many.struct_size = sizeof many;
  many.sql = text(quirks.select_one);
  many.row_count = 3;
  for_each_size<weir_many_out>([&](std::uint32_t size) {
    const Fenced<weir_many_out> out({}, size);
    const weir_call call = plain();
    ASSERT_EQ(WEIR_OK, driver->execute_many(session.conn, &call, &many, out.get(), nullptr));
    EXPECT_TRUE(out.is_intact()) << size;
    EXPECT_EQ(size >= sizeof(weir_many_out) ? 3U : 0U, out.value().rows_done) << size;
  });
  Fence alive(sizeof(std::int32_t));
  Fence done(sizeof(std::uint32_t));
  const weir_call call = plain();
  EXPECT_EQ(WEIR_OK, driver->ping(session.conn, WEIR_PING_PROTOCOL, &call,
                                  static_cast<std::int32_t*>(alive.object()), nullptr));
  EXPECT_EQ(WEIR_OK, driver->reset(session.conn, WEIR_RESET_SESSION, &call,
                                   static_cast<std::uint32_t*>(done.object()), nullptr));
  EXPECT_TRUE(alive.is_clean_before() && done.is_clean_before());
}

TEST_P(Sizes, errors_and_their_text_are_written_as_far_as_they_reach) {
  open();
  weir_exec_args empty{};
  empty.struct_size = sizeof empty;
  for (const std::uint32_t capacity : {0U, 1U, 7U, 300U}) {
    for_each_size<weir_error>([&](std::uint32_t size) {
      const Fence room(capacity);
      weir_error error{};
      error.text = static_cast<char*>(room.object());
      error.text_capacity = capacity;
      const Fenced<weir_error> fenced(error, size);
      const auto check = [&](weir_status expected, weir_status status) {
        EXPECT_EQ(expected, status) << size;
        EXPECT_EQ(expected, fenced.value().kind) << size;
        EXPECT_LE(fenced.value().text_size, capacity);
        EXPECT_TRUE(fenced.is_intact() && room.is_clean_before()) << size;
      };
      const weir_call call = plain();
      check(WEIR_E_INVALID_ARGUMENT, select(&call, &empty, fenced.get()));
      weir_source_args args{};
      args.struct_size = sizeof args;
      const weir_option unknown{text("no_such_key"), text("1")};
      args.options = &unknown;
      args.option_count = 1;
      args.url = text(url);
      weir_source* made = nullptr;
      check(WEIR_E_CONFIG, driver->source_create(source.env, &args, &made, nullptr, fenced.get()));
      weir_host poor = *host.abi();
      poor.wait = nullptr;
      weir_env* env = nullptr;
      check(WEIR_E_UNSUPPORTED, driver->env_create(&poor, &env, fenced.get()));
      check(WEIR_E_INVALID_STATE, driver->commit(session.conn, &call, fenced.get()));
    });
  }
}

TEST_P(Sizes, bits_that_must_be_understood_are_refused_in_every_struct_that_has_them) {
  open();
  const weir_call call = plain();
  constexpr std::uint32_t bit = 1U << 17;
  weir_many_args many{};
  many.struct_size = sizeof many;
  many.must_understand = bit;
  many.sql = text(quirks.insert);
  EXPECT_EQ(WEIR_E_UNSUPPORTED, driver->execute_many(session.conn, &call, &many, nullptr, nullptr));
  weir_source_args args{};
  args.struct_size = sizeof args;
  args.must_understand = bit;
  args.url = text(url);
  args.base_dir = text(dir.path);
  weir_source* made = nullptr;
  EXPECT_EQ(WEIR_E_UNSUPPORTED, driver->source_create(source.env, &args, &made, nullptr, nullptr));
  Session its(source, 13);
  weir_open_args open_args{};
  open_args.struct_size = sizeof open_args;
  open_args.must_understand = bit;
  open_args.conn_tag = 13;
  EXPECT_EQ(WEIR_E_UNSUPPORTED,
            driver->open(source.handle, &call, &open_args, its.canceller, &its.conn, nullptr));
  EXPECT_EQ(nullptr, its.conn);
  weir_call strange = call;
  strange.must_understand = bit;
  std::uint32_t done = 0;
  std::int32_t alive = 0;
  weir_stmt* stmt = nullptr;
  weir_exec_args exec = select_one();
  exec.struct_size = sizeof exec;
  EXPECT_EQ(WEIR_E_UNSUPPORTED, select(&strange, &exec, nullptr));
  EXPECT_EQ(WEIR_E_UNSUPPORTED, driver->commit(session.conn, &strange, nullptr));
  EXPECT_EQ(WEIR_E_UNSUPPORTED, driver->rollback(session.conn, &strange, nullptr));
  EXPECT_EQ(WEIR_E_UNSUPPORTED,
            driver->reset(session.conn, WEIR_RESET_TX, &strange, &done, nullptr));
  EXPECT_EQ(WEIR_E_UNSUPPORTED,
            driver->ping(session.conn, WEIR_PING_PROTOCOL, &strange, &alive, nullptr));
  EXPECT_EQ(WEIR_E_UNSUPPORTED, driver->prepare(session.conn, &strange, text(quirks.select_one),
                                                &stmt, nullptr, nullptr));
  expect_usable();
}

}  // namespace
}  // namespace weir::test
