// SPDX-License-Identifier: MIT
//
// Between the members of a scenario and what a file says: for each type of a member, its FileValue
// and back. member<T, &T::a, &A::b> is the Access of t.a.b.
//
// Called by: scenario_keys.cpp. Pure.
#pragma once

#include "sim/explore/scenario_keys.hpp"

#include <concepts>
#include <type_traits>

namespace weir::sim {

inline std::optional<FileValue> number(std::int64_t n) { return FileValue{n, 0, {}, {}}; }

template <class T>
requires std::integral<T> || std::is_enum_v<T> std::optional<FileValue> load(const T& from) {
  return number(static_cast<std::int64_t>(from));
}
inline std::optional<FileValue> load(const double& from) { return FileValue{0, from, {}, {}}; }
inline std::optional<FileValue> load(const Duration& from) { return number(from.count()); }
inline std::optional<FileValue> load(const std::string& from) { return FileValue{0, 0, from, {}}; }
inline std::optional<FileValue> load(const Distribution& from) { return load(from.text()); }
inline std::optional<FileValue> load(const std::vector<std::string>& from) {
  return FileValue{0, 0, {}, from};
}
inline std::optional<FileValue> load(const std::optional<Duration>& from) {
  return from ? load(*from) : std::nullopt;
}
inline std::optional<FileValue> load(const std::vector<Deviation>& from) {
  FileValue value;
  for (const Deviation& deviation : from) value.list.push_back(to_string(deviation));
  return value;
}

template <class T>
requires std::integral<T> || std::is_enum_v<T>
void store(const FileValue& value, T& into) { into = static_cast<T>(value.number); }
inline void store(const FileValue& value, double& into) { into = value.real; }
inline void store(const FileValue& value, Duration& into) { into = Duration(value.number); }
inline void store(const FileValue& value, std::string& into) { into = value.text; }
inline void store(const FileValue& value, std::vector<std::string>& into) { into = value.list; }
inline void store(const FileValue& value, std::optional<Duration>& into) {
  into = Duration(value.number);
}
// The reader has tried that the text of these can be read.
inline void store(const FileValue& value, Distribution& into) {
  into = *Distribution::parse(value.text);
}
inline void store(const FileValue& value, std::vector<Deviation>& into) {
  into.assign(value.list.size(), {});
  for (std::size_t i = 0; i < into.size(); ++i) {
    static_cast<void>(parse(value.list[i], into[i]));
  }
}

template <class T, auto... Path>
constexpr Access member{
    [](const void* from) { return load((*static_cast<const T*>(from).*....*Path)); },
    [](void* into, const FileValue& value) { store(value, (*static_cast<T*>(into).*....*Path)); }};

}  // namespace weir::sim
