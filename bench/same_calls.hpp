// SPDX-License-Identifier: MIT
//
// A prepared statement that is run through a pool of one connection, and by the same calls made on
// the driver's table directly: on the same conn, with the same statement, under the same host. What
// the two differ by is the pool's.
//
// The pool is given a copy of the table in which open() and prepare() also keep what they made.
//
// Used by: bench_cost. Threads: one. One object for each driver at a time.
#pragma once

#include "bench/bulk.hpp"
#include "bench/pool_work.hpp"

namespace weir::bench {

using DriverEntry = const weir_driver* (*)() noexcept;

// A function of a driver's table that counts its calls.
template <DriverEntry real, auto slot>
struct Crossing;
template <DriverEntry real, class R, class... Args, R (*weir_driver::*slot)(Args...) noexcept>
struct Crossing<real, slot> {
  static inline std::uint64_t* crossings = nullptr;
  static R call(Args... args) noexcept {
    ++*crossings;
    return (real()->*slot)(args...);
  }
};

template <DriverEntry real>
class SameCalls {
 public:
  enum class Wanted : std::uint8_t { rows, no_rows };
  // `crossings`: counts what the pool calls on the conn, if it is not null. The table is a longer
  // way then, so that nothing is to be timed.
  SameCalls(const std::string& name, const std::string& url, const char* sql, Wanted wanted,
            std::uint64_t* crossings = nullptr)
      : pools_(open_pools(crossings == nullptr ? kept() : counting(crossings), name, url)),
        lease_(or_throw(pools_["main"].acquire())),
        statement_(or_throw(lease_->prepare(sql))),
        wanted_(wanted) {
    args_.struct_size = sizeof args_;
    args_.stmt = stmt_;
    args_.flags = wanted == Wanted::rows ? 0 : WEIR_EXEC_NO_ROWS;
    out_.struct_size = sizeof out_;
    batch_.struct_size = sizeof batch_;
    error_.struct_size = sizeof error_;
  }

  void through_pool() {
    if (wanted_ == Wanted::rows) {
      require(statement_.query().has_value(), "a statement, through the pool,");
    } else {
      require(statement_.execute().has_value(), "a statement, through the pool,");
    }
  }

  void directly() {
    ++call_.op_id;
    weir_result* result = nullptr;
    require(driver_->execute(conn_, &call_, &args_, &out_, &result, &batch_, &error_) == WEIR_OK,
            "a statement, made directly,");
    while (result != nullptr && (batch_.flags & WEIR_BATCH_END) == 0) {
      ++call_.op_id;
      require(driver_->fetch(result, &call_, &batch_, &error_) == WEIR_OK, "fetching");
    }
    if (result != nullptr) driver_->result_close(result, &call_);
  }

 private:
  static weir_driver keeping() {
    weir_driver table = *real();
    table.open = [](weir_source* source, const weir_call* call, const weir_open_args* args,
                    weir_canceller* canceller, weir_conn** conn, weir_error* error) noexcept {
      const weir_status status = real()->open(source, call, args, canceller, conn, error);
      conn_ = *conn;
      return status;
    };
    table.prepare = [](weir_conn* conn, const weir_call* call, weir_text sql, weir_stmt** stmt,
                       weir_prepare_out* out, weir_error* error) noexcept {
      const weir_status status = real()->prepare(conn, call, sql, stmt, out, error);
      stmt_ = *stmt;
      return status;
    };
    return table;
  }

  static const weir_driver* kept() {
    static const weir_driver table = keeping();
    return &table;
  }

  template <auto... slots>
  static void count(weir_driver& table, std::uint64_t* crossings) {
    ((Crossing<real, slots>::crossings = crossings), ...);
    ((table.*slots = table.*slots == nullptr ? nullptr : &Crossing<real, slots>::call), ...);
  }

  // All that is called on a conn which is open and prepared.
  static const weir_driver* counting(std::uint64_t* crossings) {
    using D = weir_driver;
    static weir_driver table = keeping();
    count<&D::state, &D::ping, &D::reset, &D::native, &D::execute, &D::fetch, &D::next_set,
          &D::result_close, &D::execute_many, &D::stmt_close, &D::begin, &D::commit, &D::rollback>(
        table, crossings);
    return &table;
  }

  static inline weir_conn* conn_ = nullptr;
  static inline weir_stmt* stmt_ = nullptr;

  const weir_driver* const driver_ = real();
  Pools pools_;
  Lease lease_;
  Statement statement_;
  const Wanted wanted_;
  weir_exec_args args_{};
  weir_exec_out out_{};
  weir_batch batch_{};
  weir_error error_{};
  // Far from the numbers that the pool gives to its calls.
  weir_call call_{sizeof call_, 0, std::uint64_t{1} << 32, WEIR_NO_DEADLINE};
};

}  // namespace weir::bench
