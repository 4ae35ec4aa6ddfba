// SPDX-License-Identifier: MIT
#include "core/loader/driver_table.hpp"

#include "core/loader/slots.hpp"
#include "core/loader/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace weir::loader {

namespace {

struct Capability {
  std::string_view name;
  std::uint64_t bit;
};
constexpr std::array capabilities{
    Capability{"tx", WEIR_CAP_TX},
    Capability{"read_only_tx", WEIR_CAP_READ_ONLY_TX},
    Capability{"savepoint", WEIR_CAP_SAVEPOINT},
    Capability{"prepare", WEIR_CAP_PREPARE},
    Capability{"stream", WEIR_CAP_STREAM},
    Capability{"multi_result", WEIR_CAP_MULTI_RESULT},
    Capability{"execute_many", WEIR_CAP_EXECUTE_MANY},
    Capability{"cancel", WEIR_CAP_CANCEL},
    Capability{"abort", WEIR_CAP_ABORT},
    Capability{"ping_socket", WEIR_CAP_PING_SOCKET},
    Capability{"ping_session", WEIR_CAP_PING_SESSION},
    Capability{"reset_session", WEIR_CAP_RESET_SESSION},
    Capability{"reset_full", WEIR_CAP_RESET_FULL},
    Capability{"dirty", WEIR_CAP_DIRTY},
    Capability{"host_wait", WEIR_CAP_HOST_WAIT},
    Capability{"deadline_hard", WEIR_CAP_DEADLINE_HARD},
    Capability{"blocking", WEIR_CAP_BLOCKING},
    Capability{"embedded", WEIR_CAP_EMBEDDED},
    Capability{"own_threads", WEIR_CAP_OWN_THREADS},
    Capability{"deterministic", WEIR_CAP_DETERMINISTIC},
    Capability{"fork_abandon", WEIR_CAP_FORK_ABANDON},
    Capability{"native", WEIR_CAP_NATIVE},
};

constexpr std::uint64_t known_caps = [] {
  std::uint64_t all = 0;
  for (const Capability& capability : capabilities) all |= capability.bit;
  return all;
}();

// Larger is not a struct but memory that was never filled in.
constexpr std::uint32_t struct_size_max = 1U << 16U;
constexpr std::uint32_t option_count_max = 1024;

// Copies what both sides know. The size must end at a member, or half a pointer would be copied.
template <class Struct>
bool copy_prefix(Struct& to, const Struct& from, std::size_t size_min) noexcept {
  const std::uint32_t size = from.struct_size;
  if (size < size_min || size > struct_size_max || size % alignof(Struct) != 0) return false;
  std::memcpy(&to, &from, std::min<std::size_t>(size, sizeof to));
  to.struct_size = sizeof to;
  return true;
}

tl::unexpected<Error> invalid(std::string_view where, std::string_view what) {
  return fail(Code::driver_invalid,
              fmt::format("{}: {}; this is a fault of the driver", where, what));
}

Result<void> check_version(const weir_driver& table, std::string_view where) {
  if (table.abi_major == WEIR_ABI_MAJOR) return {};
  return fail(Code::driver_invalid,
              fmt::format("{}: the driver was built for driver ABI {}.{}, this Weir has {}.{}; "
                          "rebuild it with this Weir's <weir/driver.h>",
                          where, table.abi_major, table.abi_minor, WEIR_ABI_MAJOR, WEIR_ABI_MINOR));
}

template <std::size_t index>
std::string slot_problem(const weir_driver& driver, std::uint32_t own_size) {
  constexpr auto& slot = std::get<index>(slots);
  if (driver.*slot.member != nullptr) return {};
  const std::uint64_t wants = driver.caps & slot.caps;
  if (!slot.required && wants == 0) return {};
  std::string problem = fmt::format("{} {}()", "its table lacks", slot.name);
  if (!slot.required) {
    problem += fmt::format(", though it claims the capability {}", capability_names(wants).front());
  } else {
    problem += ", which every driver must have";
  }
  constexpr std::size_t slot_end = offsetof(weir_driver, env_create) + (index + 1) * sizeof(void*);
  if (own_size < slot_end) {
    problem += fmt::format(" (struct_size is {}, {}() ends at {})", own_size, slot.name, slot_end);
  }
  return problem;
}

Result<void> check_slots(const weir_driver& driver, std::uint32_t own_size,
                         std::string_view where) {
  std::string problem;
  const auto check_all = [&]<std::size_t... index>(std::index_sequence<index...>) {
    const auto check_one = [&](std::string found) {
      if (problem.empty()) problem = std::move(found);
    };
    (check_one(slot_problem<index>(driver, own_size)), ...);
  };
  check_all(std::make_index_sequence<slot_count>{});
  if (!problem.empty()) return invalid(where, problem);
  if ((driver.caps & WEIR_CAP_DEADLINE_HARD) != 0 && (driver.caps & WEIR_CAP_BLOCKING) != 0) {
    return invalid(where, "it claims both deadline_hard and blocking, which exclude each other");
  }
  if ((driver.caps & WEIR_CAP_READ_ONLY_TX) != 0 && (driver.caps & WEIR_CAP_TX) == 0) {
    return invalid(where, "it claims read_only_tx without tx");
  }
  return {};
}

Result<void> check_info(weir_info& info, std::string_view where) {
  const auto is_text = [](const char* text) { return text != nullptr && text[0] != '\0'; };
  if (info.name == nullptr || !is_driver_name({info.name, ::strnlen(info.name, 65)})) {
    const std::string_view name = info.name == nullptr ? "(null)" : info.name;
    return invalid(where, fmt::format("its info.name is \"{}\", not a name of the form "
                                      "[a-z0-9][a-z0-9_-]{{0,63}}",
                                      one_line(name, 64)));
  }
  if (!is_text(info.version)) return invalid(where, "its info.version is empty");
  if (!is_text(info.license)) return invalid(where, "its info.license is empty");
  if (info.description == nullptr) info.description = "";
  if (info.placeholder == nullptr) info.placeholder = "?";
  if (info.url_schemes == nullptr) info.url_schemes = "";
  return {};
}

bool is_option_key(std::string_view key) noexcept {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  if (key.empty() || key.size() > 64 || !is_lower(key[0])) return false;
  return std::all_of(key.begin(), key.end(),
                     [&](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '_'; });
}

bool is_choice(std::string_view word, std::string_view choices) noexcept {
  while (true) {
    const std::size_t bar = choices.find('|');
    if (choices.substr(0, bar) == word) return true;
    if (bar == std::string_view::npos) return false;
    choices.remove_prefix(bar + 1);
  }
}

// What is wrong with one option, or nothing. Fills in what may be missing. A type that a newer
// minor may have brought is the driver's affair, as is what its choices are.
std::string option_problem(weir_option_spec& option, bool is_newer) {
  const bool is_known = option.type >= WEIR_OPT_STRING && option.type <= WEIR_OPT_CHOICE;
  if (!is_known && !is_newer) return fmt::format("has the unknown type {}", option.type);
  const bool has_choices = option.choices != nullptr && option.choices[0] != '\0';
  if (option.type == WEIR_OPT_CHOICE) {
    if (!has_choices) return "is a choice without choices";
    if (is_choice("", option.choices)) return "has an empty word among its choices";
    if (option.default_value != nullptr && !is_choice(option.default_value, option.choices)) {
      return fmt::format("has the default \"{}\", which is none of its choices",
                         one_line(option.default_value, 64));
    }
  } else if (has_choices && is_known) {
    return "has choices, but another type";
  }
  if ((option.flags & WEIR_OPT_REQUIRED) != 0 && option.default_value != nullptr) {
    return "is required and has a default";
  }
  if (option.doc == nullptr) option.doc = "";
  return {};
}

Result<void> copy_options(const weir_driver& driver, const weir_info& info,
                          std::vector<weir_option_spec>& to, std::string_view where) {
  if (info.option_count == 0) return {};
  const bool is_newer = driver.abi_minor > WEIR_ABI_MINOR;
  constexpr std::size_t size_min = offsetof(weir_option_spec, choices);
  if (info.options == nullptr || info.option_count > option_count_max ||
      info.option_stride < size_min || info.option_stride > struct_size_max ||
      info.option_stride % alignof(weir_option_spec) != 0) {
    return invalid(where, fmt::format("its table of options is malformed ({} options, {} bytes "
                                      "apart, {})",
                                      info.option_count, info.option_stride,
                                      info.options == nullptr ? "null" : "not null"));
  }
  const char* at = reinterpret_cast<const char*>(info.options);
  for (std::uint32_t i = 0; i < info.option_count; ++i, at += info.option_stride) {
    const auto& theirs = *reinterpret_cast<const weir_option_spec*>(at);
    weir_option_spec option{};
    if (theirs.struct_size > info.option_stride || !copy_prefix(option, theirs, size_min)) {
      return invalid(where, fmt::format("its option {} has struct_size {}, {} bytes apart", i,
                                        theirs.struct_size, info.option_stride));
    }
    if (option.key == nullptr || !is_option_key({option.key, ::strnlen(option.key, 65)})) {
      return invalid(where, fmt::format("its option {} has no key in snake_case", i));
    }
    for (const weir_option_spec& other : to) {
      if (std::string_view(other.key) == option.key) {
        return invalid(where, fmt::format("it declares the option \"{}\" twice", option.key));
      }
    }
    if (const std::string problem = option_problem(option, is_newer); !problem.empty()) {
      return invalid(where, fmt::format("its option \"{}\" {}", option.key, problem));
    }
    to.push_back(option);
  }
  return {};
}

}  // namespace

