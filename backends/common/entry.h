/* SPDX-License-Identifier: MIT
 *
 * entry.h: what every plugin's entry function does before it hands out its table. C, because entry
 * points are. Called by: plugins/<name>/entry.c. Threads: any.
 */
#ifndef WEIR_BACKENDS_COMMON_ENTRY_H
#define WEIR_BACKENDS_COMMON_ENTRY_H

#include <weir/driver.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `driver` if it and the host speak the same version of the ABI, else NULL with *error filled. */
const weir_driver* weir_backend_enter(const weir_host* host, const weir_driver* driver,
                                      weir_error* error) WEIR_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif /* WEIR_BACKENDS_COMMON_ENTRY_H */
