// SPDX-License-Identifier: MIT
//
// password_file.hpp: keeps libpq from writing to stderr. It does so where its password file is no
// plain file or may be read by others, and then does without it; a driver writes nothing there, so
// it looks first, has libpq do without, and tells the host.
//
// Called by: attempt.cpp. Owns nothing. Threads: any.
#pragma once

#include "backends/postgres/config.hpp"

#include <string>

namespace weir::postgres {

// The password file that libpq would complain about; empty if it would not.
std::string objectionable_password_file(const Config& config);

// A path at which there can be no file, for libpq to find nothing without a word.
inline constexpr const char* no_password_file = "/dev/null/none";

}  // namespace weir::postgres
