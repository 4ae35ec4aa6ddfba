// SPDX-License-Identifier: MIT
#include "backends/mock/session.hpp"

#include <algorithm>

namespace weir::mock {
namespace {

weir_time add(weir_time at, std::int64_t ns) { return at > INT64_MAX - ns ? INT64_MAX : at + ns; }

}  // namespace

Conn::Conn(Source& from, std::uint64_t conn_tag, Gate& shared)
    : source(from), host(from.env->host), tag(conn_tag), gate(shared) {
  gate.retain();
  result.conn = this;
}

Conn::~Conn() {
  if (id != 0 && !source.remote) source.script.leave();
  hang_up();
  if (leave_gate) return;
  gate.close();
  gate.release();
}

std::uint8_t Conn::tx_fate() const noexcept {
  if (!in_tx_before) return WEIR_TX_NONE;
  if (!in_tx) return WEIR_TX_GONE;
  return tx_failed ? WEIR_TX_FAILED : WEIR_TX_OPEN;
}

Facts Conn::facts(weir_status kind, std::uint8_t effect) const noexcept {
  Facts facts;
  facts.kind = kind;
  facts.stage = stage;
  facts.conn_fate = broken || gate.aborted() ? WEIR_CONN_BROKEN : WEIR_CONN_USABLE;
  facts.effect = effect;
  facts.tx_fate = tx_fate();
  return facts;
}

weir_status Conn::refuse(weir_error* error, weir_status kind,
                         std::string_view text) const noexcept {
  return fail(error, facts(kind, WEIR_EFFECT_NOT_SENT), {text});
}

weir_status Conn::answer(weir_error* error, weir_status kind) noexcept {
  if (kind == WEIR_E_CONN_LOST) broken = true;
  if (kind == WEIR_E_SERIALIZATION && in_tx) tx_failed = true;             // as PostgreSQL does it
  if (kind == WEIR_E_DEADLOCK || kind == WEIR_E_CONN_LOST) in_tx = false;  // as MySQL does it
  const bool unknown = kind == WEIR_E_CONN_LOST || kind == WEIR_E_TIMEOUT;
  Facts said = facts(kind, unknown ? WEIR_EFFECT_UNKNOWN : WEIR_EFFECT_DEFINITE);
  said.native_code = kind;
  return fail(error, said, {"the mock's script says so"});
}

weir_status Conn::stopped(weir_error* error, weir_status kind, std::string_view text) noexcept {
  return fail(error, facts(kind, WEIR_EFFECT_DEFINITE), {text});
}

weir_status Conn::pause(std::int64_t ns, weir_error* error) noexcept {
  weir_time now = host.now(host.ctx);
  const weir_time end = add(now, ns);
  for (;;) {
    if (gate.aborted()) {
      return stopped(error, opening ? WEIR_E_CANCELLED : WEIR_E_CONN_LOST,
                     "the connection was aborted by the host");
    }
    if (gate.cancelled()) return stopped(error, WEIR_E_CANCELLED, "the call was cancelled");
    if (now >= end) return WEIR_OK;
    if (now >= deadline) return stopped(error, WEIR_E_TIMEOUT, "the deadline came");
    host.wait(host.ctx, tag, -1, 0, std::min(end, deadline));
    now = host.now(host.ctx);  // a wait may end without cause
  }
}

weir_status Conn::hang(weir_error* error) noexcept {
  const weir_time end = add(host.now(host.ctx), source.script.hang_max_ns());
  while (host.now(host.ctx) < end) {
    if (gate.aborted() && !source.script.hang_through_abort()) break;
    host.wait(host.ctx, tag, -1, 0, end);
  }
  broken = true;
  if (gate.aborted()) return pause(0, error);
  return fail(error, facts(WEIR_E_TIMEOUT, WEIR_EFFECT_UNKNOWN), {"the server did not answer"});
}

weir_status Conn::act(Act which, weir_error* error, std::int32_t level) noexcept {
  if (source.remote) {
    weir_sim_request request{};
    request.kind = which == Act::ping ? WEIR_SIM_PING : WEIR_SIM_RESET;
    request.level = level;
    return ask(request, error);
  }
  const Verdict verdict = source.script.judge(which);
  if (verdict.hang) return hang(error);
  if (const auto bad = pause(verdict.latency_ns, error)) return bad;
  return verdict.failure == WEIR_OK ? WEIR_OK : answer(error, verdict.failure);
}

Op::Op(Conn& conn, const weir_call* raw, std::uint8_t stage, weir_error* error) noexcept
    : conn_(conn), status_(WEIR_OK) {
  const backend::Input call(raw);
  conn.stage = stage;
  conn.in_tx_before = conn.in_tx;
  if (conn.gate.aborted()) {
    status_ = conn.refuse(error, conn.opening ? WEIR_E_CANCELLED : WEIR_E_CONN_LOST,
                          "the connection was aborted by the host");
  } else if (conn.broken) {
    status_ = conn.refuse(error, WEIR_E_INVALID_STATE, "the connection is broken: close it");
  } else {
    status_ = backend::check_call(conn.host, *call, conn.facts(WEIR_E_OTHER, WEIR_EFFECT_NOT_SENT),
                                  error);
  }
  if (status_ != WEIR_OK) return;
  conn.deadline = call->deadline;
  conn.op_id = call->op_id;
  conn.gate.start(call->op_id);
}

Op::~Op() {
  if (status_ == WEIR_OK) conn_.gate.finish();
}

}  // namespace weir::mock
