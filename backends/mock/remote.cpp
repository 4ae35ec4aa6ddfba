// SPDX-License-Identifier: MIT
//
// remote.cpp: a conn's talk with a simulated server. All waiting is in await().
#include "backends/mock/remote.hpp"

#include "backends/mock/session.hpp"

#include <algorithm>

namespace weir::mock {

Remote find_remote(const weir_host& host, weir_text url) noexcept {
  Remote remote;
  if (host.extension == nullptr) return remote;
  const void* found = host.extension(host.ctx, WEIR_SIM_SERVER_ID);
  if (found == nullptr) return remote;
  remote.table = backend::read_in(static_cast<const weir_sim_server*>(found));
  remote.server = remote.table.find(remote.table.ctx, url);
  return remote;
}

weir_status Conn::dial(weir_error* error) noexcept {
  const weir_sim_server& server = source.remote.table;
  weir_sim_dial dial{};
  dial.struct_size = sizeof dial;
  dial.server = source.remote.server;
  dial.conn_tag = tag;
  dial.host = &host;
  link = server.dial(server.ctx, host.now(host.ctx), &dial);
  if (link == 0) return refuse(error, WEIR_E_NOMEM, "there is no memory for a simulated link");
  if (const auto bad = await(error)) return bad;
  id = reply.backend_id;
  return WEIR_OK;
}

weir_status Conn::ask(weir_sim_request request, weir_error* error) noexcept {
  const weir_sim_server& server = source.remote.table;
  request.struct_size = sizeof request;
  request.op_id = op_id;
  server.send(server.ctx, host.now(host.ctx), link, &request);
  return await(error);
}

// A cancel is sent once; the server holds the reply back until it can hit nothing else.
weir_status Conn::await(weir_error* error) noexcept {
  const weir_sim_server& server = source.remote.table;
  bool cancel_sent = false;
  for (;;) {
    const weir_time now = host.now(host.ctx);
    reply = {};
    reply.struct_size = sizeof reply;
    server.poll(server.ctx, now, link, &reply);
    if (reply.state == WEIR_SIM_DONE) return take_reply(error);
    const bool past_abort = (reply.flags & WEIR_SIM_PAST_ABORT) != 0;
    const bool past_deadline = past_abort || (reply.flags & WEIR_SIM_PAST_DEADLINE) != 0;
    if (gate.aborted() && !past_abort) {
      return leave(error, opening ? WEIR_E_CANCELLED : WEIR_E_CONN_LOST,
                   "the connection was aborted by the host");
    }
    if (now >= deadline && !past_deadline) return leave(error, WEIR_E_TIMEOUT, "the deadline came");
    if (gate.cancelled() && !cancel_sent) {
      cancel_sent = true;
      server.cancel(server.ctx, now, link, op_id);
      continue;
    }
    host.wait(host.ctx, tag, -1, 0,
              past_deadline ? reply.look_at : std::min(reply.look_at, deadline));
  }
}

weir_status Conn::take_reply(weir_error* error) noexcept {
  const auto is = [this](std::uint32_t flag) { return (reply.session_flags & flag) != 0; };
  in_tx = is(WEIR_STATE_IN_TX);
  tx_failed = is(WEIR_STATE_TX_FAILED);
  dirty = is(WEIR_STATE_DIRTY);
  read_only = is(WEIR_STATE_READ_ONLY);
  if (reply.conn_fate == WEIR_CONN_BROKEN) broken = true;
  if (reply.status == WEIR_OK) return WEIR_OK;
  Facts said = facts(reply.status, reply.effect);
  if (reply.stage != WEIR_STAGE_NONE) said.stage = reply.stage;
  said.native_code = reply.status;
  return fail(error, said, {backend::view(reply.text)});
}

// What was asked for may happen all the same, and a late reply would be taken for the next one's:
// the connection is not usable any more.
weir_status Conn::leave(weir_error* error, weir_status kind, std::string_view text) noexcept {
  const weir_sim_server& server = source.remote.table;
  server.give_up(server.ctx, host.now(host.ctx), link);
  broken = true;
  in_tx = false;
  return fail(error, facts(kind, WEIR_EFFECT_UNKNOWN), {text});
}

void Conn::hang_up() noexcept {
  if (link == 0) return;
  const weir_sim_server& server = source.remote.table;
  server.hang_up(server.ctx, host.now(host.ctx), link);
  link = 0;
}

}  // namespace weir::mock
