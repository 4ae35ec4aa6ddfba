// SPDX-License-Identifier: MIT
//
// The command table: every command of `weir` with its arguments, options, examples and exit codes.
// The parser, --help, the man page, docs/cli.md and the completion scripts are all made from it, so
// that none of them can know a command that another does not.
//
// Shape: one Command per row of commands(); "config check" lies below the group "config".
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace weir::cli {

class Context;

// What completion offers for a value.
enum class Complete { nothing, files, choices };

struct Argument {
  std::string_view name;  // "POOL"
  std::string_view doc;
  bool required = false;
  Complete complete = Complete::nothing;
};

struct Option {
  std::string_view name;        // "--rate"
  std::string_view short_name;  // "-r", or empty
  std::string_view value;       // "RATE"; empty: a flag
  std::string_view doc;         // a sentence without its full stop; says the default
  Complete complete = Complete::nothing;
  std::vector<std::string_view> choices = {};
  bool many = false;  // may be given again; its values come joined by newlines
};

struct Example {
  std::string_view line;
  std::string_view what;
};

struct ExitNote {
  int code;
  std::string_view when;
};

struct Command {
  std::string_view path;     // "config check"
  std::string_view summary;  // one line, no full stop
  std::string_view details;  // paragraphs, wrapped by hand at 76 columns
  std::vector<Argument> arguments;
  std::vector<Option> options;
  std::vector<Example> examples;
  std::vector<ExitNote> exits;  // what 1 means here, and whatever is not in common_exits()
  int (*run)(Context&);
};

struct Group {
  std::string_view name;
  std::string_view summary;
};

[[nodiscard]] const std::vector<Command>& commands();
// The rows of those that ask a running program, which stand in a file of their own.
[[nodiscard]] std::vector<Command> admin_commands();
[[nodiscard]] Option socket_option();
[[nodiscard]] Option timeout_option();
[[nodiscard]] const std::vector<Group>& groups();
[[nodiscard]] const std::vector<Option>& global_options();
[[nodiscard]] const std::vector<ExitNote>& common_exits();
struct Variable {
  std::string_view name;
  std::string_view doc;
};
[[nodiscard]] const std::vector<Variable>& environment_variables();

[[nodiscard]] const Command* find_command(std::string_view path);

// The commands themselves, one file each (cmd_*.cpp). Return: the exit code.
int run_init(Context&);
int run_doctor(Context&);
int run_config_check(Context&);
int run_config_show(Context&);
int run_config_schema(Context&);
int run_config_diff(Context&);
int run_driver_list(Context&);
int run_driver_check(Context&);
int run_driver_new(Context&);
int run_ping(Context&);
int run_sql(Context&);
int run_bench(Context&);
int run_explain(Context&);
int run_metrics(Context&);
int serve_metrics(Context&);  // metrics --listen; only in a build with cpp-httplib
int run_stats(Context&);
int run_top(Context&);
int run_pause(Context&);
int run_resume(Context&);
int run_recycle(Context&);
int run_reload(Context&);
// Only in a build with the simulator.
int run_sim_run(Context&);
int run_sim_explore(Context&);
int run_sim_replay(Context&);
int run_sim_minimize(Context&);
int run_sim_size(Context&);
int run_sim_sweep(Context&);
int run_sim_compare(Context&);
int run_completion(Context&);
int run_version(Context&);
int run_help(Context&);

}  // namespace weir::cli
