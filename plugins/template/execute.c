/* SPDX-License-Identifier: MIT
 *
 * execute.c: statements, results and transactions. A statement holds the store while it runs, a
 * transaction until it ends, an open result until it is closed; so all isolation is serializable.
 */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_BATCH_ROWS = 256, LOOK_EVERY = 1000 };

static const char* const column_names[VALUES_MAX] = {"c1",  "c2",  "c3",  "c4",  "c5",  "c6",
                                                     "c7",  "c8",  "c9",  "c10", "c11", "c12",
                                                     "c13", "c14", "c15", "c16"};

static weir_status no_memory(const struct conn* conn, weir_error* error) {
  return session_refuse(conn, WEIR_E_NOMEM, error, "out of memory", NULL);
}

/* A failure that the "server" answered: it is certain what happened. */
static weir_status answer(const struct conn* conn, weir_status kind, weir_error* error,
                          const char* text) {
  const struct facts facts = {.kind = kind,
                              .stage = conn->stage,
                              .effect = WEIR_EFFECT_DEFINITE,
                              .tx_fate = conn->in_tx ? WEIR_TX_OPEN : WEIR_TX_NONE};
  return fail(error, facts, text, NULL);
}

/* ---------------------------------------------------------------- rows */

static void add_column(struct conn* conn, const char* name) {
  weir_column* column = &conn->columns[conn->column_count++];
  memset(column, 0, sizeof *column);
  column->struct_size = sizeof *column;
  column->type = WEIR_T_OTHER; /* keys and values are of any type: the cells have the last word */
  column->name.data = name;
  column->name.size = strlen(name);
}

static bool add_cell(struct conn* conn, const weir_cell* cell) {
  if (conn->cell_count == conn->cell_capacity) {
    const size_t wanted = conn->cell_capacity == 0 ? 64 : conn->cell_capacity * 2;
    weir_cell* grown = realloc(conn->cells, wanted * sizeof *grown);
    if (grown == NULL) return false;
    conn->cells = grown;
    conn->cell_capacity = wanted;
  }
  conn->cells[conn->cell_count++] = *cell;
  return true;
}

/* Copies what the cells point to: parameters are the caller's for this call only, and the store's
 * bytes may change when it is given back. */
static bool own_bytes(struct conn* conn) {
  size_t total = 1;
  for (size_t i = 0; i < conn->cell_count; ++i) {
    if (conn->cells[i].type >= WEIR_T_TEXT) total += conn->cells[i].size;
  }
  if (total > conn->byte_capacity) {
    char* grown = realloc(conn->bytes, total);
    if (grown == NULL) return false;
    conn->bytes = grown;
    conn->byte_capacity = total;
  }
  char* to = conn->bytes;
  for (size_t i = 0; i < conn->cell_count; ++i) {
    weir_cell* cell = &conn->cells[i];
    if (cell->type < WEIR_T_TEXT) continue;
    if (cell->size > 0) memcpy(to, cell->v.p, cell->size);
    cell->v.p = to;
    to += cell->size;
  }
  return true;
}

/* The next rows of `list`. False: out of memory. */
static bool fill_rows(struct conn* conn) {
  struct result* result = &conn->result;
  const struct store* store = conn->source->store;
  uint64_t bytes = 0;
  conn->cell_count = 0;
  for (uint32_t rows = 0; rows < result->rows_max && result->next < store_count(store); ++rows) {
    if (rows > 0 && bytes >= result->bytes_max) break;
    const weir_cell* key = store_key(store, result->next);
    const weir_cell* value = store_value(store, result->next);
    if (!add_cell(conn, key) || !add_cell(conn, value)) return false;
    bytes += 2 * sizeof *key + key->size + value->size;
    ++result->next;
  }
  return own_bytes(conn);
}

static void lend_batch(const struct conn* conn, bool end, weir_batch* batch) {
  weir_batch filled = {0};
  filled.flags = end ? WEIR_BATCH_END : 0;
  filled.cells = conn->cells;
  filled.columns = conn->column_count;
  filled.row_stride = conn->column_count;
  if (conn->column_count > 0) filled.rows = conn->cell_count / conn->column_count;
  WRITE_OUT(batch, filled);
}

/* ---------------------------------------------------------------- transactions */

