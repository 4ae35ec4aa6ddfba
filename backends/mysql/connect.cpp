// SPDX-License-Identifier: MIT
//
// connect.cpp: from a configuration to a session that can do its work. The library's own connect
// runs statements, too: it sets autocommit, and the isolation level to REPEATABLE READ whatever the
// server's default is; that is taken back here.
#include "backends/mysql/session.hpp"

#include <charconv>

namespace weir::mysql {
namespace {

// Who answers, and what the driver has to know about the session. One row.
constexpr const char* look =
    "SELECT CONNECTION_ID(), VERSION(), @@sql_mode, @@max_allowed_packet, "
    "@@character_set_client, CONCAT_WS('/', @@hostname, @@port, @@socket), @@completion_type";

// MariaDB before 11.1 and MySQL before 8.0 know tx_isolation, the others transaction_isolation.
const char* default_isolation(bool mariadb, std::string_view version) {
  int major = 0;
  int minor = 0;
  const char* end = version.data() + version.size();
  const auto [dot, ec] = std::from_chars(version.data(), end, major);
  if (ec == std::errc{} && dot < end) std::from_chars(dot + 1, end, minor);
  const bool old = mariadb ? major < 11 || (major == 11 && minor == 0) : major < 8;
  return old ? "SET SESSION tx_isolation = DEFAULT" : "SET SESSION transaction_isolation = DEFAULT";
}

void check_tls(sql::Connection& link, const Config& config) {
  if (config.tls == Tls::off) return;
  const std::unique_ptr<sql::Statement> statement(link.createStatement());
  const std::unique_ptr<sql::ResultSet> rows(
      statement->executeQuery("SHOW SESSION STATUS LIKE 'Ssl_version'"));
  if (rows->next() && rows->getString(2).length() > 0) return;
  Failure failure;
  failure.facts = {.kind = WEIR_E_TLS,
                   .stage = WEIR_STAGE_TLS,
                   .conn_fate = WEIR_CONN_BROKEN,
                   .effect = WEIR_EFFECT_DEFINITE};
  failure.text = "cannot connect to " + config.display +
                 ": the client library connected without TLS, although it is required";
  throw Failed(std::move(failure));
}

void set_up(Session& session, sql::Connection& link) {
  check_tls(link, *session.config);
  std::string version;
  {
    const std::unique_ptr<sql::Statement> statement(link.createStatement());
    const std::unique_ptr<sql::ResultSet> row(statement->executeQuery(look));
    row->next();
    session.name.id = row->getUInt64(1);
    version = row->getString(2).asStdString();
    session.mode = parse_sql_mode(bytes_of(row->getString(3)));
    session.max_packet = row->getUInt64(4);
    const bool utf8 = bytes_of(row->getString(5)) == "utf8mb4";
    session.name.server = row->getString(6).asStdString();
    session.chained = bytes_of(row->getString(7)) == "CHAIN";
    session.name.since = std::chrono::steady_clock::now();
    if (!utf8) tell(link, "SET NAMES utf8mb4");
  }
  session.mariadb = version.find("MariaDB") != std::string::npos;
  tell(link, default_isolation(session.mariadb, version));
}

}  // namespace

void Session::connect(std::chrono::nanoseconds patience) {
  // The old link first: the server may have no place for both.
  shut();
  const auto begun = std::chrono::steady_clock::now();
  LinkSocket socket;
  try {
    auto fresh = dial(*config, patience, std::chrono::nanoseconds(config->read_timeout_ns));
    set_up(*this, *fresh);
    socket = LinkSocket::find(*fresh, *config, max_packet, patience);
    link = std::move(fresh);
  } catch (const sql::SQLException& e) {
    const auto waited = std::chrono::steady_clock::now() - begun;
    throw Failed(explain_dial(e, *config, waited, patience));
  }
  broken = in_tx = autocommit_off = read_only = tx_lost = needs_rollback = false;
  dirty = touched = false;
  canceller.attach(name, std::move(socket));
}

}  // namespace weir::mysql
