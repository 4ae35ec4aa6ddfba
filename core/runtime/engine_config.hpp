// SPDX-License-Identifier: MIT
//
// What the engine reads of a pool's configuration, taken out of it.
#pragma once

#include "core/engine/types.hpp"

namespace weir::runtime {

// `has_hook`: each connection is shown to the host before it is lent.
inline engine::EngineConfig engine_config(const PoolConfig& c, bool pinned, bool has_hook) {
  engine::EngineConfig e;
  e.min = c.min;
  e.max = c.max;
  e.max_connecting = c.max_connecting;
  e.max_waiting = c.max_waiting;
  e.quarantine_max = pinned ? 0 : c.quarantine_max;  // a second one would be an empty database
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
  e.check_interval = c.health.interval;
  e.reset = c.reset;
  e.has_init = !c.init_sql.empty() || has_hook;
  e.pinned = pinned;
  return e;
}

}  // namespace weir::runtime
