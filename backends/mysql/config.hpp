// SPDX-License-Identifier: MIT
//
// config.hpp: what a url and the options mean for MySQL: which server, as whom, how protected.
// Pure: looks at no file, resolves no name.
//
// Called by: source_create. Constant afterwards, shared with what runs on the crew. Threads: any.
// Invariant: no text made of it shows `password` or the url that it may have come in.
#pragma once

#include "backends/common/options.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace weir::mysql {

enum class Tls : std::uint8_t {
  off,      // never
  require,  // encrypted, and the server's certificate checked against tls_ca
};

struct Config {
  std::string host;  // empty with a socket
  std::string socket;
  std::uint16_t port = 3306;
  std::string user;
  std::string password;
  std::string database;  // may be empty
  Tls tls = Tls::off;
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  std::int64_t connect_timeout_ns = 0;
  std::int64_t read_timeout_ns = 0;
  std::string display;  // for people, "mysql://app@db.example.org:3306/shop"
};

// The options that the driver declares, in the order of the documentation.
std::span<const weir_option_spec> option_specs() noexcept;

// Fills `config`, or answers CONFIG with a text that says which part is wrong and what to write.
weir_status parse_config(const weir_source_args& args, Config& config, weir_error* error);

}  // namespace weir::mysql
