// SPDX-License-Identifier: MIT
//
// child.hpp: one rule, one process. The command starts its own program again for each rule and
// watches it; whatever a driver does to a process, it does to one that is thrown away.
//
// Why a program and not a fork: the child begins with nothing of the command's, no heap, no thread,
// no descriptor and no library, so that what a driver changes can be seen, a leak checker sees the
// rule alone, and two runs of a rule start from the same state. A process start costs milliseconds.
//
// Called by: the command (run_in_child); main, before anything else, in the child (child_main).
// Owner:     the child's directory is the caller's; the child's process group ends with the rule.
#pragma once

#include "cli/check/job.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::check {

// The first argument by which main knows that it is such a child. Not a command: it takes its job
// from descriptors 3 and 4, and is of no use to people.
inline constexpr std::string_view child_word = "--driver-check-child";

enum class Ending : std::uint8_t {
  passed,
  failed,   // the rule's verdict
  crashed,  // a signal, or an end of the process that nobody asked for
  hung,     // had to be killed
  skipped,
  unable,  // the kit's trouble, not the driver's
};

struct Outcome {
  Ending ending = Ending::unable;
  std::string text;    // what was seen and what was expected; why it was skipped
  std::string doing;   // of a crash or a hang: the call that was running
  std::string output;  // what the driver printed; made printable
  std::vector<std::string> notes;
  double seconds = 0;
};

// Runs the rule of the job; `stop` is asked several times a second and ends it.
// Blocks: at most `seconds` and a moment.
[[nodiscard]] Outcome run_in_child(const Job& job, unsigned seconds,
                                   const std::function<bool()>& stop);

// Asks a child what the driver is; nothing if it does not live to tell.
[[nodiscard]] std::optional<Description> describe_in_child(Job job,
                                                           const std::function<bool()>& stop);

// The child's side. Returns: the process's exit status.
[[nodiscard]] int child_main();

}  // namespace weir::check
