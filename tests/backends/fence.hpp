// SPDX-License-Identifier: MIT
//
// fence.hpp: the fences of the conformance kit, under the names that the tests of backends use.
#pragma once

#include "cli/check/fence.hpp"

namespace weir::test {

using check::Fence;
using check::Fenced;
using check::FencedText;
using check::for_each_size;

}  // namespace weir::test