static weir_status begin(struct conn* conn, bool read_only, weir_error* error) {
  if (conn->in_tx) {
    return session_refuse(conn, WEIR_E_INVALID_STATE, error, "a transaction is open already", NULL);
  }
  const weir_status status = session_take_store(conn, error);
  if (status != WEIR_OK) return status;
  conn->in_tx = true;
  conn->tx_read_only = read_only;
  return WEIR_OK;
}

static weir_status commit(struct conn* conn, weir_error* error) {
  if (!conn->in_tx) {
    return session_refuse(conn, WEIR_E_INVALID_STATE, error, "no transaction is open", NULL);
  }
  store_commit(conn->source->store);
  conn->in_tx = false;
  conn->tx_read_only = false;
  session_give_store(conn);
  return WEIR_OK;
}

/* ---------------------------------------------------------------- statements */

/* The values of a statement, its parameters filled in. */
static weir_status bind(const struct conn* conn, const struct statement* statement,
                        const weir_cell* params, uint32_t count, weir_cell* values,
                        weir_error* error) {
  if (count != statement->param_count || (count > 0 && params == NULL)) {
    return session_refuse(conn, WEIR_E_INVALID_ARGUMENT, error,
                          "the statement has another number of parameters than values were given",
                          NULL);
  }
  for (uint32_t i = 0; i < statement->value_count; ++i) {
    values[i] = statement->is_param[i] ? *params++ : statement->values[i];
    const bool lacks_bytes =
        values[i].type >= WEIR_T_TEXT && values[i].size > 0 && values[i].v.p == NULL;
    if (values[i].type > WEIR_T_OTHER || lacks_bytes) {
      return session_refuse(conn, WEIR_E_INVALID_ARGUMENT, error,
                            "a parameter has no value, or one of an unknown type", NULL);
    }
  }
  return WEIR_OK;
}

static weir_status store_status(const struct conn* conn, enum store_answer said,
                                weir_error* error) {
  switch (said) {
    case STORE_DONE:
      return WEIR_OK;
    case STORE_FULL:
      return answer(conn, WEIR_E_RESOURCE, error, "the store is full: see keys_max");
    case STORE_NO_MEMORY:
      break;
  }
  return answer(conn, WEIR_E_NOMEM, error, "out of memory");
}

/* A loop of our own looks at cancel, abort and deadline now and then. */
static weir_status fill(struct conn* conn, int64_t count, weir_error* error) {
  for (int64_t i = 1; i <= count; ++i) {
    char text[32];
    weir_cell key = {.v.i = i, .type = WEIR_T_INT64};
    weir_cell value = {.v.p = text, .type = WEIR_T_TEXT};
    value.size = (uint32_t)snprintf(text, sizeof text, "row %lld", (long long)i);
    weir_status status = store_status(conn, store_set(conn->source->store, &key, &value), error);
    if (status == WEIR_OK && i % LOOK_EVERY == 0) status = session_wait(conn, 0, error);
    if (status != WEIR_OK) return status;
  }
  return WEIR_OK;
}

/* What changes or reads the store, which the conn holds. A failed statement has changed nothing. */
static weir_status run_on_store(struct conn* conn, const struct statement* statement,
                                const weir_cell* values, weir_exec_out* out, weir_error* error) {
  struct store* store = conn->source->store;
  const size_t mark = store_mark(store);
  weir_status status = WEIR_OK;
  bool there = true;
  size_t at = 0;
  out->affected = 1;
  switch (statement->verb) {
    case VERB_GET:
      add_column(conn, "value");
      there = store_find(store, &values[0], &at);
      if (there && !add_cell(conn, store_value(store, at))) status = no_memory(conn, error);
      break;
    case VERB_SET:
      status = store_status(conn, store_set(store, &values[0], &values[1]), error);
      break;
    case VERB_DELETE:
      status = store_status(conn, store_delete(store, &values[0], &there), error);
      out->affected = there ? 1 : 0;
      break;
    case VERB_FILL:
      status = fill(conn, values[0].v.i, error);
      out->affected = (uint64_t)values[0].v.i;
      break;
    default: /* list: its rows are filled by whoever lends them */
      add_column(conn, "key");
      add_column(conn, "value");
      conn->result.next = 0;
      break;
  }
  if (status != WEIR_OK) {
    store_undo(store, mark);
  } else if (!conn->in_tx) {
    store_commit(store);
  }
  if (statement_writes(statement)) out->flags = WEIR_EXEC_HAS_AFFECTED;
  return status;
}

