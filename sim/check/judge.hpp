// SPDX-License-Identifier: MIT
//
// Judge: the properties of pools.md section 5 that a run of the pool can show, looked at after
// every step of the engine, at every return of a client's call, and at the end. It believes the
// server's ledger, not the pool's books.
//
// Each property counts how often it was put to the test: one that never was has shown nothing, and
// the report says so. The first one broken ends the world.
//
// Deadlines are judged with the stall ledger: an early step of the clock is a delay that no pool
// can make good, so that much later is not late.
//
// Called by: the world, through SimRuntime (stepped), and by run() for what clients see.
// Owner: run(). Threads: virtual ones; it has no scheduling point of its own.
#pragma once

#include "core/engine/types.hpp"
#include "sim/check/supply.hpp"
#include "sim/server/server.hpp"
#include "sim/world/sim_runtime.hpp"

#include <weir/error.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::sim {

// What a run has shown.
struct Judgement {
  std::map<std::string, std::uint64_t, std::less<>> checked;  // property -> how often
  // Which engine state met which operation or event, by (state, event): the coverage matrix.
  std::map<std::pair<std::string, std::string>, std::uint64_t> seen;
  std::map<std::string, std::uint64_t, std::less<>> marks;  // all of them -> how often
};

class Judge final : public StepWatcher {
 public:
  // `server`: whose sessions are counted; null: nobody's.
  Judge(World& world, const Server* server);
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;

  void stepped(const std::string& pool, const engine::Engine& engine, const engine::PlainRack& rack,
               const engine::Effects& fx) override;
  void reached(runtime::Mark mark) override {
    ++marks_[static_cast<std::size_t>(mark)];
    if (mark == runtime::Mark::timer_came) ticks_ = true;
    if (mark == runtime::Mark::lane_opened) lane_opened_ = world_.now();
    if (mark == runtime::Mark::lent_in_lane) check_lane();
  }
  void waits() override;
  [[nodiscard]] std::uint64_t times(runtime::Mark mark) const {
    return marks_[static_cast<std::size_t>(mark)];
  }

  // What a client saw of one acquire.
  struct Acquire {
    Instant asked;
    Instant deadline;
    Instant answered;
    Duration stalled_before;  // World::stalled() when it asked
    const Error* error;       // null: it has a lease
  };
  void acquired(const Acquire& call);
  // A drain that was asked for at `asked` has returned.
  void closed(Instant asked);

  // The host's log is called: no lock of the pool may be held.
  void log_called();

  // Counts the premise of `property`, a literal, and ends the world if it does not hold. `text` is
  // a string, or makes one; most are never needed.
  template <class Text>
  void require(bool held, const char* property, Text&& text) {
    count(property);
    if (held) return;
    if constexpr (std::is_invocable_v<Text>) {
      world_.fail(property, text());
    } else {
      world_.fail(property, std::string(text));
    }
  }

  [[nodiscard]] Judgement judgement() &&;
  // What it remembers, once it is not asked any more.
  void forget() noexcept;

 private:
  struct SlotWatch {
    Instant op_started;
    Instant connect_started;
    bool connects = false;  // at the step before
    std::uint64_t lease_warned = 0;
    bool above_min_at_close = false;
    bool surplus_at_close = false;
    bool given_up = false;  // its operation was aborted
    Instant created;
    bool fresh = false;  // created, and not yet seen idle
    Instant idle_since;  // as when its last lease ended
    Instant expires_at;  // as when it was first seen
    std::uint64_t last_lease = 0;
    std::optional<std::uint64_t> lease_in_doubt;  // its last one when it became suspect
    Instant idle_from;  // on the rack without interruption; zero: it is not
  };
  void count(const char* property);
  SlotWatch& slot(std::uint32_t id);
  [[nodiscard]] Duration slack_since(Instant from) const;
  void check_counts(const engine::Engine& engine, const engine::PlainRack& rack);
  void check_links(const engine::Engine& engine);
  void check_starts(const engine::Engine& engine, const engine::Effects& fx);
  void check_resolved(const engine::Engine& engine, const engine::PlainRack& rack,
                      const engine::Effects& fx);
  void check_deadlocks(const engine::Engine& engine, const engine::PlainRack& rack,
                       const engine::Effects& fx);
  [[nodiscard]] static bool all_wait_for_each_other(const engine::Engine& engine,
                                                    const engine::PlainRack& rack);
  void check_health(const engine::Engine& engine);
  void check_times(const engine::Engine& engine, const engine::PlainRack& rack);
  void check_doubt(engine::SlotId id, const engine::PlainRack& rack);
  void check_lane();
  void check_rack(const engine::Engine& engine, const engine::PlainRack& rack);
  void check_attempt(engine::SlotId id, engine::SlotState state);
  void check_idle(engine::SlotId id, const engine::Engine& engine, const engine::PlainRack& rack,
                  std::uint32_t of_use);
  void check_events(const engine::Engine& engine, const engine::PlainRack& rack,
                    const engine::Effects& fx);
  void check_report(const Acquire& call, const AcquireReport& report);

  World& world_;
  const Server* server_;
  // Where processors are scarce, a thread that is ready may have to wait for one.
  const Duration scarce_;
  Supply supply_;
  engine::EngineConfig config_;  // the pool's, at this step
  std::uint32_t max_ever_ = 0;
  Judgement judgement_;
  std::vector<std::pair<const char*, std::uint64_t>> checked_;
  std::array<std::uint64_t, runtime::mark_count> marks_{};
  std::vector<SlotWatch> slots_;
  std::uint64_t last_event_step_ = 0;
  std::uint64_t engine_step_ = UINT64_MAX;
  std::uint32_t min_before_ = 0;
  Instant above_min_since_;      // that there are more connections of use than min
  bool ticks_ = false;           // the step to come is a tick
  std::uint64_t ticks_due_ = 0;  // at one instant, that left a timer due
  Instant stepped_at_;
  std::size_t records_read_ = 0;                // of the server's ledger
  std::int64_t links_ = 0;                      // that the driver has open, by them
  std::map<std::uint64_t, Instant> served_at_;  // a thread that waited
  Instant draining_since_ = no_deadline;
  Instant drained_at_ = no_deadline;
  Instant failing_seen_ = Instant::min();  // that connects fail, last
  bool failing_ = false;
  bool gate_open_ = true;       // of the rack, at the step before, like the next three
  bool wants_returns_ = false;  // of the engine
  std::uint64_t lends_ = 0;
  std::uint64_t returns_ = 0;
  Instant lane_opened_;
  std::optional<Instant> checked_at_;                 // when the last health check began
  std::vector<std::pair<Instant, Duration>> stalls_;  // when the ledger grew, and to what
};

}  // namespace weir::sim
