// SPDX-License-Identifier: MIT
//
// The pool's log in spdlog. Only this header knows spdlog, and only a host that includes it needs
// it; it is not part of weir/weir.hpp.
//
//   auto pools = weir::Pools::builder().file("weir.toml").log(weir::spdlog_sink(logger)).open();
//
// Levels:  query is debug; info, warn and error are their namesakes. What is logged at all is said
//          by `log` of the pool; spdlog's own level applies as well.
// Threads: as the logger's: one that ends in _mt, or asynchronous.
#pragma once

#include <weir/log.hpp>

#include <memory>
#include <spdlog/spdlog.h>

namespace weir {

[[nodiscard]] inline LogSink spdlog_sink(std::shared_ptr<spdlog::logger> logger) {
  return
      [logger = std::move(logger)](LogLevel level, std::string_view pool, std::string_view line) {
        const spdlog::level::level_enum as = level == LogLevel::error  ? spdlog::level::err
                                             : level == LogLevel::warn ? spdlog::level::warn
                                             : level == LogLevel::info ? spdlog::level::info
                                                                       : spdlog::level::debug;
        logger->log(as, "{}: {}", pool, line);
      };
}

}  // namespace weir
