// SPDX-License-Identifier: MIT
//
// Goal: middleware sees each call of a lease, may stand in its way or change it, and cannot break
// anything: not by throwing, lying, coming back in, or taking away the ground it stands on.
#include "tests/api/made.hpp"
#include "tests/runtime/world.hpp"

#include <weir/query_times.hpp>

#include <atomic>
#include <stdexcept>
#include <tuple>

namespace weir::runtime {
namespace {

using Calls = PoolTest;

// Hands on what comes, and notes it.
Middleware note(std::vector<std::string>& notes, const std::string& name = "") {
  return [&notes, name](Call& call, Next& next) {
    notes.push_back(name + std::string(to_string(call.kind())) + ":" + std::string(call.sql()));
    return next();
  };
}

TEST_F(Calls, all_kinds_pass_in_the_order_of_registration) {
  auto pool = open(small(1));
  std::vector<std::string> notes;
  pool->use(note(notes, "a "));
  pool->use(note(notes, "b "));
  pool->use({});  // nothing
  ASSERT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(notes, (std::vector<std::string>{"a query:SELECT 1", "b query:SELECT 1"}));
  notes.clear();
  ASSERT_FALSE(pool->with([](Connection& c) -> Result<void> {
    return c.transaction([](Connection& own) -> Result<void> {
      EXPECT_TRUE(own.execute("INSERT 1"));
      auto statement = own.prepare("SELECT ?");
      EXPECT_TRUE(statement->query(7));
      EXPECT_TRUE(own.prepare("SELECT ?"));
      auto stream = own.stream("ROWS 2");
      while (stream->next().value()) {
      }
      return fail(Code::internal, "enough");
    });
  }));
  const std::vector<std::string> expected{"begin:",         "execute:INSERT 1", "prepare:SELECT ?",
                                          "query:SELECT ?", "prepare:SELECT ?", "stream:ROWS 2",
                                          "rollback:"};
  ASSERT_EQ(notes.size(), 2 * expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(notes[2 * i], "a " + expected[i]);
    EXPECT_EQ(notes[2 * i + 1], "b " + expected[i]);
  }
  notes.clear();
  ASSERT_TRUE(pool->transaction([](Connection&) {}));
  EXPECT_EQ(notes.back(), "b commit:");
}

TEST_F(Calls, a_range_that_ends_its_lease_leaves_the_connection_in_order) {
  auto pool = open(small(1));
  std::vector<std::string> notes;
  pool->use(note(notes));
  auto lease = pool->acquire();
  ASSERT_TRUE(lease);
  Connection c = **lease;
  const auto ran = c.execute_many("INSERT ?", test::Made(0, 3, [&](long long i) {
                                    if (i == 1) lease->release();
                                    return std::tuple(i);
                                  }));
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().code(), Code::lease_returned) << ran.error().what();
  EXPECT_TRUE(pool->query("SELECT 1"));
}

TEST_F(Calls, a_range_that_throws_leaves_its_lease_in_order) {
  std::vector<std::string> notes;
  hooks.on_query = [](const QueryEvent&) {};
  for (const bool asked : {false, true}) {
    auto pool = open(small(1));
    if (asked) pool->use(note(notes));
    auto lease = pool->acquire();
    ASSERT_TRUE(lease);
    const test::Made throws(0, 3, [](long long i) {
      if (i == 1) throw std::runtime_error("no row");
      return std::tuple(i);
    });
    EXPECT_THROW(static_cast<void>((*lease)->execute_many("INSERT ?", throws)), std::runtime_error);
    const auto after = (*lease)->query("SELECT 1");
    EXPECT_TRUE(after) << after.error().what();
  }
}

TEST_F(Calls, a_call_says_what_it_is) {
  auto pool = open(small(1));
  int looked = 0;
  pool->use([&](Call& call, Next& next) {
    ++looked;
    EXPECT_EQ(call.pool(), "main");
    EXPECT_EQ(call.driver(), "mock");
    EXPECT_EQ(call.operation(), "SELECT");
    EXPECT_EQ(call.parameter_count(), 3U);
    EXPECT_EQ(call.lease().tag, "report");
    EXPECT_EQ(call.lease().serial, 1U);
    EXPECT_EQ(call.lease().slot, 0U);
    EXPECT_STREQ(call.site().file, "shop.cpp");
    EXPECT_EQ(call.site().line, 7);
    EXPECT_NE(std::string_view(call.lease().site.file).find("middleware.cpp"),
              std::string_view::npos);
    EXPECT_LE(call.deadline(), after(call.now(), 1h));
    EXPECT_EQ(call.parameter_text(0), "?");
    EXPECT_EQ(call.parameter<int>(0), std::nullopt);
    EXPECT_EQ(call.parameter<std::optional<int>>(2), std::nullopt);
    auto done = next();
    EXPECT_EQ(done->rows, 1U);
    EXPECT_GT(done->took, 0ns);
    return done;
  });
  pool->use(
      [&](Call& call, Next& next) {
        EXPECT_EQ(call.parameter_text(0), "42");
        EXPECT_EQ(call.parameter<int>(0), 42);
        EXPECT_EQ(call.parameter_text(1), "Ada");
        EXPECT_EQ(call.parameter<int>(2), std::nullopt);
        EXPECT_TRUE(call.parameter<std::optional<int>>(2).has_value()) << "it is NULL";
        EXPECT_EQ(call.parameter<std::optional<int>>(0), std::optional(42));
        EXPECT_EQ(call.parameter<std::optional<int>>(1), std::nullopt) << "of another type";
        EXPECT_EQ(call.parameter_text(3), "?") << "there is no such parameter";
        return next();
      },
      {.parameters = true});
  ASSERT_TRUE(pool->with({.tag = "report"}, [&](Connection& c) {
    auto own = c.within(1h);
    return own.query({"SELECT ?, ?, ?", "shop.cpp", 7}, 42, "Ada", nullptr);
  }));
  EXPECT_EQ(looked, 1);
}

TEST_F(Calls, an_error_without_next_is_a_veto) {
  bool asked = false;
  hooks.on_query = [&](const QueryEvent&) { asked = true; };
  auto pool = open(small(1));
  pool->use([](Call& call, Next& next) -> Result<CallDone> {
    if (call.operation() == "INSERT") return fail(Code::read_only, "no writes here");
    return next();
  });
  const auto refused = pool->execute("INSERT 1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::read_only);
  EXPECT_EQ(refused.error().message(), "no writes here");
  EXPECT_FALSE(asked);
  EXPECT_TRUE(pool->query("SELECT 1"));
  EXPECT_TRUE(asked);
}

TEST_F(Calls, a_success_that_the_database_did_not_give_is_an_error) {
  auto pool = open(small(1));
  pool->use([](Call&, Next&) { return CallDone{.rows = 7}; }, {.name = "cache"});
  const auto answer = pool->query("SELECT 1");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), Code::next_not_called);
  EXPECT_EQ(answer.error().message(),
            "main: middleware \"cache\" returned success without calling next(); return what "
            "next() returns, or an Error to refuse the call");
}

