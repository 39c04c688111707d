/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-log.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-api.h"
#include "ctl-args.h"
#include "ctl-text.h"

static const struct {
    const char *name;
    int rank;
    const char *color;
} levels[] = {
    {"FATAL", 0, "\033[1;31m"},
    {"ERROR", 1, "\033[1;31m"},
    {"WARN", 2, "\033[33m"},
    {"INFO", 3, ""},
    {"DEBUG", 4, "\033[2m"},
    {"TRACE", 5, "\033[2m"},
    {"err", 1, ""},
    {"warning", 2, ""},
    {"info", 3, ""},
    {"debug", 5, ""},
};

int
ctl_log_rank(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(levels); i++)
        if (g_ascii_strcasecmp(levels[i].name, name) == 0)
            return levels[i].rank;
    return -1;
}

static const char *
rank_color(int rank)
{
    return rank >= 0 && rank < 6 ? levels[rank].color : "";
}

/* Control characters but line breaks and tabs are wiped: a connector wrote this. */
static void
append_message(GString *out, const char *message)
{
    g_auto(GStrv) lines = g_strsplit(message, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_autofree char *clean = ctl_text_clean(lines[i], -1);
        if (i > 0)
            g_string_append(out, "\n    ");
        g_string_append(out, clean);
    }
}

GRegex *
ctl_log_compile(const char *pattern, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autofree char *lower =
        g_utf8_validate(pattern, -1, NULL) ? g_utf8_strdown(pattern, -1) : NULL;
    GRegexCompileFlags flags =
        G_REGEX_OPTIMIZE | (g_strcmp0(lower, pattern) == 0 ? G_REGEX_CASELESS : 0);
    GRegex *regex = lower != NULL ? g_regex_new(pattern, flags, 0, &local) : NULL;
    if (regex == NULL)
        ctl_set_usage_error(error, _("'%s' is no pattern: %s"), pattern,
                            local != NULL ? local->message : _("it is no UTF-8"));
    return regex;
}

/* Microseconds; -1: the line does not say. */
static gint64
time_of(const SlJsonDoc *doc)
{
    const SlJsonNode *root = sl_json_root(doc);
    gint64 msec = ctl_json_int(doc, root, "timestamp");
    return msec >= 0 && msec < G_MAXINT64 / 1000 ? msec * 1000
                                                 : ctl_json_time(doc, root, "timestamp");
}

static gboolean
is_asked_for(const CtlLogStyle *style, gint64 usec, const char *message)
{
    if ((style->since != 0 && usec < style->since) ||
        (style->until != 0 && (usec < 0 || usec > style->until)))
        return FALSE;
    return style->grep == NULL || g_regex_match(style->grep, message, 0, NULL);
}

static void
append_short(const CtlLogStyle *style, const SlJsonDoc *doc, int rank, const char *level,
             const char *message, GString *out)
{
    const SlJsonNode *root = sl_json_root(doc);
    g_autofree char *source = ctl_json_string(doc, root, "logSource");
    g_autofree char *lower = g_ascii_strdown(source, -1);
    g_autofree char *clean_source = ctl_text_clean(lower, -1);
    gint64 usec = time_of(doc);
    g_autofree char *time = usec >= 0 ? ctl_text_time(usec, style->utc) : g_strdup("-");
    const char *color = style->color ? rank_color(rank) : "";
    g_string_append_printf(out, "%s %s%-5s %s: ", time, color, level, clean_source);
    append_message(out, message);
    g_string_append_printf(out, "%s\n", *color != '\0' ? "\033[0m" : "");
    g_autofree char *stack = ctl_json_string(doc, root, "stackTrace");
    if (*stack != '\0') {
        g_string_append(out, "    ");
        append_message(out, g_strchomp(stack));
        g_string_append_c(out, '\n');
    }
}

void
ctl_log_append(const CtlLogStyle *style, const char *line, gsize len, GString *out)
{
    if (len == 0)
        return;
    g_autoptr(SlJsonDoc) doc = sl_json_read(line, len, NULL, NULL);
    if (doc == NULL || sl_json_root(doc)->type != SL_JSON_OBJECT) {
        g_autofree char *clean = ctl_text_clean(line, (gssize)len);
        if (is_asked_for(style, -1, clean))
            g_string_append_printf(out, "%s\n", clean);
        return;
    }
    g_autofree char *level = ctl_json_string(doc, sl_json_root(doc), "level");
    int rank = ctl_log_rank(level);
    g_autofree char *message = ctl_json_string(doc, sl_json_root(doc), "message");
    g_strchomp(message);
    if (rank > style->worst || !is_asked_for(style, time_of(doc), message))
        return;
    if (style->format == CTL_LOG_JSON) {
        g_string_append_len(out, line, (gssize)len);
        g_string_append_c(out, '\n');
        return;
    }
    if (style->format == CTL_LOG_SHORT) {
        g_autofree char *clean_level = ctl_text_clean(level, -1);
        append_short(style, doc, rank, clean_level, message, out);
    } else {
        append_message(out, message);
        g_string_append_c(out, '\n');
    }
}

struct CtlTail {
    gint64 n;
    gint64 n_seen;
    GQueue lines; /* char* */
};

CtlTail *
ctl_tail_new(gint64 n)
{
    CtlTail *tail = g_new0(CtlTail, 1);
    tail->n = n;
    g_queue_init(&tail->lines);
    return tail;
}

void
ctl_tail_free(CtlTail *tail)
{
    if (tail == NULL)
        return;
    g_queue_clear_full(&tail->lines, g_free);
    g_free(tail);
}

void
ctl_tail_add(CtlTail *tail, const char *text)
{
    if (*text == '\0')
        return;
    tail->n_seen++;
    g_queue_push_tail(&tail->lines, g_strdup(text));
    if (tail->n >= 0 && (gint64)tail->lines.length > tail->n)
        g_free(g_queue_pop_head(&tail->lines));
}

gint64
ctl_tail_get_n_seen(const CtlTail *tail)
{
    return tail->n_seen;
}

void
ctl_tail_print(CtlTail *tail, GString *out)
{
    for (char *line; (line = g_queue_pop_head(&tail->lines)) != NULL; g_free(line))
        g_string_append(out, line);
}
