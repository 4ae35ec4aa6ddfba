// SPDX-License-Identifier: MIT
//
// Goal: the header that drivers were built from stays at hand, and the present host works with
// drivers built from it and with such as know more than it does. Method: the frozen copy is
// compared with the present header; the growth driver (fixtures/growth_driver.c), compiled from
// each, is loaded and used by a pool. The hosts that are older or newer than their driver are
// programs of their own (fixtures/growth_host.c).
#include <weir/driver.h>
#include <weir/weir.hpp>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weir {
namespace {

std::string read_source(const std::string& path) {
  const char* root = std::getenv("WEIR_TEST_SOURCE_ROOT");
  std::ostringstream text;
  text << std::ifstream(std::string(root == nullptr ? "." : root) + "/" + path).rdbuf();
  return text.str();
}

std::string version_of(const std::string& header) {
  std::string version;
  for (const char* name : {"MAJOR", "MINOR"}) {
    std::smatch match;
    const std::regex pattern(std::string("#define WEIR_ABI_") + name + " (\\d+)");
    if (!std::regex_search(header, match, pattern)) return "?";
    version += (version.empty() ? "" : "_") + match[1].str();
  }
  return version;
}

TEST(FrozenHeader, of_the_present_version_is_the_present_header) {
  const std::string present = read_source("core/abi/include/weir/driver.h");
  const std::string path = "tests/abi/v" + version_of(present) + "/weir/driver.h";
  const std::string frozen = read_source(path);
  ASSERT_FALSE(frozen.empty()) << path << " is missing: a new version of the ABI begins with a "
                               << "frozen copy of its header, which then stays for good";
  EXPECT_TRUE(frozen == present)
      << path
      << " differs from core/abi/include/weir/driver.h.\nA frozen header is never changed. If the "
      << "present one grew as its rules allow, raise WEIR_ABI_MINOR, freeze it under the new "
      << "number, and say in CHANGELOG.md, under ABI, what a driver may now do. A comment that is "
      << "made clearer is copied into the frozen one of the same version, and nothing else is.";
}

class Growth : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Generations, Growth, testing::Values("old", "present", "next"),
                         [](const auto& generation) { return generation.param; });

TEST_P(Growth, the_present_host_uses_the_driver) {
  const std::string library = std::string(GROWTH_DIR) + "/growth_" + GetParam() + ".so";
  auto pools = Pools::from_string("version = 1\n[drivers.growth]\npath = \"" + library +
                                  "\"\n[pool.main]\ndriver = \"growth\"\nurl = \"growth:\"\n"
                                  "max = 2\nlog = []\n[pool.main.options]\nsecond = \"x\"\n");
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  auto rows = db.query("anything");
  ASSERT_TRUE(rows) << rows.error().what();
  ASSERT_EQ(rows->size(), 1U);
  // A grown driver finds nothing that this host does not have, and columns by their stride.
  for (int i = 0; i < 4; ++i) EXPECT_EQ((*rows)[0].get<int>(i), i == 0 ? 1 : 0) << i;
  EXPECT_EQ((*rows)[0].get<int>("host"), 0);

  rows = db.query("rows");
  ASSERT_TRUE(rows) << rows.error().what();
  EXPECT_EQ(rows->size(), 2U);
  auto done = db.transaction([](Connection& c) { return c.execute("change"); });
  ASSERT_TRUE(done) << done.error().what();
  EXPECT_EQ(done->affected, 5U);
  const auto failed = db.query("fail");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Code::sql_error);
  EXPECT_TRUE(pools->drain(std::chrono::seconds(30)));
}

}  // namespace
}  // namespace weir
