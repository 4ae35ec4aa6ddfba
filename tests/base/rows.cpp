// SPDX-License-Identifier: MIT
//
// Goal: rows can be moved about, and what was moved from is empty and can be read.
#include <weir/rows.hpp>

#include <string>

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr int rows_made = 3;

Rows make_rows() {
  Columns columns;
  columns.names = {"id", "name"};
  Rows rows(std::move(columns));
  for (int i = 0; i < rows_made; ++i) {
    const std::string name = "row " + std::to_string(i);
    weir_cell cells[2]{};
    cells[0].type = WEIR_T_INT64;
    cells[0].v.i = i;
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

}  // namespace
}  // namespace weir
