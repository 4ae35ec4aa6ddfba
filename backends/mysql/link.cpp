// SPDX-License-Identifier: MIT
#include "backends/mysql/link.hpp"

#include <algorithm>
#include <charconv>

namespace weir::mysql {
namespace {

constexpr std::chrono::seconds side_patience{5};

// As connect.cpp asks it of the session's own link.
constexpr const char* name_of_server = "SELECT CONCAT_WS('/', @@hostname, @@port, @@socket)";

int whole_seconds(std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(time).count();
  return static_cast<int>(std::clamp<std::int64_t>(seconds, 1, 1'000'000));
}

void set(sql::ConnectOptionsMap& options, const char* key, const std::string& value) {
  options[key] = to_library(value);
}

void set_if(sql::ConnectOptionsMap& options, const char* key, const std::string& value) {
  if (!value.empty()) set(options, key, value);
}

// The library takes a host name apart: in brackets, colons are an address.
std::string host_of(const Config& config) {
  if (!config.socket.empty()) return "localhost";
  if (config.host.find(':') != std::string::npos) return "[" + config.host + "]";
  return config.host;
}

// Server and library print what they were given, the account's name and the host; never the
// password.
std::uint8_t stage_of(weir_status kind) {
  switch (kind) {
    case WEIR_E_RESOLVE:
      return WEIR_STAGE_RESOLVE;
    case WEIR_E_TLS:
      return WEIR_STAGE_TLS;
    case WEIR_E_AUTH:
      return WEIR_STAGE_AUTH;
    case WEIR_E_CONFIG:
    case WEIR_E_PERMISSION:
      return WEIR_STAGE_SETUP;
    default:
      return WEIR_STAGE_CONNECT;
  }
}

void execute(sql::Connection& link, const std::string& statement) {
  const std::unique_ptr<sql::Statement> made(link.createStatement());
  made->execute(to_library(statement));
}

}  // namespace

std::unique_ptr<sql::Connection> dial(const Config& config, std::chrono::nanoseconds patience,
                                      std::chrono::nanoseconds read_timeout) {
  sql::ConnectOptionsMap options;
  set(options, "hostName", host_of(config));
  set(options, "userName", config.user);
  set(options, "password", config.password);
  set_if(options, "schema", config.database);
  if (config.socket.empty()) {
    options["port"] = static_cast<int>(config.port);
  } else {
    set(options, "socket", config.socket);
  }
  // Without the first, a server that accepts and stays silent holds the thread for ever. Both are
  // whole seconds: the caller's deadline is kept by its wait in the host.
  options["OPT_CONNECT_TIMEOUT"] = whole_seconds(patience);
  options["OPT_READ_TIMEOUT"] = whole_seconds(read_timeout);
  if (config.tls == Tls::require) {
    set(options, "sslCA", config.tls_ca);
    set_if(options, "sslCert", config.tls_cert);
    set_if(options, "sslKey", config.tls_key);
    options["sslVerify"] = true;
    options["sslEnforce"] = true;  // alone it would be no promise: see check_tls
  }
  std::unique_ptr<sql::Connection> link(library().connect(options));
  return link;
}

Failure explain_dial(const sql::SQLException& e, const Config& config,
                     std::chrono::nanoseconds waited, std::chrono::nanoseconds patience) {
  const int code = e.getErrorCode();
  const CodeMeaning meaning = meaning_of(code, e.getSQLState());
  Failure failure;
  failure.sqlstate = e.getSQLState();
  failure.text = "cannot connect to " + config.display + ": " + e.what();
  Facts& facts = failure.facts;
  facts = {
      .kind = meaning.kind, .effect = meaning.effect, .flags = meaning.flags, .native_code = code};
  facts.conn_fate = WEIR_CONN_BROKEN;
  const bool silent = waited >= std::chrono::seconds(whole_seconds(patience));
  if (code == 1049) {
    facts.kind = WEIR_E_CONFIG;
    failure.text += "; create it, or correct the url";
  } else if (facts.kind == WEIR_E_CONN_LOST || facts.kind == WEIR_E_CONNECT) {
    facts.flags = WEIR_ERROR_TRANSIENT;
    facts.kind = WEIR_E_CONNECT;
    if (silent) {
      facts.kind = WEIR_E_TIMEOUT;
      failure.text += "; no answer within connect_timeout";
    } else if (code != 2002 && code != 2003) {
      failure.text += "; what listens there hung up: is it a MySQL or MariaDB server?";
    }
  } else if (facts.kind == WEIR_E_AUTH) {
    failure.text += "; check user and password";
  }
  facts.stage = stage_of(facts.kind);
  return failure;
}

std::string ask(sql::Connection& link, const char* query) {
  const std::unique_ptr<sql::Statement> statement(link.createStatement());
  const std::unique_ptr<sql::ResultSet> rows(statement->executeQuery(query));
  if (!rows->next() || rows->isNull(1)) return {};
  return rows->getString(1).asStdString();
}

void tell(sql::Connection& link, const char* statement) { execute(link, statement); }

SideLink::SideLink(const Config& config)
    : link_(dial(config,
                 std::min<std::chrono::nanoseconds>(
                     std::chrono::nanoseconds(config.connect_timeout_ns), side_patience),
                 side_patience)) {}

bool SideLink::knows(const SessionName& name) {
  if (ask(*link_, name_of_server) != name.server) return false;
  const std::unique_ptr<sql::Statement> statement(link_->createStatement());
  const std::unique_ptr<sql::ResultSet> rows(
      statement->executeQuery("SHOW GLOBAL STATUS LIKE 'Uptime'"));
  if (!rows->next()) return false;
  const std::chrono::seconds up{rows->getInt64(2)};
  // Both are rounded: a server may seem one second younger than its first session.
  return std::chrono::steady_clock::now() - name.since <= up + std::chrono::seconds(1);
}

void SideLink::kill_query(std::uint64_t id) { execute(*link_, "KILL QUERY " + std::to_string(id)); }

void SideLink::kill_session(std::uint64_t id) {
  execute(*link_, "KILL CONNECTION " + std::to_string(id));
}

}  // namespace weir::mysql
