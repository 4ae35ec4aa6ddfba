// SPDX-License-Identifier: MIT
//
// What a pool costs beside the queries that it is there for: the loads of pgbench, from threads of
// a C++ program, on servers that are started for the occasion and end with it. A line of JSON for
// each load and pool, and at the end how many of bare's cycles each pool leaves.
//
//   pg-select, my-select   8 threads read one row by its key (PostgreSQL, MariaDB)
//   pg-tpcb, my-tpcb       8 threads, transactions of three updates, a select and an insert
//   lite-select            one thread, on a file of SQLite's
//
//   bare       the client library by hand: a connection in a variable of each thread
//   weir       a pool of as many connections as there are threads; each cycle borrows one
//   soci       the same on SOCI's pool
//   pgbouncer  bare, through a PgBouncer on a unix socket
//
// bench/query/ says what each of them does exactly. A cycle is all of it: acquire, statements,
// release; so are the times p50 to max. They cost two readings of the clock in each cycle, for all
// pools alike. Client and server share the machine.
//
// Its options are those of bench/subjects.hpp, less --scaling, and --missing: what cannot be
// measured here, and what would bring it.
//
// Called by hand, by bench/peers/run.py, and by `./dev bench`.
#include "bench/query/work.hpp"
#include "tests/backends/child.hpp"

#include <weir/weir.hpp>

#include <algorithm>
#include <map>
#include <utility>

#ifdef WEIR_BENCH_MYSQL
#include "backends/mysql/library.hpp"
#include "tests/backends/mysql_server.hpp"
#endif
#ifdef WEIR_BENCH_POSTGRES
#include "tests/backends/postgres_server.hpp"

#include <libpq-fe.h>
#endif
#ifdef WEIR_BENCH_SOCI
#include <soci/version.h>
#endif
#ifdef WEIR_BENCH_SQLITE
#include <sqlite3.h>
#endif

