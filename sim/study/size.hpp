// SPDX-License-Identifier: MIT
//
// size(): the smallest `max` of a scenario's pool that keeps a promise about its service, found by
// runs with the same seeds, and which limit that answer comes from.
//
// The search doubles `max` until the promise is kept, then halves the gap to the last one that
// broke it. Where doubling finds none, it looks around the best: a database that slows down under
// many statements has its best somewhere in between. It takes waits to fall and then rise with
// `max`, and not to do so twice.
//
// Called by: `weir sim size`. Owns nothing. Threads: one. Blocks: for the runs.
#pragma once

#include "sim/study/queueing.hpp"
#include "sim/study/study.hpp"

#include <optional>

namespace weir::sim {

// What is promised: "p99 wait < 20ms, errors < 0.1%". All of it has to hold.
struct Slo {
  struct Term {
    Gauge gauge;
    double limit = 0;
    // Below 1 the promise is kept, with room to spare the farther below it is.
    [[nodiscard]] double load(double value) const;
  };
  std::vector<Term> terms;
};
// Errors: config_value, with what would be right.
[[nodiscard]] Result<Slo> parse_slo(std::string_view text);
[[nodiscard]] std::string to_string(const Slo::Term& term);  // "p99 wait < 20ms"
[[nodiscard]] std::string to_string(const Slo& slo);

// kept: each term holds with 95 % confidence. unclear: the mean keeps it, and chance may be why.
enum class Kept : std::uint8_t { kept, unclear, broken };

[[nodiscard]] Kept judge(const Slo::Term& term, const Estimate& measured);

struct Probe {
  std::uint32_t max = 0;
  Kept kept = Kept::broken;
  std::vector<Estimate> terms;  // of the promise, in its order
  Estimate wait_mean;
  Estimate round_mean;
  Estimate throughput;
  double load = 0;  // of the heaviest term
  Theory queue;     // or why it has none
};

// Which limit the answer comes from.
enum class Limit : std::uint8_t {
  slo,       // one connection less would break the promise
  smallest,  // there is no smaller pool than one connection
  server,    // [server] max_connections, with which the promise is not kept
  clients,   // no more connections than this can be in use
  bound,     // the search's own
  database   // it is as fast as it gets: more connections do not help
};
[[nodiscard]] std::string_view to_string(Limit limit) noexcept;

struct SizeAnswer {
  std::string name;  // of the scenario
  std::uint32_t runs = 0;
  std::uint64_t seed = 0;            // the first
  std::optional<std::uint32_t> max;  // nothing: no size keeps it
  Limit limit = Limit::slo;
  std::string why;            // one sentence
  std::uint32_t most = 0;     // up to which it was looked for
  std::vector<Probe> probes;  // by `max`
};

// The pool of a size: its `min` is at most its `max`.
[[nodiscard]] Scenario with_max(Scenario scenario, std::uint32_t max);

// `most`: the search's own bound; the server's and the clients' may be lower.
[[nodiscard]] Studied<SizeAnswer> find_size(const Scenario& scenario, const Slo& slo,
                                            std::uint32_t most, const StudyOptions& options);

[[nodiscard]] std::string to_text(const SizeAnswer& answer, const Slo& slo);
[[nodiscard]] std::string to_json(const SizeAnswer& answer, const Slo& slo);
// One page that stands alone: a chart for each term of the promise over the sizes that were tried,
// with what is promised as a line across, and the table.
[[nodiscard]] std::string to_html(const SizeAnswer& answer, const Slo& slo);

// "max = 8 keeps p99 wait < 20ms"
[[nodiscard]] std::string headline(const SizeAnswer& answer, const Slo& slo);
[[nodiscard]] std::string_view to_string(Kept kept) noexcept;  // "too close to call"

}  // namespace weir::sim
