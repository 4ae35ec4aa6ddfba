// SPDX-License-Identifier: MIT
//
// Columns, one row, and the conversions of weir/value.hpp that need not be inline.
#include <weir/rows.hpp>

#include <algorithm>

namespace weir {

namespace {

const char* type_name(std::uint16_t type) noexcept {
  switch (type) {
    case WEIR_T_NULL:
      return "NULL";
    case WEIR_T_INT64:
    case WEIR_T_UINT64:
      return "an integer";
    case WEIR_T_DOUBLE:
      return "a double";
    case WEIR_T_BOOL:
      return "a boolean";
    case WEIR_T_TEXT:
      return "text";
    case WEIR_T_BLOB:
      return "a blob";
    default:
      return "of a type that reads as text";
  }
}

}  // namespace

namespace detail {

// Never destroyed: a host's static object may read rows in its destructor. And owned by nobody, so
// that threads which copy it do not meet at one count.
const std::shared_ptr<const Columns>& no_columns() noexcept {
  using Shared = std::shared_ptr<const Columns>;
  // Without memory for this the process ends.
  // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new)
  static const Shared& none = *new Shared(std::shared_ptr<void>(), new Columns());
  return none;
}

std::optional<std::int64_t> integer_in(const weir_cell& cell, std::int64_t lowest,
                                       std::int64_t highest) noexcept {
  std::int64_t value = 0;
  if (cell.type == WEIR_T_INT64 || cell.type == WEIR_T_BOOL) {
    value = cell.v.i;
  } else if (cell.type == WEIR_T_UINT64 && cell.v.u <= static_cast<std::uint64_t>(INT64_MAX)) {
    value = static_cast<std::int64_t>(cell.v.u);
  } else {
    return std::nullopt;
  }
  if (value < lowest || value > highest) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> unsigned_in(const weir_cell& cell, std::uint64_t highest) noexcept {
  std::uint64_t value = 0;
  if (cell.type == WEIR_T_UINT64) {
    value = cell.v.u;
  } else if ((cell.type == WEIR_T_INT64 || cell.type == WEIR_T_BOOL) && cell.v.i >= 0) {
    value = static_cast<std::uint64_t>(cell.v.i);
  } else {
    return std::nullopt;
  }
  if (value > highest) return std::nullopt;
  return value;
}

}  // namespace detail

std::size_t Columns::find(std::string_view name) const noexcept {
  const auto it = std::find(names.begin(), names.end(), name);
  return it == names.end() ? npos : static_cast<std::size_t>(it - names.begin());
}

Error RowView::no_such_column(std::size_t column) const {
  return Error(Code::column_type, "there is no column " + std::to_string(column) +
                                      ": the result has " + std::to_string(size()) +
                                      ", counted from 0");
}

Error RowView::no_such_column(std::string_view column) const {
  std::string known;
  for (const std::string& name : columns_->names) known += (known.empty() ? "" : ", ") + name;
  return Error(Code::column_type,
               "there is no column \"" + std::string(column) + "\"; the result has: " + known);
}

Error RowView::wrong_type(std::size_t column) const {
  const std::uint16_t type = cells_[column].type;
  std::string text = "column " + std::to_string(column) + " \"" + columns_->names[column] +
                     "\" is " + type_name(type);
  text += type == WEIR_T_NULL ? "; read it as std::optional<T>, or test is_null()"
                              : ", which is not, or does not fit, the type that was asked for";
  return Error(Code::column_type, std::move(text));
}

}  // namespace weir
