// SPDX-License-Identifier: MIT
//
// vfs_file.cpp: SQLite's table of functions for an open file. Called from C: nothing here may
// throw.
#include "sim/sqlite/vfs_file.hpp"

#include "core/base/assert.hpp"

#include <cstring>

namespace weir::sim {
namespace {

DiskHandle& handle_of(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file)->handle; }

std::uint64_t hash_of(std::span<const std::byte> bytes) {
  std::uint64_t hash = bytes.size();
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
    hash = mix(hash, word);
  }
  return hash;
}

}  // namespace

struct FileCalls {
  // Runs `work` as operation `op`, unless a fault happens in its place.
  template <class Work>
  static int run(sqlite3_file* file, DiskOp op, std::uint64_t offset, std::uint64_t amount,
                 Work&& work) noexcept {
    DiskHandle& handle = handle_of(file);
    const auto fault = handle.vfs.enter(op, handle.name);
    const int code = fault ? code_of(op, *fault) : work(handle);
    return handle.vfs.leave(op, handle.file->ordinal, offset, amount, code);
  }

  static int close(sqlite3_file* file) noexcept {
    DiskHandle& handle = handle_of(file);
    SqliteVfs& vfs = handle.vfs;
    handle.file->locks.release(handle.level, LockLevel::none);
    handle.file->shm.detach(handle.shm);
    if (handle.delete_on_close && !handle.name.empty() && !vfs.disk_.crashed()) {
      vfs.disk_.erase(handle.name, false);
    }
    vfs.environment_.note(mix(0xc105e, handle.file->ordinal));
    --vfs.open_files_;
    delete &handle;
    file->pMethods = nullptr;
    return SQLITE_OK;
  }

