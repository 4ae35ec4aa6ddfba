// SPDX-License-Identifier: MIT
//
// driver.cpp: the table, and the life of env, source and conn.
#include "backends/mysql/calls.hpp"
#include "backends/mysql/conn.hpp"
#include "backends/mysql/weir_mysql.h"

#include <memory>
#include <string_view>

namespace weir::mysql {
namespace {

using backend::guarded;

// What a job may still take when the env ends: its session was told to end before.
constexpr std::chrono::seconds last_patience{6};

weir_status env_create(const weir_host* host, weir_env** out, weir_error* error) {
  auto env = std::make_unique<Env>();
  if (const auto bad = backend::read_host(host, env->host, error)) return bad;
  env->crew = std::make_shared<Crew>();
  env->watchdog = std::make_shared<Watchdog>(env->crew);
  *out = reinterpret_cast<weir_env*>(env.release());
  return WEIR_OK;
}

// A thread of ours that still hangs in the client library is left behind: it touches nothing of the
// host, and ends when the server or read_timeout lets it go.
void env_destroy(weir_env* handle) {
  const std::unique_ptr<Env> env(reinterpret_cast<Env*>(handle));
  env->watchdog->stop();
  env->crew->dismiss(last_patience);
}

void thread_detach(weir_env*) {}  // a thread leaves the client library when it ends

weir_status source_create(weir_env* env, const weir_source_args* raw, weir_source** out,
                          weir_source_traits* traits, weir_error* error) {
  const weir_source_args args = backend::read_in(raw);
  if (const auto bad = backend::check_bits(args.must_understand, "weir_source_args", {}, error)) {
    return bad;
  }
  Config config;
  if (const auto bad = parse_config(args, config, error)) return bad;
  auto source = std::make_unique<Source>();
  source->env = reinterpret_cast<Env*>(env);
  source->config = std::make_shared<const Config>(std::move(config));
  weir_source_traits filled{};
  filled.display = backend::text(source->config->display);
  backend::write_out(traits, filled);
  *out = reinterpret_cast<weir_source*>(source.release());
  return WEIR_OK;
}

void source_destroy(weir_source* source) { delete reinterpret_cast<Source*>(source); }

weir_status canceller_create(weir_source* handle, std::uint64_t conn_tag, weir_canceller** out,
                             weir_error*) {
  const Source& source = *reinterpret_cast<Source*>(handle);
  *out = reinterpret_cast<weir_canceller*>(
      new Canceller(source.env->host, source.env->crew, source.config, conn_tag));
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
  auto conn =
      std::make_unique<Conn>(source, args.conn_tag, *reinterpret_cast<Canceller*>(canceller));
  Op op(*conn, call, WEIR_STAGE_CONNECT, error);
  if (op.status() != WEIR_OK) return op.status();
  const auto patience = conn->time_left(source.config->connect_timeout_ns);
  const auto status = conn->perform_on_crew(
      [patience](Session& session, Failure&) {
        session.connect(patience);
        return WEIR_OK;
      },
      error);
  if (status != WEIR_OK) return status;
  if (op.finish() || conn->canceller->aborted()) {
    return fail(error, {.kind = WEIR_E_CANCELLED, .stage = WEIR_STAGE_SETUP},
                {"the connection was given up by the host"});
  }
  conn->opening = false;
  *out = reinterpret_cast<weir_conn*>(conn.release());
  return WEIR_OK;
}

void close(weir_conn* handle, const weir_call* call) {
  const std::unique_ptr<Conn> conn(&conn_of(handle));
  // Waits, so that the server has counted it out when the pool opens another. Where the call is
  // refused, the end of the conn hands the goodbye to the crew without waiting.
  Op op(*conn, call, WEIR_STAGE_NONE, nullptr);
  if (op.status() != WEIR_OK) return;
  conn->perform_on_crew(
      [](Session& session, Failure&) {
        session.shut();
        return WEIR_OK;
      },
      nullptr);
}

// The client library frees nothing without a goodbye, which would end the session of the parent;
// and so would an abort in the child. So the child keeps it all; the list keeps what is left behind
// reachable, so that leak checkers see a purpose.
void abandon(weir_conn* handle) {
  static std::atomic<Conn*> abandoned{nullptr};
  static_cast<void>(abandoned.exchange(&conn_of(handle), std::memory_order_relaxed));
}

weir_status cancel(weir_canceller* canceller, std::uint64_t op_id, const weir_call* raw,
                   weir_error* error) {
  const weir_call call = backend::read_in(raw);
  if (const auto bad = backend::check_bits(call.must_understand, "weir_call", {}, error)) {
    return bad;
  }
  return reinterpret_cast<Canceller*>(canceller)->cancel(op_id, call, error);
}

void abort(weir_canceller* canceller) { reinterpret_cast<Canceller*>(canceller)->abort(); }

void canceller_release(weir_canceller* canceller) {
  reinterpret_cast<Canceller*>(canceller)->release();
}

weir_status next_set(weir_result*, const weir_call*, weir_exec_out*, weir_error* error) {
  return fail(error, {.kind = WEIR_E_UNSUPPORTED},
              {"of several result sets only the first is handed out"});
}

weir_status native(weir_conn*, const char*, void**, weir_error* error) {
  return fail(error, {.kind = WEIR_E_UNSUPPORTED}, {"no native handle is handed out"});
}

const void* extension(const char* id) noexcept {
  return std::string_view(id) == WEIR_INSERT_ID ? &insert_extension : nullptr;
}

// Not claimed: STREAM (the library loses errors of rows that it streams), PING_SOCKET (the socket
// is its own, and not always known), HOST_WAIT and DEADLINE_HARD (its calls block; the caller's end
// at the deadline, what they began may go on until the session is ended).
constexpr std::uint64_t caps = WEIR_CAP_TX | WEIR_CAP_READ_ONLY_TX | WEIR_CAP_SAVEPOINT |
                               WEIR_CAP_PREPARE | WEIR_CAP_EXECUTE_MANY | WEIR_CAP_CANCEL |
                               WEIR_CAP_ABORT | WEIR_CAP_PING_SESSION | WEIR_CAP_RESET_SESSION |
                               WEIR_CAP_RESET_FULL | WEIR_CAP_DIRTY | WEIR_CAP_BLOCKING |
                               WEIR_CAP_OWN_THREADS | WEIR_CAP_FORK_ABANDON;

weir_info make_info() {
  weir_info info{};
  info.struct_size = sizeof info;
  info.option_count = static_cast<std::uint32_t>(option_specs().size());
  info.option_stride = sizeof(weir_option_spec);
  info.options = option_specs().data();
  info.name = "mysql";
  info.version = "0.1.0";
  info.license = "MIT AND (GPL-2.0-only WITH Universal-FOSS-exception-1.0)";
  info.description = "MySQL and MariaDB, by MySQL Connector/C++";
  info.client_version = library_version();
  info.placeholder = "?";
  info.url_schemes = "mysql|mariadb";
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
}  // namespace weir::mysql

const weir_driver* weir_mysql_driver() noexcept {
  // One initialisation, on the first call. The client library is not called: loading does nothing.
  static const weir_info info = weir::mysql::make_info();
  static const weir_driver driver = weir::mysql::make_driver(&info);
  return &driver;
}
