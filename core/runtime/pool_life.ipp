// SPDX-License-Identifier: MIT
//
// BasicPool, second part: opening, readiness, size, statistics, closing.
#pragma once

#include "core/observe/texts.hpp"
#include "core/runtime/basic_pool.hpp"
#include "core/runtime/pool_telling.ipp"

#include <algorithm>

namespace weir::runtime {

// How long drain() waits, after it has aborted the leases that were still out, for closes to end.
// With its timeout this bounds it, whatever leases and drivers do (T10, L5).
inline constexpr Duration close_grace = std::chrono::seconds(6);

// Gives `max = "auto"` the number that is known so far: the share of what the server has told, if
// it has, else `present`, until the next connection that is made asks it: less could mean that none
// is made. Returns: whether it is "auto".
inline bool size_before_asking(PoolConfig& config, const observe::ServerFacts& told,
                               std::uint32_t present) {
  if (config.max != max_auto) return false;
  const bool will_tell = told.empty() && observe::names_limit(config.driver);
  config.max = will_tell ? std::max(config.min, present) : observe::auto_share(config, told).max;
  return true;
}

template <Runtime R>
BasicPool<R>::BasicPool(PoolParts<R> parts)
    : name_(parts.config.name),
      driver_(std::move(parts.driver)),
      executor_(std::move(parts.executor)),
      sink_(std::move(parts.sink)),
      hooks_(std::move(parts.hooks)),
      process_(parts.process),
      host_(
          [this](std::int32_t level, std::uint64_t, std::string_view line) {
            log(level >= WEIR_LOG_ERROR  ? LogLevel::error
                : level == WEIR_LOG_WARN ? LogLevel::warn
                                         : LogLevel::info,
                line);
          },
          [this](std::uint64_t tag, const weir_event& event) { hear(tag, event); },
          std::move(parts.host_extension)),
      context_{driver_->table, host_.table(), this},
      slow_query_(parts.config.slow_query.count()),
      chains_(context_.watched, observes(parts.config, hooks_)),
      retries_(parts.config.retry),
      exactly_(static_cast<bool>(hooks_.on_release)),
      config_(std::move(parts.config)),
      options_(std::move(parts.options)),
      base_dir_(std::move(parts.base_dir)) {
  set_log_levels(config_.log);
}

template <Runtime R>
engine::EngineConfig BasicPool<R>::engine_config_now() const {
  return engine_config(config_, pinned_, static_cast<bool>(hooks_.on_create));
}

template <Runtime R>
Result<std::shared_ptr<BasicPool<R>>> BasicPool<R>::create(PoolParts<R> parts) {
  std::shared_ptr<BasicPool> pool(new BasicPool(std::move(parts)));
  pool->sizes_itself_ = size_before_asking(pool->config_, {}, 1);
  if (auto opened = pool->open_env(); !opened) return fail(std::move(opened).error());
  weir_source_traits traits{};
  auto made_of = pool->make_generation(pool->config_, pool->options_, pool->base_dir_, traits);
  if (!made_of) return fail(std::move(made_of).error());
  pool->generations_.push_back(*std::move(made_of));
  pool->pinned_ = (traits.flags & WEIR_SOURCE_PINNED) != 0;
  pool->connections_max_ = traits.connections_max;
  pool->rack_.emplace();
  pool->engine_.emplace(pool->engine_config_now(), *pool->rack_, R::random_seed());
  pool->timer_ = pool->executor_->add_timer([raw = pool.get()] { raw->on_timer(); });
  return pool;
}

template <Runtime R>
Result<void> BasicPool<R>::open_env() {
  ErrorBuffer error;
  if (driver_->table->env_create(host_.table(), &env_, &error.raw) == WEIR_OK) return {};
  return fail(named(Error::from_driver(error.raw, "starting the driver")));
}

template <Runtime R>
Error BasicPool<R>::named(const Error& why) const {
  return {why.code(), name_ + ": " + why.message(),
          why.database() != nullptr ? *why.database() : DatabaseError{}};
}

// Has the driver check url and options; connects to nothing. Lowers the limits of `config` to what
// the database can give.
template <Runtime R>
Result<std::shared_ptr<Generation>> BasicPool<R>::make_generation(
    PoolConfig& config, const std::vector<DriverOption>& options, const std::string& base_dir,
    weir_source_traits& traits) {
  std::vector<weir_option> raw;
  for (const DriverOption& option : options) {
    const std::string& value = option.value.reveal();
    raw.push_back({{option.key.data(), option.key.size()}, {value.data(), value.size()}});
  }
  const std::string& url = config.url.reveal();
  weir_source_args args{};
  args.struct_size = sizeof args;
  args.url = {url.data(), url.size()};
  args.base_dir = {base_dir.data(), base_dir.size()};
  args.options = raw.data();
  args.option_count = raw.size();
  traits.struct_size = sizeof traits;
  ErrorBuffer error;
  auto made_of = std::make_shared<Generation>();
  made_of->init_sql = config.init_sql;
  if (driver_->table->source_create(env_, &args, &made_of->source, &traits, &error.raw) !=
      WEIR_OK) {
    return fail(named(Error::from_driver(error.raw, "reading url and options")));
  }
  if (traits.connections_max > 0 && traits.connections_max < config.max) {
    log(LogLevel::info, "max lowered from " + std::to_string(config.max) + " to " +
                            std::to_string(traits.connections_max) +
                            ", all that this database can give");
    config.max = traits.connections_max;
    config.min = std::min(config.min, config.max);
  }
  return made_of;
}

template <Runtime R>
BasicPool<R>::~BasicPool() {
  if (timer_ != 0) executor_->remove_timer(timer_);
  const auto& driver = *driver_->table;
  for (const auto& made_of : generations_) driver.source_destroy(made_of->source);
  if (env_ != nullptr) driver.env_destroy(env_);
}

template <Runtime R>
void BasicPool<R>::start() {
  Turn lock(*this);
  engine_->start(R::now(), fx_);
  perform(lock);
}

template <Runtime R>
std::string BasicPool<R>::placeholder(int n) const {
  const std::string first = driver_->table.info().placeholder;
  return first == "$1" ? "$" + std::to_string(n) : first;
}

template <Runtime R>
Result<void> BasicPool<R>::wait_ready(Duration timeout) {
  if (forked()) return fail(forked_error());
  const auto self = this->shared_from_this();
  Turn lock(*this);
  const Instant deadline = after(R::now(), timeout);
  engine_->start(R::now(), fx_);
  perform(lock);
  ++watchers_;
  std::optional<Error> why;
  const auto cause = [&] { return create_error_ ? create_error_->message() : std::string("none"); };
  while (!engine_->ready()) {
    const bool hopeless = engine_->creator().failing_for_good() &&
                          config_.propagate_create_error != PropagateCreateError::never;
    if (engine_->phase() == engine::Engine::Phase::draining) {
      why = Error(Code::pool_closed, name_ + ": the pool is closed");
    } else if (hopeless) {
      why = Error(Code::create_failed, name_ + ": no connection can be made: " + cause());
    } else if (R::now() >= deadline) {
      why =
          Error(Code::not_ready, name_ + ": not ready within " + observe::short_duration(timeout) +
                                     " (min " + std::to_string(config_.min) + ", now " +
                                     observe::counts_text(engine_->counts()) +
                                     "); last connect error: " + cause());
    }
    if (why) break;
    lock.wait_until(changed_, deadline);
  }
  --watchers_;
  if (why) return fail(*std::move(why));
  return {};
}

template <Runtime R>
PoolStats BasicPool<R>::stats() const {
  PoolStats s;
  s.name = name_;
  if (forked()) return s;  // what is known of it is the parent's
  Turn lock = look();
  s.driver = config_.driver;
  const engine::Counters& c = engine_->counters();
  s.now = engine_->counts();
  s.min = config_.min;
  s.state = engine_->phase() == engine::Engine::Phase::open        ? "open"
            : engine_->phase() == engine::Engine::Phase::suspended ? "suspended"
            : engine_->drained()                                   ? "closed"
                                                                   : "draining";
  if (!engine_->queue().empty()) {
    s.oldest_wait = R::now() - engine_->queue()[engine_->queue().head()].enqueued;
  }
  s.acquires = c.queued + rack_->lends();
  s.leases = c.granted + rack_->lends();
  s.waited = c.waited;
  s.timeouts = c.timeouts;
  s.rejected = c.rejected;
  s.failed = c.failed;
  s.returned = rack_->returns();
  s.created = c.created;
  s.opened = c.opened;
  s.create_failures = c.create_failures;
  s.validations = c.validations;
  s.resets = c.resets;
  s.checks = c.checks;
  s.check_failures = c.check_failures;
  s.closed = c.closed;
  s.long_holds = c.long_holds;
  if (create_error_ && engine_->creator().failing()) s.last_create_error = create_error_->message();
  // Copied, and added up without the lock: that takes longer than the copy.
  const Times wait = wait_times_.copy();
  const Times use = use_times_.copy();
  const Times create = create_times_.copy();
  lock.unlock();
  s.wait = wait.summary();
  s.use = use.summary();
  s.create = create.summary();
  return s;
}

template <Runtime R>
void BasicPool<R>::begin_drain() {
  if (forked()) return;  // drain() says so
  Turn lock(*this);
  engine_->drain(R::now(), fx_);
  perform(lock);
}

template <Runtime R>
template <class Enough>
void BasicPool<R>::wait_for(Turn& lock, Instant until, Enough&& enough) {
  ++watchers_;
  while (!enough() && R::now() < until) lock.wait_until(changed_, until);
  --watchers_;
}

// A lease within which the calling thread is, in with() or transaction(), cannot come back while
// the thread is in here. Of others it is not known: whoever took one may have handed it on.
template <Runtime R>
bool BasicPool<R>::nobody_else_holds() const {
  const engine::TaskId mine = task_of(R::thread_id());
  for (SlotId slot = 0; slot < engine_->slot_count(); ++slot) {
    const auto& view = rack_->view(slot);
    if (view.lent() && view.holder.task != mine) return false;
  }
  return true;
}

template <Runtime R>
std::string BasicPool<R>::held_text(Instant now) const {
  const std::uint32_t held = rack_->lent_count();
  std::string text = std::to_string(held) + (held == 1 ? " lease" : " leases") + " still out";
  const char* before = "; held longest: ";
  for (const LeaseHolder& holder : longest_leases(3, now)) {
    text += before + observe::holder_text(holder);
    before = ", ";
  }
  return text;
}

template <Runtime R>
Result<void> BasicPool<R>::drain(Duration timeout) {
  if (forked()) return fail(forked_error());
  const auto self = this->shared_from_this();
  Turn lock(*this);
  const Instant start = R::now();
  engine_->drain(start, fx_);
  perform(lock);
  wait_for(lock, after(start, timeout), [&] { return nobody_else_holds(); });
  const bool held = rack_->lent_count() > 0;
  const std::string holders = held_text(R::now());
  if (held) {
    engine_->abandon_leases(fx_);
    perform(lock);
  }
  wait_for(lock, after(R::now(), close_grace), [&] { return quiet(); });
  if (quiet() && engine_->physical() == 0) {
    orphan_.reset();  // of an earlier drain; `self` still holds the pool
    muted_ = true;
    return {};
  }
  orphan_ = self;
  muted_ = true;
  if (!held) {
    const std::string left = engine_->physical() == 0
                                 ? "a hook, the log sink or a call of the driver has not returned"
                                 : "the driver has not ended " +
                                       std::to_string(engine_->physical()) + " of its connections";
    return weir::fail(Code::drain_timeout, name_ + ": closed, but " + left);
  }
  return weir::fail(Code::drain_timeout,
                    name_ + ": closed; their calls fail from now on: " + holders);
}

}  // namespace weir::runtime
