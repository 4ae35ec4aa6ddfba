// SPDX-License-Identifier: MIT
//
// The verdict of one run as one JSON object, for programs: what text.hpp says, in plain units (ns,
// counts) and with stable names. The trace hash is text, as JSON's numbers do not hold 64 bits in
// every reader.
//
// Called by: the CLI. Owns nothing. Threads: any.
// Invariant: never throws for what a report holds; bytes that are no UTF-8 are replaced.
#pragma once

#include "sim/report/facts.hpp"

namespace weir::sim {

[[nodiscard]] std::string to_json(const Case& shown);  // no newline at the end

// `text` as a JSON string with its quotes.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace weir::sim
