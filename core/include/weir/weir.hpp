// SPDX-License-Identifier: MIT
//
// All of Weir's public C++ API.
#pragma once

#include <weir/config.hpp>
#include <weir/connection.hpp>
#include <weir/error.hpp>
#include <weir/many.hpp>
#include <weir/pool.hpp>
#include <weir/pools.hpp>
#include <weir/result.hpp>
#include <weir/retry.hpp>
#include <weir/retry_policy.hpp>
#include <weir/stats.hpp>
#include <weir/time.hpp>
#include <weir/version.hpp>
