// SPDX-License-Identifier: MIT
#include "core/loader/trust.hpp"

#include "core/loader/text.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace weir::loader {

namespace {

// Who could have changed it, besides root and us? Empty: nobody.
std::string weakness(const struct stat& status) {
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
    const uid_t self = ::geteuid();
    return fmt::format("belongs to user {}, not to root{}", status.st_uid,
                       self == 0 ? std::string() : fmt::format(" or to user {}", self));
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fmt::format("can be written by {} (mode {:04o})",
                       (status.st_mode & S_IWOTH) != 0 ? "every user" : "its group",
                       status.st_mode & 07777U);
  }
  return {};
}

std::string advice(const struct stat& status, std::string_view path) {
  const bool foreign = status.st_uid != 0 && status.st_uid != ::geteuid();
  return fmt::format("{} {}, or set [drivers] strict_permissions = false",
                     foreign ? "chown root" : "chmod go-w", path);
}

// Looks at each directory above `path`, which is real. Empty: all are safe.
std::string weak_directory(const std::string& path) {
  std::size_t end = path.rfind('/');
  for (bool own = true;; own = false) {
    const std::string directory = end == 0 ? "/" : path.substr(0, end);
    struct stat status {};
    if (::lstat(directory.c_str(), &status) != 0) {
      return fmt::format("its directory {} cannot be examined: {}", directory, errno_text(errno));
    }
    const bool sticky_above = !own && (status.st_mode & S_ISVTX) != 0 &&
                              (status.st_uid == 0 || status.st_uid == ::geteuid());
    if (!sticky_above) {
      if (const std::string found = weakness(status); !found.empty()) {
        return fmt::format("its directory {} {}; {}", directory, found, advice(status, directory));
      }
    }
    if (end == 0) return {};
    end = path.rfind('/', end - 1);
  }
}

const char* kind_of(mode_t mode) noexcept {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "no regular file";
}

}  // namespace

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

std::string errno_text(int number) {
  return std::error_code(number, std::generic_category()).message();
}

Result<std::optional<CheckedFile>> open_checked(const std::string& path, bool strict,
                                                std::string* reason) {
  const auto nothing = [&](int number) {
    if (reason != nullptr) {
      *reason = number == ENOENT ? "no such file" : errno_text(number);
    }
    return std::optional<CheckedFile>();
  };
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (!real) return nothing(errno);

  CheckedFile checked;
  checked.path = real.get();
  const std::string shown = one_line(checked.path, 4096);
  struct stat status {};
  if (::lstat(checked.path.c_str(), &status) != 0) return nothing(errno);
  if (!S_ISREG(status.st_mode)) {
    return fail(Code::driver_unloadable,
                fmt::format("{} is {}, not a file", shown, kind_of(status.st_mode)));
  }
  // Non-blocking, so that a pipe that took the file's place cannot hang us.
  checked.file = File(::open(checked.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (!checked.file.is_open()) {
    return fail(Code::driver_unloadable,
                fmt::format("{} cannot be read: {}", shown, errno_text(errno)));
  }
  if (::fstat(checked.file.fd(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return fail(Code::driver_unloadable, fmt::format("{} is no regular file", shown));
  }
  checked.size = static_cast<std::uint64_t>(status.st_size);
  checked.mode = status.st_mode;

  std::string problem = weakness(status);
  if (!problem.empty()) {
    problem = fmt::format("it {}; {}", problem, advice(status, shown));
  } else {
    problem = weak_directory(checked.path);
  }
  if (!problem.empty() && strict) {
    return fail(Code::driver_untrusted, fmt::format("{} is not trusted: {}", shown, problem));
  }
  checked.relaxed = std::move(problem);
  return checked;
}

std::optional<std::string> read_all(const File& file, std::size_t size_max) {
  std::string text;
  char block[4096];
  while (true) {
    const ssize_t size = ::pread(file.fd(), block, sizeof block, static_cast<off_t>(text.size()));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::nullopt;
    if (size == 0) return text;
    text.append(block, static_cast<std::size_t>(size));
    if (text.size() > size_max) return std::nullopt;
  }
}

bool is_privileged() noexcept {
  return ::getauxval(AT_SECURE) != 0 || ::geteuid() != ::getuid() || ::getegid() != ::getgid();
}

}  // namespace weir::loader
