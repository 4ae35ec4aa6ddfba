// SPDX-License-Identifier: MIT
#include "core/loader/library.hpp"

#include "core/loader/elf.hpp"
#include "core/loader/entry.hpp"
#include "core/loader/probe.hpp"
#include "core/loader/sha256.hpp"
#include "core/loader/text.hpp"
#include "core/loader/trust.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace weir::loader {

namespace {

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U  // Linux 6.3; older kernels answer EINVAL and need no flag
#endif
constexpr int all_seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

std::string fd_path(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

// The name in the memory file's link: it carries the hash, so that one process does not load the
// same pinned library twice, and so that people see in /proc/PID/maps what it is.
std::string memory_name(std::string_view sha256) { return fmt::format("weir-plugin-{}", sha256); }

bool is_sha256(std::string_view text) noexcept {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// A sealed copy of the file. Not open: `problem` says why.
File sealed_copy(const File& from, std::string_view sha256, std::string& actual,
                 std::string& problem) {
  const std::string name = memory_name(sha256);
  int fd = ::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  if (fd < 0 && errno == EINVAL) {
    fd = ::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
  }
  File copy(fd);
  if (!copy.is_open()) problem = errno_text(errno);

  Sha256 hash;
  std::array<unsigned char, 16384> block{};
  off_t at = 0;
  while (true) {
    const ssize_t size = ::pread(from.fd(), block.data(), block.size(), at);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) problem = errno_text(errno);
    if (size <= 0) break;
    const auto count = static_cast<std::size_t>(size);
    hash.add({block.data(), count});
    if (copy.is_open() && ::pwrite(copy.fd(), block.data(), count, at) != size) {
      problem = errno_text(errno);
      copy = File();
    }
    at += size;
  }
  actual = hash.finish();
  if (copy.is_open() && ::fcntl(copy.fd(), F_ADD_SEALS, all_seals) != 0) {
    problem = errno_text(errno);
    copy = File();
  }
  return copy;
}

// The path under which a sealed copy with this hash was loaded earlier; empty if none was.
std::string find_sealed(std::string_view sha256) {
  struct Search {
    std::string link;
    std::string found;
  } search{fmt::format("/memfd:{} (deleted)", memory_name(sha256)), {}};
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        auto& wanted = *static_cast<Search*>(data);
        const std::string_view name = info->dlpi_name;
        constexpr std::string_view prefix = "/proc/self/fd/";
        if (name.substr(0, prefix.size()) != prefix) return 0;
        std::array<char, 256> link{};
        const ssize_t size = ::readlink(info->dlpi_name, link.data(), link.size());
        if (size < 0 ||
            std::string_view(link.data(), static_cast<std::size_t>(size)) != wanted.link) {
          return 0;
        }
        wanted.found = info->dlpi_name;
        return 1;
      },
      &search);
  return search.found;
}

std::string seconds_text(Duration duration) {
  return fmt::format("{:g} s", std::chrono::duration<double>(duration).count());
}

// One file that has passed everything that can be known without running it.
class Candidate {
 public:
  Candidate(CheckedFile file, const Surroundings& around)
      : file_(std::move(file)), around_(around), where_(one_line(file_.path, 4096)) {}

  Result<OpenedLibrary> open(const LibraryRules& rules);

 private:
  Result<OpenedLibrary> open_pinned(const LibraryRules& rules);
  Result<OpenedLibrary> open_copy(File copy, std::string problem);
  Result<void*> load_by_path();
  // The trial of `path`; with fd >= 0, path names that descriptor.
  Result<void> try_first(const std::string& path, int fd);
  Result<OpenedLibrary> finish(void* library);

  CheckedFile file_;
  const Surroundings& around_;
  std::string where_;
  std::string sha256_;
  bool probed_ = false;
  std::vector<std::string> notes_;
};

Result<OpenedLibrary> Candidate::open(const LibraryRules& rules) {
  if (!file_.relaxed.empty()) {
    notes_.push_back(fmt::format("{} is loaded although {}: strict_permissions is false", where_,
                                 file_.relaxed));
  }
  if (!rules.sha256.empty()) return open_pinned(rules);
  if (auto ok = check_elf(file_.file.fd(), file_.size, where_); !ok) {
    return fail(std::move(ok).error());
  }
  auto library = load_by_path();
  if (!library) return fail(std::move(library).error());
  return finish(*library);
}

