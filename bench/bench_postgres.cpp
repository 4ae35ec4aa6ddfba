// SPDX-License-Identifier: MIT
//
// The same work on one PostgreSQL server, on a unix socket, in one run: bare libpq, Weir, and SOCI
// where it is installed. Every side reads each column into the same C++ type. A server is started
// for the occasion and ends with the program.
#include "backends/postgres/weir_postgres.h"
#include "bench/insert.hpp"
#include "bench/measured.hpp"
#include "bench/pool_work.hpp"
#include "tests/backends/postgres_server.hpp"

#include <charconv>
#include <cstdlib>
#include <libpq-fe.h>
#include <memory>
#include <string_view>
#ifdef WEIR_BENCH_SOCI
#include <soci/soci.h>
#endif

namespace {

using weir::bench::bulk_rows;
using weir::bench::require;
using weir::bench::Row;
using weir::test::PostgresServer;

constexpr const char* one_sql = "SELECT 1::bigint";
constexpr const char* rows_sql =
    "SELECT i::bigint, 'row ' || i, i * 0.5::float8 FROM generate_series(1, 1000) AS n(i)";
std::string conninfo() {
  const PostgresServer& server = PostgresServer::shared();
  return "host=" + server.directory() + " port=" + std::to_string(server.port()) +
         " user=weir dbname=postgres";
}

// ---------------------------------------------------------------- bare libpq

using Answer = std::unique_ptr<PGresult, decltype([](PGresult* r) { PQclear(r); })>;

class Bare {
 public:
  Bare() : pg_(PQconnectdb(conninfo().c_str())) {
    require(PQstatus(pg_) == CONNECTION_OK, "connecting");
  }
  ~Bare() { PQfinish(pg_); }
  Bare(const Bare&) = delete;
  Bare& operator=(const Bare&) = delete;

  void run(const char* sql) { done(Answer(PQexec(pg_, sql)), sql); }
  void prepare(const char* sql) { done(Answer(PQprepare(pg_, "s", sql, 0, nullptr)), sql); }
  void send() {
    require(PQsendQueryPrepared(pg_, "s", 0, nullptr, nullptr, nullptr, 0) == 1 &&
                PQsetSingleRowMode(pg_) == 1,
            "a statement");
  }
  Answer next() { return Answer(PQgetResult(pg_)); }
  Answer execute() {
    Answer answer(PQexecPrepared(pg_, "s", 0, nullptr, nullptr, nullptr, 0));
    require(PQresultStatus(answer.get()) == PGRES_TUPLES_OK, "a statement");
    return answer;
  }
  PGconn* get() { return pg_; }

 private:
  static void done(const Answer& answer, const char* sql) {
    require(PQresultStatus(answer.get()) == PGRES_COMMAND_OK, sql);
  }

