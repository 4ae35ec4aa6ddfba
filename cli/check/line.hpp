// SPDX-License-Identifier: MIT
//
// line.hpp: sessions of a driver whose way to its server leads through a proxy, and a witness that
// goes around it and sees what has come of them.
//
// Called by: rules that need a network. Owner: a rule's stack. Threads: one, where not said else.
#pragma once

#include "cli/check/client.hpp"
#include "cli/check/proxy.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace weir::check {

class Line {
 public:
  explicit Line(const Subject& subject);
  // So that what a driver still has on its way comes to its end before the driver does.
  ~Line() { proxy.calm(); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // A session, by a network in order. Calls on it have until `patience` from now.
  std::unique_ptr<Session> open();
  // Nothing gets through any more, in either way, and nobody is told. [any]
  void fall_silent() { proxy.set({.end_after = 0}, {.end_after = 0}); }
  // What the database holds. It changes with each insert.
  std::vector<Row> observe();

  // How a call that met the end of its connection must have ended: the error, the state, the next
  // call and close. Consumes the session.
  void must_be_lost(std::unique_ptr<Session> s, std::string_view what);
  // close comes back by its deadline, whatever the network does. Consumes the session.
  void must_close(std::unique_ptr<Session> s, std::string_view what);

  // How much later than a deadline of this length a call may be back, on an idle machine.
  [[nodiscard]] weir_time overrun_max(weir_time length) const noexcept;

  static constexpr weir_time ms = 1'000'000;
  static constexpr weir_time patience = 10'000 * ms;

  const Subject& subject;
  Proxy proxy;
  Host host;
  Source source;

 private:
  Scene witness_;
  std::uint64_t tag_ = 0;
};

}  // namespace weir::check
