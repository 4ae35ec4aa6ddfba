// SPDX-License-Identifier: MIT
//
// Goal: the disk keeps, loses and cuts what it says; its locks exclude whom they should; what
// SQLite is handed is defined to the last byte. Method: the parts alone, without a database.
#include "tests/sim/sqlite/support.hpp"

#include <cstddef>
#include <map>

namespace weir::test {
namespace {

using sim::LockLevel;

TEST(SimDisk, a_crash_applies_drops_or_cuts_what_was_not_synced) {
  std::map<std::uint64_t, int> sizes;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    sim::Disk disk(seed);
    auto file = disk.create("f");
    file->write(0, std::vector<std::byte>(50));
    disk.sync(*file);
    file->write(100, std::vector<std::byte>(2000, std::byte{7}));
    file.reset();
    disk.crash();
    disk.settle();
    EXPECT_EQ(0U, disk.find("f")->pending());
    ++sizes[disk.find("f")->size()];
  }
  std::vector<std::uint64_t> seen;
  for (const auto& [size, count] : sizes) seen.push_back(size);
  EXPECT_EQ((std::vector<std::uint64_t>{50, 512, 1024, 1536, 2048, 2100}), seen);
}

TEST(SimDisk, that_never_loses_power_counts_what_was_not_synced_and_keeps_what_was_written) {
  sim::Disk disk(1, {.loses_power = false});
  const auto file = disk.create("f");
  file->write(0, std::vector<std::byte>(50, std::byte{1}));
  file->write(40, std::vector<std::byte>(50, std::byte{2}));
  file->truncate(60);
  EXPECT_EQ(3U, file->pending());
  disk.sync(*file);
  EXPECT_EQ(0U, file->pending());
  std::vector<std::byte> content(70, std::byte{9});
  EXPECT_EQ(60U, file->read(0, content));
  EXPECT_EQ(std::byte{1}, content[39]);
  EXPECT_EQ(std::byte{2}, content[59]);
  EXPECT_EQ(std::byte{0}, content[60]);
}

TEST(SimDiskDeathTest, that_never_loses_power_cannot_crash) {
  sim::Disk disk(1, {.loses_power = false});
  EXPECT_DEATH(disk.crash(), "loses_power");
}

TEST(SimDisk, a_pending_writer_keeps_new_readers_out_until_the_old_ones_have_gone) {
  sim::FileLocks locks;
  LockLevel reader = LockLevel::none, writer = LockLevel::none, late = LockLevel::none;
  EXPECT_TRUE(locks.take(reader, LockLevel::shared));
  EXPECT_TRUE(locks.take(writer, LockLevel::shared));
  EXPECT_TRUE(locks.take(writer, LockLevel::reserved));
  EXPECT_FALSE(locks.take(reader, LockLevel::reserved));
  EXPECT_FALSE(locks.take(writer, LockLevel::exclusive));
  EXPECT_EQ(LockLevel::pending, writer);
  EXPECT_FALSE(locks.take(late, LockLevel::shared));
  locks.release(reader, LockLevel::none);
  EXPECT_TRUE(locks.take(writer, LockLevel::exclusive));
  EXPECT_TRUE(locks.reserved());
  locks.release(writer, LockLevel::shared);
  EXPECT_FALSE(locks.reserved());
  EXPECT_TRUE(locks.take(late, LockLevel::shared));
  locks.release(late, LockLevel::none);
  EXPECT_FALSE(locks.free());
  locks.release(writer, LockLevel::none);
  EXPECT_TRUE(locks.free());
}

TEST(SimDisk, slots_of_shared_memory_have_one_owner_or_many_sharers) {
  sim::SharedMemory memory;
  sim::ShmHold a, b;
  EXPECT_EQ(nullptr, memory.map(a, 0, 64, false));
  EXPECT_NE(nullptr, memory.map(a, 0, 64, true));
  EXPECT_EQ(memory.map(a, 0, 64, false), memory.map(b, 0, 64, false));
  EXPECT_TRUE(memory.lock_shared(a, 3));
  EXPECT_TRUE(memory.lock_shared(b, 3));
  EXPECT_FALSE(memory.lock_exclusive(b, 2, 2));
  EXPECT_TRUE(memory.lock_exclusive(b, 0, 3));
  EXPECT_FALSE(memory.lock_shared(a, 0));
  EXPECT_FALSE(memory.lock_exclusive(a, 2, 1));
  memory.detach(b);
  EXPECT_TRUE(memory.lock_exclusive(a, 0, 4));
  memory.detach(a);
  EXPECT_EQ(nullptr, memory.map(a, 0, 64, false));
  memory.detach(a);
}

TEST(SimDisk, what_a_short_read_lacks_is_zero) {
  World world;
  world.disk.create("/f")->write(0, std::vector<std::byte>(100, std::byte{7}));
  sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
  ASSERT_STREQ("weir-sim", vfs->zName);
  std::vector<std::max_align_t> room(static_cast<std::size_t>(vfs->szOsFile));
  auto* const file = reinterpret_cast<sqlite3_file*>(room.data());
  ASSERT_EQ(SQLITE_OK, vfs->xOpen(vfs, "/f", file, SQLITE_OPEN_READWRITE, nullptr));
  const auto zeros_from = [&](sqlite3_int64 offset, std::size_t size) {
    std::string bytes(size, 'x');
    EXPECT_EQ(SQLITE_IOERR_SHORT_READ,
              file->pMethods->xRead(file, bytes.data(), static_cast<int>(size), offset));
    return bytes.find_last_not_of('\0') + 1;
  };
  EXPECT_EQ(40U, zeros_from(60, 64));
  EXPECT_EQ(0U, zeros_from(100, 64));
  world.vfs->set_faults({{.at = sim::DiskOp::read, .kind = sim::DiskFaultKind::short_read}});
  EXPECT_EQ(32U, zeros_from(0, 64));
  file->pMethods->xClose(file);
}

}  // namespace
}  // namespace weir::test
