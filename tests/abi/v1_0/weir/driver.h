/* SPDX-License-Identifier: MIT
 *
 * weir/driver.h: the contract between a connection pool (the *host*) and a database driver.
 *
 * A driver is a constant table of C functions. It reaches the host in one of two ways: as a shared
 * object that exports exactly one symbol, weir_plugin_v1, or linked in and registered by the host
 * program. This header is the whole specification; a driver needs nothing else of Weir.
 *
 * Shape:    driver (constant table) -> env (one per host instance) -> source (a checked
 *           configuration) -> conn (one session) -> stmt, result. A canceller accompanies each
 *           conn and may outlive it.
 *
 * Threads:  every function ends with one bracket.
 *           [load]    called once or more while loading; one thread at a time; does no I/O.
 *           [any]     callable at any time from any thread, concurrently with everything.
 *           [env]     calls on one env or source do not overlap each other; open() is [any].
 *           [conn]    calls on one conn, its statements and its results never overlap. The thread
 *                     may change between calls; a happens-before edge lies between them.
 *
 * Memory:   whoever allocates frees; no free() crosses this boundary. There are three patterns:
 *           host buffers that the driver fills, driver memory that the host borrows until a stated
 *           event, and handles with a function that ends them.
 *
 * Strings:  data is pointer + length in bytes, UTF-8, not terminated. A driver that needs a
 *           terminator copies, and *refuses* text with an embedded NUL (WEIR_E_INVALID_ARGUMENT)
 *           where it cannot pass it on. Constant metadata (weir_info) is NUL-terminated.
 *
 * Zero:     all-zero means absent, default or unknown in every struct, for ever. Reserved members
 *           are zero.
 *
 * Growth:   structs grow at the end only and start with struct_size, which the party that
 *           allocates the struct sets to its own sizeof. A reader treats what lies beyond
 *           struct_size as zero; a writer writes no more than struct_size. weir_cell, weir_text and
 *           weir_option are frozen. Arrays of growable structs carry a stride. Input structs with
 *           must_understand: a driver that finds a bit it does not know there returns
 *           WEIR_E_UNSUPPORTED and does nothing.
 *
 * Failure:  a function returns WEIR_OK or a WEIR_E_* kind, and fills *error. Outputs are not
 *           touched on failure. Nothing is thrown, nothing long-jumps, and no thread is cancelled
 *           across this boundary. error may be NULL.
 *
 * Time:     nanoseconds on the host's monotonic clock (weir_host.now). Deadlines are absolute;
 *           WEIR_NO_DEADLINE means none; one that has passed means: fail with WEIR_E_TIMEOUT
 *           before doing any I/O.
 *
 * Process:  a driver writes nothing to stdout or stderr, installs no signal or atexit handler,
 *           changes no locale, raises no SIGPIPE, opens descriptors close-on-exec as far as its
 *           client library lets it, and starts threads only if it claims WEIR_CAP_OWN_THREADS.
 *
 * Version:  host and driver with equal majors work together, whichever minor is the higher: within
 *           a major nothing that stands here changes, and what is new comes at the end of a struct,
 *           as a constant, or as an extension.
 */
#ifndef WEIR_DRIVER_H
#define WEIR_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#define WEIR_ABI_MAJOR 1
#define WEIR_ABI_MINOR 0

#if defined(__cplusplus) && __cplusplus >= 201703L
#define WEIR_NOEXCEPT noexcept
#else
#define WEIR_NOEXCEPT
#endif

#if defined(__GNUC__)
#define WEIR_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define WEIR_PLUGIN_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- scalars and handles */

typedef int32_t weir_status; /* WEIR_OK, or one of the WEIR_E_* kinds */
typedef int64_t weir_time;   /* ns on the host's monotonic clock */

#define WEIR_NO_DEADLINE INT64_MAX

/* Opaque to the host. A driver casts to its own types and never completes these. */
typedef struct weir_env weir_env;
typedef struct weir_source weir_source;
typedef struct weir_conn weir_conn;
typedef struct weir_canceller weir_canceller;
typedef struct weir_stmt weir_stmt;
typedef struct weir_result weir_result;

typedef struct weir_text { /* frozen */
  const char* data;        /* may be NULL if size is 0 */
  size_t size;             /* bytes */
} weir_text;

/* ---------------------------------------------------------------- errors */

