// SPDX-License-Identifier: MIT
//
// Prepared statements and a transaction: compiled once per connection, run many times, kept or
// undone together. Preparing the same text again on a connection finds the compiled statement.
#include <weir/weir.hpp>

#include <array>
#include <cstdio>

namespace {

struct Reading {
  const char* sensor;
  std::optional<double> celsius;  // nothing: the sensor did not answer, NULL in the database
};

weir::Result<void> store(weir::Connection& connection, std::span<const Reading> readings) {
  return connection.transaction([&](weir::Connection& c) -> weir::Result<void> {
    auto insert = c.prepare("insert into readings (sensor, celsius) values (?, ?)");
    if (!insert) return weir::fail(insert.error());
    for (const Reading& reading : readings) {
      auto done = insert->execute(reading.sensor, reading.celsius);
      if (!done) return weir::fail(done.error());  // rolls back
    }
    return {};  // commits
  });
}

weir::Result<weir::Rows> run(weir::Connection& c) {
  constexpr std::array<Reading, 4> readings{
      {{"roof", 21.5}, {"cellar", 11.25}, {"garden", std::nullopt}, {"roof", 22.5}}};
  auto made = c.execute("create table readings (sensor text not null, celsius real)");
  if (!made) return weir::fail(made.error());
  if (auto stored = store(c, readings); !stored) return weir::fail(stored.error());
  return c.query("select sensor, avg(celsius) from readings group by sensor order by sensor");
}

}  // namespace

int main() {
  auto pools = weir::Pools::from_string(R"(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = ":memory:"
    max = 1
  )");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();

  auto rows = (*pools)["main"].with([](weir::Connection& c) { return run(c); });
  if (!rows) return std::fputs(rows.error().what().c_str(), stderr), rows.error().exit_code();
  for (const auto& row : *rows) {
    const auto celsius = row.get<std::optional<double>>(1);
    std::printf("%-8s", row.get<std::string>(0).c_str());
    celsius ? std::printf("%6.2f\n", *celsius) : std::printf("%6s\n", "none");
  }
}
