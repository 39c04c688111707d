/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sl-config.h"

/* Writes the sluice.conf that is installed: every key, commented out, with its default. */
int
main(void)
{
    g_autofree char *text = sl_config_describe();
    g_print("%s", text);
    return 0;
}