TEST_F(Calls, a_failure_stays_one) {
  auto pool = open(small(1));
  pool->use([](Call&, Next& next) {
    EXPECT_FALSE(next());
    return CallDone{};
  });
  const auto answer = pool->query("FAIL constraint");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), Code::constraint);
}

// Neither that of the database nor that of another middleware.
TEST_F(Calls, a_veto_stays_one) {
  auto pool = open(small(1));
  pool->use([](Call&, Next& next) {
    EXPECT_FALSE(next());
    return CallDone{};
  });
  pool->use([](Call&, Next&) -> Result<CallDone> { return fail(Code::read_only, "no"); });
  EXPECT_EQ(pool->query("SELECT 1").error().code(), Code::read_only);
  EXPECT_EQ(pool->with([](Connection& c) { return c.begin(); }).error().code(), Code::read_only);
}

TEST_F(Calls, next_is_called_once) {
  auto pool = open(small(1));
  int made = 0;
  pool->use([](Call&, Next& next) {
    EXPECT_TRUE(next());
    return next();
  });
  pool->use([&](Call&, Next& next) { return ++made, next(); });
  const auto answer = pool->execute("INSERT 1");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), Code::invalid_state);
  EXPECT_NE(answer.error().message().find("twice"), std::string::npos);
  EXPECT_EQ(made, 1);
}