static weir_status check_values(const struct conn* conn, const struct statement* statement,
                                const weir_cell* values, weir_error* error) {
  const bool number = statement->verb == VERB_FILL || statement->verb == VERB_SLEEP;
  const bool key =
      statement->verb == VERB_GET || statement->verb == VERB_SET || statement->verb == VERB_DELETE;
  if (number && (values[0].type != WEIR_T_INT64 || values[0].v.i < 0)) {
    return answer(conn, WEIR_E_DATA, error, "fill and sleep take a number that is not negative");
  }
  if (key && values[0].type != WEIR_T_INT64 && values[0].type != WEIR_T_TEXT) {
    return answer(conn, WEIR_E_DATA, error, "a key is an integer or a text");
  }
  if (statement_writes(statement) && (conn->read_only || conn->tx_read_only)) {
    return answer(conn, WEIR_E_READ_ONLY, error, "this session or transaction is read-only");
  }
  return WEIR_OK;
}

/* Leaves rows of get and echo in conn->cells, and those of list to be filled. */
static weir_status run(struct conn* conn, const struct statement* statement,
                       const weir_cell* params, uint32_t param_count, weir_exec_out* out,
                       weir_error* error) {
  weir_cell values[VALUES_MAX];
  conn->cell_count = 0;
  conn->column_count = 0;
  weir_status status = bind(conn, statement, params, param_count, values, error);
  if (status == WEIR_OK) status = check_values(conn, statement, values, error);
  if (status == WEIR_OK) status = session_wait(conn, 0, error);
  if (status != WEIR_OK) return status;
  switch (statement->verb) {
    case VERB_ECHO:
      for (uint32_t i = 0; i < statement->value_count; ++i) {
        add_column(conn, column_names[i]);
        if (!add_cell(conn, &values[i])) return no_memory(conn, error);
      }
      break;
    case VERB_SLEEP: {
      const int64_t ms_max = INT64_MAX / 1000000;
      return session_wait(conn, (values[0].v.i < ms_max ? values[0].v.i : ms_max) * 1000000, error);
    }
    case VERB_READONLY:
      conn->read_only = true;
      return WEIR_OK;
    case VERB_BEGIN:
      return begin(conn, false, error);
    case VERB_COMMIT:
      return commit(conn, error);
    case VERB_ROLLBACK:
      session_roll_back(conn);
      return WEIR_OK;
    default:
      status = session_take_store(conn, error);
      if (status == WEIR_OK) status = run_on_store(conn, statement, values, out, error);
      if (status == WEIR_OK && !own_bytes(conn)) status = no_memory(conn, error);
      return status;
  }
  return own_bytes(conn) ? WEIR_OK : no_memory(conn, error);
}

/* An open result reads the store, which must be held and stay as it is until the result is closed.
 */
static weir_status check_no_result(const struct conn* conn, weir_error* error) {
  if (!conn->result.open) return WEIR_OK;
  return session_refuse(conn, WEIR_E_INVALID_STATE, error, "a result is open: close it first",
                        NULL);
}

/* The statement that is meant: the prepared one, or `local`, parsed from the text, which the caller
 * frees. */
static weir_status choose(const struct conn* conn, weir_stmt* prepared, weir_text sql,
                          struct statement* local, const struct statement** chosen,
                          weir_error* error) {
  weir_status status = check_no_result(conn, error);
  if (status != WEIR_OK) return status;
  const struct stmt* stmt = (struct stmt*)(void*)prepared;
  if (stmt == NULL) {
    const char* problem = NULL;
    status = statement_parse(local, sql, &problem);
    *chosen = local;
    return status == WEIR_OK ? WEIR_OK : session_refuse(conn, status, error, problem, NULL);
  }
  if (stmt->conn != conn) {
    return session_refuse(conn, WEIR_E_INVALID_ARGUMENT, error,
                          "the statement belongs to another connection", NULL);
  }
  if (stmt->gone) {
    return session_refuse(conn, WEIR_E_INVALID_STATE, error,
                          "a reset has ended this statement: prepare it again", NULL);
  }
  *chosen = &stmt->statement;
  return WEIR_OK;
}

