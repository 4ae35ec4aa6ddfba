// SPDX-License-Identifier: MIT
//
// Goal: a manifest says where it is wrong, and never takes the process down. Method: a table of
// wrong ones with the words they must earn, then random damage to a right one.
#include "core/loader/manifest.hpp"

#include "core/loader/elf.hpp"
#include "tests/loader/fixtures/minimal.h"
#include "tests/loader/support.hpp"

#include <cstdlib>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::loader {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* file = "/plugins/minimal.toml";

std::string full_text() {
  return fmt::format(R"(manifest = 1
[driver]
name = "minimal"
version = "1.2.3"
abi = "{0}.{1}"
min_host_abi = "0.0"
license = "MIT"
publisher = "somebody"
url = "https://example.org"
description = "does nothing"
uri_schemes = ["minimal"]
[driver.library]
linux-other-gnu = "other.so"
{2} = "lib/minimal.so"
[driver.sha256]
{2} = "00"
[driver.caps]
deterministic = true
tx = false
)",
                     WEIR_ABI_MAJOR, WEIR_ABI_MINOR, platform());
}

TEST(Manifest, is_read_in_full) {
  auto manifest = parse_manifest(full_text(), file, "minimal");
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_EQ(manifest->info.file, file);
  EXPECT_EQ(manifest->info.name, "minimal");
  EXPECT_EQ(manifest->info.version, "1.2.3");
  EXPECT_EQ(manifest->info.abi, fmt::format("{}.{}", WEIR_ABI_MAJOR, WEIR_ABI_MINOR));
  EXPECT_EQ(manifest->info.license, "MIT");
  EXPECT_EQ(manifest->info.publisher, "somebody");
  EXPECT_EQ(manifest->library, "/plugins/lib/minimal.so");
  EXPECT_EQ(manifest->sha256, "00");
  EXPECT_EQ(manifest->caps.size(), 2U);
  EXPECT_THAT(manifest->warnings, IsEmpty());
}

TEST(Manifest, warns_of_keys_that_it_does_not_know) {
  const std::string text = "flavour = 1\n" +
                           test::manifest_text("minimal", "plugin.so", "colour = 2") +
                           "[driver.caps]\nteleport = true\n";
  auto manifest = parse_manifest(text, file, "minimal");
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_THAT(manifest->warnings,
              testing::UnorderedElementsAre(HasSubstr("minimal.toml:1:11: unknown key \"flavour\""),
                                            HasSubstr("unknown key \"driver.colour\""),
                                            HasSubstr("unknown capability \"teleport\"")));
}

struct Wrong {
  std::string text;
  std::string words;
};

std::vector<Wrong> wrong_manifests() {
  const auto with_library = [](const std::string& path) {
    return test::manifest_text("minimal", path);
  };
  const auto with = [](const std::string& more) {
    return test::manifest_text("minimal", "plugin.so", more);
  };
  return {
      {"", "\"manifest = 1\" is missing"},
      {"manifest = 1\n[driver\n", "minimal.toml:2:"},
      {"manifest = 2\n", "newer than this Weir knows (1); upgrade Weir"},
      {"manifest = 0\n", "a whole number from 1 up"},
      {"manifest = \"1\"\n", "a whole number from 1 up"},
      {"manifest = 1\n", "[driver] is missing"},
      {"manifest = 1\ndriver = 3\n", "\"driver\" must be a table"},
      {"manifest = 1\n[driver]\nversion = \"1\"\n", "[driver] lacks \"name\""},
      {"manifest = 1\n[driver]\nname = \"minimal\"\n", "[driver] lacks \"version\""},
      {"manifest = 1\n[driver]\nname = 5\n", "3:8: \"name\" must be a text"},
      {"manifest = 1\n[driver]\nname = \"minimal\"\nversion = \"1\"\n",
       "[driver.library] is missing"},
      {test::manifest_text("other"), "the manifest of the driver \"other\", not of \"minimal\""},
      {test::manifest_text("../x"), "is no driver name"},
      {with("abi = \"9.9\""), "built for driver ABI 9.9, this Weir has"},
      {with("abi = \"new\""), "\"abi\" must look like"},
      {with("min_host_abi = \"7.0\""), "needs driver ABI 7.0 of its host"},
      {with_library("../plugin.so"), "without \"..\""},
      {with_library("a/../../plugin.so"), "without \"..\""},
      {with_library("/usr/lib/plugin.so"), "relative to the manifest"},
      {with_library(""), "relative to the manifest"},
      {with_library("a\\u0000b"), "relative to the manifest"},
      {"manifest = 1\n[driver]\nname = \"minimal\"\nversion = \"1\"\n[driver.library]\n"
       "plan9-mips = \"a.so\"\n",
       "no entry for this platform, " + platform() + "; it has: plan9-mips"},
      {with("library = 7"), "minimal.toml:"},
      {with("") + "[driver.caps]\ntx = 1\n", "\"tx\" must be true or false"},
      {with("") + "[driver.sha256]\n" + platform() + " = 1\n", "must be a text"},
      {std::string(manifest_size_max + 1, '#'), "at most 65536 bytes"},
      {std::string("manifest = 1\0", 13), "not valid TOML"},
      {"manifest = 1\nx = " + std::string(20000, '['), "not valid TOML"},
  };
}

