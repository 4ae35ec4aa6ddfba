// SPDX-License-Identifier: MIT
#include "backends/postgres/params.hpp"

#include "backends/postgres/conn.hpp"
#include "backends/postgres/types.hpp"

#include <charconv>
#include <cmath>
#include <cstring>

namespace weir::postgres {
namespace {

Objection object_to_bytes(const weir_cell& cell) {
  if (cell.size == 0) return {};
  if (cell.v.p == nullptr) return {WEIR_E_INVALID_ARGUMENT, "has a size but no bytes"};
  if (cell.size > message_max) {
    return {WEIR_E_DATA, "is larger than PostgreSQL's largest value, 1 GiB"};
  }
  if (cell.type != WEIR_T_BLOB && std::memchr(cell.v.p, '\0', cell.size) != nullptr) {
    return {WEIR_E_INVALID_ARGUMENT, "is text with a NUL byte, which PostgreSQL cannot store"};
  }
  return {};
}

template <class Number>
std::string_view digits_of(char (&text)[40], Number number) {
  return {text,
          static_cast<std::size_t>(std::to_chars(text, text + sizeof text, number).ptr - text)};
}

// The shortest text that reads back as the same bits.
std::string_view real(char (&text)[40], double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  return digits_of(text, number);
}

// Of a number or a boolean; `text` is where it may be written.
std::string_view digits(char (&text)[40], const weir_cell& cell) {
  switch (cell.type) {
    case WEIR_T_INT64:
      return digits_of(text, cell.v.i);
    case WEIR_T_UINT64:
      return digits_of(text, cell.v.u);
    case WEIR_T_DOUBLE:
      return real(text, cell.v.d);
    default:
      return cell.v.i != 0 ? "t" : "f";
  }
}

}  // namespace

Objection object_to(const weir_cell& cell) noexcept {
  switch (cell.type) {
    case WEIR_T_NULL:
    case WEIR_T_INT64:
    case WEIR_T_UINT64:
    case WEIR_T_DOUBLE:
      return {};
    case WEIR_T_BOOL:
      if (cell.v.i == 0 || cell.v.i == 1) return {};
      return {WEIR_E_INVALID_ARGUMENT, "is a boolean that is neither 0 nor 1"};
    default:
      if (cell.type > WEIR_T_OTHER) return {WEIR_E_INVALID_ARGUMENT, "has an unknown type"};
      return object_to_bytes(cell);
  }
}

void append_digits(std::string& text, const weir_cell& cell) {
  char room[40];
  text += digits(room, cell);
}

void append_hex(std::string& text, std::string_view bytes) {
  constexpr std::string_view hex = "0123456789abcdef";
  text += "\\x";
  for (const char c : bytes) {
    text += hex[static_cast<unsigned char>(c) >> 4U];
    text += hex[static_cast<unsigned char>(c) & 15U];
  }
}

Oid declared_type(const weir_cell& cell) noexcept {
  switch (cell.type) {
    case WEIR_T_INT64:
      return int8_type;
    case WEIR_T_UINT64:
      return cell.v.u <= static_cast<std::uint64_t>(INT64_MAX) ? int8_type : numeric_type;
    case WEIR_T_DOUBLE:
      return float8_type;
    case WEIR_T_BOOL:
      return bool_type;
    case WEIR_T_BLOB:
      return bytea_type;
    default:
      return 0;
  }
}

weir_status Params::take(const Conn& conn, const weir_cell* cells, std::uint32_t count,
                         weir_error* error) {
  if (count > 0 && cells == nullptr) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT, {"there are no values to bind"});
  }
  if (count > params_max) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT,
                       {"a statement of PostgreSQL takes no more than 65535 parameters"});
  }
  types_.clear();
  values_.clear();
  lengths_.clear();
  formats_.clear();
  texts_.clear();
  bytes_ = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const Objection objection = object_to(cells[i]);
    if (objection.kind != WEIR_OK) {
      return conn.refuse(error, objection.kind,
                         {"parameter ", std::to_string(i + 1), " ", objection.text});
    }
    if (cells[i].type >= WEIR_T_TEXT) bytes_ += cells[i].size;
    if (bytes_ > message_max) {
      return conn.refuse(error, WEIR_E_DATA,
                         {"the parameters are together larger than PostgreSQL takes, 1 GiB"});
    }
  }
  for (std::uint32_t i = 0; i < count; ++i) take_one(cells[i]);
  return WEIR_OK;
}

void Params::take_one(const weir_cell& cell) {
  const char* value = nullptr;
  int length = 0;
  int format = 0;
  switch (cell.type) {
    case WEIR_T_NULL:
      break;
    case WEIR_T_INT64:
    case WEIR_T_UINT64:
    case WEIR_T_DOUBLE:
    case WEIR_T_BOOL: {
      char room[40];
      const std::string_view text = digits(room, cell);
      value = texts_.add_terminated(text.data(), text.size());
      break;
    }
    case WEIR_T_BLOB:
      value = cell.size == 0 ? "" : static_cast<const char*>(cell.v.p);
      length = static_cast<int>(cell.size);
      format = 1;
      break;
    default:
      value = texts_.add_terminated(cell.v.p, cell.size);
      break;
  }
  types_.push_back(declared_type(cell));
  values_.push_back(value);
  lengths_.push_back(length);
  formats_.push_back(format);
}

}  // namespace weir::postgres
