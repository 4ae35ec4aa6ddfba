// SPDX-License-Identifier: MIT
//
// Goal: a forked child can abandon its conns without harm to the parent, a repeated query allocates
// nothing in the driver, and nothing is left open. Method: fork, a counting operator new, /proc.
#include "tests/backends/sqlite_fixture.hpp"

#include <atomic>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <new>
#include <sys/wait.h>

namespace {
std::atomic<long> allocations{0};
}

// Not inlined: GCC would pair the free of one with the library's half of the other, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace weir::test {
namespace {

using SqliteProcess = Sqlite;

TEST_F(SqliteProcess, a_child_that_abandons_leaves_the_parent_its_locks) {
  Session& s = open("file:a.db", {{"journal_mode", "delete"}});
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE t(x)"));
  ASSERT_EQ(WEIR_OK, s.begin(WEIR_BEGIN_WRITE));
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t VALUES (1)"));
  const pid_t child = ::fork();
  if (child == 0) {
    s.driver->abandon(s.conn);
    s.driver->canceller_release(s.canceller);
    ::_exit(0);
  }
  int exit_status = 0;
  ASSERT_EQ(child, ::waitpid(child, &exit_status, 0));
  EXPECT_EQ(0, exit_status);
  // Locks are the process's, so another process has to look: at SQLite's RESERVED byte.
  const pid_t rival = ::fork();
  if (rival == 0) {
    const int fd = ::open(file("a.db").c_str(), O_RDWR | O_CLOEXEC);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0x40000001;
    lock.l_len = 1;
    const bool asked = ::fcntl(fd, F_GETLK, &lock) == 0;
    ::_exit(asked && lock.l_type != F_UNLCK ? 0 : 1);
  }
  ASSERT_EQ(rival, ::waitpid(rival, &exit_status, 0));
  EXPECT_EQ(0, exit_status) << "the lock was lost";
  ASSERT_EQ(WEIR_OK, s.commit());
  EXPECT_EQ(Value::str("ok"), s.one("PRAGMA integrity_check"));
}

TEST_F(SqliteProcess, a_repeated_query_allocates_nothing_in_the_driver) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE t(k INTEGER PRIMARY KEY, name)"));
  ASSERT_EQ(WEIR_OK,
            s.query("INSERT INTO t VALUES (1, 'a name that is longer than a small string')"));
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("SELECT k, name FROM t WHERE k = ?", &stmt));
  const weir_cell key = Value::integer(1).cell();
  weir_exec_args args{};
  args.struct_size = sizeof args;
  args.stmt = stmt;
  args.params = &key;
  args.param_count = 1;
  weir_batch batch{};
  batch.struct_size = sizeof batch;
  weir_exec_out out{};
  out.struct_size = sizeof out;
  weir_result* result = nullptr;
  const auto run = [&] {
    const weir_call call = s.call();
    ASSERT_EQ(WEIR_OK, s.driver->execute(s.conn, &call, &args, &out, &result, &batch, &s.error));
    ASSERT_EQ(1U, batch.rows);
  };
  for (int i = 0; i < 3; ++i) run();
  const long before = allocations.load();
  for (int i = 0; i < 100; ++i) run();
  EXPECT_EQ(before, allocations.load());
  s.stmt_close(stmt);
}

std::ptrdiff_t open_files() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

TEST_F(SqliteProcess, nothing_is_left_open) {
  open().query("CREATE TABLE t(x)");
  session.reset();
  const std::ptrdiff_t before = open_files();
  for (int i = 0; i < scaled(10'000, 100); ++i) {
    Session s(*source);
    ASSERT_EQ(WEIR_OK, s.open());
    ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE p(x)"));
    ASSERT_EQ(WEIR_OK, s.reset());
  }
  for (int i = 0; i < scaled(10'000, 100); ++i) try_open("file:missing/a.db");
  session.reset();
  source.reset();
  EXPECT_EQ(before, open_files());
  EXPECT_EQ(0, sqlite3_memory_used());
}

}  // namespace
}  // namespace weir::test