/* Kinds. A host treats a number that it does not know as WEIR_E_OTHER. */
enum {
  WEIR_OK = 0,
  WEIR_E_UNSUPPORTED = 1,      /* not offered by this driver; nothing was done */
  WEIR_E_INVALID_ARGUMENT = 2, /* the caller's fault; nothing was done */
  WEIR_E_INVALID_STATE = 3,    /* not possible now, e.g. on a broken conn; nothing was done */
  WEIR_E_CONFIG = 4,           /* an option is unknown or wrong; the text names it. Also a database
                                * in the url that the server does not have */
  WEIR_E_RESOLVE = 5,          /* the host name does not resolve */
  WEIR_E_CONNECT = 6,          /* refused, unreachable, no such file */
  WEIR_E_TLS = 7,
  WEIR_E_AUTH = 8,
  WEIR_E_PERMISSION = 9,
  WEIR_E_SERVER_NOT_READY = 10, /* starting up, shutting down, in recovery */
  WEIR_E_TOO_MANY_CONNECTIONS = 11,
  WEIR_E_CONN_LOST = 12,
  WEIR_E_TIMEOUT = 13,   /* the deadline of the call, or a time limit that the server was given */
  WEIR_E_CANCELLED = 14, /* cancel() or abort() */
  WEIR_E_SYNTAX = 15,
  WEIR_E_NOT_FOUND = 16,  /* no such table, column, function ... */
  WEIR_E_CONSTRAINT = 17, /* unique, foreign key, check, not null */
  WEIR_E_DATA = 18,       /* a value does not fit, does not convert */
  WEIR_E_SERIALIZATION = 19,
  WEIR_E_DEADLOCK = 20,
  WEIR_E_LOCK_TIMEOUT = 21, /* somebody else holds the lock for too long */
  WEIR_E_RESOURCE = 22,     /* disk full, out of server memory */
  WEIR_E_READ_ONLY = 23,
  WEIR_E_PROTOCOL = 24, /* the other side broke the rules, or the file is not a database */
  WEIR_E_NOMEM = 25,
  WEIR_E_INTERNAL = 26, /* a bug of the driver */
  WEIR_E_OTHER = 27,
};

/* What happened to the session. */
enum {
  WEIR_CONN_USABLE = 0, /* also right where no conn is concerned */
  WEIR_CONN_BROKEN = 1, /* only close() and abandon() are allowed from now on */
  WEIR_CONN_UNKNOWN = 2,
};

/* What the server did about the request. */
enum {
  WEIR_EFFECT_UNKNOWN = 0,
  WEIR_EFFECT_NOT_SENT = 1, /* no byte of the request left the process: a strict promise */
  WEIR_EFFECT_DEFINITE = 2, /* the server answered: what the error says is what happened */
};

/* What happened to the transaction that was open before the call. */
enum {
  WEIR_TX_NONE = 0,   /* none was open; or nobody knows, as when the answer to a commit was lost */
  WEIR_TX_OPEN = 1,   /* still open, can go on */
  WEIR_TX_FAILED = 2, /* still open, accepts only a rollback */
  WEIR_TX_GONE = 3,   /* rolled back: a promise, so never said of what may have been committed */
};

/* Where it happened. */
enum {
  WEIR_STAGE_NONE = 0,
  WEIR_STAGE_RESOLVE = 1,
  WEIR_STAGE_CONNECT = 2,
  WEIR_STAGE_TLS = 3,
  WEIR_STAGE_AUTH = 4,
  WEIR_STAGE_SETUP = 5,
  WEIR_STAGE_PREPARE = 6,
  WEIR_STAGE_EXECUTE = 7,
  WEIR_STAGE_FETCH = 8,
  WEIR_STAGE_BEGIN = 9,
  WEIR_STAGE_COMMIT = 10,
  WEIR_STAGE_ROLLBACK = 11,
  WEIR_STAGE_RESET = 12,
  WEIR_STAGE_PING = 13,
};

#define WEIR_ERROR_TRANSIENT 1u /* the same request may well succeed later */
#define WEIR_ERROR_TRUNCATED 2u /* text did not fit into text_capacity */

/* Caller-owned, plain data: nothing to release, safe to keep after the driver is gone. Whether a
 * request may be retried is derived by the host from these facts and never asserted by a driver. */
typedef struct weir_error {
  uint32_t struct_size;
  weir_status kind;
  uint8_t stage;       /* WEIR_STAGE_* */
  uint8_t conn_fate;   /* WEIR_CONN_* */
  uint8_t effect;      /* WEIR_EFFECT_* */
  uint8_t tx_fate;     /* WEIR_TX_* */
  uint32_t flags;      /* WEIR_ERROR_* */
  int64_t native_code; /* the database's own number, 0 if none */
  char sqlstate[8];    /* five characters, the rest zero; all zero if there is none */
  char* text;          /* host's buffer, may be NULL; driver writes at most text_capacity bytes */
  uint32_t text_capacity;
  uint32_t text_size; /* bytes written, no terminator */
} weir_error;

/* ---------------------------------------------------------------- values */

