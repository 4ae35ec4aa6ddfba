// SPDX-License-Identifier: MIT
//
// faults.hpp: what may go wrong at the disk, as plain data: an operation, what it does instead, and
// when. A world writes a list of these; the VFS asks FaultPlan at each of its operations.
//
// Threads:    one at a time (see vfs.hpp).
// Invariants: 1. a fault whose window, file or call does not fit draws no chance, so that adding
//                one elsewhere in time changes nothing here.
//             2. of several that fit, the first in the list happens.
#pragma once

#include <weir/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::sim {

enum class DiskOp : std::uint8_t {
  open,
  read,
  write,
  truncate,
  sync,
  size,
  lock,
  unlock,
  check_lock,
  shm_map,
  shm_lock,
  erase,
  access,
};
inline constexpr std::size_t disk_op_count = static_cast<std::size_t>(DiskOp::access) + 1;
constexpr std::string_view name(DiskOp op) noexcept {
  constexpr std::array<std::string_view, disk_op_count> names = {
      "open",   "read",       "write",   "truncate", "sync",  "size",  "lock",
      "unlock", "check_lock", "shm_map", "shm_lock", "erase", "access"};
  return names[static_cast<std::size_t>(op)];
}

enum class DiskFaultKind : std::uint8_t {
  io_error,    // any operation: it fails and does nothing; open: cannot be opened
  full,        // open, write: no space is left
  busy,        // lock, shm_lock: as if somebody else held it
  short_read,  // read: as if the file ended within what is read. SQLite takes the missing bytes for
               // zeros, so it reads a damaged page: not for databases that are written meanwhile
  lie,         // sync: says that it is done and does nothing. SQLite cannot survive a crash then
};
bool can_happen(DiskFaultKind kind, DiskOp at) noexcept;

struct DiskFault {
  DiskOp at = DiskOp::write;
  DiskFaultKind kind = DiskFaultKind::io_error;
  // Virtual time, `until` excluded.
  Instant from = Instant::min();
  Instant until = no_deadline;
  std::uint64_t nth = 0;      // only at the nth call that fits in the above, from 1; 0: at each
  double probability = 1;     // of those
  std::string file_suffix{};  // "-wal", "-journal", "app.db"; empty: any file
};

class FaultPlan {
 public:
  FaultPlan() = default;
  // Requires can_happen() of each.
  explicit FaultPlan(std::vector<DiskFault> faults);

  struct Call {
    DiskOp op;
    std::string_view file;
    Instant now;
  };
  // What happens to this call; none: it works. `random` is called for faults by chance only.
  template <class Random>
  std::optional<DiskFaultKind> choose(const Call& call, Random&& random) {
    for (std::size_t i = 0; i < faults_.size(); ++i) {
      if (!fits(i, call)) continue;
      const double p = faults_[i].probability;
      if (p < 1 && static_cast<double>(random() >> 11) * 0x1.0p-53 >= p) continue;
      ++injected_;
      return faults_[i].kind;
    }
    return std::nullopt;
  }
  std::uint64_t injected() const noexcept { return injected_; }

 private:
  bool fits(std::size_t index, const Call& call) noexcept;  // counts
  std::vector<DiskFault> faults_;
  std::vector<std::uint64_t> seen_;  // calls that fitted, for `nth`
  std::uint64_t injected_ = 0;
};

}  // namespace weir::sim
