/* SPDX-License-Identifier: MIT */
#include "abi.h"

#include <stdlib.h>
#include <string.h>

/* Every growable struct starts with its size, which this reads without assuming the rest. */
static size_t size_of(const void* any_struct) {
  uint32_t size = 0;
  memcpy(&size, any_struct, sizeof size);
  return size;
}

void read_in(void* full, size_t full_size, const void* in) {
  memset(full, 0, full_size);
  const size_t size = size_of(in);
  memcpy(full, in, size < full_size ? size : full_size);
}

void write_out(void* out, const void* full, size_t full_size) {
  if (out == NULL) return;
  const size_t own = sizeof(uint32_t);
  const size_t size = size_of(out) < full_size ? size_of(out) : full_size;
  if (size > own) memcpy((char*)out + own, (const char*)full + own, size - own);
}

/* Appends what fits; UTF-8 is never cut inside a character. False: it was cut. */
static bool append(weir_error* error, const char* text) {
  const size_t room = error->text == NULL ? 0 : error->text_capacity - error->text_size;
  const size_t size = strlen(text);
  size_t fits = size < room ? size : room;
  while (fits > 0 && fits < size && ((unsigned char)text[fits] & 0xC0) == 0x80) --fits;
  if (fits > 0) memcpy(error->text + error->text_size, text, fits);
  error->text_size += (uint32_t)fits;
  return fits == size;
}

weir_status fail(weir_error* error, struct facts facts, const char* text, const char* about) {
  if (error == NULL) return facts.kind;
  weir_error full;
  READ_IN(full, error);
  full.kind = facts.kind;
  full.stage = facts.stage;
  full.conn_fate = facts.conn_fate;
  full.effect = facts.effect;
  full.tx_fate = facts.tx_fate;
  full.flags = facts.flags;
  full.native_code = 0;
  memset(full.sqlstate, 0, sizeof full.sqlstate);
  full.text_size = 0;
  const bool whole = append(&full, text) && (about == NULL || append(&full, about));
  if (!whole) full.flags |= WEIR_ERROR_TRUNCATED;
  WRITE_OUT(error, full);
  return facts.kind;
}

struct canceller* canceller_new(const weir_host* host, uint64_t tag) {
  struct canceller* canceller = calloc(1, sizeof *canceller);
  if (canceller == NULL) return NULL;
  canceller->host = host;
  canceller->tag = tag;
  atomic_init(&canceller->owners, 1);
  pthread_mutex_init(&canceller->mutex, NULL);
  return canceller;
}

void canceller_start(struct canceller* canceller, uint64_t op_id) {
  pthread_mutex_lock(&canceller->mutex);
  canceller->running = op_id;
  atomic_store(&canceller->cancelled, false);
  pthread_mutex_unlock(&canceller->mutex);
}

/* After this no cancel of the operation has an effect: it is settled when cancel() returns. */
void canceller_finish(struct canceller* canceller) { canceller_start(canceller, 0); }

void canceller_close(struct canceller* canceller) {
  pthread_mutex_lock(&canceller->mutex);
  canceller->running = 0;
  canceller->closed = true;
  pthread_mutex_unlock(&canceller->mutex);
}

void canceller_cancel(struct canceller* canceller, uint64_t op_id) {
  pthread_mutex_lock(&canceller->mutex);
  const bool hit = op_id != 0 && canceller->running == op_id;
  if (hit) atomic_store(&canceller->cancelled, true);
  pthread_mutex_unlock(&canceller->mutex);
  /* Outside the lock: no service of the host is called with one. Should the operation have ended,
   * one wait of the next ends without cause, which looks at its flags and waits on. */
  if (hit) canceller->host->wake(canceller->host->ctx, canceller->tag);
}

void canceller_abort(struct canceller* canceller) {
  pthread_mutex_lock(&canceller->mutex);
  const bool closed = canceller->closed;
  if (!closed) atomic_store(&canceller->aborted, true);
  pthread_mutex_unlock(&canceller->mutex);
  if (!closed) canceller->host->wake(canceller->host->ctx, canceller->tag);
}

void canceller_drop(struct canceller* canceller) {
  if (atomic_fetch_sub(&canceller->owners, 1) != 1) return;
  pthread_mutex_destroy(&canceller->mutex);
  free(canceller);
}
