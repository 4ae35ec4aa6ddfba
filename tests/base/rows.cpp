// SPDX-License-Identifier: MIT
//
// Goal: rows can be moved about, and what was moved from is empty and can be read.
#include <weir/rows.hpp>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr int rows_made = 3;

Columns columns() {
  Columns columns;
  columns.names = {"id", "name"};
  return columns;
}

void append(Rows& rows, int id, const std::string& name) {
  weir_cell cells[2]{};
  cells[0].type = WEIR_T_INT64;
  cells[0].v.i = id;
  cells[1].type = WEIR_T_TEXT;
  cells[1].v.p = name.data();
  cells[1].size = static_cast<std::uint32_t>(name.size());
  weir_batch batch{};
  batch.struct_size = sizeof batch;
  batch.cells = cells;
  batch.columns = batch.row_stride = 2;
  batch.rows = 1;
  rows.append(batch);
}

Rows make_rows() {
  Rows rows(columns());
  for (int i = 0; i < rows_made; ++i) append(rows, i, "row " + std::to_string(i));
  return rows;
}

void expect_all(const Rows& rows) {
  ASSERT_EQ(rows.size(), static_cast<std::size_t>(rows_made));
  int i = 0;
  for (const RowView row : rows) {
    EXPECT_EQ(row.get<int>("id"), i);
    EXPECT_EQ(row.get<std::string>("name"), "row " + std::to_string(i++));
  }
}

void expect_none(const Rows& rows) {
  EXPECT_TRUE(rows.empty());
  EXPECT_EQ(rows.begin(), rows.end());
  EXPECT_TRUE(rows.columns().names.empty());
}

TEST(Rows, what_was_moved_from_is_empty) {
  Rows from = make_rows();
  Rows to = std::move(from);
  expect_all(to);
  expect_none(from);  // NOLINT(bugprone-use-after-move): that is what is tested
  Rows over = make_rows();
  over = std::move(to);
  expect_all(over);
  expect_none(to);  // NOLINT(bugprone-use-after-move)
  Rows& same = over;
  over = std::move(same);
  expect_all(over);
}

TEST(Rows, the_next_result_of_a_statement_takes_the_memory_of_the_last_if_it_is_small) {
  const auto shared = std::make_shared<const detail::SharedColumns>(columns());
  const auto make = [&](const std::string& name) {
    Rows rows(shared);
    append(rows, 1, name);
    EXPECT_EQ(rows[0].get<std::string>(1), name);
    return rows;
  };
  const std::string large(10'000, 'x');
  std::vector<std::unique_ptr<std::byte[]>> taken;  // what the heap would give again at once
  const auto take_from_heap = [&] {
    for (std::size_t size = 16; size <= 256; size += 16) {
      taken.push_back(std::make_unique<std::byte[]>(size));
    }
  };
  const void* of_the_first = nullptr;
  {
    const Rows first = make("a name");
    of_the_first = &first[0].cell(0);
    EXPECT_NE(&make("beside it")[0].cell(0), of_the_first);
  }
  take_from_heap();
  {
    const Rows next = make("a name");
    EXPECT_EQ(&next[0].cell(0), of_the_first);
    EXPECT_NE(&make(large)[0].cell(0), of_the_first);
  }
  EXPECT_EQ(&make("a name")[0].cell(0), of_the_first) << "the large one was not kept";
  EXPECT_EQ(make("a name a little longer than the others")[0].get<int>(0), 1);
}

TEST(Rows, of_one_statement_may_end_on_other_threads) {
  const auto shared = std::make_shared<const detail::SharedColumns>(columns());
  const auto use = [&](int id) {
    for (int i = 0; i < 1000; ++i) {
      Rows rows(shared);
      append(rows, id, "row of " + std::to_string(id));
      Rows moved = std::move(rows);
      ASSERT_EQ(moved[0].get<std::string>(1), "row of " + std::to_string(id));
    }
  };
  std::thread other(use, 1);
  use(2);
  other.join();
}

TEST(Rows, without_columns_are_counted) {
  weir_batch batch{};
  batch.struct_size = sizeof batch;
  batch.rows = 3;
  Rows rows;
  rows.append(batch);
  rows.append(batch);
  EXPECT_EQ(rows.size(), 6U);
  EXPECT_EQ(rows[5].size(), 0U);
}

}  // namespace
}  // namespace weir
