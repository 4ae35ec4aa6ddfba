// SPDX-License-Identifier: MIT
#include "sim/study/study.hpp"

#include "sim/report/facts.hpp"

#include <fmt/format.h>

namespace weir::sim {

Studied<std::vector<Seen>> run_seeds(Scenario scenario, const StudyOptions& options,
                                     const std::string& variant) {
  std::vector<Seen> all;
  for (std::uint32_t i = 0; i < options.runs; ++i, ++scenario.seed) {
    const std::string which = fmt::format("{}, seed {}", variant, scenario.seed);
    if (options.progress) options.progress(which);
    const Report report = run(scenario, options.run);
    if (!report.ok()) {
      return tl::unexpected(Stopped{report.signature() == interrupted_run, report.unable,
                                    fmt::format("{}: {}", which, headline(report))});
    }
    all.push_back(seen(report));
  }
  return all;
}

}  // namespace weir::sim
