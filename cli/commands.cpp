// SPDX-License-Identifier: MIT
#include "cli/command.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view pool_doc = "name of a pool; may be left out if the file has one only";

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<Command> configuration_commands() {
  return {
      {.path = "init",
       .summary = "write a first weir.toml",
       .details =
           "Writes a commented configuration with one SQLite pool to the file that -c names,\n"
           "and beside it weir.schema.json, with which editors complete and check it.\n"
           "Existing files are left alone.",
       .arguments = {},
       .options = {{"--force", "-f", "", "overwrite existing files"}},
       .examples = {{"weir init && weir doctor", "a first pool, tried at once"},
                    {"weir -c etc/app.toml init", "the same with another name"}},
       .exits = {{1, "a file exists, or cannot be written"}},
       .run = run_init},
      {.path = "doctor",
       .summary = "check configuration, driver, connect, query, reset and settings of each pool",
       .details = "Takes each pool, or the one that is named, through all the steps of its life:\n"
                  "reads the configuration, loads the driver, opens one connection, runs a query,\n"
                  "gives it back and has it reset. What fails says what to do about it.\n"
                  "Then asks the server what it allows (how many connections, how long one may\n"
                  "be unused, the journal mode of a file) and this process how many descriptors,\n"
                  "and names each setting of the pool that will not do, with the line to write.",
       .arguments = {{"POOL", "name of a pool; all pools if left out"}},
       .options = {},
       .examples = {{"weir doctor", "all pools of ./weir.toml"},
                    {"weir doctor main --json | jq .ok", "one pool, for a script"}},
       .exits = {{1, "a step failed that is none of the below"}},
       .run = run_doctor},
      {.path = "config check",
       .summary = "check the configuration without connecting to anything",
       .details =
           "Reports every fault of the file in one run, with line, column and what to write\n"
           "instead; then loads the drivers and has them check their options.",
       .arguments = {},
       .options = {{"--no-drivers", "", "", "check the file only; load no driver"}},
       .examples = {{"weir config check", "./weir.toml"},
                    {"weir -q -c etc/app.toml config check", "the exit code only, for a script"}},
       .exits = {},
       .run = run_config_check},
      {.path = "config show",
       .summary = "show the configuration in force, with the origin of each value",
       .details =
           "Prints the whole configuration as TOML: defaults, environment variables and URL\n"
           "parameters included, each value with its origin as a comment. Secrets are not\n"
           "shown.",
       .arguments = {},
       .options = {},
       .examples = {{"weir config show", "./weir.toml as it is understood"},
                    {"weir config show --json | jq .pool.main.max", "one value"}},
       .exits = {},
       .run = run_config_show},
      {.path = "config schema",
       .summary = "print the JSON Schema of weir.toml",
       .details = "Editors with a TOML language server use it through a first line like\n"
                  "    #:schema ./weir.schema.json",
       .arguments = {},
       .options = {},
       .examples = {{"weir config schema > weir.schema.json", "for an editor"}},
       .exits = {},
       .run = run_config_schema},
      {.path = "config diff",
       .summary = "compare two configurations and say what a reload would do",
       .details =
           "Checks both files as `weir config check` does, then prints each key whose value in\n"
           "force differs, with how far the change reaches into a running pool:\n"
           "    live         no connection is touched\n"
           "    size         connections are opened or closed until their number fits\n"
           "    generation   every connection is replaced\n"
           "    restart      the pools have to be opened anew\n"
           "Secrets are not shown; where only a secret differs, that is said.",
       .arguments = {{"OLD", "the configuration that a pool runs with", true, Complete::files},
                     {"NEW", "the one that it would get", true, Complete::files}},
       .options = {{"--no-drivers", "", "",
                    "compare the files only; load no driver, show no option of one"}},
       .examples = {{"weir config diff weir.toml new.toml", "before a reload"},
                    {"weir config diff old.toml weir.toml --json | jq -r .reach",
                     "how far all changes together reach"}},
       .exits = {{1, "they differ"}},
       .run = run_config_diff},
      {.path = "driver list",
       .summary = "list the drivers that can be found, with their options",
       .details =
           "Looks where a pool would look: the [drivers] table of the configuration, then the\n"
           "system's plugin directory. Shows path, ABI, licence, capabilities and options of\n"
           "each driver, and of those that were refused the reason.",
       .arguments = {},
       .options = {},
       .examples = {{"weir driver list", "all that can be found from here"},
                    {"weir driver list --json | jq -r '.drivers[].name'", "names only"}},
       .exits = {{69, "no driver can be used"}},
       .run = run_driver_list},
  };
}