  PGconn* pg_;
};

template <class T>
T number(const PGresult* answer, int row, int column) {
  T value{};
  const char* text = PQgetvalue(answer, row, column);
  std::from_chars(text, text + PQgetlength(answer, row, column), value);
  return value;
}

void bare_one(benchmark::State& state) {
  Bare bare;
  bare.prepare(one_sql);
  for (auto _ : state) {
    const Answer answer = bare.execute();
    benchmark::DoNotOptimize(number<std::int64_t>(answer.get(), 0, 0));
  }
}

void read_rows(const PGresult* answer, Row& row) {
  for (int i = 0; i < PQntuples(answer); ++i) {
    row.i = number<std::int64_t>(answer, i, 0);
    row.s.assign(PQgetvalue(answer, i, 1), static_cast<std::size_t>(PQgetlength(answer, i, 1)));
    row.d = number<double>(answer, i, 2);
    benchmark::DoNotOptimize(row);
  }
}

// All rows in memory at once, whatever their number.
void bare_rows(benchmark::State& state) {
  Bare bare;
  bare.prepare(rows_sql);
  Row row;
  for (auto _ : state) read_rows(bare.execute().get(), row);
}

// In bounded memory, as Weir does it: libpq 15 hands out one row at a time.
void bare_stream(benchmark::State& state) {
  Bare bare;
  bare.prepare(rows_sql);
  Row row;
  for (auto _ : state) {
    bare.send();
    while (const Answer answer = bare.next()) read_rows(answer.get(), row);
  }
}

constexpr weir::bench::Table keyed{
    "CREATE TEMP TABLE bulk(i bigint PRIMARY KEY, s text, d float8)", "TRUNCATE bulk",
    "INSERT INTO bulk SELECT 2 * i, 'old', 0 FROM generate_series(0, 4999) AS n(i)"};
constexpr const char* skip_clause = " ON CONFLICT DO NOTHING";
constexpr const char* update_clause =
    " ON CONFLICT (i) DO UPDATE SET s = excluded.s, d = excluded.d";

void append(std::string& text, auto number) {
  char digits[64];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// The fastest way in that PostgreSQL has.
void bare_copy(Bare& bare, const char* sql) {
  std::string text;
  require(PQresultStatus(Answer(PQexec(bare.get(), sql)).get()) == PGRES_COPY_IN, "COPY");
  for (int i = 0; i < bulk_rows; ++i) {
    append(text, i);
    text += "\trow ";
    append(text, i);
    text += '\t';
    append(text, i * 0.5);
    text += '\n';
    if (text.size() < 64 * 1024) continue;
    PQputCopyData(bare.get(), text.data(), static_cast<int>(text.size()));
    text.clear();
  }
  PQputCopyData(bare.get(), text.data(), static_cast<int>(text.size()));
  require(PQputCopyEnd(bare.get(), nullptr) == 1, "the end of COPY");
  while (const Answer answer{PQgetResult(bare.get())}) {
    require(PQresultStatus(answer.get()) == PGRES_COMMAND_OK, "COPY");
  }
}

void bare_bulk(benchmark::State& state) {
  Bare bare;
  bare.run("CREATE TEMP TABLE bulk(i bigint, s text, d float8)");
  for (auto _ : state) {
    bare.run("TRUNCATE bulk");
    bare.run("BEGIN");
    bare_copy(bare, "COPY bulk FROM STDIN");
    bare.run("COMMIT");
  }
}

void bare_insert(benchmark::State& state) {
  Bare bare;
  bare.run(keyed.create);
  for (auto _ : state) {
    keyed.prepare(state, weir::OnConflict::fail, [&](const char* sql) { bare.run(sql); });
    bare.run("BEGIN");
    bare_copy(bare, "COPY bulk(i, s, d) FROM STDIN");
    bare.run("COMMIT");
  }
}

// COPY beside the table, and from there with ON CONFLICT.
void bare_staged(benchmark::State& state, const char* clause) {
  Bare bare;
  bare.run(keyed.create);
  const std::string sql = std::string("INSERT INTO bulk SELECT * FROM stage") + clause;
  for (auto _ : state) {
    keyed.prepare(state, weir::OnConflict::skip, [&](const char* text) { bare.run(text); });
    bare.run("BEGIN");
    bare.run("CREATE TEMP TABLE stage(i bigint, s text, d float8) ON COMMIT DROP");
    bare_copy(bare, "COPY stage FROM STDIN");
    bare.run(sql.c_str());
    bare.run("COMMIT");
  }
}

// An array for each column, whose types are known here.
void bare_arrays(benchmark::State& state, const char* clause) {
  Bare bare;
  bare.run(keyed.create);
  const std::string sql =
      std::string(
          "INSERT INTO bulk(i, s, d) SELECT * FROM unnest($1::bigint[], $2::text[], "
          "$3::float8[])") +
      clause;
  for (auto _ : state) {
    keyed.prepare(state, weir::OnConflict::skip, [&](const char* text) { bare.run(text); });
    std::string numbers = "{";
    std::string texts = "{";
    std::string halves = "{";
    for (int i = 0; i < bulk_rows; ++i) {
      append(numbers, i);
      texts += "\"row ";
      append(texts, i);
      texts += '"';
      append(halves, i * 0.5);
      for (std::string* array : {&numbers, &texts, &halves}) {
        *array += i + 1 < bulk_rows ? ',' : '}';
      }
    }
    const char* params[] = {numbers.c_str(), texts.c_str(), halves.c_str()};
    bare.run("BEGIN");
    require(PQresultStatus(Answer(PQexecParams(bare.get(), sql.c_str(), 3, nullptr, params, nullptr,
                                               nullptr, 0))
                               .get()) == PGRES_COMMAND_OK,
            "INSERT");
    bare.run("COMMIT");
  }
}

void bare_connect(benchmark::State& state) {
  for (auto _ : state) Bare();
}

// ---------------------------------------------------------------- Weir

weir::Pools open_pools() {
  return weir::bench::open_pools(weir_postgres_driver(), "postgres", conninfo());
}

void weir_one(benchmark::State& state) { weir::bench::run_one(state, open_pools(), one_sql); }
void weir_rows(benchmark::State& state) { weir::bench::run_rows(state, open_pools(), rows_sql); }
void weir_acquire(benchmark::State& state) { weir::bench::run_acquire(state, open_pools()); }

void weir_insert(benchmark::State& state, weir::OnConflict conflict) {
  weir::bench::run_insert(state, open_pools(), keyed, conflict);
}

// By COPY, or by INSERT in the pipeline.
void weir_bulk(benchmark::State& state, const char* sql) {
  weir::bench::DriverConn conn(weir_postgres_driver(), conninfo());
  conn.run("CREATE TEMP TABLE bulk(i bigint, s text, d float8)");
  weir::bench::run_bulk(state, conn, "TRUNCATE bulk", sql);
}

// ---------------------------------------------------------------- SOCI

#ifdef WEIR_BENCH_SOCI
void soci_one(benchmark::State& state) {
  soci::session session("postgresql", conninfo());
  long long value = 0;
  soci::statement statement = (session.prepare << one_sql, soci::into(value));
  for (auto _ : state) {
    statement.execute(true);
    benchmark::DoNotOptimize(value);
  }
}

void soci_rows(benchmark::State& state) {
  soci::session session("postgresql", conninfo());
  long long i = 0;
  std::string s;
  double d = 0;
  soci::statement statement =
      (session.prepare << rows_sql, soci::into(i), soci::into(s), soci::into(d));
  for (auto _ : state) {
    statement.execute();
    while (statement.fetch()) {
      benchmark::DoNotOptimize(i);
      benchmark::DoNotOptimize(s);
      benchmark::DoNotOptimize(d);
    }
  }
}

void soci_bulk(benchmark::State& state) {
  soci::session session("postgresql", conninfo());
  session << "CREATE TEMP TABLE bulk(i bigint, s text, d float8)";
  std::vector<long long> is(bulk_rows);
  std::vector<std::string> ss(bulk_rows);
  std::vector<double> ds(bulk_rows);
  for (auto _ : state) {
    session << "TRUNCATE bulk";
    for (int i = 0; i < bulk_rows; ++i) {
      const auto at = static_cast<std::size_t>(i);
      is[at] = i;
      ss[at] = "row " + std::to_string(i);
      ds[at] = i * 0.5;
    }
    soci::transaction all(session);
    soci::statement statement = (session.prepare << "INSERT INTO bulk VALUES (:i, :s, :d)",
                                 soci::use(is), soci::use(ss), soci::use(ds));
    statement.execute(true);
    all.commit();
  }
}
#endif

}  // namespace

int main(int argc, char** argv) {
  if (const std::string missing = PostgresServer::missing(); !missing.empty()) {
    std::printf("skipped: %s\n", missing.c_str());
    return 0;
  }
  const auto add = [](const char* name, auto function) {
    return benchmark::RegisterBenchmark(name, function)->UseRealTime();
  };
  add("bare_one", bare_one);
  add("weir_one", weir_one);
  add("bare_rows", bare_rows);
  add("bare_stream", bare_stream);
  add("weir_rows", weir_rows);
  add("bare_bulk_copy", bare_bulk);
  add("weir_bulk_copy", [](benchmark::State& s) { weir_bulk(s, "COPY bulk FROM STDIN"); });
  add("weir_bulk_insert",
      [](benchmark::State& s) { weir_bulk(s, "INSERT INTO bulk VALUES ($1, $2, $3)"); });
  using benchmark::State;
  using weir::OnConflict;
  add("bare_insert", bare_insert);
  add("weir_insert", [](State& s) { weir_insert(s, OnConflict::fail); });
  add("bare_skip_staged", [](State& s) { bare_staged(s, skip_clause); });
  add("bare_skip", [](State& s) { bare_arrays(s, skip_clause); });
  add("weir_skip", [](State& s) { weir_insert(s, OnConflict::skip); });
  add("bare_update_staged", [](State& s) { bare_staged(s, update_clause); });
  add("bare_update", [](State& s) { bare_arrays(s, update_clause); });
  add("weir_update", [](State& s) { weir_insert(s, OnConflict::update); });
  add("bare_connect", bare_connect);
  add("weir_acquire", weir_acquire);
#ifdef WEIR_BENCH_SOCI
  add("soci_one", soci_one);
  add("soci_rows", soci_rows);
  add("soci_bulk_insert", soci_bulk);
#endif
  weir::bench::Measured measured;
  const int code = measured.run(argc, argv);
  if (code != 0) return code;
  std::printf("\n");
  measured.print_ratio("prepared SELECT 1", "weir_one/real_time", "bare_one/real_time");
  measured.print_ratio("1000 rows of 3 columns, streamed", "weir_rows/real_time",
                       "bare_stream/real_time");
  measured.print_ratio("1000 rows of 3 columns", "weir_rows/real_time", "bare_rows/real_time");
  measured.print_ratio("10000 rows in by COPY", "weir_bulk_copy/real_time",
                       "bare_bulk_copy/real_time");
  measured.print_ratio("10000 rows in by INSERT", "weir_bulk_insert/real_time",
                       "bare_bulk_copy/real_time");
  measured.print_ratio("10000 rows in, insert_many", "weir_insert/real_time",
                       "bare_insert/real_time");
  measured.print_ratio("half of them skipped", "weir_skip/real_time", "bare_skip/real_time");
  measured.print_ratio("against COPY beside the table", "weir_skip/real_time",
                       "bare_skip_staged/real_time");
  measured.print_ratio("half of them updated", "weir_update/real_time", "bare_update/real_time");
  measured.print_ratio("against COPY beside the table", "weir_update/real_time",
                       "bare_update_staged/real_time");
  measured.print_ratio("connecting, instead of borrowing", "bare_connect/real_time",
                       "weir_acquire/real_time");
#ifdef WEIR_BENCH_SOCI
  measured.print_ratio("SOCI: prepared SELECT 1", "soci_one/real_time", "weir_one/real_time");
  measured.print_ratio("SOCI: 1000 rows", "soci_rows/real_time", "weir_rows/real_time");
  measured.print_ratio("SOCI: 10000 rows in", "soci_bulk_insert/real_time",
                       "weir_bulk_insert/real_time");
#else
  std::printf("SOCI is not installed, so it is not beside them: apt-get install libsoci-dev\n");
#endif
}
