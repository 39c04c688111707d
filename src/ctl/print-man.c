/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

/* Writes sluicectl(1), when Sluice is built. */
int
main(void)
{
    g_autofree char *text = ctl_man_build(ctl_commands);
    g_print("%s", text);
    return 0;
}
