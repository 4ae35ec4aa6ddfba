// SPDX-License-Identifier: MIT
//
// Result<T>: a T or an Error. It is tl::expected (std::expected arrives with C++23), so everything
// that is known about expected holds: operator bool, *, ->, value_or, and_then, map.
#pragma once

#include <weir/error.hpp>

#include <stdexcept>
#include <utility>

#include <tl/expected.hpp>

namespace weir {

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}
[[nodiscard]] inline tl::unexpected<Error> fail(Code code, std::string message) {
  return fail(Error(code, std::move(message)));
}

// For hosts that prefer exceptions: or_throw(pool.acquire()).
class Exception : public std::runtime_error {
 public:
  explicit Exception(Error error) : std::runtime_error(error.what()), error_(std::move(error)) {}
  [[nodiscard]] const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

template <class T>
T or_throw(Result<T> result) {
  if (!result) throw Exception(std::move(result).error());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace weir
