// SPDX-License-Identifier: MIT
//
// Goal:   insert_many puts a frame around its rows and finds the one that is wrong, with no more
//         driver calls than that takes; what a driver lacks or makes up is an error; execute_many
//         works with any driver. Method: the mock driver, with an extension that remembers what it
//         was asked.
#include "tests/api/made.hpp"
#include "tests/runtime/world.hpp"

#include <weir/insert.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <tuple>

namespace weir::runtime {
namespace {

using Calls = std::vector<std::string>;
using Rows = std::vector<std::tuple<int>>;

// What the driver was asked for, and how it answers. One test at a time.
struct Script {
  Calls calls;
  std::function<bool(int)> wrong = [](int) { return false; };  // a value of a row
  weir_status kind = WEIR_E_CONSTRAINT;                        // of a row that is wrong
  std::uint64_t more = 0;                                      // rows claimed beyond those given
  bool commit_is_lost = false;
  bool savepoint_is_lost = false;  // none can be gone back to
};
Script script;

weir_status say(weir_error* error, weir_status kind, std::uint8_t conn_fate = WEIR_CONN_USABLE,
                std::uint8_t effect = WEIR_EFFECT_DEFINITE, std::uint8_t stage = 0) {
  error->kind = kind;
  error->conn_fate = conn_fate;
  error->effect = effect;
  error->stage = stage;
  return kind;
}

weir_status rows(weir_conn*, const weir_call*, const weir_insert_args* args, weir_insert_out* out,
                 weir_error* error) noexcept {
  script.calls.push_back("rows " + std::to_string(args->row_count));
  for (std::uint64_t i = 0; i < args->row_count; ++i) {
    if (script.wrong(static_cast<int>(args->cells[i * args->row_stride].v.i))) {
      return say(error, script.kind);
    }
  }
  out->stored = args->row_count + script.more;
  return WEIR_OK;
}
constexpr weir_insert insert{sizeof(weir_insert), 0, rows};
weir_insert offered = insert;

class ManyTest : public PoolTest {
 protected:
  void SetUp() override {
    script = {};
    offered = insert;
    table = *weir_mock_driver();
    table.caps |= WEIR_CAP_SAVEPOINT;
    table.extension = [](const char* id) noexcept -> const void* {
      return std::string_view(id) == WEIR_INSERT_ID ? &offered : nullptr;
    };
    table.begin = [](weir_conn* conn, const weir_call* call, const weir_begin_args* args,
                     weir_error* error) noexcept {
      script.calls.emplace_back("begin");
      return weir_mock_driver()->begin(conn, call, args, error);
    };
    table.commit = [](weir_conn* conn, const weir_call* call, weir_error* error) noexcept {
      script.calls.emplace_back("commit");
      if (script.commit_is_lost) {
        return say(error, WEIR_E_CONN_LOST, WEIR_CONN_BROKEN, WEIR_EFFECT_UNKNOWN,
                   WEIR_STAGE_COMMIT);
      }
      return weir_mock_driver()->commit(conn, call, error);
    };
    table.rollback = [](weir_conn* conn, const weir_call* call, weir_error* error) noexcept {
      script.calls.emplace_back("rollback");
      return weir_mock_driver()->rollback(conn, call, error);
    };
    table.execute = [](weir_conn* conn, const weir_call* call, const weir_exec_args* args,
                       weir_exec_out* out, weir_result** result, weir_batch* batch,
                       weir_error* error) noexcept {
      const std::string_view sql(args->sql.data, args->sql.size);
      const std::size_t name = sql.find(" weir_");
      if (name == std::string_view::npos) {
        return weir_mock_driver()->execute(conn, call, args, out, result, batch, error);
      }
      script.calls.emplace_back(sql.substr(0, name));
      if (script.savepoint_is_lost && sql.starts_with("ROLLBACK TO")) {
        return say(error, WEIR_E_OTHER);
      }
      batch->flags = WEIR_BATCH_END;
      *result = nullptr;
      return weir_status{WEIR_OK};
    };
    driver = &table;
    pool = open(small(1));
  }

  // Rows 0 to size - 1.
  Result<Inserted> insert_rows(int size, const InsertOptions& options = {}) {
    Rows all;
    for (int i = 0; i < size; ++i) all.emplace_back(i);
    return pool->insert_many("t", {"i"}, all, options);
  }

