// SPDX-License-Identifier: MIT
//
// The instantiation that ships.
#include "core/runtime/basic_pool.hpp"
#include "core/runtime/os_runtime.hpp"

namespace weir::runtime {

template class BasicExecutor<OsRuntime>;
template class BasicHost<OsRuntime>;
template class BasicPool<OsRuntime>;

}  // namespace weir::runtime
