// SPDX-License-Identifier: MIT
#include "sim/server/extension.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weir::sim {
namespace {

std::string_view view(weir_text text) {
  return text.size == 0 ? std::string_view{} : std::string_view{text.data, text.size};
}

// What a parameter looks like in a statement's text. Numbers and bytes are all that keys need.
std::string text_of(const weir_cell& cell) {
  if (cell.type >= WEIR_T_TEXT) return {static_cast<const char*>(cell.v.p), cell.size};
  if (cell.type == WEIR_T_NULL) return {};
  return std::to_string(cell.v.i);
}

template <class T>
T read_in(const T* in) {
  T full{};
  if (in != nullptr) std::memcpy(&full, in, std::min<std::size_t>(in->struct_size, sizeof full));
  return full;
}

weir_sim_reply reply_for_driver(const Reply& reply) {
  weir_sim_reply out{};
  out.look_at = reply.look_at;
  out.state = reply.pending ? WEIR_SIM_PENDING : WEIR_SIM_DONE;
  if (reply.past_deadline) out.flags |= WEIR_SIM_PAST_DEADLINE;
  if (reply.past_abort) out.flags |= WEIR_SIM_PAST_ABORT;
  if (reply.answer == nullptr) return out;
  const Answer& answer = *reply.answer;
  out.session_flags = reply.session_flags;
  out.backend_id = reply.backend_id;
  out.status = answer.status;
  out.stage = answer.stage;
  out.conn_fate = answer.conn_fate;
  out.effect = answer.effect;
  out.last_id = answer.last_id;
  out.text = {answer.text.data(), answer.text.size()};
  if (answer.has_affected) {
    out.flags |= WEIR_SIM_HAS_AFFECTED;
    out.affected = 1;
  }
  if (answer.has_value) out.flags |= WEIR_SIM_HAS_VALUE;
  if (answer.has_value && !answer.value_is_null) {
    out.value.type = WEIR_T_TEXT;
    out.value.size = static_cast<std::uint32_t>(answer.value.size());
    out.value.v.p = answer.value.data();
  }
  return out;
}

Servers& self(void* ctx) { return *static_cast<Servers*>(ctx); }

}  // namespace

// No memory is the end of a simulation: noexcept below turns it into one, instead of into a result.
Servers::Servers() noexcept {
  table_.struct_size = sizeof table_;
  table_.ctx = this;
  table_.find = [](void* ctx, weir_text url) noexcept { return self(ctx).number_of(view(url)); };
  table_.dial = [](void* ctx, weir_time now, const weir_sim_dial* dial) noexcept {
    return self(ctx).dial(now, read_in(dial));
  };
  table_.send = [](void* ctx, weir_time now, std::uint64_t link,
                   const weir_sim_request* request) noexcept {
    self(ctx).send(now, link, read_in(request));
  };
  table_.poll = [](void* ctx, weir_time now, std::uint64_t link, weir_sim_reply* reply) noexcept {
    self(ctx).poll(now, link, *reply);
  };
  table_.cancel = &pass_on<&Server::cancel, std::uint64_t>;
  table_.give_up = &pass_on<&Server::give_up>;
  table_.hang_up = &pass_on<&Server::hang_up>;
}

Server& Servers::add(std::string url, Settings settings) {
  entries_.push_back({std::move(url), std::make_unique<Server>(std::move(settings))});
  return *entries_.back().server;
}

const void* Servers::find(std::string_view id) const noexcept {
  return id == WEIR_SIM_SERVER_ID ? &table_ : nullptr;
}

std::uint64_t Servers::number_of(std::string_view url) const noexcept {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].url == url) return i + 1;
  }
  return 0;
}

Server* Servers::of(std::uint64_t& link) const noexcept {
  const std::uint64_t server = link >> link_bits;
  link &= link_mask;
  if (server == 0 || server > entries_.size()) return nullptr;
  return entries_[server - 1].server.get();
}

std::uint64_t Servers::dial(weir_time now, const weir_sim_dial& dial) {
  std::uint64_t address = dial.server << link_bits;
  Server* server = of(address);
  if (server == nullptr) return 0;
  const std::uint64_t link = server->dial(now, dial.conn_tag, dial.host);
  wake(*server);
  return (dial.server << link_bits) | link;
}

void Servers::send(weir_time now, std::uint64_t link, const weir_sim_request& request) {
  Server* server = of(link);
  if (server == nullptr) return;
  Request copy;
  copy.kind = request.kind;
  copy.op_id = request.op_id;
  copy.text = view(request.text);
  copy.level = request.level;
  for (std::uint32_t i = 0; i < request.param_count; ++i) {
    copy.parameters.push_back(text_of(request.params[i]));
  }
  server->send(now, link, copy);
  wake(*server);
}

void Servers::poll(weir_time now, std::uint64_t link, weir_sim_reply& out) {
  weir_sim_reply full{};
  full.state = WEIR_SIM_PENDING;
  full.look_at = WEIR_NO_DEADLINE;
  if (Server* server = of(link)) {
    full = reply_for_driver(server->poll(now, link));
    wake(*server);
  }
  full.struct_size = out.struct_size;
  std::memcpy(&out, &full, std::min<std::size_t>(out.struct_size, sizeof full));
}

template <auto Method, class... Args>
void Servers::pass_on(void* ctx, weir_time now, std::uint64_t link, Args... args) noexcept {
  Server* server = self(ctx).of(link);
  if (server == nullptr) return;
  (server->*Method)(now, link, args...);
  wake(*server);
}

// After the call, so that whoever is woken finds the server at rest.
void Servers::wake(Server& server) {
  for (const Wake& wake : server.take_wakes()) wake.host->wake(wake.host->ctx, wake.conn_tag);
}

}  // namespace weir::sim
