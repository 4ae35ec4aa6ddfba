/* SPDX-License-Identifier: MIT */
#include "session.h"

/* How long a conn sleeps between two looks at a store that somebody else holds. A driver with a
 * socket waits for its descriptor instead. */
static const weir_time lock_step = 1000000;

static struct facts facts_of(const struct conn* conn, weir_status kind, uint8_t effect) {
  struct facts facts = {.kind = kind, .stage = conn->stage, .effect = effect};
  const bool broken = conn->broken || atomic_load(&conn->canceller->aborted);
  facts.conn_fate = broken ? WEIR_CONN_BROKEN : WEIR_CONN_USABLE;
  if (conn->was_in_tx) facts.tx_fate = conn->in_tx ? WEIR_TX_OPEN : WEIR_TX_GONE;
  return facts;
}

weir_status session_refuse(const struct conn* conn, weir_status kind, weir_error* error,
                           const char* text, const char* about) {
  struct facts facts = facts_of(conn, kind, WEIR_EFFECT_NOT_SENT);
  if (kind == WEIR_E_TIMEOUT) facts.flags = WEIR_ERROR_TRANSIENT;
  return fail(error, facts, text, about);
}

weir_status session_bits(const struct conn* conn, uint32_t must_understand, weir_error* error,
                         const char* what) {
  if (must_understand == 0) return WEIR_OK;
  return session_refuse(conn, WEIR_E_UNSUPPORTED, error,
                        "the host sets must_understand bits that this driver does not know in ",
                        what);
}

/* Of a ping nobody knows what it would have said: its answer may still come. */
static void meet_deadline(struct conn* conn) {
  if (conn->stage == WEIR_STAGE_PING) conn->broken = true;
}

weir_status session_start(struct conn* conn, const weir_call* raw_call, uint8_t stage,
                          weir_error* error) {
  weir_call call;
  READ_IN(call, raw_call);
  const weir_host* host = &conn->source->env->host;
  conn->stage = stage;
  conn->was_in_tx = conn->in_tx;
  if (atomic_load(&conn->canceller->aborted)) {
    return session_refuse(conn, conn->opening ? WEIR_E_CANCELLED : WEIR_E_CONN_LOST, error,
                          "the connection was aborted by the host", NULL);
  }
  if (conn->broken) {
    return session_refuse(conn, WEIR_E_INVALID_STATE, error, "the connection is broken: close it",
                          NULL);
  }
  const weir_status status = session_bits(conn, call.must_understand, error, "weir_call");
  if (status != WEIR_OK) return status;
  if (call.deadline != WEIR_NO_DEADLINE && host->now(host->ctx) >= call.deadline) {
    meet_deadline(conn);
    return session_refuse(conn, WEIR_E_TIMEOUT, error,
                          "the deadline had passed before the call began", NULL);
  }
  conn->deadline = call.deadline;
  canceller_start(conn->canceller, call.op_id);
  return WEIR_OK;
}

weir_status session_end(struct conn* conn, weir_status status) {
  canceller_finish(conn->canceller);
  return status;
}

static weir_time sum(weir_time at, weir_time ns) {
  return at > INT64_MAX - ns ? INT64_MAX : at + ns;
}
static weir_time earlier(weir_time a, weir_time b) { return a < b ? a : b; }

weir_status session_wait(struct conn* conn, weir_time ns, weir_error* error) {
  const weir_host* host = &conn->source->env->host;
  weir_time now = host->now(host->ctx);
  const weir_time end = sum(now, ns);
  for (;;) {
    /* The flags first: a wait may end early, without cause, or because of them. */
    if (atomic_load(&conn->canceller->aborted)) {
      return fail(
          error,
          facts_of(conn, conn->opening ? WEIR_E_CANCELLED : WEIR_E_CONN_LOST, WEIR_EFFECT_DEFINITE),
          "the connection was aborted by the host", NULL);
    }
    if (atomic_load(&conn->canceller->cancelled)) {
      return fail(error, facts_of(conn, WEIR_E_CANCELLED, WEIR_EFFECT_DEFINITE),
                  "the call was cancelled", NULL);
    }
    if (now >= end) return WEIR_OK;
    if (now >= conn->deadline) {
      meet_deadline(conn);
      return fail(error, facts_of(conn, WEIR_E_TIMEOUT, WEIR_EFFECT_DEFINITE), "the deadline came",
                  NULL);
    }
    host->wait(host->ctx, conn->tag, -1, 0, earlier(end, conn->deadline));
    now = host->now(host->ctx);
  }
}

weir_status session_take_store(struct conn* conn, weir_error* error) {
  if (store_take(conn->source->store, conn)) return WEIR_OK;
  const weir_host* host = &conn->source->env->host;
  const weir_time end = sum(host->now(host->ctx), conn->source->lock_timeout);
  do {
    const weir_status status = session_wait(conn, lock_step, error);
    if (status != WEIR_OK) return status;
    if (store_take(conn->source->store, conn)) return WEIR_OK;
  } while (host->now(host->ctx) < end);
  struct facts facts = facts_of(conn, WEIR_E_LOCK_TIMEOUT, WEIR_EFFECT_DEFINITE);
  facts.flags = WEIR_ERROR_TRANSIENT;
  return fail(error, facts, "another connection held the store for longer than lock_timeout", NULL);
}

void session_give_store(struct conn* conn) {
  if (!conn->in_tx && !conn->result.open) store_give(conn->source->store, conn);
}

void session_roll_back(struct conn* conn) {
  conn->result.open = false;
  if (conn->in_tx) store_undo(conn->source->store, 0);
  conn->in_tx = false;
  conn->tx_read_only = false;
  session_give_store(conn);
}
