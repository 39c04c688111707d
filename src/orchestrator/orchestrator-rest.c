/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-rest.h"

#define LEAST 200
#define MOST 5000
#define FEW (256 * 1024)
#define MANY (512 * 1024) /* longer, and a quick destination would find its pipe empty */

void
orchestrator_rest_begin(OrchestratorRest *rest, gint64 now)
{
    if (!rest->may)
        return;
    if (rest->taken < FEW)
        rest->usec = CLAMP(rest->usec * 2, LEAST, MOST);
    else if (rest->taken > MANY)
        rest->usec = rest->usec > LEAST ? rest->usec / 2 : 0;
    /* Nothing at all since the last one: it may be long. The first page that is free wakes us. */
    rest->until = rest->taken > 0 && rest->usec > 0 ? now + rest->usec : 0;
    rest->taken = 0;
}

gboolean
orchestrator_rest_wake(OrchestratorRest *rest, gint64 now)
{
    if (rest->usec == 0)
        return TRUE;
    rest->until = now + rest->usec;
    return FALSE;
}

gboolean
orchestrator_rest_is_over(OrchestratorRest *rest, gint64 now)
{
    if (rest->until == 0 || now < rest->until)
        return FALSE;
    rest->until = 0;
    return TRUE;
}
