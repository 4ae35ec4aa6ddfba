// SPDX-License-Identifier: MIT
//
// What a function of the host's has thrown, as text for an error or a log line.
//
// Called by: those that ask hooks and middleware, in their catch (...).
#pragma once

#include <exception>
#include <string>

namespace weir::runtime {

// Requires: an exception is being handled.
[[nodiscard]] inline std::string text_of_exception() {
  try {
    throw;
  } catch (const std::exception& thrown) {
    return thrown.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

}  // namespace weir::runtime
