/* SPDX-License-Identifier: MIT
 *
 * abi.h: the manners of the contract, each written once. Keep this file and abi.c as they are.
 *
 *   READ_IN     an input struct of any struct_size as a full one, the missing tail zero
 *   WRITE_OUT   writes no more than the caller's struct_size
 *   fail        fills a weir_error of any struct_size, text of any capacity, or none at all
 *   canceller   ends the running operation, and no other, from any thread
 */
#ifndef TEMPLATE_ABI_H
#define TEMPLATE_ABI_H

#include <weir/driver.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* `full` is a variable of the struct's type, `in` the caller's pointer. */
#define READ_IN(full, in) read_in(&(full), sizeof(full), (in))
#define WRITE_OUT(out, full) write_out((out), &(full), sizeof(full))

void read_in(void* full, size_t full_size, const void* in);
/* Does nothing if `out` is NULL. The caller's struct_size stays. */
void write_out(void* out, const void* full, size_t full_size);

/* What an error says beside its text. All-zero is no answer: each failure fills it. */
struct facts {
  weir_status kind;
  uint8_t stage;
  uint8_t conn_fate;
  uint8_t effect;
  uint8_t tx_fate;
  uint32_t flags;
};

/* Fills *error, if there is one, and returns facts.kind. `about` may be NULL; it is appended. */
weir_status fail(weir_error* error, struct facts facts, const char* text, const char* about);

/* Two owners, host and conn, each with one release. */
struct canceller {
  const weir_host* host;
  uint64_t tag;
  atomic_int owners;
  atomic_bool aborted;   /* for ever */
  atomic_bool cancelled; /* until the operation ends */

  pthread_mutex_t mutex; /* held for a few stores, never across a wait or a call of the host */
  uint64_t running;      /* guarded by mutex; op_id of the running call, 0 if none */
  bool closed;           /* guarded by mutex; the conn is gone, and the host may be, too */
};

struct canceller* canceller_new(const weir_host* host, uint64_t tag); /* NULL: out of memory */
void canceller_start(struct canceller* canceller, uint64_t op_id);
void canceller_finish(struct canceller* canceller);
void canceller_close(struct canceller* canceller);
void canceller_cancel(struct canceller* canceller, uint64_t op_id);
void canceller_abort(struct canceller* canceller);
void canceller_drop(struct canceller* canceller);

#endif
