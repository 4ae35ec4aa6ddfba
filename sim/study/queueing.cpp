// SPDX-License-Identifier: MIT
#include "sim/study/queueing.hpp"

#include "sim/server/language.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

namespace weir::sim {
namespace {

bool exponential(const Distribution& d) {
  return d.kind() == Distribution::Kind::exponential && d.mean_ns() > 0;
}
bool nothing(const Distribution& d) { return d.mean_ns() == 0; }

// A part of the service time that is the same each time shifts it, which M/M/c has no room for.
bool idle_wires(const Scenario& s) {
  return nothing(s.server.network) && nothing(s.server.reset) && nothing(s.server.ping);
}

// Of exactly one exponential time; nothing if it is something else.
const Distribution* service_of(const Scenario& s, const ClientGroup& g) {
  const bool speaks = !g.sql.empty();
  const bool holds = !nothing(g.hold);
  const bool waits_for_server = speaks && !nothing(s.server.statement);
  if (holds && !waits_for_server) return &g.hold;
  if (!holds && waits_for_server && g.sql.size() == 1) return &s.server.statement;
  return nullptr;
}

// Of a statement that takes the server's `statement`, and no other time.
bool plain(const std::string& sql) {
  const Verb verb = parse(sql, {}).verb;
  return verb == Verb::query || verb == Verb::write || verb == Verb::put || verb == Verb::add ||
         verb == Verb::get;
}

// How much of an exponential time is longer than `limit`.
double beyond(Duration limit, const Distribution& time) {
  return std::exp(-static_cast<double>(limit.count()) / time.mean_ns());
}

std::string what_is_no_queue(const Scenario& s) {
  if (s.pool.driver != "mock") return "the time that its driver takes is not a distribution";
  if (s.clients.size() != 1) return "it has more than one [[client]], or none";
  const ClientGroup& g = s.clients.front();
  if (g.loop != ClientGroup::Loop::open) return "its clients are a closed loop";
  if (!exponential(g.every)) return "its arrivals are not Poisson: `every` is not exp(...)";
  if (g.transaction || g.nested > 0 || g.together > 1 || g.leak_ppm > 0 || g.gives_up ||
      g.rounds > 0) {
    return "a piece of work is more than one lease of one connection, until the end";
  }
  const Distribution* service = service_of(s, g);
  if (service == nullptr || !exponential(*service)) {
    return "its service is not one exponential time: `hold`, or `statement` of one statement";
  }
  if (!std::all_of(g.sql.begin(), g.sql.end(), plain)) {
    return "its statement is something else than a query or a write";
  }
  if (service == &s.server.statement && beyond(g.within, *service) > 0.001) {
    return "more than one statement in a thousand would take longer than `within`";
  }
  if (!idle_wires(s)) return "connections take time beside the service: network, reset or ping";
  const bool shares = s.server.capacity.cores > 0 && s.server.capacity.cores < s.pool.max;
  if (service == &s.server.statement &&
      (shares || s.server.capacity.sigma_ppm > 0 || s.server.capacity.kappa_ppm > 0)) {
    return "its statements slow each other down: cores, sigma or kappa";
  }
  if (!s.server.faults.empty() || !s.actions.empty()) return "it has faults or actions";
  if (s.mode != Mode::ideal) return "its steps take time: mode is not ideal";
  if (s.server.max_connections > 0 && s.server.max_connections < s.pool.max) {
    return "the server has no room for all connections: max_connections";
  }
  if (g.count < s.pool.max) return "it has fewer clients than connections";
  if (g.count - s.pool.max > s.pool.max_waiting) {
    return "not all of its clients may wait at once: max_waiting";
  }
  return {};
}

}  // namespace

double erlang_c(const Queue& q) {
  const double a = q.arrivals / q.service;
  const double c = q.connections;
  // Erlang B by its recursion, which has no large numbers, and C from it.
  double blocked = 1;
  for (std::uint32_t k = 1; k <= q.connections; ++k) blocked = a * blocked / (k + a * blocked);
  return blocked / (1 - a / c * (1 - blocked));
}

double mean_wait(const Queue& q) { return erlang_c(q) / (q.connections * q.service - q.arrivals); }

double wait_quantile(const Queue& q, double quantile) {
  const double busy = erlang_c(q);
  if (busy <= 1 - quantile) return 0;
  return std::log(busy / (1 - quantile)) / (q.connections * q.service - q.arrivals);
}

Theory queue_of(const Scenario& s) {
  if (std::string why = what_is_no_queue(s); !why.empty()) return why;
  const ClientGroup& g = s.clients.front();
  const Queue q{1e9 / g.every.mean_ns(), 1e9 / service_of(s, g)->mean_ns(), s.pool.max};
  if (!q.stable()) {
    return fmt::format(
        "more comes than it can serve ({:.3g} of {:.3g} per second), so there is no "
        "steady state",
        q.arrivals, q.connections * q.service);
  }
  const Duration patience = g.timeout.value_or(s.pool.acquire_timeout);
  const double limit = std::chrono::duration<double>(patience).count();
  const double late = erlang_c(q) * std::exp(-(q.connections * q.service - q.arrivals) * limit);
  if (late > 0.001) return std::string("more than one acquire in a thousand would time out");
  return q;
}

std::optional<double> expected(const Gauge& gauge, const Theory& theory) {
  const Queue* queue = std::get_if<Queue>(&theory);
  if (queue == nullptr || gauge.what != Gauge::What::wait) return std::nullopt;
  if (gauge.quantile == Gauge::mean) return mean_wait(*queue);
  if (gauge.quantile >= 1) return std::nullopt;  // the longest of all waits has no bound
  return wait_quantile(*queue, gauge.quantile);
}

std::vector<std::string> theory_gaps(const std::vector<Variant>& variants) {
  std::map<std::string, std::vector<std::string>> names;
  std::vector<std::string> order;
  for (const Variant& variant : variants) {
    const std::string* why = std::get_if<std::string>(variant.theory);
    if (why == nullptr) continue;
    auto& where = names[*why];
    if (where.empty()) order.push_back(*why);
    where.push_back(variant.name);
  }
  std::vector<std::string> lines;
  for (const std::string& why : order) {
    const auto& where = names[why];
    lines.push_back(where.size() == variants.size()
                        ? fmt::format("the scenario is no M/M/c: {}", why)
                        : fmt::format("{}: {}",
                                      where.size() > 3
                                          ? fmt::format("{} to {}", where.front(), where.back())
                                          : fmt::format("{}", fmt::join(where, "; ")),
                                      why));
  }
  return lines;
}

}  // namespace weir::sim
