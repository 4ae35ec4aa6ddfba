/* SPDX-License-Identifier: MIT
 *
 * weir_postgres.h: the PostgreSQL driver as a library. A host that links it in registers the table
 * that this function returns; the plugin returns the same one. The table is constant and lives as
 * long as the process. Callable at any time from any thread.
 */
#ifndef WEIR_POSTGRES_H
#define WEIR_POSTGRES_H

#include <weir/driver.h>

#ifdef __cplusplus
extern "C" {
#endif

const weir_driver* weir_postgres_driver(void) WEIR_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif /* WEIR_POSTGRES_H */
