// SPDX-License-Identifier: MIT
//
// What the pool says to people: why an acquire failed, what happened to a connection. Pure
// functions from plain data to text; the shell calls them outside its lock where it can.
#pragma once

#include <weir/stats.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::observe {

// "1.25ms": three significant digits, the largest fitting unit. For people, not for parsing.
[[nodiscard]] std::string short_duration(Duration d);

// As a JSON string, with its quotes. A byte that is not UTF-8 becomes U+FFFD.
[[nodiscard]] std::string json_text(std::string_view text);

// The message of a failed acquire of `pool`: what was waited for, the counts, the longest leases,
// the create error that can have mattered, and what to do. Several lines.
[[nodiscard]] std::string explain(std::string_view pool, const AcquireReport& report);

// "4 of 10 connections: 3 lent, 1 idle; 2 waiting"
[[nodiscard]] std::string counts_text(const PoolCounts& counts);

// `checkout.cpp:88 "tag"`: of a path the last component only; and the tag, if there is one.
[[nodiscard]] std::string place_text(std::string_view site, std::string_view tag);

// How long, and the place.
[[nodiscard]] std::string holder_text(const LeaseHolder& holder);

// There is no such pool: the nearest name, and all that there are.
[[nodiscard]] std::string unknown_pool_text(std::string_view name,
                                            const std::vector<std::string_view>& known);

}  // namespace weir::observe
