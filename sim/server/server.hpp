// SPDX-License-Identifier: MIT
//
// server.hpp: a database server that exists only as a state machine: sessions, their statements and
// how long these take, and everything that can go wrong on the way. It keeps a ledger of what it
// saw, by which sim/check judges the pool.
//
// Called by: the extension (extension.hpp) for the driver; nemeses, by add(). Owned by the world.
// Threads: one at a time; `now` never goes back. Never waits, reads no clock.
// Invariants: 1. What happens on the server happens in the order of its times, ties in the order of
//                the links' numbers, however late somebody calls: advance() catches up first.
//             2. A request has its effect at one instant, whether or not its client is still there.
//             3. A link draws from its own streams and a lease's statements from the lease's, so
//                that one client less changes nobody else's luck, and another pool that of no work.
#pragma once

#include "sim/server/capacity.hpp"
#include "sim/server/distribution.hpp"
#include "sim/server/faults.hpp"
#include "sim/server/ledger.hpp"
#include "sim/server/session.hpp"

#include <weir/draft/sim_server.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weir::sim {

struct Settings {
  std::uint64_t seed = 0;
  Distribution network;  // one way
  Distribution resolve;  // the phases of a connect: before the server knows of it
  Distribution tls;      // and after: here the session counts already
  Distribution auth;
  Distribution statement;  // service times; those of statements and commits share the capacity
  Distribution commit;
  Distribution ping;
  Distribution reset;
  Distribution goodbye;
  Capacity capacity;
  std::uint32_t max_connections = 0;  // 0: no limit
  std::int64_t idle_timeout_ns = 0;   // the server's own; 0: none
  std::int64_t notice_ns = 0;         // how long it takes to see that a client has closed
  bool loose_cancels =
      false;  // a cancel ends whatever runs when it comes: a driver without a fence
  std::vector<Fault> faults;
  // What a ledger takes; one that has become longer is not kept, only its counts.
  std::size_t records_max = 2'000'000;
  friend bool operator==(const Settings&, const Settings&) = default;
};

struct Request {
  std::int32_t kind = WEIR_SIM_STATEMENT;
  std::uint64_t op_id = 0;
  std::string text;
  std::vector<std::string> parameters;
  std::int32_t level = WEIR_RESET_TX;
};

struct Reply {
  bool pending = true;
  weir_time look_at = WEIR_NO_DEADLINE;
  bool past_deadline = false;
  bool past_abort = false;
  std::uint32_t session_flags = 0;
  std::uint64_t backend_id = 0;
  const Answer* answer = nullptr;  // until the next call on the link
};

struct Wake {
  const weir_host* host = nullptr;
  std::uint64_t conn_tag = 0;
};

class Server {
 public:
  explicit Server(Settings settings);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The driver's side; see weir/draft/sim_server.h.
  std::uint64_t dial(weir_time now, std::uint64_t conn_tag, const weir_host* host);
  void send(weir_time now, std::uint64_t link, const Request& request);
  Reply poll(weir_time now, std::uint64_t link);
  void cancel(weir_time now, std::uint64_t link, std::uint64_t op_id);
  void give_up(weir_time now, std::uint64_t link);
  void hang_up(weir_time now, std::uint64_t link);
  // Whose waits have become too long since the last call.
  std::vector<Wake> take_wakes();

  // The world's side.
  void advance(weir_time now);
  void add(weir_time now, const Fault& fault);  // fault.from >= now
  [[nodiscard]] const Ledger& ledger() const noexcept { return ledger_; }
  void forget_ledger() noexcept { ledger_ = {}; }
  [[nodiscard]] const Database& database() const noexcept { return database_; }

 private:
  struct Op {
    enum class Phase : std::uint8_t {
      none,
      outbound,   // arrives at `at`
      serving,    // shares the capacity; `work` is left
      timed,      // ends at `at`, whatever else runs
      returning,  // the client has it at `at`
      lost        // never
    };
    Phase phase = Phase::none;
    bool dialing = false;
    bool past_deadline = false;
    bool past_abort = false;
    weir_time not_before = 0;  // the reply
    bool given_up = false;
    weir_time at = 0;
    std::int64_t work = 0;
    bool reset_after = false;                // a RST, once it has had its effect
    std::optional<std::uint32_t> slow_luck;  // one throw of the dice for all of its times
    Request request;
    Command command;
    Answer answer;
  };
  struct Link {
    Link(std::uint64_t number, std::uint64_t tag, const weir_host* waker, base::Random chance)
        : id(number), conn_tag(tag), host(waker), random(chance) {}
    std::uint64_t id;
    std::uint64_t conn_tag;
    const weir_host* host;
    base::Random random;
    LeaseMark lease;  // whose statements `lease_random` is for
    std::optional<base::Random> lease_random;
    Session session;               // id 0: none
    std::uint64_t backend_id = 0;  // as the client knows it
    weir_time last_io = 0;
    bool half_open = false;
    bool cut = false;  // the server has ended it, which the client may not know
    bool hung_up = false;
    weir_time notice_at = WEIR_NO_DEADLINE;
    weir_time cancel_at = WEIR_NO_DEADLINE;
    std::uint64_t cancel_op = 0;
    Op op;
    [[nodiscard]] bool runs() const noexcept {
      return op.phase == Op::Phase::serving || op.phase == Op::Phase::timed;
    }
  };
  using Links = std::map<std::uint64_t, Link>;

  // agenda.cpp: what happens next, and catching up.
  [[nodiscard]] weir_time next_of(const Link& link, std::int64_t each) const;  // at this speed()
  [[nodiscard]] weir_time idle_end(const Link& link) const;
  [[nodiscard]] weir_time next_edge() const;
  [[nodiscard]] std::int64_t speed() const;
  [[nodiscard]] weir_time look_at(const Link& link) const;
  [[nodiscard]] weir_time served_at(const Link& link) const;
  void work_until(weir_time at);
  void pass_edge();
  void step(Link& link);
  void wake_all_that_wait();

  // server.cpp: the way of a request.
  void arrive(Link& link);
  void admit(Link& link);
  void start(Link& link);
  void finish(Link& link);
  void effect(Link& link);
  void hold(Link& link);  // a hang, if there is one
  void carry_back(Link& link);
  void answer(Link& link, Answer said);  // it travels back
  void lose(Link& link);
  void take_cancel(Link& link);
  void end_session(Link& link, SessionEnd ending);
  void refuse(Link& link, weir_status kind, std::uint8_t stage, const char* text);

  // faults and chance
  [[nodiscard]] bool is_active(const Fault& fault, const Link& link) const;
  bool hits(const Fault& fault, Link& link);      // active, and the dice say so
  const Fault* hits(FaultKind kind, Link& link);  // the worst of those that do
  [[nodiscard]] bool is_read_only(const Link& link) const;
  std::int64_t scaled(std::int64_t ns, Link& link);
  std::int64_t demand(Link& link);
  base::Random& dice(Link& link);  // for what it does now

  Record about(const Link& link) const;
  void note(const Link& link, What what, std::int64_t number = 0, std::string text = {});

  Settings settings_;
  Ledger ledger_;
  Database database_;
  Links links_;
  std::map<std::uint64_t, std::uint64_t> dials_;  // conn_tag -> how often
  std::vector<std::size_t> edges_;  // of faults that act at their beginning, by time; not yet due
  std::vector<Wake> wakes_;
  std::uint64_t last_link_ = 0;
  std::uint64_t last_session_ = 0;
  weir_time clock_ = 0;
};

}  // namespace weir::sim
