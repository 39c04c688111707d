/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-notice-text.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-write.h"

#define GOOGLE_CHAT "chat.googleapis.com"

/* --- templates ---------------------------------------------------------------------------------
 */

#define RUN                                                                                        \
    "Connection: {connection.name}\nSource: {source.name}\nDestination: {destination.name}\n"
#define NUMBERS                                                                                    \
    "Took: {durationFormatted}\nRead: {recordsEmitted} records, {bytesEmittedFormatted}\n"         \
    "Loaded: {recordsCommitted} records, {bytesCommittedFormatted}\n"
#define LINK "\n{connection.url}\n"

typedef struct {
    const char *trigger;
    gboolean run; /* about one run: receivers get `data` */
    const char *subject, *text;
} Template;

static const Template templates[] = {
    {"success", TRUE, "Sync succeeded: {connection.name}",
     RUN NUMBERS "Filtered out: {recordsFilteredOut} records\n" LINK},
    {"failure", TRUE, "Sync failed: {connection.name}",
     RUN NUMBERS "Error ({errorOrigin}, {errorType}): {errorMessage}\n" LINK},
    {"postSync", TRUE, "Run ended: {connection.name}", RUN NUMBERS LINK},
    {"connectionSyncQueued", TRUE, "Sync queued: {connection.name}", RUN LINK},
    {"syncDisabled", FALSE, "Connection disabled: {connection.name}",
     RUN "It was disabled because {failures} runs have failed in a row, for {days} days.\n" LINK},
    {"syncDisabledWarning", FALSE, "Connection will be disabled: {connection.name}",
     RUN "{failures} runs have failed in a row, for {days} days. It will be disabled if this goes "
         "on.\n" LINK},
    {"connectionUpdate", FALSE, "Schema changed: {connection.name}",
     RUN "The source's schema has changed, and the connection follows:\n{changes}\n" LINK},
    {"connectionUpdateActionRequired", FALSE, "Schema changed, action required: {connection.name}",
     RUN "The source's schema has changed. Please look at it:\n{changes}\n" LINK},
    {"breakingChangeWarning", FALSE, "Connector will change: {connectorName}",
     RUN "A new version of {connectorName} changes what it delivers. Syncs that use the old one "
         "are disabled on {deadline}.\n" LINK},
    {"breakingChangeSyncsDisabled", FALSE, "Connector changed: {connectorName}",
     RUN "Syncs that use an old version of {connectorName} are disabled.\n" LINK},
};

static const Template *
find_template(const char *trigger)
{
    for (guint i = 0; i < G_N_ELEMENTS(templates); i++)
        if (g_strcmp0(templates[i].trigger, trigger) == 0)
            return &templates[i];
    return NULL;
}

/* The value at a dotted path, as a person reads it; a list has a line for each. */
static char *
look_up(const SlJsonDoc *doc, const char *path)
{
    g_auto(GStrv) steps = g_strsplit(path, ".", -1);
    const SlJsonNode *node = sl_json_root(doc);
    for (guint i = 0; steps[i] != NULL && node != NULL; i++)
        node = sl_json_get(doc, node, steps[i]);
    if (node == NULL || node->type == SL_JSON_NULL || node->type == SL_JSON_OBJECT)
        return g_strdup("");
    if (node->type == SL_JSON_STRING)
        return sl_json_dup_string(node);
    if (node->type != SL_JSON_ARRAY)
        return sl_json_dup_span(node);
    GString *out = g_string_new(NULL);
    SL_JSON_FOREACH (doc, node, item) {
        g_autofree char *line =
            item->type == SL_JSON_STRING ? sl_json_dup_string(item) : sl_json_dup_span(item);
        g_string_append_printf(out, "%s- %s", out->len > 0 ? "\n" : "", line);
    }
    return g_string_free(out, FALSE);
}

/* What stands in names is not read again. */
static char *
fill(const SlJsonDoc *doc, const char *pattern)
{
    GString *out = g_string_new(NULL);
    for (const char *p = pattern; *p != '\0';) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        gsize len = end != NULL ? (gsize)(end - p - 1) : 0;
        if (len == 0 ||
            strspn(p + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.") != len) {
            g_string_append_c(out, *p++);
            continue;
        }
        g_autofree char *path = g_strndup(p + 1, len);
        g_autofree char *value = look_up(doc, path);
        g_string_append(out, value);
        p = end + 1;
    }
    return g_string_free(out, FALSE);
}

