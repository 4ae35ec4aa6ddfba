// SPDX-License-Identifier: MIT
#include "cli/check/client.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <bit>

namespace weir::check {

Error::Error() noexcept : weir_error{} {
  room.fill('x');
  struct_size = sizeof(weir_error);
  text = room.data();
  text_capacity = static_cast<std::uint32_t>(room.size());
}

std::string Error::what() const {
  return printable({room.data(), std::min<std::size_t>(text_size, room.size())});
}

void Error::clear() noexcept {
  static_cast<weir_error&>(*this) = weir_error{};
  struct_size = sizeof(weir_error);
  text = room.data();
  text_capacity = static_cast<std::uint32_t>(room.size());
}

bool Value::operator==(const Value& other) const noexcept {
  return type == other.type && i == other.i &&
         std::bit_cast<std::uint64_t>(d) == std::bit_cast<std::uint64_t>(other.d) && s == other.s;
}

weir_cell Value::cell() const noexcept {
  weir_cell c{};
  c.type = type;
  if (type == WEIR_T_DOUBLE) {
    c.v.d = d;
  } else if (type >= WEIR_T_TEXT) {
    c.v.p = s.data();
    c.size = static_cast<std::uint32_t>(s.size());
  } else {
    c.v.i = i;
  }
  return c;
}

Value Value::of(const weir_cell& c) {
  Value v;
  v.type = c.type;
  if (c.type == WEIR_T_DOUBLE) {
    v.d = c.v.d;
  } else if (c.type >= WEIR_T_TEXT) {
    if (c.size > 0) v.s.assign(static_cast<const char*>(c.v.p), c.size);
  } else {
    v.i = c.v.i;
  }
  return v;
}

std::string Value::show() const {
  constexpr std::size_t shown = 40;
  if (type == WEIR_T_NULL) return "NULL";
  if (type == WEIR_T_DOUBLE) return fmt::format("the double {}", d);
  if (type < WEIR_T_TEXT) return fmt::format("the number {} (type {})", i, type);
  return fmt::format("the {} bytes '{}{}' (type {})", s.size(), printable(s.substr(0, shown)),
                     s.size() > shown ? "..." : "", type);
}

Source::Source(const weir_driver& d, const weir_host* host, const std::string& url,
               const Options& options, const std::string& base_dir)
    : driver(d) {
  step("env_create");
  const weir_status made = driver.env_create(host, &env, &error);
  expect(made == WEIR_OK, "env_create failed with {}: {}", kind_name(made), error.what());
  std::vector<weir_option> list;
  list.reserve(options.size());
  for (const auto& [key, value] : options) list.push_back({text(key), text(value)});
  weir_source_args args{};
  args.struct_size = sizeof args;
  args.url = text(url);
  args.base_dir = text(base_dir);
  args.options = list.data();
  args.option_count = list.size();
  traits.struct_size = sizeof traits;
  step("source_create");
  status = driver.source_create(env, &args, &handle, &traits, &error);
}

Source::~Source() {
  step("source_destroy");
  if (handle != nullptr) driver.source_destroy(handle);
  step("env_destroy");
  if (env != nullptr) driver.env_destroy(env);
}

Session::Session(Source& from, std::uint64_t conn_tag)
    : driver(from.driver), source(from), tag(conn_tag) {
  const weir_status made = driver.canceller_create(source.handle, tag, &canceller, &error);
  expect(made == WEIR_OK, "canceller_create failed with {}: {}", kind_name(made), error.what());
}

Session::~Session() {
  close();
  if (canceller != nullptr) driver.canceller_release(canceller);
}

weir_call Session::call() noexcept {
  weir_call c{};
  c.struct_size = sizeof c;
  c.op_id = ++op;
  c.deadline = deadline;
  return c;
}

weir_status Session::open() {
  const weir_call c = call();
  weir_open_args args{};
  args.struct_size = sizeof args;
  args.conn_tag = tag;
  step("open");
  return status = driver.open(source.handle, &c, &args, canceller, &conn, &error);
}

void Session::close() {
  if (conn == nullptr) return;
  const weir_call c = call();
  step("close");
  driver.close(conn, &c);
  conn = nullptr;
}

weir_status Session::query(std::string_view sql, const Row& params, std::uint32_t flags,
                           weir_stmt* stmt, std::uint32_t batch_rows) {
  rows.clear();
  batches = 0;
  rows_of_largest_batch = 0;
  if (start(sql, params, flags, stmt, batch_rows) != WEIR_OK) return status;
  keep_rows();
  while (result != nullptr && (batch.flags & WEIR_BATCH_END) == 0) {
    if (fetch() != WEIR_OK) break;
    keep_rows();
  }
  const weir_status ended = status;
  close_result();
  return status = ended;
}

weir_status Session::start(std::string_view sql, const Row& params, std::uint32_t flags,
                           weir_stmt* stmt, std::uint32_t batch_rows) {
  std::vector<weir_cell> cells;
  cells.reserve(params.size());
  for (const Value& v : params) cells.push_back(v.cell());
  weir_exec_args args{};
  args.struct_size = sizeof args;
  args.sql = text(sql);
  args.stmt = stmt;
  args.params = cells.data();
  args.param_count = static_cast<std::uint32_t>(cells.size());
  args.flags = flags;
  args.batch_rows = batch_rows;
  out = {};
  out.struct_size = sizeof out;
  batch = {};
  batch.struct_size = sizeof batch;
  const weir_call c = call();
  step("execute: {}", printable(sql.substr(0, 120)));
  status = driver.execute(conn, &c, &args, &out, &result, &batch, &error);
  if (status == WEIR_OK) name_columns();
  return status;
}

weir_status Session::fetch() {
  const weir_call c = call();
  step("fetch");
  return status = driver.fetch(result, &c, &batch, &error);
}

void Session::close_result() {
  if (result == nullptr) return;
  const weir_call c = call();
  step("result_close");
  driver.result_close(result, &c);
  result = nullptr;
}

weir_status Session::begin(std::uint32_t flags, std::int32_t isolation) {
  weir_begin_args args{};
  args.struct_size = sizeof args;
  args.flags = flags;
  args.isolation = isolation;
  const weir_call c = call();
  step("begin");
  return status = driver.begin(conn, &c, &args, &error);
}

weir_status Session::commit() {
  const weir_call c = call();
  step("commit");
  return status = driver.commit(conn, &c, &error);
}

weir_status Session::rollback() {
  const weir_call c = call();
  step("rollback");
  return status = driver.rollback(conn, &c, &error);
}

weir_status Session::reset(std::int32_t level) {
  const weir_call c = call();
  done = 0;
  step("reset to level {}", level);
  return status = driver.reset(conn, level, &c, &done, &error);
}

weir_status Session::ping(std::int32_t depth) {
  const weir_call c = call();
  alive = WEIR_ALIVE_UNKNOWN;
  step("ping of depth {}", depth);
  return status = driver.ping(conn, depth, &c, &alive, &error);
}

weir_status Session::prepare(std::string_view sql, weir_stmt** stmt) {
  const weir_call c = call();
  weir_prepare_out p{};
  p.struct_size = sizeof p;
  step("prepare");
  status = driver.prepare(conn, &c, text(sql), stmt, &p, &error);
  param_count = p.param_count;
  return status;
}

void Session::stmt_close(weir_stmt* stmt) {
  const weir_call c = call();
  step("stmt_close");
  driver.stmt_close(stmt, &c);
}

std::uint32_t Session::flags() const noexcept {
  weir_conn_state s{};
  s.struct_size = sizeof s;
  driver.state(conn, &s);
  return s.flags;
}

void Session::must(weir_status expected, std::string_view what) const {
  if (status == expected) return;
  fail("{} ended with {}{}, expected {}", what, kind_name(status),
       status == WEIR_OK ? std::string() : fmt::format(" ({})", error.what()), kind_name(expected));
}

void Session::keep_rows() {
  ++batches;
  rows_of_largest_batch = std::max(rows_of_largest_batch, batch.rows);
  for (std::uint64_t r = 0; r < batch.rows; ++r) {
    Row row;
    for (std::uint32_t c = 0; c < batch.columns; ++c) {
      row.push_back(Value::of(batch.cells[r * batch.row_stride + c]));
    }
    rows.push_back(std::move(row));
  }
}

void Session::name_columns() {
  columns.clear();
  const char* at = reinterpret_cast<const char*>(out.columns);
  for (std::uint32_t i = 0; i < out.column_count; ++i, at += out.column_stride) {
    columns.push_back(string_of(reinterpret_cast<const weir_column*>(at)->name));
  }
}

Scene::Scene(const Subject& s, Host::Clock clock)
    : subject(s),
      driver(s.driver()),
      host(clock),
      source(driver, host.abi(), s.job().url, options_of(s), s.job().directory),
      session((expect(source.status == WEIR_OK, "source_create failed with {}: {}",
                      kind_name(source.status), source.error.what()),
               source)) {}

void Scene::open() {
  session.open();
  session.must(WEIR_OK, "open");
  for (const std::vector<std::string>* list : {&subject.quirks().clean, &subject.quirks().setup}) {
    for (const std::string& sql : *list) {
      session.query(sql);
      session.must(WEIR_OK, fmt::format("the quirks' `{}`", sql));
    }
  }
}

void Scene::still_usable(std::string_view after) {
  session.query(subject.sql("select_one"));
  session.must(WEIR_OK, fmt::format("a plain query after {}", after));
  const bool right = session.rows.size() == 1 && session.rows[0].size() == 1 &&
                     session.rows[0][0] == Value::integer(1);
  expect(right, "a plain query after {} gave {} rows, expected one with the number 1", after,
         session.rows.size());
}

}  // namespace weir::check