  static inline weir_driver table;  // lives as long as the process, as tables do
  std::shared_ptr<OsPool> pool;
};

TEST_F(ManyTest, a_batch_of_one_chunk_is_three_calls) {
  EXPECT_EQ(insert_rows(4)->stored, 4U);
  EXPECT_EQ(script.calls, (Calls{"begin", "rows 4", "commit"}));
}

TEST_F(ManyTest, no_rows_are_no_call) {
  EXPECT_EQ(insert_rows(0)->stored, 0U);
  EXPECT_EQ(script.calls, Calls{});
}

TEST_F(ManyTest, later_chunks_have_a_savepoint_each) {
  EXPECT_EQ(insert_rows(6, {.chunk_rows = 4})->stored, 6U);
  EXPECT_EQ(script.calls,
            (Calls{"begin", "rows 4", "SAVEPOINT", "rows 2", "RELEASE SAVEPOINT", "commit"}));
}

// Whole numbers from 0 on; to look for the end calls a function of the test's.
class Until {
 public:
  explicit Until(std::function<bool(int)> ends) : ends_(std::move(ends)) {}

  class Iterator {
   public:
    using value_type = std::tuple<int>;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    explicit Iterator(const Until* range) : range_(range) {}
    value_type operator*() const { return {at_}; }
    Iterator& operator++() { return ++at_, *this; }
    void operator++(int) { ++at_; }
    bool operator==(std::default_sentinel_t) const { return range_->ends_(at_); }

   private:
    const Until* range_ = nullptr;
    int at_ = 0;
  };
  [[nodiscard]] Iterator begin() const { return Iterator(this); }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  std::function<bool(int)> ends_;
};

TEST_F(ManyTest, a_range_whose_end_ends_the_lease_commits_nothing) {
  auto lease = pool->acquire();
  ASSERT_TRUE(lease);
  Connection c = **lease;
  const Until rows([&](int i) {
    if (i == 4) lease->release();
    return i == 4;
  });
  const auto done = c.insert_many("t", {"i"}, rows, {.chunk_rows = 4});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::lease_returned) << done.error().what();
  EXPECT_EQ(std::count(script.calls.begin(), script.calls.end(), "commit"), 0);
}

TEST_F(ManyTest, chunks_of_their_own_have_none) {
  EXPECT_EQ(insert_rows(6, {.one_transaction = false, .chunk_rows = 4})->stored, 6U);
  EXPECT_EQ(script.calls, (Calls{"begin", "rows 4", "commit", "begin", "rows 2", "commit"}));
}

TEST_F(ManyTest, a_row_that_is_wrong_is_found_by_halves) {
  script.wrong = [](int value) { return value == 2; };
  const auto done = insert_rows(4);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().many()->row, 2U);
  EXPECT_EQ(script.calls, (Calls{"begin", "rows 4", "rollback", "begin", "rows 2", "SAVEPOINT",
                                 "rows 2", "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT",
                                 "SAVEPOINT", "rows 1", "rollback"}));
}

TEST_F(ManyTest, inside_a_transaction_a_savepoint_is_the_frame) {
  script.wrong = [](int value) { return value == 1; };
  EXPECT_TRUE(pool->transaction([&](Connection& c) -> Result<void> {
    EXPECT_FALSE(c.insert_many("t", {"i"}, Rows{{0}, {1}}));
    return {};
  }));
  EXPECT_EQ(script.calls,
            (Calls{"begin", "SAVEPOINT", "rows 2", "ROLLBACK TO SAVEPOINT", "rows 1", "SAVEPOINT",
                   "rows 1", "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT", "commit"}));
}

// The rows before the one that threw are still there.
TEST_F(ManyTest, a_transaction_keeps_no_part_of_a_batch_that_cannot_be_undone) {
  script.savepoint_is_lost = true;
  const test::Made throws(0, 4, [](long long i) -> std::tuple<int> {
    if (i == 3) throw std::runtime_error("no more");
    return {static_cast<int>(i)};
  });
  for (const bool by_error : {false, true}) {
    script.calls.clear();
    script.wrong = [&](int value) { return by_error && value == 1; };
    const auto done = pool->transaction([&](Connection& c) -> Result<void> {
      if (by_error) {
        EXPECT_FALSE(c.insert_many("t", {"i"}, Rows{{0}, {1}}));
      } else {
        EXPECT_THROW(static_cast<void>(c.insert_many("t", {"i"}, throws, {.chunk_rows = 2})),
                     std::runtime_error);
      }
      return {};
    });
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().what().find("could not be undone"), std::string::npos)
        << done.error().what();
    EXPECT_EQ(script.calls.back(), "rollback");
  }
}

