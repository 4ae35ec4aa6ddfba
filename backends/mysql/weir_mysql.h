/* SPDX-License-Identifier: MIT
 *
 * weir_mysql.h: the MySQL / MariaDB driver as a library. A host that links it in registers the
 * table that this function returns; the plugin returns the same one. The table is constant and
 * lives as long as the process. Callable at any time from any thread.
 */
#ifndef WEIR_MYSQL_H
#define WEIR_MYSQL_H

#include <weir/driver.h>

#ifdef __cplusplus
extern "C" {
#endif

const weir_driver* weir_mysql_driver(void) WEIR_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif /* WEIR_MYSQL_H */
