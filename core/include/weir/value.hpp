// SPDX-License-Identifier: MIT
//
// Values on their way to and from a database: what may be a parameter (to_cell) and how a result's
// cell is read (from_cell). Both sides are one 16-byte weir_cell; text and blobs are borrowed.
#pragma once

#include <weir/driver.h>
#include <weir/result.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace weir {

// Bytes as a parameter. Borrowed for the call.
struct Blob {
  std::span<const std::byte> bytes;
};

namespace detail {

constexpr weir_cell null_cell() noexcept { return weir_cell{{0}, 0, WEIR_T_NULL, 0}; }

inline weir_cell bytes_cell(const void* data, std::size_t size, std::uint16_t type) noexcept {
  // A value past 4 GiB does not fit a cell; the marker makes the driver refuse it.
  weir_cell cell = null_cell();
  cell.v.p = data;
  cell.size = static_cast<std::uint32_t>(
      std::min<std::size_t>(size, std::numeric_limits<std::uint32_t>::max()));
  cell.type = type;
  return cell;
}

inline weir_cell to_cell(std::nullptr_t) noexcept { return null_cell(); }
inline weir_cell to_cell(std::nullopt_t) noexcept { return null_cell(); }
template <class T>
inline constexpr bool is_character =
    std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
    std::same_as<T, char16_t> || std::same_as<T, char32_t>;
// What a cell holds without loss.
template <class T>
concept Number = std::integral<T> && !std::same_as<T, bool> && !is_character<T> &&
                 sizeof(T) <= sizeof(std::int64_t);
template <class T>
concept Float = std::floating_point<T> && sizeof(T) <= sizeof(double);

// The overloads are exact on purpose: a conversion would turn a pointer or an enum into `true`, and
// a path into a string that is gone before the call.
template <std::same_as<bool> T>
weir_cell to_cell(T value) noexcept {
  weir_cell cell = null_cell();
  cell.v.i = value ? 1 : 0;
  cell.type = WEIR_T_BOOL;
  return cell;
}
template <Number T>
weir_cell to_cell(T value) noexcept {
  weir_cell cell = null_cell();
  if constexpr (std::is_signed_v<T>) {
    cell.v.i = value;
    cell.type = WEIR_T_INT64;
  } else {
    cell.v.u = value;
    cell.type = WEIR_T_UINT64;
  }
  return cell;
}
template <Float T>
weir_cell to_cell(T value) noexcept {
  weir_cell cell = null_cell();
  cell.v.d = static_cast<double>(value);
  cell.type = WEIR_T_DOUBLE;
  return cell;
}
// Is 'A' a text or 65? Say std::string(1, c), or static_cast<int>(c).
template <class T>
requires is_character<T> weir_cell to_cell(T)
= delete;
inline weir_cell to_cell(std::string_view value) noexcept {
  return bytes_cell(value.data(), value.size(), WEIR_T_TEXT);
}
template <std::same_as<std::string> T>
weir_cell to_cell(const T& value) noexcept {
  return to_cell(std::string_view(value));
}
inline weir_cell to_cell(const char* value) noexcept {
  return value == nullptr ? null_cell() : to_cell(std::string_view(value));
}
inline weir_cell to_cell(Blob value) noexcept {
  return bytes_cell(value.bytes.data(), value.bytes.size(), WEIR_T_BLOB);
}
template <std::same_as<std::vector<std::byte>> T>
weir_cell to_cell(const T& value) noexcept {
  return to_cell(Blob{value});
}
template <class T>
weir_cell to_cell(const std::optional<T>& value) noexcept {
  return value ? to_cell(*value) : null_cell();
}

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

[[nodiscard]] inline bool has_bytes(const weir_cell& cell) noexcept {
  return cell.type >= WEIR_T_TEXT;
}

// The integer in the cell, if it has one that fits [lowest, highest].
[[nodiscard]] WEIR_API std::optional<std::int64_t> integer_in(const weir_cell& cell,
                                                              std::int64_t lowest,
                                                              std::int64_t highest) noexcept;
[[nodiscard]] WEIR_API std::optional<std::uint64_t> unsigned_in(const weir_cell& cell,
                                                                std::uint64_t highest) noexcept;

// The cell as T, or nothing if it is not one: NULL, unless T is a std::optional, another type, or
// out of T's range. Never converts between text and numbers; an integer reads as float or double if
// that loses nothing. A double reads as float, rounded: drivers give a column of floats as doubles.
template <class T>
[[nodiscard]] std::optional<T> from_cell(const weir_cell& cell) {
  if constexpr (is_optional<T>) {
    if (cell.type == WEIR_T_NULL) return T(std::nullopt);
    auto value = from_cell<typename T::value_type>(cell);
    return value ? std::optional<T>(*std::move(value)) : std::nullopt;
  } else if constexpr (std::is_same_v<T, bool>) {
    const auto i = integer_in(cell, 0, 1);
    return i ? std::optional<bool>(*i == 1) : std::nullopt;
  } else if constexpr (std::signed_integral<T>) {
    const auto i = integer_in(cell, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    return i ? std::optional<T>(static_cast<T>(*i)) : std::nullopt;
  } else if constexpr (std::unsigned_integral<T>) {
    const auto u = unsigned_in(cell, std::numeric_limits<T>::max());
    return u ? std::optional<T>(static_cast<T>(*u)) : std::nullopt;
  } else if constexpr (std::floating_point<T>) {
    if (cell.type == WEIR_T_DOUBLE) {
      const bool fits = sizeof(T) >= sizeof(double) || !std::isfinite(cell.v.d) ||
                        std::abs(cell.v.d) <= static_cast<double>(std::numeric_limits<T>::max());
      return fits ? std::optional<T>(static_cast<T>(cell.v.d)) : std::nullopt;
    }
    constexpr std::int64_t exact = std::int64_t{1} << std::min(std::numeric_limits<T>::digits, 62);
    const auto i = integer_in(cell, -exact, exact);
    return i ? std::optional<T>(static_cast<T>(*i)) : std::nullopt;
  } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>) {
    if (!has_bytes(cell)) return std::nullopt;
    return cell.size == 0 ? T() : T(static_cast<const char*>(cell.v.p), cell.size);
  } else if constexpr (std::is_same_v<T, std::vector<std::byte>>) {
    if (!has_bytes(cell)) return std::nullopt;
    const auto* bytes = static_cast<const std::byte*>(cell.v.p);
    return cell.size == 0 ? T() : T(bytes, bytes + cell.size);
  } else if constexpr (std::is_same_v<T, std::span<const std::byte>>) {
    if (!has_bytes(cell)) return std::nullopt;
    return T(static_cast<const std::byte*>(cell.v.p), cell.size);
  } else {
    static_assert(sizeof(T) == 0, "weir: a column cannot be read as this type");
  }
}

}  // namespace detail
}  // namespace weir
