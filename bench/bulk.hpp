// SPDX-License-Identifier: MIT
//
// Ten thousand rows (a number, a text, a number with a fraction) into a table, through execute_many
// of a driver. The rows are made anew each time, as a program makes them that has none yet.
//
// Used by: the benches of drivers. Threads: one.
#pragma once

#include "tests/backends/abi_host.hpp"

#include <weir/driver.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

namespace weir::bench {

inline constexpr int bulk_rows = 10'000;

inline void require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "%s failed\n", what);
  std::abort();
}

// A conn of a driver, through its interface alone.
class DriverConn {
 public:
  DriverConn(const weir_driver* driver, const std::string& url) : driver_(driver) {
    const weir_source_args args{sizeof args, 0, {url.data(), url.size()}, {}, nullptr, 0};
    const weir_open_args open{sizeof open, 0, 1};
    weir_source_traits traits{};
    traits.struct_size = sizeof traits;
    require(driver->env_create(host_.abi(), &env_, nullptr) == WEIR_OK &&
                driver->source_create(env_, &args, &source_, &traits, nullptr) == WEIR_OK &&
                driver->canceller_create(source_, 1, &canceller_, nullptr) == WEIR_OK &&
                driver->open(source_, next(), &open, canceller_, &conn_, nullptr) == WEIR_OK,
            "opening");
  }
  ~DriverConn() {
    driver_->close(conn_, next());
    driver_->canceller_release(canceller_);
    driver_->source_destroy(source_);
    driver_->env_destroy(env_);
  }
  DriverConn(const DriverConn&) = delete;
  DriverConn& operator=(const DriverConn&) = delete;

  void run(std::string_view sql) {
    weir_exec_args args{};
    args.struct_size = sizeof args;
    args.sql = {sql.data(), sql.size()};
    weir_exec_out out{};
    out.struct_size = sizeof out;
    weir_batch batch{};
    batch.struct_size = sizeof batch;
    weir_result* result = nullptr;
    require(driver_->execute(conn_, next(), &args, &out, &result, &batch, nullptr) == WEIR_OK,
            std::string(sql).c_str());
  }
  void begin() {
    weir_begin_args args{};
    args.struct_size = sizeof args;
    require(driver_->begin(conn_, next(), &args, nullptr) == WEIR_OK, "BEGIN");
  }
  void commit() { require(driver_->commit(conn_, next(), nullptr) == WEIR_OK, "COMMIT"); }
  // Rows of three columns.
  void many(std::string_view sql, const std::vector<weir_cell>& cells) {
    weir_many_args args{};
    args.struct_size = sizeof args;
    args.sql = {sql.data(), sql.size()};
    args.cells = cells.data();
    args.row_count = cells.size() / 3;
    args.param_count = 3;
    args.row_stride = 3;
    weir_many_out done{};
    done.struct_size = sizeof done;
    require(driver_->execute_many(conn_, next(), &args, &done, nullptr) == WEIR_OK,
            std::string(sql).c_str());
  }

 private:
  const weir_call* next() {
    ++call_.op_id;
    return &call_;
  }

  test::RealHost host_;
  const weir_driver* driver_;
  weir_env* env_ = nullptr;
  weir_source* source_ = nullptr;
  weir_canceller* canceller_ = nullptr;
  weir_conn* conn_ = nullptr;
  weir_call call_{sizeof call_, 0, 0, WEIR_NO_DEADLINE};
};

// Empties the table `bulk`, and fills it with one call of `sql` in a transaction.
inline void run_bulk(benchmark::State& state, DriverConn& conn, std::string_view empty,
                     std::string_view sql) {
  std::vector<std::string> texts;
  std::vector<weir_cell> cells;
  for (auto _ : state) {
    conn.run(empty);
    texts.clear();
    cells.clear();
    for (int i = 0; i < bulk_rows; ++i) texts.push_back("row " + std::to_string(i));
    for (int i = 0; i < bulk_rows; ++i) {
      const std::string& text = texts[static_cast<std::size_t>(i)];
      weir_cell number{};
      number.type = WEIR_T_INT64;
      number.v.i = i;
      weir_cell name{};
      name.type = WEIR_T_TEXT;
      name.v.p = text.data();
      name.size = static_cast<std::uint32_t>(text.size());
      weir_cell half{};
      half.type = WEIR_T_DOUBLE;
      half.v.d = i * 0.5;
      cells.insert(cells.end(), {number, name, half});
    }
    conn.begin();
    conn.many(sql, cells);
    conn.commit();
  }
}

}  // namespace weir::bench
