// SPDX-License-Identifier: MIT
//
// WEIR_ASSERT: an invariant of ours that must hold in every build. A failure is a bug of Weir,
// never of a caller or a driver, and ends the process: a pool that has lost count of its
// connections must not go on lending them.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace weir::base {

[[noreturn]] inline void assert_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr,
               "weir: %s:%d: broken invariant: %s\nThis is a bug of Weir, please report it.\n",
               file, line, expression);
  std::abort();
}

}  // namespace weir::base

#define WEIR_ASSERT(expression)        \
  (__builtin_expect(!!(expression), 1) \
       ? static_cast<void>(0)          \
       : ::weir::base::assert_failed(#expression, __FILE__, __LINE__))
