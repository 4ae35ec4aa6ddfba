// SPDX-License-Identifier: MIT
//
// A host of the driver that others copy: found by its manifest, used through a pool, with what a
// driver can get wrong: parameters, prepared statements, a rollback, an early end, a deadline.
#include <weir/weir.hpp>

#include <cstdio>

namespace {

weir::Result<void> change(weir::Connection& c) {
  auto done = c.execute("set ? ?", "colour", "green");
  if (!done) return weir::fail(done.error());
  auto undone = c.transaction([](weir::Connection& t) -> weir::Result<void> {
    auto changed = t.execute("set 'colour' 'red'");
    if (changed) changed = t.execute("delete 'no such key'");
    if (!changed) return weir::fail(changed.error());
    std::printf("%llu deleted\n", static_cast<unsigned long long>(*changed->affected));
    return weir::fail(weir::Code::invalid_argument, "rolled back on purpose");
  });
  if (undone || undone.error().code() != weir::Code::invalid_argument) return undone;
  return c.transaction([](weir::Connection& t) -> weir::Result<void> {
    auto set = t.prepare("set ? ?");
    if (!set) return weir::fail(set.error());
    for (int i = 1; i <= 1000; ++i) {
      auto one = set->execute(i, i * 0.5);
      if (!one) return weir::fail(one.error());
    }
    return {};
  });
}

weir::Result<void> read(weir::Connection& c) {
  auto rows = c.query("get 'colour'");
  if (!rows) return weir::fail(rows.error());
  std::printf("%s\n", (*rows)[0].get<std::string>(0).c_str());
  double sum = 0;
  {
    auto stream = c.stream("list");
    if (!stream) return weir::fail(stream.error());
    for (int i = 0; i < 500; ++i) {
      auto row = stream->next();
      if (!row) return weir::fail(row.error());
      sum += (*row)->get<double>(1);
    }
  }
  std::printf("%.1f\n", sum);
  const auto late = c.within(std::chrono::milliseconds(20)).query("sleep 600000");
  std::printf("%s\n", late ? "on time?" : std::string(late.error().id()).c_str());
  rows = c.query("list");
  if (!rows) return weir::fail(rows.error());
  std::printf("%zu keys\n", rows->size());
  return {};
}

}  // namespace

int main() {
  auto pools = weir::Pools::from_file("template.toml");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();
  weir::Pool& db = (*pools)["main"];
  auto done = db.with([](weir::Connection& c) { return change(c); });
  if (done) done = db.with([](weir::Connection& c) { return read(c); });
  if (!done) return std::fputs(done.error().what().c_str(), stderr), 1;
}