/* Lends the rows of a statement that went well; opens the result if more are to come. */
static weir_status lend(struct conn* conn, const struct statement* statement,
                        const weir_exec_args* args, weir_exec_out filled, weir_exec_out* out,
                        weir_result** result, weir_batch* batch, weir_error* error) {
  const bool wanted = (args->flags & WEIR_EXEC_NO_ROWS) == 0;
  const bool at_once = (args->flags & WEIR_EXEC_ONE_BATCH) != 0;
  bool end = true;
  if (!wanted) conn->cell_count = 0;
  if (wanted && statement->verb == VERB_LIST) {
    conn->result.rows_max = args->batch_rows == 0 ? DEFAULT_BATCH_ROWS : args->batch_rows;
    conn->result.bytes_max = args->batch_bytes == 0 ? UINT32_MAX : args->batch_bytes;
    if (at_once) conn->result.rows_max = conn->result.bytes_max = UINT32_MAX;
    if (!fill_rows(conn)) return no_memory(conn, error);
    end = conn->result.next == store_count(conn->source->store);
  }
  filled.columns = conn->columns;
  filled.column_count = conn->column_count;
  filled.column_stride = sizeof(weir_column);
  WRITE_OUT(out, filled);
  lend_batch(conn, end, batch);
  conn->result.open = !end;
  conn->result.failed = false;
  *result = end ? NULL : (weir_result*)(void*)&conn->result;
  return WEIR_OK;
}

weir_status driver_execute(weir_conn* handle, const weir_call* call, const weir_exec_args* raw_args,
                           weir_exec_out* out, weir_result** result, weir_batch* batch,
                           weir_error* error) {
  struct conn* conn = conn_of(handle);
  weir_exec_args args;
  READ_IN(args, raw_args);
  weir_status status = session_start(conn, call, WEIR_STAGE_EXECUTE, error);
  if (status != WEIR_OK) return status;
  struct statement local = {0};
  const struct statement* statement = NULL;
  status = session_bits(conn, args.must_understand, error, "weir_exec_args");
  if (status == WEIR_OK) status = choose(conn, args.stmt, args.sql, &local, &statement, error);
  if (status == WEIR_OK) {
    weir_exec_out filled = {0};
    status = run(conn, statement, args.params, args.param_count, &filled, error);
    if (status == WEIR_OK) {
      status = lend(conn, statement, &args, filled, out, result, batch, error);
    }
    session_give_store(conn);
  }
  statement_free(&local);
  return session_end(conn, status);
}

weir_status driver_fetch(weir_result* handle, const weir_call* call, weir_batch* batch,
                         weir_error* error) {
  struct result* result = (struct result*)(void*)handle;
  struct conn* conn = result->conn;
  weir_status status = session_start(conn, call, WEIR_STAGE_FETCH, error);
  if (status != WEIR_OK) return status;
  if (result->failed || !result->open) {
    const char* why = result->failed ? "the result failed: close it" : "a reset ended the result";
    status = session_refuse(conn, WEIR_E_INVALID_STATE, error, why, NULL);
    return session_end(conn, status);
  }
  status = session_wait(conn, 0, error);
  if (status == WEIR_OK && !fill_rows(conn)) status = no_memory(conn, error);
  if (status == WEIR_OK) {
    lend_batch(conn, result->next == store_count(conn->source->store), batch);
  } else {
    result->failed = true;
  }
  return session_end(conn, status);
}

void driver_result_close(weir_result* handle, const weir_call* call) {
  (void)call; /* takes no time */
  struct result* result = (struct result*)(void*)handle;
  result->open = false;
  session_give_store(result->conn);
}

/* A row that is refused unsent says of itself only that nothing was sent: others were before it. */
static void tell_of_earlier_rows(weir_error* error) {
  if (error == NULL) return;
  weir_error full;
  READ_IN(full, error);
  if (full.effect == WEIR_EFFECT_NOT_SENT) full.effect = WEIR_EFFECT_DEFINITE;
  WRITE_OUT(error, full);
}

