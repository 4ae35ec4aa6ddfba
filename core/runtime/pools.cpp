// SPDX-License-Identifier: MIT
//
// Pools and its builder: the composition root. Configuration, loader and runtime meet here and
// nowhere else.
#include "core/base/suggest.hpp"
#include "core/base/text.hpp"
#include "core/config/diff.hpp"
#include "core/config/driver_options.hpp"
#include "core/loader/loader.hpp"
#include "core/observe/texts.hpp"
#include "core/runtime/admin_desk.hpp"
#include "core/runtime/admin_socket.hpp"
#include "core/runtime/basic_pool.hpp"
#include "core/runtime/os_runtime.hpp"
#include "core/runtime/process.hpp"

#include <weir/pools.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <tuple>

namespace weir {

namespace runtime {
extern template class BasicPool<OsRuntime>;
}

using runtime::OsRuntime;
using OsPool = runtime::BasicPool<OsRuntime>;
using OsExecutor = runtime::BasicExecutor<OsRuntime>;

namespace {

// What the pools of a process share. A forked child has its own: the parent's threads are not in
// it, and a lock of the parent's may have been held at that moment.
struct Shared {
  std::uint32_t process = runtime::process_generation();
  OsRuntime::mutex executor_mutex;
  std::weak_ptr<OsExecutor> executor;
  OsRuntime::mutex loader_mutex;
  OsRuntime::mutex registry_mutex;
  std::map<std::string, std::weak_ptr<Pools>> registry;  // by absolute path
  const Shared* parents = nullptr;  // in a child: of no use, but within reach of a leak checker
};

Shared& shared() {
  static OsRuntime::atomic<Shared*> current{nullptr};
  Shared* found = current.load();
  while (found == nullptr || found->process != runtime::process_generation()) {
    auto made = std::make_unique<Shared>();
    made->parents = found;
    // Kept for good, and so is the parent's in a child, where it is of no use.
    if (current.compare_exchange_strong(found, made.get())) found = made.release();
  }
  return *found;
}

// One executor for all pools of the process, for as long as there is one.
std::shared_ptr<OsExecutor> shared_executor() {
  Shared& s = shared();
  const std::unique_lock lock(s.executor_mutex);
  std::shared_ptr<OsExecutor> executor = s.executor.lock();
  if (!executor) s.executor = executor = std::make_shared<OsExecutor>();
  return executor;
}

// The ABI promises that a plugin's entry is called by one thread at a time.
Result<std::shared_ptr<const loader::LoadedDriver>> load_driver(
    const std::string& name, const Config& config,
    const std::vector<const weir_driver*>& registered) {
  const std::unique_lock lock(shared().loader_mutex);
  return loader::load(name, config.drivers, config.base_dir, registered);
}

Result<runtime::Change> prepare(OsPool& pool, const PoolConfig& wanted, const Config& config) {
  // Is refused, and must not be for options that the driver it has does not know.
  if (wanted.driver != pool.config().driver) {
    return pool.prepare(wanted, wanted.options, config.base_dir);
  }
  auto options =
      config::check_driver_options(wanted.options, pool.driver_info(), {config.file, wanted.name});
  if (!options) return fail(std::move(options).error());
  return pool.prepare(wanted, *std::move(options), config.base_dir);
}

void to_stderr(LogLevel level, std::string_view pool, std::string_view line) {
  const std::string text = "weir: " + std::string(to_string(level)) + ": " + std::string(pool) +
                           ": " + std::string(line) + "\n";
  std::fputs(text.c_str(), stderr);  // one call: lines of several threads do not mix
}

// There is no way on: the answer that called the sink is still under way in the pools, and their
// socket can only end with it. Said here, where it is still known what was done.
[[noreturn]] void destroyed_while_answering() {
  std::fputs(
      "weir: the Pools were destroyed by a log sink that their own admin socket's thread has "
      "called,\n"
      "as `weir reload` has it do. They are in use below the sink: destroy them on another thread, "
      "once\nit has returned.\n",
      stderr);
  std::abort();
}

// Of a timeout that has run since `start`.
Duration rest_of(Duration timeout, Instant start) {
  if (timeout == no_timeout) return timeout;
  return std::max(timeout - (OsRuntime::now() - start), Duration{});
}

}  // namespace

// ---------------------------------------------------------------- Pools

struct Pools::Impl {
  std::shared_ptr<OsExecutor> executor = shared_executor();  // ends after the pools
  std::map<std::string, std::shared_ptr<OsPool>, std::less<>> pools;
  LogSink sink;
  std::uint32_t process = runtime::process_generation();
  std::function<Result<Config>()> read;  // where the configuration came from
  Config as_opened;  // less its pools: what a reload passes over, [drivers] and [admin]
  OsRuntime::mutex reload_mutex;                // one reload at a time
  std::unique_ptr<runtime::AdminSocket> admin;  // null: off, or another process has it

