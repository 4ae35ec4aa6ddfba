// SPDX-License-Identifier: MIT
//
// Trust: may the code in this file run in our process? Whoever can write the file, or a directory
// on the way to it, owns the process; the checks keep out *other* users and accidents.
//
// Called by the loader for each manifest, library and helper program before it is read or run. It
// never runs anything. The rules, after every symbolic link is resolved:
//   the file          regular; owned by root or by the user we run as; not writable by group or
//                     others
//   each directory    the same; a directory above the file's own may be writable if it is sticky
//                     (/tmp), since what is below it is then checked to be ours
//   strict = false    ownership and modes are noted instead of refused
// The check of a path can be used later without a race, because only root and ourselves could have
// changed anything in between; that does not hold with strict = false.
//
// Threads: any; no state.
#pragma once

#include <weir/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>

namespace weir::loader {

// An open descriptor, closed by the destructor.
class File {
 public:
  File() = default;
  explicit File(int fd) noexcept : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File();

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  // Leaves it open for the life of the process.
  int leak() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

struct CheckedFile {
  File file;
  std::string path;  // real: absolute, without links
  std::uint64_t size = 0;
  mode_t mode = 0;
  std::string relaxed;  // what strict would have refused; empty if nothing
};

// Opens a file for reading after the checks.
// Returns: nothing if there is no such file, or no directory on the way, or no permission to look.
// Errors: driver_untrusted for owner and mode, driver_unloadable for what is no regular file or
// cannot be read. `reason`, if given, receives why there was nothing.
[[nodiscard]] Result<std::optional<CheckedFile>> open_checked(const std::string& path, bool strict,
                                                              std::string* reason = nullptr);

// Reads everything, at most size_max bytes; nothing if there is more or reading fails.
[[nodiscard]] std::optional<std::string> read_all(const File& file, std::size_t size_max);

// Was this process given rights that its user does not have (set-uid, file capabilities)? Then the
// environment is not to be believed.
[[nodiscard]] bool is_privileged() noexcept;

// The text of an errno value.
[[nodiscard]] std::string errno_text(int number);

}  // namespace weir::loader
