// SPDX-License-Identifier: MIT
//
// conformance.hpp: the fixture of the cases that every driver passes: a fake host, a source in a
// fresh directory, one session, not yet open. Each file of cases is one suite, instantiated for all
// drivers.
#pragma once

#include "tests/backends/abi_host.hpp"
#include "tests/backends/client.hpp"
#include "tests/backends/drivers.hpp"

#include <gtest/gtest.h>

namespace weir::test {

class Conformance : public ::testing::TestWithParam<Quirks> {
 protected:
  Conformance()
      : quirks(GetParam()),
        driver(quirks.driver()),
        url(quirks.url_now()),
        source(driver, host.abi(), url, {}, dir.path),
        session(source, 7) {
    host.real_waits = is_coarse(driver);
  }

  void SetUp() override {
    if (quirks.missing != nullptr && !quirks.missing().empty()) GTEST_SKIP() << quirks.missing();
  }

  void open() {
    ASSERT_EQ(WEIR_OK, source.status) << source.error.what();
    ASSERT_EQ(WEIR_OK, session.open()) << session.error.what();
    if (quirks.create.empty()) return;
    ASSERT_EQ(WEIR_OK, session.query(quirks.create));
  }
  bool claims(std::uint64_t cap) const { return (driver->caps & cap) != 0; }
  void expect_usable() { EXPECT_EQ(Value::integer(1), session.one(quirks.select_one)); }

  const Quirks quirks;
  const weir_driver* driver;
  const std::string url;
  TempDir dir;
  FakeHost host;
  Source source;
  Session session;
};

}  // namespace weir::test
