/* SPDX-License-Identifier: MIT
 *
 * weir/draft/sim_server.h: the host extension by which a driver that stands in for a database
 * (backends/mock) reaches a simulated server. A driver asks its host for
 * weir_host.extension(ctx, WEIR_SIM_SERVER_ID); NULL means that there is none, and the driver
 * pretends on its own.
 *
 * Shape:    find (a server by URL) -> dial (a link, which is one connect) -> send and poll, one
 *           request at a time -> hang_up. The connect is the first request of a link: poll it, too.
 *
 * Waiting:  no function waits. send hands over a request; poll says whether the reply has come, and
 *           if not, when to look again. The driver waits in weir_host.wait until then, or until it
 *           is woken: the server wakes a link whose reply comes earlier than it had said. So the
 *           server needs no clock: it learns the time from its callers and is a plain state
 *           machine. A poll that says WEIR_SIM_DONE delivers the reply. A driver that leaves first
 *           says so by give_up: the request may have its effect all the same.
 *
 * Threads:  none of its own and no lock: a simulation runs one thread at a time. `now` never goes
 *           back between two calls.
 *
 * Memory:   what a reply points to stays until the next call on the same link. Requests are copied.
 *
 * Growth:   as in weir/driver.h. This is a draft: it may change in any release, and it is not
 *           installed.
 */
#ifndef WEIR_DRAFT_SIM_SERVER_H
#define WEIR_DRAFT_SIM_SERVER_H

#include <weir/driver.h>

#define WEIR_SIM_SERVER_ID "weir.sim.server/1"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_sim_dial {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t server;       /* what find() returned */
  uint64_t conn_tag;     /* of weir_open_args */
  const weir_host* host; /* whose wake() ends a wait for this link; outlives it */
} weir_sim_dial;

/* Requests */
enum {
  WEIR_SIM_STATEMENT = 1, /* text and parameters */
  WEIR_SIM_BEGIN = 2,
  WEIR_SIM_COMMIT = 3,
  WEIR_SIM_ROLLBACK = 4,
  WEIR_SIM_PING = 5,
  WEIR_SIM_RESET = 6,   /* level */
  WEIR_SIM_GOODBYE = 7, /* the session ends when it arrives */
};

typedef struct weir_sim_request {
  uint32_t struct_size;
  int32_t kind;   /* WEIR_SIM_STATEMENT ... */
  uint64_t op_id; /* of weir_call */
  weir_text text;
  const weir_cell* params;
  uint32_t param_count;
  int32_t level; /* WEIR_RESET_* */
} weir_sim_request;

/* State of a reply */
enum {
  WEIR_SIM_DONE = 0,
  WEIR_SIM_PENDING = 1,
};

#define WEIR_SIM_PAST_DEADLINE \
  1u                             /* pending: this call ignores its deadline, as a bad driver does */
#define WEIR_SIM_PAST_ABORT 2u   /* pending: and even an abort */
#define WEIR_SIM_HAS_VALUE 4u    /* done: `value` is one row of one column */
#define WEIR_SIM_HAS_AFFECTED 8u /* done: `affected` and `last_id` are meaningful */

typedef struct weir_sim_reply {
  uint32_t struct_size;
  int32_t state;          /* WEIR_SIM_DONE or WEIR_SIM_PENDING */
  weir_time look_at;      /* pending: poll again then; WEIR_NO_DEADLINE: only a wake-up can help */
  uint32_t flags;         /* WEIR_SIM_* */
  uint32_t session_flags; /* done: WEIR_STATE_IN_TX, _TX_FAILED, _DIRTY, _READ_ONLY */
  weir_status status;     /* done: WEIR_OK or WEIR_E_* */
  uint8_t stage;          /* of a failed connect: WEIR_STAGE_* */
  uint8_t conn_fate;      /* WEIR_CONN_* */
  uint8_t effect;         /* WEIR_EFFECT_* */
  uint8_t reserved;
  uint64_t backend_id; /* the server's id of the session */
  uint64_t affected;
  int64_t last_id;
  weir_cell value;
  weir_text text; /* what the failure says */
} weir_sim_reply;

typedef struct weir_sim_server {
  uint32_t struct_size;
  uint32_t reserved;
  void* ctx; /* first argument of every function below */

  /* The server that `url` names, 0 if it is not simulated. */
  uint64_t (*find)(void* ctx, weir_text url) WEIR_NOEXCEPT;

  /* Begins a connect. Returns the link, which lives until hang_up; 0 if there is no memory. */
  uint64_t (*dial)(void* ctx, weir_time now, const weir_sim_dial* dial) WEIR_NOEXCEPT;

  /* Hands over a request. The reply of the one before was delivered. */
  void (*send)(void* ctx, weir_time now, uint64_t link,
               const weir_sim_request* request) WEIR_NOEXCEPT;

  /* Fills *reply for the connect or request in progress. */
  void (*poll)(void* ctx, weir_time now, uint64_t link, weir_sim_reply* reply) WEIR_NOEXCEPT;

  /* Sends a cancel for the request in progress. The reply waits until it can hit nothing else. */
  void (*cancel)(void* ctx, weir_time now, uint64_t link, uint64_t op_id) WEIR_NOEXCEPT;

  /* The driver returns without the reply. Only hang_up may follow. */
  void (*give_up)(void* ctx, weir_time now, uint64_t link) WEIR_NOEXCEPT;

  /* Closes the socket. Ends the link; the server may notice late or never. */
  void (*hang_up)(void* ctx, weir_time now, uint64_t link) WEIR_NOEXCEPT;
} weir_sim_server;

#ifdef __cplusplus
}
#endif

#endif /* WEIR_DRAFT_SIM_SERVER_H */
