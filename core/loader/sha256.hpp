// SPDX-License-Identifier: MIT
//
// SHA-256 as in FIPS 180-4, to compare a plugin with its pin. Written here because the alternative
// is a crypto library in every host, and in every process that loads a driver which brings its own.
//
// Threads: one object, one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace weir::loader {

class Sha256 {
 public:
  void add(std::span<const unsigned char> bytes) noexcept;

  // The digest as 64 lower-case hex digits. Ends the object's life: add nothing afterwards.
  [[nodiscard]] std::string finish();

 private:
  void transform(const unsigned char* block) noexcept;

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> block_{};
  std::size_t block_size_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace weir::loader
