// SPDX-License-Identifier: MIT
#include "sim/sqlite/faults.hpp"

#include "core/base/assert.hpp"

#include <utility>

namespace weir::sim {

bool can_happen(DiskFaultKind kind, DiskOp at) noexcept {
  switch (kind) {
    case DiskFaultKind::io_error:
      return true;
    case DiskFaultKind::full:
      return at == DiskOp::open || at == DiskOp::write;
    case DiskFaultKind::busy:
      return at == DiskOp::lock || at == DiskOp::shm_lock;
    case DiskFaultKind::short_read:
      return at == DiskOp::read;
    case DiskFaultKind::lie:
      return at == DiskOp::sync;
  }
  return false;
}

FaultPlan::FaultPlan(std::vector<DiskFault> faults)
    : faults_(std::move(faults)), seen_(faults_.size()) {
  for (const DiskFault& fault : faults_) WEIR_ASSERT(can_happen(fault.kind, fault.at));
}

bool FaultPlan::fits(std::size_t index, const Call& call) noexcept {
  const DiskFault& fault = faults_[index];
  if (fault.at != call.op || call.now < fault.from || call.now >= fault.until) return false;
  if (!call.file.ends_with(fault.file_suffix)) return false;
  return ++seen_[index] == fault.nth || fault.nth == 0;
}

}  // namespace weir::sim
