// SPDX-License-Identifier: MIT
//
// Whether tests can fork a process that has threads: a child under ThreadSanitizer cannot.
#pragma once

namespace weir::test {

#if defined(__SANITIZE_THREAD__)
inline constexpr bool can_fork = false;
#elif defined(__has_feature)
inline constexpr bool can_fork = !__has_feature(thread_sanitizer);
#else
inline constexpr bool can_fork = true;
#endif
inline constexpr const char* cannot_fork =
    "ThreadSanitizer does not follow a fork of many threads; run a build without it";

}  // namespace weir::test
