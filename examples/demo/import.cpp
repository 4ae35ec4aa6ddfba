// SPDX-License-Identifier: MIT
#include "import.hpp"

namespace demo {

weir::Result<void> create_tables(weir::Pool& db) {
  static constexpr const char* statements[] = {
      "create table packages (id integer primary key, name text not null, architecture text,"
      " version text not null, section text, size_kib integer not null,"
      " unique (name, architecture))",
      "create table dependencies (package integer not null references packages (id),"
      " on_name text not null, kind text not null, primary key (package, on_name, kind))"
      " without rowid",
      "create index dependencies_by_name on dependencies (on_name)",
      "create table accounts (id integer primary key, balance integer not null"
      " check (balance >= 0))",
      "create table ledger (id integer primary key, from_account integer not null,"
      " to_account integer not null, amount integer not null)",
  };
  return db.transaction([](weir::Connection& c) -> weir::Result<void> {
    for (const char* statement : statements) {
      if (auto done = c.execute(statement); !done) return weir::fail(done.error());
    }
    return {};
  });
}

weir::Result<Imported> import_catalogue(weir::Pool& db, const std::vector<Package>& packages) {
  return db.transaction([&](weir::Connection& c) -> weir::Result<Imported> {
    auto add_package = c.prepare(
        "insert into packages (name, architecture, version, section, size_kib)"
        " values (?, ?, ?, ?, ?)");
    if (!add_package) return weir::fail(add_package.error());
    auto add_dependency =
        c.prepare("insert into dependencies (package, on_name, kind) values (?, ?, ?)");
    if (!add_dependency) return weir::fail(add_dependency.error());

    Imported imported;
    for (const Package& p : packages) {
      auto added = add_package->execute(p.name, p.architecture, p.version, p.section, p.size_kib);
      if (!added) return weir::fail(added.error());
      ++imported.packages;
      for (const Dependency& d : p.dependencies) {
        auto linked = add_dependency->execute(added->last_id, d.on, d.kind);
        if (!linked) return weir::fail(linked.error());
        ++imported.dependencies;
      }
    }
    return imported;
  });
}

weir::Result<void> create_accounts(weir::Pool& db, std::int64_t count, std::int64_t balance) {
  return db.transaction([&](weir::Connection& c) -> weir::Result<void> {
    auto add = c.prepare("insert into accounts (id, balance) values (?, ?)");
    if (!add) return weir::fail(add.error());
    for (std::int64_t id = 1; id <= count; ++id) {
      if (auto added = add->execute(id, balance); !added) return weir::fail(added.error());
    }
    return {};
  });
}

}  // namespace demo
