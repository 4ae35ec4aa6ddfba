// SPDX-License-Identifier: MIT
//
// Goal: insert_many does the same on every database: what is stored, what a conflict is, which row
// an error names, and what stays after it. Method: real databases; batches of several chunks with
// one thing wrong with them.
#include "tests/api/databases.hpp"

#include <gmock/gmock.h>

namespace weir::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

using Line = std::tuple<long long, std::optional<std::string>, double>;

Line line(long long id) { return {id, "row " + std::to_string(id), static_cast<double>(id) * 0.5}; }
Line nameless(long long id) { return {id, std::nullopt, 0.0}; }

auto lines(long long first, long long end) { return Made(first, end, line); }

class InsertMany : public EachDatabase {
 protected:
  void SetUp() override {
    EachDatabase::SetUp();
    if (IsSkipped()) return;
    run("drop table if exists t");
    run("create table t (id bigint primary key, name varchar(40) not null, score double "
        "precision)");
  }
  // In several chunks, whatever suits the driver.
  template <class R>
  Result<Inserted> insert(R&& rows, InsertOptions options = {}) {
    if (options.chunk_rows == 0) options.chunk_rows = 8'000;
    return db().insert_many("t", {"id", "name", "score"}, rows, options);
  }
  long long count() { return number("select count(*) from t"); }
};

InsertOptions on(OnConflict conflict) {
  InsertOptions options;
  options.on_conflict = conflict;
  if (conflict == OnConflict::update) options.key = {"id"};
  return options;
}
constexpr OnConflict all_conflicts[] = {OnConflict::fail, OnConflict::skip, OnConflict::update};

// ---------------------------------------------------------------- what is stored

TEST_P(InsertMany, stores_every_row_once) {
  for (const OnConflict conflict : all_conflicts) {
    for (const long long size : {1, 49, 50, 51, 100, 101, 2'000, 8'000, 8'001, 20'000}) {
      run("delete from t");
      const auto done = insert(lines(0, size), on(conflict));
      ASSERT_TRUE(done) << done.error().what();
      EXPECT_EQ(done->stored, static_cast<std::uint64_t>(size));
      EXPECT_EQ(done->skipped, 0U);
      EXPECT_EQ(count(), size);
      EXPECT_EQ(number("select max(id) from t"), size - 1);
    }
  }
  auto last = db().query("select name, score from t where id = 19999");
  EXPECT_EQ((*last)[0].get<std::string>(0), "row 19999");
  EXPECT_EQ((*last)[0].get<double>(1), 9999.5);
}

TEST_P(InsertMany, of_no_rows_nothing_is_sent) {
  const auto done = db().insert_many("no_such_table", {"id"}, std::vector<std::tuple<int>>{});
  ASSERT_TRUE(done) << done.error().what();
  EXPECT_EQ(done->stored + done->skipped, 0U);
}

