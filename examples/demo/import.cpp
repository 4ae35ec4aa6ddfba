// SPDX-License-Identifier: MIT
#include "import.hpp"

#include "dialect.hpp"

namespace demo {

weir::Result<void> create_tables(weir::Pool& db) {
  // Types and lengths that all three databases take; a key of MySQL's wants a length.
  static constexpr const char* statements[] = {
      "create table packages (id bigint primary key, name varchar(150) not null,"
      " architecture varchar(20), version varchar(150) not null, section varchar(80),"
      " size_kib bigint not null, unique (name, architecture))",
      "create table dependencies (package bigint not null references packages (id),"
      " on_name varchar(150) not null, kind varchar(20) not null,"
      " primary key (package, on_name, kind))",
      "create index dependencies_by_name on dependencies (on_name)",
      "create table accounts (id bigint primary key, balance bigint not null"
      " check (balance >= 0))",
      "create table ledger (id bigint primary key, from_account bigint not null,"
      " to_account bigint not null, amount bigint not null)",
  };
  // On one connection, but in no transaction: MySQL ends one with each of them.
  return db.with({.tag = "tables"}, [](weir::Connection& c) -> weir::Result<void> {
    for (const char* statement : statements) {
      if (auto done = c.execute(statement); !done) return weir::fail(done.error());
    }
    return {};
  });
}

weir::Result<Imported> import_catalogue(weir::Pool& db, const std::vector<Package>& packages) {
  return db.transaction([&](weir::Connection& c) -> weir::Result<Imported> {
    auto add_package = c.prepare(
        in_dialect_of(db,
                      "insert into packages (id, name, architecture, version, section, size_kib)"
                      " values (?, ?, ?, ?, ?, ?)"));
    if (!add_package) return weir::fail(add_package.error());
    auto add_dependency = c.prepare(
        in_dialect_of(db, "insert into dependencies (package, on_name, kind) values (?, ?, ?)"));
    if (!add_dependency) return weir::fail(add_dependency.error());

    Imported imported;
    for (const Package& p : packages) {
      const auto id = static_cast<std::int64_t>(++imported.packages);
      auto added =
          add_package->execute(id, p.name, p.architecture, p.version, p.section, p.size_kib);
      if (!added) return weir::fail(added.error());
      for (const Dependency& d : p.dependencies) {
        auto linked = add_dependency->execute(id, d.on, d.kind);
        if (!linked) return weir::fail(linked.error());
        ++imported.dependencies;
      }
    }
    return imported;
  });
}

weir::Result<void> create_accounts(weir::Pool& db, std::int64_t count, std::int64_t balance) {
  return db.transaction([&](weir::Connection& c) -> weir::Result<void> {
    auto add = c.prepare(in_dialect_of(db, "insert into accounts (id, balance) values (?, ?)"));
    if (!add) return weir::fail(add.error());
    for (std::int64_t id = 1; id <= count; ++id) {
      if (auto added = add->execute(id, balance); !added) return weir::fail(added.error());
    }
    return {};
  });
}

}  // namespace demo
