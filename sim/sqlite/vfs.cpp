// SPDX-License-Identifier: MIT
//
// vfs.cpp: the VFS as SQLite's table of functions, but for the work on an open file, which is
// vfs_file.cpp. Called from C: nothing here may throw, so memory that runs out ends the process.
#include "sim/sqlite/vfs.hpp"

#include "core/base/assert.hpp"
#include "sim/sqlite/configure.hpp"
#include "sim/sqlite/vfs_file.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>
#include <numeric>
#include <utility>

namespace weir::sim {
namespace {

// The Julian day of 1970-01-01 in ms, in which SQLite counts time.
constexpr std::int64_t julian_1970_ms = 210'866'760'000'000;

SqliteVfs& self(sqlite3_vfs* vfs) { return *static_cast<SqliteVfs*>(vfs->pAppData); }

}  // namespace

int code_of(DiskOp op, DiskFaultKind fault) noexcept {
  if (fault == DiskFaultKind::full) return SQLITE_FULL;
  if (fault == DiskFaultKind::busy) return SQLITE_BUSY;
  constexpr std::array<int, disk_op_count> io_errors = {
      SQLITE_CANTOPEN,       SQLITE_IOERR_READ,    SQLITE_IOERR_WRITE,
      SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_FSYNC,   SQLITE_IOERR_FSTAT,
      SQLITE_IOERR_LOCK,     SQLITE_IOERR_UNLOCK,  SQLITE_IOERR_CHECKRESERVEDLOCK,
      SQLITE_IOERR_SHMMAP,   SQLITE_IOERR_SHMLOCK, SQLITE_IOERR_DELETE,
      SQLITE_IOERR_ACCESS};
  return io_errors[static_cast<std::size_t>(op)];
}

struct VfsCalls {
  static int open(sqlite3_vfs* raw, const char* path, sqlite3_file* out, int flags,
                  int* flags_out) noexcept {
    SqliteVfs& vfs = self(raw);
    auto* const opened = reinterpret_cast<OpenFile*>(out);
    out->pMethods = nullptr;  // until it is open: SQLite then does not close it
    const std::string name = path == nullptr ? "" : path;
    if (const auto fault = vfs.enter(DiskOp::open, name)) {
      return vfs.leave(DiskOp::open, 0, 0, 0, code_of(DiskOp::open, *fault));
    }
    auto file = name.empty() ? vfs.disk_.create_nameless() : vfs.disk_.find(name);
    constexpr int fresh = SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE;
    const bool in_the_way = !name.empty() && file != nullptr && (flags & fresh) == fresh;
    if (in_the_way || (file == nullptr && (flags & SQLITE_OPEN_CREATE) == 0)) {
      return vfs.leave(DiskOp::open, 0, 0, 0, SQLITE_CANTOPEN);
    }
    if (file == nullptr) file = vfs.disk_.create(name);
    const std::uint64_t ordinal = file->ordinal;
    opened->handle = new (std::nothrow) DiskHandle{
        vfs, std::move(file), name, (flags & SQLITE_OPEN_DELETEONCLOSE) != 0, LockLevel::none, {}};
    if (opened->handle == nullptr) return vfs.leave(DiskOp::open, ordinal, 0, 0, SQLITE_NOMEM);
    out->pMethods = disk_file_methods();
    if (flags_out != nullptr) *flags_out = flags;
    ++vfs.open_files_;
    return vfs.leave(DiskOp::open, ordinal, 0, 0, SQLITE_OK);
  }

  static int erase(sqlite3_vfs* raw, const char* path, int sync_directory) noexcept {
    SqliteVfs& vfs = self(raw);
    const std::string name = path;
    if (const auto fault = vfs.enter(DiskOp::erase, name)) {
      return vfs.leave(DiskOp::erase, 0, 0, 0, code_of(DiskOp::erase, *fault));
    }
    const auto file = vfs.disk_.find(name);
    const bool there = vfs.disk_.erase(name, sync_directory != 0);
    return vfs.leave(DiskOp::erase, there ? file->ordinal : 0, 0, 0,
                     there ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT);
  }

  static int access(sqlite3_vfs* raw, const char* path, int, int* out) noexcept {
    SqliteVfs& vfs = self(raw);
    const std::string name = path;
    if (const auto fault = vfs.enter(DiskOp::access, name)) {
      return vfs.leave(DiskOp::access, 0, 0, 0, code_of(DiskOp::access, *fault));
    }
    const auto file = vfs.disk_.find(name);
    // As SQLite's own: an empty file counts as none, or a journal that was never begun would be
    // hot.
    *out = file != nullptr && file->size() > 0 ? 1 : 0;
    return vfs.leave(DiskOp::access, 0, 0, static_cast<std::uint64_t>(*out), SQLITE_OK);
  }

  // Names are taken as they are: there is one directory, and no current one.
  static int full_path(sqlite3_vfs*, const char* path, int room, char* out) noexcept {
    const std::size_t size = std::strlen(path) + 1;
    if (size > static_cast<std::size_t>(room)) return SQLITE_CANTOPEN;
    std::memcpy(out, path, size);
    return SQLITE_OK;
  }

