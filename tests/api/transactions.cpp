// SPDX-License-Identifier: MIT
//
// Goal: what a transaction did is kept or undone as a whole, and of one inside another only its own
// part; no statement of one that the database has undone runs outside of it; a deadline covers all
// of it. Method: real SQLite, which undoes a whole transaction for INSERT OR ROLLBACK.
#include "tests/api/support.hpp"

#include <vector>

#include <gmock/gmock.h>

namespace weir::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Transactions : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    pools_.emplace(or_throw(open_file("max = 2\nacquire_timeout = \"1m\"\n")));
    ASSERT_TRUE(db().execute("create table t (x integer primary key)"));
  }
  Pool& db() { return (*pools_)["main"]; }
  static Result<void> add(Connection& c, int x) {
    auto done = c.execute("insert into t values (?)", x);
    if (!done) return fail(std::move(done).error());
    return {};
  }
  std::vector<int> stored() {
    std::vector<int> all;
    for (const RowView row : or_throw(db().query("select x from t order by x"))) {
      all.push_back(row.get<int>(0));
    }
    return all;
  }
  template <class T>
  static std::optional<Code> code_of(const Result<T>& result) {
    return result ? std::nullopt : std::optional(result.error().code());
  }
  template <class T>
  static std::string what_of(const Result<T>& result) {
    return result ? "it succeeded" : result.error().what();
  }
  static Result<void> refused() { return fail(Code::invalid_argument, "no"); }

  std::optional<Pools> pools_;
};
using Stored = std::vector<int>;

// It would be a value that is committed; so it does not compile.
static_assert(detail::is_foreign_result<tl::expected<int, std::string>>);
static_assert(!detail::is_foreign_result<Result<int>> && !detail::is_foreign_result<int>);
static_assert(std::is_same_v<detail::ResultOf<const Result<int>>, Result<int>>);

TEST_F(Transactions, inside_another_one_is_undone_alone_if_it_fails) {
  const auto done = db().transaction([](Connection& c) -> Result<void> {
    if (auto good = add(c, 1); !good) return good;
    const auto inner = c.transaction([](Connection& i) -> Result<void> {
      if (auto good = add(i, 2); !good) return good;
      return refused();
    });
    EXPECT_EQ(code_of(inner), Code::invalid_argument);
    EXPECT_THROW(static_cast<void>(c.transaction([](Connection& i) {
                   EXPECT_TRUE(add(i, 3));
                   throw std::runtime_error("no");
                 })),
                 std::runtime_error);
    EXPECT_TRUE(c.transaction([](Connection& i) { return add(i, 4); }));
    return add(c, 5);
  });
  ASSERT_TRUE(done) << done.error().what();
  EXPECT_EQ(stored(), (Stored{1, 4, 5}));
}

TEST_F(Transactions, inside_another_one_is_undone_with_it) {
  const auto done = db().transaction([](Connection& c) -> Result<void> {
    EXPECT_TRUE(c.transaction([](Connection& i) { return add(i, 1); }));
    return refused();
  });
  EXPECT_FALSE(done);
  EXPECT_EQ(stored(), Stored{});
}

TEST_F(Transactions, go_as_deep_as_asked) {
  // Odd levels fail, so that what they and all below them did is undone.
  const auto nest = [](auto& self, Connection& c, int level) -> Result<void> {
    if (auto good = add(c, level); !good) return good;
    if (level == 6) return {};
    const auto inner = c.transaction([&](Connection& i) { return self(self, i, level + 1); });
    EXPECT_EQ(inner.has_value(), level + 1 != 3) << level;
    return level == 3 ? refused() : Result<void>();
  };
  const auto done = db().transaction([&](Connection& c) { return nest(nest, c, 0); });
  ASSERT_TRUE(done) << done.error().what();
  EXPECT_EQ(stored(), (Stored{0, 1, 2}));
}

TEST_F(Transactions, inside_one_that_sql_began_are_part_of_it) {
  const auto done = db().with([](Connection& c) -> Result<Executed> {
    EXPECT_TRUE(c.execute("begin"));
    EXPECT_TRUE(c.transaction([](Connection& i) { return add(i, 1); }));
    EXPECT_FALSE(c.transaction([](Connection& i) -> Result<void> {
      EXPECT_TRUE(add(i, 2));
      return refused();
    }));
    return c.execute("commit");
  });
  ASSERT_TRUE(done) << done.error().what();
  EXPECT_EQ(stored(), Stored{1});
}

