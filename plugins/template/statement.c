/* SPDX-License-Identifier: MIT */
#include "statement.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct verb_info {
  const char* word;
  enum verb verb;
  uint32_t values_min;
  uint32_t values_max;
};

static const struct verb_info verbs[] = {
    {"get", VERB_GET, 1, 1},           {"set", VERB_SET, 2, 2},
    {"delete", VERB_DELETE, 1, 1},     {"fill", VERB_FILL, 1, 1},
    {"list", VERB_LIST, 0, 0},         {"echo", VERB_ECHO, 1, VALUES_MAX},
    {"sleep", VERB_SLEEP, 1, 1},       {"readonly", VERB_READONLY, 0, 0},
    {"begin", VERB_BEGIN, 0, 0},       {"commit", VERB_COMMIT, 0, 0},
    {"rollback", VERB_ROLLBACK, 0, 0},
};

/* What is still to be read; the text has a terminator of ours. */
struct reader {
  char* at;
};

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static void skip_space(struct reader* reader) {
  while (is_space(*reader->at)) ++reader->at;
}

/* Reads `word` if it comes next, in capitals or not. */
static bool read_word(struct reader* reader, const char* word) {
  size_t size = 0;
  while (is_letter(reader->at[size])) ++size;
  if (size != strlen(word)) return false;
  for (size_t i = 0; i < size; ++i) {
    if ((reader->at[i] | 0x20) != word[i]) return false;
  }
  reader->at += size;
  return true;
}

/* 'it''s': the text is unquoted where it stands, which it never outgrows. */
static bool read_text(struct reader* reader, weir_cell* value) {
  char* const start = ++reader->at;
  char* to = start;
  for (;;) {
    if (*reader->at == '\0') return false;
    if (*reader->at == '\'' && *++reader->at != '\'') break;
    *to++ = *reader->at++;
  }
  value->type = WEIR_T_TEXT;
  value->v.p = start;
  value->size = (uint32_t)(to - start);
  return true;
}

static bool read_integer(struct reader* reader, weir_cell* value) {
  const bool negative = *reader->at == '-';
  if (negative) ++reader->at;
  if (!is_digit(*reader->at)) return false;
  const uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
  uint64_t number = 0;
  for (; is_digit(*reader->at); ++reader->at) {
    const uint64_t digit = (uint64_t)(*reader->at - '0');
    if (number > (limit - digit) / 10) return false;
    number = number * 10 + digit;
  }
  value->type = WEIR_T_INT64;
  value->v.u = negative ? 0 - number : number; /* two's complement; the union reads it as signed */
  return true;
}

static bool read_value(struct reader* reader, struct statement* statement) {
  weir_cell* value = &statement->values[statement->value_count];
  memset(value, 0, sizeof *value);
  bool good = true;
  if (*reader->at == '?') {
    ++reader->at;
    statement->is_param[statement->value_count] = true;
    ++statement->param_count;
  } else if (*reader->at == '\'') {
    good = read_text(reader, value);
  } else if (!read_word(reader, "null")) {
    good = read_integer(reader, value);
  }
  ++statement->value_count;
  return good;
}

static const struct verb_info* read_verb(struct reader* reader) {
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; ++i) {
    if (read_word(reader, verbs[i].word)) return &verbs[i];
  }
  return NULL;
}

static weir_status parse(struct statement* statement, const char** problem) {
  struct reader reader = {statement->text};
  skip_space(&reader);
  if (*reader.at == ';' || *reader.at == '\0') {
    *problem = "there is no statement in this text";
    return WEIR_E_INVALID_ARGUMENT;
  }
  const struct verb_info* verb = read_verb(&reader);
  if (verb == NULL) {
    *problem = "a statement starts with get, set, delete, list or another of its verbs";
    return WEIR_E_SYNTAX;
  }
  statement->verb = verb->verb;
  for (skip_space(&reader); *reader.at != ';' && *reader.at != '\0'; skip_space(&reader)) {
    if (statement->value_count == VALUES_MAX || !read_value(&reader, statement)) {
      *problem = "a value is an integer, a 'text', null or ?, and there are not too many of them";
      return WEIR_E_SYNTAX;
    }
  }
  while (*reader.at == ';' || is_space(*reader.at)) ++reader.at;
  if (*reader.at != '\0') {
    *problem = "there is more than one statement in this text";
    return WEIR_E_INVALID_ARGUMENT;
  }
  if (statement->value_count < verb->values_min || statement->value_count > verb->values_max) {
    *problem = "this verb takes another number of values";
    return WEIR_E_SYNTAX;
  }
  return WEIR_OK;
}

weir_status statement_parse(struct statement* statement, weir_text sql, const char** problem) {
  memset(statement, 0, sizeof *statement);
  /* We look for a terminator, so a NUL within would hide what comes after it: refused, not cut. */
  if (sql.size > 0 && memchr(sql.data, '\0', sql.size) != NULL) {
    *problem = "the text of a statement has no NUL bytes";
    return WEIR_E_INVALID_ARGUMENT;
  }
  if (sql.size >= UINT32_MAX) {
    *problem = "the text of the statement is too long";
    return WEIR_E_INVALID_ARGUMENT;
  }
  statement->text = malloc(sql.size + 1);
  if (statement->text == NULL) {
    *problem = "out of memory";
    return WEIR_E_NOMEM;
  }
  if (sql.size > 0) memcpy(statement->text, sql.data, sql.size);
  statement->text[sql.size] = '\0';
  const weir_status status = parse(statement, problem);
  if (status != WEIR_OK) statement_free(statement);
  return status;
}

void statement_free(struct statement* statement) {
  free(statement->text);
  statement->text = NULL;
}

bool statement_writes(const struct statement* statement) {
  return statement->verb == VERB_SET || statement->verb == VERB_DELETE ||
         statement->verb == VERB_FILL;
}
