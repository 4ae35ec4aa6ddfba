// SPDX-License-Identifier: MIT
//
// driver.cpp: the table, and the life of env, source and conn.
#include "backends/sqlite/calls.hpp"
#include "backends/sqlite/conn.hpp"
#include "backends/sqlite/weir_sqlite.h"

#include <memory>
#include <string_view>

namespace weir::sqlite {
namespace {

using backend::guarded;

weir_status env_create(const weir_host* host, weir_env** out, weir_error* error) {
  auto env = std::make_unique<Env>();
  if (const auto bad = backend::read_host(host, env->host, error)) return bad;
  if (sqlite3_threadsafe() == 0) {
    return fail(error, {.kind = WEIR_E_UNSUPPORTED},
                {"this SQLite library was built for one thread only"});
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
  filled.flags = source->config.memory ? WEIR_SOURCE_PINNED : 0;
  filled.connections_max = source->config.memory ? 1 : 0;
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
  if (const auto bad = connect(*conn, false, error)) return bad;
  if (op.finish()) return conn->refuse_cancelled(error);
  if (conn->gate->aborted()) {
    return fail(error, {.kind = WEIR_E_CANCELLED, .stage = WEIR_STAGE_SETUP},
                {"the connection was aborted by the host"});
  }
  conn->opening = false;
  *out = reinterpret_cast<weir_conn*>(conn.release());
  return WEIR_OK;
}

void close(weir_conn* handle, const weir_call* call) {
  Conn* conn = &conn_of(handle);
  conn->deadline = backend::read_in(call).deadline;  // for a lock that the last checkpoint wants
  delete conn;
}

// In a forked child, sqlite3_close would release the locks that the parent holds on the same files.
// The list keeps what is left behind reachable, so that leak checkers see a purpose.
void abandon(weir_conn* handle) {
  static std::atomic<Conn*> abandoned{nullptr};
  static_cast<void>(abandoned.exchange(&conn_of(handle), std::memory_order_relaxed));
}

weir_status cancel(weir_canceller* canceller, std::uint64_t op_id, const weir_call* raw,
                   weir_error* error) {
  const weir_call call = backend::read_in(raw);
  if (const auto bad = backend::check_bits(call.must_understand, "weir_call", {}, error))
    return bad;
  reinterpret_cast<Gate*>(canceller)->cancel(op_id);  // settled at once: see common/gate.hpp
  return WEIR_OK;
}

void abort(weir_canceller* canceller) { reinterpret_cast<Gate*>(canceller)->abort(); }

void canceller_release(weir_canceller* canceller) { reinterpret_cast<Gate*>(canceller)->release(); }

weir_status next_set(weir_result*, const weir_call*, weir_exec_out*, weir_error* error) {
  return fail(error, {.kind = WEIR_E_UNSUPPORTED}, {"SQLite's statements have one result set"});
}

const void* extension(const char* id) noexcept {
  return std::string_view(id) == WEIR_INSERT_ID ? &insert_extension : nullptr;
}

// NATIVE and the rest are promises; the conformance tests hold each of them.
constexpr std::uint64_t caps = WEIR_CAP_TX | WEIR_CAP_READ_ONLY_TX | WEIR_CAP_SAVEPOINT |
                               WEIR_CAP_PREPARE | WEIR_CAP_STREAM | WEIR_CAP_EXECUTE_MANY |
                               WEIR_CAP_CANCEL | WEIR_CAP_ABORT | WEIR_CAP_PING_SESSION |
                               WEIR_CAP_RESET_SESSION | WEIR_CAP_RESET_FULL | WEIR_CAP_DIRTY |
                               WEIR_CAP_HOST_WAIT | WEIR_CAP_DEADLINE_HARD | WEIR_CAP_EMBEDDED |
                               WEIR_CAP_DETERMINISTIC | WEIR_CAP_FORK_ABANDON | WEIR_CAP_NATIVE;

weir_info make_info() {
  weir_info info{};
  info.struct_size = sizeof info;
  info.option_count = static_cast<std::uint32_t>(option_specs().size());
  info.option_stride = sizeof(weir_option_spec);
  info.options = option_specs().data();
  info.name = "sqlite";
  info.version = "0.1.0";
  info.license = "MIT";  // SQLite itself is in the public domain
  info.description = "SQLite: a file, or a database in memory, without a server";
  info.client_version = sqlite3_libversion();
  info.placeholder = "?";
  info.url_schemes = "sqlite|file";
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
}  // namespace weir::sqlite

const weir_driver* weir_sqlite_driver() noexcept {
  // One initialisation, on the first call; only sqlite3_libversion keeps them from being constexpr.
  static const weir_info info = weir::sqlite::make_info();
  static const weir_driver driver = weir::sqlite::make_driver(&info);
  return &driver;
}
