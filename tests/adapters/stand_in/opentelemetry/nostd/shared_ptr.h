// SPDX-License-Identifier: MIT
//
// A stand-in: the few names of opentelemetry-cpp's API that weir/adapters/opentelemetry.hpp uses,
// with the shapes that they have there. Debian 12 has no package of it.
#pragma once

#include <memory>

namespace opentelemetry::nostd {
template <class T>
using shared_ptr = std::shared_ptr<T>;
}  // namespace opentelemetry::nostd
