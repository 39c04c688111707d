/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-schedule.h"

#include <string.h>

#include "server-problem.h"
#include "sl-cron.h"
#include "sl-records.h"

#define MIN_FIELDS 6

void
server_schedule_clear(ServerSchedule *schedule)
{
    g_clear_pointer(&schedule->cron, g_free);
    g_clear_pointer(&schedule->zone, g_free);
}

/* What the client gave, for its problem. */
typedef struct {
    const char *expression, *zone, *connection_id;
} Given;

static gboolean refuse(const Given *given, ServerProblem problem, GError **error,
                       const char *format, ...) G_GNUC_PRINTF(4, 5);

static gboolean
refuse(const Given *given, ServerProblem problem, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *why = g_strdup_vprintf(format, args);
    va_end(args);
    char *data = server_problem_data("cronExpression", given->expression, "cronTimezone",
                                     given->zone, "connectionId", given->connection_id,
                                     "validationErrorMessage", why, NULL);
    return server_problem(error, problem, data, "schedule.cronExpression: %s", why);
}

/* The expression's words without a trailing UTC, ended by NULL. */
static GPtrArray *
split(char **words)
{
    GPtrArray *fields = g_ptr_array_new();
    for (char **word = words; *word != NULL; word++)
        if (**word != '\0')
            g_ptr_array_add(fields, *word);
    if (fields->len > 0 && strcmp(fields->pdata[fields->len - 1], "UTC") == 0)
        g_ptr_array_set_size(fields, (int)fields->len - 1);
    g_ptr_array_add(fields, NULL);
    return fields;
}

static gboolean
check_zone(const Given *given, const char *expression, GError **error)
{
    g_autoptr(GError) reason = NULL;
    if (given->zone == NULL)
        return TRUE;
    if (g_ascii_strncasecmp(given->zone, "etc", 3) == 0)
        return refuse(given, SERVER_PROBLEM_CRON_ZONE, error,
                      "time zone '%s' is an offset; name a place, or UTC", given->zone);
    g_autoptr(SlCron) cron = sl_cron_parse(expression, given->zone, &reason);
    return cron != NULL || refuse(given, SERVER_PROBLEM_CRON_ZONE, error, "%s", reason->message);
}

gboolean
server_schedule_parse_cron(const char *expression, const char *zone, const char *connection_id,
                           ServerSchedule *ret, GError **error)
{
    const Given given = {expression, zone, connection_id};
    g_autoptr(GError) reason = NULL;
    guint64 second;
    if (expression == NULL)
        return refuse(&given, SERVER_PROBLEM_CRON_MISSING, error,
                      "is required for a cron schedule");
    g_auto(GStrv) words = g_strsplit_set(expression, " \t", -1);
    g_autoptr(GPtrArray) fields = split(words);
    if (fields->len == 1)
        return refuse(&given, SERVER_PROBLEM_CRON_COMPONENT, error, "must not be empty");
    const char *last = fields->pdata[fields->len - 2];
    if (fields->len - 1 > MIN_FIELDS && g_ascii_isalpha(*last))
        return refuse(&given, SERVER_PROBLEM_CRON_ZONE, error,
                      "time zone '%s': the only one here is UTC", last);
    g_autofree char *joined = g_strjoinv(" ", (char **)fields->pdata);
    g_autoptr(SlCron) cron = sl_cron_parse(joined, "UTC", &reason);
    if (cron == NULL)
        return refuse(&given, SERVER_PROBLEM_CRON_EXPRESSION, error, "%s", reason->message);
    if (!check_zone(&given, joined, error))
        return FALSE;
    if (!g_ascii_string_to_unsigned(fields->pdata[0], 10, 0, 59, &second, NULL))
        return refuse(&given, SERVER_PROBLEM_CRON_FREQUENCY, error,
                      "the second '%s' is no number from 0 to 59", (char *)fields->pdata[0]);
    if (sl_cron_next(cron, g_get_real_time()) == 0)
        return refuse(&given, SERVER_PROBLEM_CRON_EXPRESSION, error, "its years are over");
    ret->type = SL_CONNECTION_SCHEDULE_TYPE_CRON;
    ret->cron = g_steal_pointer(&joined);
    ret->zone = g_strdup(zone != NULL ? zone : "UTC");
    return TRUE;
}

char *
server_schedule_basic_timing(gint64 seconds)
{
    static const struct {
        gint64 seconds;
        const char *name;
    } units[] = {{3600, "HOURS"}, {60, "MINUTES"}, {1, "SECONDS"}};
    guint i = 0;
    while (seconds % units[i].seconds != 0)
        i++;
    return g_strdup_printf("Every %" G_GINT64_FORMAT " %s", seconds / units[i].seconds,
                           units[i].name);
}
