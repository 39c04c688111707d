/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-schedule.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-api.h"
#include "ctl-args.h"
#include "sl-json-write.h"
#include "sl-time.h"

#define MIN_USEC ((gint64)G_USEC_PER_SEC)
#define MAX_USEC (365 * 86400 * (gint64)G_USEC_PER_SEC)

static char *
schedule_json(const char *type, const char *key, const char *value)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "scheduleType", type);
    if (key != NULL)
        sl_json_member_string(&w, key, value);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

gint64
ctl_schedule_seconds(const char *every, GError **error)
{
    gint64 usec;
    g_autoptr(GError) why = NULL;
    if (every == NULL)
        return 0;
    if (!sl_time_parse_span(every, &usec, &why)) {
        ctl_set_usage_error(error, _("'--every=%s': %s"), every, why->message);
        return -1;
    }
    if (usec >= MIN_USEC && usec <= MAX_USEC && usec % G_USEC_PER_SEC == 0)
        return usec / G_USEC_PER_SEC;
    ctl_set_usage_error(error,
                        _("'--every=%s' is not from one second to a year; write for example "
                          "'30min' or '6h'"),
                        every);
    return -1;
}

static char *
build_cron(const char *cron, GError **error)
{
    g_auto(GStrv) fields = g_strsplit_set(cron, " \t", -1);
    g_autoptr(GString) text = g_string_new(NULL);
    guint n = 0;
    for (guint i = 0; fields[i] != NULL; i++) {
        if (*fields[i] == '\0')
            continue;
        g_string_append_printf(text, "%s%s", n++ > 0 ? " " : "", fields[i]);
    }
    if (n == 5) {
        ctl_set_usage_error(error,
                            _("'--cron=%s' has the five fields of crontab(5); a Quartz "
                              "expression begins with seconds: '0 0 4 * * ?'"),
                            cron);
        return NULL;
    }
    if (n < 6 || n > 8) { /* six or seven, then perhaps a time zone */
        ctl_set_usage_error(error,
                            _("'--cron=%s' has %u fields; a Quartz expression has six or "
                              "seven: '0 0 4 * * ?'"),
                            cron, n);
        return NULL;
    }
    return schedule_json("cron", "cronExpression", text->str);
}

char *
ctl_schedule_build(const char *cron, GError **error)
{
    return cron != NULL ? build_cron(cron, error) : schedule_json("manual", NULL, NULL);
}

char *
ctl_schedule_text(const SlJsonDoc *doc, const SlJsonNode *node)
{
    g_autofree char *cron = ctl_json_string(doc, node, "cronExpression");
    g_autofree char *basic = ctl_json_string(doc, node, "basicTiming");
    if (*cron != '\0')
        return g_steal_pointer(&cron);
    if (*basic != '\0')
        return g_ascii_strdown(basic, -1);
    return ctl_json_string(doc, node, "scheduleType");
}