TEST_P(InsertMany, skips_what_conflicts_and_nothing_else) {
  std::vector<Line> even;
  for (long long id = 0; id < 10'000; id += 2) even.push_back(line(id));
  ASSERT_TRUE(insert(even));
  run("update t set name = 'old'");
  const auto done = insert(lines(0, 10'000), on(OnConflict::skip));
  ASSERT_TRUE(done) << done.error().what();
  EXPECT_EQ(done->stored, 5'000U);
  EXPECT_EQ(done->skipped, 5'000U);
  EXPECT_EQ(number("select count(*) from t where name = 'old'"), 5'000);
  const std::vector<Line> twice{line(-1), line(-1), line(0)};
  EXPECT_EQ(insert(twice, on(OnConflict::skip))->stored, 1U);
  // A missing value is no conflict.
  const std::vector<Line> bad{line(0), nameless(-2)};
  const auto failed = insert(bad, on(OnConflict::skip));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Code::constraint) << failed.error().what();
  EXPECT_EQ(failed.error().many()->row, 1U);
}

TEST_P(InsertMany, updates_what_has_the_key_and_the_later_row_wins) {
  ASSERT_TRUE(insert(lines(0, 100)));
  std::vector<Line> rows;
  for (long long id = 50; id < 300; ++id) rows.emplace_back(id, "first", 0.0);
  for (long long id = 60; id < 62; ++id) rows.emplace_back(id, "second", 1.0);
  const auto done = insert(rows, on(OnConflict::update));
  ASSERT_TRUE(done) << done.error().what();
  EXPECT_EQ(done->stored, rows.size());
  EXPECT_EQ(done->skipped, 0U);
  EXPECT_EQ(count(), 300);
  EXPECT_EQ(number("select count(*) from t where name = 'first'"), 248);
  EXPECT_EQ(number("select count(*) from t where name = 'second' and id in (60, 61)"), 2);
}

TEST_P(InsertMany, takes_every_kind_of_value) {
  run("drop table if exists v");
  run(is("sqlite") ? "create table v (i bigint, b boolean, d double precision, t text, x blob)"
      : is("postgres")
          ? "create table v (i bigint, b boolean, d double precision, t text, x bytea)"
          : "create table v (i bigint, b boolean, d double precision, t text, x longblob)");
  run(is("mysql") ? "alter table v add primary key (i)" : "create unique index k on v (i)");
  const std::string hard = "a\"b'c\\d\te\nf,{}()\xc3\xa9\xf0\x9f\x98\x80 NULL";
  std::vector<std::byte> bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<std::byte>(i));
  using Values = std::tuple<std::int64_t, std::optional<bool>, double, std::optional<std::string>,
                            std::vector<std::byte>>;
  const std::vector<Values> rows{{INT64_MIN, true, 0.1, hard, bytes},
                                 {INT64_MAX, false, 5e-324, "", {}},
                                 {0, std::nullopt, -1.5, "NULL", bytes},
                                 {1, true, 1e300, std::nullopt, bytes}};
  for (const OnConflict conflict : all_conflicts) {
    run("delete from v");
    InsertOptions options = on(conflict);
    if (conflict == OnConflict::update) options.key = {"i"};
    const auto done = db().insert_many("v", {"i", "b", "d", "t", "x"}, rows, options);
    ASSERT_TRUE(done) << done.error().what();
    auto back = or_throw(db().query("select d, t, x, b from v order by i"));
    ASSERT_EQ(back.size(), 4U);
    EXPECT_EQ(back[0].get<double>(0), 0.1);
    EXPECT_EQ(back[0].get<std::string>(1), hard);
    EXPECT_EQ(back[0].get<std::vector<std::byte>>(2), bytes);
    EXPECT_EQ(back[1].get<std::string>(1), "NULL");
    EXPECT_TRUE(back[1].is_null(3));
    EXPECT_EQ(back[2].get<double>(0), 1e300);
    EXPECT_TRUE(back[2].is_null(1));
    EXPECT_EQ(back[3].get<double>(0), 5e-324);
    EXPECT_EQ(back[3].get<std::string>(1), "");
    EXPECT_TRUE(back[3].get<std::vector<std::byte>>(2).empty());
  }
}

// ---------------------------------------------------------------- which row, and what stays

TEST_P(InsertMany, names_the_first_row_that_is_wrong_and_stores_none) {
  for (const OnConflict conflict : all_conflicts) {
    for (const std::uint64_t bad : {0, 1, 77, 1'999, 2'000, 7'999, 8'000, 9'999}) {
      const auto rows = Made(0, 10'000, [bad](long long id) {
        return id >= static_cast<long long>(bad) ? nameless(id) : line(id);
      });
      const auto done = insert(rows, on(conflict));
      ASSERT_FALSE(done);
      EXPECT_EQ(done.error().code(), Code::constraint) << done.error().what();
      ASSERT_NE(done.error().many(), nullptr);
      EXPECT_EQ(done.error().many()->row, bad) << done.error().what();
      EXPECT_EQ(done.error().many()->committed, 0U);
      EXPECT_THAT(done.error().what(), HasSubstr("row " + std::to_string(bad) + " of the batch"));
      EXPECT_THAT(done.error().what(), HasSubstr("none of its rows is stored"));
      EXPECT_EQ(count(), 0);
    }
  }
}

TEST_P(InsertMany, a_row_may_conflict_with_one_of_an_earlier_chunk) {
  std::vector<Line> rows;
  for (long long id = 0; id < 9'000; ++id) rows.push_back(line(id));
  rows.push_back(line(5));
  const auto done = insert(rows);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::constraint);
  EXPECT_EQ(done.error().many()->row, 9'000U);
  EXPECT_EQ(count(), 0);
  EXPECT_EQ(insert(rows, on(OnConflict::skip))->skipped, 1U);
}

TEST_P(InsertMany, chunks_of_their_own_stay_before_an_error) {
  const auto rows =
      Made(0, 1'000, [](long long id) { return id == 250 ? nameless(id) : line(id); });
  const auto done = insert(rows, {.one_transaction = false, .chunk_rows = 100});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().many()->row, 250U);
  EXPECT_EQ(done.error().many()->committed, 200U);
  EXPECT_THAT(done.error().what(), HasSubstr("the first 200 rows are committed, and no others"));
  EXPECT_EQ(count(), 200);
  const auto rest = insert(lines(200, 1'000), {.one_transaction = false, .chunk_rows = UINT32_MAX});
  ASSERT_TRUE(rest) << rest.error().what();
  EXPECT_EQ(count(), 1'000);
}

TEST_P(InsertMany, in_a_transaction_it_is_all_or_none_and_the_transaction_goes_on) {
  const auto done = db().transaction([&](Connection& c) -> Result<void> {
    const InsertOptions each{.one_transaction = false, .chunk_rows = 10};  // no meaning in here
    EXPECT_TRUE(c.insert_many("t", {"id", "name", "score"}, lines(0, 25), each));
    for (const long long bad : {100, 140}) {
      const auto failed = c.insert_many(
          "t", {"id", "name", "score"},
          Made(100, 150, [&](long long id) { return id == bad ? nameless(id) : line(id); }), each);
      EXPECT_FALSE(failed);
      EXPECT_EQ(failed.error().many()->row, static_cast<std::uint64_t>(bad - 100));
      EXPECT_EQ(failed.error().many()->committed, 0U);
    }
    EXPECT_TRUE(c.insert_many("t", {"id", "name", "score"}, lines(200, 201)));
    return {};
  });
  ASSERT_TRUE(done) << done.error().what();
  EXPECT_EQ(count(), 26);
  EXPECT_FALSE(db().transaction([&](Connection& c) -> Result<void> {
    EXPECT_TRUE(c.insert_many("t", {"id", "name", "score"}, lines(300, 400)));
    return fail(Code::internal, "no more");
  }));
  EXPECT_EQ(count(), 26);
}

TEST_P(InsertMany, an_error_that_is_no_rows_names_none) {
  const auto no_table =
      db().insert_many("no_such_table", {"id"}, std::vector<std::tuple<int>>(100));
  ASSERT_FALSE(no_table);
  EXPECT_EQ(no_table.error().code(), Code::sql_error) << no_table.error().what();
  EXPECT_EQ(no_table.error().many()->row, std::nullopt);
  const auto no_column =
      db().insert_many("t", {"nothing"}, std::vector<std::tuple<int>>(100), on(OnConflict::skip));
  ASSERT_FALSE(no_column);
  EXPECT_EQ(no_column.error().code(), Code::sql_error) << no_column.error().what();
  EXPECT_THAT(no_column.error().what(), HasSubstr("nothing"));
}

TEST_P(InsertMany, leaves_a_session_that_needs_no_reset) {
  const auto before = db().stats().resets;
  for (const OnConflict conflict : all_conflicts) {
    run("delete from t");
    ASSERT_TRUE(insert(lines(0, 100), on(conflict)));
  }
  EXPECT_FALSE(insert(std::vector<Line>{nameless(100), line(101)}));
  EXPECT_EQ(db().stats().resets, before);
}

// ---------------------------------------------------------------- names

TEST_P(InsertMany, takes_any_name_as_it_is) {
  const std::string q = is("mysql") ? "`" : "\"";
  run("drop table if exists " + q + "a.b" + q);
  run("create table " + q + "a.b" + q + " (" + q + "Sel ect" + q + " int, " +
      (is("mysql") ? "`we``ird`" : "\"we\"\"ird\"") + " int primary key, " + q + "a.b" + q +
      " int)");
  const std::string_view weird = is("mysql") ? "we`ird" : "we\"ird";
  const std::vector<std::string_view> columns{"Sel ect", weird, "a.b"};
  const std::vector<std::array<int, 3>> rows{{1, 2, 3}, {4, 5, 6}};
  for (const OnConflict conflict : all_conflicts) {
    InsertOptions options = on(conflict);
    if (conflict == OnConflict::update) options.key = {weird};
    run("delete from " + q + "a.b" + q);
    const auto done = db().insert_many("\"a.b\"", columns, rows, options);
    ASSERT_TRUE(done) << done.error().what();
    EXPECT_EQ(done->stored, 2U);
  }
  const std::string schema = is("sqlite") ? "main"
                             : is("postgres")
                                 ? "public"
                                 : or_throw(db().query("select database()"))[0].get<std::string>(0);
  EXPECT_TRUE(db().insert_many(schema + ".t", {"id", "name"}, std::array{std::pair(1, "x")}));
  EXPECT_TRUE(
      db().insert_many("\"" + schema + "\".\"t\"", {"id", "name"}, std::array{std::pair(2, "x")}));
  run("drop table " + q + "a.b" + q);
}

TEST_P(InsertMany, refuses_names_that_are_none_before_anything_is_sent) {
  const std::vector<std::pair<int, int>> rows{{1, 2}};
  const auto refused = [&](std::string_view table, std::vector<std::string_view> columns,
                           const InsertOptions& options = {}) {
    const auto done = db().insert_many(table, columns, rows, options);
    EXPECT_FALSE(done);
    EXPECT_EQ(done.error().code(), Code::invalid_argument);
    return done.error().what();
  };
  for (const std::string_view table :
       {std::string_view(""), std::string_view("."), std::string_view("a."), std::string_view(".a"),
        std::string_view("a..b"), std::string_view("\"a"), std::string_view("\"\""),
        std::string_view("\"a\"b"), std::string_view("a\0b", 3)}) {
    EXPECT_THAT(refused(table, {"a", "b"}), HasSubstr("no name of a table")) << table;
  }
  EXPECT_THAT(refused("t", {}), HasSubstr("no columns"));
  EXPECT_THAT(refused("t", {"a", ""}), HasSubstr("empty name"));
  EXPECT_THAT(refused("t", {"a", std::string_view("b\0", 2)}), HasSubstr("NUL"));
  EXPECT_THAT(refused("t", {"a", "a"}), HasSubstr("twice"));
  EXPECT_THAT(refused("t", {"a"}), HasSubstr("2 values, and there are 1 columns"));
  EXPECT_THAT(refused("t", {"a", "b"}, {.key = {"a"}}), HasSubstr("OnConflict::update only"));
  EXPECT_THAT(refused("t", {"a", "b"}, {.on_conflict = OnConflict::update}),
              HasSubstr("unique key"));
  EXPECT_THAT(refused("t", {"a", "b"}, {.on_conflict = OnConflict::update, .key = {"c"}}),
              HasSubstr("not among the columns"));
  EXPECT_THAT(refused("t", {"a", "b"}, {.on_conflict = OnConflict::update, .key = {"b", "a"}}),
              HasSubstr("nothing to update"));
}

INSTANTIATE_TEST_SUITE_P(Each, InsertMany, testing::ValuesIn(databases()), name_of);

}  // namespace
}  // namespace weir::test
