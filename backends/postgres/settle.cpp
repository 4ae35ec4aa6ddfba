// SPDX-License-Identifier: MIT
//
// settle.cpp: calling off what the server still works on, so that the session can go on. Also when
// nobody has time to wait: a call that ends at its deadline has only sent the cancel, and the next
// call does the waiting, before it sends anything of its own.
#include "backends/postgres/conn.hpp"

namespace weir::postgres {
namespace {

constexpr weir_time retry_pause_ns = 1'000'000;  // the server's queue of connections is full

// How long the server may take to show that it has heard a cancel before it is sent again.
constexpr weir_time cancel_pause_ns = 50'000'000;

// How much of an unwanted result is read before it is called off: what has arrived by then is
// cheaper to read than a second connection is to make.
constexpr int patient_reads = 16;

}  // namespace

bool Conn::begin_cancel() noexcept {
  if (cancel_request.is_running()) return true;
  if (!cancel_key || peer.size == 0) return false;
  cancel_again = host.now(host.ctx) + cancel_pause_ns;
  cancel_request.start(peer, *cancel_key);
  CancelRequest::Want ignored;  // on one machine it is sent at once; else drive_cancel goes on
  static_cast<void>(cancel_request.step(ignored));
  return true;
}

Waited Conn::drive_cancel() {
  if (!cancel_request.is_running()) return Waited::ready;
  CancelRequest::Want want;
  while (cancel_request.step(want)) {
    weir_time until = deadline;
    if (want.fd < 0) {
      const weir_time now = host.now(host.ctx);
      until = now > deadline - retry_pause_ns ? deadline : now + retry_pause_ns;
    }
    const Waited how = wait_on(want.fd, want.events, until);
    if (how == Waited::timeout && until != deadline) continue;
    if (how == Waited::cancelled) {
      cancel_seen = true;  // it is about the call that is being called off, or one that waits
      continue;
    }
    if (how != Waited::ready) return how;
  }
  cancel_again = host.now(host.ctx) + cancel_pause_ns;  // only now can it show
  return Waited::ready;
}

Waited Conn::settle() {
  Waited how = drive_cancel();
  if (how != Waited::ready) return how;
  how = flush();
  const bool pipeline = PQpipelineStatus(pg) != PQ_PIPELINE_OFF;
  if (how == Waited::ready) how = pipeline ? finish_pipeline() : finish(nullptr);
  if (how != Waited::ready) return how;
  if (PQstatus(pg) == CONNECTION_BAD) return Waited::lost;
  unsettled = false;
  cancel_again = WEIR_NO_DEADLINE;
  result.running = false;
  return Waited::ready;
}

// The synchronisation point was sent with the rows, so it comes, or the connection ends.
Waited Conn::finish_pipeline() {
  for (;;) {
    Answer answer;
    const Waited how = next(answer);
    if (how != Waited::ready) return how;
    if (PQstatus(pg) == CONNECTION_BAD) return Waited::lost;
    if (answer == nullptr || PQresultStatus(answer.get()) != PGRES_PIPELINE_SYNC) continue;
    return PQexitPipelineMode(pg) != 0 ? Waited::ready : Waited::lost;
  }
}

Waited Conn::finish_result() {
  if (!result.running) return Waited::ready;
  result.running = false;
  unsettled = true;
  // What was called off already is left to settle: it may end by itself, its cancel arrive later.
  const bool called_off = cancel_again != WEIR_NO_DEADLINE;
  for (int reads = 0; !called_off && reads < patient_reads; ++reads) {
    while (PQisBusy(pg) == 0) {
      const Answer dropped(PQgetResult(pg));
      if (dropped != nullptr) continue;
      unsettled = false;
      return PQstatus(pg) == CONNECTION_BAD ? Waited::lost : Waited::ready;
    }
    if (PQconsumeInput(pg) == 0) return Waited::lost;
  }
  // A cancel would also undo what the statement did, and end a transaction that it is part of: so
  // only where there is neither.
  if (result.only_reads && !in_tx_before) static_cast<void>(begin_cancel());
  const Waited how = settle();
  if (how == Waited::timeout && in_tx_before) tx_doomed = begin_cancel() || tx_doomed;
  return how;
}

}  // namespace weir::postgres
