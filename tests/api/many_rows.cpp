// SPDX-License-Identifier: MIT
//
// Goal: rows may come from any range, also from one that throws, ends the lease or uses the
// connection, and a batch that is cut off says what stays; execute_many tells how far it came.
// Method: real databases; ranges that do something in the midst of a batch.
#include "tests/api/databases.hpp"

#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>

namespace weir::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

using Line = std::pair<long long, std::string>;

class ManyRows : public EachDatabase {
 protected:
  void SetUp() override {
    EachDatabase::SetUp();
    if (IsSkipped()) return;
    run("drop table if exists t");
    run("create table t (id bigint primary key, name varchar(100) not null)");
  }
  long long count() { return number("select count(*) from t"); }
  std::string insert_sql() {
    return "insert into t (id, name) values (" + db().placeholder(1) + ", " + db().placeholder(2) +
           ")";
  }
};

InsertOptions chunked() { return {.chunk_rows = 8'000}; }

// Ten thousand lines, more than such a chunk; `act` is called with each id before its line is made.
template <class F>
auto lines_that(F act) {
  return Made(0, 10'000, [act](long long id) {
    act(id);
    return Line(id, "a name that is too long to be kept inside of a std::string");
  });
}

// Numbered words, each in the place of the one before, to be read once.
class Words {
 public:
  explicit Words(std::istream& in) : in_(&in) { next(); }

  class Iterator {
   public:
    using value_type = Line;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(Words* words) : words_(words) {}
    const Line& operator*() const { return words_->line_; }
    Iterator& operator++() { return words_->next(), *this; }
    void operator++(int) { words_->next(); }
    friend bool operator==(const Iterator& i, std::default_sentinel_t) { return i.ended(); }

   private:
    [[nodiscard]] bool ended() const { return words_->ended_; }
    Words* words_;
  };
  Iterator begin() { return Iterator(this); }
  static std::default_sentinel_t end() { return {}; }

 private:
  void next() {
    ended_ = !(*in_ >> line_.second);
    ++line_.first;
  }
  std::istream* in_;
  bool ended_ = false;
  Line line_{10, ""};
};

// ---------------------------------------------------------------- kinds of ranges

TEST_P(ManyRows, come_from_ranges_of_all_kinds) {
  const std::vector<Line> held{{1, "a"}, {2, "b"}};
  const std::array<std::array<long long, 1>, 2> arrays{{{3}, {4}}};
  EXPECT_TRUE(db().insert_many("t", {"id", "name"}, held));
  EXPECT_TRUE(
      db().insert_many("t", {"id", "name"}, std::vector<std::tuple<int, const char*>>{{5, "c"}}));
  std::istringstream words("ten twenty thirty");
  EXPECT_TRUE(db().insert_many("t", {"id", "name"}, Words(words)));
  EXPECT_EQ(number("select count(*) from t where id in (1, 2, 5, 11, 12, 13)"), 6);
  EXPECT_EQ(number("select count(*) from t where name in ('ten', 'twenty', 'thirty')"), 3);
  // Out of another result.
  auto rows = or_throw(db().query("select id + 100, name from t where id < 5 order by id"));
  const auto copied = db().insert_many("t", {"id", "name"}, rows);
  ASSERT_TRUE(copied) << copied.error().what();
  EXPECT_EQ(copied->stored, 2U);
  EXPECT_EQ(number("select count(*) from t where id in (101, 102) and name in ('a', 'b')"), 2);
  const std::vector<std::vector<weir_cell>> cells{{detail::to_cell(7), detail::to_cell("seven")}};
  EXPECT_TRUE(db().insert_many("t", {"id", "name"}, cells));
  EXPECT_EQ(db().execute_many("delete from t where id = " + db().placeholder(1), arrays)->rows, 2U);
}

TEST_P(ManyRows, whose_number_of_values_is_wrong_are_refused_by_their_index) {
  const auto cell = [](int i) { return detail::to_cell(i); };
  std::vector<std::vector<weir_cell>> rows(9'000, {cell(0), detail::to_cell("x")});
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i][0] = cell(static_cast<int>(i));
  rows[8'500].push_back(cell(1));
  const auto done = db().insert_many("t", {"id", "name"}, rows, chunked());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::invalid_argument);
  EXPECT_EQ(done.error().many()->row, 8'500U);
  EXPECT_THAT(done.error().what(), HasSubstr("3 values, and there are 2 columns"));
  EXPECT_EQ(count(), 0);
  const auto run = db().execute_many(insert_sql(), rows);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().many()->row, 8'500U);
  EXPECT_EQ(run.error().many()->committed, 8'500U);
  EXPECT_EQ(count(), 8'500);
}

TEST_P(ManyRows, with_a_value_of_4_gib_are_refused_unsent) {
  weir_cell huge = detail::to_cell("x");
  huge.size = UINT32_MAX;
  std::vector<std::vector<weir_cell>> rows{{detail::to_cell(1), detail::to_cell("x")},
                                           {detail::to_cell(2), huge}};
  for (const auto& failed : {db().insert_many("t", {"id", "name"}, rows).error(),
                             db().execute_many(insert_sql(), rows).error()}) {
    EXPECT_EQ(failed.code(), Code::invalid_argument);
    EXPECT_EQ(failed.many()->row, 1U);
    EXPECT_THAT(failed.what(), HasSubstr("value 2 is of 4 GiB or more"));
  }
  EXPECT_EQ(count(), 0);
}

// ---------------------------------------------------------------- ranges that do things

TEST_P(ManyRows, a_range_that_throws_leaves_nothing) {
  const auto throws = lines_that([](long long id) {
    if (id == 9'000) throw std::runtime_error("no more");
  });
  EXPECT_THROW(static_cast<void>(db().insert_many("t", {"id", "name"}, throws, chunked())),
               std::runtime_error);
  EXPECT_EQ(count(), 0);
  EXPECT_TRUE(db().transaction([&](Connection& c) -> Result<void> {
    EXPECT_TRUE(c.insert_many("t", {"id", "name"}, std::vector<Line>{{-1, "kept"}}));
    EXPECT_THROW(static_cast<void>(c.insert_many("t", {"id", "name"}, throws, chunked())),
                 std::runtime_error);
    return {};
  }));
  EXPECT_EQ(count(), 1);
}

TEST_P(ManyRows, a_range_may_use_the_connection) {
  auto lease = or_throw(db().acquire());
  const auto done = lease->insert_many(
      "t", {"id", "name"}, lines_that([&](long long id) {
        if (id != 9'000) return;
        EXPECT_EQ((*lease->query("select count(*) from t"))[0].get<int>(0), 8'000);
        EXPECT_TRUE(lease->insert_many("t", {"id", "name"}, std::vector<Line>{{-1, "inner"}}));
        EXPECT_FALSE(lease->insert_many("t", {"id", "name"}, std::vector<Line>{{-1, "again"}}));
      }),
      chunked());
  ASSERT_TRUE(done) << done.error().what();
  EXPECT_EQ(done->stored, 10'000U);
  lease.release();
  EXPECT_EQ(count(), 10'001);
}

// Two rows of one key: PostgreSQL refuses to update one twice, so that the chunk is stored by
// halves.
TEST_P(ManyRows, what_a_range_does_stays_when_its_chunk_is_stored_by_halves) {
  run("drop table if exists seen");
  run("create table seen (id bigint)");
  {
    auto lease = or_throw(db().acquire());
    const Made rows(0, 4, [&](long long i) {
      EXPECT_TRUE(lease->execute("insert into seen values (1)"));
      return Line{i % 2, "row " + std::to_string(i)};
    });
    InsertOptions options;
    options.on_conflict = OnConflict::update;
    options.key = {"id"};
    const auto done = lease->insert_many("t", {"id", "name"}, rows, options);
    ASSERT_TRUE(done) << done.error().what();
  }
  EXPECT_EQ(count(), 2);
  EXPECT_EQ(number("select count(*) from seen"), 4);
}

TEST_P(ManyRows, a_range_that_leaves_a_stream_open_or_ends_the_transaction_fails_the_batch) {
  auto lease = or_throw(db().acquire());
  std::optional<Stream> stream;
  const auto blocked = lease->insert_many("t", {"id", "name"}, lines_that([&](long long id) {
                                            if (id == 9'000)
                                              stream.emplace(or_throw(lease->stream("select 1")));
                                          }),
                                          chunked());
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().code(), Code::invalid_state) << blocked.error().what();
  stream.reset();
  EXPECT_EQ((*lease->query("select count(*) from t"))[0].get<int>(0), 0);
  // A transaction around it goes on.
  const auto around = lease->transaction([&](Connection& c) -> Result<void> {
    EXPECT_TRUE(c.insert_many("t", {"id", "name"}, std::vector<Line>{{-1, "kept"}}));
    EXPECT_FALSE(c.insert_many("t", {"id", "name"}, lines_that([&](long long id) {
                                 if (id == 9'000) stream.emplace(or_throw(c.stream("select 1")));
                               }),
                               chunked()));
    stream.reset();
    return {};
  });
  EXPECT_TRUE(around) << around.error().what();
  EXPECT_EQ((*lease->query("select count(*) from t"))[0].get<int>(0), 1);
  ASSERT_TRUE(lease->execute("delete from t"));
  const auto ended = lease->insert_many("t", {"id", "name"}, lines_that([&](long long id) {
                                          if (id != 9'000) return;
                                          EXPECT_TRUE(lease->rollback());
                                        }),
                                        chunked());
  EXPECT_FALSE(ended);
  EXPECT_EQ((*lease->query("select count(*) from t"))[0].get<int>(0), 0);
}

TEST_P(ManyRows, a_range_that_ends_the_lease_fails_the_batch) {
  auto lease = or_throw(db().acquire());
  Connection c = *lease;
  const auto done = c.insert_many("t", {"id", "name"}, lines_that([&](long long id) {
                                    if (id == 9'000) lease.release();
                                  }),
                                  chunked());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::lease_returned) << done.error().what();
  EXPECT_EQ(count(), 0);
}

// ---------------------------------------------------------------- cut off

TEST_P(ManyRows, a_deadline_in_the_midst_leaves_nothing) {
  const InsertOptions few{.chunk_rows = 10};
  const auto slow = [&](Pool& pool) {
    return lines_that([end = pool.now() + 1100ms, &pool](long long id) {
      while (id == 15 && pool.now() < end) {
      }
    });
  };
  const auto done = db().with([&](Connection& c) {
    return c.within(1s).insert_many("t", {"id", "name"}, slow(db()), few);
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::query_timeout) << done.error().what();
  EXPECT_THAT(done.error().what(), HasSubstr("none of its rows is stored"));
  EXPECT_EQ(done.error().many()->row, std::nullopt);
  EXPECT_EQ(count(), 0);
  // A transaction around it goes on.
  const auto around = db().transaction([&](Connection& c) -> Result<void> {
    EXPECT_TRUE(c.insert_many("t", {"id", "name"}, std::vector<Line>{{-1, "kept"}}));
    EXPECT_FALSE(c.within(1s).insert_many("t", {"id", "name"}, slow(db()), few));
    return {};
  });
  EXPECT_TRUE(around) << around.error().what();
  EXPECT_EQ(count(), 1);
  // So does one around another one whose time it was.
  const auto outer = db().transaction([&](Connection& c) -> Result<void> {
    EXPECT_TRUE(c.insert_many("t", {"id", "name"}, std::vector<Line>{{-2, "kept"}}));
    EXPECT_FALSE(c.transaction(
        [&](Connection& inner) {
          return inner.insert_many("t", {"id", "name"}, slow(db()), few);
        },
        {.timeout = 1s}));
    return c.insert_many("t", {"id", "name"}, std::vector<Line>{{-3, "kept, too"}})
        .map([](const Inserted&) {});
  });
  EXPECT_TRUE(outer) << outer.error().what();
  EXPECT_EQ(count(), 3);
}

// Where there is a connection to lose.
using ManyRowsOnServer = ManyRows;

TEST_P(ManyRowsOnServer, a_connection_that_is_lost_in_the_midst_leaves_only_what_was_committed) {
  const std::string own = is("postgres") ? "select pg_backend_pid()" : "select connection_id()";
  for (const bool one : {true, false}) {
    run("delete from t");
    auto lease = or_throw(db().acquire());
    const auto id = or_throw(lease->query(own))[0].get<long long>(0);
    const auto done = lease->insert_many(
        "t", {"id", "name"}, lines_that([&](long long at) {
          if (at != 5'500) return;
          run(is("postgres") ? "select pg_terminate_backend(" + std::to_string(id) + ", 60000)"
                             : "kill " + std::to_string(id));
        }),
        {.one_transaction = one, .chunk_rows = 1'000});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Code::connection_lost) << done.error().what();
    EXPECT_EQ(done.error().many()->committed, one ? 0U : 5'000U);
    EXPECT_EQ(done.error().many()->row, std::nullopt);
    // Again would store the committed ones twice.
    const auto again = retry_class(done.error());
    EXPECT_TRUE(one || again == RetryClass::unknown);
    lease.release();
    EXPECT_EQ(count(), one ? 0 : 5'000);
  }
}

// ---------------------------------------------------------------- execute_many

TEST_P(ManyRows, execute_many_runs_a_statement_for_each_row) {
  const auto done = db().execute_many(insert_sql(), lines_that([](long long) {}));
  ASSERT_TRUE(done) << done.error().what();
  EXPECT_EQ(done->rows, 10'000U);
  EXPECT_EQ(done->affected, 10'000U);
  EXPECT_EQ(count(), 10'000);
  const std::vector<std::tuple<int>> parts{{1'000}, {1'000}, {20}};
  const auto deleted = db().execute_many("delete from t where id < " + db().placeholder(1), parts);
  EXPECT_EQ(deleted->rows, 3U);
  EXPECT_EQ(deleted->affected, 1'000U);
  EXPECT_EQ(db().execute_many("nonsense", std::vector<std::tuple<int>>{})->rows, 0U);
}

TEST_P(ManyRows, execute_many_names_the_row_that_failed_and_those_before_stay) {
  const auto rows = Made(
      0, 10'000, [](long long id) { return std::pair(id == 9'000 ? 5 : id, std::string("x")); });
  const auto done = db().execute_many(insert_sql(), rows);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::constraint) << done.error().what();
  EXPECT_EQ(done.error().many()->row, 9'000U);
  EXPECT_EQ(done.error().many()->committed, 9'000U);
  EXPECT_THAT(done.error().what(), HasSubstr("9000 rows were run before, and stay"));
  EXPECT_EQ(count(), 9'000);
  const auto within = db().transaction([&](Connection& c) {
    return c.execute_many(insert_sql(), std::vector{Line{-1, "x"}, Line{-1, "x"}});
  });
  ASSERT_FALSE(within);
  EXPECT_EQ(within.error().many()->row, 1U);
  EXPECT_EQ(within.error().many()->committed, 0U);
  EXPECT_EQ(count(), 9'000);
}

INSTANTIATE_TEST_SUITE_P(Each, ManyRows, testing::ValuesIn(databases()), name_of);
INSTANTIATE_TEST_SUITE_P(Each, ManyRowsOnServer, testing::ValuesIn(servers()), name_of);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ManyRowsOnServer);

}  // namespace
}  // namespace weir::test