/* Cell types */
enum {
  WEIR_T_NULL = 0,    /* all-zero cell = NULL */
  WEIR_T_INT64 = 1,   /* v.i */
  WEIR_T_UINT64 = 2,  /* v.u */
  WEIR_T_DOUBLE = 3,  /* v.d, bit-exact: NaN and infinities if the database has them */
  WEIR_T_BOOL = 4,    /* v.i, 0 or 1 */
  WEIR_T_TEXT = 5,    /* v.p, size: UTF-8; may contain NUL bytes */
  WEIR_T_BLOB = 6,    /* v.p, size */
  WEIR_T_DECIMAL = 7, /* v.p, size: decimal digits as text, nothing lost */
  WEIR_T_DATE = 8,    /* v.p, size: ISO 8601 text, likewise the next three */
  WEIR_T_TIME = 9,
  WEIR_T_TIMESTAMP = 10,
  WEIR_T_TIMESTAMP_TZ = 11,
  WEIR_T_OTHER = 12, /* v.p, size: the database's own text form */
};

/* One value, in parameters and results. Frozen: 16 bytes. */
typedef struct weir_cell {
  union {
    int64_t i;
    uint64_t u;
    double d;
    const void* p; /* of a result: until the event named at weir_batch; of a parameter: the call */
  } v;
  uint32_t size; /* bytes at p */
  uint16_t type; /* WEIR_T_* */
  uint16_t reserved;
} weir_cell;

#define WEIR_BATCH_END 1u       /* no rows follow in this result set */
#define WEIR_BATCH_STABLE 2u    /* cells stay valid until result_close instead of the next fetch */
#define WEIR_BATCH_MORE_SETS 4u /* next_set() will find another result set */

/* A row-major matrix: cell (r, c) is cells[r * row_stride + c]. Cells and the bytes they point to
 * belong to the driver and are valid until the next call on the conn, its statements or results
 * (WEIR_BATCH_STABLE: until result_close). In a batch with rows `columns` is the column_count of
 * its result; a host refuses other rows. */
typedef struct weir_batch {
  uint32_t struct_size;
  uint32_t flags; /* WEIR_BATCH_* */
  const weir_cell* cells;
  uint64_t rows;
  uint32_t columns;
  uint32_t row_stride; /* cells */
} weir_batch;

typedef struct weir_column {
  uint32_t struct_size;
  uint16_t type; /* WEIR_T_* as declared; WEIR_T_OTHER if undeclared: cells have the last word */
  uint16_t reserved;
  weir_text name;
  weir_text native_type; /* as the database spells it; may be empty */
} weir_column;

/* ---------------------------------------------------------------- calls */

/* Every function that may wait takes one. */
typedef struct weir_call {
  uint32_t struct_size;
  uint32_t must_understand;
  uint64_t op_id;     /* unique per conn, never 0; what cancel() names */
  weir_time deadline; /* for the whole call */
} weir_call;

typedef struct weir_option { /* frozen */
  weir_text key;
  weir_text value;
} weir_option;

/* ---------------------------------------------------------------- what the host offers */

/* Events to wait for, and levels */
enum {
  WEIR_WAIT_READ = 1,
  WEIR_WAIT_WRITE = 2,
};
/* Answers of wait */
enum {
  WEIR_WAIT_TIMEOUT = 0,
  WEIR_WAIT_READY = 1,
  WEIR_WAIT_INTERRUPTED = 2,
};
enum {
  WEIR_LOG_DEBUG = 0,
  WEIR_LOG_INFO = 1,
  WEIR_LOG_WARN = 2,
  WEIR_LOG_ERROR = 3,
};

/* What a driver tells the host about a conn, unasked */
enum {
  WEIR_EVENT_NOTICE = 1,
  WEIR_EVENT_NOTIFICATION = 2,
  WEIR_EVENT_PARAMETER_CHANGED = 3,
  WEIR_EVENT_SERVER_GOING_AWAY = 4,
};

typedef struct weir_event {
  uint32_t struct_size;
  int32_t type;   /* WEIR_EVENT_* */
  weir_text name; /* channel, parameter, SQLSTATE */
  weir_text text;
} weir_event;

/* The host's services. Valid from env_create until env_destroy returns. All are [any]; none may be
 * called while the driver holds a lock that cancel(), abort() or another conn may need. */