TEST_F(ManyTest, rows_that_are_right_by_halves_are_stored) {
  // As two updates of one row, which some databases do not take in one statement.
  int calls = 0;
  script.wrong = [&calls](int) { return ++calls == 1; };
  EXPECT_EQ(insert_rows(3)->stored, 3U);
  EXPECT_EQ(script.calls.back(), "commit");
}

TEST_F(ManyTest, no_row_is_looked_for_where_none_is_to_blame) {
  script.wrong = [](int value) { return value == 2; };
  for (const weir_status kind : {WEIR_E_NOT_FOUND, WEIR_E_TIMEOUT, WEIR_E_DEADLOCK}) {
    script.kind = kind;
    script.calls.clear();
    const auto done = insert_rows(4);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().many()->row, std::nullopt);
    EXPECT_EQ(script.calls, (Calls{"begin", "rows 4", "rollback"}));
  }
}

TEST_F(ManyTest, a_commit_of_which_nobody_heard_is_said_to_be_unknown) {
  script.commit_is_lost = true;
  const auto done = insert_rows(4);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::connection_lost);
  EXPECT_NE(done.error().what().find("whether its rows are stored is not known"), std::string::npos)
      << done.error().what();
  EXPECT_EQ(done.error().many()->committed, 0U);
}

TEST_F(ManyTest, a_driver_without_a_way_to_insert_is_said_so) {
  offered.struct_size = 8;
  EXPECT_EQ(insert_rows(1).error().code(), Code::unsupported);
  offered = insert;
  offered.rows = nullptr;
  EXPECT_EQ(insert_rows(1).error().code(), Code::unsupported);
  driver = weir_mock_driver();
  const auto plain = open(small(1))->insert_many("t", {"i"}, Rows{{1}});
  EXPECT_EQ(plain.error().code(), Code::unsupported);
  EXPECT_NE(plain.error().what().find("execute_many"), std::string::npos);
  EXPECT_EQ(script.calls, Calls{});
}

TEST_F(ManyTest, a_driver_that_counts_more_rows_than_there_were_is_not_believed) {
  script.more = 1;
  const auto done = insert_rows(4);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::driver_error);
  EXPECT_EQ(script.calls.back(), "rollback");
}

TEST_F(ManyTest, execute_many_works_with_any_driver) {
  const auto done = pool->execute_many("SELECT ?", Rows{{1}, {2}, {3}});
  ASSERT_TRUE(done) << done.error().what();
  EXPECT_EQ(done->rows, 3U);
  const auto failed = pool->execute_many("FAIL constraint", std::vector<std::tuple<>>(3));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Code::constraint);
  EXPECT_EQ(failed.error().many()->committed, 0U);
  EXPECT_EQ(pool->execute_many("SELECT ?, ?", Rows{{1}}).error().code(), Code::invalid_argument);
}

// It tells that the others have none either: they would be read from behind the cells.
TEST_F(ManyTest, a_first_row_without_values_is_a_row) {
  const weir_cell one = detail::to_cell(1);
  const auto done =
      pool->execute_many("SELECT 1", std::vector<std::vector<weir_cell>>{{}, {}, {one, one}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::invalid_argument);
  EXPECT_NE(done.error().message().find("a row has 2 values, and those before it 0"),
            std::string::npos)
      << done.error().what();
  EXPECT_EQ(done.error().many()->row, 2U);
  EXPECT_EQ(done.error().many()->committed, 2U);
}

TEST_F(ManyTest, rows_of_a_transaction_that_the_database_has_undone_are_not_said_to_be_in_it) {
  table.execute_many = [](weir_conn*, const weir_call*, const weir_many_args*, weir_many_out* out,
                          weir_error* error) noexcept {
    out->rows_done = 2;
    error->tx_fate = WEIR_TX_GONE;
    return say(error, WEIR_E_CONSTRAINT);
  };
  auto gone = open(small(1));
  const auto done = gone->transaction([](Connection& c) {
    return c.execute_many("INSERT OR ROLLBACK", Rows{{1}, {2}, {3}});
  });
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message().find("2 rows were run before, in the transaction, which is "
                                        "undone"),
            std::string::npos)
      << done.error().what();
}

}  // namespace
}  // namespace weir::runtime
