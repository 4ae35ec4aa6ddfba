// SPDX-License-Identifier: MIT
#include "cli/sim_support.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

namespace weir::cli {

Result<void> write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (file) return {};
  return fail(Code::invalid_argument, path + ": cannot be written: " + std::strerror(errno));
}

Result<sim::Engine> engine_of(const Context& context) {
  const std::string name = context.text("--engine", sim::to_string(sim::default_engine()));
  for (const sim::Engine e : {sim::Engine::fiber, sim::Engine::ucontext, sim::Engine::threads}) {
    if (name == sim::to_string(e)) return e;
  }
  return fail(Code::config_value, "--engine is fiber, ucontext or threads, and not '" + name + "'");
}

Result<void> repeatable(const sim::Scenario& scenario, const std::string& file,
                        std::string_view why) {
  if (scenario.clock != sim::Clock::wall) return {};
  return fail(
      Code::config_conflict,
      fmt::format("{}: clock = \"wall\": no two runs by the wall clock are the same, so {}; "
                  "`weir sim run` runs it once",
                  file, why));
}

}  // namespace weir::cli
