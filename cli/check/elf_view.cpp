// SPDX-License-Identifier: MIT
#include "cli/check/elf_view.hpp"

#include <cstdint>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <link.h>
#include <optional>

#include <fmt/format.h>

namespace weir::check {
namespace {

using Header = ElfW(Ehdr);
using Section = ElfW(Shdr);
using Segment = ElfW(Phdr);
using Symbol = ElfW(Sym);
using Dynamic = ElfW(Dyn);
using Need = ElfW(Verneed);
using NeedAux = ElfW(Vernaux);

// A file in memory; every look is checked against its end.
class Bytes {
 public:
  explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}

  template <class T>
  [[nodiscard]] std::optional<T> at(std::uint64_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }
  // The text that starts there, up to its NUL or the end of the file.
  [[nodiscard]] std::string text(std::uint64_t offset) const {
    if (offset >= bytes_.size()) return {};
    const std::size_t end = bytes_.find('\0', offset);
    return bytes_.substr(offset, (end == std::string::npos ? bytes_.size() : end) - offset);
  }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(std::move(bytes)) {}

  tl::expected<ElfView, std::string> read() {
    const auto header = bytes_.at<Header>(0);
    if (!header) return tl::unexpected<std::string>("it has no ELF header");
    read_segments(*header);
    if (header->e_shnum == 0) {
      return tl::unexpected<std::string>(
          "it has no section headers, so its symbols cannot be listed; do not strip those");
    }
    for (unsigned i = 0; i < header->e_shnum; ++i) {
      const auto section = section_at(*header, i);
      if (!section) return tl::unexpected<std::string>("its section headers lie beyond its end");
      const auto strings = section_at(*header, section->sh_link);
      const std::uint64_t texts = strings ? strings->sh_offset : 0;
      if (section->sh_type == SHT_DYNSYM) read_symbols(*section, texts);
      if (section->sh_type == SHT_DYNAMIC) read_dynamic(*section, texts);
      if (section->sh_type == SHT_GNU_verneed) read_versions(*section, texts);
    }
    return std::move(view_);
  }

 private:
  [[nodiscard]] std::optional<Section> section_at(const Header& header, unsigned index) const {
    return bytes_.at<Section>(header.e_shoff + std::uint64_t{index} * header.e_shentsize);
  }

  void read_segments(const Header& header) {
    bool says_stack = false;
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      const auto segment =
          bytes_.at<Segment>(header.e_phoff + std::uint64_t{i} * header.e_phentsize);
      if (!segment) return;
      if (segment->p_type == PT_GNU_RELRO) view_.has_relro = true;
      if (segment->p_type == PT_GNU_STACK) {
        says_stack = true;
        view_.has_executable_stack = (segment->p_flags & PF_X) != 0;
      }
    }
    if (!says_stack) view_.has_executable_stack = true;  // what a loader makes of silence
  }

  void read_symbols(const Section& section, std::uint64_t texts) {
    for (std::uint64_t at = sizeof(Symbol); at < section.sh_size; at += sizeof(Symbol)) {
      const auto symbol = bytes_.at<Symbol>(section.sh_offset + at);
      if (!symbol || symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS) continue;
      if (ELF64_ST_BIND(symbol->st_info) == STB_LOCAL) continue;
      const unsigned visibility = ELF64_ST_VISIBILITY(symbol->st_other);
      if (visibility == STV_HIDDEN || visibility == STV_INTERNAL) continue;
      view_.exported.push_back(bytes_.text(texts + symbol->st_name));
    }
  }

  void read_dynamic(const Section& section, std::uint64_t texts) {
    for (std::uint64_t at = 0; at < section.sh_size; at += sizeof(Dynamic)) {
      const auto entry = bytes_.at<Dynamic>(section.sh_offset + at);
      if (!entry || entry->d_tag == DT_NULL) return;
      const std::uint64_t value = entry->d_un.d_val;
      switch (entry->d_tag) {
        case DT_NEEDED:
          view_.needed.push_back(bytes_.text(texts + value));
          break;
        case DT_RPATH:
        case DT_RUNPATH:
          split(bytes_.text(texts + value), view_.runpath);
          break;
        case DT_TEXTREL:
          view_.has_text_relocations = true;
          break;
        case DT_BIND_NOW:
          view_.binds_now = true;
          break;
        case DT_FLAGS:
          view_.has_text_relocations |= (value & DF_TEXTREL) != 0;
          view_.has_static_tls |= (value & DF_STATIC_TLS) != 0;
          view_.binds_now |= (value & DF_BIND_NOW) != 0;
          break;
        case DT_FLAGS_1:
          view_.binds_now |= (value & DF_1_NOW) != 0;
          break;
        default:
          break;
      }
    }
  }

  static void split(const std::string& path, std::vector<std::string>& to) {
    for (std::size_t at = 0; at <= path.size();) {
      const std::size_t end = std::min(path.find(':', at), path.size());
      to.push_back(path.substr(at, end - at));
      at = end + 1;
    }
  }

  void read_versions(const Section& section, std::uint64_t texts) {
    std::uint64_t at = section.sh_offset;
    for (unsigned i = 0; i < section.sh_info; ++i) {
      const auto need = bytes_.at<Need>(at);
      if (!need) return;
      std::uint64_t aux_at = at + need->vn_aux;
      for (unsigned j = 0; j < need->vn_cnt; ++j) {
        const auto aux = bytes_.at<NeedAux>(aux_at);
        if (!aux) return;
        view_.versions.push_back(fmt::format("{} {}", bytes_.text(texts + need->vn_file),
                                             bytes_.text(texts + aux->vna_name)));
        aux_at += aux->vna_next;
      }
      at += need->vn_next;
    }
  }

  Bytes bytes_;
  ElfView view_;
};

}  // namespace

tl::expected<ElfView, std::string> ElfView::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return tl::unexpected<std::string>("it cannot be read");
  return Reader(Bytes({std::istreambuf_iterator<char>(file), {}})).read();
}

}  // namespace weir::check
