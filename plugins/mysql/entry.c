/* SPDX-License-Identifier: MIT */
#include "backends/common/entry.h"

#include "backends/mysql/weir_mysql.h"

const weir_driver* weir_plugin_v1(const weir_host* host, weir_error* error) {
  return weir_backend_enter(host, weir_mysql_driver(), error);
}
