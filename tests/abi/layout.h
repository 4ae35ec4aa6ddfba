/* SPDX-License-Identifier: MIT
 *
 * The layout of every struct of weir/driver.h and its extensions on platforms with 64-bit pointers:
 * sizes and the offset of each member. A change that moves one breaks built plugins.
 *
 * Compiled as C11 and as C++, by each compiler at hand; tests/abi/header.cpp holds it complete.
 */
#ifndef WEIR_TESTS_ABI_LAYOUT_H
#define WEIR_TESTS_ABI_LAYOUT_H

#include <weir/insert.h>

#if UINTPTR_MAX == UINT64_MAX

#ifdef __cplusplus
#define WEIR_ASSERT_LAYOUT static_assert
#else
#define WEIR_ASSERT_LAYOUT _Static_assert
#endif
#define WEIR_SIZE(type, bytes) WEIR_ASSERT_LAYOUT(sizeof(type) == (bytes), "size of " #type);
#define WEIR_AT(type, member, bytes) \
  WEIR_ASSERT_LAYOUT(offsetof(type, member) == (bytes), "offset of " #type "." #member);

/* clang-format off */

WEIR_SIZE(weir_text, 16)
WEIR_AT(weir_text, data, 0)
WEIR_AT(weir_text, size, 8)

WEIR_SIZE(weir_error, 48)
WEIR_AT(weir_error, struct_size, 0)
WEIR_AT(weir_error, kind, 4)
WEIR_AT(weir_error, stage, 8)
WEIR_AT(weir_error, conn_fate, 9)
WEIR_AT(weir_error, effect, 10)
WEIR_AT(weir_error, tx_fate, 11)
WEIR_AT(weir_error, flags, 12)
WEIR_AT(weir_error, native_code, 16)
WEIR_AT(weir_error, sqlstate, 24)
WEIR_AT(weir_error, text, 32)
WEIR_AT(weir_error, text_capacity, 40)
WEIR_AT(weir_error, text_size, 44)

WEIR_SIZE(weir_cell, 16)
WEIR_AT(weir_cell, v, 0)
WEIR_AT(weir_cell, v.i, 0)
WEIR_AT(weir_cell, v.u, 0)
WEIR_AT(weir_cell, v.d, 0)
WEIR_AT(weir_cell, v.p, 0)
WEIR_AT(weir_cell, size, 8)
WEIR_AT(weir_cell, type, 12)
WEIR_AT(weir_cell, reserved, 14)

WEIR_SIZE(weir_batch, 32)
WEIR_AT(weir_batch, struct_size, 0)
WEIR_AT(weir_batch, flags, 4)
WEIR_AT(weir_batch, cells, 8)
WEIR_AT(weir_batch, rows, 16)
WEIR_AT(weir_batch, columns, 24)
WEIR_AT(weir_batch, row_stride, 28)

WEIR_SIZE(weir_column, 40)
WEIR_AT(weir_column, struct_size, 0)
WEIR_AT(weir_column, type, 4)
WEIR_AT(weir_column, reserved, 6)
WEIR_AT(weir_column, name, 8)
WEIR_AT(weir_column, native_type, 24)

WEIR_SIZE(weir_call, 24)
WEIR_AT(weir_call, struct_size, 0)
WEIR_AT(weir_call, must_understand, 4)
WEIR_AT(weir_call, op_id, 8)
WEIR_AT(weir_call, deadline, 16)

WEIR_SIZE(weir_option, 32)
WEIR_AT(weir_option, key, 0)
WEIR_AT(weir_option, value, 16)

WEIR_SIZE(weir_event, 40)
WEIR_AT(weir_event, struct_size, 0)
WEIR_AT(weir_event, type, 4)
WEIR_AT(weir_event, name, 8)
WEIR_AT(weir_event, text, 24)

WEIR_SIZE(weir_host, 72)
WEIR_AT(weir_host, struct_size, 0)
WEIR_AT(weir_host, abi_major, 4)
WEIR_AT(weir_host, abi_minor, 6)
WEIR_AT(weir_host, ctx, 8)
WEIR_AT(weir_host, now, 16)
WEIR_AT(weir_host, wait, 24)
WEIR_AT(weir_host, wake, 32)
WEIR_AT(weir_host, log, 40)
WEIR_AT(weir_host, event, 48)
WEIR_AT(weir_host, random, 56)
WEIR_AT(weir_host, extension, 64)

WEIR_SIZE(weir_option_spec, 48)
WEIR_AT(weir_option_spec, struct_size, 0)
WEIR_AT(weir_option_spec, type, 4)
WEIR_AT(weir_option_spec, flags, 8)
WEIR_AT(weir_option_spec, reserved, 12)
WEIR_AT(weir_option_spec, key, 16)
WEIR_AT(weir_option_spec, default_value, 24)
WEIR_AT(weir_option_spec, choices, 32)
WEIR_AT(weir_option_spec, doc, 40)

WEIR_SIZE(weir_info, 80)
WEIR_AT(weir_info, struct_size, 0)
WEIR_AT(weir_info, option_count, 4)
WEIR_AT(weir_info, option_stride, 8)
WEIR_AT(weir_info, reserved, 12)
WEIR_AT(weir_info, options, 16)
WEIR_AT(weir_info, name, 24)
WEIR_AT(weir_info, version, 32)
WEIR_AT(weir_info, license, 40)
WEIR_AT(weir_info, description, 48)
WEIR_AT(weir_info, client_version, 56)
WEIR_AT(weir_info, placeholder, 64)
WEIR_AT(weir_info, url_schemes, 72)

WEIR_SIZE(weir_source_args, 56)
WEIR_AT(weir_source_args, struct_size, 0)
WEIR_AT(weir_source_args, must_understand, 4)
WEIR_AT(weir_source_args, url, 8)
WEIR_AT(weir_source_args, base_dir, 24)
WEIR_AT(weir_source_args, options, 40)
WEIR_AT(weir_source_args, option_count, 48)

WEIR_SIZE(weir_source_traits, 32)
WEIR_AT(weir_source_traits, struct_size, 0)
WEIR_AT(weir_source_traits, flags, 4)
WEIR_AT(weir_source_traits, connections_max, 8)
WEIR_AT(weir_source_traits, reserved, 12)
WEIR_AT(weir_source_traits, display, 16)

WEIR_SIZE(weir_open_args, 16)
WEIR_AT(weir_open_args, struct_size, 0)
WEIR_AT(weir_open_args, must_understand, 4)
WEIR_AT(weir_open_args, conn_tag, 8)

WEIR_SIZE(weir_conn_state, 24)
WEIR_AT(weir_conn_state, struct_size, 0)
WEIR_AT(weir_conn_state, flags, 4)
WEIR_AT(weir_conn_state, backend_id, 8)
WEIR_AT(weir_conn_state, last_io, 16)

WEIR_SIZE(weir_exec_args, 56)
WEIR_AT(weir_exec_args, struct_size, 0)
WEIR_AT(weir_exec_args, must_understand, 4)
WEIR_AT(weir_exec_args, sql, 8)
WEIR_AT(weir_exec_args, stmt, 24)
WEIR_AT(weir_exec_args, params, 32)
WEIR_AT(weir_exec_args, param_count, 40)
WEIR_AT(weir_exec_args, flags, 44)
WEIR_AT(weir_exec_args, batch_rows, 48)
WEIR_AT(weir_exec_args, batch_bytes, 52)

WEIR_SIZE(weir_exec_out, 40)
WEIR_AT(weir_exec_out, struct_size, 0)
WEIR_AT(weir_exec_out, flags, 4)
WEIR_AT(weir_exec_out, affected, 8)
WEIR_AT(weir_exec_out, last_id, 16)
WEIR_AT(weir_exec_out, columns, 24)
WEIR_AT(weir_exec_out, column_count, 32)
WEIR_AT(weir_exec_out, column_stride, 36)

WEIR_SIZE(weir_many_args, 56)
WEIR_AT(weir_many_args, struct_size, 0)
WEIR_AT(weir_many_args, must_understand, 4)
WEIR_AT(weir_many_args, sql, 8)
WEIR_AT(weir_many_args, stmt, 24)
WEIR_AT(weir_many_args, cells, 32)
WEIR_AT(weir_many_args, row_count, 40)
WEIR_AT(weir_many_args, param_count, 48)
WEIR_AT(weir_many_args, row_stride, 52)

WEIR_SIZE(weir_many_out, 24)
WEIR_AT(weir_many_out, struct_size, 0)
WEIR_AT(weir_many_out, flags, 4)
WEIR_AT(weir_many_out, affected, 8)
WEIR_AT(weir_many_out, rows_done, 16)

WEIR_SIZE(weir_prepare_out, 8)
WEIR_AT(weir_prepare_out, struct_size, 0)
WEIR_AT(weir_prepare_out, param_count, 4)

WEIR_SIZE(weir_begin_args, 16)
WEIR_AT(weir_begin_args, struct_size, 0)
WEIR_AT(weir_begin_args, must_understand, 4)
WEIR_AT(weir_begin_args, isolation, 8)
WEIR_AT(weir_begin_args, flags, 12)

WEIR_SIZE(weir_driver, 240)
WEIR_AT(weir_driver, struct_size, 0)
WEIR_AT(weir_driver, abi_major, 4)
WEIR_AT(weir_driver, abi_minor, 6)
WEIR_AT(weir_driver, caps, 8)
WEIR_AT(weir_driver, info, 16)
WEIR_AT(weir_driver, env_create, 24)
WEIR_AT(weir_driver, env_destroy, 32)
WEIR_AT(weir_driver, thread_detach, 40)
WEIR_AT(weir_driver, source_create, 48)
WEIR_AT(weir_driver, source_destroy, 56)
WEIR_AT(weir_driver, canceller_create, 64)
WEIR_AT(weir_driver, open, 72)
WEIR_AT(weir_driver, close, 80)
WEIR_AT(weir_driver, abandon, 88)
WEIR_AT(weir_driver, cancel, 96)
WEIR_AT(weir_driver, abort, 104)
WEIR_AT(weir_driver, canceller_release, 112)
WEIR_AT(weir_driver, state, 120)
WEIR_AT(weir_driver, ping, 128)
WEIR_AT(weir_driver, reset, 136)
WEIR_AT(weir_driver, native, 144)
WEIR_AT(weir_driver, execute, 152)
WEIR_AT(weir_driver, fetch, 160)
WEIR_AT(weir_driver, next_set, 168)
WEIR_AT(weir_driver, result_close, 176)
WEIR_AT(weir_driver, execute_many, 184)
WEIR_AT(weir_driver, prepare, 192)
WEIR_AT(weir_driver, stmt_close, 200)
WEIR_AT(weir_driver, begin, 208)
WEIR_AT(weir_driver, commit, 216)
WEIR_AT(weir_driver, rollback, 224)
WEIR_AT(weir_driver, extension, 232)

WEIR_SIZE(weir_insert_args, 72)
WEIR_AT(weir_insert_args, struct_size, 0)
WEIR_AT(weir_insert_args, must_understand, 4)
WEIR_AT(weir_insert_args, table, 8)
WEIR_AT(weir_insert_args, columns, 16)
WEIR_AT(weir_insert_args, key, 24)
WEIR_AT(weir_insert_args, cells, 32)
WEIR_AT(weir_insert_args, row_count, 40)
WEIR_AT(weir_insert_args, table_parts, 48)
WEIR_AT(weir_insert_args, column_count, 52)
WEIR_AT(weir_insert_args, key_count, 56)
WEIR_AT(weir_insert_args, row_stride, 60)
WEIR_AT(weir_insert_args, on_conflict, 64)
WEIR_AT(weir_insert_args, reserved, 68)

WEIR_SIZE(weir_insert_out, 16)
WEIR_AT(weir_insert_out, struct_size, 0)
WEIR_AT(weir_insert_out, reserved, 4)
WEIR_AT(weir_insert_out, stored, 8)

WEIR_SIZE(weir_insert, 16)
WEIR_AT(weir_insert, struct_size, 0)
WEIR_AT(weir_insert, rows_best, 4)
WEIR_AT(weir_insert, rows, 8)

/* clang-format on */

#endif /* 64-bit pointers */

#endif
