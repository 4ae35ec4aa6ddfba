// SPDX-License-Identifier: MIT
//
// What a statement does, in a few words, from a look at its text: for logs, metrics and spans.
//
// It is no parser, and says nothing that it is not sure of in every dialect: the first word, and
// the table where that follows at once (INSERT INTO t, UPDATE t, DELETE FROM t) or is the only one
// of a plain SELECT ... FROM t.
//
// Called by: middleware. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace weir::base {

struct SqlSummary {
  std::string operation;  // "SELECT"; empty if the text does not begin with a word
  std::string table;      // as it is written; empty if it is not certain
};

[[nodiscard]] SqlSummary summary_of(std::string_view sql);

}  // namespace weir::base
