// SPDX-License-Identifier: MIT
#include "backends/common/entry.h"

#include "backends/common/abi.hpp"

#include <charconv>

namespace {

// "1.0"; two small numbers never fill the buffer.
struct VersionText {
  char bytes[16];
  std::size_t size;

  VersionText(unsigned major, unsigned minor) {
    char* at = std::to_chars(bytes, bytes + sizeof bytes, major).ptr;
    *at++ = '.';
    at = std::to_chars(at, bytes + sizeof bytes, minor).ptr;
    size = static_cast<std::size_t>(at - bytes);
  }
  std::string_view view() const { return {bytes, size}; }
};

}  // namespace

const weir_driver* weir_backend_enter(const weir_host* host, const weir_driver* driver,
                                      weir_error* error) noexcept {
  const weir_host known = weir::backend::read_in(host);
  if (known.abi_major == WEIR_ABI_MAJOR) return driver;
  const VersionText ours(WEIR_ABI_MAJOR, WEIR_ABI_MINOR);
  const VersionText theirs(known.abi_major, known.abi_minor);
  weir::backend::fail(error, {.kind = WEIR_E_UNSUPPORTED},
                      {"driver '", driver->info->name, "' speaks driver ABI ", ours.view(),
                       ", the host ", theirs.view()});
  return nullptr;
}
