// SPDX-License-Identifier: MIT
#include "backends/postgres/values.hpp"

#include "backends/postgres/types.hpp"

#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

namespace weir::postgres {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool is_octal(char c) { return c >= '0' && c <= '7'; }

// \x0aff, or what a session with bytea_output=escape writes: \\ for a backslash, \ooo for a byte.
bool read_blob(Conn& conn, std::string_view text, weir_cell& cell) {
  std::string& bytes = conn.scratch;
  bytes.clear();
  if (text.starts_with("\\x")) {
    for (std::size_t i = 2; i + 1 < text.size(); i += 2) {
      const int high = hex_digit(text[i]);
      const int low = hex_digit(text[i + 1]);
      if (high < 0 || low < 0) return false;
      bytes += static_cast<char>(high * 16 + low);
    }
    if (text.size() % 2 != 0) return false;
  } else {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\') {
        bytes += text[i];
      } else if (i + 1 < text.size() && text[i + 1] == '\\') {
        bytes += text[++i];
      } else if (i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
                 is_octal(text[i + 3])) {
        bytes += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                   (text[i + 3] - '0'));
        i += 3;
      } else {
        return false;
      }
    }
  }
  cell.size = static_cast<std::uint32_t>(bytes.size());
  cell.v.p = conn.batch_bytes.add(bytes.data(), bytes.size());
  return true;
}

// A real is read as one and then widened, so that the cell has the number that is stored.
bool read_number(std::string_view text, bool single, double& out) {
  float narrow = 0;
  const char* end = text.data() + text.size();
  const auto [at, ec] =
      single ? std::from_chars(text.data(), end, narrow) : std::from_chars(text.data(), end, out);
  if (single) out = static_cast<double>(narrow);
  return at == end && ec == std::errc{};
}

bool read_real(std::string_view text, bool single, double& out) {
  if (text == "NaN") {
    out = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  if (text == "Infinity" || text == "-Infinity") {
    out = std::numeric_limits<double>::infinity();
    if (text[0] == '-') out = -out;
    return true;
  }
  return read_number(text, single, out);
}

bool read_integer(std::string_view text, std::int64_t& out) {
  const char* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, out);
  return at == end && ec == std::errc{};
}

// What is no number and no date of the calendar: NaN, infinity, 0044-03-15 BC.
bool ends_in_letter(std::string_view text) {
  const char last = text.empty() ? '\0' : text.back();
  return (last >= 'a' && last <= 'z') || (last >= 'A' && last <= 'Z');
}

// A session may have been told to write dates in another way. Asked only where there are dates:
// libpq looks through all that the server has told of itself.
class DateStyle {
 public:
  explicit DateStyle(const Conn& conn) noexcept : conn_(conn) {}
  bool is_iso() {
    if (!std::exchange(asked_, true)) {
      const char* style = PQparameterStatus(conn_.pg, "DateStyle");
      is_iso_ = style != nullptr && std::string_view(style).starts_with("ISO");
    }
    return is_iso_;
  }

 private:
  const Conn& conn_;
  bool asked_ = false;
  bool is_iso_ = false;
};

bool read_cell(Conn& conn, int column, std::string_view text, DateStyle& dates, weir_cell& cell) {
  const auto at = static_cast<std::size_t>(column);
  const std::uint16_t type = conn.columns[at].type;
  cell.type = type;
  switch (type) {
    case WEIR_T_INT64:
      return read_integer(text, cell.v.i);
    case WEIR_T_DOUBLE:
      return read_real(text, conn.column_types[at] == real_type, cell.v.d);
    case WEIR_T_BOOL:
      cell.v.i = text == "t" ? 1 : 0;
      return text == "t" || text == "f";
    case WEIR_T_BLOB:
      return read_blob(conn, text, cell);
    default:
      break;
  }
  const bool dated = type >= WEIR_T_DATE && type <= WEIR_T_TIMESTAMP_TZ;
  if ((dated && !dates.is_iso()) || (type != WEIR_T_TEXT && ends_in_letter(text)))
    cell.type = WEIR_T_OTHER;
  cell.size = static_cast<std::uint32_t>(text.size());
  cell.v.p = conn.batch_bytes.add(text.data(), text.size());
  return true;
}

// Most results have the columns of the one before: the same statement was run again.
bool are_described(const Conn& conn, const PGresult* answer) {
  const auto count = static_cast<std::size_t>(PQnfields(answer));
  if (conn.columns.size() != count) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const int at = static_cast<int>(i);
    if (PQftype(answer, at) != conn.column_types[i]) return false;
    if (backend::view(conn.columns[i].name) != PQfname(answer, at)) return false;
  }
  return true;
}

}  // namespace

bool append_rows(Conn& conn, const PGresult* answer) {
  const int columns = PQnfields(answer);
  DateStyle dates(conn);
  for (int row = 0; row < PQntuples(answer); ++row) {
    for (int i = 0; i < columns; ++i) {
      weir_cell cell{};
      if (PQgetisnull(answer, row, i) == 0) {
        const std::string_view text(PQgetvalue(answer, row, i),
                                    static_cast<std::size_t>(PQgetlength(answer, row, i)));
        if (!read_cell(conn, i, text, dates, cell)) return false;
      }
      conn.cells.push_back(cell);
    }
  }
  return true;
}

void describe_columns(Conn& conn, const PGresult* answer) {
  conn.described = true;
  if (are_described(conn, answer)) return;
  conn.columns.clear();
  conn.column_types.clear();
  conn.column_bytes.clear();
  const auto keep = [&conn](std::string_view s) -> weir_text {
    return {conn.column_bytes.add(s.data(), s.size()), s.size()};
  };
  for (int i = 0; i < PQnfields(answer); ++i) {
    conn.column_types.push_back(PQftype(answer, i));
    const TypeLine& type = type_of(conn.column_types.back());
    weir_column column{};
    column.struct_size = sizeof column;
    column.type = type.type;
    column.name = keep(PQfname(answer, i));
    column.native_type = keep(type.name);
    conn.columns.push_back(column);
  }
}

}  // namespace weir::postgres
