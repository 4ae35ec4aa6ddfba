// SPDX-License-Identifier: MIT
//
// All of Weir's public C++ API.
#pragma once

#include <weir/async.hpp>
#include <weir/config.hpp>
#include <weir/connection.hpp>
#include <weir/error.hpp>
#include <weir/health.hpp>
#include <weir/hooks.hpp>
#include <weir/log.hpp>
#include <weir/many.hpp>
#include <weir/metrics.hpp>
#include <weir/middleware.hpp>
#include <weir/pool.hpp>
#include <weir/pools.hpp>
#include <weir/query_times.hpp>
#include <weir/request_scope.hpp>
#include <weir/result.hpp>
#include <weir/retry.hpp>
#include <weir/retry_policy.hpp>
#include <weir/signals.hpp>
#include <weir/stats.hpp>
#include <weir/time.hpp>
#include <weir/tracing.hpp>
#include <weir/version.hpp>
