// SPDX-License-Identifier: MIT
//
// Context: what a running command has at hand: the parsed arguments, the global options, the output
// and the interrupt. Made by main, borrowed by each command. With it the few steps that several
// commands share: reading the configuration, opening one pool of it, reporting an error.
#pragma once

#include "cli/interrupt.hpp"
#include "cli/output.hpp"

#include <weir/weir.hpp>

#include <functional>
#include <map>
#include <optional>

#include <nlohmann/json.hpp>

namespace weir::cli {

enum Exit : int {
  exit_ok = 0,
  exit_failed = 1,
  exit_usage = 64,
  exit_config = 65,
  exit_unavailable = 69,
  exit_internal = 70,
};

struct Globals {
  std::string config = "weir.toml";
  bool config_given = false;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool no_input = false;
  ColorMode color = ColorMode::automatic;
};

// Values by the name of the argument ("POOL") or option ("--rate"); flags are "true".
using Values = std::map<std::string, std::string, std::less<>>;

class Context {
 public:
  Context(Globals globals, Values values, Output& output, Interrupt& stop)
      : global(std::move(globals)), out(output), interrupt(stop), values_(std::move(values)) {}

  [[nodiscard]] bool has(std::string_view name) const {
    return values_.find(name) != values_.end();
  }
  [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise = "") const;

  const Globals global;
  Output& out;
  Interrupt& interrupt;

  // One line of JSON on stdout.
  void json(const nlohmann::ordered_json& value);
  // Says what went wrong, on stderr and, with --json, as an object on stdout. Returns: its exit
  // code.
  int fail(const Error& error);
  // The same for what the user typed; always exit_usage.
  int usage_error(std::string_view message);

 private:
  Values values_;
};

[[nodiscard]] nlohmann::ordered_json to_json(const Error& error);

// As text in one line, without its end, that a terminal can be shown: whatever a control character
// would do there, it appears as \u00NN. What is not UTF-8 is replaced.
[[nodiscard]] std::string to_line(const nlohmann::ordered_json& value);

// Numbers and durations given on the command line; the error names the option.
[[nodiscard]] Result<std::uint64_t> whole_number(const Context& context, std::string_view option,
                                                 std::uint64_t otherwise, std::uint64_t lowest,
                                                 std::uint64_t highest);
[[nodiscard]] Result<Duration> duration(const Context& context, std::string_view option,
                                        Duration otherwise);

// Milliseconds and the like for people, three significant digits: "0.31 ms".
[[nodiscard]] std::string readable(Duration duration);

// The configuration that -c names.
[[nodiscard]] Result<Config> load_config(const Context& context);
// Where drivers are looked for: the [drivers] table of the configuration if there is one, else the
// system's directories only. A configuration with faults is an error only where -c names it.
[[nodiscard]] Result<void> driver_places(Context& context, DriversConfig& drivers,
                                         std::string& base_dir);
// The pool called `name`, or the only one if the name is empty. Errors: unknown_pool, with exit
// code exit_usage in the end, naming the nearest one.
[[nodiscard]] Result<PoolConfig> choose_pool(const Config& config, std::string_view name);
// For one connection that is made now, and tells at once why it cannot be made. What a pool says of
// busy days does not hold: with acquire_timeout = "0s" nobody would wait until it is there.
[[nodiscard]] PoolConfig for_one_connection(PoolConfig pool);
// Opens this one pool of the configuration, without its admin socket. Its log lines go to stderr
// with --verbose.
[[nodiscard]] Result<Pools> open_pool(Context& context, const Config& config, PoolConfig pool);

}  // namespace weir::cli