std::vector<Command> driver_commands() {
  return {
      {.path = "driver check",
       .summary = "put a driver to the rules that every driver keeps",
       .details =
           "Runs each rule of the driver interface in a process of its own, where a crash or a\n"
           "hang is a result. Levels: 0 the file, 1 loading, 2 options and errors, 3 a live\n"
           "database, 4 faults, 5 soak. What is broken is printed with what was seen and what\n"
           "was expected; a table of capabilities ends the report. -v shows every rule.\n"
           "How to ask a database is in a quirks file; docs/driver-check.md describes it.",
       .arguments = {{"DRIVER", "a library, its manifest, or the name of a driver", false,
                      Complete::files}},
       .options = {{"--dsn", "", "URL", "the database; the quirks' own if left out"},
                   {"--quirks", "", "FILE", "how to ask it; built in for our own drivers",
                    Complete::files},
                   {"--server", "", "ADDRESS",
                    "a socket's path or HOST:PORT; the kit makes faults on the way to it"},
                   {"--proxied-dsn", "", "URL",
                    "the database by TCP, with {port} where the port of these faults goes"},
                   {"--level", "-l", "N",
                    "the highest level, 0 to 5 (default 3, without a database 2)"},
                   {"--include", "", "TEXT", "only rules with this in their id, and their gates"},
                   {"--seed", "-s", "N", "where random sequences begin (default 1)"},
                   {"--full", "", "", "the numbers of a release: ten thousand sessions, not 500"},
                   {"--junit", "", "FILE", "write the findings for a build server, too",
                    Complete::files},
                   {"--list", "", "", "list the rules, as Markdown; takes no DRIVER"}},
       .examples = {{"weir driver check sqlite", "an installed driver"},
                    {"weir driver check build/weir_mydb.so --quirks quirks.toml --level 5",
                     "one that is being written, all levels"},
                    {"weir driver check build/weir_mydb.so --include L3.rows -v",
                     "some rules, in detail"}},
       .exits = {{1, "a MUST is broken"}, {69, "there is no such driver"}},
       .run = run_driver_check},
      {.path = "driver new",
       .summary = "write a driver project to start from",
       .details =
           "Writes a complete driver in C, with its manifest, build files and quirks: keys and\n"
           "values in memory, to be replaced by your database. It builds against the installed\n"
           "header, passes `weir driver check`, and nothing is overwritten.",
       .arguments = {{"NAME", "the driver's name, as `driver = \"NAME\"` will say it", true}},
       .options = {{"--dir", "-d", "DIR", "where to (default ./NAME)", Complete::files}},
       .examples = {{"weir driver new mydb", "in ./mydb"}},
       .exits = {{1, "a file exists, or cannot be written"}},
       .run = run_driver_new},
  };
}

