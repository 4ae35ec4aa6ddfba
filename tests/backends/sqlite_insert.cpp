// SPDX-License-Identifier: MIT
//
// Goal: the chunks of one insert_many share a compiled statement, and nobody else ever meets it; a
// row that is refused does not hide those before it. Method: the native handle, which can list what
// is compiled.
#include "tests/backends/sqlite_fixture.hpp"

#include <weir/insert.h>

#include <vector>

namespace weir::test {
namespace {

class SqliteInsert : public Sqlite {
 protected:
  void SetUp() override {
    open();
    ASSERT_EQ(WEIR_OK, session->query("create table t(id integer primary key, name text)"));
    void* handle = nullptr;
    ASSERT_EQ(WEIR_OK,
              session->driver->native(session->conn, "sqlite3*", &handle, &session->error));
    db_ = static_cast<sqlite3*>(handle);
  }
  std::vector<weir_cell> cells_of(std::int64_t first, std::int64_t rows) const {
    std::vector<weir_cell> cells;
    for (std::int64_t id = first; id < first + rows; ++id) {
      cells.push_back(Value::integer(id).cell());
      cells.push_back(name_.cell());
    }
    return cells;
  }
  // Fifty rows, which are one statement.
  weir_status insert(std::int64_t first) { return insert_cells(cells_of(first, 50)); }
  weir_status insert_cells(const std::vector<weir_cell>& cells) {
    constexpr weir_text table{"t", 1};
    constexpr weir_text columns[] = {{"id", 2}, {"name", 4}};
    weir_insert_args args{};
    args.struct_size = sizeof args;
    args.table = &table;
    args.columns = columns;
    args.cells = cells.data();
    args.row_count = cells.size() / 2;
    args.table_parts = 1;
    args.column_count = args.row_stride = 2;
    weir_insert_out done{};
    done.struct_size = sizeof done;
    const auto* many = static_cast<const weir_insert*>(session->driver->extension(WEIR_INSERT_ID));
    const weir_call c = session->call();
    return many->rows(session->conn, &c, &args, &done, &session->error);
  }
  // The compiled INSERT, if there is one.
  sqlite3_stmt* kept() {
    for (sqlite3_stmt* at = nullptr; (at = sqlite3_next_stmt(db_, at)) != nullptr;) {
      if (std::string_view(sqlite3_sql(at)).starts_with("INSERT")) return at;
    }
    return nullptr;
  }

 private:
  const Value name_ = Value::str("row");
  sqlite3* db_ = nullptr;
};

TEST_F(SqliteInsert, compiles_once_in_a_transaction_and_keeps_nothing_after_it) {
  for (const bool commits : {true, false}) {
    ASSERT_EQ(WEIR_OK, session->begin());
    ASSERT_EQ(WEIR_OK, insert(0)) << session->error.what();
    ASSERT_EQ(WEIR_OK, session->query("select count(*) from t"));
    ASSERT_EQ(WEIR_OK, insert(50)) << session->error.what();
    ASSERT_NE(kept(), nullptr);
    EXPECT_EQ(sqlite3_stmt_status(kept(), SQLITE_STMTSTATUS_RUN, 0), 2);
    ASSERT_EQ(WEIR_OK, session->query("delete from t"));
    ASSERT_EQ(WEIR_OK, commits ? session->commit() : session->rollback());
    EXPECT_EQ(kept(), nullptr);
  }
}

TEST_F(SqliteInsert, a_conflict_leaves_a_statement_that_works) {
  ASSERT_EQ(WEIR_OK, session->begin());
  ASSERT_EQ(WEIR_OK, insert(0));
  EXPECT_EQ(WEIR_E_CONSTRAINT, insert(49));
  EXPECT_EQ(WEIR_OK, insert(100)) << session->error.what();
  ASSERT_EQ(WEIR_OK, session->commit());
  EXPECT_EQ(Stranger(file("a.db")).number("select count(*) from t where name = 'row'"), 100);
}

TEST_F(SqliteInsert, a_row_refused_after_others_does_not_say_that_nothing_was_sent) {
  for (const std::int64_t before : {0, 49, 50, 60, 149}) {
    ASSERT_EQ(WEIR_OK, session->query("delete from t"));
    std::vector<weir_cell> cells = cells_of(0, before + 1);
    cells.back().type = 99;
    EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, insert_cells(cells)) << before;
    EXPECT_EQ(before < 50 ? WEIR_EFFECT_NOT_SENT : WEIR_EFFECT_DEFINITE, session->error.effect)
        << before;
    EXPECT_EQ(Stranger(file("a.db")).number("select count(*) from t"), before / 50 * 50);
  }
}

TEST_F(SqliteInsert, follows_the_table_that_bears_the_name) {
  ASSERT_EQ(WEIR_OK, session->begin());
  ASSERT_EQ(WEIR_OK, insert(0));
  ASSERT_EQ(WEIR_OK, session->query("drop table t"));
  EXPECT_NE(WEIR_OK, insert(0));
  ASSERT_EQ(WEIR_OK,
            session->query("create table t(name text, more text default 'm', id integer)"));
  ASSERT_EQ(WEIR_OK, insert(0)) << session->error.what();
  ASSERT_EQ(WEIR_OK, session->commit());
  EXPECT_EQ(Stranger(file("a.db")).number("select sum(id) from t where more = 'm'"), 1225);
}

TEST_F(SqliteInsert, ends_with_its_session) {
  ASSERT_EQ(WEIR_OK, session->begin());
  ASSERT_EQ(WEIR_OK, insert(0));
  ASSERT_EQ(WEIR_OK, session->reset());
  EXPECT_EQ(Stranger(file("a.db")).number("select count(*) from t"), 0);
  ASSERT_EQ(WEIR_OK, session->begin());
  ASSERT_EQ(WEIR_OK, insert(0));
  session->close();
  EXPECT_EQ(Stranger(file("a.db")).number("select count(*) from t"), 0);
}

}  // namespace
}  // namespace weir::test
