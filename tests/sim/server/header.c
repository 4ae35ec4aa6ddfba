/* SPDX-License-Identifier: MIT
 *
 * Goal: the extension's header is C, as weir/driver.h is, and its structs have no hidden padding.
 * Method: it is compiled, and the sums of the members are asserted. */
#include <weir/draft/sim_server.h>

_Static_assert(sizeof(weir_sim_dial) == 2 * 4 + 2 * 8 + sizeof(void*), "padding in weir_sim_dial");
_Static_assert(sizeof(weir_sim_request) == 2 * 4 + 8 + sizeof(weir_text) + sizeof(void*) + 2 * 4,
               "padding in weir_sim_request");
_Static_assert(sizeof(weir_sim_reply) ==
                   2 * 4 + 8 + 3 * 4 + 4 + 3 * 8 + sizeof(weir_cell) + sizeof(weir_text),
               "padding in weir_sim_reply");
_Static_assert(sizeof(weir_sim_server) == 2 * 4 + 8 * sizeof(void*), "padding in weir_sim_server");
