// SPDX-License-Identifier: MIT
//
// directory.hpp: a directory in /tmp that goes with its owner, and is given to the account that a
// server will run under where this program is root.
//
// Used by: bench_query. Threads: one.
#pragma once

#include "tests/backends/child.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>
#include <sys/stat.h>

namespace weir::bench::query {

class Directory {
 public:
  explicit Directory(const std::string& what) : path_("/tmp/weir-" + what + "-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make " + path_);
  }
  Directory(const std::string& what, const char* account) : Directory(what) {
    if (!test::find_account(account, account_) ||
        (account_.user != 0 && ::chown(path_.c_str(), account_.user, account_.group) != 0)) {
      throw std::runtime_error("root, and no account to run a server under: " + path_);
    }
    ::chmod(path_.c_str(), 0755);
  }
  ~Directory() {
    std::error_code ignored;  // what stays in /tmp harms nothing
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  const std::string& path() const { return path_; }
  test::Account account() const { return account_; }

 private:
  std::string path_;
  test::Account account_;
};

}  // namespace weir::bench::query
