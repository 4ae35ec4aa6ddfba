/* SPDX-License-Identifier: MIT */
#include "store.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct entry {
  weir_cell key;
  weir_cell value;
};

enum change_kind { ADDED, REPLACED, REMOVED };

/* `before` owns what the array no longer does: the old value of a replaced entry, all of a removed
 * one. Its key is otherwise the array's: entries live at least as long as the log about them. */
struct change {
  enum change_kind kind;
  struct entry before;
};

struct store {
  size_t keys_max;
  struct entry* entries; /* sorted by key */
  size_t count;
  size_t capacity; /* never shrinks, so that an undo finds room */
  struct change* log;
  size_t log_count;
  size_t log_capacity;

  pthread_mutex_t mutex;
  const void* holder; /* guarded by mutex */
};

static bool has_bytes(const weir_cell* cell) { return cell->type >= WEIR_T_TEXT; }

static bool copy_cell(weir_cell* to, const weir_cell* from) {
  *to = *from;
  if (!has_bytes(from)) return true;
  void* bytes = malloc(from->size > 0 ? from->size : 1);
  if (bytes == NULL) return false;
  if (from->size > 0) memcpy(bytes, from->v.p, from->size);
  to->v.p = bytes;
  return true;
}

static void free_cell(weir_cell* cell) {
  if (has_bytes(cell)) free((void*)(uintptr_t)cell->v.p);
}

static void free_entry(struct entry* entry) {
  free_cell(&entry->key);
  free_cell(&entry->value);
}

/* Integers before texts; texts by their bytes. */
static int compare(const weir_cell* a, const weir_cell* b) {
  if (a->type != b->type) return a->type < b->type ? -1 : 1;
  if (!has_bytes(a)) return a->v.i < b->v.i ? -1 : a->v.i > b->v.i;
  const uint32_t both = a->size < b->size ? a->size : b->size;
  const int order = both == 0 ? 0 : memcmp(a->v.p, b->v.p, both);
  return order != 0 ? order : a->size < b->size ? -1 : a->size > b->size;
}

static bool reserve(void** array, size_t* capacity, size_t count, size_t element) {
  if (count < *capacity) return true;
  const size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
  void* grown = realloc(*array, wanted * element);
  if (grown == NULL) return false;
  *array = grown;
  *capacity = wanted;
  return true;
}

static void insert_at(struct store* store, size_t index, struct entry entry) {
  memmove(store->entries + index + 1, store->entries + index,
          (store->count - index) * sizeof entry);
  store->entries[index] = entry;
  ++store->count;
}

static void remove_at(struct store* store, size_t index) {
  --store->count;
  memmove(store->entries + index, store->entries + index + 1,
          (store->count - index) * sizeof *store->entries);
}

struct store* store_create(size_t keys_max) {
  struct store* store = calloc(1, sizeof *store);
  if (store == NULL) return NULL;
  store->keys_max = keys_max;
  pthread_mutex_init(&store->mutex, NULL);
  return store;
}

void store_destroy(struct store* store) {
  store_commit(store);
  for (size_t i = 0; i < store->count; ++i) free_entry(&store->entries[i]);
  free(store->entries);
  free(store->log);
  pthread_mutex_destroy(&store->mutex);
  free(store);
}

bool store_take(struct store* store, const void* who) {
  pthread_mutex_lock(&store->mutex);
  if (store->holder == NULL) store->holder = who;
  const bool mine = store->holder == who;
  pthread_mutex_unlock(&store->mutex);
  return mine;
}

void store_give(struct store* store, const void* who) {
  pthread_mutex_lock(&store->mutex);
  if (store->holder == who) store->holder = NULL;
  pthread_mutex_unlock(&store->mutex);
}

size_t store_count(const struct store* store) { return store->count; }

const weir_cell* store_key(const struct store* store, size_t index) {
  return &store->entries[index].key;
}

const weir_cell* store_value(const struct store* store, size_t index) {
  return &store->entries[index].value;
}

bool store_find(const struct store* store, const weir_cell* key, size_t* index) {
  size_t low = 0;
  size_t high = store->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const int order = compare(&store->entries[middle].key, key);
    if (order == 0) {
      *index = middle;
      return true;
    }
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  *index = low;
  return false;
}

static bool reserve_both(struct store* store) {
  return reserve((void**)&store->log, &store->log_capacity, store->log_count, sizeof *store->log) &&
         reserve((void**)&store->entries, &store->capacity, store->count, sizeof *store->entries);
}

static void log_change(struct store* store, enum change_kind kind, struct entry before) {
  store->log[store->log_count].kind = kind;
  store->log[store->log_count].before = before;
  ++store->log_count;
}

enum store_answer store_set(struct store* store, const weir_cell* key, const weir_cell* value) {
  if (!reserve_both(store)) return STORE_NO_MEMORY;
  size_t at = 0;
  const bool found = store_find(store, key, &at);
  if (!found && store->count >= store->keys_max) return STORE_FULL;
  struct entry entry;
  if (!copy_cell(&entry.value, value)) return STORE_NO_MEMORY;
  if (found) {
    log_change(store, REPLACED, store->entries[at]);
    store->entries[at].value = entry.value;
    return STORE_DONE;
  }
  if (!copy_cell(&entry.key, key)) {
    free_cell(&entry.value);
    return STORE_NO_MEMORY;
  }
  insert_at(store, at, entry);
  log_change(store, ADDED, entry);
  return STORE_DONE;
}

enum store_answer store_delete(struct store* store, const weir_cell* key, bool* was_there) {
  if (!reserve_both(store)) return STORE_NO_MEMORY;
  size_t at = 0;
  *was_there = store_find(store, key, &at);
  if (!*was_there) return STORE_DONE;
  log_change(store, REMOVED, store->entries[at]);
  remove_at(store, at);
  return STORE_DONE;
}

size_t store_mark(const struct store* store) { return store->log_count; }

void store_undo(struct store* store, size_t mark) {
  while (store->log_count > mark) {
    struct change* change = &store->log[--store->log_count];
    size_t at = 0;
    (void)store_find(store, &change->before.key, &at);
    switch (change->kind) {
      case ADDED:
        free_entry(&store->entries[at]);
        remove_at(store, at);
        break;
      case REPLACED:
        free_cell(&store->entries[at].value);
        store->entries[at].value = change->before.value;
        break;
      case REMOVED:
        insert_at(store, at, change->before);
        break;
    }
  }
}

void store_commit(struct store* store) {
  for (size_t i = 0; i < store->log_count; ++i) {
    struct change* change = &store->log[i];
    if (change->kind == REPLACED) free_cell(&change->before.value);
    if (change->kind == REMOVED) free_entry(&change->before);
  }
  store->log_count = 0;
}