  static int read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) noexcept {
    DiskHandle& handle = handle_of(file);
    const std::span<std::byte> room(static_cast<std::byte*>(out), static_cast<std::size_t>(size));
    const auto at = static_cast<std::uint64_t>(offset);
    const auto fault = handle.vfs.enter(DiskOp::read, handle.name);
    int code = SQLITE_OK;
    if (fault == DiskFaultKind::short_read) {
      const std::size_t half = room.size() / 2;
      handle.file->read(at, room.first(half));
      std::fill(room.begin() + static_cast<std::ptrdiff_t>(half), room.end(), std::byte{0});
      code = SQLITE_IOERR_SHORT_READ;
    } else if (fault) {
      code = code_of(DiskOp::read, *fault);
    } else if (handle.file->read(at, room) < room.size()) {
      code = SQLITE_IOERR_SHORT_READ;
    }
    return handle.vfs.leave(DiskOp::read, handle.file->ordinal, at, room.size(), code);
  }

  static int write(sqlite3_file* file, const void* in, int size, sqlite3_int64 offset) noexcept {
    const std::span bytes(static_cast<const std::byte*>(in), static_cast<std::size_t>(size));
    const auto at = static_cast<std::uint64_t>(offset);
    return run(file, DiskOp::write, at, hash_of(bytes), [&](DiskHandle& handle) {
      handle.file->write(at, bytes);
      return SQLITE_OK;
    });
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 size) noexcept {
    const auto to = static_cast<std::uint64_t>(size);
    return run(file, DiskOp::truncate, to, 0, [to](DiskHandle& handle) {
      handle.file->truncate(to);
      return SQLITE_OK;
    });
  }

  static int sync(sqlite3_file* file, int) noexcept {
    DiskHandle& handle = handle_of(file);
    const auto fault = handle.vfs.enter(DiskOp::sync, handle.name);
    const std::uint64_t changes = handle.file->pending();
    int code = SQLITE_OK;
    if (!fault) {
      handle.vfs.disk_.sync(*handle.file);
    } else if (fault != DiskFaultKind::lie) {
      code = code_of(DiskOp::sync, *fault);
    }
    return handle.vfs.leave(DiskOp::sync, handle.file->ordinal, changes, 0, code);
  }

  static int size(sqlite3_file* file, sqlite3_int64* out) noexcept {
    return run(file, DiskOp::size, 0, 0, [out](DiskHandle& handle) {
      *out = static_cast<sqlite3_int64>(handle.file->size());
      return SQLITE_OK;
    });
  }

  static int lock(sqlite3_file* file, int level) noexcept {
    return run(file, DiskOp::lock, 0, static_cast<std::uint64_t>(level), [level](DiskHandle& h) {
      return h.file->locks.take(h.level, static_cast<LockLevel>(level)) ? SQLITE_OK : SQLITE_BUSY;
    });
  }

  static int unlock(sqlite3_file* file, int level) noexcept {
    return run(file, DiskOp::unlock, 0, static_cast<std::uint64_t>(level), [level](DiskHandle& h) {
      h.file->locks.release(h.level, static_cast<LockLevel>(level));
      return SQLITE_OK;
    });
  }

  static int check_lock(sqlite3_file* file, int* out) noexcept {
    return run(file, DiskOp::check_lock, 0, 0, [out](DiskHandle& handle) {
      *out = handle.file->locks.reserved() ? 1 : 0;
      return SQLITE_OK;
    });
  }

  static int control(sqlite3_file* file, int what, void* argument) noexcept {
    DiskHandle& handle = handle_of(file);
    switch (what) {
      case SQLITE_FCNTL_HAS_MOVED:
        *static_cast<int*>(argument) =
            !handle.name.empty() && handle.vfs.disk_.find(handle.name) != handle.file ? 1 : 0;
        return SQLITE_OK;
      case SQLITE_FCNTL_LOCKSTATE:
        *static_cast<int*>(argument) = static_cast<int>(handle.level);
        return SQLITE_OK;
      case SQLITE_FCNTL_VFSNAME:
        *static_cast<char**>(argument) = sqlite3_mprintf("%s", handle.vfs.options_.name.c_str());
        return SQLITE_OK;
      default:
        return SQLITE_NOTFOUND;
    }
  }

  // Both as on Linux: bytes beside a write stay what they are, also when power is lost.
  static int sector_size(sqlite3_file*) noexcept { return 4096; }
  static int characteristics(sqlite3_file*) noexcept { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static int shm_map(sqlite3_file* file, int index, int size, int extend,
                     void volatile** out) noexcept {
    *out = nullptr;
    const auto region = static_cast<std::uint64_t>(index);
    return run(file, DiskOp::shm_map, region, 0, [&](DiskHandle& handle) {
      *out = handle.file->shm.map(handle.shm, region, static_cast<std::size_t>(size), extend != 0);
      return SQLITE_OK;
    });
  }

  static int shm_lock(sqlite3_file* file, int first, int count, int flags) noexcept {
    const auto from = static_cast<unsigned>(first);
    const auto slots = static_cast<unsigned>(count);
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {  // cannot fail, and SQLite would not look
      DiskHandle& handle = handle_of(file);
      handle.vfs.environment_.point("shm_unlock");
      handle.file->shm.unlock(handle.shm, from, slots);
      return SQLITE_OK;
    }
    const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    return run(file, DiskOp::shm_lock, from, static_cast<std::uint64_t>(flags), [&](DiskHandle& h) {
      const bool got = exclusive ? h.file->shm.lock_exclusive(h.shm, from, slots)
                                 : h.file->shm.lock_shared(h.shm, from);
      return got ? SQLITE_OK : SQLITE_BUSY;
    });
  }

  static void shm_barrier(sqlite3_file* file) noexcept {
    handle_of(file).vfs.environment_.point("shm_barrier");
  }

  static int shm_unmap(sqlite3_file* file, int) noexcept {
    DiskHandle& handle = handle_of(file);
    handle.file->shm.detach(handle.shm);
    return SQLITE_OK;
  }
};

const sqlite3_io_methods* disk_file_methods() noexcept {
  static constexpr sqlite3_io_methods methods = {
      2,  // iVersion: with shared memory, without mmap
      FileCalls::close,
      FileCalls::read,
      FileCalls::write,
      FileCalls::truncate,
      FileCalls::sync,
      FileCalls::size,
      FileCalls::lock,
      FileCalls::unlock,
      FileCalls::check_lock,
      FileCalls::control,
      FileCalls::sector_size,
      FileCalls::characteristics,
      FileCalls::shm_map,
      FileCalls::shm_lock,
      FileCalls::shm_barrier,
      FileCalls::shm_unmap,
      nullptr,
      nullptr,
  };
  return &methods;
}

}  // namespace weir::sim
