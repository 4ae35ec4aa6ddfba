// SPDX-License-Identifier: MIT
//
// Many rows at once: any range of tuples goes into a table, all or none, the fastest way that the
// database has. What is there already is passed over or updated, and an error names the row.
#include <weir/weir.hpp>

#include <cstdio>
#include <vector>

namespace {

using Book = std::tuple<int, std::optional<std::string>, double>;  // NULL where there is nothing

weir::Result<void> fill(weir::Connection& c) {
  const std::vector<Book> first{{1, "Emma", 7.5}, {2, "Ulysses", 12.0}};
  auto all = c.insert_many("book", {"id", "title", "price"}, first);
  if (!all) return weir::fail(all.error());
  std::printf("%llu stored\n", static_cast<unsigned long long>(all->stored));

  const std::vector<Book> more{{2, "Ulysses", 11.0}, {3, "Dracula", 6.0}};
  auto fresh = c.insert_many("book", {"id", "title", "price"}, more,
                             {.on_conflict = weir::OnConflict::skip});
  if (!fresh) return weir::fail(fresh.error());
  std::printf("%llu stored, %llu skipped\n", static_cast<unsigned long long>(fresh->stored),
              static_cast<unsigned long long>(fresh->skipped));

  auto newest = c.insert_many("book", {"id", "title", "price"}, more,
                              {.on_conflict = weir::OnConflict::update, .key = {"id"}});
  if (!newest) return weir::fail(newest.error());

  const std::vector<Book> wrong{{4, "Walden", 5.0}, {5, std::nullopt, 5.0}};
  auto none = c.insert_many("book", {"id", "title", "price"}, wrong);
  if (none) return weir::fail(weir::Code::internal, "a book without a title was stored");
  std::printf("row %d has no title\n", static_cast<int>(none.error().many()->row.value_or(0)));
  return {};
}

}  // namespace

int main() {
  auto pools = weir::Pools::from_string(R"toml(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = ":memory:"
    init_sql = ["create table book (id integer primary key, title text not null, price real)"]
  )toml");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();

  weir::Pool& db = (*pools)["main"];
  if (auto filled = db.with(fill); !filled) {
    return std::fputs(filled.error().what().c_str(), stderr), filled.error().exit_code();
  }
  auto sum = db.query("select count(*), sum(price) from book");
  if (!sum) return std::fputs(sum.error().what().c_str(), stderr), sum.error().exit_code();
  std::printf("%d books, %.1f\n", (*sum)[0].get<int>(0), (*sum)[0].get<double>(1));
}
