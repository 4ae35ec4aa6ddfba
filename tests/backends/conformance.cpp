// SPDX-License-Identifier: MIT
//
// Goal: the shape of what weir/driver.h asks of every driver holds for each of ours, linked in and
// as a plugin: tables, options, errors, sizes of structs, what is refused. Method: the same cases
// through the C ABI, parametrised; what differs is in Quirks.
#include "tests/backends/conformance.hpp"

#include <gmock/gmock.h>

namespace weir::test {
namespace {

using ::testing::HasSubstr;

INSTANTIATE_TEST_SUITE_P(Drivers, Conformance, ::testing::ValuesIn(all_drivers()),
                         [](const auto& one) { return one.param.name; });

TEST_P(Conformance, table_and_info_are_complete) {
  EXPECT_GE(driver->struct_size, sizeof(weir_driver));
  EXPECT_EQ(WEIR_ABI_MAJOR, driver->abi_major);
  EXPECT_EQ(WEIR_ABI_MINOR, driver->abi_minor);
  const weir_info& info = *driver->info;
  for (const char* word : {info.name, info.version, info.license, info.description,
                           info.placeholder, info.url_schemes}) {
    EXPECT_STRNE("", word);
  }
  const char* at = reinterpret_cast<const char*>(info.options);
  for (std::uint32_t i = 0; i < info.option_count; ++i, at += info.option_stride) {
    const auto* spec = reinterpret_cast<const weir_option_spec*>(at);
    EXPECT_EQ(sizeof(weir_option_spec), spec->struct_size);
    EXPECT_STRNE("", spec->key);
    EXPECT_STRNE("", spec->doc) << spec->key;
    EXPECT_EQ(spec->type == WEIR_OPT_CHOICE, spec->choices != nullptr) << spec->key;
  }
  if (driver->extension == nullptr) return;
  EXPECT_EQ(nullptr, driver->extension("weir.nothing/1"));
}

TEST_P(Conformance, defaults_of_options_are_accepted_as_the_host_hands_them_over) {
  Options options;
  for (std::uint32_t i = 0; i < driver->info->option_count; ++i) {
    const weir_option_spec& spec = driver->info->options[i];
    if (spec.default_value == nullptr) continue;
    // Durations arrive as nanoseconds; ours all end in "s" or "m".
    std::string value = spec.default_value;
    if (spec.type == WEIR_OPT_DURATION) {
      const bool minutes = value.back() == 'm';
      value = std::to_string(std::stoll(value) * (minutes ? 60 : 1) * 1'000'000'000);
    }
    options.emplace_back(spec.key, value);
  }
  Source all(driver, host.abi(), url, options, dir.path);
  EXPECT_EQ(WEIR_OK, all.status) << all.error.what();
}

TEST_P(Conformance, wrong_options_are_named) {
  struct Case {
    Options options;
    std::string part;
  };
  const Case cases[] = {
      {{{"no_such_key", "1"}}, "no_such_key"},
      {{{quirks.some_duration, quirks.bad_option_value}}, quirks.some_duration},
      {{{quirks.some_duration, "1"}, {quirks.some_duration, "1"}}, "twice"},
      {{{quirks.some_duration, std::string("1\0", 2)}}, quirks.some_duration},
      {{{quirks.some_duration, std::string(1 << 20, '9')}}, quirks.some_duration},
      {{{quirks.some_duration, ""}}, quirks.some_duration},
  };
  for (const Case& c : cases) {
    Source wrong(driver, host.abi(), url, c.options, dir.path);
    EXPECT_EQ(WEIR_E_CONFIG, wrong.status) << c.part;
    EXPECT_EQ(nullptr, wrong.handle);
    EXPECT_THAT(wrong.error.what(), HasSubstr(c.part));
  }
}

TEST_P(Conformance, a_url_with_a_nul_byte_is_refused) {
  for (const std::string& cut : {url + std::string("\0", 1), url + std::string("\0x", 2)}) {
    Source wrong(driver, host.abi(), cut, {}, dir.path);
    EXPECT_EQ(WEIR_E_CONFIG, wrong.status);
    EXPECT_EQ(nullptr, wrong.handle);
  }
}

TEST_P(Conformance, a_host_without_a_service_is_refused) {
  weir_host poor = *host.abi();
  poor.wait = nullptr;
  weir_env* env = nullptr;
  Error error;
  EXPECT_EQ(WEIR_E_UNSUPPORTED, driver->env_create(&poor, &env, &error));
  EXPECT_THAT(error.what(), HasSubstr("wait"));
  poor = *host.abi();
  poor.struct_size = 24;  // ends before `wait`
  EXPECT_EQ(WEIR_E_UNSUPPORTED, driver->env_create(&poor, &env, &error));
}

TEST_P(Conformance, bits_that_must_be_understood_are_refused_before_anything_is_done) {
  open();
  weir_call strange = session.call();
  strange.must_understand = 1U << 31;
  weir_begin_args begin{};
  begin.struct_size = sizeof begin;
  Error error;
  EXPECT_EQ(WEIR_E_UNSUPPORTED, driver->begin(session.conn, &strange, &begin, &error));
  EXPECT_EQ(WEIR_EFFECT_NOT_SENT, error.effect);
  const weir_call plain = session.call();
  begin.must_understand = 4;
  EXPECT_EQ(WEIR_E_UNSUPPORTED, driver->begin(session.conn, &plain, &begin, &error));
  EXPECT_FALSE(session.is(WEIR_STATE_IN_TX));
  weir_exec_args exec{};
  exec.struct_size = sizeof exec;
  exec.must_understand = 1;
  exec.sql = text(quirks.select_one);
  weir_result* result = nullptr;
  EXPECT_EQ(WEIR_E_UNSUPPORTED, driver->execute(session.conn, &plain, &exec, &session.out, &result,
                                                &session.batch, &error));
  EXPECT_EQ(WEIR_E_UNSUPPORTED, driver->cancel(session.canceller, 1, &strange, &error));
  expect_usable();
}

TEST_P(Conformance, a_deadline_that_has_passed_fails_before_any_work) {
  open();
  session.deadline = host.now;
  host.waits.clear();
  weir_stmt* stmt = nullptr;
  EXPECT_EQ(WEIR_E_TIMEOUT, session.query(quirks.select_one));
  EXPECT_EQ(WEIR_EFFECT_NOT_SENT, session.error.effect);
  EXPECT_EQ(WEIR_CONN_USABLE, session.error.conn_fate);
  EXPECT_EQ(WEIR_E_TIMEOUT, session.prepare(quirks.select_one, &stmt));
  EXPECT_EQ(WEIR_E_TIMEOUT, session.begin());
  EXPECT_EQ(WEIR_E_TIMEOUT, session.commit());
  EXPECT_EQ(WEIR_E_TIMEOUT, session.rollback());
  EXPECT_EQ(WEIR_E_TIMEOUT, session.reset());
  EXPECT_TRUE(host.waits.empty());
  Session late(source, 8, host.now);
  EXPECT_EQ(WEIR_E_TIMEOUT, late.open());
  EXPECT_EQ(nullptr, late.conn);
  session.deadline = WEIR_NO_DEADLINE;
  expect_usable();
  session.deadline = host.now;
  EXPECT_EQ(WEIR_E_TIMEOUT, session.ping(WEIR_PING_PROTOCOL));
  EXPECT_TRUE(session.is(WEIR_STATE_BROKEN));
  EXPECT_EQ(WEIR_CONN_BROKEN, session.error.conn_fate);
}

TEST_P(Conformance, errors_fill_no_more_than_the_caller_has) {
  open();
  const weir_call call = session.call();
  weir_exec_args args{};
  args.struct_size = sizeof args;  // empty SQL
  weir_result* result = nullptr;
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, driver->execute(session.conn, &call, &args, &session.out,
                                                     &result, &session.batch, nullptr));
  for (const std::uint32_t capacity : {0U, 1U, 8U, 1024U}) {
    Error error;
    error.text_capacity = capacity;
    EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, driver->execute(session.conn, &call, &args, &session.out,
                                                       &result, &session.batch, &error));
    EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, error.kind);
    EXPECT_LE(error.text_size, capacity);
    EXPECT_EQ(capacity < 1024, (error.flags & WEIR_ERROR_TRUNCATED) != 0) << capacity;
    if (capacity == 1024) continue;
    EXPECT_EQ('x', error.room[capacity]);
  }
  Error small;
  small.struct_size = 8;  // struct_size and kind
  small.text_capacity = 77;
  small.native_code = 78;
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, driver->execute(session.conn, &call, &args, &session.out,
                                                     &result, &session.batch, &small));
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, small.kind);
  EXPECT_EQ(77U, small.text_capacity);
  EXPECT_EQ(78, small.native_code);
  EXPECT_EQ('x', small.room[0]);
}

