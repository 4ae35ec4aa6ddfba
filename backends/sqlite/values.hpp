// SPDX-License-Identifier: MIT
//
// values.hpp: cells of the ABI to SQLite's parameters, SQLite's columns to cells. Exact both ways:
// what SQLite could only store as something else is refused, never bent.
//
// Called by: execute.cpp. Threads: [conn].
#pragma once

#include "backends/sqlite/conn.hpp"

namespace weir::sqlite {

// Binds `count` parameters. `copy`: the statement goes on after the call, so the bytes, which are
// the caller's for the call only, are copied into conn.param_bytes.
weir_status bind_all(Conn& conn, sqlite3_stmt* handle, const weir_cell* params, std::uint32_t count,
                     bool copy, weir_error* error);

// Appends the current row to conn.cells, its bytes to conn.batch_bytes. SQLite's code.
int append_row(Conn& conn, sqlite3_stmt* handle, int columns);

// Fills conn.columns for a statement with columns.
void describe_columns(Conn& conn, sqlite3_stmt* handle, int columns);

}  // namespace weir::sqlite
