// SPDX-License-Identifier: MIT
//
// postgres.cpp: the work on PostgreSQL: bare libpq, Weir, SOCI, and PgBouncer, which is a pool in a
// process of its own. The server is that of the tests: nothing is ever waited for on the disk
// (fsync and synchronous_commit are off), for all pools alike.
#include "backends/postgres/weir_postgres.h"
#include "bench/query/on_weir.hpp"
#include "bench/query/pgbouncer.hpp"
#include "tests/backends/postgres_server.hpp"
#ifdef WEIR_BENCH_SOCI
#include "bench/query/on_soci.hpp"
#endif

#include <charconv>
#include <libpq-fe.h>
#include <memory>

namespace weir::bench::query {
namespace {

using test::PostgresServer;

using Answer = std::unique_ptr<PGresult, decltype([](PGresult* r) { PQclear(r); })>;

// A connection by hand. Prepared: everything once, when it is opened. Otherwise nothing, since
// PgBouncer up to 1.20 does not follow a prepared statement from one connection of the server's to
// another; a statement then goes with its parameters, and the server parses it each time.
class Libpq {
 public:
  enum class Kind : std::uint8_t { prepared, unprepared };

  Libpq(const std::string& conninfo, Kind kind)
      : pg_(PQconnectdb(conninfo.c_str())), kind_(kind), texts_(texts(dollar)) {
    if (PQstatus(pg_.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(pg_.get()));
    if (kind == Kind::unprepared) return;
    for (std::size_t i = 0; i < steps; ++i) {
      check(Answer(PQprepare(pg_.get(), names[i], texts_[i].c_str(), 0, nullptr)),
            PGRES_COMMAND_OK);
    }
  }

  void run(const char* sql) { check(Answer(PQexec(pg_.get(), sql)), PGRES_COMMAND_OK); }
  void begin() { run("BEGIN"); }
  void commit() { run("COMMIT"); }
  template <class... Numbers>
  void change(Step step, Numbers... numbers) {
    check(send(step, numbers...), PGRES_COMMAND_OK);
  }
  int select(int account) {
    const Answer answer = check(send(Step::select, account), PGRES_TUPLES_OK);
    int balance = 0;
    const char* const text = PQgetvalue(answer.get(), 0, 0);
    std::from_chars(text, text + PQgetlength(answer.get(), 0, 0), balance);
    return balance;
  }

 private:
  static constexpr std::array<const char*, steps> names = {"account", "select", "teller", "branch",
                                                           "history"};

  template <class... Numbers>
  Answer send(Step step, Numbers... numbers) {
    constexpr int count = sizeof...(numbers);
    char digits[count][12];
    const char* values[count];
    int i = 0;
    for (const int number : {numbers...}) {
      *std::to_chars(digits[i], digits[i] + sizeof digits[i], number).ptr = '\0';
      values[i] = digits[i];
      ++i;
    }
    const auto at = static_cast<std::size_t>(step);
    if (kind_ == Kind::prepared) {
      return Answer(PQexecPrepared(pg_.get(), names[at], count, values, nullptr, nullptr, 0));
    }
    return Answer(
        PQexecParams(pg_.get(), texts_[at].c_str(), count, nullptr, values, nullptr, nullptr, 0));
  }
  Answer check(Answer answer, ExecStatusType wanted) {
    if (PQresultStatus(answer.get()) == wanted) return answer;
    throw std::runtime_error(PQerrorMessage(pg_.get()));
  }

  std::unique_ptr<PGconn, decltype([](PGconn* pg) { PQfinish(pg); })> pg_;
  Kind kind_;
  Texts texts_;
};

std::string conninfo() {
  const PostgresServer& server = PostgresServer::shared();
  return "host=" + server.directory() + " port=" + std::to_string(server.port()) +
         " user=weir dbname=postgres";
}

void fill(Libpq& pg) {
  const auto rows = [](int n) { return " FROM generate_series(1, " + std::to_string(n) + ") i"; };
  pg.run("CREATE TABLE branches (bid int PRIMARY KEY, bbalance int, filler char(88))");
  pg.run("CREATE TABLE tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84))");
  pg.run("CREATE TABLE accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84))");
  pg.run(
      "CREATE TABLE history (tid int, bid int, aid int, delta int, mtime timestamp, "
      "filler char(22))");
  pg.run(("INSERT INTO branches SELECT i, 0, ''" + rows(branches)).c_str());
  pg.run(("INSERT INTO tellers SELECT i, (i + 9) / 10, 0, ''" + rows(tellers)).c_str());
  pg.run(("INSERT INTO accounts SELECT i, 1 + i % " + std::to_string(branches) + ", 0, ''" +
          rows(accounts))
             .c_str());
}

// A server with the tables in it, and without what earlier transactions have left there, as
// pgbench begins.
void prepare() {
  if (PostgresServer::programs().empty()) {
    throw CannotRun("PostgreSQL is not installed: apt-get install postgresql");
  }
  Libpq pg(conninfo(), Libpq::Kind::unprepared);
  static const bool filled = (fill(pg), true);
  static_cast<void>(filled);
  pg.run("TRUNCATE history");
  pg.run("VACUUM ANALYZE");
}

Outcome run_libpq(const Load& load, std::chrono::duration<double> time, bool transactions,
                  const std::string& to, Libpq::Kind kind) {
  return run_owned(load, time, transactions, [&] { return std::make_unique<Libpq>(to, kind); });
}

Outcome run_bare(const Load& load, std::chrono::duration<double> time, bool transactions) {
  prepare();
  return run_libpq(load, time, transactions, conninfo(), Libpq::Kind::prepared);
}

Outcome run_pgbouncer(const Load& load, std::chrono::duration<double> time, bool transactions) {
  if (PgBouncer::program().empty()) {
    throw CannotRun("PgBouncer is not installed: apt-get install pgbouncer");
  }
  prepare();
  const PgBouncer bouncer(conninfo(), static_cast<int>(load.connections));
  return run_libpq(load, time, transactions, bouncer.conninfo(), Libpq::Kind::unprepared);
}

Outcome run_pool(const Load& load, std::chrono::duration<double> time, bool transactions) {
  prepare();
  return run_weir(load, time, transactions,
                  open_pools(weir_postgres_driver(), "postgres", conninfo(), load.connections));
}

#ifdef WEIR_BENCH_SOCI
Outcome run_session(const Load& load, std::chrono::duration<double> time, bool transactions) {
  prepare();
  return run_soci(load, time, transactions, "postgresql", conninfo());
}
#endif

}  // namespace

std::vector<Cell> postgres_cells() {
  std::vector<Cell> cells;
  const auto add = [&](const char* pool, auto run) {
    cells.push_back({pool, "pg-select", [=](auto& load, auto t) { return run(load, t, false); }});
    cells.push_back({pool, "pg-tpcb", [=](auto& load, auto t) { return run(load, t, true); }});
  };
  add("bare", run_bare);
  add("weir", run_pool);
#ifdef WEIR_BENCH_SOCI
  add("soci", run_session);
#endif
  add("pgbouncer", run_pgbouncer);
  return cells;
}

}  // namespace weir::bench::query