  static int random_bytes(sqlite3_vfs* raw, int size, char* out) noexcept {
    SqliteVfs& vfs = self(raw);
    for (int at = 0; at < size; at += 8) {
      const std::uint64_t word = vfs.environment_.random();
      std::memcpy(out + at, &word, static_cast<std::size_t>(std::min(8, size - at)));
    }
    return size;
  }

  static int sleep(sqlite3_vfs* raw, int us) noexcept {
    SqliteVfs& vfs = self(raw);
    vfs.environment_.note(mix(0x51ee9, static_cast<std::uint64_t>(us)));
    const Instant now = vfs.environment_.now();
    vfs.environment_.sleep_until(after(now, std::chrono::microseconds(us)));
    return us;
  }

  static int wall_clock(sqlite3_vfs* raw, sqlite3_int64* out) noexcept {
    SqliteVfs& vfs = self(raw);
    const auto since = vfs.environment_.now().time_since_epoch();
    *out = julian_1970_ms + vfs.options_.wall_clock_start_ms +
           std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
    return SQLITE_OK;
  }

  static int wall_clock_days(sqlite3_vfs* raw, double* out) noexcept {
    sqlite3_int64 ms = 0;
    wall_clock(raw, &ms);
    *out = static_cast<double>(ms) / 86'400'000.0;
    return SQLITE_OK;
  }

  // Code from a real disk would leave the world.
  static void* load(sqlite3_vfs*, const char*) noexcept { return nullptr; }
  static void load_error(sqlite3_vfs*, int size, char* out) noexcept {
    std::snprintf(out, static_cast<std::size_t>(size), "a simulated disk holds no code");
  }
  static void (*symbol(sqlite3_vfs*, void*, const char*) noexcept)() { return nullptr; }
  static void unload(sqlite3_vfs*, void*) noexcept {}
  static int last_error(sqlite3_vfs*, int, char*) noexcept { return 0; }
};

struct SqliteVfs::Registration {
  explicit Registration(SqliteVfs& owner) {
    table.iVersion = 2;
    table.szOsFile = sizeof(OpenFile);
    table.mxPathname = 512;
    table.zName = owner.options_.name.c_str();
    table.pAppData = &owner;
    table.xOpen = VfsCalls::open;
    table.xDelete = VfsCalls::erase;
    table.xAccess = VfsCalls::access;
    table.xFullPathname = VfsCalls::full_path;
    table.xDlOpen = VfsCalls::load;
    table.xDlError = VfsCalls::load_error;
    table.xDlSym = VfsCalls::symbol;
    table.xDlClose = VfsCalls::unload;
    table.xRandomness = VfsCalls::random_bytes;
    table.xSleep = VfsCalls::sleep;
    table.xCurrentTime = VfsCalls::wall_clock_days;
    table.xGetLastError = VfsCalls::last_error;
    table.xCurrentTimeInt64 = VfsCalls::wall_clock;
    const int code = sqlite3_vfs_register(&table, 1);
    WEIR_ASSERT(code == SQLITE_OK);
  }
  ~Registration() { sqlite3_vfs_unregister(&table); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  sqlite3_vfs table{};
};

SqliteVfs::SqliteVfs(Disk& disk, SqliteEnvironment& environment, SqliteVfsOptions options)
    : disk_(disk), environment_(environment), options_(std::move(options)) {
  WEIR_ASSERT(sqlite_is_configured());
  registration_ = std::make_unique<Registration>(*this);
}

// A connection that is still open would go on calling what is destroyed here.
SqliteVfs::~SqliteVfs() { WEIR_ASSERT(open_files_ == 0); }

void SqliteVfs::set_faults(std::vector<DiskFault> faults) {
  injected_before_ += faults_.injected();
  faults_ = FaultPlan(std::move(faults));
}

std::uint64_t SqliteVfs::calls() const noexcept {
  return std::accumulate(calls_.begin(), calls_.end(), std::uint64_t{0});
}

std::optional<DiskFaultKind> SqliteVfs::enter(DiskOp op, const std::string& file) {
  ++calls_[static_cast<std::size_t>(op)];
  environment_.point(sim::name(op).data());
  if (latency_) {
    const Duration takes = latency_(op);
    if (takes > Duration::zero()) environment_.sleep_until(after(environment_.now(), takes));
  }
  if (disk_.crashed()) return DiskFaultKind::io_error;
  return faults_.choose({op, file, environment_.now()}, [this] { return environment_.random(); });
}

int SqliteVfs::leave(DiskOp op, std::uint64_t file, std::uint64_t offset, std::uint64_t amount,
                     int code) noexcept {
  std::uint64_t hash = mix(static_cast<std::uint64_t>(op), file);
  hash = mix(mix(hash, offset), amount);
  environment_.note(mix(hash, static_cast<std::uint64_t>(code)));
  return code;
}

}  // namespace weir::sim