typedef struct weir_host {
  uint32_t struct_size;
  uint16_t abi_major;
  uint16_t abi_minor;
  void* ctx; /* first argument of every function below */

  /* Monotonic time. Never goes back; unrelated to the wall clock. [any] */
  weir_time (*now)(void* ctx) WEIR_NOEXCEPT;

  /* Waits until fd shows one of `events` (WEIR_WAIT_READ | WEIR_WAIT_WRITE), `until` has come, or
   * wake(conn_tag) was called; fd -1 waits for the last two only. One wait for a tag at a time: the
   * running call's, so cancel() and abort() do not wait here. Returns WEIR_WAIT_*. May return
   * WEIR_WAIT_INTERRUPTED without cause: the driver looks at its own cancel and abort flags, then
   * waits again. A driver that waits nowhere else runs unchanged on threads, fibers and in the
   * simulator (WEIR_CAP_HOST_WAIT). [any] */
  int32_t (*wait)(void* ctx, uint64_t conn_tag, int32_t fd, uint32_t events,
                  weir_time until) WEIR_NOEXCEPT;

  /* Ends the wait of conn_tag that is in progress, else the next one. Meant for the driver's
   * cancel() and abort(), after they have set their flag. Unknown tags are ignored. [any] */
  void (*wake)(void* ctx, uint64_t conn_tag) WEIR_NOEXCEPT;

  /* Hands one line to the host's log; conn_tag 0 if it concerns no conn. Does not re-enter. [any]*/
  void (*log)(void* ctx, int32_t level, uint64_t conn_tag, weir_text line) WEIR_NOEXCEPT;

  /* Hands over an event; everything it points to may be freed afterwards. [any] */
  void (*event)(void* ctx, uint64_t conn_tag, const weir_event* event) WEIR_NOEXCEPT;

  /* Fills `out` with random bytes, good enough for jitter and names, not for keys. [any] */
  void (*random)(void* ctx, void* out, size_t size) WEIR_NOEXCEPT;

  /* An optional area by id, "weir.<area>/<revision>"; NULL if unknown. [any] */
  const void* (*extension)(void* ctx, const char* id)WEIR_NOEXCEPT;
} weir_host;

/* ---------------------------------------------------------------- what the driver offers */

/* Capabilities. A slot whose capability is not claimed returns WEIR_E_UNSUPPORTED (or is NULL). */
#define WEIR_CAP_TX (UINT64_C(1) << 0)            /* begin, commit, rollback */
#define WEIR_CAP_READ_ONLY_TX (UINT64_C(1) << 1)  /* begin honours WEIR_BEGIN_READ_ONLY */
#define WEIR_CAP_SAVEPOINT (UINT64_C(1) << 2)     /* SQL SAVEPOINT / RELEASE / ROLLBACK TO */
#define WEIR_CAP_PREPARE (UINT64_C(1) << 3)       /* prepare, stmt_close */
#define WEIR_CAP_STREAM (UINT64_C(1) << 4)        /* batches in bounded memory */
#define WEIR_CAP_MULTI_RESULT (UINT64_C(1) << 5)  /* next_set */
#define WEIR_CAP_EXECUTE_MANY (UINT64_C(1) << 6)  /* execute_many */
#define WEIR_CAP_CANCEL (UINT64_C(1) << 7)        /* cancel ends a running call */
#define WEIR_CAP_ABORT (UINT64_C(1) << 8)         /* abort ends any blocked call promptly */
#define WEIR_CAP_PING_SOCKET (UINT64_C(1) << 9)   /* ping(WEIR_PING_SOCKET) */
#define WEIR_CAP_PING_SESSION (UINT64_C(1) << 10) /* ping(WEIR_PING_SESSION) */
#define WEIR_CAP_RESET_SESSION (UINT64_C(1) << 11)
#define WEIR_CAP_RESET_FULL (UINT64_C(1) << 12)
#define WEIR_CAP_DIRTY (UINT64_C(1) << 13)         /* state tells whether the session changed */
#define WEIR_CAP_HOST_WAIT (UINT64_C(1) << 14)     /* waits in weir_host.wait only */
#define WEIR_CAP_DEADLINE_HARD (UINT64_C(1) << 15) /* calls end at their deadline */
#define WEIR_CAP_BLOCKING (UINT64_C(1) << 16)      /* coarse: see below */
#define WEIR_CAP_EMBEDDED (UINT64_C(1) << 17)      /* no network: the work is done in the call */
#define WEIR_CAP_OWN_THREADS (UINT64_C(1) << 18)
#define WEIR_CAP_DETERMINISTIC (UINT64_C(1) << 19) /* same host answers, same behaviour */
#define WEIR_CAP_FORK_ABANDON (UINT64_C(1) << 20)  /* abandon is safe in a forked child */
#define WEIR_CAP_NATIVE (UINT64_C(1) << 21)        /* native */

/* Of a driver without WEIR_CAP_DIRTY the flags of a session that was used say nothing: a host
 * resets it after each lease that called the driver. If the driver claims no reset either, it goes
 * to the next user as it is. */

