// SPDX-License-Identifier: MIT
//
// Insertion: one insert_many. The driver stores rows, a chunk at a time, and says that something
// was wrong with one; what this adds is the frame around it (a transaction, or a savepoint in the
// caller's), and the search for the row that was wrong.
//
// Called by:  many.cpp. Lives on the stack of one call. Threads: the leaseholder's.
// Invariants: 1. when run() has returned or thrown, nothing is open that was not open before, and
//                of the rows that are not committed none is left, as far as the database answered.
//             2. a chunk that fails is taken back as a whole before any of its rows is tried again.
//             3. between two driver calls the range may run: the lease is looked at afterwards.
// Blocks:     as long as the driver and the range.
#pragma once

#include "core/runtime/session.hpp"

namespace weir::runtime {

class Insertion {
 public:
  // `names` has table, columns, key and on_conflict filled in, and outlives this.
  Insertion(const detail::SessionRef& ref, const weir_insert& driver, const weir_insert_args& names,
            detail::RowSource& rows, const InsertOptions& options);
  ~Insertion();  // undoes what is open: the range threw
  Insertion(const Insertion&) = delete;
  Insertion& operator=(const Insertion&) = delete;

  [[nodiscard]] Result<Inserted> run();

 private:
  [[nodiscard]] Result<void> store_all();
  [[nodiscard]] Result<void> check_chunk();
  // Stores rows of the chunk. Fails with row_ set if one of them is to blame.
  [[nodiscard]] Result<void> store(std::uint64_t first, std::uint64_t count);
  [[nodiscard]] Result<void> begin();
  [[nodiscard]] Result<void> commit();
  [[nodiscard]] Result<void> restart();  // back to where begin() was
  // Returns: false if rows may be left in the caller's transaction; then that takes no statement
  // any more, because of `why`, where there is an error.
  bool undo(const Error* why) noexcept;
  [[nodiscard]] Error explain(const Error& error);

  [[nodiscard]] Result<void> savepoint(const char* what, std::uint64_t name, Instant deadline);

  const detail::SessionRef ref_;
  Session& session_;
  const weir_insert& driver_;
  const weir_insert_args& names_;
  detail::RowSource& rows_;
  const std::uint64_t chunk_rows_;
  const bool inside_;  // a transaction of the caller's
  const bool whole_;   // all chunks are one transaction

  bool open_ = false;        // begin() was not undone, nor committed
  bool at_start_ = true;     // nothing has been done since begin() that would be lost with it
  std::uint64_t scope_ = 0;  // the savepoint of begin(), inside
  std::uint64_t done_ = 0;   // rows of earlier chunks
  std::uint64_t stored_ = 0;
  std::uint64_t committed_ = 0;
  std::optional<std::uint64_t> row_;
};

// An error that running the same again with fewer rows may tell more about.
[[nodiscard]] bool is_about_a_row(const Error& error) noexcept;

// Refuses what must not reach a driver: a value of 4 GiB or more. `first` is the index in the batch
// of the first row; the row goes into *row.
[[nodiscard]] Result<void> check_sizes(const detail::RowSource& rows, std::uint64_t first,
                                       std::optional<std::uint64_t>& row);

}  // namespace weir::runtime
