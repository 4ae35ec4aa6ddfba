// SPDX-License-Identifier: MIT
//
// One text for three databases: the demo writes its parameters as "?", which SQLite and MySQL
// understand; PostgreSQL numbers them, "$1". None of the texts has a "?" of another meaning.
#pragma once

#include <weir/weir.hpp>

#include <string>
#include <string_view>

namespace demo {

inline std::string in_dialect_of(const weir::Pool& db, std::string_view text) {
  if (db.config().driver != "postgres") return std::string(text);
  std::string numbered;
  int parameters = 0;
  for (const char c : text) {
    if (c == '?') {
      numbered += '$' + std::to_string(++parameters);
    } else {
      numbered += c;
    }
  }
  return numbered;
}

}  // namespace demo
