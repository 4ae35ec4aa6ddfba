// SPDX-License-Identifier: MIT
//
// WEIR_ASSERT: an invariant of ours that must hold in every build. A failure is a bug of Weir,
// never of a caller or a driver, and ends the process: a pool that has lost count of its
// connections must not go on lending them.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace weir::base {

// Told of a broken invariant before the process ends. The simulator sets it, once, before there is
// a second thread: it ends its world instead, keeps the schedule that led there, and does not
// return.
inline void (*assert_hook)(const char* expression, const char* file, int line) = nullptr;

[[noreturn]] inline void assert_failed(const char* expression, const char* file, int line) {
  if (assert_hook != nullptr) assert_hook(expression, file, line);
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
