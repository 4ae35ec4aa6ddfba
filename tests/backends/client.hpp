// SPDX-License-Identifier: MIT
//
// client.hpp: a driver seen through the C ABI only, as a host sees it, in words short enough for
// tests. Env, Source and Session close what they opened, in the order the contract wants.
#pragma once

#include <weir/driver.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace weir::test {

inline weir_text text(std::string_view s) { return {s.data(), s.size()}; }
inline std::string string_of(weir_text t) { return t.size == 0 ? "" : std::string(t.data, t.size); }

// A weir_error with room for its text.
struct Error : weir_error {
  char room[1024];
  Error() : weir_error{} {
    std::memset(room, 'x', sizeof room);
    struct_size = sizeof(weir_error);
    text = room;
    text_capacity = sizeof room;
  }
  Error(const Error& other) : weir_error(other) {
    std::memcpy(room, other.room, sizeof room);
    text = room;
  }
  Error& operator=(const Error&) = delete;
  std::string what() const { return {room, text_size}; }
};

// A cell that owns its bytes. Doubles compare bit by bit.
struct Value {
  std::uint16_t type = WEIR_T_NULL;
  std::int64_t i = 0;
  double d = 0;
  std::string s;

  bool operator==(const Value& other) const {
    return type == other.type && i == other.i && std::memcmp(&d, &other.d, sizeof d) == 0 &&
           s == other.s;
  }
  static Value null() { return {}; }
  static Value integer(std::int64_t i) { return {WEIR_T_INT64, i, 0, {}}; }
  static Value real(double d) { return {WEIR_T_DOUBLE, 0, d, {}}; }
  static Value str(std::string s) { return {WEIR_T_TEXT, 0, 0, std::move(s)}; }
  static Value blob(std::string s) { return {WEIR_T_BLOB, 0, 0, std::move(s)}; }

