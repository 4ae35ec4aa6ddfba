// SPDX-License-Identifier: MIT
#include "sim/sqlite/disk.hpp"

#include "core/base/assert.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weir::sim {

std::size_t DiskFile::read(std::uint64_t offset, std::span<std::byte> out) const noexcept {
  const std::uint64_t there = offset < size() ? size() - offset : 0;
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(there, out.size()));
  if (count > 0) std::memcpy(out.data(), content_.data() + offset, count);
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(count), out.end(), std::byte{0});
  return count;
}

void DiskFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (!bytes.empty()) make({offset, Bytes(bytes.begin(), bytes.end())});
}

void DiskFile::truncate(std::uint64_t size) { make({size, {}}); }

void DiskFile::make(Change change) {
  ++changes_;
  apply(content_, change, change.bytes.size());
  if (loses_power_) pending_.push_back(std::move(change));
}

// The first `bytes` of a write, or a new size.
void DiskFile::apply(Bytes& to, const Change& change, std::size_t bytes) {
  if (change.bytes.empty()) {
    to.resize(change.offset);
    return;
  }
  if (to.size() < change.offset + bytes) to.resize(change.offset + bytes);
  std::memcpy(to.data() + change.offset, change.bytes.data(), bytes);
}

void DiskFile::make_durable() {
  for (const Change& change : pending_) apply(durable_, change, change.bytes.size());
  pending_.clear();
  changes_ = 0;
}

void DiskFile::settle(base::Random& random) {
  for (const Change& change : pending_) {
    enum { written, lost, cut, outcomes };
    const std::uint64_t outcome = random.next() % outcomes;
    if (outcome == written) apply(durable_, change, change.bytes.size());
    if (outcome != cut || change.bytes.empty()) continue;
    // Cut where a sector ends: some whole sectors arrive, the others never do.
    const std::uint64_t first = change.offset / Disk::sector;
    const std::uint64_t last = (change.offset + change.bytes.size()) / Disk::sector;
    if (last <= first) continue;  // all of it in one sector: lost
    const std::uint64_t end = (first + 1 + random.next() % (last - first)) * Disk::sector;
    apply(durable_, change, static_cast<std::size_t>(end - change.offset));
  }
  pending_.clear();
  changes_ = 0;
  content_ = durable_;
}

std::shared_ptr<DiskFile> Disk::find(const std::string& name) const {
  const auto at = files_.find(name);
  return at == files_.end() ? nullptr : at->second;
}

std::shared_ptr<DiskFile> Disk::create(const std::string& name) {
  auto file = create_nameless();
  const bool fresh = files_.emplace(name, file).second;
  WEIR_ASSERT(fresh);
  return file;
}

std::shared_ptr<DiskFile> Disk::create_nameless() {
  return std::make_shared<DiskFile>(++files_made_, options_.loses_power);
}

bool Disk::erase(const std::string& name, bool durably) {
  const auto at = files_.find(name);
  if (at == files_.end()) return false;
  if (options_.deletions_may_be_lost && at->second->named_durably_) {
    deletions_.push_back({name, at->second});
  }
  files_.erase(at);
  if (durably) deletions_.clear();  // syncing a directory syncs all of it
  return true;
}

void Disk::sync(DiskFile& file) {
  file.make_durable();
  if (file.named_durably_) return;
  // As SQLite's own VFS for Linux: the first sync of a new file syncs its directory.
  file.named_durably_ = true;
  deletions_.clear();
}

void Disk::crash() noexcept {
  WEIR_ASSERT(options_.loses_power);
  crashed_ = true;
}

void Disk::settle() {
  for (auto at = files_.begin(); at != files_.end();) {
    DiskFile& file = *at->second;
    WEIR_ASSERT(at->second.use_count() == 1 && file.locks.free());
    file.settle(random_);
    // A file whose name was never synced may be gone; then its deleted predecessor may be back.
    const bool gone = !file.named_durably_ && random_.next() % 2 == 0;
    file.named_durably_ = true;
    at = gone ? files_.erase(at) : std::next(at);
  }
  for (Deletion& deletion : std::exchange(deletions_, {})) {
    if (random_.next() % 2 == 0) continue;
    deletion.file->settle(random_);
    files_.emplace(deletion.name, std::move(deletion.file));
  }
  crashed_ = false;
}

}  // namespace weir::sim
