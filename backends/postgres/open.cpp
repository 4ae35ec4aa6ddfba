// SPDX-License-Identifier: MIT
//
// open.cpp: from a configuration to a session: look-ups, then one place after the other until one
// of them serves. libpq could walk over several hosts by itself, but would give the first one that
// is silent all the time there is; here each gets its share.
#include "backends/postgres/attempt.hpp"
#include "backends/postgres/conn.hpp"
#include "backends/postgres/errors.hpp"

#include <algorithm>

namespace weir::postgres {
namespace {

weir_time share(const Conn& conn, std::int64_t limit_ns, std::size_t left) {
  if (left <= 1 && limit_ns == 0) return conn.deadline;
  if (limit_ns == 0 && conn.deadline == WEIR_NO_DEADLINE) return WEIR_NO_DEADLINE;
  const weir_time now = conn.host.now(conn.host.ctx);
  if (limit_ns == 0) limit_ns = (conn.deadline - now) / static_cast<weir_time>(left);
  return limit_ns >= conn.deadline - now ? conn.deadline : now + limit_ns;
}

// Adds the places of one endpoint. False: the wait was ended from outside.
bool look_up(Conn& conn, const Endpoint& endpoint, Lookup& lookup, weir_time until,
             std::vector<Endpoint>& places, std::string& complaint, Waited& how) {
  how = lookup.fd < 0 ? Waited::lost : conn.wait_on(lookup.fd, WEIR_WAIT_READ, until);
  if (how == Waited::aborted || how == Waited::cancelled) return false;
  // acquire: what the thread has found.
  if (how == Waited::ready && lookup.over.load(std::memory_order_acquire)) {
    for (const std::string& address : lookup.addresses) {
      places.push_back({endpoint.host, address, endpoint.port});
    }
    if (!lookup.addresses.empty()) return true;
  }
  complaint += complaint.empty() ? "" : "; ";
  complaint += "the host name '" + endpoint.host + "' does not resolve";
  if (how == Waited::timeout) {
    complaint += " in time";
  } else if (how == Waited::ready) {
    complaint += ": " + lookup.complaint;
  }
  return true;
}

weir_status find_places(Conn& conn, std::vector<Endpoint>& places, weir_error* error) {
  const std::vector<Endpoint>& endpoints = conn.source.config.endpoints;
  conn.stage = WEIR_STAGE_RESOLVE;
  std::vector<std::shared_ptr<Lookup>> lookups;  // all at once, null where none is needed
  for (const Endpoint& e : endpoints) {
    const bool known = !e.address.empty() || is_socket_directory(e.host) || is_numeric(e.host);
    lookups.push_back(known ? nullptr : conn.source.env->resolver.start(e.host));
  }
  std::string complaint;
  Waited how = Waited::ready;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    if (lookups[i] == nullptr) {
      places.push_back(endpoints[i]);
      if (places.back().address.empty() && is_numeric(endpoints[i].host)) {
        places.back().address = endpoints[i].host;
      }
      continue;
    }
    const weir_time until =
        share(conn, conn.source.config.endpoint_timeout_ns, endpoints.size() - i + places.size());
    if (!look_up(conn, endpoints[i], *lookups[i], until, places, complaint, how)) {
      return conn.give_up(how, error);
    }
  }
  if (!places.empty()) return WEIR_OK;
  return fail(error,
              {.kind = how == Waited::timeout ? WEIR_E_TIMEOUT : WEIR_E_RESOLVE,
               .stage = WEIR_STAGE_RESOLVE,
               .flags = WEIR_ERROR_TRANSIENT},
              {complaint});
}

// What another place cannot answer otherwise.
bool is_final(const Failure& failure) {
  return failure.ended_from_outside || failure.kind == WEIR_E_AUTH ||
         failure.kind == WEIR_E_CONFIG || failure.kind == WEIR_E_PERMISSION;
}

std::string label(const Endpoint& place) {
  std::string text = place.host.empty() ? place.address : place.host;
  if (!place.address.empty() && place.address != place.host) text += " (" + place.address + ")";
  return text + ":" + (place.port.empty() ? "5432" : place.port);
}

// What a server that took the login answered, or did not, to the first statements.
bool serves(Conn& conn, Target wanted, weir_time until, Failure& failure) {
  char text[512] = {};
  weir_error error{};
  error.struct_size = sizeof error;
  error.text = text;
  error.text_capacity = sizeof text;
  conn.stage = WEIR_STAGE_SETUP;
  const weir_time whole = std::exchange(conn.deadline, until);
  bool fits = false;
  weir_status bad = check_target(conn, wanted, fits, &error);
  if (bad == WEIR_OK && fits) bad = set_up(conn, &error);
  conn.deadline = whole;
  if (bad == WEIR_OK && fits) return true;
  failure.stage = WEIR_STAGE_SETUP;
  failure.effect = WEIR_EFFECT_DEFINITE;
  failure.kind = WEIR_E_SERVER_NOT_READY;
  failure.text = "the server is not what target_session_attrs asks for";
  if (bad == WEIR_OK) return false;
  failure.kind = bad == WEIR_E_CONN_LOST ? WEIR_E_CONNECT : bad;
  failure.ended_from_outside = conn.gate->aborted() || conn.gate->cancelled();
  failure.effect = error.effect;
  failure.flags = error.flags;
  failure.sqlstate = error.sqlstate;
  failure.text.assign(text, error.text_size);
  return false;
}

// Whether one of them serves.
bool try_all(Conn& conn, const std::vector<Endpoint>& places, Target wanted, Failure& failure,
             std::string& said) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (conn.deadline != WEIR_NO_DEADLINE && conn.host.now(conn.host.ctx) >= conn.deadline) break;
    const weir_time until = share(conn, conn.source.config.endpoint_timeout_ns, places.size() - i);
    failure = {};
    if (login(conn, places[i], until, failure)) {
      if (serves(conn, wanted, until, failure)) return true;
      hang_up(conn);
    }
    if (places.size() > 1) said += (said.empty() ? "" : "; ") + label(places[i]) + ": ";
    said += failure.text;
    if (is_final(failure)) break;
  }
  return false;
}

}  // namespace

