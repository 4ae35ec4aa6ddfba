// SPDX-License-Identifier: MIT
//
// many.hpp: one statement for many rows on its way to the work, in which it is prepared once and
// run row by row.
//
// Called by: many.cpp, insert.cpp. Threads: take the host's, run_rows where the work runs.
#pragma once

#include "backends/mysql/request.hpp"

#include <atomic>
#include <memory>
#include <vector>

namespace weir::mysql {

// Written by the job, read by the call, also by one that left the job behind.
struct Progress {
  std::atomic<std::uint64_t> rows{0};
  std::atomic<std::uint64_t> affected{0};
};

struct Many {
  Request request;
  std::uint64_t row_count = 0;
  std::uint32_t param_count = 0;
  std::vector<Param> params;  // of all rows, one after the other
  std::shared_ptr<Progress> progress;

  // Copies `rows` rows of param_count cells.
  void take(const weir_cell* cells, std::uint64_t rows, std::uint32_t stride);
};

weir_status run_rows(Session& session, Many& many, Failure& failure);

}  // namespace weir::mysql