/* A coarse driver sits on a client library that blocks. Its calls may outlive their deadline, or
 * return at it and leave the library at work on a thread of the driver's own; then the conn is
 * broken and the effect unknown, and no other conn waits for that thread. A driver claims it or
 * WEIR_CAP_DEADLINE_HARD, not both. */

/* Option types */
enum {
  WEIR_OPT_STRING = 0,
  WEIR_OPT_INTEGER = 1,
  WEIR_OPT_BOOLEAN = 2,  /* "true" or "false" */
  WEIR_OPT_DURATION = 3, /* the host hands over whole nanoseconds in decimal */
  WEIR_OPT_CHOICE = 4,   /* one of the words in `choices` */
};
#define WEIR_OPT_SECRET 1u   /* never shown by anybody */
#define WEIR_OPT_REQUIRED 2u /* no default */

/* One option of [pool.<name>.options]. The host checks types and choices before source_create. */
typedef struct weir_option_spec {
  uint32_t struct_size;
  int32_t type;   /* WEIR_OPT_* */
  uint32_t flags; /* WEIR_OPT_SECRET ... */
  uint32_t reserved;
  const char* key;           /* snake_case */
  const char* default_value; /* as the user would write it; NULL if none */
  const char* choices;       /* "a|b|c" for WEIR_OPT_CHOICE, else NULL */
  const char* doc;           /* one sentence */
} weir_option_spec;

/* Constant for the life of the process. */
typedef struct weir_info {
  uint32_t struct_size;
  uint32_t option_count;
  uint32_t option_stride; /* bytes between two elements of options */
  uint32_t reserved;
  const weir_option_spec* options;
  const char* name;    /* [a-z0-9][a-z0-9_-]{0,63}, e.g. "sqlite" */
  const char* version; /* of the driver */
  const char* license; /* SPDX expression of the driver and what it links */
  const char* description;
  const char* client_version; /* of the client library in use; NULL if none */
  const char* placeholder;    /* "?" or "$1": how SQL names its first parameter */
  const char* url_schemes;    /* "sqlite|file": schemes of `url` that this driver takes */
} weir_info;

typedef struct weir_source_args {
  uint32_t struct_size;
  uint32_t must_understand;
  weir_text url;      /* as the user wrote it, less the parameters that belong to the pool */
  weir_text base_dir; /* relative paths in url and options are relative to this directory */
  const weir_option* options;
  size_t option_count;
} weir_source_args;

/* The data lives in the conn: it must never be closed while wanted. */
#define WEIR_SOURCE_PINNED 1u

/* What the configuration means for a pool. Filled by source_create. */
typedef struct weir_source_traits {
  uint32_t struct_size;
  uint32_t flags;           /* WEIR_SOURCE_* */
  uint32_t connections_max; /* 0 = the driver knows no limit */
  uint32_t reserved;
  weir_text display; /* where it connects to, without secrets; valid while the source lives */
} weir_source_traits;

typedef struct weir_open_args {
  uint32_t struct_size;
  uint32_t must_understand;
  uint64_t conn_tag; /* the host's id for this conn: for wait, wake, log, event. Never 0 */
} weir_open_args;

#define WEIR_STATE_BROKEN (1u << 0)
#define WEIR_STATE_RESULT_OPEN (1u << 1) /* rows of a result are still to be read */
#define WEIR_STATE_IN_TX (1u << 2)
#define WEIR_STATE_TX_FAILED (1u << 3)
#define WEIR_STATE_READ_ONLY (1u << 4)
#define WEIR_STATE_DIRTY (1u << 5)          /* the session changed since open or the last reset */
#define WEIR_STATE_DIRTY_UNKNOWN (1u << 6)  /* it may have: only a reset or a close can tell */
#define WEIR_STATE_CANCEL_PENDING (1u << 7) /* a cancel was sent and is not settled */

typedef struct weir_conn_state {
  uint32_t struct_size;
  uint32_t flags;      /* WEIR_STATE_* */
  uint64_t backend_id; /* the server's id of the session, 0 if none */
  weir_time last_io;   /* when the server was last heard; 0 if not tracked */
} weir_conn_state;

/* Depth of a ping */
enum {
  WEIR_PING_STATE = 0,    /* flags only, no system call */
  WEIR_PING_SOCKET = 1,   /* one non-blocking look, nothing sent */
  WEIR_PING_PROTOCOL = 2, /* one round trip */
  WEIR_PING_SESSION = 3,  /* proves that the session can do its work: reads the database */
};
enum {
  WEIR_ALIVE_UNKNOWN = 0,
  WEIR_ALIVE_YES = 1,
  WEIR_ALIVE_NO = 2,
};

