// SPDX-License-Identifier: MIT
//
// Source of the numbers: PostgreSQL 15, src/include/catalog/pg_type.dat. They never change.
#include "backends/postgres/types.hpp"

#include <algorithm>

namespace weir::postgres {
namespace {

// By number, for the search.
constexpr TypeLine lines[] = {
    {16, WEIR_T_BOOL, "boolean"},
    {17, WEIR_T_BLOB, "bytea"},
    {18, WEIR_T_TEXT, "\"char\""},
    {19, WEIR_T_TEXT, "name"},
    {20, WEIR_T_INT64, "bigint"},
    {21, WEIR_T_INT64, "smallint"},
    {23, WEIR_T_INT64, "integer"},
    {25, WEIR_T_TEXT, "text"},
    {26, WEIR_T_INT64, "oid"},
    {114, WEIR_T_OTHER, "json"},
    {142, WEIR_T_OTHER, "xml"},
    {600, WEIR_T_OTHER, "point"},
    {650, WEIR_T_OTHER, "cidr"},
    {700, WEIR_T_DOUBLE, "real"},
    {701, WEIR_T_DOUBLE, "double precision"},
    {705, WEIR_T_TEXT, "unknown"},
    {790, WEIR_T_OTHER, "money"},
    {829, WEIR_T_OTHER, "macaddr"},
    {869, WEIR_T_OTHER, "inet"},
    {1000, WEIR_T_OTHER, "boolean[]"},
    {1005, WEIR_T_OTHER, "smallint[]"},
    {1007, WEIR_T_OTHER, "integer[]"},
    {1009, WEIR_T_OTHER, "text[]"},
    {1016, WEIR_T_OTHER, "bigint[]"},
    {1022, WEIR_T_OTHER, "double precision[]"},
    {1042, WEIR_T_TEXT, "character"},
    {1043, WEIR_T_TEXT, "character varying"},
    {1082, WEIR_T_DATE, "date"},
    {1083, WEIR_T_TIME, "time without time zone"},
    {1114, WEIR_T_TIMESTAMP, "timestamp without time zone"},
    {1184, WEIR_T_TIMESTAMP_TZ, "timestamp with time zone"},
    {1186, WEIR_T_OTHER, "interval"},
    {1231, WEIR_T_OTHER, "numeric[]"},
    {1266, WEIR_T_OTHER, "time with time zone"},
    {1560, WEIR_T_OTHER, "bit"},
    {1562, WEIR_T_OTHER, "bit varying"},
    {1700, WEIR_T_DECIMAL, "numeric"},
    {2205, WEIR_T_OTHER, "regclass"},
    {2249, WEIR_T_OTHER, "record"},
    {2278, WEIR_T_TEXT, "void"},
    {2950, WEIR_T_OTHER, "uuid"},
    {2951, WEIR_T_OTHER, "uuid[]"},
    {3614, WEIR_T_OTHER, "tsvector"},
    {3802, WEIR_T_OTHER, "jsonb"},
    {3904, WEIR_T_OTHER, "int4range"},
    {3926, WEIR_T_OTHER, "int8range"},
};
static_assert(std::is_sorted(std::begin(lines), std::end(lines),
                             [](const TypeLine& a, const TypeLine& b) { return a.oid < b.oid; }));
constexpr TypeLine other = {0, WEIR_T_OTHER, ""};

}  // namespace

const TypeLine& type_of(Oid oid) noexcept {
  const TypeLine* at =
      std::lower_bound(std::begin(lines), std::end(lines), oid,
                       [](const TypeLine& line, Oid wanted) { return line.oid < wanted; });
  return at != std::end(lines) && at->oid == oid ? *at : other;
}

}  // namespace weir::postgres
