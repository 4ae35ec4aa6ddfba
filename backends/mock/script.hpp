// SPDX-License-Identifier: MIT
//
// script.hpp: the server that the mock pretends to talk to: how long each call takes, which fail,
// who is let in. Everything that a conn does not know by itself it asks here, so this is the seam
// at which a simulated server (remote.hpp) takes over; then the options say only what the driver
// says of itself: connections_max, pinned, refuse, lie.
//
// Called by: the driver's calls. Owned by the source. Threads: any; options are constant after
// parse, counters are atomic, and relaxed because they guard no other data.
#pragma once

#include "backends/common/options.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>

namespace weir::mock {

// The calls that can be scripted, in the order of the option table.
enum class Act : std::uint8_t { open, exec, ping, reset, close, count };

std::string_view name_of(Act act) noexcept;

std::span<const weir_option_spec> option_specs() noexcept;

// WEIR_E_* of a lower-case name, "conn_lost"; WEIR_OK if there is none.
weir_status kind_named(std::string_view name) noexcept;

// What the server does with one call.
struct Verdict {
  std::int64_t latency_ns = 0;
  weir_status failure = WEIR_OK;
  bool hang = false;
};

enum class Lie : std::uint8_t { none, never_dirty, always_dirty, not_proven };

class Script {
 public:
  // CONFIG if url or an option is wrong.
  weir_status parse(const weir_source_args& args, weir_error* error);

  Verdict judge(Act act) noexcept;
  bool refuses(std::string_view call) const noexcept;

  // A session begins (its id, 0 if there are too many), and ends.
  std::uint64_t admit() noexcept;
  void leave() noexcept { sessions_.fetch_sub(1, std::memory_order_relaxed); }
  std::int64_t next_id() noexcept { return last_id_.fetch_add(1, std::memory_order_relaxed) + 1; }

  bool wrong_password() const noexcept { return wrong_password_; }
  bool hang_through_abort() const noexcept { return hang_through_abort_; }
  std::int64_t hang_max_ns() const noexcept { return hang_max_ns_; }
  Lie lie() const noexcept { return lie_; }
  bool pinned() const noexcept { return pinned_; }
  std::uint32_t connections_max() const noexcept { return connections_max_; }
  const std::string& display() const noexcept { return display_; }

 private:
  struct Rule {
    std::int64_t latency_ns = 0;
    weir_status failure = WEIR_OK;
    std::int64_t every = 1;  // the n-th, 2n-th ... call fails
    std::int64_t count = 0;  // so many failures, then none; 0: for ever
    bool hang = false;
    std::atomic<std::int64_t> calls{0};
    std::atomic<std::int64_t> failures{0};
  };
  weir_status parse_rule(const weir_source_args& args, Act act, weir_error* error);

  std::array<Rule, static_cast<std::size_t>(Act::count)> rules_;
  std::string display_;
  std::string refused_;  // "prepare,reset"
  std::int64_t max_sessions_ = 0;
  std::int64_t hang_max_ns_ = 0;
  std::uint32_t connections_max_ = 0;
  Lie lie_ = Lie::none;
  bool wrong_password_ = false;
  bool hang_through_abort_ = false;
  bool pinned_ = false;
  std::atomic<std::int64_t> sessions_{0};
  std::atomic<std::uint64_t> last_session_{0};
  std::atomic<std::int64_t> last_id_{0};
};

}  // namespace weir::mock
