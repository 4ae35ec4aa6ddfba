// SPDX-License-Identifier: MIT
#include "core/loader/entry.hpp"

#include "core/loader/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <dlfcn.h>

#include <fmt/format.h>

namespace weir::loader {

namespace {

constexpr const char* entry_symbol = "weir_plugin_v1";

// NOW: an unresolved symbol is an error here, not a jump to address 0 under load.
// LOCAL: two plugins that bring the same client library do not meet.
constexpr int dlopen_flags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;

// What the entry gets to see. The services of a host are valid from env_create on, where the pool
// hands over its real table; an entry that calls one all the same gets a harmless answer.
weir_time no_now(void* /*ctx*/) noexcept { return 0; }
std::int32_t no_wait(void* /*ctx*/, std::uint64_t /*tag*/, std::int32_t /*fd*/,
                     std::uint32_t /*events*/, weir_time /*until*/) noexcept {
  return WEIR_WAIT_TIMEOUT;
}
void no_wake(void* /*ctx*/, std::uint64_t /*tag*/) noexcept {}
void no_log(void* /*ctx*/, std::int32_t /*level*/, std::uint64_t /*tag*/,
            weir_text /*line*/) noexcept {}
void no_event(void* /*ctx*/, std::uint64_t /*tag*/, const weir_event* /*event*/) noexcept {}
void no_random(void* /*ctx*/, void* out, std::size_t size) noexcept { std::memset(out, 0, size); }
const void* no_extension(void* /*ctx*/, const char* /*id*/) noexcept { return nullptr; }

constexpr weir_host loading_host{
    .struct_size = sizeof(weir_host),
    .abi_major = WEIR_ABI_MAJOR,
    .abi_minor = WEIR_ABI_MINOR,
    .ctx = nullptr,
    .now = no_now,
    .wait = no_wait,
    .wake = no_wake,
    .log = no_log,
    .event = no_event,
    .random = no_random,
    .extension = no_extension,
};

// What the entry may fill, with a strip behind each part that is not its own: a driver that was
// built for larger structs, or that counts wrong, is found out here, where nothing of ours lies
// behind.
struct EntryError {
  using Strip = std::array<unsigned char, 64>;
  static constexpr unsigned char untouched = 0xA5;

  EntryError() noexcept {
    behind_error.fill(untouched);
    behind_text.fill(untouched);
    error.struct_size = sizeof error;
    error.text = text.data();
    error.text_capacity = static_cast<std::uint32_t>(text.size());
  }
  EntryError(const EntryError&) = delete;
  EntryError& operator=(const EntryError&) = delete;

  weir_error error{};
  Strip behind_error{};
  std::array<char, 1024> text{};
  Strip behind_text{};
};
static_assert(offsetof(EntryError, behind_error) == sizeof(weir_error));

// What the entry wrote where it must not; empty if nothing.
std::string overrun_of(const EntryError& error) {
  const auto is_touched = [](const EntryError::Strip& strip) {
    return std::any_of(strip.begin(), strip.end(),
                       [](unsigned char byte) { return byte != EntryError::untouched; });
  };
  if (is_touched(error.behind_error)) {
    return fmt::format("beyond the weir_error that it was given, whose struct_size is {}",
                       sizeof error.error);
  }
  if (!is_touched(error.behind_text)) return {};
  return fmt::format("beyond the buffer for its text, whose text_capacity is {}",
                     error.text.size());
}

std::string linker_text() {
  const char* text = ::dlerror();
  return text == nullptr ? "no reason given" : one_line(text, 600);
}

}  // namespace

Result<void*> open_library(const std::string& path, std::string_view where) {
  if (void* library = ::dlopen(path.c_str(), dlopen_flags)) return library;
  return fail(Code::driver_unloadable,
              fmt::format("{} cannot be loaded: {}", where, linker_text()));
}

void* find_library(const std::string& path) noexcept {
  return ::dlopen(path.c_str(), dlopen_flags | RTLD_NOLOAD);
}

weir_plugin_entry find_entry(void* library) noexcept {
  void* const symbol = ::dlsym(library, entry_symbol);
  weir_plugin_entry entry = nullptr;
  static_assert(sizeof entry == sizeof symbol);
  std::memcpy(&entry, &symbol, sizeof entry);  // POSIX grants it, ISO C++ has no cast for it
  return entry;
}

Result<DriverTable> enter(void* library, std::string_view where) {
  const weir_plugin_entry entry = find_entry(library);
  if (entry == nullptr) {
    return fail(Code::driver_invalid,
                fmt::format("{} is a shared library, but no Weir plugin: it does not export {}",
                            where, entry_symbol));
  }
  EntryError error;
  const weir_driver* const table = entry(&loading_host, &error.error);
  if (const std::string overrun = overrun_of(error); !overrun.empty()) {
    return fail(Code::driver_invalid,
                fmt::format("{}: its entry wrote {}; this is a fault of the driver, which may have "
                            "been built for another version of <weir/driver.h>",
                            where, overrun));
  }
  if (table == nullptr) {
    const std::size_t size = std::min<std::size_t>(error.error.text_size, error.text.size());
    const std::string said =
        size == 0 ? fmt::format("it gave no reason (kind {})", error.error.kind)
                  : fmt::format("it said: {}", one_line({error.text.data(), size}, size));
    return fail(Code::driver_unloadable, fmt::format("{} declined to be loaded; {}", where, said));
  }
  return DriverTable::create(table, where);
}

}  // namespace weir::loader
