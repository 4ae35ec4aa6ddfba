// SPDX-License-Identifier: MIT
//
// Durations as people write them: "250ms", "10s", "1m30s". The configuration, driver options and
// the command line read and print them through here, so that one spelling is good everywhere.
//
// Shape: one or more <whole number><unit>, units ns us ms s m h, each at most once, largest first.
//        No sign, no fraction, no space, and no number without a unit, 0 included.
#pragma once

#include <weir/time.hpp>

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace weir {

// Why a text is no duration. `suggestion` is what was probably meant, in correct spelling; it may
// hold two alternatives joined by `" or "`, and is empty where there is no good guess.
struct DurationProblem {
  std::string reason;
  std::string suggestion;
};

[[nodiscard]] tl::expected<Duration, DurationProblem> parse_duration(std::string_view text);

// The exact shortest spelling that parse_duration reads back; no_timeout is "none".
// Requires: duration >= 0.
[[nodiscard]] std::string duration_text(Duration duration);

// What a number without unit may have meant: seconds and milliseconds, the likelier first, joined
// by
// `" or "`.
[[nodiscard]] std::string duration_guesses(std::uint64_t number);

}  // namespace weir