TEST_F(Transactions, inside_another_one_have_no_options_of_their_own) {
  const auto done = db().transaction([](Connection& c) -> Result<void> {
    for (const TransactionOptions& options :
         {TransactionOptions{.isolation = Isolation::serializable},
          TransactionOptions{.read_only = true}}) {
      const auto inner = c.transaction([](Connection&) { FAIL(); }, options);
      EXPECT_EQ(code_of(inner), Code::invalid_state);
      EXPECT_THAT(what_of(inner), HasSubstr("set them where the outer one begins"));
    }
    return add(c, 1);
  });
  ASSERT_TRUE(done) << done.error().what();
  EXPECT_EQ(stored(), Stored{1});
}

TEST_F(Transactions, that_the_database_undid_take_no_further_statement) {
  ASSERT_TRUE(db().execute("insert into t values (1)"));
  const auto done = db().transaction([](Connection& c) -> Result<void> {
    EXPECT_TRUE(add(c, 2));
    EXPECT_EQ(code_of(c.execute("insert or rollback into t values (1)")), Code::constraint);
    // What a function does that looks at no error. Each would run, and stay, outside.
    for (const Result<void>& more :
         {add(c, 3), c.transaction([](Connection& i) { return add(i, 4); })}) {
      EXPECT_EQ(code_of(more), Code::constraint) << "the reason, so that it is handed on";
      EXPECT_THAT(what_of(more), HasSubstr("that ended this transaction"));
    }
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(code_of(done), Code::constraint);
  EXPECT_EQ(stored(), Stored{1});
  EXPECT_TRUE(db().with([](Connection& c) { return add(c, 5); })) << "the next lease is free of it";
}

TEST_F(Transactions, that_the_database_undid_from_within_are_over_for_the_outer_one_too) {
  ASSERT_TRUE(db().execute("insert into t values (1)"));
  const auto done = db().transaction([](Connection& c) -> Result<void> {
    EXPECT_FALSE(c.transaction([](Connection& i) -> Result<void> {
      return i.execute("insert or rollback into t values (1)") ? Result<void>() : refused();
    }));
    return add(c, 2);
  });
  EXPECT_EQ(code_of(done), Code::constraint);
  EXPECT_EQ(stored(), Stored{1});
}

TEST_F(Transactions, by_hand_that_the_database_undid_end_with_a_rollback_or_a_commit) {
  ASSERT_TRUE(db().execute("insert into t values (1)"));
  Lease lease = or_throw(db().acquire());
  for (const bool commits : {true, false}) {
    ASSERT_TRUE(lease->begin());
    EXPECT_FALSE(lease->execute("insert or rollback into t values (1)"));
    EXPECT_EQ(code_of(add(*lease, 2)), Code::constraint);
    EXPECT_EQ(code_of(lease->begin()), Code::constraint);
    if (commits) {
      EXPECT_EQ(code_of(lease->commit()), Code::constraint) << "it has nothing to commit";
    } else {
      EXPECT_TRUE(lease->rollback());
    }
    EXPECT_TRUE(add(*lease, commits ? 3 : 4));
  }
  EXPECT_EQ(stored(), (Stored{1, 3, 4}));
}

TEST_F(Transactions, that_were_undone_and_left_open_do_not_reach_the_next_lease) {
  pools_.reset();
  pools_.emplace(or_throw(open_file("max = 1\n")));
  ASSERT_TRUE(db().execute("insert into t values (1)"));
  {
    Lease lease = or_throw(db().acquire());
    ASSERT_TRUE(lease->begin());
    EXPECT_FALSE(lease->execute("insert or rollback into t values (1)"));
  }
  const auto done = db().with([](Connection& c) { return add(c, 2); });
  EXPECT_TRUE(done) << done.error().what();
  EXPECT_EQ(db().stats().created, 1U) << "it is the same connection";
}

// What is run after that would stay, whatever becomes of the rest.
TEST_F(Transactions, that_are_ended_inside_take_no_further_statement) {
  for (const char* way : {"rollback()", "commit()", "rollback", "commit"}) {
    const auto done = db().transaction([&](Connection& c) -> Result<void> {
      EXPECT_TRUE(add(c, 1));
      const std::string how = way;
      const bool ended = how == "rollback()" ? c.rollback().has_value()
                         : how == "commit()" ? c.commit().has_value()
                                             : c.execute(how).has_value();
      EXPECT_TRUE(ended) << way;
      EXPECT_EQ(code_of(add(c, 2)), Code::invalid_state) << way;
      EXPECT_EQ(code_of(c.begin()), Code::invalid_state) << way;
      EXPECT_EQ(code_of(c.transaction([](Connection&) {})), Code::invalid_state) << way;
      return {};
    });
    EXPECT_EQ(code_of(done), Code::invalid_state) << way;
    EXPECT_EQ(stored(), std::string(way).starts_with("commit") ? Stored{1} : Stored{}) << way;
    ASSERT_TRUE(db().execute("delete from t"));
  }
}

TEST_F(Transactions, whose_outer_one_ends_inside_have_nothing_to_keep) {
  const auto done = db().transaction([](Connection& c) -> Result<void> {
    const auto inner = c.transaction([](Connection& i) {
      EXPECT_TRUE(add(i, 1));
      EXPECT_TRUE(i.rollback());
    });
    EXPECT_EQ(code_of(inner), Code::invalid_state);
    EXPECT_THAT(what_of(inner), HasSubstr("was ended inside of it"));
    return {};
  });
  EXPECT_EQ(code_of(done), Code::invalid_state) << "there is nothing to commit";
  EXPECT_EQ(stored(), Stored{});
}

TEST_F(Transactions, end_the_streams_of_what_they_undo) {
  const auto done = db().transaction([](Connection& c) -> Result<void> {
    EXPECT_TRUE(add(c, 1));
    EXPECT_TRUE(add(c, 2));
    std::optional<Stream> stream;
    EXPECT_FALSE(c.transaction([&](Connection& i) -> Result<void> {
      stream.emplace(or_throw(i.stream("select x from t")));
      EXPECT_TRUE(stream->next());
      return refused();
    }));
    EXPECT_EQ(code_of(stream->next()), Code::invalid_state);
    return add(c, 3);
  });
  ASSERT_TRUE(done) << done.error().what();
  EXPECT_EQ(stored(), (Stored{1, 2, 3}));
}

TEST_F(Transactions, go_through_middleware_with_all_that_they_say) {
  std::vector<std::string> said;
  db().use([&](Call& call, Next& next) {
    said.push_back(call.sql().empty() ? std::string(to_string(call.kind()))
                                      : std::string(call.sql()));
    return next();
  });
  EXPECT_TRUE(db().transaction([](Connection& c) {
    EXPECT_TRUE(c.transaction([](Connection& i) { return i.execute("select 1"); }));
    EXPECT_FALSE(c.transaction([](Connection&) { return refused(); }));
  }));
  EXPECT_FALSE(db().transaction([](Connection&) { return refused(); }));
  EXPECT_THAT(said, ElementsAre("begin", "SAVEPOINT weir_1", "select 1", "RELEASE SAVEPOINT weir_1",
                                "SAVEPOINT weir_1", "ROLLBACK TO SAVEPOINT weir_1",
                                "RELEASE SAVEPOINT weir_1", "commit", "begin", "rollback"));
}

TEST_F(Transactions, have_many_rows_in_them_as_one_call) {
  std::vector<std::string> said;
  db().use([&](Call& call, Next& next) {
    auto done = next();
    said.push_back(call.summary() +
                   (done && done->affected ? " " + std::to_string(*done->affected) : ""));
    return done;
  });
  const std::vector<std::tuple<int>> rows{{1}, {2}, {2}};
  const auto done = db().transaction([&](Connection& c) -> Result<void> {
    if (auto good = add(c, 7); !good) return good;
    EXPECT_EQ(code_of(c.insert_many("t", {"x"}, rows)), Code::constraint);
    EXPECT_TRUE(c.insert_many("t", {"x"}, rows, {.on_conflict = OnConflict::skip}));
    return {};
  });
  ASSERT_TRUE(done) << done.error().what();
  EXPECT_EQ(stored(), (Stored{1, 2, 7})) << "what failed left nothing behind";
  said.pop_back();  // of stored()
  EXPECT_THAT(said, ElementsAre("BEGIN", "INSERT t 1", "INSERT t", "INSERT t 2", "COMMIT"));
}

// But for what cleans up: that is done all the same.
TEST_F(Transactions, are_not_kept_where_middleware_refuses_what_they_say) {
  std::string refused_sql;
  db().use([&](Call& call, Next& next) -> Result<CallDone> {
    const std::string said(call.sql().empty() ? to_string(call.kind()) : call.sql());
    if (said == refused_sql) return fail(Code::read_only, "not today");
    return next();
  });
  for (const char* sql : {"begin", "commit", "SAVEPOINT weir_1", "RELEASE SAVEPOINT weir_1",
                          "ROLLBACK TO SAVEPOINT weir_1", "rollback"}) {
    refused_sql = sql;
    const auto done = db().transaction([&](Connection& c) -> Result<void> {
      if (auto good = add(c, 1); !good) return good;
      const auto inner = c.transaction([&](Connection& i) -> Result<void> {
        if (auto good = add(i, 2); !good) return good;
        return refused_sql.starts_with("ROLLBACK TO") ? refused() : Result<void>();
      });
      if (!inner && !refused_sql.starts_with("ROLLBACK TO")) return inner;
      return refused_sql == "rollback" ? refused() : add(c, 3);
    });
    const bool cleans_up = refused_sql.starts_with("ROLLBACK TO");
    EXPECT_EQ(done.has_value(), cleans_up) << sql;
    refused_sql.clear();
    EXPECT_EQ(stored(), cleans_up ? (Stored{1, 3}) : Stored{}) << sql;
    ASSERT_TRUE(db().execute("delete from t"));
  }
}

TEST_F(Transactions, by_hand_keep_to_one_deadline_too) {
  constexpr auto endless =
      "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
  Instant shown;
  db().use([&](Call& call, Next& next) {
    if (call.kind() == CallKind::begin) shown = call.deadline();
    return next();
  });
  Lease lease = or_throw(db().acquire());
  Connection guarded = lease->within(30s);  // so that it ends even if nothing else ends it
  const auto over = [&] { return code_of(guarded.execute(endless)); };
  ASSERT_TRUE(lease->begin({.timeout = 1s}));
  EXPECT_LE(shown, db().now() + 1s);
  const Instant until = db().now() + 20s;
  EXPECT_EQ(over(), Code::query_timeout);
  EXPECT_LT(db().now(), until);
  EXPECT_EQ(code_of(add(*lease, 1)), Code::query_timeout);
  const auto inner = lease->transaction([&](Connection& c) { return add(c, 1); });
  EXPECT_EQ(code_of(inner), Code::query_timeout) << "of an inner one, too";
  ASSERT_TRUE(lease->rollback());
  EXPECT_TRUE(add(*lease, 2)) << "the deadline went with the transaction";

  ASSERT_TRUE(lease->begin({.deadline = db().now() + 1s}));
  ASSERT_TRUE(lease->execute("rollback"));
  EXPECT_EQ(code_of(lease->within(1100ms).execute(endless)), Code::query_timeout);
  ASSERT_TRUE(lease->execute("begin")) << "the deadline is not of the one that SQL begins";
  EXPECT_TRUE(add(*lease, 3));
  EXPECT_TRUE(lease->commit());

  EXPECT_FALSE(lease->begin({.deadline = db().now()}));
  EXPECT_TRUE(add(*lease, 4)) << "one that did not begin leaves none";
  EXPECT_EQ(stored(), (Stored{2, 3, 4}));
}

TEST_F(Transactions, keep_to_one_deadline) {
  const auto done = db().transaction(
      [](Connection& c) -> Result<Executed> {
        EXPECT_TRUE(add(c, 1));
        return c.execute(
            "with recursive n(i) as (select 1 union all select i + 1 from n) "
            "select count(*) from n");
      },
      {.timeout = 50ms});
  EXPECT_EQ(code_of(done), Code::query_timeout);
  EXPECT_EQ(stored(), Stored{}) << "undone although its time was over";

  const auto late = db().transaction([](Connection&) { FAIL(); }, {.deadline = db().now()});
  EXPECT_FALSE(late);

  // An inner one may have less time, not more.
  const auto inner = db().transaction(
      [](Connection& c) {
        return c.transaction(
            [](Connection& i) {
              return i.execute(
                  "with recursive n(i) as (select 1 union all select i + 1 from n) "
                  "select count(*) from n");
            },
            {.timeout = 1h});
      },
      {.timeout = 50ms});
  EXPECT_EQ(code_of(inner), Code::query_timeout);
}

TEST_F(Transactions, wait_for_a_connection_no_longer_than_their_deadline) {
  const Lease one = or_throw(db().acquire());
  const Lease two = or_throw(db().acquire());
  const auto done = db().transaction([](Connection&) { FAIL(); }, {.timeout = 10ms});
  EXPECT_EQ(code_of(done), Code::acquire_timeout);
}

TEST_F(Transactions, outlive_a_lease_that_goes_back_inside) {
  Lease lease = or_throw(db().acquire());
  const auto done = lease->transaction([&](Connection& c) {
    EXPECT_TRUE(add(c, 1));
    lease.release();
  });
  EXPECT_EQ(code_of(done), Code::lease_returned);
  EXPECT_EQ(stored(), Stored{}) << "the pool rolled it back";
}

}  // namespace
}  // namespace weir::test
