/* SPDX-License-Identifier: MIT
 *
 * weir_mock.h: the mock driver as a library. It stands in for a database in tests and simulations:
 * delays, failures and lies as its options say. The table is constant and lives as long as the
 * process. Callable at any time from any thread.
 */
#ifndef WEIR_MOCK_H
#define WEIR_MOCK_H

#include <weir/driver.h>

#ifdef __cplusplus
extern "C" {
#endif

const weir_driver* weir_mock_driver(void) WEIR_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif /* WEIR_MOCK_H */
