// SPDX-License-Identifier: MIT
//
// What every page of a study has to be: well-formed, alone, and free of numbers that are none.
#pragma once

#include <string>
#include <string_view>

#include <gmock/gmock.h>

namespace weir::sim::test {

inline std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

inline void expect_stands_alone(const std::string& page) {
  for (const std::string tag : {"svg", "table", "tr", "td", "th", "div", "section", "text", "p",
                                "g", "title", "details", "thead", "tbody"}) {
    EXPECT_EQ(count(page, "<" + tag + ">") + count(page, "<" + tag + " "),
              count(page, "</" + tag + ">"))
        << tag;
  }
  EXPECT_EQ(count(page, "<script>"), 1U);  // ours
  EXPECT_EQ(count(page, "<svg "), count(page, "role=\"img\" aria-label=\""));
  for (const char* part :
       {"nan", "NaN", "inf,", "inf\"", "http:", "https:", "src=", "url(http", "@import", "<link"}) {
    EXPECT_THAT(page, testing::Not(testing::HasSubstr(part)));
  }
}

}  // namespace weir::sim::test
