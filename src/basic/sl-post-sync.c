/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-post-sync.h"

#include <fnmatch.h>
#include <string.h>

#include "sl-error.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.\\@-"
#define LONGEST 200 /* systemd's limit is 255, and a template grows by the number of a run */

gboolean
sl_post_sync_is_unit(const char *text)
{
    gsize len = strlen(text);
    const char *at = strchr(text, '@');
    return len <= LONGEST && strspn(text, LETTERS) == len && *text != '.' && *text != '@' &&
           (at == NULL || strchr(at + 1, '@') == NULL) &&
           (g_str_has_suffix(text, ".service") || g_str_has_suffix(text, ".target"));
}

gboolean
sl_post_sync_check(const char *globs, const char *unit, GError **error)
{
    if (!sl_post_sync_is_unit(unit))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "'%s' is no unit that could be started (NAME.service, NAME.target or a "
                            "template NAME@.service)",
                            unit);
    g_auto(GStrv) list = g_strsplit_set(globs, " \t", -1);
    for (char **glob = list; *glob != NULL; glob++)
        if (**glob != '\0' && fnmatch(*glob, unit, FNM_NOESCAPE) == 0)
            return TRUE;
    return sl_error_set(error, SL_ERROR_FORBIDDEN,
                        "unit '%s' is not among [PostSync] Units= of this host's sluice.conf%s",
                        unit, *globs == '\0' ? ", which is empty" : "");
}

char *
sl_post_sync_unit_of_job(const char *unit, gint64 job_id)
{
    const char *at = strchr(unit, '@');
    if (at == NULL || at[1] != '.')
        return g_strdup(unit);
    return g_strdup_printf("%.*s%" G_GINT64_FORMAT "%s", (int)(at + 1 - unit), unit, job_id,
                           at + 1);
}
