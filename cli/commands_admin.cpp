// SPDX-License-Identifier: MIT
//
// The rows of the command table for the commands that ask a running program.
#include "cli/command.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view one_pool_doc =
    "name of a pool; may be left out if the program has one only";
constexpr std::string_view some_pool_doc = "name of a pool; all pools if left out";
constexpr ExitNote not_reached{69, "the program cannot be reached, or does not answer"};

std::vector<Command> looking_commands() {
  return {
      {.path = "stats",
       .summary = "show what the pools of a running program do",
       .details =
           "Asks a running program, over the socket that `[admin] socket` of its configuration\n"
           "opens. WAIT is how long callers waited for their connection, of those that had to,\n"
           "USE how long connections were lent, both since the program opened the pool. Below\n"
           "the table stands why a pool is not ready. --json prints all that the program counts.",
       .arguments = {{"POOL", some_pool_doc}},
       .options = {socket_option(), timeout_option()},
       .examples = {{"weir stats", "the program that runs with ./weir.toml"},
                    {"weir stats main --json | jq '.pools[0].waiting'", "one number"},
                    {"weir stats --socket /run/app/weir.sock", "without its configuration"}},
       .exits = {not_reached},
       .run = run_stats},
      {.path = "top",
       .summary = "watch what the pools of a running program do",
       .details =
           "Draws one screen again and again, until SIGINT, SIGTERM or SIGHUP; Ctrl-Z and fg "
           "leave\n"
           "it and come back. Of a pool's connections the bar shows those that are lent, those "
           "that\n"
           "are idle, and what could still be opened; the numbers beside it are lent+idle/max.\n"
           "LEASES/s, WAIT and USE (the means of those that ended) and the first number of\n"
           "TIMEOUTS are of the last interval, - where there was none. Waits for a program that "
           "is\n"
           "started again.\n"
           "Elsewhere than on a terminal, prints a line per pool and interval, or with --json\n"
           "an object with times in seconds, and ends with the program.",
       .arguments = {{"POOL", some_pool_doc}},
       .options = {{"--interval", "-i", "TIME", "pause between two looks (default 1s)"},
                   {"--count", "-n", "N", "how many looks; without end if left out"},
                   socket_option(),
                   timeout_option()},
       .examples = {{"weir top", "all pools, each second"},
                    {"weir top main -i 10s | tee -a pool.log", "lines, for later"}},
       .exits = {not_reached},
       .run = run_top},
  };
}

std::vector<Command> changing_commands() {
  return {
      {.path = "pause",
       .summary = "have a pool of a running program lend nothing",
       .details =
           "For work on the database, such as a failover. Callers wait from then on, each for\n"
           "its acquire_timeout; who has a connection keeps it. Says how many leases are still\n"
           "out; with --wait, waits until they are back. The pool stays paused until\n"
           "`weir resume`, also where the wait was in vain.",
       .arguments = {{"POOL", one_pool_doc}},
       .options = {{"--wait", "-w", "TIME", "wait so long at most until every lease is back"},
                   socket_option(),
                   timeout_option()},
       .examples = {{"weir pause main --wait 30s && ./failover && weir resume main",
                     "nothing is under way while the database changes"}},
       .exits = {{1, "leases were still out after that time"}, not_reached},
       .run = run_pause},
      {.path = "resume",
       .summary = "have a paused pool lend again",
       .details = "",
       .arguments = {{"POOL", one_pool_doc}},
       .options = {socket_option(), timeout_option()},
       .examples = {{"weir resume main", ""}},
       .exits = {not_reached},
       .run = run_resume},
      {.path = "recycle",
       .summary = "replace every connection of a pool of a running program",
       .details =
           "Idle connections are closed at once, lent ones when they come back; new ones are\n"
           "opened as they are needed. After a failover, or a change of a certificate.",
       .arguments = {{"POOL", one_pool_doc}},
       .options = {socket_option(), timeout_option()},
       .examples = {{"weir recycle main", ""}},
       .exits = {not_reached},
       .run = run_recycle},
      {.path = "reload",
       .summary = "have a running program read its configuration again",
       .details =
           "It takes the file on as a whole or, if anything in it is wrong or cannot be changed\n"
           "in running pools, not at all. Prints what has changed. `weir config diff` says\n"
           "beforehand how far a change reaches.",
       .arguments = {},
       .options = {socket_option(), timeout_option()},
       .examples = {{"weir config check && weir reload", ""}},
       .exits = {{65, "the file has faults, or the change cannot be made in running pools"},
                 not_reached},
       .run = run_reload},
  };
}

}  // namespace

Option socket_option() {
  return {"--socket", "", "PATH",
          "the program's socket (default: [admin] socket of the configuration)", Complete::files};
}

Option timeout_option() {
  return {"--timeout", "", "TIME", "how long to wait for an answer (default 5s)"};
}

std::vector<Command> admin_commands() {
  std::vector<Command> all = looking_commands();
  for (const Command& command : changing_commands()) all.push_back(command);
  return all;
}

}  // namespace weir::cli
