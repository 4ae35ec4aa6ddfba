// SPDX-License-Identifier: MIT
#include "sim/explore/build_id.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <elf.h>
#include <link.h>
#include <span>

#include <fmt/format.h>

namespace weir::sim {
namespace {

constexpr std::size_t bytes_shown = 8;

bool holds(const dl_phdr_info& object, std::uintptr_t address) {
  for (const ElfW(Phdr) & part : std::span(object.dlpi_phdr, object.dlpi_phnum)) {
    const std::uintptr_t begin = object.dlpi_addr + part.p_vaddr;
    if (part.p_type == PT_LOAD && address >= begin && address - begin < part.p_memsz) return true;
  }
  return false;
}

// A segment of notes: headers, each with a name and a description, both padded to four bytes.
std::string id_among(std::span<const unsigned char> notes) {
  const auto padded = [](std::size_t size) { return (size + 3) / 4 * 4; };
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) head;
    std::memcpy(&head, notes.data(), sizeof head);
    notes = notes.subspan(sizeof head);
    if (padded(head.n_namesz) + padded(head.n_descsz) > notes.size()) return {};
    const auto text = notes.subspan(padded(head.n_namesz));
    if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == sizeof ELF_NOTE_GNU &&
        std::memcmp(notes.data(), ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0) {
      std::string id;
      for (const unsigned char byte : text.first(std::min<std::size_t>(head.n_descsz, bytes_shown)))
        id += fmt::format("{:02x}", byte);
      return id;
    }
    notes = text.subspan(padded(head.n_descsz));
  }
  return {};
}

std::string find_id() {
  std::string id;
  ::dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* out) {
        if (!holds(*object, reinterpret_cast<std::uintptr_t>(&find_id))) return 0;
        for (const ElfW(Phdr) & part : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
          if (part.p_type != PT_NOTE) continue;
          const auto* notes =
              reinterpret_cast<const unsigned char*>(object->dlpi_addr + part.p_vaddr);
          auto& found = *static_cast<std::string*>(out);
          if (found.empty()) found = id_among({notes, part.p_memsz});
        }
        return 1;
      },
      &id);
  return id.empty() ? "unknown" : id;
}

}  // namespace

const std::string& build_id() {
  static const std::string id = find_id();
  return id;
}

}  // namespace weir::sim
