// SPDX-License-Identifier: MIT
//
// SmallPool: the engine and the rack of a pool of one or two connections as a value, for a search
// through everything that can happen to it. It can be copied, knows which inputs are possible, and
// judges each step by books of its own. The search is in enumerate.cpp.
//
// Time is counted in whole seconds: every duration of the configuration is a multiple of one, and
// inputs come at whole seconds only, so that key() can hold the distance of each instant from now.
// What does not fall on a second (backoff with its jitter, a drawn lifetime) is due from the next
// one on, which is when the pool is asked again: the order of events within a second is not told
// apart, and no state is merged with one that would behave differently for it.
#pragma once

#include "tests/engine/world.hpp"

namespace weir::engine::test {

// A caller with a deadline waits for so long.
inline constexpr Duration callback_timeout = 1s;

// Everything that can happen to a pool, with the connection or the caller that it happens to.
struct Input {
  enum class Kind : std::uint8_t {
    start,
    acquire_thread,
    acquire_callback,  // with a deadline
    acquire_nested,    // by a task that holds a lease
    acquire_now,       // does not wait
    cancel,
    claim,
    give_back_clean,
    give_back_dirty,
    give_back_broken,
    give_back_twice,
    finish,       // an operation ends
    finish_late,  // its end is told once more
    tick,         // the next timer falls due
    leap,         // nobody ran for three seconds
    suspend,
    resume,
    evict,
    reload,  // what a connection is made of has changed
    resize,  // to the other size
    drain,
  };
  Kind kind = Kind::tick;
  std::uint32_t at = 0;  // slot, or place in the queue
  Op op = Op::none;      // finish: what ends
  OpResult result = OpResult::ok;
  friend bool operator==(const Input&, const Input&) = default;
};
inline constexpr std::size_t input_kinds = 21;
[[nodiscard]] std::string text_of(const Input& input);
[[nodiscard]] const char* text_of(Op op);

// What one search covers.
struct Scope {
  std::string name;
  EngineConfig config;
  std::uint32_t other_min = 0;  // the size that `resize` goes to and comes back from
  std::uint32_t other_max = 0;  // 0: none
  bool nesting = false;

  // Whether time alone changes anything about a connection on the rack.
  [[nodiscard]] bool rack_timers() const noexcept {
    return std::min({config.idle_timeout, config.max_lifetime, config.validate_after,
                     config.keepalive, config.hold_warn}) != no_timeout;
  }
};

// The states of design and glossary: SlotState with the rack's word for it.
enum class Place : std::uint8_t {
  closed,
  connecting,
  initialising,
  idle,
  lent,
  validating,
  resetting,
  closing,
  quarantined,
};
inline constexpr std::size_t place_count = 9;
[[nodiscard]] const char* text_of(Place place);

class SmallPool {
 public:
  explicit SmallPool(const Scope& scope);
  SmallPool(const SmallPool& other);
  SmallPool& operator=(const SmallPool&) = delete;
  ~SmallPool() = default;

  // Everything that can happen now, but for repetitions on connections that are alike.
  [[nodiscard]] std::vector<Input> inputs() const;
  // Of those: what has to be refused. It must not lead to another state.
  [[nodiscard]] static bool has_to_be_refused(const Input& input) noexcept {
    return input.kind == Input::Kind::give_back_twice || input.kind == Input::Kind::finish_late;
  }
  // Makes one step and judges it. Throws Violation.
  void apply(const Input& input);

  // What a world does in which nothing fails any more and everybody gives back; nothing if there is
  // nothing left to do. Following it has to end where healed().
  [[nodiscard]] std::optional<Input> healing() const;
  [[nodiscard]] bool healed() const;

  // Everything that what happens next depends on. Connections that are alike are interchangeable.
  // Left out: serial numbers, ids and counters, which decide nothing; the reason of a close under
  // way, which is only told; the state of the random generators; the exact mean of the holds, but
  // for the side of the threshold on which it lies; the order in which operations with one deadline
  // were started. The last three are where it may miss something.
  [[nodiscard]] std::string key() const;

  [[nodiscard]] const Effects& effects() const noexcept { return fx_; }  // of the last step
  struct Lent {
    std::uint32_t caller;
    SlotId slot;
  };
  // In the last step, by the rack or by the engine.
  [[nodiscard]] const std::vector<Lent>& lent() const noexcept { return lent_; }
  [[nodiscard]] Instant now() const noexcept { return now_; }
  [[nodiscard]] Place place(SlotId slot) const;
  [[nodiscard]] std::uint32_t slots() const noexcept { return engine_.slot_count(); }
  [[nodiscard]] CloseReason reason(SlotId slot) const;
  [[nodiscard]] bool aborted(SlotId slot) const { return conns_[slot].aborted; }
  [[nodiscard]] Engine::Phase phase() const noexcept { return engine_.phase(); }
  [[nodiscard]] bool anybody_waits() const noexcept { return !callers_.empty(); }

 private:
  struct Caller {
    std::uint32_t number;
    WaiterKind kind;
    TaskId task;
    Instant enqueued;
    Instant deadline;
    WaiterId id;
    bool offered;
  };
  struct Conn {  // as driver and server see it
    Op op = Op::none;
    std::uint32_t serial = 0;
    bool aborted = false;
    bool given_up = false;  // the operation under way hangs
    bool hung = false;      // one of its operations did; until it is closed
    bool open = false;      // the server has a session
    bool up = false;        // and it is initialised
    bool dirty = false;
    bool must_close = false;  // it failed: nothing but close may follow
    bool closing = false;
    bool outdated = false;
    bool suspect = false;
    bool held = false;
    TaskId task = no_task;
    std::uint64_t lease = 0;
  };

  void acquire(const Input& input);
  void give_back(const Input& input);
  void finish(const Input& input);
  void reconfigure(const Input& input);
  void refused(const Input& input);
  void perform();
  void on_resolved(const Resolved& resolved);
  void on_start(const StartOp& op);
  void lent_now(std::uint32_t caller, TaskId task, SlotId slot, std::uint64_t lease);
  void doubt_all();
  void outdate_all();
  void check() const;
  void check_waiters() const;
  void check_creates() const;
  void require(bool held, const char* property, const char* what) const;
  [[nodiscard]] bool waits(TaskId task) const;
  [[nodiscard]] std::uint32_t capacity() const;
  [[nodiscard]] std::uint32_t usable() const;
  [[nodiscard]] std::uint32_t sessions() const;
  [[nodiscard]] bool all_wait_for_each_other() const;
  [[nodiscard]] Instant next_tick() const;
  void inputs_of(SlotId slot, std::vector<Input>& to) const;
  [[nodiscard]] std::string key_of(SlotId slot) const;
  [[nodiscard]] std::uint8_t distance(Instant to) const;
  [[nodiscard]] bool started() const;

  const Scope* scope_;
  PlainRack rack_;
  Engine engine_;
  Effects fx_;
  std::vector<Lent> lent_;
  Instant now_ = Instant(1h);
  std::vector<Caller> callers_;  // who waits, in order of arrival
  std::vector<Conn> conns_;
  std::uint32_t next_number_ = 1;
  bool other_size_ = false;
  bool may_wait_ = true;  // the caller of this step
  bool asked_ = true;     // the engine was, in this step
  Input::Kind input_{};
  std::uint32_t resolved_ = 0;  // in this step
  std::uint32_t starts_ = 0;    // connects in this step
  std::uint32_t sessions_before_ = 0;
};

}  // namespace weir::engine::test
