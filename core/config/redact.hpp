// SPDX-License-Identifier: MIT
//
// What may be shown of text that can hold a secret. Where the text is not understood, too much is
// hidden rather than too little.
#pragma once

#include <string>
#include <string_view>

namespace weir::config {

// Text in a place that is not meant for secrets, but looks like one: a URL that was put under the
// wrong key, "user:password@host", "password=...". Such text is not echoed.
[[nodiscard]] bool looks_secret(std::string_view text);

// Short and of plain characters, as numbers, durations and words of a choice are. Values of such
// keys are echoed only if they could be meant as one.
[[nodiscard]] bool is_modest(std::string_view text);

// The URL with user, host, path and harmless parameters visible, and "***" for everything else.
[[nodiscard]] std::string redact_url(std::string_view url);

// How a statement begins: "PRAGMA key ***", "SELECT ***". What follows may be a key or a password.
[[nodiscard]] std::string redact_sql(std::string_view sql);

}  // namespace weir::config
