// SPDX-License-Identifier: MIT
//
// job.hpp: what the command tells the child that runs one rule. Plain data, handed over as JSON in
// a memory file, so that the child starts from nothing but its program and this.
#pragma once

#include "cli/check/quirks.hpp"

#include <cstdint>
#include <string>

namespace weir::check {

struct Job {
  std::string rule;         // its id; empty: describe the driver
  std::string path;         // of the library, absolute
  std::string manifest;     // of the library, absolute; empty if there is none
  std::string url;          // the database, or as much as a source needs
  std::string server;       // how a proxy reaches the database's server; empty if there is no way
  std::string proxied_url;  // the database by TCP, "{port}" where a proxy's port goes
  std::string directory;    // fresh, empty, the child's own
  std::uint64_t seed = 1;
  bool full = false;  // the numbers of a release, not of every day
  Quirks quirks;
};

// As JSON, and back. Throws: std::exception if the text is none of these.
[[nodiscard]] std::string to_text(const Job& job);
[[nodiscard]] Job job_of(const std::string& text);

// What a driver says of itself, on the way from a child.
struct Description {
  std::string name;
  std::string version;
  std::string abi;
  std::string client_version;
  std::string url_schemes;
  std::uint64_t caps = 0;
};

}  // namespace weir::check
