// SPDX-License-Identifier: MIT
//
// copy.hpp: COPY ... FROM STDIN as a statement for many rows, the server's fastest way in. One
// statement to the server: all of the rows or, at the first that fails, none.
//
// Called by: many.cpp, with the text in conn.sql. Threads: [conn].
#pragma once

#include "backends/postgres/conn.hpp"

namespace weir::postgres {

weir_status copy_in(Conn& conn, const weir_many_args& args, weir_many_out& done, weir_error* error);

}  // namespace weir::postgres
