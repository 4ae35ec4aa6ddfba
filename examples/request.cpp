// SPDX-License-Identifier: MIT
//
// What a web framework's middleware would do: each request gets a scope, and whatever handles it,
// however deep, works on the same connection in the same transaction.
#include <weir/weir.hpp>

#include <cstdio>

namespace {

weir::Result<void> log(weir::RequestScope& request, const char* what) {
  auto done = request.execute("insert into log values (?)", what);
  if (!done) return weir::fail(done.error());
  return {};
}

weir::Result<void> handle(weir::RequestScope& request, const char* name) {
  if (auto logged = log(request, "began"); !logged) return logged;
  auto added = request.execute("insert into users values (?)", name);
  if (!added) return weir::fail(added.error());
  return log(request, "ended");
}

// Around every request: all of it is done, or nothing.
void middleware(weir::Pool& db, const char* name) {
  weir::RequestScope request(db, {.tag = "POST /users"});
  const auto done = request.transaction([&](weir::Connection&) { return handle(request, name); });
  std::printf("%s: %s\n", name, done ? "201" : "409");
}

}  // namespace

int main() {
  auto pools = weir::Pools::from_string(R"toml(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = ":memory:"
    log = []
    init_sql = ["create table users (name text unique)", "create table log (what text)"]
  )toml");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();

  weir::Pool& db = (*pools)["main"];
  for (const char* name : {"Ada", "Grace", "Ada"}) middleware(db, name);
  auto rows = db.query("select (select count(*) from users), (select count(*) from log)");
  if (!rows) return std::fputs(rows.error().what().c_str(), stderr), rows.error().exit_code();
  std::printf("%d users, %d lines\n", (*rows)[0].get<int>(0), (*rows)[0].get<int>(1));
}
