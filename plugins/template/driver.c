/* SPDX-License-Identifier: MIT
 *
 * driver.c: what the driver is (its info and its table), the life of env, source and conn, and what
 * looks at a conn. Statements and transactions are in execute.c.
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- options */

static const weir_option_spec options[] = {
    {.struct_size = sizeof(weir_option_spec),
     .type = WEIR_OPT_INTEGER,
     .key = "keys_max",
     .default_value = "100000",
     .doc = "How many keys the store takes before it is full."},
    {.struct_size = sizeof(weir_option_spec),
     .type = WEIR_OPT_DURATION,
     .key = "lock_timeout",
     .default_value = "5s",
     .doc = "How long a statement waits for the transaction of another connection."},
};
enum { OPTION_COUNT = sizeof options / sizeof *options };

static bool is_text(weir_text text, const char* word) {
  return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

/* A positive decimal number. The host checks types before; a driver checks again, because it may be
 * called by any host. */
static bool read_number(weir_text text, int64_t* number) {
  *number = 0;
  for (size_t i = 0; i < text.size; ++i) {
    const int digit = text.data[i] - '0';
    if (digit < 0 || digit > 9 || *number > (INT64_MAX - digit) / 10) return false;
    *number = *number * 10 + digit;
  }
  return text.size > 0;
}

/* Fills `values`, one for each option, with what was given. */
static weir_status read_options(const weir_source_args* args, int64_t* values, weir_error* error) {
  const struct facts wrong = {.kind = WEIR_E_CONFIG, .effect = WEIR_EFFECT_NOT_SENT};
  bool given[OPTION_COUNT] = {false};
  for (size_t i = 0; i < args->option_count; ++i) {
    size_t which = 0;
    while (which < OPTION_COUNT && !is_text(args->options[i].key, options[which].key)) ++which;
    if (which == OPTION_COUNT) {
      /* The text names the option, never its value, which might be a secret in the wrong place. */
      char key[65] = {0};
      const size_t size = args->options[i].key.size;
      if (size > 0) memcpy(key, args->options[i].key.data, size < 64 ? size : 64);
      return fail(error, wrong, "there is no option ", key);
    }
    if (given[which]) return fail(error, wrong, "an option is given twice: ", options[which].key);
    given[which] = true;
    if (!read_number(args->options[i].value, &values[which])) {
      return fail(error, wrong, "no number from 0 to 2^63-1 is given for ", options[which].key);
    }
  }
  return WEIR_OK;
}

/* ---------------------------------------------------------------- env and source */

static weir_status no_memory(weir_error* error) {
  const struct facts facts = {.kind = WEIR_E_NOMEM, .effect = WEIR_EFFECT_NOT_SENT};
  return fail(error, facts, "out of memory", NULL);
}

static weir_status env_create(const weir_host* host, weir_env** out, weir_error* error) {
  const struct facts poor = {.kind = WEIR_E_UNSUPPORTED, .effect = WEIR_EFFECT_NOT_SENT};
  struct env* env = calloc(1, sizeof *env);
  if (env == NULL) return no_memory(error);
  READ_IN(env->host, host);
  const char* missing = env->host.now == NULL    ? "now"
                        : env->host.wait == NULL ? "wait"
                        : env->host.wake == NULL ? "wake"
                                                 : NULL;
  if (missing != NULL) {
    free(env);
    return fail(error, poor, "the host lacks a service that this driver needs: ", missing);
  }
  *out = (weir_env*)(void*)env;
  return WEIR_OK;
}

static void env_destroy(weir_env* env) { free(env); }

static void source_free(struct source* source) {
  if (source->store != NULL) store_destroy(source->store);
  free(source->display);
  free(source);
}

static weir_status source_create(weir_env* env, const weir_source_args* raw_args, weir_source** out,
                                 weir_source_traits* traits, weir_error* error) {
  weir_source_args args;
  READ_IN(args, raw_args);
  if (args.must_understand != 0) {
    const struct facts strange = {.kind = WEIR_E_UNSUPPORTED, .effect = WEIR_EFFECT_NOT_SENT};
    return fail(error, strange, "unknown must_understand bits in weir_source_args", NULL);
  }
  if (args.url.size > 0 && memchr(args.url.data, 0, args.url.size) != NULL) {
    const struct facts wrong = {.kind = WEIR_E_CONFIG, .effect = WEIR_EFFECT_NOT_SENT};
    return fail(error, wrong, "the url contains a NUL byte", NULL);
  }
  int64_t values[OPTION_COUNT] = {100000, 5000000000}; /* the defaults above */
  const weir_status status = read_options(&args, values, error);
  if (status != WEIR_OK) return status;

  struct source* source = calloc(1, sizeof *source);
  if (source == NULL) return no_memory(error);
  source->env = (struct env*)(void*)env;
  source->lock_timeout = values[1];
  source->store = store_create((size_t)values[0]);
  source->display = malloc(args.url.size + 1);
  if (source->store == NULL || source->display == NULL) {
    source_free(source);
    return no_memory(error);
  }
  if (args.url.size > 0) memcpy(source->display, args.url.data, args.url.size);

  weir_source_traits filled = {0};
  filled.display.data = source->display; /* our URLs have no secrets; others are cut out here */
  filled.display.size = args.url.size;
  WRITE_OUT(traits, filled);
  *out = (weir_source*)(void*)source;
  return WEIR_OK;
}

static void source_destroy(weir_source* handle) { source_free((struct source*)(void*)handle); }

/* ---------------------------------------------------------------- cancellers */

static weir_status canceller_create(weir_source* handle, uint64_t conn_tag, weir_canceller** out,
                                    weir_error* error) {
  const struct source* source = (struct source*)(void*)handle;
  struct canceller* canceller = canceller_new(&source->env->host, conn_tag);
  if (canceller == NULL) return no_memory(error);
  *out = (weir_canceller*)(void*)canceller;
  return WEIR_OK;
}

static weir_status cancel(weir_canceller* handle, uint64_t op_id, const weir_call* raw_call,
                          weir_error* error) {
  weir_call call;
  READ_IN(call, raw_call);
  if (call.must_understand != 0) {
    const struct facts strange = {.kind = WEIR_E_UNSUPPORTED, .effect = WEIR_EFFECT_NOT_SENT};
    return fail(error, strange, "unknown must_understand bits in weir_call", NULL);
  }
  canceller_cancel((struct canceller*)(void*)handle, op_id);
  return WEIR_OK;
}

/* Not called abort, which the C library has. */
static void abort_conn(weir_canceller* handle) {
  canceller_abort((struct canceller*)(void*)handle);
}

static void canceller_release(weir_canceller* handle) {
  canceller_drop((struct canceller*)(void*)handle);
}

/* ---------------------------------------------------------------- conn */

/* Memory only: no lock, no wait. */
static void conn_free(struct conn* conn) {
  while (conn->stmts != NULL) {
    struct stmt* next = conn->stmts->next;
    statement_free(&conn->stmts->statement);
    free(conn->stmts);
    conn->stmts = next;
  }
  free(conn->cells);
  free(conn->bytes);
  canceller_drop(conn->canceller);
  free(conn);
}

static weir_status open_conn(weir_source* handle, const weir_call* call,
                             const weir_open_args* raw_args, weir_canceller* canceller,
                             weir_conn** out, weir_error* error) {
  weir_open_args args;
  READ_IN(args, raw_args);
  struct conn* conn = calloc(1, sizeof *conn);
  if (conn == NULL) return no_memory(error);
  conn->source = (struct source*)(void*)handle;
  conn->tag = args.conn_tag;
  conn->opening = true;
  conn->result.conn = conn;
  conn->canceller = (struct canceller*)(void*)canceller;
  atomic_fetch_add(&conn->canceller->owners, 1);

  weir_status status = session_start(conn, call, WEIR_STAGE_CONNECT, error);
  if (status == WEIR_OK) {
    status = session_bits(conn, args.must_understand, error, "weir_open_args");
    /* Here a driver connects: name look-up, TLS and login within the deadline, all waiting in
     * session_wait. Ours has nothing to connect to. */
    if (status == WEIR_OK) status = session_wait(conn, 0, error);
    session_end(conn, status);
  }
  if (status != WEIR_OK) {
    canceller_close(conn->canceller);
    conn_free(conn);
    return status;
  }
  conn->opening = false;
  *out = (weir_conn*)(void*)conn;
  return WEIR_OK;
}

static void close_conn(weir_conn* handle, const weir_call* call) {
  (void)call; /* no goodbye to send, so nothing to be late with */
  struct conn* conn = conn_of(handle);
  session_roll_back(conn);
  canceller_close(conn->canceller);
  conn_free(conn);
}

/* In a forked child: a lock may be held for ever by a thread that the child does not have, so none
 * is taken. */
static void abandon(weir_conn* handle) { conn_free(conn_of(handle)); }

static void state(const weir_conn* handle, weir_conn_state* out) {
  const struct conn* conn = (const struct conn*)(const void*)handle;
  weir_conn_state now = {0};
  if (conn->broken || atomic_load(&conn->canceller->aborted)) now.flags |= WEIR_STATE_BROKEN;
  if (conn->result.open) now.flags |= WEIR_STATE_RESULT_OPEN;
  if (conn->in_tx) now.flags |= WEIR_STATE_IN_TX;
  if (conn->read_only || conn->tx_read_only) now.flags |= WEIR_STATE_READ_ONLY;
  if (conn->read_only) now.flags |= WEIR_STATE_DIRTY;
  WRITE_OUT(out, now);
}

static weir_status ping(weir_conn* handle, int32_t depth, const weir_call* call, int32_t* alive,
                        weir_error* error) {
  struct conn* conn = conn_of(handle);
  if (depth != WEIR_PING_STATE && depth != WEIR_PING_PROTOCOL && depth != WEIR_PING_SESSION) {
    return session_refuse(conn, WEIR_E_UNSUPPORTED, error, "this depth of ping is not offered",
                          NULL);
  }
  const bool gone = conn->broken || atomic_load(&conn->canceller->aborted);
  if (gone || depth == WEIR_PING_STATE) {
    *alive = gone ? WEIR_ALIVE_NO : WEIR_ALIVE_YES;
    return WEIR_OK;
  }
  /* A round trip to the server goes here. */
  const weir_status status = session_start(conn, call, WEIR_STAGE_PING, error);
  if (status != WEIR_OK) return status;
  *alive = WEIR_ALIVE_YES;
  return session_end(conn, WEIR_OK);
}

static weir_status reset(weir_conn* handle, int32_t level, const weir_call* call, uint32_t* done,
                         weir_error* error) {
  struct conn* conn = conn_of(handle);
  const weir_status status = session_start(conn, call, WEIR_STAGE_RESET, error);
  if (status != WEIR_OK) return status;
  if (level < WEIR_RESET_TX || level > WEIR_RESET_FULL) {
    return session_end(conn, session_refuse(conn, WEIR_E_UNSUPPORTED, error,
                                            "this level of reset is not offered", NULL));
  }
  session_roll_back(conn);
  if (level >= WEIR_RESET_SESSION) conn->read_only = false;
  *done = 0;
  if (level == WEIR_RESET_FULL && conn->stmts != NULL) {
    for (struct stmt* stmt = conn->stmts; stmt != NULL; stmt = stmt->next) stmt->gone = true;
    *done = WEIR_RESET_STMTS_GONE;
  }
  return session_end(conn, WEIR_OK);
}

/* ---------------------------------------------------------------- the table */

static const weir_info info = {
    .struct_size = sizeof(weir_info),
    .option_count = OPTION_COUNT,
    .option_stride = sizeof(weir_option_spec),
    .options = options,
    .name = "template",
    .version = "0.1.0",
    .license = "MIT",
    .description = "Keys and values in memory: a driver to copy",
    .placeholder = "?",
    .url_schemes = "template",
};

/* Slots that are left out are optional, and their capabilities not claimed: thread_detach, native,
 * next_set, extension. */
static const weir_driver driver = {
    .struct_size = sizeof(weir_driver),
    .abi_major = WEIR_ABI_MAJOR,
    .abi_minor = WEIR_ABI_MINOR,
    .caps = WEIR_CAP_TX | WEIR_CAP_READ_ONLY_TX | WEIR_CAP_PREPARE | WEIR_CAP_STREAM |
            WEIR_CAP_EXECUTE_MANY | WEIR_CAP_CANCEL | WEIR_CAP_ABORT | WEIR_CAP_PING_SESSION |
            WEIR_CAP_RESET_SESSION | WEIR_CAP_RESET_FULL | WEIR_CAP_DIRTY | WEIR_CAP_HOST_WAIT |
            WEIR_CAP_DEADLINE_HARD | WEIR_CAP_EMBEDDED | WEIR_CAP_DETERMINISTIC |
            WEIR_CAP_FORK_ABANDON,
    .info = &info,
    .env_create = env_create,
    .env_destroy = env_destroy,
    .source_create = source_create,
    .source_destroy = source_destroy,
    .canceller_create = canceller_create,
    .open = open_conn,
    .close = close_conn,
    .abandon = abandon,
    .cancel = cancel,
    .abort = abort_conn,
    .canceller_release = canceller_release,
    .state = state,
    .ping = ping,
    .reset = reset,
    .execute = driver_execute,
    .fetch = driver_fetch,
    .result_close = driver_result_close,
    .execute_many = driver_execute_many,
    .prepare = driver_prepare,
    .stmt_close = driver_stmt_close,
    .begin = driver_begin,
    .commit = driver_commit,
    .rollback = driver_rollback,
};

/* The one exported symbol. A host of any minor will do: what it lacks is 0 in its table. */
const weir_driver* weir_plugin_v1(const weir_host* raw_host, weir_error* error) {
  weir_host host;
  READ_IN(host, raw_host);
  if (host.abi_major == WEIR_ABI_MAJOR) return &driver;
  const struct facts other = {.kind = WEIR_E_UNSUPPORTED, .effect = WEIR_EFFECT_NOT_SENT};
  fail(error, other, "the driver 'template' was built for another version of the driver ABI", NULL);
  return NULL;
}
