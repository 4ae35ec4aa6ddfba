// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <cinttypes>
#include <cstdio>
#include <unistd.h>

namespace demo {
namespace {

double seconds(weir::Duration d) { return std::chrono::duration<double>(d).count(); }

std::string readable(weir::Duration d) {
  const double us = std::chrono::duration<double, std::micro>(d).count();
  char text[32];
  if (us < 1000) {
    std::snprintf(text, sizeof text, "%.1f us", us);
  } else if (us < 1'000'000) {
    std::snprintf(text, sizeof text, "%.2f ms", us / 1000);
  } else {
    std::snprintf(text, sizeof text, "%.2f s", us / 1'000'000);
  }
  return text;
}

void print_latency(const char* label, const weir::LatencySummary& s) {
  std::printf("  %-22s p50 %-10s p99 %-10s max %-10s (%" PRIu64 ")\n", label,
              readable(s.p50).c_str(), readable(s.p99).c_str(), readable(s.max).c_str(), s.count);
}

void print_rate(const char* label, std::uint64_t count, weir::Duration elapsed) {
  std::printf("  %-22s %9" PRIu64 "   %9.0f /s\n", label, count,
              static_cast<double>(count) / seconds(elapsed));
}

}  // namespace

ProgressLine::ProgressLine(const weir::Pool& db) : db_(db), terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressLine::show(const Counts& so_far, weir::Duration elapsed) {
  const auto second = static_cast<long long>(seconds(elapsed));
  if (!terminal_ && second == shown_second_) return;
  shown_second_ = second;
  const weir::PoolStats stats = db_.stats();
  std::fprintf(stderr,
               "%s  %4.1f s  %8" PRIu64
               " operations  %6.0f /s  lent %u of %u  waiting %2u"
               "  timeouts %" PRIu64 "%s",
               terminal_ ? "\r" : "", seconds(elapsed), so_far.operations(),
               static_cast<double>(so_far.operations()) / seconds(elapsed), stats.now.lent,
               stats.now.max, stats.now.waiting, stats.timeouts, terminal_ ? "  " : "\n");
  std::fflush(stderr);
}

void ProgressLine::finish() {
  if (terminal_) std::fputs("\n", stderr);
}

void print_table(const Outcome& outcome, const weir::PoolStats& busy,
                 const weir::PoolStats& closed) {
  const Counts& n = outcome.counts;
  std::printf("\nThroughput, %.1f s\n", seconds(outcome.elapsed));
  print_rate("all operations", n.operations(), outcome.elapsed);
  print_rate("lookups by key", n.lookups, outcome.elapsed);
  print_rate("reverse dependencies", n.reverse_lookups, outcome.elapsed);
  print_rate("streams", n.streams, outcome.elapsed);
  print_rate("transfers committed", n.transfers, outcome.elapsed);
  std::printf("  %-22s %9" PRIu64 "   not enough money\n", "transfers declined", n.declined);
  std::printf("  %-22s %9" PRIu64 "   rolled back and tried again\n", "conflicts", n.conflicts);
  std::printf("  %-22s %9" PRIu64 "   read one by one\n", "rows streamed", n.streamed_rows);

  std::printf("\nPool '%s', %s, max %u\n", busy.name.c_str(), busy.driver.c_str(), busy.now.max);
  print_latency("wait of queued leases", busy.wait);
  print_latency("hold", busy.use);
  std::printf("  %-22s %9" PRIu64 "   %" PRIu64 " of them queued first\n", "leases", busy.leases,
              busy.waited);
  std::printf("  %-22s %9" PRIu64 "\n", "acquire timeouts", busy.timeouts);

  std::printf("\nConnections\n");
  print_latency("time to open", closed.create);
  for (std::size_t i = 0; i < weir::open_reason_count; ++i) {
    const std::string reason(weir::to_string(static_cast<weir::OpenReason>(i)));
    std::printf("  %-22s %9" PRIu64 "   %s\n", "opened", closed.opened[i], reason.c_str());
  }
  for (std::size_t i = 0; i < weir::close_reason_count; ++i) {
    if (closed.closed[i] == 0) continue;
    const std::string reason(weir::to_string(static_cast<weir::CloseReason>(i)));
    std::printf("  %-22s %9" PRIu64 "   %s\n", "closed", closed.closed[i], reason.c_str());
  }
  std::printf("\nThe same as JSON\n%s\n", busy.to_json().c_str());
}

void print_verdict(const Verdict& verdict, const Outcome& outcome) {
  std::printf("\nCheck\n");
  std::printf(
      "  %zu commits were acknowledged, %zu are in the ledger, %zu balances were added up\n",
      verdict.committed, verdict.in_ledger, verdict.accounts);
  for (const std::string& failure : outcome.failures) {
    std::printf("  a thread stopped: %s", failure.c_str());
  }
  for (const std::string& problem : verdict.problems) std::printf("  WRONG: %s\n", problem.c_str());
  if (verdict.problems.empty()) std::printf("  exact: no committed change was lost or doubled\n");
}

}  // namespace demo
