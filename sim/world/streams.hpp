// SPDX-License-Identifier: MIT
//
// streams.hpp: chance, keyed by who draws and what for. Two entities never share a generator, so a
// world without client 7 draws for client 8 what it drew before: without this, shrinking a failing
// world would shuffle it, and two policies could not be compared on the same arrivals.
//
// Called by: everything in sim/ that draws. Owns nothing. Threads: any; pure.
#pragma once

#include "core/base/random.hpp"

#include <cstdint>
#include <string_view>

namespace weir::sim {

// splitmix64's finaliser: every bit of the result depends on every bit of `z`.
constexpr std::uint64_t mixed(std::uint64_t z) noexcept {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

// FNV-1a: the same on every machine, which std::hash does not promise.
constexpr std::uint64_t hashed(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

// The generator of `entity` (a client's, a connection's number) for `purpose` ("service").
inline base::Random stream(std::uint64_t seed, std::uint64_t entity,
                           std::string_view purpose) noexcept {
  return base::Random(mixed(mixed(seed + 0x9e3779b97f4a7c15U) ^ entity) ^ hashed(purpose));
}

}  // namespace weir::sim
