// SPDX-License-Identifier: MIT
//
// calls.hpp: the functions behind the slots of the driver's table, as the contract in weir/driver.h
// describes them. They may throw bad_alloc; driver.cpp guards them. Called by: the table only.
#pragma once

#include <weir/insert.h>

#include <cstdint>

namespace weir::mysql {

// execute.cpp
weir_status execute(weir_conn*, const weir_call*, const weir_exec_args*, weir_exec_out*,
                    weir_result**, weir_batch*, weir_error*);
weir_status fetch(weir_result*, const weir_call*, weir_batch*, weir_error*);
void result_close(weir_result*, const weir_call*);
weir_status execute_many(weir_conn*, const weir_call*, const weir_many_args*, weir_many_out*,
                         weir_error*);

// insert.cpp
extern const weir_insert insert_extension;

// statement.cpp
weir_status prepare(weir_conn*, const weir_call*, weir_text, weir_stmt**, weir_prepare_out*,
                    weir_error*);
void stmt_close(weir_stmt*, const weir_call*);

// transaction.cpp
weir_status begin(weir_conn*, const weir_call*, const weir_begin_args*, weir_error*);
weir_status commit(weir_conn*, const weir_call*, weir_error*);
weir_status rollback(weir_conn*, const weir_call*, weir_error*);

// state.cpp
void state(const weir_conn*, weir_conn_state*);
weir_status ping(weir_conn*, std::int32_t depth, const weir_call*, std::int32_t* alive,
                 weir_error*);

// reset.cpp
weir_status reset(weir_conn*, std::int32_t level, const weir_call*, std::uint32_t* done,
                  weir_error*);

}  // namespace weir::mysql
