/* SPDX-License-Identifier: MIT
 *
 * weir_sqlite.h: the SQLite driver as a library. A host that links it in registers the table that
 * this function returns; the plugin returns the same one. The table is constant and lives as long
 * as the process. Callable at any time from any thread.
 */
#ifndef WEIR_SQLITE_H
#define WEIR_SQLITE_H

#include <weir/driver.h>

#ifdef __cplusplus
extern "C" {
#endif

const weir_driver* weir_sqlite_driver(void) WEIR_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif /* WEIR_SQLITE_H */
