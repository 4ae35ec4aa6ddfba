// SPDX-License-Identifier: MIT
//
// The demo's data: what is installed on a Debian machine, read from dpkg's own database
// (/var/lib/dpkg/status), or from a small sample in the same format. Plain parsing, no Weir.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace demo {

struct Dependency {
  std::string on;    // name of a package, which need not be installed
  std::string kind;  // "Depends" or "Pre-Depends"
};

struct Package {
  std::string name;
  std::string architecture;
  std::string version;
  std::string section;
  std::int64_t size_kib = 0;
  std::vector<Dependency> dependencies;
};

// The installed packages in the order of the file. Paragraphs without a name are skipped.
std::vector<Package> read_catalogue(std::istream& in);

}  // namespace demo