  // Then the parent's locks are not to be waited for.
  [[nodiscard]] bool is_forked() const noexcept { return process != runtime::process_generation(); }

  ~Impl() {
    if (is_forked()) {
      forget();
      return;
    }
    if (admin && admin->is_on_own_thread()) destroyed_while_answering();
    for (auto& [name, pool] : pools) pool->begin_drain();  // side by side, not one after another
    const Instant start = OsRuntime::now();
    for (auto& [name, pool] : pools) {
      const auto drained = pool->drain(rest_of(pool->config().drain_timeout, start));
      if (!drained && pool->config().log.warn) warn(name, drained.error().message());
    }
    admin.reset();  // until now it could be asked who is waited for; it asks the pools
  }

  // Errors: as AdminSocket::open, but that a process that has the socket is no reason to serve
  // nobody: two of a program that overlap, while it is replaced, are ordinary.
  [[nodiscard]] Result<void> open_admin(const std::string& path) {
    runtime::AdminDesk desk;
    for (const auto& [name, pool] : pools) desk.pools.emplace(name, pool.get());
    desk.reload = [this] { return reload(); };
    auto opened = runtime::AdminSocket::open(
        path, [desk = std::move(desk)](std::string_view line) { return desk.answer(line); });
    if (opened) {
      admin = *std::move(opened);
    } else if (opened.error().code() == Code::invalid_state) {
      warn("admin", opened.error().message() + "; this one cannot be asked");
    } else {
      return weir::fail(std::move(opened).error());
    }
    return {};
  }

  // Of two at once the one that reads the file later applies it later.
  [[nodiscard]] Result<std::vector<std::string>> reload() {
    if (is_forked()) return weir::fail(runtime::forked_error());
    const std::unique_lock lock(reload_mutex);
    auto config = read();
    if (!config) return weir::fail(std::move(config).error());
    return apply(*config);
  }
  [[nodiscard]] Result<std::vector<std::string>> reload(const Config& config) {
    if (is_forked()) return weir::fail(runtime::forked_error());
    const std::unique_lock lock(reload_mutex);
    return apply(config);
  }
  // With reload_mutex held.
  [[nodiscard]] Result<std::vector<std::string>> apply(const Config& config);

  // Errors: config_conflict, since a reload neither opens nor closes pools.
  [[nodiscard]] Result<void> has_the_pools_of(const Config& wanted) const {
    std::string added;
    std::string lacking;
    for (const auto& [name, pool] : wanted.pools) {
      if (!pools.contains(name)) added += (added.empty() ? " adds " : ", ") + name;
    }
    for (const auto& [name, pool] : pools) {
      if (!wanted.pools.contains(name)) lacking += (lacking.empty() ? " lacks " : ", ") + name;
    }
    if (added.empty() && lacking.empty()) return {};
    return weir::fail(Code::config_conflict,
                      "a reload neither opens nor closes pools, but the configuration" + added +
                          (added.empty() || lacking.empty() ? "" : " and") + lacking +
                          ": open new Pools instead");
  }

  // In a forked child: neither threads to stop nor sessions to end are the child's. Leaked, but
  // within reach, so that a leak checker knows that it is meant. Without memory for that the child
  // ends, which is what it would do at its next allocation.
  void forget() noexcept {
    using Forgotten = std::vector<std::tuple<decltype(executor), decltype(pools), decltype(admin)>>;
    static auto& forgotten = *new Forgotten;  // NOLINT(bugprone-unhandled-exception-at-new)
    forgotten.emplace_back(std::move(executor), std::move(pools), std::move(admin));
  }

