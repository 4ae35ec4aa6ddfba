// SPDX-License-Identifier: MIT
//
// Goal: lines of the pool's log come to spdlog with their levels. Built against spdlog where it is
// installed, else against a stand-in.
#include <weir/adapters/spdlog.hpp>

#include <gtest/gtest.h>

#if defined(WEIR_TEST_SPDLOG)
#include <spdlog/sinks/ostream_sink.h>
#include <sstream>
#endif

namespace weir {
namespace {

TEST(Spdlog, has_the_lines_with_their_levels) {
#if defined(WEIR_TEST_SPDLOG)
  std::ostringstream out;
  auto logger = std::make_shared<spdlog::logger>(
      "weir", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
  logger->set_level(spdlog::level::debug);
  logger->set_pattern("%l %v");
  const auto text = [&] { return logger->flush(), out.str(); };
#else
  auto logger = std::make_shared<spdlog::logger>();
  const auto text = [&] {
    static constexpr const char* names[] = {"trace", "debug", "info", "warning", "error"};
    std::string all;
    for (const auto& [level, line] : logger->lines) {
      all += std::string(names[level]) + " " + line + "\n";
    }
    return all;
  };
#endif
  const LogSink sink = spdlog_sink(logger);
  sink(LogLevel::query, "main", "select {}");
  sink(LogLevel::info, "main", "opened");
  sink(LogLevel::warn, "main", "slow");
  sink(LogLevel::error, "main", "down");
  EXPECT_EQ(text(),
            "debug main: select {}\ninfo main: opened\nwarning main: slow\nerror main: down\n");
}

}  // namespace
}  // namespace weir