Result<OpenedLibrary> Candidate::open_pinned(const LibraryRules& rules) {
  const std::string expected = lower_case(rules.sha256);
  if (!is_sha256(expected)) {
    return fail(Code::driver_untrusted,
                fmt::format("{} is not loaded: the sha256 in {} is \"{}\", 64 hex digits expected",
                            where_, rules.pinned_by, one_line(rules.sha256, 80)));
  }
  std::string problem;
  File copy = sealed_copy(file_.file, expected, sha256_, problem);
  if (sha256_ != expected) {
    return fail(Code::driver_untrusted,
                fmt::format("{} is not the file that was pinned: its sha256 is\n  {}, {} says\n  {}"
                            "; if the file is the right one, correct the pin",
                            where_, sha256_, rules.pinned_by, expected));
  }
  const int fd = copy.is_open() ? copy.fd() : file_.file.fd();
  if (auto ok = check_elf(fd, file_.size, where_); !ok) return fail(std::move(ok).error());
  if (const std::string loaded = find_sealed(sha256_); !loaded.empty()) {
    if (void* library = find_library(loaded)) return finish(library);
  }
  return open_copy(std::move(copy), std::move(problem));
}

Result<OpenedLibrary> Candidate::open_copy(File copy, std::string problem) {
  if (copy.is_open()) {
    const std::string path = fd_path(copy.fd());
    if (auto ok = try_first(path, copy.fd()); !ok) return fail(std::move(ok).error());
    auto library = open_library(path, where_);
    if (library) {
      copy.leak();
      return finish(*library);
    }
    problem = library.error().message();
  }
  if (!file_.relaxed.empty()) {
    return fail(Code::driver_untrusted,
                fmt::format("{} is pinned but cannot be loaded from a sealed copy ({}), and by its "
                            "path it is not safe: {}",
                            where_, problem, file_.relaxed));
  }
  notes_.push_back(
      fmt::format("{} has the pinned sha256, but was loaded by its path, because a "
                  "sealed copy could not be: {}",
                  where_, problem));
  auto library = load_by_path();
  if (!library) return fail(std::move(library).error());
  return finish(*library);
}

Result<void> Candidate::try_first(const std::string& path, int fd) {
  if (around_.probe_program.empty()) {
    notes_.push_back(
        fmt::format("{} is loaded without a trial: weir-probe is not installed", where_));
    return {};
  }
  const Verdict verdict = try_library(around_.probe_program, path, fd, around_.probe_timeout);
  std::string wrote;
  if (!verdict.output.empty()) wrote = fmt::format("; it wrote: {}", verdict.output);
  switch (verdict.trial) {
    case Trial::passed:
      probed_ = true;
      break;
    case Trial::refused:
      break;  // loading it here gives the same error, with our words
    case Trial::skipped:
      notes_.push_back(fmt::format("{} is loaded without a trial: {}", where_, verdict.detail));
      break;
    case Trial::died:
      return fail(Code::driver_unloadable,
                  fmt::format("{} crashes when it is loaded, so it was not: on trial, in a process "
                              "of its own, it died {}{}",
                              where_, verdict.detail, wrote));
    case Trial::hung:
      return fail(Code::driver_unloadable,
                  fmt::format("{} hangs when it is loaded, so it was not: on trial, in a process "
                              "of its own, it did not come back within {}{}",
                              where_, seconds_text(around_.probe_timeout), wrote));
  }
  return {};
}

Result<void*> Candidate::load_by_path() {
  if (void* library = find_library(file_.path)) return library;
  if (auto ok = try_first(file_.path, -1); !ok) return fail(std::move(ok).error());
  return open_library(file_.path, where_);
}

Result<OpenedLibrary> Candidate::finish(void* library) {
  auto table = enter(library, where_);
  if (!table) return fail(std::move(table).error());
  return OpenedLibrary{*std::move(table), file_.path, sha256_, probed_, std::move(notes_)};
}

}  // namespace

Result<std::optional<OpenedLibrary>> open_plugin(const std::string& path, const LibraryRules& rules,
                                                 const Surroundings& around, std::string& reason) {
  auto file = open_checked(path, rules.strict, &reason);
  if (!file) return fail(std::move(file).error());
  if (!file->has_value()) return std::nullopt;
  return Candidate(**std::move(file), around).open(rules);
}

}  // namespace weir::loader
