// SPDX-License-Identifier: MIT
//
// driver.cpp: the table, the life of env, source and conn, and what looks at a conn.
#include "backends/mock/session.hpp"
#include "backends/mock/weir_mock.h"

#include <memory>

namespace weir::mock {
namespace {

using backend::guarded;

weir_status env_create(const weir_host* host, weir_env** out, weir_error* error) {
  auto env = std::make_unique<Env>();
  if (const auto bad = backend::read_host(host, env->host, error)) return bad;
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
  if (const auto bad = source->script.parse(args, error)) return bad;
  source->remote = find_remote(source->env->host, args.url);
  weir_source_traits filled{};
  filled.flags = source->script.pinned() ? WEIR_SOURCE_PINNED : 0;
  filled.connections_max = source->script.connections_max();
  filled.display = backend::text(source->script.display());
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

// Past the script's door.
weir_status enter(Conn& conn, weir_error* error) {
  Script& script = conn.source.script;
  if (const auto bad = conn.act(Act::open, error)) return bad;
  if (script.wrong_password()) {
    conn.stage = WEIR_STAGE_AUTH;
    return fail(error, conn.facts(WEIR_E_AUTH, WEIR_EFFECT_DEFINITE),
                {"the server does not accept the password"});
  }
  conn.id = script.admit();
  if (conn.id != 0) return WEIR_OK;
  return fail(error, conn.facts(WEIR_E_TOO_MANY_CONNECTIONS, WEIR_EFFECT_DEFINITE),
              {"the server has no room for another session"});
}

weir_status open(weir_source* handle, const weir_call* call, const weir_open_args* raw,
                 weir_canceller* canceller, weir_conn** out, weir_error* error) {
  Source& source = *reinterpret_cast<Source*>(handle);
  const weir_open_args args = backend::read_in(raw);
  if (const auto bad = backend::check_bits(args.must_understand, "weir_open_args",
                                           {.stage = WEIR_STAGE_CONNECT}, error)) {
    return bad;
  }
  auto conn = std::make_unique<Conn>(source, args.conn_tag, *reinterpret_cast<Gate*>(canceller));
  {
    Op op(*conn, call, WEIR_STAGE_CONNECT, error);
    if (op.status() != WEIR_OK) return op.status();
    if (const auto bad = source.remote ? conn->dial(error) : enter(*conn, error)) return bad;
  }
  conn->opening = false;
  *out = reinterpret_cast<weir_conn*>(conn.release());
  return WEIR_OK;
}

// The session leaves the server when the goodbye has arrived, which is what a full server waits
// for.
void close(weir_conn* handle, const weir_call* raw) {
  const std::unique_ptr<Conn> conn(&conn_of(handle));
  const weir_call call = backend::read_in(raw);
  conn->deadline = call.deadline;
  if (conn->source.remote) {
    conn->op_id = call.op_id;
    weir_sim_request goodbye{};
    goodbye.kind = WEIR_SIM_GOODBYE;
    if (!conn->broken && !conn->gate.aborted()) conn->ask(goodbye, nullptr);
    return;
  }
  const Verdict verdict = conn->source.script.judge(Act::close);
  if (verdict.hang) {
    conn->hang(nullptr);
  } else if (verdict.latency_ns > 0) {
    conn->pause(verdict.latency_ns, nullptr);
  }
}

void abandon(weir_conn* handle) {
  Conn& conn = conn_of(handle);
  conn.id = conn.link = 0;  // the session goes on: it is the parent's
  conn.leave_gate = true;
  delete &conn;
}

weir_status cancel(weir_canceller* canceller, std::uint64_t op_id, const weir_call* raw,
                   weir_error* error) {
  const weir_call call = backend::read_in(raw);
  if (const auto bad = backend::check_bits(call.must_understand, "weir_call", {}, error))
    return bad;
  reinterpret_cast<Gate*>(canceller)->cancel(op_id);
  return WEIR_OK;
}

void abort(weir_canceller* canceller) { reinterpret_cast<Gate*>(canceller)->abort(); }

void canceller_release(weir_canceller* canceller) { reinterpret_cast<Gate*>(canceller)->release(); }

void state(const weir_conn* handle, weir_conn_state* out) {
  const Conn& conn = *reinterpret_cast<const Conn*>(handle);
  const Lie lie = conn.source.script.lie();
  weir_conn_state now{};
  const auto set = [&now](bool condition, std::uint32_t flag) {
    now.flags |= backend::flag_if(condition, flag);
  };
  set(conn.broken || conn.gate.aborted(), WEIR_STATE_BROKEN);
  set(conn.result.lent, WEIR_STATE_RESULT_OPEN);
  set(conn.in_tx, WEIR_STATE_IN_TX);
  set(conn.tx_failed, WEIR_STATE_TX_FAILED);
  set((conn.dirty && lie != Lie::never_dirty) || lie == Lie::always_dirty, WEIR_STATE_DIRTY);
  set(conn.read_only, WEIR_STATE_READ_ONLY);
  now.backend_id = conn.id;
  backend::write_out(out, now);
}

weir_status ping(weir_conn* handle, std::int32_t depth, const weir_call* call, std::int32_t* alive,
                 weir_error* error) {
  Conn& conn = conn_of(handle);
  if (depth != WEIR_PING_STATE && depth != WEIR_PING_PROTOCOL && depth != WEIR_PING_SESSION) {
    return fail(error, {.kind = WEIR_E_UNSUPPORTED, .stage = WEIR_STAGE_PING},
                {"this depth of ping is not offered"});
  }
  const bool gone = conn.broken || conn.gate.aborted();
  if (gone || depth == WEIR_PING_STATE) {
    *alive = gone ? WEIR_ALIVE_NO : WEIR_ALIVE_YES;
    return WEIR_OK;
  }
  Op op(conn, call, WEIR_STAGE_PING, error);
  weir_status status = op.status();
  if (status == WEIR_OK) status = conn.act(Act::ping, error);
  if (status == WEIR_E_TIMEOUT) return backend::broken_by(conn, status, error);
  const bool dead = status == WEIR_E_CONN_LOST && !conn.gate.aborted();
  if (status != WEIR_OK && !dead) return status;
  *alive = dead ? WEIR_ALIVE_NO : WEIR_ALIVE_YES;
  return WEIR_OK;
}

weir_status reset(weir_conn* handle, std::int32_t level, const weir_call* call,
                  std::uint32_t* out_done, weir_error* error) {
  Conn& conn = conn_of(handle);
  Op op(conn, call, WEIR_STAGE_RESET, error);
  if (op.status() != WEIR_OK) return op.status();
  if (conn.source.script.refuses("reset") || level < WEIR_RESET_TX || level > WEIR_RESET_FULL) {
    return conn.refuse(error, WEIR_E_UNSUPPORTED, "this reset is not offered");
  }
  if (const auto bad = conn.act(Act::reset, error, level)) return bad;
  std::uint32_t done = 0;
  conn.result.lent = conn.result.failed = false;
  conn.in_tx = conn.tx_failed = false;
  if (level >= WEIR_RESET_SESSION) conn.dirty = false;
  if (level == WEIR_RESET_FULL && !conn.stmts.empty()) {
    for (Stmt& stmt : conn.stmts) stmt.gone = true;
    done |= WEIR_RESET_STMTS_GONE;
  }
  if (conn.source.script.lie() == Lie::not_proven) done |= WEIR_RESET_NOT_PROVEN;
  if (out_done != nullptr) *out_done = done;
  return WEIR_OK;
}

weir_status native(weir_conn*, const char*, void**, weir_error* error) {
  return fail(error, {.kind = WEIR_E_UNSUPPORTED}, {"the mock has nothing underneath"});
}

weir_status next_set(weir_result*, const weir_call*, weir_exec_out*, weir_error* error) {
  return fail(error, {.kind = WEIR_E_UNSUPPORTED}, {"the mock's statements have one result set"});
}

const void* extension(const char*) noexcept { return nullptr; }

constexpr std::uint64_t caps =
    WEIR_CAP_TX | WEIR_CAP_PREPARE | WEIR_CAP_STREAM | WEIR_CAP_EXECUTE_MANY | WEIR_CAP_CANCEL |
    WEIR_CAP_ABORT | WEIR_CAP_PING_SESSION | WEIR_CAP_RESET_SESSION | WEIR_CAP_RESET_FULL |
    WEIR_CAP_DIRTY | WEIR_CAP_HOST_WAIT | WEIR_CAP_DEADLINE_HARD | WEIR_CAP_DETERMINISTIC |
    WEIR_CAP_FORK_ABANDON;

weir_info make_info() {
  weir_info info{};
  info.struct_size = sizeof info;
  info.option_count = static_cast<std::uint32_t>(option_specs().size());
  info.option_stride = sizeof(weir_option_spec);
  info.options = option_specs().data();
  info.name = "mock";
  info.version = "0.1.0";
  info.license = "MIT";
  info.description =
      "A scripted stand-in for a database: delays, failures and lies as its options say";
  info.placeholder = "?";
  info.url_schemes = "mock";
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
}  // namespace weir::mock

const weir_driver* weir_mock_driver() noexcept {
  static const weir_info info = weir::mock::make_info();
  static const weir_driver driver = weir::mock::make_driver(&info);
  return &driver;
}
