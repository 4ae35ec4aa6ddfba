// SPDX-License-Identifier: MIT
//
// What fork() does beside copying the process. Threads: any.
#pragma once

namespace weir::runtime {

// Has each fork() call these from then on, the last one in the child, where it may call no more
// than a signal handler may. Returns: false for want of memory.
bool at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept;

}  // namespace weir::runtime
