/* SPDX-License-Identifier: MIT
 *
 * store.h: the "database": keys with values, in memory, in order, with an undo log. It stands for
 * the client library of a real database: this file and store.c are what you replace. It knows
 * weir_cell, because that is a good value, and nothing else of the driver.
 *
 * Owner:   a source; all of its conns see the same one.
 * Threads: store_take and store_give any; all else only for whoever holds the store, so that its
 *          data needs no lock and nobody sees half a transaction.
 */
#ifndef TEMPLATE_STORE_H
#define TEMPLATE_STORE_H

#include <weir/driver.h>

#include <stdbool.h>
#include <stddef.h>

struct store;

enum store_answer { STORE_DONE, STORE_FULL, STORE_NO_MEMORY };

/* NULL: out of memory. */
struct store* store_create(size_t keys_max);
void store_destroy(struct store* store);

/* Makes `who` the holder; false if somebody else is. Does not wait. */
bool store_take(struct store* store, const void* who);
/* Does nothing if `who` is not the holder. */
void store_give(struct store* store, const void* who);

size_t store_count(const struct store* store);
/* Valid until the next change. `index` < count. */
const weir_cell* store_key(const struct store* store, size_t index);
const weir_cell* store_value(const struct store* store, size_t index);
/* False if the key is not there; *index is then where it would be. */
bool store_find(const struct store* store, const weir_cell* key, size_t* index);

/* Changes are logged; a failed one has changed nothing. */
enum store_answer store_set(struct store* store, const weir_cell* key, const weir_cell* value);
enum store_answer store_delete(struct store* store, const weir_cell* key, bool* was_there);

/* The length of the log now. */
size_t store_mark(const struct store* store);
/* Takes back what was done since the mark, last change first. Cannot fail. */
void store_undo(struct store* store, size_t mark);
/* Makes all changes final. */
void store_commit(struct store* store);

#endif
