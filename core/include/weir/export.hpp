// SPDX-License-Identifier: MIT
//
// WEIR_API marks what libweir exports; everything else is hidden.
#pragma once

#define WEIR_API __attribute__((visibility("default")))
