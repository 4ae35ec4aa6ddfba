// SPDX-License-Identifier: MIT
//
// A stand-in, see shared_ptr.h. A type of its own, as it is where the API is built without the
// standard library's.
#pragma once

#include <cstddef>
#include <string>

namespace opentelemetry::nostd {

class string_view {
 public:
  string_view(const char* text) : text_(text) {}  // NOLINT: implicit there, too
  string_view(const char* data, std::size_t size) : text_(data, size) {}
  [[nodiscard]] const std::string& kept() const { return text_; }

 private:
  std::string text_;
};

}  // namespace opentelemetry::nostd
