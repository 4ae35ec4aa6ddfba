// SPDX-License-Identifier: MIT
//
// Goal: no file makes dlopen kill the process, and each refusal says what the file is. Method: take
// the good plugin and cut or change it; the headers of every cut are looked at, and the shortest
// cut that passes is really loaded.
#include "core/loader/elf.hpp"

#include "core/loader/trust.hpp"
#include "tests/loader/support.hpp"

#include <cstring>
#include <elf.h>
#include <random>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::loader {
namespace {

using test::TempDir;
using testing::HasSubstr;
using testing::StartsWith;

std::string problem_of(const TempDir& dir, std::string_view bytes) {
  const std::string path = dir.write("changed.so", bytes);
  auto file = open_checked(path, true);
  if (!file || !*file) return "cannot be opened";
  auto ok = check_elf((*file)->file.fd(), (*file)->size, path);
  if (ok) return "";
  EXPECT_EQ(ok.error().code(), Code::driver_unloadable);
  EXPECT_THAT(ok.error().message(), StartsWith(path));
  return ok.error().message();
}

TEST(Elf, accepts_a_shared_library) {
  const TempDir dir;
  EXPECT_EQ(problem_of(dir, test::read_file(test::zoo_path("good"))), "");
}

TEST(Elf, says_what_the_file_is_instead) {
  const TempDir dir;
  EXPECT_THAT(problem_of(dir, ""), HasSubstr("is empty"));
  EXPECT_THAT(problem_of(dir, "\x7f"), HasSubstr("no shared library"));
  EXPECT_THAT(problem_of(dir, "#!/bin/sh\necho not a plugin\n"), HasSubstr("no shared library"));
  EXPECT_THAT(problem_of(dir, "!<arch>\nan archive"), HasSubstr("no shared library"));
  EXPECT_THAT(problem_of(dir,
                         "\x7f"
                         "ELF"),
              HasSubstr("truncated"));
}

TEST(Elf, refuses_other_machines_and_kinds_of_file) {
  const TempDir dir;
  const std::string good = test::read_file(test::zoo_path("good"));
  std::string other = good;
  other[EI_CLASS] = other[EI_CLASS] == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64;
  EXPECT_THAT(problem_of(dir, other), HasSubstr("-bit library; this process is"));

  const auto with_half = [&](std::size_t at, std::uint16_t value) {
    std::string changed = good;
    std::memcpy(changed.data() + at, &value, sizeof value);
    return changed;
  };
  const std::uint16_t foreign = sizeof(void*) == 8 ? EM_S390 : EM_SPARC;
  EXPECT_THAT(problem_of(dir, with_half(offsetof(Elf64_Ehdr, e_machine), foreign)),
              HasSubstr("another processor"));
  EXPECT_THAT(problem_of(dir, with_half(offsetof(Elf64_Ehdr, e_type), ET_EXEC)),
              HasSubstr("a program, not"));
  EXPECT_THAT(problem_of(dir, with_half(offsetof(Elf64_Ehdr, e_type), ET_REL)),
              HasSubstr("an object file"));
  EXPECT_THAT(problem_of(dir, with_half(offsetof(Elf64_Ehdr, e_phnum), 0)),
              HasSubstr("no segments"));
}

TEST(Elf, a_file_cut_anywhere_is_refused_or_loads) {
  const TempDir dir;
  const std::string good = test::read_file(test::zoo_path("good"));
  std::size_t shortest = good.size();
  for (std::size_t size = 0; size < good.size(); size += size < 1024 ? 64 : 512) {
    const std::string problem = problem_of(dir, std::string_view(good).substr(0, size));
    if (problem.empty()) {
      shortest = std::min(shortest, size);
    } else {
      EXPECT_EQ(shortest, good.size()) << "a longer file is refused: " << problem;
      if (size > sizeof(Elf64_Ehdr)) {
        EXPECT_THAT(problem, HasSubstr("is truncated"));
      }
    }
  }
  ASSERT_LT(shortest, good.size()) << "section headers are at the end and not needed";
  dir.write("plugin.so", std::string_view(good).substr(0, shortest));
  dir.write("minimal.toml", test::manifest_text());
  EXPECT_THAT(test::load_outcome(test::search_in(dir.path())), StartsWith("ok "));
}

TEST(Elf, survives_headers_of_any_content) {
  const std::string start = test::read_file(test::zoo_path("good")).substr(0, 4096);
  const File file(::memfd_create("weir-test-elf", MFD_CLOEXEC));
  ASSERT_TRUE(file.is_open());
  std::mt19937 random(20240501);
  for (int round = 0; round < 5000; ++round) {
    std::string changed(start);
    for (int i = 0; i < 8; ++i) {
      const std::size_t at = EI_NIDENT + random() % 512;
      changed[at] = static_cast<char>(random());
    }
    ASSERT_EQ(::pwrite(file.fd(), changed.data(), changed.size(), 0), 4096);
    (void)check_elf(file.fd(), changed.size(), "x");  // no crash, no sanitizer report
  }
}

TEST(Elf, names_the_platform_as_manifests_do) {
  EXPECT_THAT(platform(), StartsWith("linux-"));
#if defined(__x86_64__) && defined(__GLIBC__)
  EXPECT_EQ(platform(), "linux-x86_64-gnu");
#endif
}

}  // namespace
}  // namespace weir::loader
