// SPDX-License-Identifier: MIT
//
// Mark: the rare turns of the shell, which a search through schedules must have taken before it may
// say that it found nothing. Passing one costs nothing in a host; a simulator counts them all, and
// reports those that it never passed.
//
// A mark names a place at which two threads met, and not a function: which functions ran is what a
// coverage tool tells.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::runtime {

enum class Mark : std::uint8_t {
  lent_in_lane,  // without the lock
  returned_in_lane,
  lane_opened,
  opened_beside_a_waiter,  // who has an offer
  sample_skipped,          // a lease was not measured, because the lock was taken
  lent_at_once,            // from the rack, without waiting
  lent_in_line,            // to a caller that waited
  offer_claimed,           // a caller was offered a connection by one who came back, and took it
  offer_at_deadline,       // the offer and the deadline of the caller came together
  gave_up_in_line,         // a deadline came first
  woken_for_nothing,       // neither
  returned_to_line,        // a clean return while somebody waits
  aborted,                 // an operation, from outside, while it ran
  aborted_before_open,     // the abort came before there was anything to abort
  init_failed,
  not_cleaned,        // a session did not come clean and is replaced
  stopped_in_line,    // the host ended a wait, or came too late for it
  several_given_up,   // some of the connections that a caller wanted together came too late
  left_in_line,       // a wait without a thread was given up by whoever began it
  left_with_lease,    // it had its connection by then
  timer_came,         // with or without anything to do
  leapt,              // the timer came much too late
  pool_ended_itself,  // the last one out was a lease or an operation, after the pool's owner
};
inline constexpr auto mark_count = static_cast<std::size_t>(Mark::pool_ended_itself) + 1;

[[nodiscard]] constexpr std::string_view to_string(Mark mark) noexcept {
  constexpr std::array<std::string_view, mark_count> names{
      "lent_in_lane",      "returned_in_lane",
      "lane_opened",       "opened_beside_a_waiter",
      "sample_skipped",    "lent_at_once",
      "lent_in_line",      "offer_claimed",
      "offer_at_deadline", "gave_up_in_line",
      "woken_for_nothing", "returned_to_line",
      "aborted",           "aborted_before_open",
      "init_failed",       "not_cleaned",
      "stopped_in_line",   "several_given_up",
      "left_in_line",      "left_with_lease",
      "timer_came",        "leapt",
      "pool_ended_itself"};
  return names[static_cast<std::size_t>(mark)];
}

}  // namespace weir::runtime