// Calls `fill` with an out-struct of each size up to its own, and checks that what lies beyond
// stays.
template <class T, class Fill>
void expect_no_write_beyond(Fill fill) {
  for (std::uint32_t size = 8; size <= sizeof(T); size += 8) {
    T out;
    std::memset(&out, 0x5A, sizeof out);
    out.struct_size = size;
    fill(&out);
    const auto* bytes = reinterpret_cast<const unsigned char*>(&out);
    EXPECT_EQ(size, out.struct_size);
    for (std::uint32_t i = size; i < sizeof(T); ++i) ASSERT_EQ(0x5A, bytes[i]) << size << " " << i;
  }
}

TEST_P(Conformance, values_that_are_not_there_are_refused) {
  open();
  weir_exec_args args{};
  args.struct_size = sizeof args;
  args.sql = text(quirks.echo_two);
  args.param_count = 2;
  const weir_call call = session.call();
  weir_result* result = nullptr;
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, driver->execute(session.conn, &call, &args, &session.out,
                                                     &result, &session.batch, &session.error));
  expect_usable();
}

TEST_P(Conformance, out_structs_are_filled_no_further_than_their_size) {
  open();
  weir_exec_args args{};
  args.struct_size = sizeof args;
  args.sql = text(quirks.select_one);
  weir_result* result = nullptr;
  weir_exec_out whole{};
  whole.struct_size = sizeof whole;
  weir_batch batch{};
  batch.struct_size = sizeof batch;
  Error error;
  expect_no_write_beyond<weir_exec_out>([&](weir_exec_out* out) {
    const weir_call call = session.call();
    driver->execute(session.conn, &call, &args, out, &result, &batch, &error);
  });
  expect_no_write_beyond<weir_batch>([&](weir_batch* out) {
    const weir_call call = session.call();
    driver->execute(session.conn, &call, &args, &whole, &result, out, &error);
  });
  expect_no_write_beyond<weir_conn_state>(
      [&](weir_conn_state* out) { driver->state(session.conn, out); });
  expect_no_write_beyond<weir_prepare_out>([&](weir_prepare_out* out) {
    const weir_call call = session.call();
    weir_stmt* stmt = nullptr;
    driver->prepare(session.conn, &call, args.sql, &stmt, out, &error);
    session.stmt_close(stmt);
  });
  expect_no_write_beyond<weir_many_out>([&](weir_many_out* out) {
    const weir_call call = session.call();
    weir_many_args many{};
    many.struct_size = sizeof many;
    many.sql = args.sql;
    driver->execute_many(session.conn, &call, &many, out, &error);
  });
  expect_no_write_beyond<weir_source_traits>([&](weir_source_traits* out) {
    weir_source_args s{};
    s.struct_size = sizeof s;
    s.url = text(url);
    weir_source* other = nullptr;
    ASSERT_EQ(WEIR_OK, driver->source_create(source.env, &s, &other, out, &error));
    driver->source_destroy(other);
  });
}

}  // namespace
}  // namespace weir::test
