// SPDX-License-Identifier: MIT
//
// Goal: the main path through the public API, with the SQLite plugin file: what a host program does
// works, and what it stores comes back exactly.
#include "tests/api/support.hpp"

#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

namespace weir::test {
namespace {

TEST_F(ApiTest, from_a_file_through_the_plugin_to_a_committed_transaction) {
  std::ofstream(dir / "weir.toml") << toml("url = \"test.db\"");
  {
    auto pools = Pools::from_file((dir / "weir.toml").string());
    ASSERT_TRUE(pools) << pools.error().what();
    Pool& db = (*pools)["main"];
    ASSERT_TRUE(db.execute("create table users (id integer primary key, name text, team int)"));
    auto added = db.transaction([](Connection& c) -> Result<std::int64_t> {
      auto one = c.execute("insert into users (name, team) values (?, ?)", "Ada", 42);
      if (!one) return fail(one.error());
      auto two = c.execute("insert into users (name, team) values (?, ?)", "Grace", 42);
      if (!two) return fail(two.error());
      return two->last_id.value();
    });
    ASSERT_TRUE(added) << added.error().what();
    EXPECT_EQ(*added, 2);
  }
  EXPECT_TRUE(std::filesystem::exists(dir / "test.db")) << "relative to the file, not to the cwd";
  auto pools = Pools::from_file((dir / "weir.toml").string());
  ASSERT_TRUE(pools);
  auto rows = (*pools)["main"].query("select id, name from users where team = ? order by id", 42);
  ASSERT_TRUE(rows) << rows.error().what();
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0].get<std::string>("name"), "Ada");
  EXPECT_EQ((*rows)[1].get<long long>(0), 2);
}

TEST_F(ApiTest, values_come_back_exactly) {
  auto pools = open_file();
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  const std::string text("a\0b \xc3\xa9", 6);
  const std::vector<std::byte> blob{std::byte{0}, std::byte{255}, std::byte{7}};
  auto rows = db.query("select ?, ?, ?, ?, ?, ?, ?", std::numeric_limits<std::int64_t>::min(), -0.0,
                       text, blob, nullptr, std::optional<int>(5), true);
  ASSERT_TRUE(rows) << rows.error().what();
  const RowView row = (*rows)[0];
  EXPECT_EQ(row.get<std::int64_t>(0), std::numeric_limits<std::int64_t>::min());
  EXPECT_TRUE(std::signbit(row.get<double>(1)));
  EXPECT_EQ(row.get<std::string>(2), text);
  EXPECT_EQ(row.get<std::vector<std::byte>>(3), blob);
  EXPECT_TRUE(row.is_null(4));
  EXPECT_EQ(row.get<std::optional<int>>(4), std::nullopt);
  EXPECT_EQ(row.get<std::optional<int>>(5), 5);
  EXPECT_TRUE(row.get<bool>(6));

  EXPECT_EQ(row.try_get<int>(4).error().code(), Code::column_type) << "NULL is not 0";
  EXPECT_EQ(row.try_get<int>(0).error().code(), Code::column_type) << "does not fit";
  EXPECT_EQ(row.try_get<int>(2).error().code(), Code::column_type) << "text is not a number";
  EXPECT_EQ(row.try_get<int>(99).error().code(), Code::column_type);
  EXPECT_EQ(row.try_get<int>("no such").error().code(), Code::column_type);
  EXPECT_THROW(static_cast<void>(row.get<int>(4)), Exception);

  auto floats = db.query("select 16777216, 16777217, 1e300, 0.1, -9e999");
  ASSERT_TRUE(floats) << floats.error().what();
  const RowView wide = (*floats)[0];
  EXPECT_EQ(wide.get<float>(0), 16777216.0F);
  EXPECT_EQ(wide.try_get<float>(1).error().code(), Code::column_type) << "would be another number";
  EXPECT_EQ(wide.get<double>(1), 16777217.0);
  EXPECT_EQ(wide.try_get<float>(2).error().code(), Code::column_type) << "does not fit";
  EXPECT_EQ(wide.get<double>(2), 1e300);
  EXPECT_EQ(wide.get<float>(3), 0.1F) << "rounded";
  EXPECT_EQ(wide.get<float>(4), -std::numeric_limits<float>::infinity());
}

