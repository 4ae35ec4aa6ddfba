// SPDX-License-Identifier: MIT
//
// config.hpp: what a url and the options mean for SQLite: which file, how to open it, how to set up
// each handle. Pure: looks at no file.
//
// Called by: source_create. Owned by the source, constant afterwards. Threads: any, read only.
#pragma once

#include "backends/common/options.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace weir::sqlite {

enum class Mode : std::uint8_t { read_write_create, read_write, read_only };

struct Config {
  std::string path;     // absolute; ":memory:" for a database in memory
  std::string display;  // for people, "sqlite:/var/lib/app.db"
  std::string journal_mode;
  std::string synchronous;
  std::int64_t busy_timeout_ns = 0;
  Mode mode = Mode::read_write_create;
  bool memory = false;
  bool immutable = false;  // the file cannot change: no locks, no -wal, no -shm
  bool foreign_keys = true;
};

// The options that the driver declares, in the order of the documentation.
std::span<const weir_option_spec> option_specs() noexcept;

// Fills `config`, or answers CONFIG with a text that says which part is wrong and what to write.
weir_status parse_config(const weir_source_args& args, Config& config, weir_error* error);

// Why SQLite must not be given this file name (ATTACH takes urls, too); empty if it may.
// SQLite's own parameters vfs= and cache=shared would reach around the driver.
const char* forbidden_file_name(std::string_view name);

}  // namespace weir::sqlite