/* Level of a reset: each includes those above it */
enum {
  WEIR_RESET_TX = 0,      /* end what is in progress: results, transaction */
  WEIR_RESET_SESSION = 1, /* as after open, prepared statements may stay */
  WEIR_RESET_FULL = 2,    /* as after open */
};
/* Out: statements of this conn are invalid now, and only stmt_close takes them. */
#define WEIR_RESET_STMTS_GONE 1u
/* Out: the driver cannot vouch for the session: discard it. */
#define WEIR_RESET_NOT_PROVEN 2u

/* In: the caller does not want rows; the driver need not fetch any. */
#define WEIR_EXEC_NO_ROWS 1u
/* In: return all rows in the first batch, whatever their size. */
#define WEIR_EXEC_ONE_BATCH 2u

typedef struct weir_exec_args {
  uint32_t struct_size;
  uint32_t must_understand;
  weir_text sql;   /* exactly one statement; used if stmt is NULL */
  weir_stmt* stmt; /* of the same conn */
  const weir_cell* params;
  uint32_t param_count;
  uint32_t flags;       /* WEIR_EXEC_* */
  uint32_t batch_rows;  /* rows per batch; 0 = the driver's choice */
  uint32_t batch_bytes; /* a batch ends when it holds this much; 0 = the driver's choice */
} weir_exec_args;

#define WEIR_EXEC_HAS_AFFECTED 1u /* out: affected is meaningful */
#define WEIR_EXEC_HAS_LAST_ID 2u  /* out: last_id is meaningful */

/* columns is borrowed like a batch: until the result is closed, or, where there is no result, until
 * the next call on the conn. */
typedef struct weir_exec_out {
  uint32_t struct_size;
  uint32_t flags;    /* WEIR_EXEC_HAS_* */
  uint64_t affected; /* rows inserted, changed or deleted */
  int64_t last_id;   /* the last generated key */
  const weir_column* columns;
  uint32_t column_count;
  uint32_t column_stride; /* bytes between two elements of columns */
} weir_exec_out;

typedef struct weir_many_args {
  uint32_t struct_size;
  uint32_t must_understand;
  weir_text sql;
  weir_stmt* stmt;
  const weir_cell* cells; /* row r, parameter c at cells[r * row_stride + c] */
  uint64_t row_count;
  uint32_t param_count;
  uint32_t row_stride;
} weir_many_args;

typedef struct weir_many_out {
  uint32_t struct_size;
  uint32_t flags;
  uint64_t affected;  /* sum over the rows that were executed */
  uint64_t rows_done; /* on failure: index of the row that failed. Written on failure, too */
} weir_many_out;

typedef struct weir_prepare_out {
  uint32_t struct_size;
  uint32_t param_count;
} weir_prepare_out;

/* Isolation levels */
enum {
  WEIR_ISOLATION_DEFAULT = 0,
  WEIR_ISOLATION_READ_UNCOMMITTED = 1,
  WEIR_ISOLATION_READ_COMMITTED = 2,
  WEIR_ISOLATION_REPEATABLE_READ = 3,
  WEIR_ISOLATION_SERIALIZABLE = 4,
};
#define WEIR_BEGIN_READ_ONLY 1u
/* Take write locks at once where the database can (BEGIN IMMEDIATE). */
#define WEIR_BEGIN_WRITE 2u

typedef struct weir_begin_args {
  uint32_t struct_size;
  uint32_t must_understand;
  int32_t isolation; /* unsupported: WEIR_E_UNSUPPORTED, never a silent downgrade */
  uint32_t flags;    /* WEIR_BEGIN_* */
} weir_begin_args;

