// SPDX-License-Identifier: MIT
//
// The functions of weir_driver as data: name, member, whether a driver must have it, and which
// capabilities need it. core/loader/driver_table.cpp walks this list to check a table and to fill
// its gaps; a function that is added to weir/driver.h and forgotten here does not compile.
#pragma once

#include <weir/driver.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <tuple>
#include <utility>

namespace weir::loader {

template <class Function>
struct Slot {
  // Clang 14 deduces no class template arguments of aggregates.
  constexpr Slot(std::string_view the_name, Function weir_driver::*the_member, bool is_required,
                 std::uint64_t needed_by) noexcept
      : name(the_name), member(the_member), required(is_required), caps(needed_by) {}

  std::string_view name;
  Function weir_driver::*member;
  bool required;
  std::uint64_t caps;  // claiming any of these makes it required
};

inline constexpr std::uint64_t reset_caps = WEIR_CAP_RESET_SESSION | WEIR_CAP_RESET_FULL;

inline constexpr std::tuple slots{
    Slot{"env_create", &weir_driver::env_create, true, 0},
    Slot{"env_destroy", &weir_driver::env_destroy, true, 0},
    Slot{"thread_detach", &weir_driver::thread_detach, false, 0},
    Slot{"source_create", &weir_driver::source_create, true, 0},
    Slot{"source_destroy", &weir_driver::source_destroy, true, 0},
    Slot{"canceller_create", &weir_driver::canceller_create, true, 0},
    Slot{"open", &weir_driver::open, true, 0},
    Slot{"close", &weir_driver::close, true, 0},
    Slot{"abandon", &weir_driver::abandon, false, WEIR_CAP_FORK_ABANDON},
    Slot{"cancel", &weir_driver::cancel, false, WEIR_CAP_CANCEL},
    Slot{"abort", &weir_driver::abort, false, WEIR_CAP_ABORT},
    Slot{"canceller_release", &weir_driver::canceller_release, true, 0},
    Slot{"state", &weir_driver::state, true, 0},
    Slot{"ping", &weir_driver::ping, true, 0},
    Slot{"reset", &weir_driver::reset, false, reset_caps},
    Slot{"native", &weir_driver::native, false, WEIR_CAP_NATIVE},
    Slot{"execute", &weir_driver::execute, true, 0},
    Slot{"fetch", &weir_driver::fetch, true, 0},
    Slot{"next_set", &weir_driver::next_set, false, WEIR_CAP_MULTI_RESULT},
    Slot{"result_close", &weir_driver::result_close, true, 0},
    Slot{"execute_many", &weir_driver::execute_many, false, WEIR_CAP_EXECUTE_MANY},
    Slot{"prepare", &weir_driver::prepare, false, WEIR_CAP_PREPARE},
    Slot{"stmt_close", &weir_driver::stmt_close, false, WEIR_CAP_PREPARE},
    Slot{"begin", &weir_driver::begin, false, WEIR_CAP_TX},
    Slot{"commit", &weir_driver::commit, false, WEIR_CAP_TX},
    Slot{"rollback", &weir_driver::rollback, false, WEIR_CAP_TX},
    Slot{"extension", &weir_driver::extension, false, 0},
};
inline constexpr std::size_t slot_count = std::tuple_size_v<decltype(slots)>;
static_assert(sizeof(weir_driver) ==
                  offsetof(weir_driver, env_create) + slot_count * sizeof(void (*)()),
              "a function of weir_driver is missing in this list");

// Answers for a function that the driver does not have. Writes as much of *error as there is.
inline weir_status answer_unsupported(std::string_view slot, weir_error* error) noexcept {
  if (error == nullptr) return WEIR_E_UNSUPPORTED;
  const std::size_t size = std::min<std::size_t>(error->struct_size, sizeof *error);
  weir_error given{};  // what there is of it, the rest zero
  std::memcpy(&given, error, size);
  weir_error answer{};
  answer.struct_size = given.struct_size;
  answer.kind = WEIR_E_UNSUPPORTED;
  answer.effect = WEIR_EFFECT_NOT_SENT;
  answer.text = given.text;
  answer.text_capacity = given.text_capacity;
  const std::string_view parts[] = {"this driver does not offer ", slot, "()"};
  for (const std::string_view part : parts) {
    const std::size_t room = answer.text == nullptr ? 0 : answer.text_capacity - answer.text_size;
    const std::size_t fits = std::min(part.size(), room);
    if (fits < part.size()) answer.flags |= WEIR_ERROR_TRUNCATED;
    if (fits == 0) continue;
    std::memcpy(answer.text + answer.text_size, part.data(), fits);
    answer.text_size += static_cast<std::uint32_t>(fits);
  }
  std::memcpy(error, &answer, size);
  return WEIR_E_UNSUPPORTED;
}

// The stub of slot `index`, of exactly the slot's type: a cast function would be undefined.
template <class Function, std::size_t index>
struct Stub;

template <std::size_t index, class... Args>
struct Stub<weir_status (*)(Args...) noexcept, index> {
  static weir_status call(Args... args) noexcept {
    // The error is the last parameter of every function that has a status.
    return answer_unsupported(std::get<index>(slots).name,
                              std::get<sizeof...(Args) - 1>(std::tuple<Args...>(args...)));
  }
};
template <std::size_t index, class... Args>
struct Stub<void (*)(Args...) noexcept, index> {
  static void call(Args...) noexcept {}
};
template <std::size_t index, class... Args>
struct Stub<const void* (*)(Args...) noexcept, index> {
  static const void* call(Args...) noexcept { return nullptr; }
};

template <std::size_t index>
void fill_gap(weir_driver& driver) noexcept {
  constexpr auto member = std::get<index>(slots).member;
  auto& function = driver.*member;
  if (function == nullptr) {
    function = &Stub<std::remove_reference_t<decltype(function)>, index>::call;
  }
}

}  // namespace weir::loader