std::vector<Command> database_commands() {
  return {
      {.path = "ping",
       .summary = "measure round trips to the database of a pool",
       .details = "Borrows one connection and sends a ping again and again, like ping(8).",
       .arguments = {{"POOL", pool_doc}},
       .options = {{"--count", "-n", "N", "how many pings (default 4)"},
                   {"--interval", "-i", "TIME", "pause between two pings (default 1s)"}},
       .examples = {{"weir ping main", "four pings"},
                    {"weir ping main -n 100 -i 10ms", "a hundred in one second"}},
       .exits = {{1, "a ping failed"}},
       .run = run_ping},
      {.path = "sql",
       .summary = "run one SQL statement and print its rows",
       .details =
           "On a terminal rows are printed as a table, elsewhere as tab-separated values: a\n"
           "header line, NULL as \\N, a blob as \\x and hex digits, tab, newline and backslash\n"
           "in text as \\t, \\n and \\\\. With --json, one object: columns, rows as arrays, NULL "
           "as\n"
           "null, a blob as {\"base64\": ...}.",
       .arguments = {{"POOL", "name of a pool", true},
                     {"SQL", "one statement; - reads it from standard input", true}},
       .options = {},
       .examples = {{"weir sql main 'select * from users'", "a table"},
                    {"weir sql main 'select id, name from users' | cut -f2", "the second column"},
                    {"weir sql main - < report.sql", "from a file"}},
       .exits = {{1, "the database refused the statement"}},
       .run = run_sql},
      {.path = "bench",
       .summary = "put load on a pool and print throughput and waiting times",
       .details =
           "Without --rate, each thread borrows, asks and gives back as fast as it can: what is\n"
           "the most that this pool can do? With --rate, operations arrive at that pace whether\n"
           "or not the last ones are done, as they do in a service, and waiting is counted from\n"
           "the moment an operation was due.",
       .arguments = {{"POOL", pool_doc}},
       .options = {{"--rate", "-r", "N", "operations per second; as many as possible if left out"},
                   {"--for", "-d", "TIME", "how long (default 5s)"},
                   {"--threads", "-t", "N", "callers at the same time (default 8)"},
                   {"--sql", "-s", "SQL", "the statement to run (default SELECT 1)"}},
       .examples = {{"weir bench main --for 10s --threads 16", "the most it can do"},
                    {"weir bench main --rate 500 --for 1m", "500 operations a second"}},
       .exits = {{1, "an operation failed"}},
       .run = run_bench},
  };
}

#ifdef WEIR_WITH_SIM
constexpr std::string_view scenario_doc = "a scenario, as docs/scenario.md describes it";
constexpr ExitNote property_broken{2, "a property is broken"};

