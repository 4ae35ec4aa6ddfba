// SPDX-License-Identifier: MIT
//
// Pools: the pools of one configuration, opened together and closed together.
//
//   auto pools = weir::Pools::from_file("weir.toml");
//   auto pools = weir::Pools::builder().driver(weir_sqlite_driver()).file("weir.toml").open();
//
// Lifetime: the destructor drains each pool for its drain_timeout at most; the lease of a with() or
//           transaction() within which it runs is not waited for, unless that names a task, as one
//           of a RequestScope does. A lease that outlives its Pools stays safe to use and to
//           release.
// Threads:  opening and destroying: one thread; operator[] and find: any.
#pragma once

#include <weir/hooks.hpp>
#include <weir/log.hpp>
#include <weir/pool.hpp>

#include <functional>

struct weir_driver;

namespace weir {

class PoolsBuilder;

class WEIR_API Pools {
 public:
  Pools(Pools&&) noexcept;
  Pools& operator=(Pools&&) noexcept;
  ~Pools();

  // Reads, checks, loads the drivers, opens the pools. Errors: 1xx with all faults of the file,
  // 2xx, config_value if the admin socket cannot be made where it should, and with start = "eager"
  // what kept the pool from getting ready. Blocks: up to start_timeout per eager pool.
  [[nodiscard]] static Result<Pools> from_file(std::string_view path);
  [[nodiscard]] static Result<Pools> from_string(std::string_view toml);
  [[nodiscard]] static PoolsBuilder builder();

  // For programs with one configuration that everybody needs: the same pools for all who ask for
  // the same file, opened by the first and closed when the last lets go. Keep what you are given;
  // asking again costs a lock and a look at the file system. In a forked child they are opened
  // anew. Errors: as from_file; the next one who asks tries again. Blocks: as from_file, also for
  // others.
  [[nodiscard]] static Result<std::shared_ptr<Pools>> shared(std::string_view path);

  // Throws: weir::Exception (unknown_pool) naming the nearest one.
  [[nodiscard]] Pool& operator[](std::string_view name) const;
  [[nodiscard]] Pool* find(std::string_view name) const noexcept;  // null if there is none
  [[nodiscard]] std::vector<std::string> names() const;
  // A snapshot of each pool, in the order of their names.
  [[nodiscard]] std::vector<PoolStats> stats() const;
  [[nodiscard]] std::vector<PoolHealth> health() const;  // the same way

  // Reads the configuration again, from where it came from, and takes it on in the running pools:
  // as a whole, or, if anything in it is wrong or cannot be changed in a running pool, not at all.
  // docs/options.md says what each change reaches. Pools cannot be added, removed, or given another
  // driver; [drivers] and [admin] are passed over. Relative paths begin where open() was called.
  // Returns: the changes, a line each, also what was passed over; empty if there is none. Errors:
  // 1xx with all faults; pool_closed. Blocks: reads files; connects to nothing.
  [[nodiscard]] Result<std::vector<std::string>> reload();
  // The same with a configuration from elsewhere.
  [[nodiscard]] Result<std::vector<std::string>> reload(const Config& config);

  // Drains all pools at the same time. Errors: as Pool::drain, of the first pool that failed.
  [[nodiscard]] Result<void> drain(Duration timeout);

 private:
  friend class PoolsBuilder;
  struct Impl;
  explicit Pools(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

class WEIR_API PoolsBuilder {
 public:
  PoolsBuilder();
  PoolsBuilder(PoolsBuilder&&) noexcept;
  PoolsBuilder& operator=(PoolsBuilder&&) noexcept;
  ~PoolsBuilder();

  // Where the configuration comes from; the last of these calls wins.
  PoolsBuilder& file(std::string_view path);
  PoolsBuilder& string(std::string_view toml, std::string_view base_dir = ".");
  PoolsBuilder& config(Config config);

  // Registers a driver that is linked in; it wins over a plugin of the same name. The table must
  // live as long as the process.
  PoolsBuilder& driver(const weir_driver* driver);

  // Replaces the default sink, which writes to stderr.
  PoolsBuilder& log(LogSink sink);

  // What is told to the host of each pool; or of one, whose own hooks then stand in for the others.
  // open() answers unknown_pool for a name that is not configured.
  PoolsBuilder& hooks(Hooks hooks);
  PoolsBuilder& hooks(std::string_view pool, Hooks hooks);

  [[nodiscard]] Result<Pools> open();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir
