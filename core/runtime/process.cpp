// SPDX-License-Identifier: MIT
#include "core/runtime/process.hpp"

namespace weir::runtime {

Error forked_error() {
  return {Code::forked,
          "this pool was opened by the parent process, and its connections are still the parent's; "
          "open the pools after fork()"};
}

}  // namespace weir::runtime
