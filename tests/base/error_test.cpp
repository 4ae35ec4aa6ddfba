// SPDX-License-Identifier: MIT
//
// Error: what it prints, how a driver's account becomes one. Table-driven.
#include <weir/driver.h>
#include <weir/error.hpp>

#include <cstring>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace weir {
namespace {

weir_error make_error(weir_status kind, std::uint8_t stage, std::string& text) {
  weir_error error{};
  error.struct_size = sizeof error;
  error.kind = kind;
  error.stage = stage;
  error.text = text.data();
  error.text_capacity = static_cast<std::uint32_t>(text.size());
  error.text_size = error.text_capacity;
  return error;
}

TEST(Error, what_has_message_id_and_name) {
  EXPECT_EQ(Error(Code::queue_full, "main: full").what(), "weir: main: full [W302 queue_full]\n");
}

TEST(Error, acquire_timeout_prints_what_people_search_for) {
  const Error error(Code::acquire_timeout, "main: nothing", AcquireReport{});
  EXPECT_EQ(error.what(), "weir: main: nothing [W301 acquire_timeout, P2024]\n");
  EXPECT_NE(error.acquire(), nullptr);
  EXPECT_EQ(error.database(), nullptr);
}

TEST(Error, a_copy_shares_everything) {
  AcquireReport report;
  report.reason = AcquireClass::self_deadlock;
  const Error error(Code::acquire_timeout, "x", report);
  const Error copy = error;  // NOLINT(performance-unnecessary-copy-initialization): the point
  EXPECT_EQ(copy.acquire(), error.acquire());
  EXPECT_EQ(to_string(copy.acquire()->reason), "self_deadlock");
}

TEST(Error, about_many_rows_keeps_what_its_cause_says) {
  DatabaseError facts;
  facts.sqlstate = "23505";
  const Error cause(Code::constraint, "twice", facts);
  const Error error(cause, ManyReport{.row = 3, .committed = 2}, "; row 3");
  EXPECT_EQ(error.what(), "weir: twice; row 3 [W509 constraint]\n");
  EXPECT_EQ(error.database()->sqlstate, "23505");
  EXPECT_EQ(error.many()->row, 3U);
  EXPECT_EQ(cause.many(), nullptr);
  // And outlives retry's word.
  EXPECT_EQ(Error(error, RetryReport{}, "; twice").many()->committed, 2U);
}

TEST(CodeTable, ids_names_and_exit_codes_are_consistent) {
  std::set<std::string_view> ids;
  std::set<std::string_view> names;
  Code previous{};
  for (const CodeInfo& entry : all_codes()) {
    SCOPED_TRACE(entry.id);
    EXPECT_LT(previous, entry.code) << "info() searches by order";
    previous = entry.code;
    EXPECT_EQ(entry.id, "W" + std::to_string(static_cast<int>(entry.code)));
    EXPECT_TRUE(ids.insert(entry.id).second);
    EXPECT_TRUE(names.insert(entry.name).second);
    EXPECT_FALSE(entry.title.empty());
    EXPECT_GT(entry.advice.size(), 30u);
    EXPECT_FALSE(entry.advice.ends_with('\n'));
    EXPECT_EQ(&info(entry.code), &entry);
    const int number = static_cast<int>(entry.code);
    if (number < 200) {
      EXPECT_EQ(entry.exit_code, 65);
    }
    if (number >= 200 && number < 300) {
      EXPECT_EQ(entry.exit_code, 69);
    }
    if (number == 900) {
      EXPECT_EQ(entry.exit_code, 70);
    }
  }
}

TEST(CodeTable, every_code_of_the_header_is_known) {
  for (const Code code : {Code::config_unreadable, Code::config_many,     Code::driver_not_found,
                          Code::driver_manifest,   Code::acquire_timeout, Code::queue_full,
                          Code::pool_closed,       Code::pool_suspended,  Code::cancelled,
                          Code::create_failed,     Code::not_ready,       Code::drain_timeout,
                          Code::none_idle,         Code::unknown_pool,    Code::lease_returned,
                          Code::invalid_argument,  Code::invalid_state,   Code::column_type,
                          Code::callback_threw,    Code::forked,          Code::next_not_called,
                          Code::unsupported,       Code::connect_failed,  Code::auth_failed,
                          Code::server_full,       Code::connection_lost, Code::query_timeout,
                          Code::query_cancelled,   Code::sql_error,       Code::constraint,
                          Code::data_error,        Code::conflict,        Code::read_only,
                          Code::resource,          Code::not_a_database,  Code::driver_error,
                          Code::internal}) {
    EXPECT_EQ(info(code).code, code);
  }
  EXPECT_EQ(info(static_cast<Code>(9999)).code, Code::internal);
}

TEST(CodeTable, the_timeout_explains_each_class_and_its_other_name) {
  const std::string advice(info(Code::acquire_timeout).advice);
  for (int i = 0; i <= static_cast<int>(AcquireClass::self_deadlock); ++i) {
    const std::string_view name = to_string(static_cast<AcquireClass>(i));
    EXPECT_NE(advice.find(name), std::string::npos) << name;
  }
  EXPECT_NE(info(Code::acquire_timeout).title.find("P2024"), std::string_view::npos);
}

TEST(FromDriver, keeps_the_facts_and_prints_the_numbers) {
  std::string text = "password authentication failed\n";
  weir_error error = make_error(WEIR_E_AUTH, WEIR_STAGE_AUTH, text);
  std::memcpy(error.sqlstate, "28P01", 5);
  error.native_code = 7;
  error.effect = WEIR_EFFECT_DEFINITE;
  error.conn_fate = WEIR_CONN_BROKEN;
  error.tx_fate = WEIR_TX_GONE;
  error.flags = WEIR_ERROR_TRANSIENT;
  const Error made = Error::from_driver(error, "opening a connection");
  EXPECT_EQ(made.code(), Code::auth_failed);
  EXPECT_EQ(made.exit_code(), 69);
  EXPECT_EQ(
      made.message(),
      "while opening a connection: password authentication failed (SQLSTATE 28P01, native 7)");
  ASSERT_NE(made.database(), nullptr);
  const DatabaseError& facts = *made.database();
  EXPECT_EQ(facts.kind, WEIR_E_AUTH);
  EXPECT_EQ(facts.stage, WEIR_STAGE_AUTH);
  EXPECT_EQ(facts.conn_fate, WEIR_CONN_BROKEN);
  EXPECT_EQ(facts.effect, WEIR_EFFECT_DEFINITE);
  EXPECT_EQ(facts.tx_fate, WEIR_TX_GONE);
  EXPECT_TRUE(facts.transient);
  EXPECT_EQ(facts.sqlstate, "28P01");
  EXPECT_EQ(facts.text, text);
}

TEST(FromDriver, maps_each_kind_by_stage) {
  struct Case {
    weir_status kind;
    std::uint8_t stage;
    Code code;
  };
  constexpr Case cases[] = {
      {WEIR_E_UNSUPPORTED, WEIR_STAGE_NONE, Code::unsupported},
      {WEIR_E_INVALID_ARGUMENT, WEIR_STAGE_EXECUTE, Code::invalid_argument},
      {WEIR_E_INVALID_STATE, WEIR_STAGE_EXECUTE, Code::invalid_state},
      {WEIR_E_CONFIG, WEIR_STAGE_NONE, Code::config_value},
      {WEIR_E_RESOLVE, WEIR_STAGE_RESOLVE, Code::connect_failed},
      {WEIR_E_CONNECT, WEIR_STAGE_CONNECT, Code::connect_failed},
      {WEIR_E_TLS, WEIR_STAGE_TLS, Code::connect_failed},
      {WEIR_E_PERMISSION, WEIR_STAGE_AUTH, Code::auth_failed},
      {WEIR_E_PERMISSION, WEIR_STAGE_EXECUTE, Code::sql_error},
      {WEIR_E_SERVER_NOT_READY, WEIR_STAGE_CONNECT, Code::connect_failed},
      {WEIR_E_TOO_MANY_CONNECTIONS, WEIR_STAGE_AUTH, Code::server_full},
      {WEIR_E_CONN_LOST, WEIR_STAGE_SETUP, Code::connect_failed},
      {WEIR_E_CONN_LOST, WEIR_STAGE_COMMIT, Code::connection_lost},
      {WEIR_E_TIMEOUT, WEIR_STAGE_CONNECT, Code::connect_failed},
      {WEIR_E_TIMEOUT, WEIR_STAGE_SETUP, Code::connect_failed},
      {WEIR_E_TIMEOUT, WEIR_STAGE_PREPARE, Code::query_timeout},
      {WEIR_E_TIMEOUT, WEIR_STAGE_NONE, Code::query_timeout},
      {WEIR_E_CANCELLED, WEIR_STAGE_EXECUTE, Code::query_cancelled},
      {WEIR_E_SYNTAX, WEIR_STAGE_PREPARE, Code::sql_error},
      {WEIR_E_NOT_FOUND, WEIR_STAGE_EXECUTE, Code::sql_error},
      {WEIR_E_CONSTRAINT, WEIR_STAGE_EXECUTE, Code::constraint},
      {WEIR_E_DATA, WEIR_STAGE_EXECUTE, Code::data_error},
      {WEIR_E_SERIALIZATION, WEIR_STAGE_COMMIT, Code::conflict},
      {WEIR_E_DEADLOCK, WEIR_STAGE_EXECUTE, Code::conflict},
      {WEIR_E_LOCK_TIMEOUT, WEIR_STAGE_BEGIN, Code::conflict},
      {WEIR_E_LOCK_TIMEOUT, WEIR_STAGE_SETUP, Code::connect_failed},
      {WEIR_E_RESOURCE, WEIR_STAGE_EXECUTE, Code::resource},
      {WEIR_E_READ_ONLY, WEIR_STAGE_EXECUTE, Code::read_only},
      {WEIR_E_PROTOCOL, WEIR_STAGE_CONNECT, Code::not_a_database},
      {WEIR_E_NOMEM, WEIR_STAGE_EXECUTE, Code::resource},
      {WEIR_E_INTERNAL, WEIR_STAGE_EXECUTE, Code::driver_error},
      {WEIR_E_OTHER, WEIR_STAGE_EXECUTE, Code::driver_error},
      {4711, WEIR_STAGE_EXECUTE, Code::driver_error},
      {WEIR_OK, WEIR_STAGE_NONE, Code::driver_error},
  };
  for (const Case& c : cases) {
    std::string text = "t";
    const Error made = Error::from_driver(make_error(c.kind, c.stage, text), "testing");
    EXPECT_EQ(made.code(), c.code) << "kind " << c.kind << " stage " << int{c.stage};
    EXPECT_EQ(made.message(), "while testing: t");
  }
}

TEST(FromDriver, survives_a_driver_that_lies_about_its_text) {
  std::string text = "short";
  weir_error error = make_error(WEIR_E_OTHER, WEIR_STAGE_NONE, text);
  error.text_size = 4'000'000;
  EXPECT_EQ(Error::from_driver(error, "testing").database()->text, "short");
  error.text = nullptr;
  EXPECT_EQ(Error::from_driver(error, "testing").message(), "while testing: unknown error");
  std::memcpy(error.sqlstate, "12345678", 8);  // no terminator
  EXPECT_EQ(Error::from_driver(error, "testing").database()->sqlstate, "12345678");
}

TEST(FromDriver, what_a_server_sends_cannot_steer_the_terminal) {
  std::string text = "a\x1b[31mb\xff";
  weir_error error = make_error(WEIR_E_SYNTAX, WEIR_STAGE_EXECUTE, text);
  error.flags = WEIR_ERROR_TRUNCATED;
  const Error made = Error::from_driver(error, "testing");
  EXPECT_EQ(made.message(), "while testing: a\\x1b[31mb\\xff ...");
  EXPECT_EQ(made.database()->text, text);
}

}  // namespace
}  // namespace weir