/* *ret_subject NULL and TRUE: the administrator has none. */
static gboolean
load_own(const char *folder, const char *trigger, char **ret_subject, char **ret_text,
         GError **error)
{
    g_autofree char *name = g_strconcat(trigger, ".txt", NULL);
    g_autofree char *path = folder != NULL ? g_build_filename(folder, name, NULL) : NULL;
    g_autofree char *content = NULL;
    g_autoptr(GError) reason = NULL;
    if (path == NULL || !g_file_get_contents(path, &content, NULL, &reason)) {
        if (path == NULL || g_error_matches(reason, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            return TRUE;
        return sl_error_set(error, SL_ERROR_INVALID, "%s", reason->message);
    }
    char *text = strchr(content, '\n');
    if (!g_str_has_prefix(content, "Subject: ") || text == NULL ||
        !g_utf8_validate(content, -1, NULL))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "'%s': the first line is no 'Subject: …', or it is not UTF-8", path);
    *text++ = '\0';
    *ret_subject = g_strdup(content + strlen("Subject: "));
    *ret_text = g_strdup(*text == '\n' ? text + 1 : text);
    return TRUE;
}

/* --- data --------------------------------------------------------------------------------------
 */

/* 1.5 MB: powers of 1000, as the reference writes them. */
static char *
format_bytes(gint64 bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB"};
    double value = (double)bytes;
    int unit = -1;
    if (bytes < 1000)
        return g_strdup_printf("%" G_GINT64_FORMAT " B", bytes);
    while (value >= 999.95 && unit + 1 < (int)G_N_ELEMENTS(units)) {
        value /= 1000;
        unit++;
    }
    return g_strdup_printf("%.1f %s", value, units[unit]);
}

/* The two largest parts: "1 hour 5 min". */
static char *
format_duration(gint64 seconds)
{
    static const struct {
        gint64 seconds;
        const char *name;
    } parts[] = {{86400, "days"}, {3600, "hours"}, {60, "min"}, {1, "sec"}};
    GString *out = g_string_new(NULL);
    for (guint i = 0, n = 0; i < G_N_ELEMENTS(parts) && n < 2; i++) {
        gint64 count = seconds / parts[i].seconds;
        seconds %= parts[i].seconds;
        if (count == 0 && n == 0 && i + 1 < G_N_ELEMENTS(parts))
            continue;
        n++;
        if (count > 0 || n == 1)
            g_string_append_printf(out, "%s%" G_GINT64_FORMAT " %s", out->len > 0 ? " " : "", count,
                                   parts[i].name);
    }
    return g_string_free(out, FALSE);
}

/* id, name and url of a thing. */
static void
write_thing(SlJsonWriter *w, const SlJsonDoc *doc, const char *name, const char *base,
            const char *part)
{
    const SlJsonNode *thing = sl_json_get(doc, sl_json_root(doc), name);
    const SlJsonNode *id = sl_json_get(doc, thing, "id");
    if (thing == NULL || id == NULL)
        return;
    g_autofree char *text = sl_json_dup_string(id);
    g_autofree char *url =
        part != NULL ? g_strconcat(base, "/", part, "/", text, NULL) : g_strdup(base);
    sl_json_key(w, name);
    sl_json_begin_object(w);
    sl_json_key(w, "id");
    sl_json_node(w, id);
    sl_json_key(w, "name");
    sl_json_node(w, sl_json_get(doc, thing, "name"));
    sl_json_member_string(w, "url", url);
    sl_json_end_object(w);
}

/* A number gets its readable form beside it. */
static void
write_member(SlJsonWriter *w, const SlJsonNode *key, const SlJsonNode *value)
{
    static const struct {
        const char *name, *readable;
        char *(*format)(gint64 value);
    } numbers[] = {
        {"durationInSeconds", "durationFormatted", format_duration},
        {"bytesEmitted", "bytesEmittedFormatted", format_bytes},
        {"bytesCommitted", "bytesCommittedFormatted", format_bytes},
    };
    g_autofree char *name = sl_json_dup_string(key);
    sl_json_key(w, name);
    sl_json_node(w, value);
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (strcmp(name, numbers[i].name) != 0)
            continue;
        g_autofree char *digits = sl_json_dup_span(value);
        g_autofree char *text = numbers[i].format(g_ascii_strtoll(digits, NULL, 10));
        sl_json_member_string(w, numbers[i].readable, text);
    }
}

