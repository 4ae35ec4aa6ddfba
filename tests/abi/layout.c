/* SPDX-License-Identifier: MIT
 * The header and its layout as C11; a table of functions that a driver in C can write down. */
#include "tests/abi/layout.h"

typedef int layout_of_the_driver_abi_in_c;
