// SPDX-License-Identifier: MIT
//
// What a pool is set to, held against what its server and its process allow: each piece of advice
// at its boundary, with the numbers of both sides, and silence where all is well.
#include "core/observe/server_advice.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::observe {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

PoolConfig pool_of(std::string driver) {
  PoolConfig p;
  p.name = "main";
  p.driver = std::move(driver);
  return p;
}

const ServerFacts postgres{
    {"max_connections", "100"},    {"superuser_reserved_connections", "3"},
    {"idle_session_timeout", "0"}, {"idle_in_transaction_session_timeout", "0"},
    {"statement_timeout", "0"},    {"role:limit", "-1"},
    {"role:superuser", "false"},   {"database:limit", "-1"},
    {"recovery", "false"}};

ServerFacts with(ServerFacts facts, std::string_view name, std::string value) {
  facts.insert_or_assign(std::string(name), std::move(value));
  return facts;
}

Advice only(const std::vector<Advice>& all) {
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? Advice{} : all.front();
}

TEST(ServerAdvice, is_silent_where_all_is_well_or_nothing_is_known) {
  EXPECT_THAT(advise(pool_of("postgres"), postgres), IsEmpty());
  EXPECT_THAT(advise(pool_of("postgres"), {}), IsEmpty());
  EXPECT_THAT(advise(pool_of("mysql"), {{"max_connections", "151"}, {"wait_timeout", "28800"}}),
              IsEmpty());
  EXPECT_THAT(advise(pool_of("sqlite"), {{"journal_mode", "wal"}}), IsEmpty());
  EXPECT_THAT(advise(pool_of("mine"), {{"max_connections", "1"}}), IsEmpty());
  EXPECT_THAT(questions("mine"), IsEmpty());
}

TEST(AutoShare, is_what_the_server_admits_less_the_reserve_by_instances) {
  PoolConfig p = pool_of("postgres");
  EXPECT_EQ(auto_share(p, postgres).max, 92U);  // 100 - 3 - 5
  p.auto_size = {.instances = 4, .reserve = 5};
  EXPECT_EQ(auto_share(p, postgres).max, 23U);
  EXPECT_EQ(auto_share(p, postgres).why,
            "the server admits 97 connections (max_connections = 100, of which 3 are reserved), "
            "less 5 in reserve, for 4 pools");
  p.auto_size = {.instances = 4, .reserve = 6};
  EXPECT_EQ(auto_share(p, postgres).max, 22U);  // rounded down
  EXPECT_EQ(auto_share(p, with(postgres, "role:limit", "50")).max, 11U);
}