Option engine_option() {
  return {"--engine",
          "",
          "NAME",
          "what virtual threads run on: fiber, ucontext, or threads for debuggers",
          Complete::choices,
          {"fiber", "ucontext", "threads"}};
}
Option seed_option() { return {"--seed", "-s", "N", "another seed than the scenario's"}; }
Option runs_option() {
  return {"--runs", "", "N", "so many runs of each size or value (default 5)"};
}
Option trace_option() {
  return {"--trace", "", "FILE", "write the run for ui.perfetto.dev", Complete::files};
}
Option html_option() {
  return {"--html", "", "FILE", "write a report, one self-contained page", Complete::files};
}
Option study_html_option() {
  return {"--html", "", "FILE", "write the curves, one self-contained page", Complete::files};
}

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<Command> simulator_commands() {
  return {
      {.path = "sim run",
       .summary = "run one scenario in virtual time and judge it",
       .details =
           "The pool is the one that ships, from its own source, on virtual threads with a "
           "virtual\n"
           "clock over a simulated database. The same file gives the same run, down to the trace\n"
           "hash. Verdicts come first, then waits, results and speed.",
       .arguments = {{"FILE", scenario_doc, true, Complete::files}},
       .options = {seed_option(),
                   engine_option(),
                   trace_option(),
                   html_option(),
                   {"--twice", "", "", "run it again on another heap, and compare the two"}},
       .examples = {{"weir sim run outage.toml --html report.html", "with a picture over time"},
                    {"weir sim run outage.toml --json | jq .trace_hash", "for a script"}},
       .exits = {property_broken, {3, "the second run differs from the first"}},
       .run = run_sim_run},
      {.path = "sim explore",
       .summary = "draw scenarios until one breaks a property, and make that one small",
       .details = "Draws pools, loads, faults, host actions and thread schedules, and runs each "
                  "twice. What\n"
                  "fails is made as small as it gets in ten seconds and written to a file that "
                  "replays it.\n"
                  "With -c or --pool, the limits are those of that pool in every scenario.",
       .arguments = {},
       .options = {{"--budget", "-b", "TIME", "how long (default 1m)"},
                   {"--seed", "-s", "N", "where the draws begin (default 1)"},
                   {"--runs", "", "N", "this many scenarios at most"},
                   {"--max-found", "", "N", "stop after so many different failures (default 1)"},
                   {"--pool", "", "NAME", "a pool of the configuration instead of drawn ones"},
                   {"--out", "-o", "DIR", "where failing cases are written (default .)",
                    Complete::files},
                   {"--once", "", "",
                    "run each scenario once: twice as many, no determinism check"},
                   engine_option()},
       .examples = {{"weir sim explore --budget 10m", "a long look at the pool itself"},
                    {"weir -c weir.toml sim explore --pool main",
                     "at a pool as you configured it"}},
       .exits = {property_broken, {3, "two runs of one scenario differ"}},
       .run = run_sim_explore},
      {.path = "sim replay",
       .summary = "replay a failing case and say whether it still fails in the same way",
       .details =
           "Says whether the run is the one that the file was written from, step by step, or what\n"
           "has become of it in this build.",
       .arguments = {{"FILE", "a scenario that `weir sim explore` or `minimize` wrote", true,
                      Complete::files}},
       .options = {engine_option(), trace_option(), html_option()},
       .examples = {{"weir sim replay fail-7f3a.toml", ""},
                    {"gdb --args weir sim replay fail-7f3a.toml --engine threads",
                     "with each virtual thread as one that gdb knows"}},
       .exits = {property_broken},
       .run = run_sim_replay},
      {.path = "sim minimize",
       .summary = "make a failing scenario smaller",
       .details = "Prints the smallest scenario found that breaks the same property.",
       .arguments = {{"FILE", scenario_doc, true, Complete::files}},
       .options = {{"--budget", "-b", "TIME", "how long (default 30s)"},
                   {"--out", "-o", "FILE", "write it there instead", Complete::files},
                   engine_option()},
       .examples = {{"weir sim minimize big.toml -o small.toml", ""}},
       .exits = {{1, "nothing fails"}, {2, "it was made smaller, and still fails"}},
       .run = run_sim_minimize},
      {.path = "sim size",
       .summary = "find the smallest pool that keeps a promise about its service",
       .details =
           "Runs the scenario with different `max` of its pool, each with the same seeds, and "
           "says\n"
           "which one is the smallest that keeps the promise, with 95 % confidence, and which "
           "limit\n"
           "that comes from: the promise, the server's max_connections, the clients, the database\n"
           "itself, or the end of the search. `min` is at most `max` in each of them.\n"
           "\n"
           "A promise is a list of mean, p50, p90, p99, p99.9 or max of `wait` or `round` < TIME,\n"
           "`errors` or `timeouts` < N%, and `throughput` > N/s; all of it has to hold.",
       .arguments = {{"FILE", scenario_doc, true, Complete::files}},
       .options = {{"--slo", "", "PROMISE", "what has to hold, such as 'p99 wait < 20ms'"},
                   {"--most", "", "N", "the largest `max` to try (default 128)"},
                   runs_option(),
                   seed_option(),
                   study_html_option(),
                   engine_option()},
       .examples = {{"weir sim size orders.toml --slo 'p99 wait < 20ms' --html size.html", ""},
                    {"weir sim size orders.toml --slo 'p99 round < 50ms, errors < 0.1%' --most 40",
                     "with the database's part, and nobody turned away"}},
       .exits = {{1, "no size keeps it"}, property_broken},
       .run = run_sim_size},
      {.path = "sim sweep",
       .summary = "run a scenario with each of several values of a key",
       .details = "A table of waits, throughput and failures over the values, each with its 95 % "
                  "interval.\n"
                  "Of several --set all combinations are run, all with the same seeds. Where the "
                  "scenario is\n"
                  "a queue that mathematics knows (M/M/c: Poisson arrivals, exponential service), "
                  "what it\n"
                  "says stands beside; else it is said why not.",
       .arguments = {{"FILE", scenario_doc, true, Complete::files}},
       .options = {{.name = "--set",
                    .short_name = "",
                    .value = "KEY=VALUES",
                    .doc = "a key and its values, such as pool.max=2..20; again for more keys",
                    .many = true},
                   runs_option(),
                   seed_option(),
                   study_html_option(),
                   engine_option()},
       .examples = {{"weir sim sweep orders.toml --set pool.max=2..20 --html sweep.html", ""},
                    {"weir sim sweep orders.toml --set pool.max=4,8,16 --set "
                     "'client.1.every=exp(5ms),exp(3ms)'",
                     "also under more load"}},
       .exits = {property_broken},
       .run = run_sim_sweep},
      {.path = "sim compare",
       .summary = "say whether two scenarios differ in more than chance",
       .details = "Runs both with the same seeds, so that the same work arrives and takes the same "
                  "time in\n"
                  "both, and prints the differences of the pairs with their 95 % intervals. B is a "
                  "second\n"
                  "file, or the first one with other values of some keys.",
       .arguments = {{"FILE", "A: a scenario, as docs/scenario.md describes it", true,
                      Complete::files},
                     {"OTHER", "B: another one", false, Complete::files}},
       .options = {{.name = "--with",
                    .short_name = "",
                    .value = "KEY=VALUE",
                    .doc = "B is FILE with this, such as pool.max=8; again for more keys",
                    .many = true},
                   {"--runs", "", "N", "so many runs of each (default 10)"},
                   seed_option(),
                   study_html_option(),
                   engine_option()},
       .examples = {{"weir sim compare orders.toml --with pool.max=8 --html compare.html", ""},
                    {"weir sim compare before.toml after.toml --runs 30", ""}},
       .exits = {property_broken},
       .run = run_sim_compare},
  };
}
#endif