typedef struct weir_driver {
  uint32_t struct_size;
  uint16_t abi_major;
  uint16_t abi_minor;
  uint64_t caps; /* WEIR_CAP_* */
  const weir_info* info;

  /* -- life of the library ------------------------------------------------------ */

  /* Prepares the driver for one host. `host` stays valid until env_destroy returns. No I/O.
   * Errors: NOMEM; UNSUPPORTED if the host lacks a service. Required. [env] */
  weir_status (*env_create)(const weir_host* host, weir_env** env, weir_error* error) WEIR_NOEXCEPT;

  /* Ends the env. Every source is destroyed, every conn closed before. Leaves no thread, descriptor
   * or callback behind. Blocks: for a look-up or another call of the client library that is still
   * under way and that nothing can end, until its own time limit. Required. [env] */
  void (*env_destroy)(weir_env* env) WEIR_NOEXCEPT;

  /* Called by the host on a thread of its own that made calls, when it has done with them for now
   * and before it ends. Threads of the host's callers make calls, too, and end without it: what a
   * driver keeps per thread must go by itself, by a destructor of the thread. [any] */
  void (*thread_detach)(weir_env* env) WEIR_NOEXCEPT;

  /* -- configuration ------------------------------------------------------------ */

  /* Checks url and options; connects to nothing. Borrows args for the call only.
   * Errors: CONFIG, the text naming the option (never a secret value), also where a url or an
   * option has an embedded NUL. Required. [env] */
  weir_status (*source_create)(weir_env* env, const weir_source_args* args, weir_source** source,
                               weir_source_traits* traits, weir_error* error) WEIR_NOEXCEPT;

  /* Ends the source. Its conns are closed before. Required. [env] */
  void (*source_destroy)(weir_source* source) WEIR_NOEXCEPT;

  /* -- life of a conn ----------------------------------------------------------- */

  /* Makes the handle by which a conn that does not exist yet, and later the conn, can be cancelled
   * and aborted from other threads. No I/O. `conn_tag` is the one that open() will get. Required.
   * [any] */
  weir_status (*canceller_create)(weir_source* source, uint64_t conn_tag,
                                  weir_canceller** canceller, weir_error* error) WEIR_NOEXCEPT;

  /* Opens a session that can do its work: the deadline covers resolve, connect, TLS, auth, set-up,
   * and for an embedded database the proof that the file is one. `canceller` is fresh, used for
   * this one conn, and kept (referenced) by it for as long as it needs it; abort() on it ends a
   * running open, and an open that starts after abort() fails at once with CANCELLED.
   * Errors: RESOLVE, CONNECT, TLS, AUTH, PERMISSION, SERVER_NOT_READY, TOO_MANY_CONNECTIONS,
   * LOCK_TIMEOUT, TIMEOUT, CANCELLED, PROTOCOL, CONFIG, NOMEM. Blocks until the deadline.
   * Required. [any] */
  weir_status (*open)(weir_source* source, const weir_call* call, const weir_open_args* args,
                      weir_canceller* canceller, weir_conn** conn, weir_error* error) WEIR_NOEXCEPT;

  /* Ends the session, with a goodbye to the server if that is possible within the deadline. Closes
   * statements and results that are still open. Always consumes the handle, cannot fail.
   * Required. [conn] */
  void (*close)(weir_conn* conn, const weir_call* call) WEIR_NOEXCEPT;

  /* In a forked child: frees memory and descriptors without a byte to the server. Where even that
   * would harm the parent (SQLite), leaks on purpose. Always consumes the handle. [conn] */
  void (*abandon)(weir_conn* conn) WEIR_NOEXCEPT;

  /* -- ending a call from outside ------------------------------------------------ */

  /* Ends operation op_id if it is the one that runs now; otherwise does nothing. Returns when the
   * cancel is settled, that is, when it can no longer hit a later operation, at the latest at the
   * deadline; a conn with an unsettled cancel says WEIR_STATE_CANCEL_PENDING. The ended call
   * returns WEIR_E_CANCELLED, or its own result if that came first. Never sticky.
   * Blocks until the deadline. [any] */
  weir_status (*cancel)(weir_canceller* canceller, uint64_t op_id, const weir_call* call,
                        weir_error* error) WEIR_NOEXCEPT;

  /* Makes the running call, and any later one, return CONN_LOST or CANCELLED with conn_fate broken;
   * a later one also INVALID_STATE, as on any broken conn, and ping answers WEIR_ALIVE_NO.
   * Idempotent; does not block; takes no lock that is held across I/O. The host still calls close.
   * No-op after close. [any] */
  void (*abort)(weir_canceller* canceller) WEIR_NOEXCEPT;

  /* Drops the host's hold on the canceller; the conn may be open or closed. Required. [any] */
  void (*canceller_release)(weir_canceller* canceller) WEIR_NOEXCEPT;

  /* -- looking at a conn --------------------------------------------------------- */

  /* Local flags; no I/O, no waiting, nanoseconds. Required. [conn] */
  void (*state)(const weir_conn* conn, weir_conn_state* state) WEIR_NOEXCEPT;

  /* Answers *alive = WEIR_ALIVE_*. WEIR_OK with WEIR_ALIVE_NO is the answer of a dead conn. A ping
   * that meets its deadline leaves the conn broken. Depths that the driver lacks: UNSUPPORTED.
   * Not called with a transaction or result open. Required for STATE and PROTOCOL. [conn] */
  weir_status (*ping)(weir_conn* conn, int32_t depth, const weir_call* call, int32_t* alive,
                      weir_error* error) WEIR_NOEXCEPT;

  /* Cleans the session to `level` (WEIR_RESET_*), settling cancels and dropping unread rows first;
   * the host has closed its results before. *done = WEIR_RESET_STMTS_GONE, WEIR_RESET_NOT_PROVEN.
   * After WEIR_OK without the latter nothing of the earlier user of this conn can be observed at
   * that level. [conn] */
  weir_status (*reset)(weir_conn* conn, int32_t level, const weir_call* call, uint32_t* done,
                       weir_error* error) WEIR_NOEXCEPT;

  /* The client library's own handle, by exact name, e.g. "sqlite3*". The session counts as changed
   * beyond knowledge from now on (WEIR_STATE_DIRTY_UNKNOWN). [conn] */
  weir_status (*native)(weir_conn* conn, const char* id, void** handle,
                        weir_error* error) WEIR_NOEXCEPT;

  /* -- statements ---------------------------------------------------------------- */

  /* Runs one statement. The first rows come in *batch; if WEIR_BATCH_END is set there and
   * WEIR_BATCH_MORE_SETS is not, *result is NULL and there is nothing to close, else the rest comes
   * by fetch. A statement that changes rows and returns some is run to its end and returns them all
   * at once, so that *out is the whole truth of it. A second execute while a result is open is
   * INVALID_STATE. Errors: all of the SQL kinds, CONN_LOST, TIMEOUT, CANCELLED; INVALID_ARGUMENT
   * for a wrong number of parameters, an embedded NUL, or more than one statement. Blocks until the
   * deadline. Required. [conn] */
  weir_status (*execute)(weir_conn* conn, const weir_call* call, const weir_exec_args* args,
                         weir_exec_out* out, weir_result** result, weir_batch* batch,
                         weir_error* error) WEIR_NOEXCEPT;

  /* The next rows. After an error the result can only be closed. Required. [conn] */
  weir_status (*fetch)(weir_result* result, const weir_call* call, weir_batch* batch,
                       weir_error* error) WEIR_NOEXCEPT;

  /* Steps to the next result set. [conn] */
  weir_status (*next_set)(weir_result* result, const weir_call* call, weir_exec_out* out,
                          weir_error* error) WEIR_NOEXCEPT;

  /* Ends the result, read to the end or not. Consumes the handle, cannot fail: a conn that could
   * not be brought in order within the deadline says so by its state. Required. [conn] */
  void (*result_close)(weir_result* result, const weir_call* call) WEIR_NOEXCEPT;

  /* Runs one statement for many rows of parameters, in order, until the first failure. Not atomic
   * unless a transaction is open, but a driver may take a bulk statement of its database (COPY) as
   * a whole; then rows_done is 0 or all. [conn] */
  weir_status (*execute_many)(weir_conn* conn, const weir_call* call, const weir_many_args* args,
                              weir_many_out* out, weir_error* error) WEIR_NOEXCEPT;

  /* Compiles one statement for this conn. [conn] */
  weir_status (*prepare)(weir_conn* conn, const weir_call* call, weir_text sql, weir_stmt** stmt,
                         weir_prepare_out* out, weir_error* error) WEIR_NOEXCEPT;

  /* Ends the statement; the conn may be broken, not closed. Consumes the handle. [conn] */
  void (*stmt_close)(weir_stmt* stmt, const weir_call* call) WEIR_NOEXCEPT;

  /* -- transactions -------------------------------------------------------------- */

  /* Opens a transaction. INVALID_STATE if one is open. [conn] */
  weir_status (*begin)(weir_conn* conn, const weir_call* call, const weir_begin_args* args,
                       weir_error* error) WEIR_NOEXCEPT;

  /* Commits. INVALID_STATE if no transaction is open. A commit that the server turned into a
   * rollback is an error with tx_fate GONE; a conn lost on the way is effect UNKNOWN, tx_fate NONE,
   * stage COMMIT. [conn] */
  weir_status (*commit)(weir_conn* conn, const weir_call* call, weir_error* error) WEIR_NOEXCEPT;

  /* Rolls back; WEIR_OK also if the server had done so before. [conn] */
  weir_status (*rollback)(weir_conn* conn, const weir_call* call, weir_error* error) WEIR_NOEXCEPT;

  /* -- growth -------------------------------------------------------------------- */

  /* An optional area by exact id, "weir.<area>/<revision>"; NULL if unknown. [any] */
  const void* (*extension)(const char* id)WEIR_NOEXCEPT;
} weir_driver;

/* The one symbol that a plugin exports. Returns the driver's constant table, or NULL with *error
 * filled. Callable more than once, by more than one host; cheap; no I/O, no thread. [load] */
typedef const weir_driver* (*weir_plugin_entry)(const weir_host* host,
                                                weir_error* error)WEIR_NOEXCEPT;
WEIR_PLUGIN_EXPORT const weir_driver* weir_plugin_v1(const weir_host* host,
                                                     weir_error* error) WEIR_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif /* WEIR_DRIVER_H */
