/* SPDX-License-Identifier: MIT
 *
 * The template's driver, made worse: each statement first does in the real world what a simulation
 * has to notice. COARSE says what:
 *   SLEEPS   a call of libc that takes time
 *   POLLS    the host's wait, for a descriptor
 */
#include "plugins/template/session.h"

#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define SLEEPS 1
#define POLLS 2

/* The template's own entry has this name in here. */
const weir_driver* template_entry(const weir_host* host, weir_error* error);

static weir_driver table;
static const weir_driver* inner;

static void before_each_statement(const struct conn* conn) {
#if COARSE == SLEEPS
  const struct timespec span = {0, 5000000};
  nanosleep(&span, NULL);
  (void)conn;
#else
  const weir_host* host = &conn->source->env->host;
  const int ready = eventfd(1, EFD_CLOEXEC);
  const int never = eventfd(0, EFD_CLOEXEC);
  const weir_time soon = host->now(host->ctx) + 3000000;
  const bool as_it_is =
      host->wait(host->ctx, conn->tag, ready, WEIR_WAIT_READ, soon) == WEIR_WAIT_READY &&
      host->wait(host->ctx, conn->tag, never, WEIR_WAIT_READ, soon) == WEIR_WAIT_TIMEOUT &&
      host->now(host->ctx) >= soon;
  close(ready);
  close(never);
  if (!as_it_is) _exit(1); /* the test sees that the process is gone */
#endif
}

static weir_status execute(weir_conn* conn, const weir_call* call, const weir_exec_args* args,
                           weir_exec_out* out, weir_result** result, weir_batch* batch,
                           weir_error* error) {
  before_each_statement((const struct conn*)(const void*)conn);
  return inner->execute(conn, call, args, out, result, batch, error);
}

#undef weir_plugin_v1
__attribute__((visibility("default"))) const weir_driver* weir_plugin_v1(const weir_host* host,
                                                                         weir_error* error);
const weir_driver* weir_plugin_v1(const weir_host* host, weir_error* error) {
  inner = template_entry(host, error);
  if (inner == NULL) return NULL;
  table = *inner;
  table.execute = &execute;
  return &table;
}