std::vector<Command> other_commands() {
  return {
      {.path = "explain",
       .summary = "explain an error code",
       .details =
           "Says what usually causes an error and what to do about it. Takes the code or the\n"
           "name that stand in brackets at the end of each message.",
       .arguments = {{"CODE", "W301, 301 or acquire_timeout; all codes if left out"}},
       .options = {},
       .examples = {{"weir explain W301", ""}, {"weir explain", "a list of all codes"}},
       .exits = {},
       .run = run_explain},
      {.path = "metrics",
       .summary = "list the metrics of a pool, print a dashboard or alerts for them, or serve them",
       .details =
           "Prints what is made from the table of metrics that every pool publishes: the table\n"
           "as Markdown, a dashboard for Grafana as JSON, alert rules for Prometheus as YAML,\n"
           "or as JSON with --json.\n"
           "How a host publishes them is in docs/metrics.md.\n"
           "\n"
           "With --listen, serves /metrics for Prometheus and /health (503 if a pool is not\n"
           "ready) for a program that has `[admin] socket`, until SIGINT. Each request asks the\n"
           "program anew. On the loopback only: for other machines, put a proxy in front.",
       .arguments = {{"WHAT", "list, dashboard or alerts; list if left out"}},
       .options = {{"--listen", "-l", "ADDRESS:PORT",
                    "serve the metrics of a running program; a port alone is one of 127.0.0.1"},
                   socket_option(),
                   timeout_option()},
       .examples = {{"weir metrics dashboard > weir.json", "to be imported into Grafana"},
                    {"weir metrics alerts > weir.yml", "for rule_files of Prometheus"},
                    {"weir metrics --listen 9187", "http://127.0.0.1:9187/metrics"},
                    {"weir metrics --json | jq -r '.metrics[].prometheus'", "all names"}},
       .exits = {{69, "the port is taken"}},
       .run = run_metrics},
      {.path = "completion",
       .summary = "print a completion script for a shell",
       .details = "",
       .arguments = {{"SHELL", "bash, zsh or fish", true}},
       .options = {},
       .examples = {{"source <(weir completion bash)", "for this shell"},
                    {"weir completion fish > ~/.config/fish/completions/weir.fish", "for good"}},
       .exits = {},
       .run = run_completion},
      {.path = "version",
       .summary = "print the version of Weir and of its driver interface",
       .details = "",
       .arguments = {},
       .options = {},
       .examples = {{"weir version --json", ""}},
       .exits = {},
       .run = run_version},
      {.path = "help",
       .summary = "explain a command or a topic",
       .details = "Topics: options (every key of weir.toml).",
       .arguments = {{"TOPIC", "a command, or `options`; an overview if left out"},
                     {"SUBCOMMAND", "the second word of a command such as `config check`"}},
       .options = {{"--man", "", "", "print the manual page, as roff"},
                   {"--markdown", "", "", "print the reference of all commands, as Markdown"}},
       .examples = {{"weir help sql", ""},
                    {"weir help config check", ""},
                    {"weir help options", ""}},
       .exits = {},
       .run = run_help},
  };
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> table = [] {
    std::vector<Command> all = configuration_commands();
    for (const auto& part : {
             driver_commands(),
             database_commands(),
             admin_commands(),
#ifdef WEIR_WITH_SIM
             simulator_commands(),
#endif
             other_commands(),
         }) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return table;
}

const std::vector<Group>& groups() {
  static const std::vector<Group> table{
      {"config", "check, show and describe the configuration"},
      {"driver", "find, check and write drivers"},
#ifdef WEIR_WITH_SIM
      {"sim", "simulate a pool in virtual time, with faults"},
#endif
  };
  return table;
}

const std::vector<Option>& global_options() {
  static const std::vector<Option> table{
      {"--config", "-c", "FILE", "the configuration (default weir.toml)", Complete::files},
      {"--json", "", "", "print results as JSON, for programs"},
      {"--quiet", "-q", "", "no prose on standard error: data and exit code only"},
      {"--verbose", "-v", "", "the pools' own log on standard error"},
      {"--color",
       "",
       "WHEN",
       "auto, always or never (default auto: on a terminal)",
       Complete::choices,
       {"auto", "always", "never"}},
      {"--no-input", "", "", "never ask or read from a terminal"},
      {"--help", "-h", "", "explain the command"},
      {"--version", "", "", "print the version"},
  };
  return table;
}

const std::vector<ExitNote>& common_exits() {
  static const std::vector<ExitNote> table{
      {0, "success"},
      {1, "the check, statement or operation failed"},
      {64, "wrong use: an unknown command, option or pool, or a missing argument"},
      {65, "the configuration is wrong"},
      {69, "a driver, a database or the running program is not available"},
      {70, "an internal error of Weir"},
      {130, "interrupted by SIGINT (143: SIGTERM, 129: SIGHUP)"},
  };
  return table;
}

const std::vector<Variable>& environment_variables() {
  static const std::vector<Variable> table{
      {"NO_COLOR", "if set and not empty, no colours unless --color=always"},
      {"TERM", "`dumb`: no colours and no progress line"},
      {"WEIR_PLUGIN_PATH",
       "directories with plugins, separated by colons; only with `allow_env = true` in [drivers]"},
  };
  return table;
}

const Command* find_command(std::string_view path) {
  for (const Command& command : commands()) {
    if (command.path == path) return &command;
  }
  return nullptr;
}

}  // namespace weir::cli
