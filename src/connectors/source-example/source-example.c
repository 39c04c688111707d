/* SPDX-License-Identifier: Apache-2.0 */
/* A calendar, as a warehouse wants it: one record per day. It is the example of docs/connectors.md:
 * a table of streams, a configuration, a cursor, a state, an orderly stop. */
#include "config.h"

#include "kit.h"
#include "sl-error.h"

#include KIT_SPEC_H /* kit_spec: the text of spec.json */

#define STATE_EVERY 366 /* records; each state is a commit at the destination */

static gboolean
parse_day(const char *text, GDate *ret)
{
    guint64 part[3];
    g_auto(GStrv) words = g_strsplit(text, "-", 3);
    if (g_strv_length(words) != 3)
        return FALSE;
    for (guint i = 0; i < 3; i++)
        if (!g_ascii_string_to_unsigned(words[i], 10, 1, 9998, &part[i], NULL))
            return FALSE;
    if (!g_date_valid_dmy((GDateDay)part[2], (GDateMonth)part[1], (GDateYear)part[0]))
        return FALSE;
    g_date_set_dmy(ret, (GDateDay)part[2], (GDateMonth)part[1], (GDateYear)part[0]);
    return TRUE;
}

/* The kit has checked the pattern; that there is no 30th of February, only we can know. */
static gboolean
get_range(const KitConfig *config, GDate *first, GDate *last, GError **error)
{
    g_autofree char *from = kit_config_dup_string(config, "first_day", NULL);
    g_autofree char *to = kit_config_dup_string(config, "last_day", NULL);
    if (!parse_day(from, first))
        return sl_error_set(error, SL_ERROR_INVALID, "configuration.first_day: not a day");
    if (!parse_day(to, last) || g_date_compare(first, last) > 0)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "configuration.last_day: not a day, or one before first_day");
    return TRUE;
}

static gboolean
calendar_check(const KitConfig *config, GError **error)
{
    GDate first, last;
    return get_range(config, &first, &last, error);
}

/* The state is {"day":"2026-11-23"}: everything up to that day was sent. */
static gboolean
skip_sent(const KitStream *stream, GDate *day, GError **error)
{
    const SlJsonNode *node = sl_json_get(stream->state_of, stream->state, "day");
    g_autofree char *text = node == NULL ? NULL : sl_json_dup_string(node);
    GDate sent;
    if (text == NULL || !parse_day(text, &sent))
        return sl_error_set(error, SL_ERROR_INVALID, "state.day: not a day");
    g_date_add_days(&sent, 1);
    if (g_date_compare(&sent, day) > 0)
        *day = sent;
    return TRUE;
}

static void
send_state(const KitRead *read, const KitStream *stream, GDate sent)
{
    char state[32];
    gsize len = g_date_strftime(state, sizeof state, "{\"day\":\"%Y-%m-%d\"}", &sent);
    kit_output_state(read->out, stream->index, state, len);
}

static gboolean
read_days(const KitRead *read, const KitStream *stream, GError **error)
{
    GDate day, last;
    char data[128];
    guint n = 0;
    if (!get_range(read->config, &day, &last, error) ||
        (stream->state != NULL && !skip_sent(stream, &day, error)))
        return FALSE;
    for (; g_date_compare(&day, &last) <= 0 && !kit_stopping(read->out); g_date_add_days(&day, 1)) {
        int len = g_snprintf(data, sizeof data,
                             "{\"day\":\"%04u-%02d-%02u\",\"day_of_year\":%u,\"weekday\":%d}",
                             g_date_get_year(&day), g_date_get_month(&day), g_date_get_day(&day),
                             g_date_get_day_of_year(&day), g_date_get_weekday(&day));
        kit_output_record(read->out, stream->index, data, (gsize)len);
        if (++n % STATE_EVERY == 0)
            send_state(read, stream, day);
    }
    g_date_subtract_days(&day, 1);
    send_state(read, stream, day); /* also when nothing was new: the platform wants one */
    return TRUE;
}

static const KitSourceStream streams[] = {
    {.name = "days",
     .properties = "{\"day\":{\"type\":\"string\",\"format\":\"date\"},"
                   "\"day_of_year\":{\"type\":\"integer\"},\"weekday\":{\"type\":\"integer\"}}",
     .primary_key = "day",
     .cursor = "day",
     .read = read_days},
    {NULL},
};

static const KitConnector connector = {
    .name = "source-example",
    .spec = kit_spec,
    .check = calendar_check,
    .streams = streams,
};

int
main(int argc, char **argv)
{
    return kit_main(&connector, argc, argv);
}
