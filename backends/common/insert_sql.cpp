// SPDX-License-Identifier: MIT
#include "backends/common/insert_sql.hpp"

#include "backends/common/abi.hpp"

namespace weir::backend {

std::string quoted(std::string_view name, char quote) {
  std::string text(1, quote);
  for (const char c : name) {
    if (c == quote) text += quote;
    text += c;
  }
  return text += quote;
}

std::string quoted_table(const weir_insert_args& args, char quote) {
  std::string text;
  for (std::uint32_t i = 0; i < args.table_parts; ++i) {
    if (i > 0) text += '.';
    text += quoted(view(args.table[i]), quote);
  }
  return text;
}

std::string quoted_list(const weir_text* names, std::uint32_t count, char quote,
                        std::string_view before) {
  std::string text;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    text += before;
    text += quoted(view(names[i]), quote);
  }
  return text;
}

std::string insert_values(const weir_insert_args& args, char quote, std::uint64_t rows) {
  std::string row = "(?";
  for (std::uint32_t i = 1; i < args.column_count; ++i) row += ", ?";
  row += ')';
  std::string sql = "INSERT INTO " + quoted_table(args, quote) + " (" +
                    quoted_list(args.columns, args.column_count, quote) + ") VALUES " + row;
  for (std::uint64_t i = 1; i < rows; ++i) sql.append(", ").append(row);
  return sql;
}

std::string on_conflict_clause(const weir_insert_args& args) {
  if (args.on_conflict == WEIR_CONFLICT_FAIL) return {};
  if (args.on_conflict == WEIR_CONFLICT_SKIP) return " ON CONFLICT DO NOTHING";
  std::string sql =
      " ON CONFLICT (" + quoted_list(args.key, args.key_count, '"') + ") DO UPDATE SET ";
  std::string_view comma;
  for (std::uint32_t i = 0; i < args.column_count; ++i) {
    if (is_key(args, i)) continue;
    const std::string name = quoted(view(args.columns[i]), '"');
    sql.append(comma).append(name).append(" = excluded.").append(name);
    comma = ", ";
  }
  return sql;
}

bool is_key(const weir_insert_args& args, std::uint32_t index) noexcept {
  for (std::uint32_t i = 0; i < args.key_count; ++i) {
    if (view(args.key[i]) == view(args.columns[index])) return true;
  }
  return false;
}

}  // namespace weir::backend
