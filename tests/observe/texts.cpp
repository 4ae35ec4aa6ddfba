// SPDX-License-Identifier: MIT
//
// Goal: what is told of names and words that come from elsewhere is whole, whatever is in them.
#include "core/observe/texts.hpp"

#include <gtest/gtest.h>

namespace weir::observe {
namespace {

TEST(JsonText, is_json_whatever_a_database_says) {
  EXPECT_EQ(json_text("a \"b\" \\ c"), R"("a \"b\" \\ c")");
  EXPECT_EQ(json_text("two\nlines\x01"), R"("two\u000alines\u0001")");
  EXPECT_EQ(json_text("Größe"), "\"Größe\"");
  EXPECT_EQ(json_text("Gr\xf6\xdf"), R"("Gr\ufffd\ufffd")");  // Latin 1
  EXPECT_EQ(json_text("cut \xe2\x82"), R"("cut \ufffd\ufffd")");
}

TEST(UnknownPoolText, names_the_nearest_and_all) {
  EXPECT_EQ(unknown_pool_text("mian", {"main", "reports"}),
            "there is no pool \"mian\"; did you mean \"main\"? (configured: main, reports)");
  EXPECT_EQ(unknown_pool_text("x\x1b[2J", {"main"}),
            "there is no pool \"x\\x1b[2J\" (configured: main)");
}

}  // namespace
}  // namespace weir::observe