// Throws before or after the database was asked.
TEST_F(Calls, an_exception_becomes_an_error_and_nothing_is_left_over) {
  auto pool = open(small(1));
  bool late = false;
  bool strange = false;
  bool throws = true;
  pool->use([&](Call&, Next& next) {
    if (!throws) return next();
    auto done = late ? next() : Result<CallDone>(CallDone{});
    if (strange) throw 42;  // NOLINT
    throw std::runtime_error("oh");
    return done;
  });
  for (const bool when : {false, true}) {
    late = when;
    throws = true;
    auto lease = pool->acquire();
    Connection& c = **lease;
    for (const auto& error :
         {c.query("SELECT 1").error(), c.execute("INSERT 1").error(), c.stream("ROWS 2").error(),
          c.prepare("SELECT 1").error(), c.begin().error(), c.rollback().error()}) {
      EXPECT_EQ(error.code(), Code::callback_threw) << error.what();
      EXPECT_EQ(error.message(), "main: middleware no. 1 threw: oh");
    }
    strange = true;
    EXPECT_NE(c.query("SELECT 1").error().message().find("no std::exception"), std::string::npos);
    strange = throws = false;
    EXPECT_TRUE(c.query("SELECT 1")) << "no stream is left open";
    EXPECT_TRUE(c.begin()) << "no transaction is left open";
    EXPECT_TRUE(c.rollback());
  }
  EXPECT_EQ(pool->stats().created, 1U);
}

// The guard of transaction() rolls back while an exception of fn is under way.
TEST_F(Calls, what_throws_during_a_rollback_does_not_end_the_process) {
  auto pool = open(small(1));
  pool->use([](Call& call, Next& next) {
    if (call.kind() == CallKind::rollback) throw std::runtime_error("oh");
    return next();
  });
  EXPECT_THROW(static_cast<void>(pool->transaction([](Connection&) { throw 42; })), int);
  EXPECT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(pool->stats().resets, 0U) << "it was rolled back all the same";
}

TEST_F(Calls, rewritten_sql_is_what_is_sent_and_what_is_seen_further_in) {
  auto pool = open(small(1));
  std::vector<std::string> notes;
  pool->use([](Call& call, Next& next) -> Result<CallDone> {
    if (call.sql() == "SELECT 1") {
      if (auto set = call.set_sql("SELECT 2"); !set) return fail(set.error());
    }
    auto done = next();
    EXPECT_EQ(call.set_sql("SELECT 3").error().code(), Code::invalid_state) << "sent already";
    return done;
  });
  pool->use(note(notes));
  EXPECT_EQ((*pool->query("SELECT 1"))[0].get<int>(0), 2);
  EXPECT_EQ(notes.back(), "query:SELECT 2");
  ASSERT_TRUE(pool->with([&](Connection& c) -> Result<void> {
    auto statement = c.prepare("SELECT 1");
    EXPECT_EQ((*statement->query())[0].get<int>(0), 2) << "it was prepared so";
    EXPECT_EQ(notes.back(), "query:SELECT 2");
    return {};
  }));
}

TEST_F(Calls, what_was_shown_stays_good_while_it_is_rewritten_further_in) {
  auto pool = open(small(1));
  const auto rewrites = [](const char* sql) {
    return [sql](Call& call, Next& next) -> Result<CallDone> {
      if (auto set = call.set_sql(sql); !set) return fail(set.error());
      return next();
    };
  };
  pool->use(rewrites("SELECT 2"));
  pool->use([](Call& call, Next& next) {
    const std::string_view seen = call.sql();
    auto done = next();
    EXPECT_EQ(seen, "SELECT 2");
    EXPECT_EQ(call.sql(), "SELECT 3");
    return done;
  });
  pool->use(rewrites("SELECT 3"));
  EXPECT_EQ((*pool->query("SELECT 1"))[0].get<int>(0), 3);
}

TEST_F(Calls, sql_that_is_fixed_cannot_be_rewritten) {
  auto pool = open(small(1));
  std::vector<std::string> whys;
  pool->use([&](Call& call, Next& next) {
    if (call.kind() != CallKind::prepare) whys.push_back(call.set_sql("x").error().message());
    return next();
  });
  ASSERT_TRUE(pool->transaction([](Connection& c) { return c.prepare("SELECT 1")->query(); }));
  EXPECT_EQ(whys, (std::vector<std::string>{
                      "main: the SQL of a begin cannot be rewritten: this call has no SQL",
                      "main: the SQL of a query cannot be rewritten: this statement was prepared "
                      "before",
                      "main: the SQL of a commit cannot be rewritten: this call has no SQL"}));
}

