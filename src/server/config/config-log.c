/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-log.h"

#include <string.h>

#include "server-log.h"
#include "sl-error.h"

/* --- one line ------------------------------------------------------------------------------------
 */

static char *
text_of(const SlJsonDoc *doc, const char *name)
{
    const SlJsonNode *node = sl_json_get(doc, sl_json_root(doc), name);
    return node != NULL && node->type == SL_JSON_STRING ? sl_json_dup_string(node) : NULL;
}

/* "2026-08-01 12:00:00 source > message", as older clients have always printed it. */
static char *
format_line(gint64 timestamp, const char *source, const char *message)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(timestamp / 1000);
    g_autofree char *when = time != NULL ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : NULL;
    return g_strdup_printf("%s %s > %s", when != NULL ? when : "-", source, message);
}

static void
add(SlJsonWriter *events, SlJsonWriter *lines, gint64 timestamp, const char *level,
    const char *source, const char *message, const char *stack)
{
    g_autofree char *line = format_line(timestamp, source, message);
    sl_json_begin_object(events);
    sl_json_member_int(events, "timestamp", timestamp);
    sl_json_member_string(events, "message", message);
    sl_json_member_string(events, "level", level);
    sl_json_member_string(events, "logSource", source);
    sl_json_member_string(events, "stackTrace", stack);
    sl_json_end_object(events);
    sl_json_string(lines, line);
}

/* A line that is none of ours is a message without a time of its own: that of the one before. */
static void
add_line(SlJsonWriter *events, SlJsonWriter *lines, const char *line, gsize len, gint64 *timestamp)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(line, len, NULL, NULL);
    g_autofree char *message = doc != NULL ? text_of(doc, "message") : NULL;
    if (message == NULL) {
        g_autofree char *valid = g_utf8_make_valid(line, (gssize)len);
        add(events, lines, *timestamp, "info", "platform", valid, NULL);
        return;
    }
    g_autofree char *level = text_of(doc, "level"), *source = text_of(doc, "logSource");
    g_autofree char *stack = text_of(doc, "stackTrace");
    const SlJsonNode *time = sl_json_get(doc, sl_json_root(doc), "timestamp");
    gint64 value = 0;
    if (time != NULL && sl_json_get_int64(time, &value))
        *timestamp = value;
    add(events, lines, *timestamp, level != NULL ? level : "info",
        source != NULL ? source : "platform", message, stack);
}

/* --- the log -------------------------------------------------------------------------------------
 */

static gint64
first_time(const char *text, gsize len)
{
    const char *end = memchr(text, '\n', len);
    gsize line = end != NULL ? (gsize)(end - text) : len;
    g_autoptr(SlJsonDoc) doc = line > 0 ? sl_json_read(text, line, NULL, NULL) : NULL;
    const SlJsonNode *time = doc != NULL ? sl_json_get(doc, sl_json_root(doc), "timestamp") : NULL;
    gint64 value = 0;
    return time != NULL && sl_json_get_int64(time, &value) ? value : 0;
}

char *
config_log_build(const char *text, gsize len, const char *notice)
{
    g_autoptr(GString) event_text = g_string_new(NULL);
    g_autoptr(GString) line_text = g_string_new(NULL);
    SlJsonWriter events = SL_JSON_WRITER_INIT(event_text), lines = SL_JSON_WRITER_INIT(line_text);
    gint64 timestamp = first_time(text, len);
    sl_json_begin_array(&events);
    sl_json_begin_array(&lines);
    if (notice != NULL)
        add(&events, &lines, timestamp, "warn", "platform", notice, NULL);
    for (const char *at = text, *end = text + len; at < end;) {
        const char *next = memchr(at, '\n', (gsize)(end - at));
        gsize n = next != NULL ? (gsize)(next - at) : (gsize)(end - at);
        if (n > 0)
            add_line(&events, &lines, at, n, &timestamp);
        at += n + 1;
    }
    sl_json_end_array(&events);
    sl_json_end_array(&lines);
    return g_strdup_printf("{\"events\":%s,\"logLines\":%s,\"version\":\"1\"}", event_text->str,
                           line_text->str);
}

static char *
read_end(const ServerLog *log, gsize *ret_len, gint64 *ret_left_out)
{
    gint64 offset = MAX(log->size - CONFIG_LOG_BYTES, 0);
    g_autofree char *buffer = g_malloc((gsize)(log->size - offset) + 1);
    gssize n = sl_log_file_read(log->file, buffer, (gsize)(log->size - offset), offset, NULL);
    const char *begin = buffer, *newline;
    if (n > 0 && offset > 0 && (newline = memchr(buffer, '\n', (gsize)n)) != NULL)
        begin = newline + 1;
    *ret_len = n > 0 ? (gsize)(n - (begin - buffer)) : 0;
    *ret_left_out = offset + (begin - buffer);
    return g_strndup(begin, *ret_len);
}

char *
config_log_read(ServerCtx *ctx, gint64 job_id, gint64 attempt)
{
    g_auto(ServerLog) log = SERVER_LOG_INIT;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL, *notice = NULL;
    gsize len = 0;
    gint64 left_out = 0;
    if (!server_log_open(ctx, job_id, attempt, &log, &error))
        notice = g_strdup(error->message);
    else if (log.file != NULL)
        text = read_end(&log, &len, &left_out);
    if (left_out > 0)
        notice = g_strdup_printf(
            "truncated: %" G_GINT64_FORMAT " bytes before this are left out, see GET "
            "/api/v1/sluice/jobs/%" G_GINT64_FORMAT "/attempts/%" G_GINT64_FORMAT "/log/raw",
            left_out, job_id, attempt);
    return config_log_build(text != NULL ? text : "", len, notice);
}

void
config_log_fill(ServerCtx *ctx, gint64 job_id, SlConfigAttemptInfo *info)
{
    sl_config_attempt_info_set_log_type(info, SL_CONFIG_ATTEMPT_INFO_LOG_TYPE_STRUCTURED);
    info->logs = config_log_read(ctx, job_id, info->attempt->id);
}
