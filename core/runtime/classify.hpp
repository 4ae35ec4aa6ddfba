// SPDX-License-Identifier: MIT
//
// What a failed connect means for the pool: try again, wait, or do not bother.
#pragma once

#include "core/engine/types.hpp"

#include <weir/driver.h>
#include <weir/error.hpp>

namespace weir::runtime {

[[nodiscard]] inline engine::OpResult classify_create_error(const Error& error, bool embedded) {
  using engine::OpResult;
  const DatabaseError* database = error.database();
  if (database == nullptr) return OpResult::failed;
  // Transient or not: it lasts until others leave, and has a remedy of its own.
  if (database->kind == WEIR_E_TOO_MANY_CONNECTIONS) return OpResult::server_full;
  if (database->transient) return OpResult::failed;
  switch (database->kind) {
    case WEIR_E_AUTH:
    case WEIR_E_CONFIG:
    case WEIR_E_PERMISSION:
    case WEIR_E_PROTOCOL:  // what answers is not such a database
    case WEIR_E_TLS:
    case WEIR_E_UNSUPPORTED:
    case WEIR_E_INVALID_ARGUMENT:
    case WEIR_E_SYNTAX:  // in init_sql, like the next two
    case WEIR_E_NOT_FOUND:
    case WEIR_E_READ_ONLY:
      return OpResult::fatal;
    case WEIR_E_CONNECT:
      // A server that refuses may be back in a second. A file that is not there will not appear.
      return embedded ? OpResult::fatal : OpResult::failed;
    default:
      return OpResult::failed;
  }
}

}  // namespace weir::runtime
