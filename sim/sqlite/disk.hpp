// SPDX-License-Identifier: MIT
//
// disk.hpp: a disk that lives in memory and can lose power. Of each file it keeps what everybody
// reads, what is on the medium for certain, and the writes in between, which nobody has asked to be
// synced yet. After crash() and settle() each of those was written, was lost, or was cut at a
// sector's end, as a stream of chance from the seed says. One that never loses power keeps only
// what everybody reads.
//
// Called by:  the VFS for its files; a world for crash() and settle().
// Owner:      a world. It may outlive a VFS: that is how a database is found again.
// Threads:    one at a time (see vfs.hpp). Never waits, knows no clock and no SQLite header.
// Order:      crash(): from now on every call of the VFS fails. Let all connections be closed, each
//             leaving by its own error path; then settle(), which makes the disk work again. Both
//             require a disk that may lose power.
// Invariants: 1. with no change pending, a file's content is its durable content.
//             2. a crash changes nothing that was synced before it.
#pragma once

#include "core/base/random.hpp"
#include "sim/sqlite/file_locks.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace weir::sim {

class DiskFile {
 public:
  DiskFile(std::uint64_t number, bool loses_power) : ordinal(number), loses_power_(loses_power) {}

  std::uint64_t size() const noexcept { return content_.size(); }
  // How many bytes there were; the rest of `out` becomes zero, which SQLite relies on.
  std::size_t read(std::uint64_t offset, std::span<std::byte> out) const noexcept;
  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  void truncate(std::uint64_t size);
  std::size_t pending() const noexcept { return changes_; }  // not synced

  const std::uint64_t ordinal;  // names the file in traces, where an address must not appear
  FileLocks locks;
  SharedMemory shm;

 private:
  friend class Disk;
  using Bytes = std::vector<std::byte>;
  struct Change {
    std::uint64_t offset;  // of a write, or the new size
    Bytes bytes;           // empty: it is a new size
  };
  static void apply(Bytes& to, const Change& change, std::size_t bytes);
  void make(Change change);
  void make_durable();
  void settle(base::Random& random);

  const bool loses_power_;
  std::size_t changes_ = 0;  // since the last sync
  Bytes content_;
  Bytes durable_;                // where power can be lost, like the next
  std::vector<Change> pending_;  // those changes
  bool named_durably_ = false;   // its entry in the directory was synced
};

struct DiskOptions {
  // Whether a deleted file may be there again after a crash, unless the deletion was synced. A
  // journaling file system usually keeps the order, so the default is no; with yes, a commit in
  // journal mode DELETE is only safe with synchronous=EXTRA, as SQLite documents.
  bool deletions_may_be_lost = false;
  // Whether there may be a crash(). Where there is none, nothing is kept for it: with
  // synchronous=OFF nobody ever asks for a sync, and each write of a long run would stay.
  bool loses_power = true;
};

class Disk {
 public:
  static constexpr std::uint64_t sector = 512;  // what the medium writes whole or not at all

  explicit Disk(std::uint64_t seed, DiskOptions options = {}) : options_(options), random_(seed) {}
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  std::shared_ptr<DiskFile> find(const std::string& name) const;  // null: there is none
  std::shared_ptr<DiskFile> create(const std::string& name);      // requires: there is none
  std::shared_ptr<DiskFile> create_nameless();
  // False: there was none. Who has it open keeps it.
  bool erase(const std::string& name, bool durably);
  // The file and the directory that it is in.
  void sync(DiskFile& file);

  void crash() noexcept;
  bool crashed() const noexcept { return crashed_; }
  // Requires: no file is open.
  void settle();

 private:
  struct Deletion {
    std::string name;
    std::shared_ptr<DiskFile> file;
  };
  const DiskOptions options_;
  base::Random random_;
  std::map<std::string, std::shared_ptr<DiskFile>> files_;  // ordered: settle() draws in this order
  std::vector<Deletion> deletions_;                         // that are not durable
  std::uint64_t files_made_ = 0;
  bool crashed_ = false;
};

}  // namespace weir::sim
