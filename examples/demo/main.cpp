// SPDX-License-Identifier: MIT
//
// weir-demo: a host program from weir.toml to an exact check of its books. It loads the plugin that
// its configuration leads to (SQLite's; postgres.toml has PostgreSQL's), imports the package
// database of this machine, lets sixteen threads read and transfer through a pool of four, and
// proves that no committed change was lost or doubled.
//
//   weir-demo [--config FILE] [--data FILE] [--seconds N]
//
// Exit codes: 0 exact, 1 the check failed or the database did, 64 usage, otherwise
// weir::Error::exit_code().
#include "import.hpp"
#include "report.hpp"
#include "scratch.hpp"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t accounts = 200;
constexpr std::int64_t opening_balance = 1000;

struct Options {
  fs::path config;
  fs::path data = "/var/lib/dpkg/status";
  fs::path sample;
  int seconds = 4;
};

// Returns: false if the arguments make no sense.
bool read_options(int argc, char** argv, Options& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const char* value = argv[i + 1];
    if (std::strcmp(argv[i], "--config") == 0) {
      options.config = value;
    } else if (std::strcmp(argv[i], "--data") == 0) {
      options.data = value;
    } else if (std::strcmp(argv[i], "--seconds") == 0) {
      const char* end = value + std::strlen(value);
      const auto [stop, error] = std::from_chars(value, end, options.seconds);
      if (error != std::errc() || stop != end || options.seconds < 1) return false;
    } else {
      return false;
    }
  }
  return argc % 2 == 1;
}

std::vector<demo::Package> read_packages(const Options& options) {
  std::ifstream file(options.data);
  if (!file) file = std::ifstream(options.sample);
  return demo::read_catalogue(file);
}

int give_up(const weir::Error& error) {
  std::fputs(error.what().c_str(), stderr);
  return error.exit_code();
}

weir::Result<void> fill(weir::Pool& admin, const std::vector<demo::Package>& packages) {
  if (auto made = demo::create_tables(admin); !made) return made;
  auto imported = demo::import_catalogue(admin, packages);
  if (!imported) return weir::fail(imported.error());
  std::fprintf(stderr, "imported %zu packages with %zu dependencies\n", imported->packages,
               imported->dependencies);
  return demo::create_accounts(admin, accounts, opening_balance);
}

int run(const Options& options) {
  const std::vector<demo::Package> packages = read_packages(options);
  if (packages.empty()) {
    std::fprintf(stderr, "weir-demo: no packages in %s nor in %s\n", options.data.c_str(),
                 options.sample.c_str());
    return 1;
  }
  demo::ScratchDirectory scratch;
  // weir.toml asks for it. What stands there already is a server's URL, of an empty database.
  setenv("WEIR_DEMO_DATABASE", (scratch.path() / "demo.db").c_str(), 0);

  auto pools = weir::Pools::from_file(options.config.string());
  if (!pools) return give_up(pools.error());
  weir::Pool& db = (*pools)["main"];
  weir::Pool& admin = (*pools)["admin"];
  if (auto filled = fill(admin, packages); !filled) return give_up(filled.error());

  demo::Plan plan;
  plan.duration = std::chrono::seconds(options.seconds);
  plan.accounts = accounts;
  for (const demo::Package& package : packages) plan.names.push_back(package.name);
  std::fprintf(stderr, "%d threads share %u connections for %d s\n", plan.threads, db.config().max,
               options.seconds);
  demo::ProgressLine line(db);
  const demo::Outcome outcome = demo::run_workload(
      db, plan, [&](const demo::Counts& n, weir::Duration elapsed) { line.show(n, elapsed); });
  line.finish();

  const weir::PoolStats busy = db.stats();
  if (auto drained = db.drain(std::chrono::seconds(5)); !drained) return give_up(drained.error());
  demo::print_table(outcome, busy, db.stats());
  auto verdict = demo::check_books(admin, outcome.journals, accounts, opening_balance);
  if (!verdict) return give_up(verdict.error());
  demo::print_verdict(*verdict, outcome);
  return verdict->problems.empty() && outcome.failures.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
    Options options;
    options.config = here / "weir.toml";
    options.sample = here / "packages.sample";
    if (!read_options(argc, argv, options)) {
      std::fputs("usage: weir-demo [--config FILE] [--data FILE] [--seconds N]\n", stderr);
      return 64;
    }
    return run(options);
  } catch (const std::exception& e) {  // a column of another type, a full disk for the scratch
    std::fprintf(stderr, "weir-demo: %s\n", e.what());
    return 1;
  }
}