namespace {

using weir::bench::CannotRun;
using weir::bench::Load;
using weir::bench::Outcome;
using weir::bench::Subject;
using weir::bench::query::Cell;

#ifdef __clang__
constexpr const char* compiler = "clang " __clang_version__;
#else
constexpr const char* compiler = "GCC " __VERSION__;
#endif

constexpr const char* pools[] = {"bare", "weir", "soci", "pgbouncer"};

#ifdef WEIR_BENCH_POSTGRES
constexpr bool with_postgres = true;
#else
constexpr bool with_postgres = false;
#endif
#ifdef WEIR_BENCH_MYSQL
constexpr bool with_mysql = true;
#else
constexpr bool with_mysql = false;
#endif
#ifdef WEIR_BENCH_SQLITE
constexpr bool with_sqlite = true;
#else
constexpr bool with_sqlite = false;
#endif
#ifdef WEIR_BENCH_SOCI
constexpr bool with_soci = true;
#else
constexpr bool with_soci = false;
#endif

std::vector<Cell> all_cells() {
  std::vector<Cell> cells;
  const auto add = [&](const std::vector<Cell>& some) {
    cells.insert(cells.end(), some.begin(), some.end());
  };
#ifdef WEIR_BENCH_POSTGRES
  add(weir::bench::query::postgres_cells());
#endif
#ifdef WEIR_BENCH_MYSQL
  add(weir::bench::query::mysql_cells());
#endif
#ifdef WEIR_BENCH_SQLITE
  add(weir::bench::query::sqlite_cells());
#endif
  return cells;
}

// ---------------------------------------------------------------- what is not here

// What was not there when this program was built, Meson does not look for again.
std::string not_built(const char* what, const char* package) {
  return std::string(what) + ", which this program was built without; `apt-get install " + package +
         "`, and configure the build anew";
}

std::string not_installed(const char* what, const char* package) {
  return std::string(what) + "; `apt-get install " + package + "`";
}

std::vector<std::string> all_missing() {
  std::vector<std::string> missing;
  if (!with_postgres) {
    missing.push_back(not_built("PostgreSQL (pg-select, pg-tpcb)", "libpq-dev postgresql"));
  }
  if (!with_mysql) {
    missing.push_back(
        not_built("MariaDB (my-select, my-tpcb)", "libmysqlcppconn-dev mariadb-server"));
  }
  if (!with_sqlite) missing.push_back(not_built("SQLite (lite-select)", "libsqlite3-dev"));
  if (!with_soci) missing.push_back(not_built("SOCI under queries", "libsoci-dev"));
#ifdef WEIR_BENCH_POSTGRES
  if (weir::test::PostgresServer::programs().empty()) {
    missing.push_back(not_installed("PostgreSQL (pg-select, pg-tpcb)", "postgresql"));
  }
  if (weir::test::find_program("pgbouncer").empty()) {
    missing.push_back(not_installed("PgBouncer", "pgbouncer"));
  }
#endif
#ifdef WEIR_BENCH_MYSQL
  if (!weir::test::MysqlServer::not_installed().empty()) {
    missing.push_back(not_installed("MariaDB (my-select, my-tpcb)", "mariadb-server"));
  }
#endif
  return missing;
}

// Of a load and a pool between which there is no cell.
std::string why_not(std::string_view pool, std::string_view load) {
  if (load.starts_with("pg-") && !with_postgres) return not_built("PostgreSQL", "libpq-dev");
  if (load.starts_with("my-") && !with_mysql) return not_built("MariaDB", "libmysqlcppconn-dev");
  if (load.starts_with("lite-") && !with_sqlite) return not_built("SQLite", "libsqlite3-dev");
  if (pool == "soci") return not_built("SOCI", "libsoci-dev");
  return "PgBouncer is for PostgreSQL";
}

// ---------------------------------------------------------------- versions

// The number in the first line that a program says of itself; empty if there is none.
[[maybe_unused]] std::string version_of(const std::string& name, const std::string& program) {
  char line[200] = "";
  std::FILE* const out = program.empty() ? nullptr : ::popen((program + " --version").c_str(), "r");
  if (out == nullptr) return {};
  const bool said = std::fgets(line, sizeof line, out) != nullptr;
  ::pclose(out);
  const std::string text = said ? line : "";
  std::size_t at = text.find(' ');
  while (at != std::string::npos && (text[at + 1] < '0' || text[at + 1] > '9')) {
    at = text.find(' ', at + 1);
  }
  if (at == std::string::npos) return {};
  return name + " " + text.substr(at + 1, text.find_first_of(" -\n", at + 1) - at - 1);
}

std::string versions() {
  std::string all = std::string("Weir ") + weir::version() + ", " + compiler;
  [[maybe_unused]] const auto add = [&](const std::string& one) {
    if (!one.empty()) all += "; " + one;
  };
#ifdef WEIR_BENCH_POSTGRES
  const int libpq = PQlibVersion();
  add("libpq " + std::to_string(libpq / 10000) + "." + std::to_string(libpq % 10000));
  const std::string programs = weir::test::PostgresServer::programs();
  add(version_of("PostgreSQL", programs.empty() ? "" : programs + "/postgres"));
  add(version_of("PgBouncer", weir::test::find_program("pgbouncer")));
#endif
#ifdef WEIR_BENCH_MYSQL
  add(std::string("MySQL Connector/C++ ") + weir::mysql::library_version());
  add(version_of("MariaDB", weir::test::find_program("mariadbd")));
#endif
#ifdef WEIR_BENCH_SQLITE
  add(std::string("SQLite ") + sqlite3_libversion());
#endif
#ifdef WEIR_BENCH_SOCI
  add("SOCI " + std::to_string(SOCI_VERSION / 100000) + "." +
      std::to_string(SOCI_VERSION / 100 % 1000) + "." + std::to_string(SOCI_VERSION % 100));
#endif
  return all;
}

// ---------------------------------------------------------------- what came out

// Cycles per second of each round.
using Rounds = std::map<std::pair<std::string, std::string>, std::vector<double>>;

// Zero: not measured.
double median(const Rounds& rounds, const std::string& pool, const std::string& load) {
  const auto found = rounds.find({pool, load});
  if (found == rounds.end()) return 0;
  std::vector<double> per_s = found->second;
  std::sort(per_s.begin(), per_s.end());
  return (per_s[(per_s.size() - 1) / 2] + per_s[per_s.size() / 2]) / 2;
}

void print_ratios(const Rounds& rounds) {
  for (const Load& load : weir::bench::query::loads()) {
    const double bare = median(rounds, "bare", load.name);
    if (bare <= 0) continue;
    std::string line;
    for (const char* pool : pools) {
      const double ratio = median(rounds, pool, load.name) / bare;
      if (ratio <= 0 || pool == std::string_view("bare")) continue;
      char text[160];
      std::snprintf(text, sizeof text, "  %s %.1f %%", pool, 100 * ratio);
      line += text;
    }
    if (!line.empty()) std::printf("%s, of bare's cycles/s:%s\n", load.name.c_str(), line.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (argv[i] == std::string_view("--version")) return std::puts(versions().c_str()), 0;
    if (argv[i] != std::string_view("--missing")) continue;
    for (const std::string& what : all_missing()) {
      std::printf("{\"missing\":\"%s.\"}\n", what.c_str());
    }
    return 0;
  }
  const std::vector<Cell> cells = all_cells();
  Rounds rounds;
  std::vector<Subject> subjects;
  for (const char* pool : pools) {
    subjects.push_back({pool, [&cells, &rounds, pool](const Load& load, auto time) {
                          for (const Cell& cell : cells) {
                            if (pool != std::string_view(cell.pool) || load.name != cell.load)
                              continue;
                            const Outcome outcome = cell.run(load, time);
                            rounds[{pool, load.name}].push_back(outcome.cycles_per_s);
                            return outcome;
                          }
                          throw CannotRun(why_not(pool, load.name));
                        }});
  }
  weir::bench::Wanted want;
  want.loads = weir::bench::query::loads();
  want.scaling.clear();
  want.held_seconds = 1;
  try {
    const int code = weir::bench::measure(argc, argv, "", subjects, want);
    if (code == 0) print_ratios(rounds);
    return code;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_query: %s\n", e.what());
    return 1;
  }
}
