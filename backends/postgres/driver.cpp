// SPDX-License-Identifier: MIT
//
// driver.cpp: the table, and the life of env, source and conn.
#include "backends/postgres/calls.hpp"
#include "backends/postgres/conn.hpp"
#include "backends/postgres/weir_postgres.h"

#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <unistd.h>

namespace weir::postgres {
namespace {

using backend::guarded;

weir_status env_create(const weir_host* host, weir_env** out, weir_error* error) {
  auto env = std::make_unique<Env>();
  if (const auto bad = backend::read_host(host, env->host, error)) return bad;
  if (PQisthreadsafe() == 0) {
    return fail(error, {.kind = WEIR_E_UNSUPPORTED}, {"this libpq was built for one thread only"});
  }
  *out = reinterpret_cast<weir_env*>(env.release());
  return WEIR_OK;
}

void env_destroy(weir_env* env) { delete reinterpret_cast<Env*>(env); }

void thread_detach(weir_env*) {}

weir_status source_create(weir_env* env, const weir_source_args* raw, weir_source** out,
                          weir_source_traits* traits, weir_error* error) {
  const weir_source_args args = backend::read_in(raw);
  if (const auto bad = backend::check_bits(args.must_understand, "weir_source_args", {}, error)) {
    return bad;
  }
  auto source = std::make_unique<Source>();
  source->env = reinterpret_cast<Env*>(env);
  if (const auto bad = parse_config(args, source->config, error)) return bad;
  weir_source_traits filled{};
  filled.display = backend::text(source->config.display);
  backend::write_out(traits, filled);
  *out = reinterpret_cast<weir_source*>(source.release());
  return WEIR_OK;
}

void source_destroy(weir_source* source) { delete reinterpret_cast<Source*>(source); }

weir_status canceller_create(weir_source* handle, std::uint64_t conn_tag, weir_canceller** out,
                             weir_error*) {
  const Source& source = *reinterpret_cast<Source*>(handle);
  *out = reinterpret_cast<weir_canceller*>(new Gate(source.env->host, conn_tag));
  return WEIR_OK;
}

weir_status open(weir_source* handle, const weir_call* call, const weir_open_args* raw,
                 weir_canceller* canceller, weir_conn** out, weir_error* error) {
  Source& source = *reinterpret_cast<Source*>(handle);
  const weir_open_args args = backend::read_in(raw);
  const Facts facts{.stage = WEIR_STAGE_CONNECT};
  if (const auto bad = backend::check_bits(args.must_understand, "weir_open_args", facts, error)) {
    return bad;
  }
  auto conn = std::make_unique<Conn>(source, args.conn_tag, *reinterpret_cast<Gate*>(canceller));
  Op op(*conn, call, WEIR_STAGE_CONNECT, error);
  if (op.status() != WEIR_OK) return op.status();
  if (const auto bad = connect(*conn, error)) return bad;
  if (conn->gate->aborted()) {
    return fail(error, {.kind = WEIR_E_CANCELLED, .stage = WEIR_STAGE_SETUP},
                {"the connection was aborted by the host"});
  }
  conn->opening = false;
  *out = reinterpret_cast<weir_conn*>(conn.release());
  return WEIR_OK;
}

// libpq says goodbye without waiting. What still runs is called off first, or the server would go
// on with it until it wants to send something.
void close(weir_conn* handle, const weir_call* call) {
  const std::unique_ptr<Conn> conn(&conn_of(handle));
  const bool at_work = conn->unsettled || conn->result.running;
  if (!at_work || conn->gate->aborted() || PQstatus(conn->pg) == CONNECTION_BAD) return;
  conn->deadline = backend::read_in(call).deadline;
  // Ignored: the session ends either way.
  if (conn->begin_cancel()) static_cast<void>(conn->drive_cancel());
}

// In a forked child the socket is the parent's, too: whatever libpq writes on its way out has to go
// nowhere. The gate's mutex may be held by a thread that is not there any more, so the gate stays.
void abandon(weir_conn* handle) {
  Conn& conn = conn_of(handle);
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int socket = PQsocket(conn.pg);
  if (socket >= 0 && (nowhere < 0 || ::dup3(nowhere, socket, O_CLOEXEC) < 0)) return;  // leaks it
  if (nowhere >= 0) ::close(nowhere);
  conn.cancel_request.stop();
  conn.leave_gate = true;
  delete &conn;
}

weir_status cancel(weir_canceller* canceller, std::uint64_t op_id, const weir_call* raw,
                   weir_error* error) {
  const weir_call call = backend::read_in(raw);
  if (const auto bad = backend::check_bits(call.must_understand, "weir_call", {}, error))
    return bad;
  reinterpret_cast<Gate*>(canceller)->cancel(op_id);  // the running call passes it on: see talk.cpp
  return WEIR_OK;
}

void abort(weir_canceller* canceller) { reinterpret_cast<Gate*>(canceller)->abort(); }

void canceller_release(weir_canceller* canceller) { reinterpret_cast<Gate*>(canceller)->release(); }

weir_status next_set(weir_result*, const weir_call*, weir_exec_out*, weir_error* error) {
  return fail(error, {.kind = WEIR_E_UNSUPPORTED},
              {"a statement of PostgreSQL has one result set"});
}

const void* extension(const char* id) noexcept {
  return std::string_view(id) == WEIR_INSERT_ID ? &insert_extension : nullptr;
}

// Each is a promise; the conformance tests hold them. OWN_THREADS is for look-ups of host names.
constexpr std::uint64_t caps =
    WEIR_CAP_TX | WEIR_CAP_READ_ONLY_TX | WEIR_CAP_SAVEPOINT | WEIR_CAP_PREPARE | WEIR_CAP_STREAM |
    WEIR_CAP_EXECUTE_MANY | WEIR_CAP_CANCEL | WEIR_CAP_ABORT | WEIR_CAP_PING_SOCKET |
    WEIR_CAP_PING_SESSION | WEIR_CAP_RESET_SESSION | WEIR_CAP_RESET_FULL | WEIR_CAP_DIRTY |
    WEIR_CAP_HOST_WAIT | WEIR_CAP_DEADLINE_HARD | WEIR_CAP_OWN_THREADS | WEIR_CAP_FORK_ABANDON |
    WEIR_CAP_NATIVE;

// "15.18", as the library that is in use says it.
const char* client_version() noexcept {
  static char text[24];
  static const int size =
      std::snprintf(text, sizeof text, "%d.%d", PQlibVersion() / 10000, PQlibVersion() % 10000);
  return size > 0 ? text : nullptr;
}

weir_info make_info() {
  weir_info info{};
  info.struct_size = sizeof info;
  info.option_count = static_cast<std::uint32_t>(option_specs().size());
  info.option_stride = sizeof(weir_option_spec);
  info.options = option_specs().data();
  info.name = "postgres";
  info.version = "0.1.0";
  info.license = "MIT AND PostgreSQL";
  info.description = "PostgreSQL 12 or newer, through libpq";
  info.client_version = client_version();
  info.placeholder = "$1";
  info.url_schemes = "postgresql|postgres";
  return info;
}

weir_driver make_driver(const weir_info* info) {
  weir_driver driver{};
  driver.struct_size = sizeof driver;
  driver.abi_major = WEIR_ABI_MAJOR;
  driver.abi_minor = WEIR_ABI_MINOR;
  driver.caps = caps;
  driver.info = info;
  driver.env_create = guarded<&env_create>;
  driver.env_destroy = guarded<&env_destroy>;
  driver.thread_detach = guarded<&thread_detach>;
  driver.source_create = guarded<&source_create>;
  driver.source_destroy = guarded<&source_destroy>;
  driver.canceller_create = guarded<&canceller_create>;
  driver.open = guarded<&open>;
  driver.close = guarded<&close>;
  driver.abandon = guarded<&abandon>;
  driver.cancel = guarded<&cancel>;
  driver.abort = guarded<&abort>;
  driver.canceller_release = guarded<&canceller_release>;
  driver.state = guarded<&state>;
  driver.ping = guarded<&ping>;
  driver.reset = guarded<&reset>;
  driver.native = guarded<&native>;
  driver.execute = guarded<&execute>;
  driver.fetch = guarded<&fetch>;
  driver.next_set = guarded<&next_set>;
  driver.result_close = guarded<&result_close>;
  driver.execute_many = guarded<&execute_many>;
  driver.prepare = guarded<&prepare>;
  driver.stmt_close = guarded<&stmt_close>;
  driver.begin = guarded<&begin>;
  driver.commit = guarded<&commit>;
  driver.rollback = guarded<&rollback>;
  driver.extension = &extension;
  return driver;
}

}  // namespace
}  // namespace weir::postgres

const weir_driver* weir_postgres_driver() noexcept {
  // One initialisation, on the first call; only PQlibVersion keeps them from being constexpr.
  static const weir_info info = weir::postgres::make_info();
  static const weir_driver driver = weir::postgres::make_driver(&info);
  return &driver;
}