weir_status connect(Conn& conn, weir_error* error) {
  std::vector<Endpoint> places;
  if (const auto bad = find_places(conn, places, error)) return bad;
  const Target target = conn.source.config.target;
  Failure failure;
  std::string said;
  const bool twice = target == Target::prefer_standby;
  for (const Target wanted : {twice ? Target::standby : target, Target::any}) {
    if (try_all(conn, places, wanted, failure, said)) return WEIR_OK;
    if (!twice || is_final(failure)) break;
  }
  if (said.empty()) said = "the deadline came";
  Facts facts;
  facts.kind = failure.kind;
  facts.stage = failure.stage;
  facts.effect = failure.effect;
  facts.flags = failure.flags;
  const weir_status kind =
      fail(error, facts, {"cannot connect to ", conn.source.config.display, ": ", said});
  set_sqlstate(error, failure.sqlstate);
  return kind;
}

weir_status set_up(Conn& conn, weir_error* error) {
  const char* style = PQparameterStatus(conn.pg, "DateStyle");
  if (style != nullptr && std::string_view(style).starts_with("ISO")) return WEIR_OK;
  return conn.run("SET datestyle TO 'ISO'", nullptr, error);
}

weir_status check_target(Conn& conn, Target wanted, bool& fits, weir_error* error) {
  fits = true;
  if (wanted == Target::any || wanted == Target::prefer_standby) return WEIR_OK;
  // The server has the last word: what it reported may be older than a change of roles.
  Answer answer;
  if (const auto bad = conn.run("SELECT pg_catalog.pg_is_in_recovery(), "
                                "pg_catalog.current_setting('transaction_read_only') = 'on'",
                                &answer, error)) {
    return bad;
  }
  if (PQntuples(answer.get()) != 1 || PQnfields(answer.get()) != 2) {
    return conn.refuse(error, WEIR_E_PROTOCOL, {"the server did not say whether it is a standby"});
  }
  const bool standby = PQgetvalue(answer.get(), 0, 0)[0] == 't';
  const bool read_only = PQgetvalue(answer.get(), 0, 1)[0] == 't';
  if (wanted == Target::read_write) fits = !read_only;
  if (wanted == Target::read_only) fits = read_only;
  if (wanted == Target::primary) fits = !standby;
  if (wanted == Target::standby) fits = standby;
  return WEIR_OK;
}

}  // namespace weir::postgres
