// SPDX-License-Identifier: MIT
//
// The weir command: parses, runs one command of the table, and turns whatever happens into an exit
// code and words.
#include "cli/arguments.hpp"
#include "cli/check/child.hpp"
#include "cli/manual.hpp"

#include <exception>

#include <fmt/format.h>

namespace weir::cli {
namespace {

int run(const Parsed& parsed, Output& out, Interrupt& interrupt) {
  Context context(parsed.globals, parsed.values, out, interrupt);
  if (!parsed.problem.empty()) return context.usage_error(parsed.problem);
  if (parsed.help) {
    out.data(parsed.command != nullptr ? help_text(*parsed.command, out)
                                       : help_text(parsed.help_for, out));
    return exit_ok;
  }
  if (parsed.command == nullptr) {  // `weir`, `weir config`: which one?
    out.prose(help_text(parsed.help_for, out));
    return exit_usage;
  }
  const int code = parsed.command->run(context);
  return interrupt.raised() && !interrupt.settled() ? interrupt.exit_code() : code;
}

int guarded(int argc, char** argv) {
  const Parsed parsed = parse_arguments(argc, argv);
  Interrupt interrupt;
  Output out(parsed.globals.color, parsed.globals.quiet);
  int code = exit_ok;  // also of a command that has done all that its reader wanted
  try {
    code = run(parsed, out, interrupt);
    out.end_progress();
    out.flush();
    return code;
  } catch (const OutputClosed& closed) {
    if (closed.reader_left()) return code;  // `weir sql ... | head`
    out.prose(fmt::format("weir: cannot write to standard output: {}\n", closed.what()));
    return exit_failed;
  } catch (const Exception& error) {
    out.prose(error.error().what());
    return error.error().exit_code();
  } catch (const std::exception& error) {
    out.prose(fmt::format("weir: internal error: {}; please report it\n", error.what()));
    return exit_internal;
  }
}

}  // namespace
}  // namespace weir::cli

int main(int argc, char** argv) {
  // Before there is a thread or a handler: the child of a check shows what a driver does to a
  // process, so there must be nothing else in it.
  if (argc == 2 && argv[1] == weir::check::child_word) return weir::check::child_main();
  return weir::cli::guarded(argc, argv);
}
