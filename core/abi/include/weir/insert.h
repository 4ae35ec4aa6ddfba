/* SPDX-License-Identifier: MIT
 *
 * weir/insert.h: the extension "weir.insert/1" of a driver: rows into a table, by whatever way is
 * its database's fastest. A host asks weir_driver.extension(WEIR_INSERT_ID) for it; NULL means that
 * the driver has none, and then the host's callers write the INSERT themselves.
 *
 * Why:      how a name is quoted, what "on conflict" looks like and how many rows one statement
 *           takes differs from database to database, and so does what is fast: COPY, arrays,
 *           INSERT with many rows. A driver whose database has nothing special writes one INSERT
 *           and hands it with the rows to its own execute_many.
 *
 * Conflict: a row conflicts with one that is in the table, or came before it in the same call, if
 *           a unique constraint forbids that both stay. No other failure is a conflict: a value
 *           that is missing or does not fit, a foreign key, a check are errors in each mode.
 *
 * Growth:   as in weir/driver.h. What would break a driver of revision 1 gets another id.
 */
#ifndef WEIR_INSERT_H
#define WEIR_INSERT_H

#include <weir/driver.h>

#define WEIR_INSERT_ID "weir.insert/1"

#ifdef __cplusplus
extern "C" {
#endif

/* What becomes of a row that conflicts */
enum {
  WEIR_CONFLICT_FAIL = 0,   /* CONSTRAINT */
  WEIR_CONFLICT_SKIP = 1,   /* it is passed over, whichever the constraint */
  WEIR_CONFLICT_UPDATE = 2, /* the row that has the same `key` gets its other values. Of two rows of
                             * one call with the same key the later one wins */
};

/* The host has checked: there is at least one column, no name is empty or has a NUL byte in it, no
 * column occurs twice, and on update the key is not empty, is made of columns, and is not all of
 * them. On fail and skip key_count is 0. Names are written as the database stores them: the driver
 * quotes them. */
typedef struct weir_insert_args {
  uint32_t struct_size;
  uint32_t must_understand;
  const weir_text* table; /* the parts of its name, outermost first: schema, table */
  const weir_text* columns;
  const weir_text* key;   /* the columns of one unique constraint */
  const weir_cell* cells; /* row r, column c at cells[r * row_stride + c] */
  uint64_t row_count;
  uint32_t table_parts;
  uint32_t column_count;
  uint32_t key_count;
  uint32_t row_stride; /* cells */
  int32_t on_conflict; /* WEIR_CONFLICT_* */
  int32_t reserved;
} weir_insert_args;

typedef struct weir_insert_out {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t stored; /* rows that are in the table now: row_count, less those that were skipped */
} weir_insert_out;

typedef struct weir_insert {
  uint32_t struct_size;
  uint32_t rows_best; /* so many rows at once are the fastest; 0: the more the better */

  /* Inserts all rows, in their order as far as that can be seen. Called with a transaction open, as
   * the driver claims WEIR_CAP_TX and WEIR_CAP_SAVEPOINT; what a failed call has left in it the
   * host takes back, and finds out itself which row it was: the kind has to be that of the row's
   * failure. Any number of rows: a driver makes as many statements of them as it has to.
   * Errors: as of execute_many; WEIR_E_UNSUPPORTED for an on_conflict that the database does not
   * have. Blocks until the deadline. Required. [conn] */
  weir_status (*rows)(weir_conn* conn, const weir_call* call, const weir_insert_args* args,
                      weir_insert_out* out, weir_error* error) WEIR_NOEXCEPT;
} weir_insert;

#ifdef __cplusplus
}
#endif

#endif /* WEIR_INSERT_H */