TEST_F(Calls, the_connection_of_the_call_is_refused_to_its_middleware_and_hook) {
  Connection* own = nullptr;
  int refused = 0;
  const auto try_all = [&] {
    for (const auto& code :
         {own->query("SELECT 1").error().code(), own->execute("INSERT 1").error().code(),
          own->stream("ROWS 1").error().code(), own->prepare("SELECT 1").error().code(),
          own->begin().error().code(), own->commit().error().code(), own->rollback().error().code(),
          own->ping().error().code(), own->native("x").error().code()}) {
      EXPECT_EQ(code, Code::invalid_state);
      ++refused;
    }
  };
  hooks.on_query = [&](const QueryEvent&) { try_all(); };
  auto pool = open(small(1));
  pool->use([&](Call&, Next& next) {
    try_all();
    auto done = next();
    try_all();
    return done;
  });
  auto lease = pool->acquire();
  own = &**lease;
  EXPECT_EQ((*own->query("SELECT 5"))[0].get<int>(0), 5);
  EXPECT_EQ(refused, 27);
  EXPECT_TRUE(own->ping());
}

TEST_F(Calls, another_lease_may_be_used_inside) {
  auto pool = open(small(2));
  int asked = 0;
  pool->use([&](Call& call, Next& next) -> Result<CallDone> {
    ++asked;
    if (call.lease().tag == "audit") return next();  // its own
    auto logged = pool->with({.tag = "audit"}, [](Connection& c) { return c.execute("INSERT 1"); });
    if (!logged) return fail(logged.error());
    return next();
  });
  EXPECT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(asked, 2);
}

// It comes to an end: the pool tells it that it waits for itself.
TEST_F(Calls, one_that_calls_itself_without_end_fails) {
  auto pool = open(small(3));
  pool->use([&](Call&, Next& next) -> Result<CallDone> {
    if (auto logged = pool->execute("INSERT 1"); !logged) return fail(logged.error());
    return next();
  });
  const auto answer = pool->query("SELECT 1");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), Code::self_deadlock);
}

TEST_F(Calls, a_lease_that_its_middleware_gives_back_takes_no_call) {
  auto pool = open(small(1));
  auto lease = pool->acquire();
  bool gives_back = true;
  pool->use([&](Call& call, Next& next) {
    if (std::exchange(gives_back, false)) lease->release();
    EXPECT_EQ(call.sql(), "SELECT 1");
    return next();
  });
  auto statement = (*lease)->prepare("SELECT 1");  // which passes, too
  EXPECT_EQ(statement.error().code(), Code::lease_returned);
  lease = pool->acquire();
  statement = (*lease)->prepare("SELECT 1");
  ASSERT_TRUE(statement);
  gives_back = true;
  EXPECT_EQ(statement->query().error().code(), Code::lease_returned);
  EXPECT_EQ(pool->stats().now.idle, 1U);
  EXPECT_TRUE(pool->query("SELECT 1")) << "and it is nobody's any more";
  EXPECT_EQ(pool->stats().created, 1U);
}

TEST_F(Calls, a_pool_may_end_inside) {
  PoolConfig config = small(1);
  config.drain_timeout = 0s;
  auto pool = open(config);
  const std::weak_ptr<OsPool> watch = pool->weak_from_this();
  auto lease = pool->acquire();
  pool->use([&](Call&, Next& next) {
    static_cast<void>(pool->drain(0s));
    pool.reset();
    lease->release();
    return next();
  });
  Connection kept = **lease;
  EXPECT_EQ(kept.query("SELECT 1").error().code(), Code::lease_returned);
  eventually([&] { return watch.expired(); });
}

TEST_F(Calls, none_is_asked_once_the_pool_was_given_up) {
  int asked = 0;
  auto pool = open(small(1));
  pool->use([&](Call&, Next& next) { return ++asked, next(); });
  auto lease = pool->acquire();
  EXPECT_FALSE(pool->drain(0s)) << "the lease is out";
  EXPECT_EQ((*lease)->query("SELECT 1").error().code(), Code::pool_closed);
  EXPECT_EQ(asked, 0);
}

