// SPDX-License-Identifier: MIT
//
// insert_sql.hpp: the text of an INSERT out of weir_insert_args, as far as databases agree. Names
// are quoted always, so that any will do, and are therefore taken letter by letter.
//
// Called by: the backends that have weir/insert.h. Pure. Threads: any.
#pragma once

#include <weir/insert.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::backend {

// `quote` stands before and after a name, and twice for one inside: '"', or '`' in MySQL.
std::string quoted(std::string_view name, char quote);
// "schema"."table"
std::string quoted_table(const weir_insert_args& args, char quote);
// "a", "b"; `before` stands before each name.
std::string quoted_list(const weir_text* names, std::uint32_t count, char quote,
                        std::string_view before = {});

// INSERT INTO "t" ("a", "b") VALUES (?, ?), (?, ?)
std::string insert_values(const weir_insert_args& args, char quote, std::uint64_t rows);

// What PostgreSQL and SQLite say for on_conflict, with a blank before it; nothing on fail.
std::string on_conflict_clause(const weir_insert_args& args);

// Whether column `index` is part of the key.
bool is_key(const weir_insert_args& args, std::uint32_t index) noexcept;

}  // namespace weir::backend
