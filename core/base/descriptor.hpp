// SPDX-License-Identifier: MIT
//
// Descriptor: a file descriptor that is closed with its owner.
//
// Ignored: what close() says. Nobody writes to a file through one; a socket's other side learns of
// the close all the same.
#pragma once

#include <unistd.h>
#include <utility>

namespace weir {

class Descriptor {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int number) noexcept : number_(number) {}  // negative: none
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const noexcept { return number_; }

 private:
  int number_ = -1;
};

}  // namespace weir
