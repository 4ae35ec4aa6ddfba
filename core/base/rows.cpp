// SPDX-License-Identifier: MIT
//
// A whole result: how the rows of its batches are kept.
#include "core/base/assert.hpp"
#include "core/base/sanitizers.hpp"

#include <weir/rows.hpp>

#include <algorithm>
#include <cstring>
#include <new>

namespace weir {
namespace detail {
namespace {

constexpr std::size_t spare_bytes_max = 1024;

// In front of the memory.
struct alignas(std::max_align_t) Header {
  std::size_t size;
};

std::size_t size_of(const std::byte* bytes) noexcept {
  return reinterpret_cast<const Header*>(bytes)->size;
}

// For who looks at a row of a result that is gone.
void poison([[maybe_unused]] std::byte* bytes) noexcept {
#ifdef WEIR_ASAN
  ASAN_POISON_MEMORY_REGION(bytes + sizeof(Header), size_of(bytes));
#endif
}
void unpoison([[maybe_unused]] std::byte* bytes) noexcept {
#ifdef WEIR_ASAN
  ASAN_UNPOISON_MEMORY_REGION(bytes + sizeof(Header), size_of(bytes));
#endif
}

void free_spare(std::byte* bytes) noexcept {
  if (bytes == nullptr) return;
  unpoison(bytes);
  ::operator delete(bytes);
}

}  // namespace

// relaxed: nobody has it any more.
SpareMemory::~SpareMemory() { free_spare(bytes_.load(std::memory_order_relaxed)); }

ResultMemory::ResultMemory(std::size_t size, SpareMemory& spare) : spare_(&spare) {
  // acquire: with give_up(), perhaps of another thread.
  std::byte* const found =
      size <= spare_bytes_max ? spare.bytes_.exchange(nullptr, std::memory_order_acquire) : nullptr;
  if (found != nullptr && size_of(found) >= size) {
    unpoison(found);
    bytes_ = found;
    return;
  }
  free_spare(found);
  bytes_ = static_cast<std::byte*>(::operator new(sizeof(Header) + size));
  new (bytes_) Header{size};
}

std::byte* ResultMemory::get() const noexcept { return bytes_ + sizeof(Header); }

void ResultMemory::give_up() noexcept {
  if (size_of(bytes_) > spare_bytes_max) return ::operator delete(bytes_);
  poison(bytes_);
  // release: with whoever takes it. acquire: with who put there what is freed here.
  free_spare(spare_->bytes_.exchange(bytes_, std::memory_order_acq_rel));
}

}  // namespace detail

namespace {

template <class F>
void for_each_cell(const weir_batch& batch, F&& fn) {
  for (std::uint64_t r = 0; r < batch.rows; ++r) {
    const weir_cell* const row = batch.cells + r * batch.row_stride;
    for (std::uint32_t c = 0; c < batch.columns; ++c) fn(row[c]);
  }
}

}  // namespace

void Rows::append(const weir_batch& batch) {
  if (batch.rows == 0) return;
  WEIR_ASSERT(batch.columns == width());
  if (batch.columns == 0) {
    rows_ += batch.rows;
    return;
  }
  std::size_t bytes = 0;
  for_each_cell(batch, [&](const weir_cell& cell) {
    if (detail::has_bytes(cell)) bytes += cell.size;
  });
  std::byte* to = make_room(batch, bytes);
  weir_cell* cells = cells_ + rows_ * width();
  for_each_cell(batch, [&](weir_cell cell) {
    if (detail::has_bytes(cell) && cell.size > 0) {
      std::memcpy(to, cell.v.p, cell.size);
      cell.v.p = to;
      to += cell.size;
    }
    *cells++ = cell;
  });
  rows_ += batch.rows;
}

// For the cells of one more batch, at cells_. Returns: where its bytes go.
std::byte* Rows::make_room(const weir_batch& batch, std::size_t bytes) {
  const std::size_t added = batch.rows * batch.columns;
  if (rows_ == 0) {
    first_ = detail::ResultMemory(added * sizeof(weir_cell) + bytes, columns_->spare);
    cells_ = reinterpret_cast<weir_cell*>(first_.get());
    return first_.get() + added * sizeof(weir_cell);
  }
  const std::size_t present = rows_ * width();
  const std::size_t needed = present + added;
  if (needed > all_.capacity()) all_.reserve(std::max(needed, 2 * all_.capacity()));
  if (all_.empty()) all_.assign(cells_, cells_ + present);
  all_.resize(needed);
  cells_ = all_.data();
  if (bytes == 0) return nullptr;
  return chunks_.emplace_back(std::make_unique_for_overwrite<std::byte[]>(bytes)).get();
}

}  // namespace weir