TEST_F(Calls, one_that_is_registered_meanwhile_counts_from_then_on_and_none_is_lost) {
  auto pool = open(small(4));
  std::atomic<int> asked{0};
  std::atomic<bool> stop{false};
  std::thread caller([&] {
    while (!stop) ASSERT_TRUE(pool->query("SELECT 1"));
  });
  std::vector<std::thread> registrars;
  for (int t = 0; t < 3; ++t) {
    registrars.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        bool mine = false;
        const std::uint64_t me = OsRuntime::thread_id();
        auto seen = std::make_shared<std::atomic<bool>>(false);
        pool->use([&asked, me, seen](Call&, Next& next) {
          ++asked;
          if (OsRuntime::thread_id() == me) *seen = true;
          return next();
        });
        ASSERT_TRUE(pool->query("SELECT 1"));
        mine = *seen;
        ASSERT_TRUE(mine) << "the next call passes";
      }
    });
  }
  for (std::thread& thread : registrars) thread.join();
  stop = true;
  caller.join();
  asked = 0;
  ASSERT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(asked, 60);
}

TEST_F(Calls, times_are_counted_of_statements) {
  auto pool = open(small(2));
  QueryTimes times;
  pool->use(times.middleware());
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) static_cast<void>(pool->query("SELECT 1"));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(pool->query("FAIL constraint"));
  EXPECT_TRUE(pool->transaction([](Connection& c) { return c.execute("INSERT 1"); }));
  EXPECT_EQ(times.summary().count, 202U);
  EXPECT_GT(times.summary().p50, 0ns);
  EXPECT_LE(times.summary().p50, times.summary().max);
}

TEST_F(Calls, the_query_log_has_what_was_sent) {
  PoolConfig config = small(1);
  config.log.query = true;
  auto pool = open(config);
  pool->use([](Call& call, Next& next) {
    if (call.kind() == CallKind::query) static_cast<void>(call.set_sql("SELECT 2"));
    call.log(LogLevel::info, "from inside");
    return next();
  });
  ASSERT_TRUE(pool->transaction([](Connection& c) -> Result<void> {
    EXPECT_TRUE(c.query("SELECT 1"));
    EXPECT_FALSE(c.execute("FAIL constraint"));
    EXPECT_TRUE(c.prepare("SELECT 3")->execute());
    return {};
  }));
  EXPECT_TRUE(logged(" SELECT 2"));
  EXPECT_FALSE(logged(" SELECT 1"));
  EXPECT_TRUE(logged(" failed: FAIL constraint"));
  EXPECT_TRUE(logged(" prepare SELECT 3"));
  EXPECT_EQ(times_logged("s SELECT 3"), 1U) << "of the prepared statement";
  EXPECT_TRUE(logged(" BEGIN"));
  EXPECT_TRUE(logged(" COMMIT"));
  EXPECT_TRUE(logged("from inside"));
  // One line, whatever is in a statement: it could look like others of the log.
  ASSERT_TRUE(pool->execute("INSERT 1,\n\t2\x1b"));
  EXPECT_TRUE(logged(" INSERT 1,  2\\x1b"));
  EXPECT_FALSE(logged("\n"));
}

TEST_F(Calls, a_slow_query_is_logged_with_its_place) {
  PoolConfig config = small(1);
  config.slow_query = 2ms;
  auto pool = open(config);
  ASSERT_TRUE(pool->with({.tag = "report"}, [](Connection& c) { return c.query("SLEEP 3"); }));
  EXPECT_TRUE(logged("slow query: "));
  EXPECT_TRUE(logged(" SLEEP 3 (middleware.cpp:"));
  EXPECT_TRUE(logged("\"report\")"));
  config.slow_query = no_timeout;
  auto change = pool->prepare(config, {}, ".");
  pool->take_on(*std::move(change));
  ASSERT_TRUE(pool->query("SLEEP 4"));
  EXPECT_FALSE(logged("SLEEP 4"));
  config.slow_query = 0s;
  change = pool->prepare(config, {}, ".");
  pool->take_on(*std::move(change));
  ASSERT_TRUE(pool->query("SELECT 5"));
  EXPECT_TRUE(logged("SELECT 5"));
}

}  // namespace
}  // namespace weir::runtime
