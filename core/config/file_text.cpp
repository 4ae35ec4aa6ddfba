// SPDX-License-Identifier: MIT
#include "core/config/file_text.hpp"

#include "core/base/descriptor.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace weir::config {
namespace {

tl::unexpected<std::string> because(int error) {
  if (error == ENOENT) return tl::unexpected<std::string>("does not exist");
  return tl::unexpected("cannot be read: " + std::generic_category().message(error));
}

}  // namespace

tl::expected<std::string, std::string> read_file_text(const std::string& path,
                                                      std::size_t bytes_max, Privacy privacy) {
  // The system would silently cut the name there.
  if (path.empty() || path.find('\0') != std::string::npos)
    return tl::unexpected<std::string>("is not a file's name");
  // Without O_NONBLOCK opening a FIFO waits for a writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return because(errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return because(errno);
  if (S_ISDIR(status.st_mode)) return tl::unexpected<std::string>("is a directory");
  if (!S_ISREG(status.st_mode)) return tl::unexpected<std::string>("is not a regular file");
  if (privacy == Privacy::owner_and_group && (status.st_mode & S_IROTH) != 0)
    return tl::unexpected<std::string>("can be read by every user of this machine");

  std::string text;
  std::string block(64 * 1024, '\0');
  for (;;) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return because(errno);
    if (got == 0) return text;
    text.append(block, 0, static_cast<std::size_t>(got));
    if (text.size() > bytes_max)
      return tl::unexpected(fmt::format("is larger than {} KiB", bytes_max / 1024));
  }
}

std::string absolute_path(const std::string& base, const std::string& path) {
  std::error_code ignored;  // without a working directory the path stays relative, and is named so
  const std::filesystem::path joined = std::filesystem::path(base) / path;
  const std::filesystem::path full = std::filesystem::absolute(joined, ignored);
  std::string text = (full.empty() ? joined : full).lexically_normal().string();
  if (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

}  // namespace weir::config
