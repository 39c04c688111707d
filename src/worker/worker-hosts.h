/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The hosts that a connector may reach, as its registry or its administrator says ("10.0.0.0/8",
 * "${host}", "*.example.com"), with the configuration's values in place of ${…}: blocks of
 * addresses
 * ("10.0.0.5/32"), to be freed with g_strfreev().
 *
 * NULL: nothing can be enforced. Only when all of them are addresses it can: a host by its name has
 * whatever address it has when it is asked for. What the configuration does not have is left out.
 */
char **worker_hosts_resolve(char *const *allowed, const char *configuration);
