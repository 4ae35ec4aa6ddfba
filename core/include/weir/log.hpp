// SPDX-License-Identifier: MIT
//
// The logger interface: four levels, and a function that takes the lines. The default sink writes
// to stderr; weir/adapters/spdlog.hpp is one for spdlog.
#pragma once

#include <weir/export.hpp>

#include <cstdint>
#include <functional>
#include <string_view>

namespace weir {

enum class LogLevel : std::uint8_t { query, info, warn, error };
[[nodiscard]] WEIR_API std::string_view to_string(LogLevel) noexcept;

// Receives one line, without newline, from any thread and under no lock of Weir. Exceptions from it
// are swallowed: logging never breaks a caller. It must not destroy the Pools: what it is told of
// is still under way in them. Where that would have the thread of the admin socket wait for itself
// the process ends with a message that says so. Nor must it call Pools::reload(), or wait for
// somebody who does: it is told of a reload in the midst of it.
using LogSink = std::function<void(LogLevel level, std::string_view pool, std::string_view line)>;

}  // namespace weir
