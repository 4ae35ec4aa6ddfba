/* SPDX-License-Identifier: MIT
 *
 * statement.h: the language of the "database", from text to a verb and its values. Replaced like
 * store.h: a real driver hands the text to its client library.
 *
 *   get KEY          its value, one row or none     set KEY VALUE    adds or replaces
 *   delete KEY       removes                        fill N           sets 1 ... N to 'row 1' ...
 *   list             all keys and values            echo VALUE...    one row of these
 *   sleep MS         takes that long                readonly         this session writes no more
 *   begin, commit, rollback
 *
 * Values are integers, 'text', null and ? for parameters; a key is an integer or a text. One
 * semicolon at the end is allowed, and more of them.
 */
#ifndef TEMPLATE_STATEMENT_H
#define TEMPLATE_STATEMENT_H

#include <weir/driver.h>

#include <stdbool.h>

enum { VALUES_MAX = 16 };

enum verb {
  VERB_GET,
  VERB_SET,
  VERB_DELETE,
  VERB_FILL,
  VERB_LIST,
  VERB_ECHO,
  VERB_SLEEP,
  VERB_READONLY,
  VERB_BEGIN,
  VERB_COMMIT,
  VERB_ROLLBACK
};

struct statement {
  enum verb verb;
  uint32_t value_count;
  uint32_t param_count;
  weir_cell values[VALUES_MAX]; /* texts point into `text` */
  bool is_param[VALUES_MAX];
  char* text; /* owned */
};

/* Returns WEIR_OK, or the kind of error with *problem a constant sentence; the statement then owns
 * nothing. */
weir_status statement_parse(struct statement* statement, weir_text sql, const char** problem);
void statement_free(struct statement* statement);

/* Can it change data? */
bool statement_writes(const struct statement* statement);

#endif