  void warn(std::string_view pool, std::string_view line) noexcept {
    try {
      sink(LogLevel::warn, pool, one_line(line));
    } catch (...) {
      // A sink that throws loses its line; it breaks neither open() nor a destructor.
    }
  }
};

Pools::Pools(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Pools::Pools(Pools&&) noexcept = default;
Pools& Pools::operator=(Pools&&) noexcept = default;
Pools::~Pools() = default;

Result<Pools> Pools::from_file(std::string_view path) { return builder().file(path).open(); }
Result<Pools> Pools::from_string(std::string_view toml) { return builder().string(toml).open(); }
PoolsBuilder Pools::builder() { return PoolsBuilder(); }

Result<std::shared_ptr<Pools>> Pools::shared(std::string_view path) {
  std::error_code ignored;  // a path that cannot be followed is told by from_file
  std::string key = std::filesystem::weakly_canonical(path, ignored).string();
  if (key.empty()) key = path;
  Shared& process = weir::shared();
  const std::unique_lock lock(process.registry_mutex);
  if (const auto known = process.registry.find(key); known != process.registry.end()) {
    if (auto open = known->second.lock()) return open;
  }
  auto opened = from_file(path);
  if (!opened) return fail(std::move(opened).error());
  auto made = std::make_shared<Pools>(*std::move(opened));
  process.registry[key] = made;
  return made;
}

Pool* Pools::find(std::string_view name) const noexcept {
  const auto it = impl_->pools.find(name);
  return it == impl_->pools.end() ? nullptr : it->second.get();
}

Pool& Pools::operator[](std::string_view name) const {
  if (Pool* pool = find(name)) return *pool;
  std::vector<std::string_view> known;
  for (const auto& [other, pool] : impl_->pools) known.emplace_back(other);
  throw Exception(Error(Code::unknown_pool, observe::unknown_pool_text(name, known)));
}

std::vector<std::string> Pools::names() const {
  std::vector<std::string> names;
  for (const auto& [name, pool] : impl_->pools) names.push_back(name);
  return names;
}

std::vector<PoolHealth> Pools::health() const {
  std::vector<PoolHealth> all;
  for (const auto& [name, pool] : impl_->pools) all.push_back(pool->health());
  return all;
}

std::vector<PoolStats> Pools::stats() const {
  std::vector<PoolStats> all;
  for (const auto& [name, pool] : impl_->pools) all.push_back(pool->stats());
  return all;
}

Result<std::vector<std::string>> Pools::reload() { return impl_->reload(); }

Result<std::vector<std::string>> Pools::reload(const Config& config) {
  return impl_->reload(config);
}

Result<std::vector<std::string>> Pools::Impl::apply(const Config& config) {
  if (auto same = has_the_pools_of(config); !same) return weir::fail(std::move(same).error());
  std::vector<std::string> lines;
  std::vector<std::pair<OsPool*, runtime::Change>> prepared;
  for (const auto& [name, pool] : pools) {
    auto change = prepare(*pool, config.pools.at(name), config);
    if (!change) {
      for (auto& [other, unused] : prepared) other->drop(std::move(unused));
      return weir::fail(std::move(change).error());
    }
    const std::vector<config::Change> changes = config::diff(pool->config(), change->config);
    for (const config::Change& one : changes) {
      lines.push_back(name + ": " + config::to_text(one));
    }
    if (change->made_of && config::farthest_reach(changes) < config::Reach::generation) {
      const std::string& begin = change->base_dir;
      lines.push_back(name + ": relative paths now begin at " +
                      (begin.empty() ? "the working directory" : begin));
    }
    prepared.emplace_back(pool.get(), *std::move(change));
  }
  Config wanted;
  wanted.drivers = config.drivers;
  wanted.admin = config.admin;
  for (const config::Change& one : config::diff(as_opened, wanted).changes) {
    lines.push_back(config::to_text(one) + " (passed over: it is read when pools are opened)");
  }
  for (auto& [pool, change] : prepared) pool->take_on(std::move(change));
  return lines;
}

Result<void> Pools::drain(Duration timeout) {
  for (auto& [name, pool] : impl_->pools) pool->begin_drain();
  const Instant start = OsRuntime::now();
  Result<void> first;
  for (auto& [name, pool] : impl_->pools) {
    auto drained = pool->drain(rest_of(timeout, start));
    if (!drained && first) first = std::move(drained);
  }
  return first;
}

// ---------------------------------------------------------------- PoolsBuilder

struct PoolsBuilder::Impl {
  // From the directory where relative paths of the host begin, empty for the working directory.
  using Read = std::function<Result<Config>(const std::filesystem::path& from)>;
  Read read = of_file("weir.toml");
  std::vector<const weir_driver*> drivers;
  LogSink sink = to_stderr;
  Hooks hooks;
  std::map<std::string, Hooks, std::less<>> hooks_of;

  static Read of_file(std::string_view path) {
    return [path = std::string(path)](const std::filesystem::path& from) {
      return Config::from_file((from / path).string());
    };
  }

  // Errors: unknown_pool for hooks that would never be called.
  [[nodiscard]] Result<void> check_hooks(const Config& config) const {
    std::vector<std::string_view> known;
    for (const auto& [name, pool] : config.pools) known.push_back(name);
    for (const auto& [name, unused] : hooks_of) {
      if (config.pools.contains(name)) continue;
      std::string text = "hooks are given for a pool \"" + name + "\" that is not configured";
      const std::string_view near = nearest(name, known);
      if (!near.empty()) text += "; did you mean \"" + std::string(near) + "\"?";
      return fail(Code::unknown_pool, std::move(text));
    }
    return {};
  }
};

PoolsBuilder::PoolsBuilder() : impl_(std::make_unique<Impl>()) {}
PoolsBuilder::PoolsBuilder(PoolsBuilder&&) noexcept = default;
PoolsBuilder& PoolsBuilder::operator=(PoolsBuilder&&) noexcept = default;
PoolsBuilder::~PoolsBuilder() = default;

PoolsBuilder& PoolsBuilder::file(std::string_view path) {
  impl_->read = Impl::of_file(path);
  return *this;
}
PoolsBuilder& PoolsBuilder::string(std::string_view toml, std::string_view base_dir) {
  impl_->read = [toml = std::string(toml),
                 base = std::string(base_dir)](const std::filesystem::path& from) {
    return Config::from_string(toml, "<string>", (from / base).string());
  };
  return *this;
}
PoolsBuilder& PoolsBuilder::config(Config config) {
  impl_->read = [config = std::move(config)](const std::filesystem::path&) -> Result<Config> {
    for (const auto& [name, pool] : config.pools) {
      if (auto good = validate(pool); !good) return fail(std::move(good).error());
    }
    return config;
  };
  return *this;
}
PoolsBuilder& PoolsBuilder::driver(const weir_driver* driver) {
  if (driver != nullptr) impl_->drivers.push_back(driver);
  return *this;
}
PoolsBuilder& PoolsBuilder::log(LogSink sink) {
  impl_->sink = std::move(sink);
  return *this;
}
PoolsBuilder& PoolsBuilder::hooks(Hooks hooks) {
  impl_->hooks = std::move(hooks);
  return *this;
}
PoolsBuilder& PoolsBuilder::hooks(std::string_view pool, Hooks hooks) {
  impl_->hooks_of.insert_or_assign(std::string(pool), std::move(hooks));
  return *this;
}

Result<Pools> PoolsBuilder::open() {
  auto config = impl_->read({});
  if (!config) return fail(std::move(config).error());
  if (auto good = impl_->check_hooks(*config); !good) return fail(std::move(good).error());
  auto pools = std::make_unique<Pools::Impl>();
  // A daemon may have left for "/" by the time of a reload.
  std::error_code unknown;  // without a working directory paths stay as they are
  pools->read = [read = impl_->read, from = std::filesystem::current_path(unknown)] {
    return read(from);
  };
  pools->as_opened.drivers = config->drivers;
  pools->as_opened.admin = config->admin;
  pools->sink = impl_->sink ? impl_->sink : [](LogLevel, std::string_view, std::string_view) {};
  const observe::ProcessFacts process = runtime::facts_of_process(*config);
  struct Loaded {
    std::shared_ptr<const loader::LoadedDriver> driver;
    bool noted = false;
  };
  std::map<std::string, Loaded> drivers;
  for (auto& [name, pool_config] : config->pools) {
    auto& [driver, noted] = drivers[pool_config.driver];
    if (!driver) {
      auto loaded = load_driver(pool_config.driver, *config, impl_->drivers);
      if (!loaded) return fail(std::move(loaded).error());
      driver = *std::move(loaded);
    }
    if (!noted && pool_config.log.warn) {
      for (const std::string& note : driver->notes) pools->warn(name, note);
      noted = true;
    }
    auto options = config::check_driver_options(pool_config.options, driver->table.info(),
                                                {config->file, name});
    if (!options) return fail(std::move(options).error());
    const auto own = impl_->hooks_of.find(name);
    auto pool =
        OsPool::create({.config = pool_config,
                        .options = *std::move(options),
                        .base_dir = config->base_dir,
                        .driver = driver,
                        .executor = pools->executor,
                        .sink = pools->sink,
                        .process = process,
                        .hooks = own == impl_->hooks_of.end() ? impl_->hooks : own->second});
    if (!pool) return fail(std::move(pool).error());
    pools->pools.emplace(name, *std::move(pool));
  }
  if (!config->admin.socket.empty()) {  // it can be asked why an eager one does not get ready
    if (auto opened = pools->open_admin(config->admin.socket); !opened) {
      return fail(std::move(opened).error());
    }
  }
  // All of them check out: only now is anything connected to, and nothing with start = "lazy". If
  // an eager one fails, the destructor of `pools` ends what the others have begun (R10).
  for (auto& [name, pool] : pools->pools) {
    if (pool->config().start != Start::lazy) pool->start();
  }
  for (auto& [name, pool] : pools->pools) {
    if (pool->config().start != Start::eager) continue;
    if (auto ready = pool->wait_ready(pool->config().start_timeout); !ready) {
      return fail(std::move(ready).error());
    }
  }
  return Pools(std::move(pools));
}

}  // namespace weir