TEST_F(ApiTest, a_transaction_is_rolled_back_on_error_and_on_an_exception) {
  auto pools = open_file();
  ASSERT_TRUE(pools);
  Pool& db = (*pools)["main"];
  ASSERT_TRUE(db.execute("create table t (x int check (x > 0))"));
  auto failed = db.transaction([](Connection& c) -> Result<void> {
    if (auto good = c.execute("insert into t values (1)"); !good) return fail(good.error());
    auto bad = c.execute("insert into t values (-1)");
    EXPECT_EQ(bad.error().code(), Code::constraint) << bad.error().what();
    return fail(bad.error());
  });
  EXPECT_EQ(failed.error().code(), Code::constraint);
  EXPECT_THROW(static_cast<void>(db.transaction([](Connection& c) {
                 EXPECT_TRUE(c.execute("insert into t values (2)"));
                 throw std::runtime_error("no");
               })),
               std::runtime_error);
  EXPECT_EQ((*db.query("select count(*) from t"))[0].get<int>(0), 0);
}

TEST_F(ApiTest, streams_more_rows_than_fit_one_batch) {
  auto pools = open_file();
  ASSERT_TRUE(pools);
  auto lease = (*pools)["main"].acquire();
  ASSERT_TRUE(lease);
  auto stream = (*lease)->stream(
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?) "
      "select i, 'row ' || i from n",
      50000);
  ASSERT_TRUE(stream) << stream.error().what();
  EXPECT_EQ(stream->columns().names[0], "i");
  std::int64_t sum = 0;
  for (;;) {
    auto row = stream->next();
    ASSERT_TRUE(row) << row.error().what();
    if (!*row) break;
    sum += (*row)->get<std::int64_t>(0);
  }
  EXPECT_EQ(sum, std::int64_t{50000} * 50001 / 2);
  EXPECT_FALSE(*stream->next()) << "the end stays the end";
}

