// SPDX-License-Identifier: MIT
//
// statements.hpp: what execute, execute_many and prepare ask of a text before they send it, and
// what they note of the session when the answer is there.
//
// Called by: execute.cpp, many.cpp, statement.cpp. Threads: [conn].
#pragma once

#include "backends/postgres/conn.hpp"

namespace weir::postgres {

// A statement about to run: a text, or one that is prepared.
struct Run {
  Stmt* stmt = nullptr;  // null: conn.sql
  Scan traits;
};

// Refuses what is not exactly one statement. The text is in conn.sql afterwards.
weir_status take_text(Conn& conn, std::string_view sql, Scan& traits, weir_error* error);
// Chooses between text and statement.
weir_status choose(Conn& conn, weir_text sql, weir_stmt* prepared, Run& run, weir_error* error);
// Refuses another number of values than it has parameters.
weir_status check_count(const Conn& conn, const Run& run, std::uint32_t given, weir_error* error);

// What the session is after the statement was sent, and after the server's tag ("SET", "LISTEN").
void note_sent(Conn& conn, const Scan& traits) noexcept;
void note_tag(Conn& conn, const PGresult* answer) noexcept;

// Whether the tag counts rows that were changed, and how many.
bool changed_rows(const PGresult* end, std::uint64_t& rows) noexcept;

// After an error. If it says that the server no longer has the statement, or not for the tables as
// they are now, the statement is made anew when it is next used. True: that may be at once, since
// nothing was done; not in a transaction, which has failed now, nor where code may have said it.
bool forget_stale(Conn& conn, const Run& run) noexcept;

// Refuses while the host holds a result.
weir_status check_no_result(const Conn& conn, weir_error* error);

// Looks before the first byte leaves whether the server is still there.
weir_status check_alive(Conn& conn, weir_error* error);

}  // namespace weir::postgres
