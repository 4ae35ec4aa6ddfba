// SPDX-License-Identifier: MIT
//
// The pictures of the HTML report, as inline SVG: the states of the connections over time, the
// waits over the same time, and the percentiles. Colours and type are the page's, by class: its
// style sheet knows them for light and dark (html_style.hpp).
//
// Called by: html.cpp. Owns nothing. Threads: any; pure functions.
// Invariants: each is empty where there is nothing to show; the two with a time axis have the same
//             one, so that they stand exactly below each other.
#pragma once

#include "sim/report/facts.hpp"

namespace weir::sim {

[[nodiscard]] std::string states_chart(const Case& shown);
[[nodiscard]] std::string waits_chart(const Case& shown);
[[nodiscard]] std::string percentiles_chart(const Case& shown);

// Where an axis from 0 to `top` has its marks: about `wanted` of them, at 1, 2 or 5 times a power
// of ten.
[[nodiscard]] std::vector<double> axis_marks(double top, int wanted);

}  // namespace weir::sim
