// SPDX-License-Identifier: MIT
//
// config.hpp: what a url and the options mean for PostgreSQL: which endpoints in which order, what
// libpq is told, what kind of server is wanted. libpq's own functions take the url apart, so it
// means here what it means to psql; what libpq would do while blocking (look-ups, the walk over
// several hosts) is taken out of its hands. Looks at no file and asks no server.
//
// Called by: source_create. Owned by the source, constant afterwards. Threads: any, read only.
#pragma once

#include "backends/common/options.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace weir::postgres {

struct Endpoint {
  std::string host;  // a name, an address, or the directory of a socket; empty: libpq's directory
  std::string address;  // numeric, where the user gave one: no look-up then
  std::string port;
};

// Which servers will do, as libpq's target_session_attrs says it.
enum class Target : std::uint8_t { any, read_write, read_only, primary, standby, prefer_standby };

struct Config {
  std::vector<Endpoint> endpoints;  // at least one
  // For libpq, less host, hostaddr, port, target_session_attrs and connect_timeout.
  std::vector<std::pair<std::string, std::string>> parameters;
  Target target = Target::any;
  std::int64_t endpoint_timeout_ns = 0;  // 0: a fair share of what is left of the deadline
  std::string display;                   // for people, without secrets
};

// The options that the driver declares, in the order of the documentation.
std::span<const weir_option_spec> option_specs() noexcept;

// Fills `config`, or answers CONFIG with a text that says which part is wrong and what to write.
weir_status parse_config(const weir_source_args& args, Config& config, weir_error* error);

}  // namespace weir::postgres