TEST(Manifest, says_where_and_what_is_wrong) {
  for (const Wrong& wrong : wrong_manifests()) {
    auto manifest = parse_manifest(wrong.text, file, "minimal");
    ASSERT_FALSE(manifest) << wrong.text;
    EXPECT_EQ(manifest.error().code(), Code::driver_manifest);
    EXPECT_THAT(manifest.error().message(), HasSubstr(file));
    EXPECT_THAT(manifest.error().message(), HasSubstr(wrong.words));
  }
}

TEST(Manifest, survives_any_damage) {
  const std::string good = full_text();
  std::mt19937 random(20240502);
  for (int round = 0; round < 2000; ++round) {
    std::string text = good;
    for (int i = 0; i < 3; ++i) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, random() % 20);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 20));
          break;
      }
    }
    (void)parse_manifest(text, file, "minimal");  // no crash, no hang, no sanitizer report
  }
}

TEST(Manifest, must_agree_with_its_library) {
  const weir_driver driver = minimal_driver();
  auto table = DriverTable::create(&driver, "here");
  auto manifest = parse_manifest(full_text(), file, "minimal");
  ASSERT_TRUE(table && manifest);
  EXPECT_TRUE(compare_with_library(*manifest, *table, "/plugins/x.so"));

  Manifest other = *manifest;
  other.info.version = "1.2.4";
  auto ok = compare_with_library(other, *table, "/plugins/x.so");
  ASSERT_FALSE(ok);
  EXPECT_EQ(ok.error().code(), Code::driver_manifest);
  EXPECT_THAT(ok.error().message(), HasSubstr("version 1.2.4, but /plugins/x.so says 1.2.3"));

  other = *manifest;
  other.caps["tx"] = true;
  ok = compare_with_library(other, *table, "/plugins/x.so");
  ASSERT_FALSE(ok);
  EXPECT_THAT(ok.error().message(), HasSubstr("tx true, but /plugins/x.so says false"));
}

// A driver is built wherever Weir is, and its manifest is installed as it stands.
TEST(OurManifests, name_a_library_for_each_platform_that_the_loader_has_a_name_for) {
  const char* root = std::getenv("WEIR_TEST_SOURCE_ROOT");
  const std::string source(root == nullptr ? "." : root);
  const std::string names = test::read_file(source + "/core/loader/elf.cpp");
  const std::regex name("native_name = \"(\\w+)\"");
  std::vector<std::string> platforms;
  for (std::sregex_iterator at(names.begin(), names.end(), name), end; at != end; ++at) {
    platforms.push_back("linux-" + (*at)[1].str() + "-gnu");
    platforms.push_back("linux-" + (*at)[1].str() + "-musl");
  }
  EXPECT_THAT(platforms, testing::Contains(platform()));
  for (const std::string driver : {"mock", "mysql", "postgres", "sqlite", "template"}) {
    const std::string manifest =
        test::read_file(source + "/plugins/" + driver + "/" + driver + ".toml");
    for (const std::string& one : platforms) {
      EXPECT_THAT(manifest, HasSubstr("\n" + one + " = \"weir_" + driver + ".so\"\n"));
    }
  }
}

}  // namespace
}  // namespace weir::loader