/* Things first, then the rest in the order that receivers know. */
static char *
make_data(const SlJsonDoc *facts, const char *public_url, const char *workspace_id)
{
    static const char *const order[] = {
        "jobId",
        "success",
        "startedAt",
        "finishedAt",
        "durationInSeconds",
        "bytesEmitted",
        "bytesCommitted",
        "recordsEmitted",
        "recordsCommitted",
        "recordsFilteredOut",
        "bytesFilteredOut",
        "errorMessage",
        "errorType",
        "errorOrigin",
        "isBreaking",
        "changes",
        "failures",
        "days",
        "connectorName",
        "deadline",
    };
    g_autofree char *base = g_strconcat(public_url, "/workspaces/", workspace_id, NULL);
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    write_thing(&w, facts, "workspace", base, NULL);
    write_thing(&w, facts, "connection", base, "connections");
    write_thing(&w, facts, "source", base, "source");
    write_thing(&w, facts, "destination", base, "destination");
    for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
        SL_JSON_FOREACH (facts, sl_json_root(facts), key) {
            if (sl_json_string_is(key, order[i]))
                write_member(&w, key, key + 1);
        }
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

/* --- both --------------------------------------------------------------------------------------
 */

gboolean
sl_notice_text(const SlNotification *row, const char *public_url, const char *folder,
               SlNoticeText *ret, GError **error)
{
    const Template *template = find_template(row->trigger);
    g_autofree char *subject = NULL, *text = NULL;
    if (template == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "nobody knows how to tell '%s'", row->trigger);
    g_autoptr(SlJsonDoc) facts = sl_json_read(row->facts, strlen(row->facts), NULL, error);
    if (facts == NULL || !load_own(folder, row->trigger, &subject, &text, error))
        return FALSE;
    ret->data = make_data(facts, public_url, row->workspace_id);
    g_autoptr(SlJsonDoc) data = sl_json_read(ret->data, strlen(ret->data), NULL, error);
    if (data == NULL)
        return FALSE;
    ret->subject = fill(data, subject != NULL ? subject : template->subject);
    ret->text = fill(data, text != NULL ? text : template->text);
    return TRUE;
}

void
sl_notice_text_clear(SlNoticeText *text)
{
    g_clear_pointer(&text->subject, g_free);
    g_clear_pointer(&text->text, g_free);
    g_clear_pointer(&text->data, g_free);
}

static void
write_section(SlJsonWriter *w, const char *text)
{
    sl_json_begin_object(w);
    sl_json_member_string(w, "type", "section");
    sl_json_key(w, "text");
    sl_json_begin_object(w);
    sl_json_member_string(w, "type", "mrkdwn");
    sl_json_member_string(w, "text", text);
    sl_json_end_object(w);
    sl_json_end_object(w);
}

char *
sl_notice_webhook(const SlNotification *row, const SlNoticeText *text, const char *url)
{
    const Template *template = find_template(row->trigger);
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    const char *host = uri != NULL ? g_uri_get_host(uri) : NULL;
    gboolean google = host != NULL && g_ascii_strcasecmp(host, GOOGLE_CHAT) == 0;
    g_autofree char *whole = g_strconcat(text->subject, "\n", text->text, NULL);
    g_autofree char *bold = g_strconcat("*", text->subject, "*", NULL);
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "text", google ? whole : text->subject);
    if (!google) {
        sl_json_key(&w, "blocks");
        sl_json_begin_array(&w);
        write_section(&w, bold);
        sl_json_begin_object(&w);
        sl_json_member_string(&w, "type", "divider");
        sl_json_end_object(&w);
        write_section(&w, text->text);
        sl_json_end_array(&w);
        if (template != NULL && template->run)
            sl_json_member_raw(&w, "data", text->data);
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}
