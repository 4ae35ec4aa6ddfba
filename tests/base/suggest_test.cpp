// SPDX-License-Identifier: MIT
//
// Did you mean: which word is near enough to be offered, and text made safe to print.
#include "core/base/suggest.hpp"

#include "core/base/text.hpp"

#include <array>

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr std::array<std::string_view, 6> keys{
    "acquire_timeout", "create_timeout", "idle_timeout", "min", "max", "log"};

TEST(Nearest, finds_what_was_meant) {
  EXPECT_EQ(nearest("acquire_timout", keys), "acquire_timeout");
  EXPECT_EQ(nearest("aquire-timeout", keys), "acquire_timeout");
  EXPECT_EQ(nearest("AcquireTimeout", keys), "acquire_timeout");
  EXPECT_EQ(nearest("creat_timeuot", keys), "create_timeout");
  EXPECT_EQ(nearest("mxa", keys), "max");
  EXPECT_EQ(nearest("logs", keys), "log");
}

TEST(Nearest, offers_nothing_rather_than_anything) {
  EXPECT_EQ(nearest("", keys), "");
  EXPECT_EQ(nearest("password", keys), "");
  EXPECT_EQ(nearest("x", keys), "");
  EXPECT_EQ(nearest("ab", keys), "");
  EXPECT_EQ(nearest("_", keys), "");
  EXPECT_EQ(nearest(std::string(100'000, 'a'), keys), "");
  EXPECT_EQ(nearest("max", std::vector<std::string>{}), "");
}

TEST(Nearest, a_word_within_a_word_counts) {
  EXPECT_EQ(nearest("idle", keys), "idle_timeout");
  constexpr std::array<std::string_view, 2> levels{"info", "warn"};
  EXPECT_EQ(nearest("warning", levels), "warn");
}

TEST(Printable, shows_text_and_defuses_the_rest) {
  EXPECT_EQ(printable("h\xc3\xa9llo\n\t\xe2\x82\xac"), "h\xc3\xa9llo\n\t\xe2\x82\xac");
  EXPECT_EQ(printable("\x1b[0m\x7f"), "\\x1b[0m\\x7f");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");           // CSI in one character
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");           // not UTF-8, cut short
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");           // overlong
}

TEST(Trimmed, takes_blanks_off_both_ends) {
  EXPECT_EQ(trimmed(" \t a b\r\n"), "a b");
  EXPECT_EQ(trimmed(" \n"), "");
}

}  // namespace
}  // namespace weir
