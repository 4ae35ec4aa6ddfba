// SPDX-License-Identifier: MIT
//
// vfs_file.hpp: what vfs.cpp, which opens files, and vfs_file.cpp, which works on them, share. For
// these two files only: it names SQLite's types.
#pragma once

#include "sim/sqlite/vfs.hpp"

#include <sqlite3.h>

namespace weir::sim {

// One open of a file, by one connection.
struct DiskHandle {
  SqliteVfs& vfs;
  std::shared_ptr<DiskFile> file;
  std::string name;  // empty: temporary
  bool delete_on_close = false;
  LockLevel level = LockLevel::none;
  ShmHold shm;
};

// SQLite allocates this and copies nothing of it.
struct OpenFile {
  sqlite3_file base;
  DiskHandle* handle;
};

const sqlite3_io_methods* disk_file_methods() noexcept;

// What SQLite is told when `fault` happens to `op`.
int code_of(DiskOp op, DiskFaultKind fault) noexcept;

constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t value) noexcept {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15U;
  return hash ^ (hash >> 32);
}

}  // namespace weir::sim
