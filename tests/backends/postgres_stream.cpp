// SPDX-License-Identifier: MIT
//
// Goal: a result of any size needs the memory of one batch, and can be left at any row. Method:
// results far larger than the bound; the memory in use is asked of the allocator at every batch.
#include "tests/backends/postgres_fixture.hpp"

#include <algorithm>
#include <cstddef>
#include <malloc.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WEIR_TEST_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WEIR_TEST_SANITIZED 1
#endif
#ifdef WEIR_TEST_SANITIZED
// Of sanitizer/allocator_interface.h, which Debian's GCC comes without.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace weir::test {
namespace {

std::size_t bytes_in_use() {
#ifdef WEIR_TEST_SANITIZED
  return __sanitizer_get_current_allocated_bytes();
#else
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
#endif
}

class PostgresStream : public Postgres {};

TEST_F(PostgresStream, a_large_result_needs_the_memory_of_a_batch) {
  Session& s = open();
  const std::int64_t rows = scaled(1'000'000, 100'000);
  host.waits.reserve(1'000'000);  // the host's own book-keeping is not what is measured
  const std::size_t before = bytes_in_use();
  ASSERT_EQ(WEIR_OK,
            s.start("SELECT i::bigint, repeat('x', 200) FROM generate_series(1, $1) AS n(i)",
                    {Value::integer(rows)}))
      << s.error.what();
  std::int64_t seen = 0;
  std::size_t most = 0;
  std::size_t largest_batch = 0;
  for (;;) {
    for (std::uint64_t r = 0; r < s.batch.rows; ++r) {
      ASSERT_EQ(++seen, s.batch.cells[r * s.batch.row_stride].v.i);
    }
    most = std::max(most, bytes_in_use());
    largest_batch = std::max(largest_batch, static_cast<std::size_t>(s.batch.rows));
    if ((s.batch.flags & WEIR_BATCH_END) != 0) break;
    ASSERT_EQ(WEIR_OK, s.fetch()) << s.error.what();
  }
  EXPECT_EQ(rows, seen);
  EXPECT_LE(largest_batch, 256U);
  EXPECT_LT(most, before + (std::size_t{1} << 20U)) << "all rows together are 20 MB and more";
  s.close_result();
}

TEST_F(PostgresStream, a_batch_ends_at_its_bytes) {
  Session& s = open();
  const std::string sql = "SELECT repeat('x', 10000) FROM generate_series(1, 100)";
  weir_exec_args args{};
  args.struct_size = sizeof args;
  args.sql = text(sql);
  args.batch_bytes = 25'000;
  s.out.struct_size = sizeof s.out;
  s.batch.struct_size = sizeof s.batch;
  const weir_call call = s.call();
  ASSERT_EQ(WEIR_OK,
            s.driver->execute(s.conn, &call, &args, &s.out, &s.result, &s.batch, &s.error));
  EXPECT_EQ(3U, s.batch.rows);
  s.close_result();
}

TEST_F(PostgresStream, a_large_result_that_is_left_is_called_off) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.start("SELECT generate_series(1, 2000000000)"));
  s.close_result();
  EXPECT_FALSE(s.is(WEIR_STATE_RESULT_OPEN | WEIR_STATE_CANCEL_PENDING));
  EXPECT_EQ(Value::integer(1), s.one("SELECT 1"));
  ASSERT_EQ(WEIR_OK, s.start("SELECT generate_series(1, 2000000000)"));
  s.result = nullptr;
  s.close();  // does not wait for two thousand million rows either
}

TEST_F(PostgresStream, a_result_that_is_left_in_a_transaction_leaves_that_open) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.begin());
  ASSERT_EQ(WEIR_OK, s.start("SELECT generate_series(1, 200000)"));
  EXPECT_TRUE(s.is(WEIR_STATE_IN_TX));
  s.close_result();
  EXPECT_FALSE(s.is(WEIR_STATE_TX_FAILED));
  EXPECT_EQ(Value::integer(1), s.one("SELECT 1"));
  EXPECT_EQ(WEIR_OK, s.commit()) << s.error.what();
}

TEST_F(PostgresStream, what_changes_rows_and_returns_them_does_all_its_work) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE r(a int)"));
  ASSERT_EQ(WEIR_OK, s.start("INSERT INTO r SELECT generate_series(1, 5000) RETURNING a"));
  EXPECT_EQ(nullptr, s.result);
  EXPECT_EQ(5000U, s.batch.rows);
  EXPECT_EQ(5000U, s.out.affected);
  EXPECT_EQ(WEIR_EXEC_HAS_AFFECTED, s.out.flags);
  ASSERT_EQ(WEIR_OK, s.query("SELECT a FROM r"));
  EXPECT_EQ(0U, s.out.flags);
}

TEST_F(PostgresStream, an_error_after_many_rows_arrives_behind_them) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.start("SELECT 1 / (5000 - i) FROM generate_series(1, 10000) AS n(i)"));
  weir_status status = WEIR_OK;
  std::uint64_t rows = s.batch.rows;
  while (status == WEIR_OK) {
    status = s.fetch();
    if (status == WEIR_OK) rows += s.batch.rows;
  }
  EXPECT_EQ(WEIR_E_DATA, status);
  EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate);
  EXPECT_GT(rows, 4000U);
  s.close_result();
  EXPECT_EQ(Value::integer(1), s.one("SELECT 1"));
}

}  // namespace
}  // namespace weir::test
