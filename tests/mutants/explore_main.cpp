// SPDX-License-Identifier: MIT
//
// Searches for a broken property as `weir sim explore` does, and says in one line what it found:
//   found PROPERTY|RUNS|SECONDS|what happened
//   nothing|RUNS|SECONDS|
// For run.py, which builds it of sources with a bug in them. A bug may also end the process, or
// keep a run from ending: that is found, too.
//
// Called as: explore_main SEED SECONDS
#include "sim/explore/campaign.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

// Read by the signal's handler.
volatile std::uint64_t runs_ended = 0;  // when it was last told
Clock::time_point begin;

double seconds() { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Not on the heap, which may be what is broken.
[[noreturn]] void end_by(const char* property, const char* text) {
  // Whose thread this may be, which must not ask for the time.
  if (weir::sim::World* const world = weir::sim::World::find()) world->disarm();
  char line[200];
  const int size = std::snprintf(line, sizeof line, "found %s|%llu|%.2f|%s\n", property,
                                 static_cast<unsigned long long>(runs_ended), seconds(), text);
  if (::write(STDOUT_FILENO, line, static_cast<std::size_t>(size)) < 0) std::_Exit(1);
  std::_Exit(0);
}

void on_signal(int signal) {
  if (signal == SIGALRM) end_by("endless", "a run does not end");
  // Its watchdog disarms a world, and then ends the process. So does a tripwire, which no mutant
  // has met yet.
  const weir::sim::World* const world = weir::sim::World::find();
  if (signal == SIGABRT && world != nullptr && !world->options().guard) {
    end_by("endless", "a run does not come to its next step");
  }
  end_by("crash", signal == SIGABRT ? "the process was aborted" : "the process broke");
}

void tell(const weir::sim::CampaignState& state) {
  const auto line = [](const std::string& what, std::uint64_t runs, weir::Duration wall,
                       std::string text) {
    for (char& c : text) c = c == '\n' ? ' ' : c;
    std::printf("%s|%llu|%.2f|%s\n", what.c_str(), static_cast<unsigned long long>(runs),
                std::chrono::duration<double>(wall).count(), text.c_str());
  };
  if (!state.nondeterministic.empty()) {
    line("found T12", state.runs, state.wall, state.nondeterministic.front());
  } else if (!state.found.empty()) {
    const weir::sim::CaseFound& found = state.found.front();
    line("found " + found.minimal.expected.property, found.run, found.found_after,
         found.minimal.expected.story);
  } else {
    line("nothing", state.runs, state.wall, "");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto budget = static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10));
  weir::sim::CampaignOptions options;
  options.seed = std::strtoull(argv[1], nullptr, 10);
  options.budget = std::chrono::seconds(budget);
  options.shrink_budget = {};  // nobody reads the case
  options.progress = [](const weir::sim::CampaignState& state) { runs_ended = state.runs; };
  begin = Clock::now();
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM}) {
    std::signal(signal, &on_signal);
  }
  ::alarm(budget + 10);
  tell(weir::sim::explore(options));
}
