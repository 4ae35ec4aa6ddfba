// SPDX-License-Identifier: MIT
//
// A weir_error with room for its text, as a driver call wants it.
#pragma once

#include <weir/driver.h>

namespace weir::runtime {

struct ErrorBuffer {
  ErrorBuffer() noexcept {
    raw.struct_size = sizeof raw;
    raw.text = text;
    raw.text_capacity = sizeof text;
  }
  ErrorBuffer(const ErrorBuffer&) = delete;
  ErrorBuffer& operator=(const ErrorBuffer&) = delete;

  weir_error raw{};
  char text[1024];
};

}  // namespace weir::runtime