TEST(AutoShare, is_at_least_one_and_min) {
  PoolConfig p = pool_of("mysql");
  const ServerFacts small{{"max_connections", "10"}};
  p.auto_size = {.instances = 20, .reserve = 0};
  EXPECT_EQ(auto_share(p, small).max, 1U);
  EXPECT_THAT(auto_share(p, small).why, HasSubstr("that is 0, which is too little"));
  p.auto_size = {.instances = 1, .reserve = 100};
  p.min = 4;
  EXPECT_EQ(auto_share(p, small).max, 4U);
  EXPECT_EQ(auto_share(p, {{"max_connections", "100000"}}).max, 10'000U);
}

TEST(AutoShare, of_a_database_without_a_limit_is_what_a_pool_has_by_default) {
  EXPECT_EQ(auto_share(pool_of("sqlite"), {}).max, PoolConfig{}.max);
  EXPECT_EQ(auto_share(pool_of("postgres"), {}).max, PoolConfig{}.max);  // it did not say
  PoolConfig p = pool_of("sqlite");
  p.min = 12;
  EXPECT_EQ(auto_share(p, {}).max, 12U);
}

TEST(AutoShare, is_said_by_the_doctor) {
  PoolConfig p = pool_of("postgres");
  p.max = max_auto;
  const Advice a = only(advise(p, postgres));
  EXPECT_EQ(a.key, "max");
  EXPECT_EQ(a.grade, Advice::Grade::note);
  EXPECT_THAT(a.reason, HasSubstr("comes to 92 here"));
}

TEST(ServerAdvice, is_against_more_connections_than_the_server_admits) {
  PoolConfig p = pool_of("postgres");
  p.max = 97;
  EXPECT_THAT(advise(p, postgres), IsEmpty());
  p.max = 98;
  const Advice a = only(advise(p, postgres));
  EXPECT_EQ(a.key, "max");
  EXPECT_EQ(a.grade, Advice::Grade::warn);
  EXPECT_EQ(a.reason,
            "max = 98, but the server admits 97 connections (max_connections = 100, of which 3 are "
            "reserved)");
  EXPECT_THAT(a.fix, HasSubstr("max = 97"));
  const ServerFacts superuser = with(postgres, "role:superuser", "true");
  EXPECT_THAT(advise(p, superuser), IsEmpty());
  p.max = 101;
  EXPECT_THAT(only(advise(p, superuser)).reason,
              HasSubstr("100 connections (max_connections = 100)"));
}

TEST(ServerAdvice, knows_the_least_of_several_limits) {
  PoolConfig p = pool_of("postgres");
  p.max = 20;
  const ServerFacts role = with(postgres, "role:limit", "10");
  EXPECT_THAT(only(advise(p, role)).reason, HasSubstr("the role's CONNECTION LIMIT"));
  EXPECT_THAT(only(advise(p, with(role, "database:limit", "5"))).reason,
              HasSubstr("admits 5 connections (the database's"));
  p.driver = "mysql";
  EXPECT_THAT(only(advise(p, {{"max_connections", "151"}, {"max_user_connections", "4"}})).reason,
              HasSubstr("admits 4 connections (max_user_connections)"));
  EXPECT_THAT(advise(p, {{"max_connections", "151"}, {"max_user_connections", "0"}}), IsEmpty());
}

TEST(ServerAdvice, is_against_connections_that_the_server_closes_first) {
  PoolConfig p = pool_of("mysql");  // ten minutes idle, half an hour at most
  EXPECT_THAT(advise(p, {{"wait_timeout", "601"}}), IsEmpty());
  const Advice a = only(advise(p, {{"wait_timeout", "600"}}));
  EXPECT_EQ(a.key, "keepalive");
  EXPECT_EQ(a.fix, "keepalive = \"5m\"");
  EXPECT_THAT(a.reason, HasSubstr("unused for 10m (wait_timeout = 600)"));
  p.min = 1;  // which stays, for its lifetime
  EXPECT_EQ(only(advise(p, {{"wait_timeout", "1800"}})).key, "keepalive");
  EXPECT_THAT(advise(p, {{"wait_timeout", "1801"}}), IsEmpty());
  p.keepalive = 2min;
  EXPECT_THAT(advise(p, {{"wait_timeout", "600"}}), IsEmpty());
  p.keepalive = no_timeout;
  p.max_lifetime = no_timeout;
  EXPECT_THAT(only(advise(p, {{"wait_timeout", "28800"}})).reason,
              HasSubstr("as long as nobody asks"));

  PoolConfig q = pool_of("postgres");
  EXPECT_EQ(only(advise(q, with(postgres, "idle_session_timeout", "60000"))).fix,
            "keepalive = \"30s\"");
}

TEST(ServerAdvice, notes_who_is_told_too_late_of_an_idle_transaction) {
  const PoolConfig p = pool_of("postgres");  // hold_warn after a minute
  const std::string_view name = "idle_in_transaction_session_timeout";
  EXPECT_THAT(advise(p, with(postgres, name, "60001")), IsEmpty());
  const Advice a = only(advise(p, with(postgres, name, "60000")));
  EXPECT_EQ(a.grade, Advice::Grade::note);
  EXPECT_EQ(a.fix, "hold_warn = \"30s\"");
}

TEST(ServerAdvice, is_against_a_journal_that_makes_readers_wait) {
  PoolConfig p = pool_of("sqlite");
  EXPECT_EQ(only(advise(p, {{"journal_mode", "delete"}})).key, "options.journal_mode");
  p.max = 1;
  EXPECT_THAT(advise(p, {{"journal_mode", "delete"}}), IsEmpty());
}

TEST(ServerAdvice, notes_a_server_that_takes_no_writes) {
  EXPECT_THAT(only(advise(pool_of("postgres"), with(postgres, "recovery", "true"))).reason,
              HasSubstr("standby"));
  EXPECT_THAT(only(advise(pool_of("mysql"), {{"read_only", "ON"}})).reason, HasSubstr("read-only"));
}

TEST(ServerAdvice, is_against_more_descriptors_than_the_process_may_have) {
  const PoolConfig p = pool_of("postgres");
  EXPECT_THAT(advise(p, postgres, {.descriptors_max = 900, .descriptors_wanted = 600}), IsEmpty());
  const Advice a = only(advise(p, postgres, {.descriptors_max = 899, .descriptors_wanted = 600}));
  EXPECT_EQ(a.key, "max");
  EXPECT_THAT(a.reason, HasSubstr("may open 600 descriptors, and this process may open 899"));
  EXPECT_THAT(advise(p, postgres, {.descriptors_max = 0, .descriptors_wanted = 600}), IsEmpty());
  EXPECT_EQ(descriptors_of(p), 10U);
  EXPECT_EQ(descriptors_of(pool_of("sqlite")), 30U);
  EXPECT_EQ(descriptors_of(pool_of("mysql")), 20U);
}

TEST(ServerAdvice, makes_nothing_of_what_is_no_number) {
  PoolConfig p = pool_of("postgres");
  p.max = 1000;
  EXPECT_THAT(advise(p, with(postgres, "max_connections", "100 or so")), IsEmpty());
  EXPECT_THAT(advise(p, with(postgres, "max_connections", "")), IsEmpty());
}

}  // namespace
}  // namespace weir::observe
