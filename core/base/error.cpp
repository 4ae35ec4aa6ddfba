// SPDX-License-Identifier: MIT
#include "core/base/text.hpp"

#include <weir/driver.h>
#include <weir/error.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace weir {

struct Error::Data {
  Code code;
  std::string message;
  std::optional<DatabaseError> database;
  std::optional<AcquireReport> acquire;
  std::optional<RetryReport> retry;
  std::optional<ManyReport> many;
};

Error::Error(Code code, std::string message)
    : data_(std::make_shared<Data>(Data{code, std::move(message), {}, {}, {}, {}})) {}

Error::Error(Code code, std::string message, DatabaseError database)
    : data_(
          std::make_shared<Data>(Data{code, std::move(message), std::move(database), {}, {}, {}})) {
}

Error::Error(Code code, std::string message, AcquireReport report)
    : data_(std::make_shared<Data>(Data{code, std::move(message), {}, std::move(report), {}, {}})) {
}

Error::Error(const Error& last, RetryReport report, std::string_view note)
    : data_(std::make_shared<Data>(Data{last.data_->code, last.data_->message + std::string(note),
                                        last.data_->database, last.data_->acquire, report,
                                        last.data_->many})) {}

Error::Error(const Error& cause, ManyReport report, std::string_view note)
    : data_(std::make_shared<Data>(Data{cause.data_->code, cause.data_->message + std::string(note),
                                        cause.data_->database, cause.data_->acquire,
                                        cause.data_->retry, report})) {}

Code Error::code() const noexcept { return data_->code; }
std::string_view Error::id() const noexcept { return info(code()).id; }
std::string_view Error::name() const noexcept { return info(code()).name; }
const std::string& Error::message() const noexcept { return data_->message; }
int Error::exit_code() const noexcept { return info(code()).exit_code; }

const DatabaseError* Error::database() const noexcept {
  return data_->database ? &*data_->database : nullptr;
}
const AcquireReport* Error::acquire() const noexcept {
  return data_->acquire ? &*data_->acquire : nullptr;
}

const RetryReport* Error::retry() const noexcept { return data_->retry ? &*data_->retry : nullptr; }
const ManyReport* Error::many() const noexcept { return data_->many ? &*data_->many : nullptr; }

std::string Error::what() const {
  // P2024 is what people who know Prisma type into a search box.
  const std::string_view also = code() == Code::acquire_timeout ? ", P2024" : "";
  return fmt::format("weir: {} [{} {}{}]\n", message(), id(), name(), also);
}

