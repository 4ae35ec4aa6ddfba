// SPDX-License-Identifier: MIT
#include "cli/rows_text.hpp"

#include "cli/columns.hpp"
#include "core/base/text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace weir::cli {
namespace {

std::string_view bytes_of(const weir_cell& cell) {
  return cell.size == 0 ? std::string_view()
                        : std::string_view(static_cast<const char*>(cell.v.p), cell.size);
}

bool is_number(const weir_cell& cell) {
  return cell.type == WEIR_T_INT64 || cell.type == WEIR_T_UINT64 || cell.type == WEIR_T_DOUBLE ||
         cell.type == WEIR_T_DECIMAL;
}

std::string hex(std::string_view bytes) {
  std::string text = "\\x";
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - at);
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8U | (i < have ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= have ? digits[group >> (18U - 6U * i) & 63U] : '=';
    }
  }
  return text;
}

// The shortest digits that read back as the same number; 1e15 and 1.0 keep their looks.
std::string number_text(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

// All types but NULL, text and blob.
std::string plain_text(const weir_cell& cell) {
  switch (cell.type) {
    case WEIR_T_INT64:
      return fmt::format("{}", cell.v.i);
    case WEIR_T_UINT64:
      return fmt::format("{}", cell.v.u);
    case WEIR_T_DOUBLE:
      return number_text(cell.v.d);
    case WEIR_T_BOOL:
      return cell.v.i != 0 ? "true" : "false";
    default:
      return std::string(bytes_of(cell));
  }
}

std::string table_text(const weir_cell& cell) {
  if (cell.type == WEIR_T_NULL) return "NULL";
  if (cell.type == WEIR_T_BLOB) return hex(bytes_of(cell));
  // One line per row: a newline inside a value would tear the table.
  std::string text = printable(plain_text(cell));
  for (const auto& [from, to] : {std::pair{'\n', "\\n"}, std::pair{'\t', "\\t"}}) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
      text.replace(at, 1, to);
    }
  }
  return text;
}

std::string escaped(std::string_view text) {
  std::string all;
  for (const char c : text) {
    switch (c) {
      case '\t':
        all += "\\t";
        break;
      case '\n':
        all += "\\n";
        break;
      case '\r':
        all += "\\r";
        break;
      case '\\':
        all += "\\\\";
        break;
      default:
        all += c;
    }
  }
  return all;
}

std::string tsv_text(const weir_cell& cell) {
  if (cell.type == WEIR_T_NULL) return "\\N";
  if (cell.type == WEIR_T_BLOB) return hex(bytes_of(cell));
  return escaped(plain_text(cell));
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace

std::string as_table(const Rows& rows) {
  const std::size_t columns = rows.columns().names.size();
  std::vector<std::vector<std::string>> cells;
  std::vector<std::size_t> widths;
  std::vector<bool> right(columns, !rows.empty());
  cells.emplace_back();
  for (const std::string& name : rows.columns().names) {
    cells.back().push_back(printable(name));
    widths.push_back(width_of(cells.back().back()));
  }
  for (const RowView& row : rows) {
    cells.emplace_back();
    for (std::size_t c = 0; c < columns; ++c) {
      cells.back().push_back(table_text(row.cell(c)));
      widths[c] = std::max(widths[c], width_of(cells.back().back()));
      if (!is_number(row.cell(c)) && row.cell(c).type != WEIR_T_NULL) right[c] = false;
    }
  }
  std::string text;
  for (std::size_t r = 0; r < cells.size(); ++r) {
    std::string line;
    for (std::size_t c = 0; c < columns; ++c) {
      line += (c == 0 ? " " : " | ") + padded(cells[r][c], widths[c], r > 0 && right[c]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
    if (r > 0) continue;
    for (std::size_t c = 0; c < columns; ++c) {
      text += (c == 0 ? "-" : "-+-") + std::string(widths[c], '-');
    }
    text += "-\n";
  }
  return text;
}

std::string as_tsv(const Columns& columns) {
  std::string line;
  for (const std::string& name : columns.names) {
    if (&name != &columns.names.front()) line += '\t';
    line += escaped(name);
  }
  return line + "\n";
}

std::string as_tsv(const RowView& row) {
  std::string line;
  for (std::size_t c = 0; c < row.size(); ++c) {
    if (c > 0) line += '\t';
    line += tsv_text(row.cell(c));
  }
  return line + "\n";
}

nlohmann::ordered_json as_json(const weir_cell& cell) {
  switch (cell.type) {
    case WEIR_T_NULL:
      return nullptr;
    case WEIR_T_INT64:
      return cell.v.i;
    case WEIR_T_UINT64:
      return cell.v.u;
    case WEIR_T_BOOL:
      return cell.v.i != 0;
    case WEIR_T_DOUBLE:
      if (std::isfinite(cell.v.d)) return cell.v.d;
      return fmt::format("{}", cell.v.d);
    case WEIR_T_BLOB:
      return {{"base64", base64(bytes_of(cell))}};
    default:
      break;
  }
  if (!is_utf8(bytes_of(cell))) return {{"base64", base64(bytes_of(cell))}};
  return std::string(bytes_of(cell));
}

}  // namespace weir::cli
