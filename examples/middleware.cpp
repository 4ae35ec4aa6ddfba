// SPDX-License-Identifier: MIT
//
// Functions around each call: one that counts and times, one that keeps writers out, and the
// histogram that ships. The first that is registered is the outermost.
#include <weir/weir.hpp>

#include <cstdio>

namespace {

weir::Result<weir::CallDone> read_only(weir::Call& call, weir::Next& next) {
  const std::string operation = call.operation();
  if (operation == "INSERT" || operation == "UPDATE" || operation == "DELETE") {
    return weir::fail(weir::Code::read_only, "not by this service: " + call.summary());
  }
  return next();
}

}  // namespace

int main() {
  auto pools = weir::Pools::from_string(R"toml(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = ":memory:"
    init_sql = ["create table users (id integer primary key, name text)",
                "insert into users values (1, 'Ada'), (2, 'Grace')"]
    slow_query = "1s"  # a warning in the log, without any code
  )toml");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();

  weir::Pool& db = (*pools)["main"];
  db.use([](weir::Call& call, weir::Next& next) {
    const weir::Instant start = call.now();
    auto done = next();
    const bool quick = call.now() - start < std::chrono::minutes(1);
    std::printf("%s: %s%s\n", call.summary().c_str(),
                done ? "ok" : std::string(done.error().name()).c_str(), quick ? "" : ", slow");
    return done;
  });
  db.use(read_only, {.name = "read_only"});
  const weir::QueryTimes times;
  db.use(times.middleware());

  auto rows = db.query("select name from users where id = ?", 2);
  if (!rows) return std::fputs(rows.error().what().c_str(), stderr), rows.error().exit_code();
  auto written = db.execute("delete from users");
  if (written) return 1;
  std::printf("%s\n%llu timed\n", written.error().message().c_str(),
              static_cast<unsigned long long>(times.summary().count));
}