TEST_F(ApiTest, results_of_one_prepared_statement_share_their_columns_until_those_change) {
  auto pools = open_file();
  ASSERT_TRUE(pools);
  auto lease = or_throw((*pools)["main"].acquire());
  or_throw(lease->execute("create table t (a int)"));
  or_throw(lease->execute("insert into t values (7)"));
  auto statement = or_throw(lease->prepare("select * from t"));
  const Rows first = or_throw(statement.query());
  const Rows second = or_throw(statement.query());
  EXPECT_EQ(&first.columns(), &second.columns());
  or_throw(lease->execute("alter table t add column b text default 'new'"));
  const Rows third = or_throw(statement.query());
  ASSERT_EQ(third.columns().names, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(third.columns().types, (std::vector<std::string>{"INT", "TEXT"}));
  EXPECT_EQ(third[0].get<std::string>("b"), "new");
  EXPECT_EQ(first.columns().names, (std::vector<std::string>{"a"})) << "as when it was read";
  EXPECT_EQ(first[0].get<int>("a"), 7);
}

TEST_F(ApiTest, prepared_statements_are_found_again_on_the_same_connection) {
  auto pools = open_file();
  ASSERT_TRUE(pools);
  Pool& db = (*pools)["main"];
  for (int i = 0; i < 3; ++i) {
    auto value = db.with([&](Connection& c) -> Result<int> {
      auto statement = c.prepare("select ? * 2");
      if (!statement) return fail(statement.error());
      EXPECT_EQ(statement->param_count(), 1U);
      auto rows = statement->query(i);
      if (!rows) return fail(rows.error());
      return (*rows)[0].get<int>(0);
    });
    ASSERT_TRUE(value) << value.error().what();
    EXPECT_EQ(*value, 2 * i);
  }
}

TEST_F(ApiTest, an_in_memory_database_lives_as_long_as_its_pool) {
  auto pools = open(
      "url = \":memory:\"\nmax = 8\nidle_timeout = \"1ms\"\nreap_interval = \"1ms\"\n"
      "max_lifetime = \"2ms\"");
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  EXPECT_EQ(db.config().max, 1U);
  ASSERT_TRUE(db.execute("create table t (x int)"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n) EXPECT_TRUE(db.execute("insert into t values (1)"));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ((*db.query("select count(*) from t"))[0].get<int>(0), 200);
  EXPECT_EQ(db.stats().created, 1U);
}

TEST_F(ApiTest, a_file_that_cannot_be_opened_beside_it_costs_no_database_in_memory) {
  auto pools = open("url = \":memory:\"");
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  ASSERT_TRUE(db.execute("create table t as select 7 as x"));
  EXPECT_FALSE(db.execute("vacuum into '/nonexistent/b.db'"));
  EXPECT_FALSE(db.execute("attach '/nonexistent/x.db' as x"));
  auto rows = db.query("select x from t");
  ASSERT_TRUE(rows) << rows.error().what();
  EXPECT_EQ((*rows)[0].get<int>(0), 7);
  EXPECT_EQ(db.stats().created, 1U);
}

// S13
TEST_F(ApiTest, nothing_of_one_lease_is_seen_by_the_next) {
  auto pools = open_file("max = 1");
  ASSERT_TRUE(pools);
  Pool& db = (*pools)["main"];
  ASSERT_TRUE(db.with([](Connection& c) -> Result<void> {
    for (const char* sql : {"create temp table secret (x)", "pragma foreign_keys = off",
                            "pragma busy_timeout = 1", "begin", "create table left_over (x)"}) {
      if (auto done = c.execute(sql); !done) return fail(done.error());
    }
    return {};
  }));
  EXPECT_FALSE(db.query("select * from secret"));
  EXPECT_FALSE(db.query("select * from left_over"));
  EXPECT_EQ((*db.query("pragma foreign_keys"))[0].get<int>(0), 1);
}

// The promise of the whole: whatever was acknowledged is there exactly once, whoever was in the
// way.
TEST_F(ApiTest, sixteen_threads_lose_and_double_nothing) {
  auto pools =
      open_file("max = 4\nacquire_timeout = \"2m\"\n[pool.main.options]\nbusy_timeout = \"1m\"");
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  ASSERT_TRUE(db.execute("create table account (id int primary key, balance int)"));
  ASSERT_TRUE(db.execute("create table ledger (id text primary key)"));
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(db.execute("insert into account values (?, 100)", i));
  std::atomic<int> committed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      for (int n = 0; n < 10; ++n) {
        auto done = db.transaction([&](Connection& c) -> Result<void> {
          auto a = c.execute("update account set balance = balance - 1 where id = ?", (t + n) % 8);
          if (!a) return fail(a.error());
          auto b = c.execute("update account set balance = balance + 1 where id = ?", t % 8);
          if (!b) return fail(b.error());
          auto l = c.execute("insert into ledger values (?)", std::to_string(t * 100 + n));
          if (!l) return fail(l.error());
          return {};
        });
        EXPECT_TRUE(done) << done.error().what();
        if (done) ++committed;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ((*db.query("select sum(balance) from account"))[0].get<int>(0), 800);
  EXPECT_EQ((*db.query("select count(*) from ledger"))[0].get<int>(0), committed.load());
}

TEST_F(ApiTest, statistics_obey_their_laws_and_are_json) {
  auto pools = open_file("max = 2\nmin = 1");
  ASSERT_TRUE(pools);
  Pool& db = (*pools)["main"];
  ASSERT_TRUE(db.wait_ready(30s));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(db.query("select 1"));
  const PoolStats s = db.stats();
  EXPECT_EQ(s.acquires, s.leases + s.timeouts + s.rejected + s.failed + s.now.waiting);
  EXPECT_EQ(s.leases, s.returned + s.now.lent);
  EXPECT_EQ(s.use.count, s.returned);
  const std::string json = s.to_json();
  for (const char* key : {"\"active\":0", "\"idle\":", "\"waiting\":0", "\"pool\":\"main\""}) {
    EXPECT_NE(json.find(key), std::string::npos) << json;
  }
}

}  // namespace
}  // namespace weir::test
