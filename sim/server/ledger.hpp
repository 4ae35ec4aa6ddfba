// SPDX-License-Identifier: MIT
//
// ledger.hpp: what a simulated server saw, in order: the evidence on which a pool is judged. The
// pool has no part in it, so a pool that miscounts its own sessions is found out.
//
// Called by: the server, which appends; sim/check, which reads. Owned by the server. Threads: one
// at a time. Invariant: records are in the order of their times and never change.
#pragma once

#include <weir/driver.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace weir::sim {

// Whose statement it is, as its text says: a comment /*c7.3*/ means the third lease of client 7. A
// third number, /*c7.3.42*/, is what the chance of the lease's statements is drawn from, so that
// the same work takes the same time whoever does it; without one, it is the client's number.
struct LeaseMark {
  std::uint64_t client = 0;  // 0: nobody's, as the pool's own statements
  std::uint64_t number = 0;
  bool operator==(const LeaseMark&) const = default;
  explicit operator bool() const noexcept { return client != 0; }
};

enum class What : std::uint8_t {
  dialed,         // a client began to connect; number: conn_tag
  admitted,       // a session began
  refused,        // it did not; number: WEIR_E_*
  ended,          // a session ended; number: SessionEnd
  began,          // a request reached the server; number: op_id, text
  done,           // it has run; number: WEIR_E_* or WEIR_OK
  delivered,      // the client has the reply; number: WEIR_E_* or WEIR_OK
  given_up,       // the client left without it; number: op_id
  hung_up,        // the client closed its socket
  applied,        // a write was committed; text: key
  cancelled,      // the client sent a cancel; number: op_id that it is for
  cancel_hit,     // it ended a request; number: op_id of that
  cancel_missed,  // nothing ran
  leftover,       // a lease met state that an earlier one had left; text: which
  observed,       // a lease was shown such state; text: which
};

enum class SessionEnd : std::uint8_t { goodbye, noticed, killed, idle_timeout, broke_off };

struct Record {
  weir_time at = 0;
  What what = What::dialed;
  std::uint64_t link = 0;
  std::uint64_t session = 0;  // 0: none yet
  std::uint64_t op = 0;       // op_id of the request that it is about
  std::int64_t number = 0;
  LeaseMark lease;
  std::string text;
};

struct Ledger {
  std::vector<Record> records;
  std::size_t records_max = SIZE_MAX;
  bool overflowed = false;  // there were more than it takes: it has none, and nothing to judge by
  std::uint32_t sessions = 0;          // now
  std::uint32_t sessions_hung_up = 0;  // of these: whose client has closed its socket
  std::uint32_t sessions_max = 0;      // ever

  void add(Record record) {
    if (overflowed) return;
    if (records.size() >= records_max) {
      overflowed = true;
      records = std::vector<Record>();  // {} would keep the memory
      return;
    }
    records.push_back(std::move(record));
  }
};

}  // namespace weir::sim
