// SPDX-License-Identifier: MIT
//
// drivers.hpp: the drivers under test, and what the conformance cases must know about each.
#pragma once

#include <weir/driver.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weir::test {

// How to ask a driver for what every driver can do, in its own SQL.
struct Quirks {
  std::string name;  // of the test instance
  const weir_driver* (*driver)();
  std::string url;  // file: relative to a fresh directory
  std::string select_one = "SELECT 1";
  std::string echo_two = "SELECT ?, ?";
  std::string rows_1000;  // 1000 rows
  std::string create;     // may be empty: nothing to create
  std::string insert = "INSERT INTO t VALUES (?)";
  std::string dirty;             // changes the session
  std::string endless;           // runs until it is stopped
  std::string lasting;           // runs for a while; a coarse driver is cancelled in this one
  std::string bad_option_value;  // of `some_duration`
  std::string some_duration;     // name of a duration option
  bool nul_in_text = true;       // a text may have a NUL byte inside
  bool error_fails_tx = false;   // a statement that fails takes its transaction with it
  // For a database that is a server: what is missing for one, and its url once it runs.
  std::string (*missing)() = nullptr;
  std::string (*server_url)() = nullptr;

  // Starts the server where there is one.
  std::string url_now() const {
    return server_url == nullptr || !missing().empty() ? url : server_url();
  }
};

const weir_driver* linked_sqlite();
const weir_driver* plugin_sqlite();  // dlopened from WEIR_TEST_PLUGIN_DIR
const weir_driver* linked_mock();
const weir_driver* plugin_mock();
const weir_driver* linked_postgres();
const weir_driver* plugin_postgres();
const weir_driver* linked_mysql();
const weir_driver* plugin_mysql();
const weir_driver* plugin_template();  // plugins/template, built as part of the tests

std::vector<Quirks> all_drivers();

// A call may outlive its deadline on the server, and leaves the conn broken then.
inline bool is_coarse(const weir_driver* driver) { return (driver->caps & WEIR_CAP_BLOCKING) != 0; }

inline void PrintTo(const Quirks& q, std::ostream* os) { *os << q.name; }

}  // namespace weir::test
