// SPDX-License-Identifier: MIT
#include "backends/postgres/attempt.hpp"

#include "backends/postgres/errors.hpp"
#include "backends/postgres/key_tap.hpp"
#include "backends/postgres/password_file.hpp"
#include "backends/postgres/sqlstates.hpp"

#include <cstring>
#include <sys/socket.h>

namespace weir::postgres {
namespace {

// What lies at the front of the socket. libpq's texts depend on the language, this does not.
enum class Front : std::uint8_t { unknown, ended, protocol, strange };

Front look_at_front(PGconn* pg) {
  if (PQsslInUse(pg) != 0) return Front::unknown;
  char byte = 0;
  const ssize_t n = ::recv(PQsocket(pg), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n == 0) return Front::ended;
  if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Front::unknown : Front::ended;
  // Authentication, error, notice, protocol version: what may come first in a login.
  return std::strchr("RENv", byte) != nullptr ? Front::protocol : Front::strange;
}

std::uint8_t stage_of(ConnStatusType status) {
  switch (status) {
    case CONNECTION_SSL_STARTUP:
    case CONNECTION_GSS_STARTUP:
      return WEIR_STAGE_TLS;
    case CONNECTION_AWAITING_RESPONSE:
      return WEIR_STAGE_AUTH;
    case CONNECTION_NEEDED:
    case CONNECTION_STARTED:
    case CONNECTION_MADE:
    case CONNECTION_BAD:
      return WEIR_STAGE_CONNECT;
    default:
      return WEIR_STAGE_SETUP;
  }
}

// The server's code decides; without one the stage does.
void explain(PGconn* pg, ConnStatusType reached, Front front, Failure& failure) {
  const LoginFailure said = read_login_failure(PQerrorMessage(pg));
  failure.text = said.text;
  failure.flags = 0;
  if (!said.sqlstate.empty()) {
    failure.kind = login_kind_of(said.sqlstate);
    failure.stage = failure.kind == WEIR_E_AUTH ? WEIR_STAGE_AUTH : WEIR_STAGE_SETUP;
    failure.effect = WEIR_EFFECT_DEFINITE;
    failure.flags = meaning_of(said.sqlstate).flags;
    failure.sqlstate = said.sqlstate;
    return;
  }
  failure.stage = stage_of(reached);
  failure.effect = failure.stage == WEIR_STAGE_CONNECT ? WEIR_EFFECT_NOT_SENT : WEIR_EFFECT_UNKNOWN;
  if (failure.stage == WEIR_STAGE_CONNECT || front == Front::ended) {
    failure.kind = WEIR_E_CONNECT;
    failure.flags = WEIR_ERROR_TRANSIENT;
  } else if (failure.stage == WEIR_STAGE_TLS) {
    failure.kind = WEIR_E_TLS;
  } else if (failure.stage == WEIR_STAGE_AUTH && front != Front::strange) {
    failure.kind = WEIR_E_AUTH;
    if (PQconnectionNeedsPassword(pg) != 0) {
      failure.text =
          "the server wants a password and none was given: set the option password, or "
          "put it into libpq's password file";
    }
  } else {
    failure.kind = WEIR_E_PROTOCOL;
  }
}

void explain_wait(Waited how, ConnStatusType reached, Failure& failure) {
  failure.stage = stage_of(reached);
  failure.effect = WEIR_EFFECT_UNKNOWN;
  if (how == Waited::timeout) {
    failure.kind = WEIR_E_TIMEOUT;
    constexpr std::string_view parts[] = {"",
                                          "",
                                          "no answer to the attempt to connect",
                                          "the server accepted, but said nothing about TLS",
                                          "the server accepted, but did not finish the login",
                                          "the server did not finish setting up the session"};
    failure.text = parts[failure.stage];
    return;
  }
  failure.kind = WEIR_E_CANCELLED;
  failure.flags = 0;
  failure.ended_from_outside = true;
  failure.text =
      how == Waited::aborted ? "the connection was aborted by the host" : "the call was cancelled";
}

void tell(const Conn& conn, const std::string& line) {
  const weir_host& host = conn.host;
  if (host.log != nullptr) host.log(host.ctx, WEIR_LOG_WARN, conn.tag, backend::text(line));
}

PGconn* start(const Conn& conn, const Endpoint& place) {
  const Config& config = conn.source.config;
  std::vector<const char*> keys;
  std::vector<const char*> values;
  const auto add = [&](const char* key, const std::string& value) {
    if (value.empty()) return;
    keys.push_back(key);
    values.push_back(value.c_str());
  };
  for (const auto& [key, value] : config.parameters) add(key.c_str(), value);
  add("host", place.host);
  add("hostaddr", place.address);
  add("port", place.port);
  // Whatever the environment says: the driver chooses among servers itself.
  const std::string any = "any";
  add("target_session_attrs", any);
  const std::string bad_file = objectionable_password_file(config);
  const std::string none = no_password_file;
  if (!bad_file.empty()) {
    tell(conn, "the password file '" + bad_file +
                   "' is not used: it must be a plain file that nobody else may read");
    add("passfile", none);  // the last word on a keyword counts
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  PGconn* pg = PQconnectStartParams(keys.data(), values.data(), 0);
  if (pg == nullptr) throw std::bad_alloc();
  return pg;
}

}  // namespace

bool login(Conn& conn, const Endpoint& place, weir_time until, Failure& failure) {
  conn.pg = start(conn, place);
  ConnStatusType reached = PQstatus(conn.pg);
  Front front = Front::unknown;
  if (reached == CONNECTION_BAD) {
    explain(conn.pg, reached, front, failure);
    hang_up(conn);
    return false;
  }
  // With the codes of errors, which a login gives out only in its text.
  PQsetErrorVerbosity(conn.pg, PQERRORS_VERBOSE);
  PQsetNoticeReceiver(conn.pg, &on_notice, &conn);
  bool done = false;
  {
    const KeyTap tap(conn.pg);
    PostgresPollingStatusType polling = PGRES_POLLING_WRITING;
    while (polling == PGRES_POLLING_READING || polling == PGRES_POLLING_WRITING) {
      const bool reading = polling == PGRES_POLLING_READING;
      const Waited how =
          conn.wait_on(PQsocket(conn.pg), reading ? WEIR_WAIT_READ : WEIR_WAIT_WRITE, until);
      reached = PQstatus(conn.pg);
      if (how != Waited::ready) {
        explain_wait(how, reached, failure);
        break;
      }
      if (reading) front = look_at_front(conn.pg);
      polling = PQconnectPoll(conn.pg);
      if (polling == PGRES_POLLING_FAILED) explain(conn.pg, reached, front, failure);
    }
    done = polling == PGRES_POLLING_OK;
    if (done) conn.cancel_key = tap.key();
  }
  if (!done || PQsetnonblocking(conn.pg, 1) != 0) {
    hang_up(conn);
    return false;
  }
  if (!conn.cancel_key) {
    tell(conn,
         "statements of this session cannot be cancelled: there was no key for it that this "
         "driver could read; a deadline in one of them ends the connection");
  }
  PQsetErrorVerbosity(conn.pg, PQERRORS_DEFAULT);
  conn.peer = peer_of(conn.pg);
  return true;
}

void hang_up(Conn& conn) noexcept {
  PQfinish(conn.pg);
  conn.pg = nullptr;
  conn.cancel_key.reset();
  conn.broken = conn.unsettled = false;
}

}  // namespace weir::postgres
