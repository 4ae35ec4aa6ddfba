// SPDX-License-Identifier: MIT
//
// vfs.hpp: the file system that SQLite sees inside a world: files on a Disk, time, chance and
// scheduling from an SqliteEnvironment, faults and latency from lists. SQLite itself is the real
// one, and so is the driver above it: neither knows that it is simulated.
//
// Called by:  SQLite, in the calls of its user. A world makes one SqliteVfs before it opens a
//             database, and destroys it when the last one is closed.
// Process:    configure_sqlite() comes before all of this, seed_sqlite() before each world
//             (configure.hpp). One world at a time: SQLite's chance is one stream of the process.
// Threads:    virtual ones, of which one runs at a time. A switch may happen in point() and
//             sleep_until(), thus inside SQLite's calls; SQLite holds no lock of its own there, and
//             the mutexes of configure_sqlite() would tell if it did.
// Invariants: 1. the environment is asked for nothing but now() and random() where SQLite may hold
//                a mutex, that is for the wall clock and for random bytes.
//             2. every DiskOp is a scheduling point, counted and noted. What cannot fail is no
//                DiskOp: letting go of the locks of shared memory, its barriers, and close.
//             3. while the disk is crashed, every DiskOp fails.
//             4. no mmap: all of SQLite's I/O comes through here.
#pragma once

#include "sim/sqlite/disk.hpp"
#include "sim/sqlite/faults.hpp"

#include <weir/time.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weir::sim {

// What the world is, seen from a disk. None of these may throw: they are called from C.
class SqliteEnvironment {
 public:
  virtual Instant now() noexcept = 0;
  virtual void sleep_until(Instant at) noexcept = 0;
  virtual std::uint64_t random() noexcept = 0;
  // Another virtual thread may run now.
  virtual void point(const char* operation) noexcept = 0;
  // Goes into the hash of the trace.
  virtual void note(std::uint64_t value) noexcept = 0;

 protected:
  ~SqliteEnvironment() = default;
};

struct SqliteVfsOptions {
  std::string name = "weir-sim";
  // What the wall clock shows at Instant{}, in ms since 1970; for datetime('now').
  std::int64_t wall_clock_start_ms = 1'750'000'000'000;
};

class SqliteVfs {
 public:
  // Becomes the default VFS. `disk` and `environment` are borrowed for its life.
  // Requires: configure_sqlite() was called.
  SqliteVfs(Disk& disk, SqliteEnvironment& environment, SqliteVfsOptions options = {});
  // Requires: open_files() == 0.
  ~SqliteVfs();
  SqliteVfs(const SqliteVfs&) = delete;
  SqliteVfs& operator=(const SqliteVfs&) = delete;

  // Replaces the list; counts of calls start anew. {} ends all faults.
  void set_faults(std::vector<DiskFault> faults);
  // How long an operation takes; asked before each. None: no time.
  void set_latency(std::function<Duration(DiskOp)> latency) { latency_ = std::move(latency); }

  // For vacuity guards: that SQLite came here at all, and that faults hit.
  std::uint64_t calls() const noexcept;
  std::uint64_t calls(DiskOp op) const noexcept { return calls_[static_cast<std::size_t>(op)]; }
  std::uint64_t injected() const noexcept { return injected_before_ + faults_.injected(); }
  int open_files() const noexcept { return open_files_; }

 private:
  friend struct VfsCalls;   // vfs.cpp
  friend struct FileCalls;  // vfs_file.cpp
  struct Registration;

  // Before the work of an operation: lets others run, lets time pass, decides whether it fails.
  std::optional<DiskFaultKind> enter(DiskOp op, const std::string& file);
  // After it: its trace. Returns `code`.
  int leave(DiskOp op, std::uint64_t file, std::uint64_t offset, std::uint64_t amount,
            int code) noexcept;

  Disk& disk_;
  SqliteEnvironment& environment_;
  const SqliteVfsOptions options_;
  FaultPlan faults_;
  std::function<Duration(DiskOp)> latency_;
  std::array<std::uint64_t, disk_op_count> calls_{};
  std::uint64_t injected_before_ = 0;
  int open_files_ = 0;
  std::unique_ptr<Registration> registration_;
};

}  // namespace weir::sim
