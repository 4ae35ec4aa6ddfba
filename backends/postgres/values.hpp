// SPDX-License-Identifier: MIT
//
// values.hpp: rows of libpq as cells of the ABI. Rows come in text form: libpq asks for one form
// for all columns, and text is the one that every type has, those of extensions among them.
// Numbers, booleans and blobs are read from it exactly; the rest is handed over as it is.
//
// Called by: execute.cpp. Threads: [conn].
#pragma once

#include "backends/postgres/conn.hpp"

namespace weir::postgres {

// Appends the rows of `answer`, whose columns are described, to conn.cells, their bytes to
// conn.batch_bytes. False: the server sent what cannot be what it says it is.
bool append_rows(Conn& conn, const PGresult* answer);

// Sees to it that conn.columns are those of an answer that has columns.
void describe_columns(Conn& conn, const PGresult* answer);

}  // namespace weir::postgres
