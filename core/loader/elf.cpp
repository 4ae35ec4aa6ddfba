// SPDX-License-Identifier: MIT
#include "core/loader/elf.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <fmt/format.h>

namespace weir::loader {

namespace {

#if defined(__x86_64__)
constexpr unsigned native_machine = EM_X86_64;
constexpr std::string_view native_name = "x86_64";
#elif defined(__aarch64__)
constexpr unsigned native_machine = EM_AARCH64;
constexpr std::string_view native_name = "aarch64";
#elif defined(__riscv) && __riscv_xlen == 64
constexpr unsigned native_machine = EM_RISCV;
constexpr std::string_view native_name = "riscv64";
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
constexpr unsigned native_machine = EM_PPC64;
constexpr std::string_view native_name = "ppc64le";
#elif defined(__s390x__)
constexpr unsigned native_machine = EM_S390;
constexpr std::string_view native_name = "s390x";
#elif defined(__arm__)
constexpr unsigned native_machine = EM_ARM;
constexpr std::string_view native_name = "arm";
#elif defined(__i386__)
constexpr unsigned native_machine = EM_386;
constexpr std::string_view native_name = "i686";
#else
#error "name this processor here: its e_machine in <elf.h> and its word in manifests"
#endif

constexpr unsigned native_class = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
constexpr unsigned native_data =
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

std::string machine_name(unsigned machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86_64";
    case EM_AARCH64:
      return "aarch64";
    case EM_386:
      return "i386";
    case EM_ARM:
      return "arm";
    case EM_RISCV:
      return "riscv";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390";
    default:
      return fmt::format("machine {}", machine);
  }
}

tl::unexpected<Error> unloadable(std::string_view path, std::string_view what) {
  return fail(Code::driver_unloadable, fmt::format("{} {}", path, what));
}

bool read_at(int fd, std::uint64_t offset, void* to, std::size_t size) noexcept {
  return ::pread(fd, to, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

// Does [offset, offset + size) end beyond the file?
bool is_outside(std::uint64_t offset, std::uint64_t size, std::uint64_t file_size) noexcept {
  return offset > file_size || size > file_size - offset;
}

Result<void> check_header(const ElfW(Ehdr) & header, std::string_view path) {
  if (header.e_ident[EI_CLASS] != native_class) {
    return unloadable(
        path, fmt::format("is a {}-bit library; this process is {}-bit",
                          header.e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32, 8 * sizeof(void*)));
  }
  if (header.e_ident[EI_DATA] != native_data || header.e_machine != native_machine) {
    return unloadable(path, fmt::format("was built for another processor ({}); this is {}",
                                        machine_name(header.e_machine), native_name));
  }
  if (header.e_type != ET_DYN) {
    return unloadable(path, header.e_type == ET_EXEC  ? "is a program, not a shared library"
                            : header.e_type == ET_REL ? "is an object file, not a shared library"
                                                      : "is no shared library");
  }
  return {};
}

}  // namespace

Result<void> check_elf(int fd, std::uint64_t size, std::string_view path) {
  if (size == 0) return unloadable(path, "is empty");
  std::array<unsigned char, SELFMAG> magic{};
  if (!read_at(fd, 0, magic.data(), magic.size()) ||
      std::memcmp(magic.data(), ELFMAG, SELFMAG) != 0) {
    return unloadable(path, "is no shared library (it does not start as an ELF file)");
  }
  ElfW(Ehdr) header{};
  if (size < sizeof header || !read_at(fd, 0, &header, sizeof header)) {
    return unloadable(path, fmt::format("is truncated: {} bytes do not hold an ELF header", size));
  }
  if (auto ok = check_header(header, path); !ok) return ok;

  if (header.e_phnum == 0 || header.e_phentsize != sizeof(ElfW(Phdr))) {
    return unloadable(path, "is damaged: its ELF header describes no segments");
  }
  const std::uint64_t table_size = std::uint64_t{header.e_phnum} * header.e_phentsize;
  if (is_outside(header.e_phoff, table_size, size)) {
    return unloadable(path, fmt::format("is truncated: its segment table lies beyond its end "
                                        "({} bytes)",
                                        size));
  }
  bool has_dynamic = false;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment{};
    if (!read_at(fd, header.e_phoff + i * sizeof segment, &segment, sizeof segment)) {
      return unloadable(path, "cannot be read");
    }
    has_dynamic |= segment.p_type == PT_DYNAMIC;
    if (is_outside(segment.p_offset, segment.p_filesz, size)) {
      return unloadable(
          path, fmt::format("is truncated: segment {} ends at byte {}, the file at byte {}", i,
                            segment.p_offset + segment.p_filesz, size));
    }
  }
  if (!has_dynamic) return unloadable(path, "is no shared library (it has no dynamic section)");
  return {};
}

std::string platform() {
#if defined(__GLIBC__)
  return fmt::format("linux-{}-gnu", native_name);
#else
  return fmt::format("linux-{}-musl", native_name);
#endif
}

}  // namespace weir::loader
