// SPDX-License-Identifier: MIT
//
// BasicPool, fourth part: what is changed while it runs: limits, the whole configuration, the
// connections, a pause. Whatever can be wrong with a configuration is found by prepare(), before
// anything has changed (C3).
#pragma once

#include "core/runtime/basic_pool.hpp"
#include "core/runtime/pool_life.ipp"
#include "core/runtime/pool_telling.ipp"

#include <algorithm>

namespace weir::runtime {

template <Runtime R>
PoolConfig BasicPool<R>::config() const {
  const Lock lock = lock_unless_forked();
  return config_;
}

template <Runtime R>
Result<void> BasicPool<R>::resize(std::uint32_t min, std::uint32_t max) {
  if (forked()) return fail(forked_error());
  Turn lock(*this);
  PoolConfig wanted = config_;
  wanted.min = min;
  wanted.max = max;
  const bool sizes_itself = size_before_asking(wanted, told_, config_.max);
  if (sizes_itself) wanted.max = within_reach(wanted.max);
  PoolConfig checked = wanted;
  checked.start = Start::background;  // how it was to start is over, and asks nothing of `min`
  if (auto good = validate(checked); !good) return good;
  if (within_reach(wanted.max) < wanted.max) {
    return weir::fail(Code::config_conflict, name_ + ": this database can give " +
                                                 std::to_string(connections_max_) +
                                                 " connections at most");
  }
  config_ = std::move(wanted);
  sizes_itself_ = sizes_itself;
  if (sizes_itself_ && told_.empty()) ask_server_anew();
  engine_->reconfigure(engine_config_now(), /*renewed=*/false, R::now(), fx_);
  perform(lock);
  return {};
}

// By the next connection that is made.
template <Runtime R>
void BasicPool<R>::ask_server_anew() noexcept {
  asked_again_.store(false);
  advised_.store(false);
}

// What the driver can give of so many connections.
template <Runtime R>
std::uint32_t BasicPool<R>::within_reach(std::uint32_t max) const noexcept {
  return connections_max_ > 0 ? std::min(max, connections_max_) : max;
}

// A server that did not say is taken for one without a limit.
template <Runtime R>
void BasicPool<R>::take_share(const observe::ServerFacts& server) {
  observe::Share share;
  {
    Turn lock(*this);
    if (!sizes_itself_) return;  // resized meanwhile
    share = observe::auto_share(config_, server);
    share.max = within_reach(share.max);
    told_ = server;
    config_.max = share.max;
    engine_->reconfigure(engine_config_now(), /*renewed=*/false, R::now(), fx_);
    perform(lock);
  }
  log(LogLevel::info, "max = \"auto\" is " + std::to_string(share.max) + ": " + share.why);
}

template <Runtime R>
Result<Change> BasicPool<R>::prepare(PoolConfig config, std::vector<DriverOption> options,
                                     std::string base_dir) {
  if (forked()) return fail(forked_error());
  if (auto good = validate(config); !good) return fail(std::move(good).error());
  Change change{std::move(config), std::move(options), std::move(base_dir), nullptr, false, 0};
  bool renewed = false;
  {
    const Lock lock(mutex_);
    if (engine_->phase() == engine::Engine::Phase::draining) {
      return weir::fail(Code::pool_closed, name_ + ": the pool is closed");
    }
    if (change.config.driver != config_.driver) {
      return weir::fail(Code::config_conflict,
                        name_ + ": a running pool keeps its driver; `driver` was \"" +
                            config_.driver + "\" and would be \"" + change.config.driver +
                            "\": open new pools instead");
    }
    renewed = change.config.url != config_.url || change.config.init_sql != config_.init_sql ||
              change.options != options_ || change.base_dir != base_dir_;
    change.sizes_itself = size_before_asking(change.config, told_, config_.max);
    change.connections_max = connections_max_;
    if (!renewed) {
      change.config.max = within_reach(change.config.max);
      change.config.min = std::min(change.config.min, change.config.max);
    }
  }
  if (!renewed) return change;
  if (pinned_) {
    return weir::fail(Code::config_conflict,
                      name_ +
                          ": this in-memory database lives in its connection; a reload that "
                          "replaces the connection would lose the data");
  }
  weir_source_traits traits{};
  {
    const Lock lock(sources_mutex_);
    auto made_of = make_generation(change.config, change.options, change.base_dir, traits);
    if (!made_of) return fail(std::move(made_of).error());
    change.made_of = *std::move(made_of);
    change.connections_max = traits.connections_max;
  }
  if ((traits.flags & WEIR_SOURCE_PINNED) != 0) {
    drop(std::move(change));
    return weir::fail(Code::config_conflict,
                      name_ + ": a reload cannot turn a pool into an in-memory database");
  }
  return change;
}

template <Runtime R>
void BasicPool<R>::drop(Change change) {
  if (change.made_of) end_sources({std::move(change.made_of)});
}

template <Runtime R>
void BasicPool<R>::end_sources(const std::vector<std::shared_ptr<Generation>>& ended) {
  const Lock lock(sources_mutex_);
  for (const auto& made_of : ended) driver_->table->source_destroy(made_of->source);
}

template <Runtime R>
void BasicPool<R>::take_on(Change change) {
  std::vector<std::shared_ptr<Generation>> ended;
  const bool renewed = change.made_of != nullptr;
  {
    Turn lock(*this);
    config_ = std::move(change.config);
    connections_max_ = change.connections_max;
    sizes_itself_ = change.sizes_itself;
    // The server may have told since prepare(), which had to do without.
    if (sizes_itself_ && !told_.empty()) {
      config_.max = within_reach(observe::auto_share(config_, told_).max);
    }
    if (renewed || (sizes_itself_ && told_.empty())) ask_server_anew();
    options_ = std::move(change.options);
    base_dir_ = std::move(change.base_dir);
    if (renewed) generations_.push_back(std::move(change.made_of));
    set_log_levels(config_.log);
    slow_query_ = config_.slow_query.count();
    chains_.observe(observes(config_, hooks_));
    retries_.set_policy(config_.retry);
    engine_->reconfigure(engine_config_now(), renewed, R::now(), fx_);
    perform(lock);
    // Those that only this list knows any more. The order stays: the present one is the last.
    const std::shared_ptr<Generation> present = generations_.back();
    const auto first = std::stable_partition(generations_.begin(), generations_.end(),
                                             [](const auto& g) { return g.use_count() > 1; });
    ended.assign(first, generations_.end());
    generations_.erase(first, generations_.end());
  }
  end_sources(ended);
  log(LogLevel::info, renewed ? "the configuration was reloaded; all connections are replaced"
                              : "the configuration was reloaded");
}

template <Runtime R>
Result<void> BasicPool<R>::suspend(Duration timeout) {
  if (forked()) return fail(forked_error());
  const auto self = this->shared_from_this();
  Turn lock(*this);
  const Instant start = R::now();
  engine_->suspend(start, fx_);
  perform(lock);
  wait_for(lock, after(start, timeout), [&] {
    return nobody_else_holds() || engine_->phase() != engine::Engine::Phase::suspended;
  });
  if (engine_->phase() == engine::Engine::Phase::draining) {
    return weir::fail(Code::pool_closed, name_ + ": the pool is closed");
  }
  if (rack_->lent_count() == 0) return {};
  const bool resumed = engine_->phase() != engine::Engine::Phase::suspended;
  return weir::fail(Code::drain_timeout,
                    name_ + (resumed ? ": resumed meanwhile, with " : ": suspended, with ") +
                        held_text(R::now()));
}

template <Runtime R>
void BasicPool<R>::resume() {
  if (forked()) return;  // a suspended pool of the parent is the parent's to resume
  Turn lock(*this);
  engine_->resume(R::now(), fx_);
  perform(lock);
}

template <Runtime R>
Result<void> BasicPool<R>::evict() {
  if (forked()) return fail(forked_error());
  if (pinned_) {
    return weir::fail(Code::unsupported,
                      name_ +
                          ": this in-memory database lives in its connection; replacing the "
                          "connection would lose the data");
  }
  Turn lock(*this);
  if (engine_->phase() == engine::Engine::Phase::draining) {
    return weir::fail(Code::pool_closed, name_ + ": the pool is closed");
  }
  engine_->evict(R::now(), fx_);
  perform(lock);
  return {};
}

}  // namespace weir::runtime
