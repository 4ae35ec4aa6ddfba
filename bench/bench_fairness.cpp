// SPDX-License-Identifier: MIT
//
// How far a newcomer may overtake: 32 threads on a pool of 2, for holds from 2 us to 5 ms, with
// `fair_after` from 1 ms to 20 ms, and with `fairness = "strict"`. A line of JSON for each; what
// the default was chosen by (docs/decisions/0008-fair-after.md).
//
// Its options are those of bench/subjects.hpp; a pool is named by its bound.
//
// Called by hand, and by `./dev bench`.
#include "bench/mock_pool.hpp"
#include "bench/subjects.hpp"

#include <weir/weir.hpp>

namespace {

using namespace std::chrono_literals;
using weir::bench::Load;
using weir::bench::Subject;

Subject bounded_by(const char* name, weir::Fairness fairness, weir::Duration fair_after) {
  return {name, [=](const Load& load, std::chrono::duration<double> time) {
            weir::PoolConfig pool = weir::bench::mock_pool(load.connections, fairness);
            pool.fair_after = fair_after;
            const weir::Pools pools = weir::bench::open_mock(std::move(pool));
            return weir::bench::run(load, time, [&](auto&& held) {
              const weir::Lease lease = weir::or_throw(pools["main"].acquire());
              held();
            });
          }};
}

std::vector<Load> loads() {
  std::vector<Load> all;
  for (const auto hold : {Load::Hold::busy, Load::Hold::sleep}) {
    for (const auto held : {2us, 20us, 100us, 500us, 5000us}) {
      const char* const kind = hold == Load::Hold::busy ? "busy-" : "sleep-";
      all.push_back({kind + std::to_string(held.count()) + "us", 32, 2, hold, held});
    }
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  using weir::Fairness;
  const std::vector<Subject> subjects = {
      bounded_by("strict", Fairness::strict, 5ms), bounded_by("1ms", Fairness::bounded, 1ms),
      bounded_by("2ms", Fairness::bounded, 2ms),   bounded_by("3ms", Fairness::bounded, 3ms),
      bounded_by("5ms", Fairness::bounded, 5ms),   bounded_by("10ms", Fairness::bounded, 10ms),
      bounded_by("20ms", Fairness::bounded, 20ms)};
  weir::bench::Wanted want;
  want.loads = loads();
  want.scaling.clear();
  want.held_seconds = 0.5;  // of each of seventy
  return weir::bench::measure(argc, argv, std::string("Weir ") + weir::version(), subjects, want);
}
