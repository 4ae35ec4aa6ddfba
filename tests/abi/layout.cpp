// SPDX-License-Identifier: MIT
// The header and its layout as C++, where functions of the table are noexcept from C++17 on.
#include "tests/abi/layout.h"

#include <type_traits>

static_assert(std::is_standard_layout<weir_driver>::value, "a driver is plain data");
static_assert(std::is_trivial<weir_driver>::value, "a driver is plain data");
static_assert(std::is_trivial<weir_host>::value, "a host is plain data");
static_assert(std::is_trivial<weir_error>::value, "an error is plain data");
static_assert(std::is_trivial<weir_cell>::value, "a cell is plain data");

#if __cplusplus >= 201703L
// A driver that assigns a function which may throw does not compile.
using MayThrow = void (*)(weir_env*);
static_assert(!std::is_assignable<decltype((weir_driver::env_destroy)), MayThrow>::value,
              "functions of the table are noexcept");
#endif
