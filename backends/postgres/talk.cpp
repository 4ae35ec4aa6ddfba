// SPDX-License-Identifier: MIT
//
// talk.cpp: the conversation with the server. The only place that waits, and it waits in the host:
// for what libpq has still to send or to read, until the deadline, an abort or a cancel.
#include "backends/postgres/conn.hpp"

#include <algorithm>
#include <poll.h>

namespace weir::postgres {

// In this order, because an abort must never be taken for a time-out.
Waited Conn::wait_on(int fd, std::uint32_t events, weir_time until) {
  for (;;) {
    if (gate->aborted()) return Waited::aborted;
    if (gate->cancelled() && !cancel_seen) return Waited::cancelled;
    if (until != WEIR_NO_DEADLINE && host.now(host.ctx) >= until) return Waited::timeout;
    const std::int32_t answer = host.wait(host.ctx, tag, fd, events, until);
    if (answer != WEIR_WAIT_READY) continue;  // a wait may end without cause: look again
    if (gate->aborted()) return Waited::aborted;
    return Waited::ready;
  }
}

// A cancel is passed on here and now, and its end awaited: then the answer is the cancel's or its
// own, and either way nothing is left that could hit the next call. Once is not enough: the server
// ignores a cancel that comes before it has read the command; so it is sent again until it shows.
Waited Conn::wait_for_server(std::uint32_t events) {
  const weir_time until = std::min(deadline, cancel_again);
  Waited how = wait_on(PQsocket(pg), events, until);
  const bool overdue = how == Waited::timeout && until != deadline;
  if (how == Waited::cancelled) cancel_seen = true;
  if (how == Waited::cancelled || overdue) {
    if (!begin_cancel()) return Waited::cancelled;
    how = drive_cancel();
  }
  if (how != Waited::ready) return how;
  const bool ended = PQconsumeInput(pg) == 0 && PQstatus(pg) == CONNECTION_BAD;
  return ended ? Waited::lost : Waited::ready;
}

// Reads while it writes: a server that cannot get rid of its answers takes no more.
Waited Conn::flush() {
  for (;;) {
    const int left = PQflush(pg);
    if (left == 0) return Waited::ready;
    if (left < 0 && PQstatus(pg) == CONNECTION_BAD) return Waited::lost;
    const Waited how = wait_for_server(WEIR_WAIT_READ | WEIR_WAIT_WRITE);
    if (how != Waited::ready) return how;
  }
}

Waited Conn::next(Answer& answer) {
  answer.reset();
  while (PQisBusy(pg) != 0) {
    const Waited how = wait_for_server(WEIR_WAIT_READ);
    if (how == Waited::lost) break;  // there may be answers left to read; those come first
    if (how != Waited::ready) return how;
  }
  answer.reset(PQgetResult(pg));
  return Waited::ready;
}

Waited Conn::finish(Answer* last) {
  bool failed = false;
  for (;;) {
    Answer answer;
    const Waited how = next(answer);
    if (how != Waited::ready) return how;
    if (answer == nullptr) return Waited::ready;
    switch (PQresultStatus(answer.get())) {
      case PGRES_COPY_IN:
      case PGRES_COPY_BOTH:
        // Ignored: where it cannot be ended the next answer is the error.
        static_cast<void>(PQputCopyEnd(pg, "COPY is not offered here"));
        if (const Waited sent = flush(); sent != Waited::ready) return sent;
        break;
      case PGRES_COPY_OUT:
        if (const Waited read = drop_copy(); read != Waited::ready) return read;
        break;
      default:
        break;
    }
    if (PQstatus(pg) == CONNECTION_BAD && PQresultStatus(answer.get()) == PGRES_FATAL_ERROR &&
        failed) {
      return Waited::ready;  // the first error says more
    }
    if (failed) continue;
    failed = PQresultStatus(answer.get()) == PGRES_FATAL_ERROR;
    if (last != nullptr) *last = std::move(answer);
  }
}

Waited Conn::drop_copy() {
  for (;;) {
    char* row = nullptr;
    const int size = PQgetCopyData(pg, &row, 1);
    PQfreemem(row);
    if (size < 0) return Waited::ready;  // the end; what went wrong is in the next answer
    if (size > 0) continue;
    if (const Waited how = wait_for_server(WEIR_WAIT_READ); how != Waited::ready) return how;
  }
}

weir_status Conn::run(const char* text, Answer* answer, weir_error* error) {
  if (PQsendQuery(pg, text) == 0) return lost(WEIR_EFFECT_UNKNOWN, error);
  Answer last;
  Waited how = flush();
  if (how == Waited::ready) how = finish(&last);
  tell_notifications();
  if (how != Waited::ready) return give_up(how, error);
  if (last == nullptr) return lost(WEIR_EFFECT_UNKNOWN, error);
  if (PQresultStatus(last.get()) == PGRES_FATAL_ERROR) return report(error, last.get());
  if (answer != nullptr) *answer = std::move(last);
  return WEIR_OK;
}

bool Conn::hear() {
  for (;;) {
    if (PQstatus(pg) == CONNECTION_BAD) return false;
    pollfd look{PQsocket(pg), POLLIN, 0};
    if (look.fd < 0) return false;
    if (::poll(&look, 1, 0) <= 0) break;
    // The last words of a session that was ended come first, its end only with the next look.
    if (PQconsumeInput(pg) == 0) return false;
    static_cast<void>(PQisBusy(pg));  // takes what was read apart
  }
  tell_notifications();
  return true;
}

void Conn::tell_notifications() {
  while (PGnotify* heard = PQnotifies(pg)) {
    if (host.event != nullptr) {
      weir_event event{};
      event.struct_size = sizeof event;
      event.type = WEIR_EVENT_NOTIFICATION;
      event.name = backend::text(heard->relname);
      event.text = backend::text(heard->extra);
      host.event(host.ctx, tag, &event);
    }
    PQfreemem(heard);
  }
}

}  // namespace weir::postgres
