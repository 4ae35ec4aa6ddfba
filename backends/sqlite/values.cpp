// SPDX-License-Identifier: MIT
#include "backends/sqlite/values.hpp"

#include <cmath>
#include <cstring>

namespace weir::sqlite {
namespace {

struct DeclaredType {
  const char* part;  // of the declaration, in this order, as SQLite's own affinity rules search
  std::uint16_t type;
};
constexpr DeclaredType declared_types[] = {
    {"int", WEIR_T_INT64},           {"char", WEIR_T_TEXT},          {"clob", WEIR_T_TEXT},
    {"text", WEIR_T_TEXT},           {"blob", WEIR_T_BLOB},          {"real", WEIR_T_DOUBLE},
    {"floa", WEIR_T_DOUBLE},         {"doub", WEIR_T_DOUBLE},        {"bool", WEIR_T_BOOL},
    {"timestamp", WEIR_T_TIMESTAMP}, {"datetime", WEIR_T_TIMESTAMP}, {"date", WEIR_T_DATE},
    {"time", WEIR_T_TIME},           {"dec", WEIR_T_DECIMAL},        {"numeric", WEIR_T_DECIMAL},
};

bool contains(std::string_view text, std::string_view part) {
  for (std::size_t i = 0; i + part.size() <= text.size(); ++i) {
    if (sqlite3_strnicmp(text.data() + i, part.data(), static_cast<int>(part.size())) == 0) {
      return true;
    }
  }
  return false;
}

std::uint16_t type_of(std::string_view declaration) {
  for (const DeclaredType& line : declared_types) {
    if (contains(declaration, line.part)) return line.type;
  }
  return WEIR_T_OTHER;
}

// Text and blobs. A null pointer would bind NULL, so nothing at all is the empty string.
int bind_bytes(Conn& conn, sqlite3_stmt* handle, int index, const weir_cell& cell, bool copy) {
  const void* bytes = cell.size == 0 ? "" : cell.v.p;
  if (copy && cell.size != 0) bytes = conn.param_bytes.add(cell.v.p, cell.size);
  if (cell.type == WEIR_T_BLOB) {
    return sqlite3_bind_blob64(handle, index, bytes, cell.size, SQLITE_STATIC);
  }
  return sqlite3_bind_text64(handle, index, static_cast<const char*>(bytes), cell.size,
                             SQLITE_STATIC, SQLITE_UTF8);
}

// Why a cell cannot be bound; kind WEIR_OK if it can.
struct Objection {
  weir_status kind = WEIR_OK;
  std::string_view text;
};

Objection object_to(const weir_cell& cell) {
  switch (cell.type) {
    case WEIR_T_UINT64:
      if (cell.v.u <= static_cast<std::uint64_t>(INT64_MAX)) return {};
      return {WEIR_E_DATA, "is larger than SQLite's largest integer, 9223372036854775807"};
    case WEIR_T_DOUBLE:
      if (!std::isnan(cell.v.d)) return {};
      return {WEIR_E_DATA, "is NaN, which SQLite would store as NULL"};
    case WEIR_T_BOOL:
      if (cell.v.i == 0 || cell.v.i == 1) return {};
      return {WEIR_E_INVALID_ARGUMENT, "is a boolean that is neither 0 nor 1"};
    case WEIR_T_NULL:
    case WEIR_T_INT64:
      return {};
    default:
      if (cell.type > WEIR_T_OTHER) return {WEIR_E_INVALID_ARGUMENT, "has an unknown type"};
      if (cell.size == 0 || cell.v.p != nullptr) return {};
      return {WEIR_E_INVALID_ARGUMENT, "has a size but no bytes"};
  }
}

int bind_one(Conn& conn, sqlite3_stmt* handle, int index, const weir_cell& cell, bool copy) {
  switch (cell.type) {
    case WEIR_T_NULL:
      return sqlite3_bind_null(handle, index);
    case WEIR_T_INT64:
    case WEIR_T_BOOL:
      return sqlite3_bind_int64(handle, index, cell.v.i);
    case WEIR_T_UINT64:
      return sqlite3_bind_int64(handle, index, static_cast<std::int64_t>(cell.v.u));
    case WEIR_T_DOUBLE:
      return sqlite3_bind_double(handle, index, cell.v.d);
    default:
      return bind_bytes(conn, handle, index, cell, copy);
  }
}

}  // namespace

weir_status bind_all(Conn& conn, sqlite3_stmt* handle, const weir_cell* params, std::uint32_t count,
                     bool copy, weir_error* error) {
  const int wanted = sqlite3_bind_parameter_count(handle);
  if (static_cast<std::uint32_t>(wanted) != count) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT,
                       {"the statement has ", std::to_string(wanted), " parameters, but ",
                        std::to_string(count), " values were given"});
  }
  if (count > 0 && params == nullptr) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT, {"there are no values to bind"});
  }
  if (copy) conn.param_bytes.clear();
  for (int i = 0; i < wanted; ++i) {
    const weir_cell& cell = params[i];
    const Objection objection = object_to(cell);
    if (objection.kind != WEIR_OK) {
      return conn.refuse(error, objection.kind,
                         {"parameter ", std::to_string(i + 1), " ", objection.text});
    }
    if (const int code = bind_one(conn, handle, i + 1, cell, copy)) {
      return conn.report(error, code, "parameter " + std::to_string(i + 1));
    }
  }
  return WEIR_OK;
}

int append_row(Conn& conn, sqlite3_stmt* handle, int columns) {
  for (int i = 0; i < columns; ++i) {
    weir_cell cell{};
    switch (sqlite3_column_type(handle, i)) {
      case SQLITE_INTEGER:
        cell.type = WEIR_T_INT64;
        cell.v.i = sqlite3_column_int64(handle, i);
        break;
      case SQLITE_FLOAT:
        cell.type = WEIR_T_DOUBLE;
        cell.v.d = sqlite3_column_double(handle, i);
        break;
      case SQLITE_NULL:
        break;
      case SQLITE_TEXT:
      case SQLITE_BLOB: {
        const bool is_text = sqlite3_column_type(handle, i) == SQLITE_TEXT;
        const void* bytes =
            is_text ? sqlite3_column_text(handle, i) : sqlite3_column_blob(handle, i);
        const int size = sqlite3_column_bytes(handle, i);
        // SQLite answers a null pointer for an empty blob, and where memory ran out.
        if (bytes == nullptr && (is_text || size > 0)) return SQLITE_NOMEM;
        cell.type = is_text ? WEIR_T_TEXT : WEIR_T_BLOB;
        cell.size = static_cast<std::uint32_t>(size);
        cell.v.p = conn.batch_bytes.add(bytes, cell.size);
        break;
      }
      default:
        return SQLITE_INTERNAL;
    }
    conn.cells.push_back(cell);
  }
  return SQLITE_OK;
}

void describe_columns(Conn& conn, sqlite3_stmt* handle, int columns) {
  const auto keep = [&conn](const char* s) -> weir_text {
    if (s == nullptr) return {"", 0};
    const std::size_t size = std::strlen(s);
    return {conn.column_bytes.add(s, size), size};
  };
  for (int i = 0; i < columns; ++i) {
    const char* declared = sqlite3_column_decltype(handle, i);
    weir_column column{};
    column.struct_size = sizeof column;
    column.type = type_of(declared == nullptr ? "" : declared);
    column.name = keep(sqlite3_column_name(handle, i));
    column.native_type = keep(declared);
    conn.columns.push_back(column);
  }
}

}  // namespace weir::sqlite
