// SPDX-License-Identifier: MIT
#include "sim/study/page.hpp"

#include "sim/report/html.hpp"
#include "sim/report/html_style.hpp"

#include <fmt/format.h>

namespace weir::sim {
namespace {

// What is added to the style of the report of a run.
constexpr std::string_view study_style = R"css(
path.band { fill: var(--waiting); fill-opacity: .14; stroke: none; }
path.band.p50 { fill: var(--lent-name); }
path.theory { fill: none; stroke: var(--limit); stroke-width: 2; stroke-dasharray: 1.5 5;
  stroke-linecap: round; }
svg .name.theory { fill: var(--limit); }
path.promised { fill: none; stroke: var(--good); stroke-width: 1.6; stroke-dasharray: 9 4; }
svg .name.promised { fill: var(--good); }
path.joined { fill: none; stroke: var(--other); stroke-width: 1.2; }
svg .name.joined { fill: var(--other-name); }
.mark, .whisker { fill: none; stroke-width: 2; stroke: var(--mark); }
circle.mark { fill: var(--mark); }
circle.mark.hollow { fill: var(--card); }
.kept { --mark: var(--good); } .unclear { --mark: var(--never); } .broken { --mark: var(--bad); }
.a { --mark: var(--lent-name); } .b { --mark: var(--waiting); } .pair-line { --mark: var(--other); }
.pairs { --mark: var(--other-name); fill-opacity: .45; stroke: none; }
.interval { --mark: var(--text); stroke-width: 3; }
.verdict.neither { border-left-color: var(--dim); }
line.zero { stroke: var(--dim); stroke-dasharray: 4 3; }
)css";

}  // namespace

std::string page_top(std::string_view title) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}</title>\n<style>{1}{2}</style></head><body>\n"
      "<header><h1>{0}</h1>"
      "<button id=\"theme\" type=\"button\">light / dark</button></header>\n",
      html_text(title), html_style, study_style);
}

std::string page_end() { return fmt::format("<script>{}</script>\n</body></html>\n", html_script); }

std::string page_section(std::string_view title, std::string_view body) {
  return fmt::format("<section><h2>{}</h2>\n<div class=\"card\">{}</div></section>\n",
                     html_text(title), body);
}

std::string page_note(std::string_view text) {
  return fmt::format("<p class=\"dim\">{}</p>\n", html_text(text));
}

std::string page_verdict(std::optional<bool> good, std::string_view text) {
  if (!good) return fmt::format("<div class=\"verdict neither\">{}</div>\n", html_text(text));
  return fmt::format("<div class=\"verdict{}\">{} {}</div>\n", *good ? "" : " broken",
                     *good ? "\u2713" : "\u2717", html_text(text));
}

std::string seeds_text(std::uint64_t first, std::uint32_t runs) {
  return fmt::format("with the seeds {} to {}", first, first + runs - 1);
}

std::string page_table(const PageTable& table) {
  const auto row = [](std::string_view tag, const std::vector<std::string>& cells) {
    std::string out = "<tr>";
    for (const std::string& cell : cells) {
      out += fmt::format("<{0} class=\"n\">{1}</{0}>", tag, html_text(cell));
    }
    return out + "</tr>";
  };
  std::string out = "<table class=\"dense\"><thead>" + row("th", table.head) + "</thead><tbody>\n";
  for (const auto& cells : table.rows) out += row("td", cells) + "\n";
  return out + "</tbody></table>\n";
}

}  // namespace weir::sim
