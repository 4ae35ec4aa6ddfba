/* SPDX-License-Identifier: MIT
 *
 * session.h: env, source, conn, and what a call on a conn starts and ends with.
 *
 * Shape:   env -> source (its store, its options) -> conn -> statements, at most one open result.
 * Threads: one call on a conn at a time, as the contract grants; only its canceller is touched from
 *          elsewhere.
 * Waiting: in session_wait only, which waits in the host. So cancel, abort and deadlines are looked
 *          at in one place, and the driver runs on any host (WEIR_CAP_HOST_WAIT).
 */
#ifndef TEMPLATE_SESSION_H
#define TEMPLATE_SESSION_H

#include "abi.h"
#include "statement.h"
#include "store.h"

struct env {
  weir_host host; /* a full copy: what an older host lacks is NULL */
};

struct source {
  struct env* env;
  struct store* store;
  weir_time lock_timeout;
  char* display;
};

struct conn;

/* Weir sees these as weir_stmt and weir_result. */
struct stmt {
  struct conn* conn;
  struct stmt* next;
  struct statement statement;
  bool gone; /* a full reset ended it */
};
struct result {
  struct conn* conn;
  bool open;
  bool failed;
  size_t next; /* index of the row to come */
  uint32_t rows_max;
  uint32_t bytes_max;
};

struct conn {
  struct source* source;
  struct canceller* canceller;
  uint64_t tag;

  /* The session. */
  bool broken;
  bool read_only; /* by a statement, until a reset */
  bool in_tx;
  bool tx_read_only;
  struct result result;
  struct stmt* stmts;

  /* The call that runs. */
  bool opening;
  bool was_in_tx;
  uint8_t stage;
  weir_time deadline;

  /* What is lent to the host, until the next call. */
  weir_cell* cells;
  size_t cell_count;
  size_t cell_capacity;
  char* bytes;
  size_t byte_capacity;
  weir_column columns[VALUES_MAX];
  uint32_t column_count;
};

static inline struct conn* conn_of(weir_conn* handle) { return (struct conn*)(void*)handle; }

/* Starts a call: refuses it on a broken or aborted conn, with bits that we do not know, or after
 * its deadline. Each call that started is ended by session_end. */
weir_status session_start(struct conn* conn, const weir_call* call, uint8_t stage,
                          weir_error* error);
weir_status session_end(struct conn* conn, weir_status status);

/* Fails without having done anything; `about` may be NULL. */
weir_status session_refuse(const struct conn* conn, weir_status kind, weir_error* error,
                           const char* text, const char* about);
/* Refuses unknown must_understand bits of the struct named `what`. */
weir_status session_bits(const struct conn* conn, uint32_t must_understand, weir_error* error,
                         const char* what);
/* Waits `ns`; with 0 it only looks. */
weir_status session_wait(struct conn* conn, weir_time ns, weir_error* error);
/* Makes the conn the store's holder, waiting up to lock_timeout. */
weir_status session_take_store(struct conn* conn, weir_error* error);
/* Gives it back, unless a transaction or a result still needs it. */
void session_give_store(struct conn* conn);
/* Ends transaction and result, taking back the one's changes. */
void session_roll_back(struct conn* conn);

/* execute.c: functions of the table. */
weir_status driver_execute(weir_conn* handle, const weir_call* call, const weir_exec_args* raw_args,
                           weir_exec_out* out, weir_result** result, weir_batch* batch,
                           weir_error* error);
weir_status driver_fetch(weir_result* handle, const weir_call* call, weir_batch* batch,
                         weir_error* error);
void driver_result_close(weir_result* handle, const weir_call* call);
weir_status driver_execute_many(weir_conn* handle, const weir_call* call,
                                const weir_many_args* raw_args, weir_many_out* out,
                                weir_error* error);
weir_status driver_prepare(weir_conn* handle, const weir_call* call, weir_text sql,
                           weir_stmt** stmt, weir_prepare_out* out, weir_error* error);
void driver_stmt_close(weir_stmt* handle, const weir_call* call);
weir_status driver_begin(weir_conn* handle, const weir_call* call, const weir_begin_args* raw_args,
                         weir_error* error);
weir_status driver_commit(weir_conn* handle, const weir_call* call, weir_error* error);
weir_status driver_rollback(weir_conn* handle, const weir_call* call, weir_error* error);

#endif