Result<DriverTable> DriverTable::create(const weir_driver* table, std::string_view where) {
  if (table == nullptr) return invalid(where, "it has no table of functions (null)");
  if (auto ok = check_version(*table, where); !ok) return fail(std::move(ok).error());

  auto body = std::make_shared<Body>();
  if (!copy_prefix(body->driver, *table, offsetof(weir_driver, env_create))) {
    return invalid(where, fmt::format("its table has struct_size {}, between {} and {} expected",
                                      table->struct_size, offsetof(weir_driver, env_create),
                                      sizeof(weir_driver)));
  }
  body->driver.caps &= known_caps;
  if (body->driver.info == nullptr) return invalid(where, "its table has no info");
  constexpr std::size_t info_size_min = offsetof(weir_info, description);
  if (!copy_prefix(body->info, *body->driver.info, info_size_min)) {
    return invalid(where,
                   fmt::format("its info has struct_size {}, between {} and {} expected",
                               body->driver.info->struct_size, info_size_min, sizeof(weir_info)));
  }
  if (auto ok = check_info(body->info, where); !ok) return fail(std::move(ok).error());
  if (auto ok = check_slots(body->driver, table->struct_size, where); !ok) {
    return fail(std::move(ok).error());
  }
  if (auto ok = copy_options(body->driver, body->info, body->options, where); !ok) {
    return fail(std::move(ok).error());
  }

  body->info.options = body->options.data();
  body->info.option_stride = sizeof(weir_option_spec);
  body->driver.info = &body->info;
  [&]<std::size_t... index>(std::index_sequence<index...>) { (fill_gap<index>(body->driver), ...); }
  (std::make_index_sequence<slot_count>{});
  return DriverTable(std::move(body));
}

bool is_driver_name(std::string_view name) noexcept {
  const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > 64 || !is_word(name[0])) return false;
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_word(c) || c == '_' || c == '-'; });
}

std::string_view claimed_name(const weir_driver* table) noexcept {
  if (table == nullptr || table->struct_size < offsetof(weir_driver, env_create)) return {};
  const weir_info* info = table->info;
  if (info == nullptr || info->struct_size < offsetof(weir_info, version)) return {};
  if (info->name == nullptr) return {};
  return {info->name, ::strnlen(info->name, 65)};
}

std::vector<std::string_view> capability_names(std::uint64_t caps) {
  std::vector<std::string_view> names;
  for (const Capability& capability : capabilities) {
    if ((caps & capability.bit) != 0) names.push_back(capability.name);
  }
  return names;
}

std::uint64_t capability_bit(std::string_view name) noexcept {
  for (const Capability& capability : capabilities) {
    if (capability.name == name) return capability.bit;
  }
  return 0;
}

}  // namespace weir::loader