weir_status driver_execute_many(weir_conn* handle, const weir_call* call,
                                const weir_many_args* raw_args, weir_many_out* out,
                                weir_error* error) {
  struct conn* conn = conn_of(handle);
  weir_many_args args;
  READ_IN(args, raw_args);
  weir_status status = session_start(conn, call, WEIR_STAGE_EXECUTE, error);
  if (status != WEIR_OK) return status;
  struct statement local = {0};
  const struct statement* statement = NULL;
  weir_many_out done = {0};
  status = session_bits(conn, args.must_understand, error, "weir_many_args");
  if (status == WEIR_OK) status = choose(conn, args.stmt, args.sql, &local, &statement, error);
  while (status == WEIR_OK && done.rows_done < args.row_count) {
    weir_exec_out one = {0};
    const weir_cell* row =
        args.cells == NULL ? NULL : args.cells + done.rows_done * args.row_stride;
    status = run(conn, statement, row, args.param_count, &one, error);
    session_give_store(conn);
    if (status != WEIR_OK) break;
    if ((one.flags & WEIR_EXEC_HAS_AFFECTED) != 0) done.affected += one.affected;
    ++done.rows_done;
  }
  if (status != WEIR_OK && done.rows_done > 0) tell_of_earlier_rows(error);
  statement_free(&local);
  WRITE_OUT(out, done); /* also on failure: it says which row failed */
  return session_end(conn, status);
}

weir_status driver_prepare(weir_conn* handle, const weir_call* call, weir_text sql,
                           weir_stmt** out_stmt, weir_prepare_out* out, weir_error* error) {
  struct conn* conn = conn_of(handle);
  weir_status status = session_start(conn, call, WEIR_STAGE_PREPARE, error);
  if (status != WEIR_OK) return status;
  struct stmt* stmt = calloc(1, sizeof *stmt);
  if (stmt == NULL) return session_end(conn, no_memory(conn, error));
  const char* problem = NULL;
  status = statement_parse(&stmt->statement, sql, &problem);
  if (status != WEIR_OK) {
    free(stmt);
    return session_end(conn, session_refuse(conn, status, error, problem, NULL));
  }
  stmt->conn = conn;
  stmt->next = conn->stmts;
  conn->stmts = stmt;
  weir_prepare_out filled = {0};
  filled.param_count = stmt->statement.param_count;
  WRITE_OUT(out, filled);
  *out_stmt = (weir_stmt*)(void*)stmt;
  return session_end(conn, WEIR_OK);
}

void driver_stmt_close(weir_stmt* handle, const weir_call* call) {
  (void)call;
  struct stmt* stmt = (struct stmt*)(void*)handle;
  struct stmt** link = &stmt->conn->stmts;
  while (*link != stmt) link = &(*link)->next;
  *link = stmt->next;
  statement_free(&stmt->statement);
  free(stmt);
}

/* ---------------------------------------------------------------- transactions as calls */

weir_status driver_begin(weir_conn* handle, const weir_call* call, const weir_begin_args* raw_args,
                         weir_error* error) {
  struct conn* conn = conn_of(handle);
  weir_begin_args args;
  READ_IN(args, raw_args);
  weir_status status = session_start(conn, call, WEIR_STAGE_BEGIN, error);
  if (status != WEIR_OK) return status;
  status = session_bits(conn, args.must_understand, error, "weir_begin_args");
  /* A flag or level that is not known is refused, never ignored. */
  const uint32_t known = WEIR_BEGIN_READ_ONLY | WEIR_BEGIN_WRITE;
  if (status == WEIR_OK &&
      ((args.flags & ~known) != 0 || (args.isolation != WEIR_ISOLATION_DEFAULT &&
                                      args.isolation != WEIR_ISOLATION_SERIALIZABLE))) {
    status = session_refuse(conn, WEIR_E_UNSUPPORTED, error,
                            "transactions are serializable, read-only or not", NULL);
  }
  if (status == WEIR_OK) status = check_no_result(conn, error);
  if (status == WEIR_OK) status = begin(conn, (args.flags & WEIR_BEGIN_READ_ONLY) != 0, error);
  return session_end(conn, status);
}

weir_status driver_commit(weir_conn* handle, const weir_call* call, weir_error* error) {
  struct conn* conn = conn_of(handle);
  weir_status status = session_start(conn, call, WEIR_STAGE_COMMIT, error);
  if (status != WEIR_OK) return status;
  status = check_no_result(conn, error);
  return session_end(conn, status == WEIR_OK ? commit(conn, error) : status);
}

/* Also after the transaction is gone: the host wants none, and there is none. */
weir_status driver_rollback(weir_conn* handle, const weir_call* call, weir_error* error) {
  struct conn* conn = conn_of(handle);
  weir_status status = session_start(conn, call, WEIR_STAGE_ROLLBACK, error);
  if (status != WEIR_OK) return status;
  status = check_no_result(conn, error);
  if (status == WEIR_OK) session_roll_back(conn);
  return session_end(conn, status);
}
