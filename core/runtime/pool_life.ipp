// SPDX-License-Identifier: MIT
//
// BasicPool, second part: opening, readiness, size, statistics, closing.
#pragma once

#include "core/observe/texts.hpp"
#include "core/runtime/basic_pool.hpp"

#include <algorithm>

namespace weir::runtime {

// How long drain() waits, after it has aborted the leases that were still out, for closes to end.
inline constexpr Duration close_grace = std::chrono::seconds(6);

inline engine::EngineConfig engine_config(const PoolConfig& c, bool pinned) {
  engine::EngineConfig e;
  e.min = c.min;
  e.max = c.max;
  e.max_connecting = c.max_connecting;
  e.max_waiting = c.max_waiting;
  e.create_timeout = c.create_timeout;
  e.create_retry_interval = c.create_retry_interval;
  e.create_retry_max = c.create_retry_max;
  e.propagate_create_error = c.propagate_create_error;
  e.idle_timeout = c.idle_timeout;
  e.reap_interval = c.reap_interval;
  e.max_lifetime = c.max_lifetime;
  e.validate_after = c.validate_after;
  e.keepalive = c.keepalive;
  e.fairness = c.fairness;
  e.fair_after = c.fair_after;
  e.hold_warn = c.hold_warn;
  e.reset = c.reset;
  e.has_init = !c.init_sql.empty();
  e.pinned = pinned;
  return e;
}

template <Runtime R>
BasicPool<R>::BasicPool(PoolParts<R> parts)
    : config_(std::move(parts.config)),
      driver_(std::move(parts.driver)),
      executor_(std::move(parts.executor)),
      sink_(std::move(parts.sink)),
      host_([this](std::int32_t level, std::uint64_t, std::string_view line) {
        log(level >= WEIR_LOG_ERROR  ? LogLevel::error
            : level == WEIR_LOG_WARN ? LogLevel::warn
                                     : LogLevel::info,
            line);
      }),
      context_{driver_->table, nullptr, host_.table(), nullptr} {
  if (config_.log.query) {
    context_.on_query = [this](std::string_view sql, Duration took, bool ok) {
      log(LogLevel::query,
          observe::short_duration(took) + (ok ? " " : " failed: ") + std::string(sql));
    };
  }
}

template <Runtime R>
Result<std::shared_ptr<BasicPool<R>>> BasicPool<R>::create(PoolParts<R> parts) {
  const PoolParts<R> kept = parts;  // options and base_dir are needed once more
  std::shared_ptr<BasicPool> pool(new BasicPool(std::move(parts)));
  if (auto opened = pool->open_source(kept); !opened) return fail(std::move(opened).error());
  pool->rack_.emplace(pool->config_.validate_after);
  pool->engine_.emplace(engine_config(pool->config_, pool->pinned_), *pool->rack_,
                        R::random_seed());
  pool->timer_ = pool->executor_->add_timer([raw = pool.get()] { raw->on_timer(); });
  return pool;
}

template <Runtime R>
Result<void> BasicPool<R>::open_source(const PoolParts<R>& parts) {
  const auto failed = [&](const weir_error& error) {
    Error why = Error::from_driver(error, "reading url and options");
    return fail(Error(why.code(), config_.name + ": " + why.message(),
                      why.database() != nullptr ? *why.database() : DatabaseError{}));
  };
  char text[1024];
  weir_error error{};
  error.struct_size = sizeof error;
  error.text = text;
  error.text_capacity = sizeof text;
  const auto& driver = *driver_->table;
  if (driver.env_create(host_.table(), &env_, &error) != WEIR_OK) return failed(error);

  std::vector<weir_option> options;
  for (const DriverOption& option : parts.options) {
    const std::string& value = option.value.reveal();
    options.push_back({{option.key.data(), option.key.size()}, {value.data(), value.size()}});
  }
  const std::string& url = config_.url.reveal();
  weir_source_args args{};
  args.struct_size = sizeof args;
  args.url = {url.data(), url.size()};
  args.base_dir = {parts.base_dir.data(), parts.base_dir.size()};
  args.options = options.data();
  args.option_count = options.size();
  weir_source_traits traits{};
  traits.struct_size = sizeof traits;
  if (driver.source_create(env_, &args, &source_, &traits, &error) != WEIR_OK) {
    return failed(error);
  }
  context_.source = source_;
  pinned_ = (traits.flags & WEIR_SOURCE_PINNED) != 0;
  connections_max_ = traits.connections_max;
  if (traits.connections_max > 0 && traits.connections_max < config_.max) {
    log(LogLevel::info, "max lowered from " + std::to_string(config_.max) + " to " +
                            std::to_string(traits.connections_max) +
                            ", all that this database can give");
    config_.max = traits.connections_max;
    config_.min = std::min(config_.min, config_.max);
  }
  return {};
}

template <Runtime R>
BasicPool<R>::~BasicPool() {
  if (timer_ != 0) executor_->remove_timer(timer_);
  const auto& driver = *driver_->table;
  if (source_ != nullptr) driver.source_destroy(source_);
  if (env_ != nullptr) driver.env_destroy(env_);
}

template <Runtime R>
void BasicPool<R>::start() {
  Lock lock(mutex_);
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
  const auto self = this->shared_from_this();
  Lock lock(mutex_);
  const Instant deadline = after(R::now(), timeout);
  engine_->start(R::now(), fx_);
  perform(lock);
  ++watchers_;
  std::optional<Error> why;
  const auto cause = [&] { return create_error_ ? create_error_->message() : std::string("none"); };
  while (!engine_->ready()) {
    const bool hopeless = engine_->creator().failing_for_good() &&
                          config_.propagate_create_error != PropagateCreateError::never;
    if (engine_->phase() != engine::Engine::Phase::open) {
      why = Error(Code::pool_closed, config_.name + ": the pool is closed");
    } else if (hopeless) {
      why = Error(Code::create_failed, config_.name + ": no connection can be made: " + cause());
    } else if (R::now() >= deadline) {
      why =
          Error(Code::not_ready,
                config_.name + ": not ready within " + observe::short_duration(timeout) + " (min " +
                    std::to_string(engine_->min()) + ", now " +
                    observe::counts_text(engine_->counts()) + "); last connect error: " + cause());
    }
    if (why) break;
    R::wait_until(changed_, lock, deadline);
  }
  --watchers_;
  if (why) return fail(*std::move(why));
  return {};
}

template <Runtime R>
Result<void> BasicPool<R>::resize(std::uint32_t min, std::uint32_t max) {
  PoolConfig wanted = config_;
  wanted.min = min;
  wanted.max = max;
  if (auto good = validate(wanted); !good) return good;
  if (connections_max_ > 0 && max > connections_max_) {
    return fail(Code::config_conflict, config_.name + ": this database can give " +
                                           std::to_string(connections_max_) +
                                           " connections at most");
  }
  Lock lock(mutex_);
  engine_->resize(min, max, R::now(), fx_);
  perform(lock);
  return {};
}

template <Runtime R>
PoolStats BasicPool<R>::stats() const {
  PoolStats s;
  s.name = config_.name;
  s.driver = config_.driver;
  const Lock lock(mutex_);
  const engine::Counters& c = engine_->counters();
  s.now = engine_->counts();
  s.min = engine_->min();
  s.state = engine_->phase() == engine::Engine::Phase::open ? "open"
            : engine_->drained()                            ? "closed"
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
  s.create_failures = c.create_failures;
  s.validations = c.validations;
  s.resets = c.resets;
  s.closed = c.closed;
  s.long_holds = c.long_holds;
  if (latencies_) {
    s.wait = latencies_->wait.summary();
    s.use = latencies_->use.summary();
    s.create = latencies_->create.summary();
  }
  if (create_error_ && engine_->creator().failing()) s.last_create_error = create_error_->message();
  return s;
}

template <Runtime R>
void BasicPool<R>::begin_drain() {
  Lock lock(mutex_);
  engine_->drain(R::now(), fx_);
  perform(lock);
}

template <Runtime R>
Result<void> BasicPool<R>::drain(Duration timeout) {
  const auto self = this->shared_from_this();
  Lock lock(mutex_);
  const Instant start = R::now();
  engine_->drain(start, fx_);
  perform(lock);
  const std::uint64_t me = R::thread_id();
  // A lease of the calling thread cannot come back while the thread is in here.
  const auto nobody_else_holds = [&] {
    for (SlotId slot = 0; slot < engine_->slot_count(); ++slot) {
      const auto& view = rack_->view(slot);
      const bool lent =
          view.word == engine::Rack::Word::lent || view.word == engine::Rack::Word::retire;
      if (lent && view.holder.thread != me) return false;
    }
    return true;
  };
  const auto wait_for = [&](Instant until, auto&& enough) {
    ++watchers_;
    while (!enough() && R::now() < until) R::wait_until(changed_, lock, until);
    --watchers_;
  };
  wait_for(after(start, timeout), nobody_else_holds);
  const std::vector<LeaseHolder> holders = longest_leases(3, R::now());
  const std::uint32_t held = rack_->lent_count();
  if (held > 0) {
    engine_->abandon_leases(fx_);
    perform(lock);
  }
  wait_for(after(R::now(), close_grace), [&] { return quiet(); });
  if (quiet() && engine_->physical() == 0) {
    orphan_.reset();  // of an earlier drain; `self` still holds the pool
    return {};
  }
  orphan_ = self;
  muted_ = true;
  if (held == 0) {
    return weir::fail(Code::drain_timeout,
                      config_.name + ": closed, but the driver has not ended " +
                          std::to_string(engine_->physical()) + " of its connections");
  }
  std::string text = config_.name + ": closed with " + std::to_string(held) +
                     (held == 1 ? " lease" : " leases") +
                     " still out; their calls fail from now on. Held longest: ";
  for (std::size_t i = 0; i < holders.size(); ++i) {
    text += (i == 0 ? "" : ", ") + observe::holder_text(holders[i]);
  }
  return weir::fail(Code::drain_timeout, std::move(text));
}

}  // namespace weir::runtime
