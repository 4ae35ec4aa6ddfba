// SPDX-License-Identifier: MIT
#include "backends/mysql/values.hpp"

#include <charconv>
#include <cmath>
#include <istream>
#include <sstream>

namespace weir::mysql {
namespace {

struct TypeLine {
  int library;  // sql::DataType
  Reading reading;
  std::uint16_t type;
};

constexpr TypeLine types[] = {
    {sql::DataType::TINYINT, Reading::signed_integer, WEIR_T_INT64},
    {sql::DataType::SMALLINT, Reading::signed_integer, WEIR_T_INT64},
    {sql::DataType::MEDIUMINT, Reading::signed_integer, WEIR_T_INT64},
    {sql::DataType::INTEGER, Reading::signed_integer, WEIR_T_INT64},
    {sql::DataType::BIGINT, Reading::signed_integer, WEIR_T_INT64},
    {sql::DataType::YEAR, Reading::signed_integer, WEIR_T_INT64},
    {sql::DataType::BIT, Reading::unsigned_integer, WEIR_T_UINT64},
    {sql::DataType::REAL, Reading::real, WEIR_T_DOUBLE},
    {sql::DataType::DOUBLE, Reading::real, WEIR_T_DOUBLE},
    {sql::DataType::DECIMAL, Reading::exact, WEIR_T_DECIMAL},
    {sql::DataType::NUMERIC, Reading::exact, WEIR_T_DECIMAL},
    {sql::DataType::CHAR, Reading::exact, WEIR_T_TEXT},
    {sql::DataType::VARCHAR, Reading::exact, WEIR_T_TEXT},
    {sql::DataType::LONGVARCHAR, Reading::exact, WEIR_T_TEXT},
    {sql::DataType::ENUM, Reading::exact, WEIR_T_TEXT},
    {sql::DataType::SET, Reading::exact, WEIR_T_TEXT},
    {sql::DataType::BINARY, Reading::exact, WEIR_T_BLOB},
    {sql::DataType::VARBINARY, Reading::exact, WEIR_T_BLOB},
    {sql::DataType::LONGVARBINARY, Reading::exact, WEIR_T_BLOB},
    {sql::DataType::GEOMETRY, Reading::exact, WEIR_T_BLOB},
    {sql::DataType::DATE, Reading::date, WEIR_T_DATE},
    {sql::DataType::TIME, Reading::time, WEIR_T_TIME},
    {sql::DataType::TIMESTAMP, Reading::timestamp, WEIR_T_TIMESTAMP},
    {sql::DataType::SQLNULL, Reading::nothing, WEIR_T_NULL},
};

ColumnPlan plan_of(sql::ResultSetMetaData& about, unsigned column) {
  ColumnPlan plan;
  const int type = about.getColumnType(column);
  for (const TypeLine& line : types) {
    if (line.library != type) continue;
    plan.reading = line.reading;
    plan.type = line.type;
  }
  // YEAR counts as unsigned to the library, and fits either way.
  if (plan.reading == Reading::signed_integer && type != sql::DataType::YEAR &&
      !about.isSigned(column)) {
    plan.reading = Reading::unsigned_integer;
    plan.type = WEIR_T_UINT64;
  }
  if (plan.reading == Reading::time || plan.reading == Reading::timestamp) {
    plan.scale = about.getScale(column);
  }
  return plan;
}

// The library prints the year of a prepared result without leading zeros: '00-00-00', '987-01-02'.
std::string full_year(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos || dash >= 4) return std::string(text);
  return std::string(4 - dash, '0').append(text);
}

// And a fraction of a second with six digits or none, whatever the column has.
std::string with_scale(std::string_view text, unsigned scale) {
  const std::size_t dot = text.find('.');
  std::string out(text.substr(0, dot));
  if (scale == 0 || scale > 6) return scale == 0 ? out : std::string(text);
  std::string digits(dot == std::string_view::npos ? "" : text.substr(dot + 1));
  digits.resize(scale, '0');
  return out + "." + digits;
}

// Integers of a text result are read by ourselves: the library's own conversion of what does not
// fit is silent.
template <class T>
bool read_number(std::string_view text, T& value) {
  const auto [at, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  return ec == std::errc{} && at == text.data() + text.size();
}

void lend(Session& session, weir_cell& cell, std::uint16_t type, std::string_view bytes) {
  cell.type = type;
  cell.size = static_cast<std::uint32_t>(bytes.size());
  cell.v.p = session.batch_bytes.add(bytes.data(), bytes.size());
}

[[noreturn]] void unreadable(std::string_view text) {
  Failure failure;
  failure.facts = {.kind = WEIR_E_PROTOCOL,
                   .stage = WEIR_STAGE_FETCH,
                   .conn_fate = WEIR_CONN_BROKEN,
                   .effect = WEIR_EFFECT_DEFINITE};
  failure.text = "a value is not of its column's type: '" + std::string(text.substr(0, 40)) + "'";
  throw Failed(std::move(failure));
}

void read_real(Session& session, sql::ResultSet& rows, unsigned column, weir_cell& cell) {
  cell.type = WEIR_T_DOUBLE;
  // A prepared result holds the double itself, and its text is cut to six digits. A text result
  // holds text that determines the double, which the library would read by the locale.
  if (session.result.prepared != nullptr) {
    cell.v.d = static_cast<double>(rows.getDouble(column));
    return;
  }
  const sql::SQLString text = rows.getString(column);
  if (!read_number(bytes_of(text), cell.v.d)) unreadable(bytes_of(text));
}

weir_cell read_cell(Session& session, const ColumnPlan& plan, unsigned column) {
  sql::ResultSet& rows = *session.result.rows;
  weir_cell cell{};
  if (plan.reading == Reading::nothing || rows.isNull(column)) return cell;
  if (plan.reading == Reading::real) {
    read_real(session, rows, column, cell);
    return cell;
  }
  const sql::SQLString text = rows.getString(column);
  const std::string_view bytes = bytes_of(text);
  cell.type = plan.type;
  switch (plan.reading) {
    case Reading::signed_integer:
      if (!read_number(bytes, cell.v.i)) unreadable(bytes);
      return cell;
    case Reading::unsigned_integer:
      if (!read_number(bytes, cell.v.u)) unreadable(bytes);
      return cell;
    case Reading::date:
      lend(session, cell, plan.type, full_year(bytes));
      return cell;
    case Reading::time:
      lend(session, cell, plan.type, with_scale(bytes, plan.scale));
      return cell;
    case Reading::timestamp:
      lend(session, cell, plan.type, with_scale(full_year(bytes), plan.scale));
      return cell;
    default:
      if (bytes.size() > UINT32_MAX) unreadable("a value of more than 4 GiB");
      lend(session, cell, plan.type, bytes);
      return cell;
  }
}

bool exceeds_signed(const weir_cell& cell) {
  return cell.type == WEIR_T_UINT64 && cell.v.u > std::uint64_t{INT64_MAX};
}

// What is the same to the server when it is called unsigned.
bool is_unsigned_too(const weir_cell& cell) {
  switch (cell.type) {
    case WEIR_T_NULL:
    case WEIR_T_BOOL:
    case WEIR_T_UINT64:
      return true;
    case WEIR_T_INT64:
      return cell.v.i >= 0;
    default:
      return false;
  }
}

void bind_one(sql::PreparedStatement& statement, unsigned index, const Param& param,
              std::vector<std::unique_ptr<std::istream>>& streams) {
  const weir_cell& cell = param.cell;
  switch (cell.type) {
    case WEIR_T_NULL:
      statement.setNull(index, 0);
      return;
    case WEIR_T_BOOL:
    case WEIR_T_INT64:
      statement.setInt64(index, cell.v.i);
      return;
    case WEIR_T_UINT64:
      // As signed where it can be: see fits().
      if (exceeds_signed(cell)) {
        statement.setUInt64(index, cell.v.u);
      } else {
        statement.setInt64(index, static_cast<std::int64_t>(cell.v.u));
      }
      return;
    case WEIR_T_DOUBLE:
      statement.setDouble(index, cell.v.d);
      return;
    case WEIR_T_BLOB:
      // As a string it would have the session's character set, and be checked against it.
      streams.push_back(std::make_unique<std::istringstream>(param.bytes));
      statement.setBlob(index, streams.back().get());
      return;
    default:
      statement.setString(index, to_library(param.bytes));
      return;
  }
}

}  // namespace

Objection check_params(const weir_cell* params, std::uint32_t count) noexcept {
  if (count > 0 && params == nullptr) {
    return {WEIR_E_INVALID_ARGUMENT, 0, "is not there"};
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    const weir_cell& cell = params[i];
    switch (cell.type) {
      case WEIR_T_NULL:
      case WEIR_T_INT64:
      case WEIR_T_UINT64:
        continue;
      case WEIR_T_DOUBLE:
        if (std::isfinite(cell.v.d)) continue;
        return {WEIR_E_DATA, i, "is infinite or NaN, which MySQL does not have"};
      case WEIR_T_BOOL:
        if (cell.v.i == 0 || cell.v.i == 1) continue;
        return {WEIR_E_INVALID_ARGUMENT, i, "is a boolean that is neither 0 nor 1"};
      default:
        break;
    }
    if (cell.type > WEIR_T_OTHER) return {WEIR_E_INVALID_ARGUMENT, i, "has an unknown type"};
    if (cell.size > 0 && cell.v.p == nullptr) {
      return {WEIR_E_INVALID_ARGUMENT, i, "has a size but no bytes"};
    }
    if (cell.type != WEIR_T_BLOB && !is_utf8({static_cast<const char*>(cell.v.p), cell.size})) {
      return {WEIR_E_DATA, i, "is not UTF-8: hand over bytes as a blob"};
    }
  }
  return {};
}

void copy_params(const weir_cell* params, std::uint32_t count, std::vector<Param>& copies) {
  for (std::uint32_t i = 0; i < count; ++i) {
    Param& copy = copies.emplace_back();
    copy.cell = params[i];
    if (params[i].type >= WEIR_T_TEXT && params[i].size > 0) {
      copy.bytes.assign(static_cast<const char*>(params[i].v.p), params[i].size);
    }
  }
}

std::vector<Param> copy_params(const weir_cell* params, std::uint32_t count) {
  std::vector<Param> copies;
  copies.reserve(count);
  copy_params(params, count, copies);
  return copies;
}

bool fits(const std::vector<bool>& was_unsigned, std::span<const Param> params) {
  for (std::size_t i = 0; i < was_unsigned.size() && i < params.size(); ++i) {
    if (was_unsigned[i] && !is_unsigned_too(params[i].cell)) return false;
  }
  return true;
}

void note_unsigned(std::vector<bool>& was_unsigned, std::span<const Param> params) {
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (!exceeds_signed(params[i].cell)) continue;
    if (was_unsigned.size() <= i) was_unsigned.resize(params.size());
    was_unsigned[i] = true;
  }
}

void Binder::bind(sql::PreparedStatement& statement, std::span<const Param> params) {
  streams_.clear();
  for (std::size_t i = 0; i < params.size(); ++i) {
    bind_one(statement, static_cast<unsigned>(i) + 1, params[i], streams_);
  }
}

void describe_columns(Session& session) {
  sql::ResultSetMetaData& about = *session.result.rows->getMetaData();
  const unsigned count = about.getColumnCount();
  const auto keep = [&session](const sql::SQLString& s) -> weir_text {
    const std::string_view bytes = bytes_of(s);
    return {session.column_bytes.add(bytes.data(), bytes.size()), bytes.size()};
  };
  for (unsigned i = 1; i <= count; ++i) {
    session.result.plan.push_back(plan_of(about, i));
    weir_column column{};
    column.struct_size = sizeof column;
    column.type = session.result.plan.back().type;
    column.name = keep(about.getColumnLabel(i));
    column.native_type = keep(about.getColumnTypeName(i));
    session.columns.push_back(column);
  }
}

void append_row(Session& session) {
  unsigned column = 0;
  for (const ColumnPlan& plan : session.result.plan) {
    session.cells.push_back(read_cell(session, plan, ++column));
  }
}

}  // namespace weir::mysql