  weir_cell cell() const {
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
  static Value of(const weir_cell& c) {
    Value v;
    v.type = c.type;
    if (c.type == WEIR_T_DOUBLE) {
      v.d = c.v.d;
    } else if (c.type >= WEIR_T_TEXT) {
      v.s.assign(static_cast<const char*>(c.v.p), c.size);
    } else {
      v.i = c.v.i;
    }
    return v;
  }
};

inline void PrintTo(const Value& v, std::ostream* os) {
  *os << "type " << v.type << " i " << v.i << " d " << v.d << " s '" << v.s << "'";
}

using Row = std::vector<Value>;
using Options = std::vector<std::pair<std::string, std::string>>;

class Source {
 public:
  Source(const weir_driver* d, const weir_host* host, std::string url, const Options& options = {},
         std::string base_dir = "")
      : driver(d) {
    EXPECT_EQ(WEIR_OK, driver->env_create(host, &env, &error)) << error.what();
    std::vector<weir_option> list;
    for (const auto& [key, value] : options) list.push_back({text(key), text(value)});
    weir_source_args args{};
    args.struct_size = sizeof args;
    args.url = text(url);
    args.base_dir = text(base_dir);
    args.options = list.data();
    args.option_count = list.size();
    traits.struct_size = sizeof traits;
    status = driver->source_create(env, &args, &handle, &traits, &error);
  }
  ~Source() {
    if (handle != nullptr) driver->source_destroy(handle);
    if (env != nullptr) driver->env_destroy(env);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  const weir_driver* driver;
  weir_env* env = nullptr;
  weir_source* handle = nullptr;
  weir_source_traits traits{};
  weir_status status = WEIR_OK;
  Error error;
};

class Session {
 public:
  // Opens; `status` and `error` tell how it went.
  explicit Session(Source& from, std::uint64_t conn_tag = 1, weir_time until = WEIR_NO_DEADLINE)
      : driver(from.driver), source(from), tag(conn_tag), deadline(until) {
    EXPECT_EQ(WEIR_OK, driver->canceller_create(source.handle, tag, &canceller, &error));
  }
  ~Session() {
    close();
    if (canceller != nullptr) driver->canceller_release(canceller);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  weir_call call() {
    weir_call c{};
    c.struct_size = sizeof c;
    c.op_id = ++op;
    c.deadline = deadline;
    return c;
  }
  weir_status open() {
    const weir_call c = call();
    weir_open_args args{};
    args.struct_size = sizeof args;
    args.conn_tag = tag;
    return status = driver->open(source.handle, &c, &args, canceller, &conn, &error);
  }
  void close() {
    if (conn == nullptr) return;
    const weir_call c = call();
    driver->close(conn, &c);
    conn = nullptr;
  }

  // Runs to the end: rows of all batches in `rows`.
  weir_status query(std::string_view sql, const Row& params = {}, std::uint32_t flags = 0,
                    weir_stmt* stmt = nullptr, std::uint32_t batch_rows = 0) {
    rows.clear();
    batches = 0;
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
  // Runs up to the first batch.
  weir_status start(std::string_view sql, const Row& params = {}, std::uint32_t flags = 0,
                    weir_stmt* stmt = nullptr, std::uint32_t batch_rows = 0) {
    std::vector<weir_cell> cells;
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
    status = driver->execute(conn, &c, &args, &out, &result, &batch, &error);
    if (status == WEIR_OK) names_of_columns();
    return status;
  }
  weir_status fetch() {
    const weir_call c = call();
    return status = driver->fetch(result, &c, &batch, &error);
  }
  void close_result() {
    if (result == nullptr) return;
    const weir_call c = call();
    driver->result_close(result, &c);
    result = nullptr;
  }
  weir_status begin(std::uint32_t flags = 0, std::int32_t isolation = WEIR_ISOLATION_DEFAULT) {
    weir_begin_args args{};
    args.struct_size = sizeof args;
    args.flags = flags;
    args.isolation = isolation;
    const weir_call c = call();
    return status = driver->begin(conn, &c, &args, &error);
  }
  weir_status commit() {
    const weir_call c = call();
    return status = driver->commit(conn, &c, &error);
  }
  weir_status rollback() {
    const weir_call c = call();
    return status = driver->rollback(conn, &c, &error);
  }
  weir_status reset(std::int32_t level = WEIR_RESET_SESSION) {
    const weir_call c = call();
    done = 0;
    return status = driver->reset(conn, level, &c, &done, &error);
  }
  weir_status ping(std::int32_t depth) {
    const weir_call c = call();
    alive = WEIR_ALIVE_UNKNOWN;
    return status = driver->ping(conn, depth, &c, &alive, &error);
  }
  weir_status prepare(std::string_view sql, weir_stmt** stmt) {
    const weir_call c = call();
    weir_prepare_out p{};
    p.struct_size = sizeof p;
    status = driver->prepare(conn, &c, text(sql), stmt, &p, &error);
    param_count = p.param_count;
    return status;
  }
  void stmt_close(weir_stmt* stmt) {
    const weir_call c = call();
    driver->stmt_close(stmt, &c);
  }
  std::uint32_t flags() const {
    weir_conn_state s{};
    s.struct_size = sizeof s;
    driver->state(conn, &s);
    return s.flags;
  }
  bool is(std::uint32_t flag) const { return (flags() & flag) != 0; }
  // The one value of a query.
  Value one(std::string_view sql, const Row& params = {}) {
    EXPECT_EQ(WEIR_OK, query(sql, params)) << sql << ": " << error.what();
    EXPECT_EQ(1U, rows.size()) << sql;
    return rows.empty() || rows[0].empty() ? Value{} : rows[0][0];
  }

  const weir_driver* driver;
  Source& source;
  std::uint64_t tag;
  weir_time deadline;
  std::uint64_t op = 0;
  weir_canceller* canceller = nullptr;
  weir_conn* conn = nullptr;
  weir_status status = WEIR_OK;
  Error error;

  weir_result* result = nullptr;
  weir_batch batch{};
  weir_exec_out out{};
  std::vector<Row> rows;
  std::vector<std::string> columns;
  std::vector<std::uint16_t> column_types;
  int batches = 0;
  std::uint32_t done = 0;
  std::int32_t alive = 0;
  std::uint32_t param_count = 0;

 private:
  void keep_rows() {
    ++batches;
    for (std::uint64_t r = 0; r < batch.rows; ++r) {
      Row row;
      for (std::uint32_t c = 0; c < batch.columns; ++c) {
        row.push_back(Value::of(batch.cells[r * batch.row_stride + c]));
      }
      rows.push_back(std::move(row));
    }
  }
  void names_of_columns() {
    columns.clear();
    column_types.clear();
    const char* at = reinterpret_cast<const char*>(out.columns);
    for (std::uint32_t i = 0; i < out.column_count; ++i, at += out.column_stride) {
      const auto* column = reinterpret_cast<const weir_column*>(at);
      columns.push_back(string_of(column->name));
      column_types.push_back(column->type);
    }
  }
};

// A directory that goes with the test.
class TempDir {
 public:
  TempDir() {
    char name[] = "/tmp/weir-backends-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string path;
  std::string file(std::string_view name) const { return path + "/" + std::string(name); }
};

inline int scaled(int full, int reduced) {
  const char* scale = std::getenv("WEIR_TEST_SCALE");
  return scale != nullptr && std::string_view(scale) == "full" ? full : reduced;
}

}  // namespace weir::test
