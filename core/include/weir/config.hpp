// SPDX-License-Identifier: MIT
//
// Config: everything that a weir.toml can say, as plain values. Filled by the parser
// (Config::from_file, Config::from_string) or by hand; checked by validate() in both cases, so that
// a pool never meets a contradiction. Units are in the types; `no_timeout` is "none".
//
// docs/options.md (generated) documents each key: default, range, interactions.
#pragma once

#include <weir/result.hpp>
#include <weir/retry_policy.hpp>
#include <weir/time.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// Text that must not be shown. Has no operator<< and no implicit conversion on purpose.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  [[nodiscard]] const std::string& reveal() const noexcept { return value_; }
  [[nodiscard]] bool empty() const noexcept { return value_.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string value_;
};

enum class Start : std::uint8_t { background, eager, lazy };
enum class Fairness : std::uint8_t { bounded, strict };
enum class ResetPolicy : std::uint8_t { automatic, always, never };
enum class PropagateCreateError : std::uint8_t { fatal, never, any };

struct LogLevels {
  bool query = false;
  bool info = true;
  bool warn = true;
  bool error = true;
  friend bool operator==(const LogLevels&, const LogLevels&) = default;
};

// One entry of [pool.<name>.options], as the driver receives it.
struct DriverOption {
  std::string key;
  Secret value;
  friend bool operator==(const DriverOption&, const DriverOption&) = default;
};

// PoolConfig::max: as many as the server admits, less AutoSize. In weir.toml: "auto".
inline constexpr std::uint32_t max_auto = UINT32_MAX;

// [pool.<name>.auto], of `max = "auto"`: max = (what the server admits - reserve) / instances.
struct AutoSize {
  std::uint32_t instances = 1;  // pools that share the server, this one included
  std::uint32_t reserve = 5;    // connections left to others
  friend bool operator==(const AutoSize&, const AutoSize&) = default;
};

// [pool.<name>.health]: the pool's own query, now and then (docs/health.md).
struct HealthConfig {
  Duration interval = no_timeout;  // off
  std::string sql = "SELECT 1";
  friend bool operator==(const HealthConfig&, const HealthConfig&) = default;
};

struct PoolConfig {
  std::string name;
  std::string driver;
  Secret url;  // less the parameters that belong to the pool; may hold a password

  std::uint32_t min = 0;
  std::uint32_t max = 10;  // or max_auto
  Start start = Start::background;
  Duration start_timeout = std::chrono::seconds(10);

  Duration acquire_timeout = std::chrono::seconds(30);
  Duration create_timeout = std::chrono::seconds(5);
  Duration create_retry_interval = std::chrono::milliseconds(200);
  Duration create_retry_max = std::chrono::seconds(2);
  PropagateCreateError propagate_create_error = PropagateCreateError::fatal;
  std::uint32_t max_connecting = 2;
  std::uint32_t quarantine_max = 2;

  Duration idle_timeout = std::chrono::minutes(10);
  Duration reap_interval = std::chrono::seconds(1);
  Duration max_lifetime = std::chrono::minutes(30);
  Duration validate_after = std::chrono::milliseconds(500);
  Duration keepalive = no_timeout;  // off

  std::uint32_t max_waiting = 1024;
  Fairness fairness = Fairness::bounded;
  Duration fair_after = std::chrono::milliseconds(5);

  Duration hold_warn = std::chrono::seconds(60);
  Duration drain_timeout = std::chrono::seconds(30);
  ResetPolicy reset = ResetPolicy::automatic;
  std::vector<std::string> init_sql;
  Duration slow_query = no_timeout;  // off
  LogLevels log;
  AutoSize auto_size;                 // [pool.<name>.auto]
  HealthConfig health;                // [pool.<name>.health]
  RetryPolicy retry;                  // [pool.<name>.retry]
  std::vector<DriverOption> options;  // sorted by key

  friend bool operator==(const PoolConfig&, const PoolConfig&) = default;
};

// [drivers.<name>]
struct DriverPin {
  std::string path;    // absolute, of a library or a manifest; empty = search
  std::string sha256;  // 64 hex digits; empty = not pinned
  friend bool operator==(const DriverPin&, const DriverPin&) = default;
};

// [drivers]: where plugins are looked for, and which may be loaded.
struct DriversConfig {
  std::vector<std::string> search;  // absolute directories, in order, before the system's
  std::vector<std::string> allow;   // names; empty = any
  bool allow_env = false;           // honour WEIR_PLUGIN_PATH
  bool strict_permissions = true;   // refuse files that other users could have written
  std::map<std::string, DriverPin> pins;
  friend bool operator==(const DriversConfig&, const DriversConfig&) = default;
};

// [admin]: the socket that `weir stats`, `weir top` and the like talk to (docs/admin.md).
struct AdminConfig {
  std::string socket;  // an absolute path; empty = off
  friend bool operator==(const AdminConfig&, const AdminConfig&) = default;
};

struct Config {
  std::string file;      // as given; "<string>" if parsed from memory
  std::string base_dir;  // absolute; relative paths of the file are relative to it
  std::map<std::string, PoolConfig> pools;
  DriversConfig drivers;
  AdminConfig admin;

  // Parses and checks a file. All errors of the file come in one run, in the text of one Error
  // (config_many, or the code of the only one), with line, column, caret and suggestion.
  // Driver options are not checked here but against the driver's declaration when a pool is made.
  // Blocks: reads the file and the secret files that it names.
  [[nodiscard]] WEIR_API static Result<Config> from_file(std::string_view path);

  // The same for text in memory; `name` stands where messages name the file.
  [[nodiscard]] WEIR_API static Result<Config> from_string(std::string_view toml,
                                                           std::string_view name = "<string>",
                                                           std::string_view base_dir = ".");
};

// Checks one pool that was built by hand: ranges and contradictions, the same rules as the file's.
[[nodiscard]] WEIR_API Result<void> validate(const PoolConfig& pool);

// The same for a policy that does not come with a pool.
[[nodiscard]] WEIR_API Result<void> validate(const RetryPolicy& policy);

}  // namespace weir