namespace {

// What a kind means at any stage, and what it means while a connection is being opened, where most
// failures come down to "the database could not be reached".
struct KindRow {
  weir_status kind;
  Code code;
  Code opening;
  std::string_view text;  // where the driver gives none
};

constexpr std::array kind_rows{
    KindRow{WEIR_E_UNSUPPORTED, Code::unsupported, Code::unsupported, "not supported"},
    KindRow{WEIR_E_INVALID_ARGUMENT, Code::invalid_argument, Code::invalid_argument,
            "invalid argument"},
    KindRow{WEIR_E_INVALID_STATE, Code::invalid_state, Code::invalid_state, "not possible now"},
    KindRow{WEIR_E_CONFIG, Code::config_value, Code::config_value, "wrong configuration"},
    KindRow{WEIR_E_RESOLVE, Code::connect_failed, Code::connect_failed,
            "the host name does not resolve"},
    KindRow{WEIR_E_CONNECT, Code::connect_failed, Code::connect_failed, "cannot connect"},
    KindRow{WEIR_E_TLS, Code::connect_failed, Code::connect_failed, "TLS failed"},
    KindRow{WEIR_E_AUTH, Code::auth_failed, Code::auth_failed, "authentication failed"},
    KindRow{WEIR_E_PERMISSION, Code::sql_error, Code::auth_failed, "permission denied"},
    KindRow{WEIR_E_SERVER_NOT_READY, Code::connect_failed, Code::connect_failed,
            "the server is not ready"},
    KindRow{WEIR_E_TOO_MANY_CONNECTIONS, Code::server_full, Code::server_full,
            "too many connections"},
    KindRow{WEIR_E_CONN_LOST, Code::connection_lost, Code::connect_failed, "connection lost"},
    KindRow{WEIR_E_TIMEOUT, Code::query_timeout, Code::connect_failed, "the deadline passed"},
    KindRow{WEIR_E_CANCELLED, Code::query_cancelled, Code::query_cancelled, "cancelled"},
    KindRow{WEIR_E_SYNTAX, Code::sql_error, Code::sql_error, "syntax error"},
    KindRow{WEIR_E_NOT_FOUND, Code::sql_error, Code::connect_failed, "no such object"},
    KindRow{WEIR_E_CONSTRAINT, Code::constraint, Code::constraint, "constraint violated"},
    KindRow{WEIR_E_DATA, Code::data_error, Code::data_error, "a value does not fit"},
    KindRow{WEIR_E_SERIALIZATION, Code::conflict, Code::connect_failed, "serialization failure"},
    KindRow{WEIR_E_DEADLOCK, Code::conflict, Code::connect_failed, "deadlock"},
    KindRow{WEIR_E_LOCK_TIMEOUT, Code::conflict, Code::connect_failed,
            "somebody else holds the lock"},
    KindRow{WEIR_E_RESOURCE, Code::resource, Code::resource, "out of resources"},
    KindRow{WEIR_E_READ_ONLY, Code::read_only, Code::read_only, "read-only"},
    KindRow{WEIR_E_PROTOCOL, Code::not_a_database, Code::not_a_database, "protocol error"},
    KindRow{WEIR_E_NOMEM, Code::resource, Code::resource, "out of memory"},
    KindRow{WEIR_E_INTERNAL, Code::driver_error, Code::driver_error, "a bug of the driver"},
    KindRow{WEIR_E_OTHER, Code::driver_error, Code::driver_error, "unknown error"},
};

const KindRow& row_of(weir_status kind) noexcept {
  for (const KindRow& row : kind_rows) {
    if (row.kind == kind) return row;
  }
  return kind_rows.back();  // the ABI: a number that the host does not know is OTHER
}

DatabaseError copy_facts(const weir_error& error) {
  DatabaseError facts;
  facts.kind = error.kind;
  facts.stage = error.stage;
  facts.conn_fate = error.conn_fate;
  facts.effect = error.effect;
  facts.tx_fate = error.tx_fate;
  facts.transient = (error.flags & WEIR_ERROR_TRANSIENT) != 0;
  facts.native_code = error.native_code;
  const auto* end = std::find(std::begin(error.sqlstate), std::end(error.sqlstate), '\0');
  facts.sqlstate.assign(std::begin(error.sqlstate), end);
  // A driver that claims more than the buffer holds must not make us read beyond it.
  if (error.text != nullptr)
    facts.text.assign(error.text, std::min(error.text_size, error.text_capacity));
  return facts;
}

}  // namespace

Error Error::from_driver(const weir_error& error, std::string_view doing) {
  DatabaseError facts = copy_facts(error);
  const KindRow& row = row_of(error.kind);
  const bool opening = error.stage >= WEIR_STAGE_RESOLVE && error.stage <= WEIR_STAGE_SETUP;

  std::string text = printable(trimmed(facts.text));
  if (text.empty()) text = row.text;
  if ((error.flags & WEIR_ERROR_TRUNCATED) != 0) text += " ...";

  std::string numbers;
  if (!facts.sqlstate.empty()) numbers = "SQLSTATE " + printable(facts.sqlstate);
  if (facts.native_code != 0) {
    if (!numbers.empty()) numbers += ", ";
    numbers += fmt::format("native {}", facts.native_code);
  }
  std::string message = fmt::format("while {}: {}", doing, text);
  if (!numbers.empty()) message += fmt::format(" ({})", numbers);
  return Error(opening ? row.opening : row.code, std::move(message), std::move(facts));
}

}  // namespace weir
