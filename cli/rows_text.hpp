// SPDX-License-Identifier: MIT
//
// Rows as text: a table for people, tab-separated values for pipes, JSON for programs. Three
// spellings of the same cells. Pure functions; used by `weir sql`.
#pragma once

#include <weir/rows.hpp>

#include <string>

#include <nlohmann/json.hpp>

namespace weir::cli {

// Header and rows in aligned columns, with a NULL that cannot be mistaken for text.
[[nodiscard]] std::string as_table(const Rows& rows);

// One line with its newline. NULL is \N, a blob \x and hex digits; tab, newline, carriage return
// and backslash in text are \t \n \r \\.
[[nodiscard]] std::string as_tsv(const Columns& columns);
[[nodiscard]] std::string as_tsv(const RowView& row);

// NULL is null, a blob {"base64": "..."}, text that is not UTF-8 too; NaN and infinities are text.
[[nodiscard]] nlohmann::ordered_json as_json(const weir_cell& cell);

}  // namespace weir::cli
