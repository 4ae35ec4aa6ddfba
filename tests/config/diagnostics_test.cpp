// SPDX-License-Identifier: MIT
//
// Golden diagnostics: tests/config/diagnostics.txt holds files and what is said about them,
// exactly.
#include "tests/config/support.hpp"

#include <sstream>
#include <vector>

namespace weir::config {
namespace {

const Variables variables{{"EMPTY", ""},
                          {"WORD", "hunter2"},
                          {"NEVER", "never"},
                          {"ZERO", "0"},
                          {"DIGITS", "471147114711"},
                          {"MAX", "5"},
                          {"URL", "postgres://u:hunter2@h/d?connection_limit=4"}};

struct Case {
  std::string name;
  std::string toml;
  std::string expected;
};

std::string golden_path() {
  const char* root = std::getenv("WEIR_TEST_SOURCE_ROOT");
  return std::string(root != nullptr ? root : ".") + "/tests/config/diagnostics.txt";
}

struct Golden {
  std::string preface;
  std::vector<Case> cases;
};

Golden read_golden() {
  Golden golden;
  std::ifstream file(golden_path());
  std::string* part = &golden.preface;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("=== ")) {
      golden.cases.push_back({line.substr(4), {}, {}});
      part = &golden.cases.back().toml;
    } else if (line == "---" && part != &golden.preface) {
      part = &golden.cases.back().expected;
    } else {
      *part += line + "\n";
    }
  }
  return golden;
}

std::string with_bytes(std::string text) {
  constexpr std::string_view mark = "\\xff";
  const std::size_t at = text.find(mark);
  return at == std::string::npos ? text : text.replace(at, mark.size(), "\xff");
}

TEST(Diagnostics, are_exactly_these) {
  Golden golden = read_golden();
  ASSERT_GT(golden.cases.size(), 100u) << golden_path();
  const bool update = std::getenv("WEIR_UPDATE_DOCS") != nullptr;
  std::string written = golden.preface;
  for (const Case& c : golden.cases) {
    SCOPED_TRACE(c.name);
    const std::string actual = faults_of(with_bytes(c.toml), variables) + "\n";
    EXPECT_EQ(actual.find("hunter2"), std::string::npos) << "a secret in:\n" << actual;
    EXPECT_EQ(actual.find("4711"), std::string::npos) << "a variable's value in:\n" << actual;
    EXPECT_NE(actual, "accepted\n");
    if (!update) {
      EXPECT_EQ(actual, c.expected) << "WEIR_UPDATE_DOCS=1 writes the file anew";
    }
    written += "=== " + c.name + "\n" + c.toml + "---\n" + actual;
  }
  if (update) std::ofstream(golden_path()) << written;
}

TEST(Diagnostics, the_frame_names_the_file_and_counts) {
  const auto one = parse_with(in_pool("max = 0"));
  ASSERT_FALSE(one);
  EXPECT_EQ(one.error().code(), Code::config_value);
  EXPECT_EQ(one.error().what(),
            "weir: app.toml cannot be used\n\n"
            "error[W105]: `max` must be from 1 to 10000\n"
            " --> app.toml:4:7\n"
            "  |\n"
            "4 | max = 0\n"
            "  |       ^ a pool without connections cannot serve anybody\n"
            "\n"
            "1 error · `weir explain W105` [W105 config_value]\n");
  const auto many = parse_with(in_pool("max = 0\nlog = 1\nx = 1"));
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().code(), Code::config_many);
  EXPECT_TRUE(many.error().what().ends_with(
      "3 errors · `weir explain W105`, `weir explain W104`, `weir explain W103` "
      "[W109 config_many]\n"))
      << many.error().what();
}

}  // namespace
}  // namespace weir::config
