// SPDX-License-Identifier: MIT
//
// elf_view.hpp: what a library's ELF file says about itself, read as bytes: nothing of it runs.
//
// Called by: the rules of level 0. The loader's own look (core/loader/elf.hpp) comes first and
// makes sure that the file is whole; this one reads the tables behind the headers. Threads:   any;
// constant once read.
#pragma once

#include <weir/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::check {

struct ElfView {
  // The error is a sentence.
  static tl::expected<ElfView, std::string> read(const std::string& path);

  std::vector<std::string> exported;  // names of defined, visible dynamic symbols
  std::vector<std::string> needed;    // DT_NEEDED
  std::vector<std::string> versions;  // required of them: "libc.so.6 GLIBC_2.34"
  std::vector<std::string> runpath;   // entries of DT_RUNPATH and DT_RPATH
  bool has_text_relocations = false;
  bool has_executable_stack = false;
  bool has_static_tls = false;
  bool has_relro = false;
  bool binds_now = false;
};

}  // namespace weir::check
