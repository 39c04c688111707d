/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#include "ctl-job.h"
#include "ctl-log.h"
#include "ctl-object.h"
#include "ctl-when.h"
#include "sl-error.h"

#define CHUNK (1024 * 1024) /* bytes of one request, the API's most */
#define FIRST_TAIL 16384
#define POLL_MSEC 500
#define DEFAULT_TAIL 10 /* lines before what --follow shows, as tail(1) has it */

/* Reading one attempt's log, from its beginning and on. */
typedef struct {
    Ctl *ctl;
    gint64 job, attempt;
    gint64 offset;    /* of the next byte that is asked for */
    GString *partial; /* the beginning of a line whose end has not come yet */
    CtlLogStyle style;
    CtlTail *tail; /* the lines at the end of what is there at first; NULL: printed as they come */
} Reader;

/* "JOB/ATTEMPT", "JOB", or a connection's name. Attempts count from 1 here, as 'status' shows
 * them; -1: the last one. */
static gboolean
parse_target(Ctl *ctl, const char *word, gint64 *ret_job, gint64 *ret_attempt, GError **error)
{
    const char *slash = strrchr(word, '/');
    g_autofree char *head = slash != NULL ? g_strndup(word, slash - word) : g_strdup(word);
    *ret_attempt = -1;
    if (ctl_job_parse_id(head, ret_job)) {
        if (slash == NULL)
            return TRUE;
        if (!ctl_job_parse_id(slash + 1, ret_attempt))
            return ctl_set_usage_error(error, _("'%s' is no attempt; the first one is %s/1"),
                                       slash + 1, head);
        *ret_attempt -= 1;
        return TRUE;
    }
    guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    g_autoptr(GPtrArray) all = ctl_object_list(ctl, kind, error);
    const CtlObject *connection = all != NULL ? ctl_object_pick(all, kind, word, error) : NULL;
    *ret_job = connection != NULL ? ctl_job_newest(ctl, connection->id, error) : -1;
    if (*ret_job == 0)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, _("connection '%s' has never run"),
                            connection->name);
    return *ret_job > 0;
}

static void
take_line(Reader *reader, const char *line, gsize len, GString *out)
{
    g_autoptr(GString) text = g_string_new(NULL);
    ctl_log_append(&reader->style, line, len, text);
    if (reader->tail != NULL)
        ctl_tail_add(reader->tail, text->str);
    else
        g_string_append(out, text->str);
}

static void
take_bytes(Reader *reader, const char *bytes, gsize len, GString *out)
{
    const char *end = bytes + len;
    for (const char *p = bytes; p < end;) {
        const char *newline = memchr(p, '\n', end - p);
        gsize n = (newline != NULL ? newline : end) - p;
        g_string_append_len(reader->partial, p, (gssize)n);
        if (newline == NULL)
            return;
        take_line(reader, reader->partial->str, reader->partial->len, out);
        g_string_truncate(reader->partial, 0);
        p = newline + 1;
    }
}

static SlJsonDoc *
get_range(Reader *reader, const char *range, gint64 value, GError **error)
{
    g_autofree char *path =
        g_strdup_printf(CTL_SLUICE "/jobs/%" G_GINT64_FORMAT "/attempts/%" G_GINT64_FORMAT
                                   "/log?%s=%" G_GINT64_FORMAT "&limit=%d",
                        reader->job, reader->attempt, range, value, CHUNK);
    return ctl_api_get(reader->ctl->api, path, error);
}

/* Takes one answer; FALSE when there was nothing in it. */
static gboolean
take_range(Reader *reader, const SlJsonDoc *doc)
{
    const SlJsonNode *root = sl_json_root(doc), *text = sl_json_get(doc, root, "text");
    gint64 next = ctl_json_int(doc, root, "nextOffset");
    g_autoptr(GString) bytes = g_string_new(NULL), out = g_string_new(NULL);
    if (text == NULL || !sl_json_append_string(text, bytes) || bytes->len == 0 ||
        next <= reader->offset)
        return FALSE;
    reader->offset = next;
    take_bytes(reader, bytes->str, bytes->len, out);
    fwrite(out->str, 1, out->len, stdout);
    return TRUE;
}

/* Reads what there is. */
static gboolean
read_more(Reader *reader, GError **error)
{
    for (gboolean more = TRUE; more;) {
        g_autoptr(SlJsonDoc) doc = get_range(reader, "offset", reader->offset, error);
        if (doc == NULL)
            return FALSE;
        more = take_range(reader, doc);
    }
    fflush(stdout);
    return TRUE;
}

/* The last `lines` lines of a long log are found from behind: a growing piece of its end, until it
 * holds enough of the lines that are asked for. */
static gboolean
read_tail(Reader *reader, gint64 lines, GError **error)
{
    for (gint64 size = FIRST_TAIL; lines >= 0 && size < CHUNK; size *= 8) {
        g_autoptr(SlJsonDoc) doc = get_range(reader, "tail", size, error);
        if (doc == NULL)
            return FALSE;
        if (ctl_json_int(doc, sl_json_root(doc), "offset") <= 0)
            break; /* that was all of it */
        take_range(reader, doc);
        if (ctl_tail_get_n_seen(reader->tail) >= lines)
            return read_more(reader, error);
        ctl_tail_free(reader->tail);
        reader->tail = ctl_tail_new(lines);
        reader->offset = 0;
        g_string_truncate(reader->partial, 0);
    }
    return read_more(reader, error);
}

static void
print_tail(Reader *reader)
{
    g_autoptr(GString) out = g_string_new(NULL);
    if (reader->tail == NULL)
        return;
    ctl_tail_print(reader->tail, out);
    g_clear_pointer(&reader->tail, ctl_tail_free);
    if (ctl_option(reader->ctl, CTL_OPT_FOLLOW) != NULL) {
        fputs(out->str, stdout);
        fflush(stdout);
    } else {
        ctl_print(reader->ctl, out->str);
    }
}

/* What stands behind the last newline, when nothing more will come. */
static void
print_rest(Reader *reader)
{
    g_autoptr(GString) out = g_string_new(NULL);
    if (reader->partial->len > 0)
        take_line(reader, reader->partial->str, reader->partial->len, out);
    g_string_truncate(reader->partial, 0);
    fputs(out->str, stdout);
    fflush(stdout);
}

/* --- follow ------------------------------------------------------------------------------------
 */

typedef struct {
    Reader *reader;
    GMainLoop *loop;
    gint64 lines;   /* of the past that are shown */
    gboolean fixed; /* an attempt was named: it alone */
    gboolean done;
    CtlExit status;
    GError *error;
} Follow;

static void
stop(Follow *follow, CtlExit status)
{
    follow->status = status;
    follow->done = TRUE;
    g_main_loop_quit(follow->loop);
}

static gboolean
read_on(Follow *follow)
{
    Reader *reader = follow->reader;
    return reader->tail != NULL ? read_tail(reader, follow->lines, &follow->error)
                                : read_more(reader, &follow->error);
}

static gboolean
on_poll(gpointer data)
{
    Follow *follow = data;
    Reader *reader = follow->reader;
    /* The job first: when it had ended before, the log read now is all of it. */
    g_autoptr(CtlJob) job = ctl_job_load(reader->ctl, reader->job, &follow->error);
    if (job == NULL || (job->attempt >= 0 && !read_on(follow))) {
        stop(follow, ctl_exit_for_error(follow->error));
        return G_SOURCE_CONTINUE;
    }
    print_tail(reader);
    if (!follow->fixed && job->attempt > reader->attempt) {
        print_rest(reader);
        reader->attempt++;
        reader->offset = 0;
        return on_poll(follow);
    }
    if (ctl_job_is_terminal(job) || (follow->fixed && job->attempt > reader->attempt)) {
        print_rest(reader);
        stop(follow, CTL_EXIT_OK);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean
on_interrupt(gpointer data)
{
    stop(data, CTL_EXIT_INTERRUPTED);
    return G_SOURCE_CONTINUE;
}

static CtlExit
follow_log(Reader *reader, gint64 lines, gboolean fixed, GError **error)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Follow follow = {.reader = reader, .loop = loop, .lines = lines, .fixed = fixed};
    guint interrupt = g_unix_signal_add(SIGINT, on_interrupt, &follow);
    guint poll = g_timeout_add(POLL_MSEC, on_poll, &follow);
    on_poll(&follow);
    if (!follow.done)
        g_main_loop_run(loop);
    g_source_remove(poll);
    g_source_remove(interrupt);
    if (follow.error != NULL)
        g_propagate_error(error, follow.error);
    return follow.status;
}

/* --- the command -------------------------------------------------------------------------------
 */

static gboolean
read_when(const Ctl *ctl, CtlOptionId id, gint64 *ret, GError **error)
{
    const char *text = ctl_option(ctl, id);
    g_autoptr(GTimeZone) zone = ctl->utc ? g_time_zone_new_utc() : g_time_zone_new_local();
    return text == NULL || ctl_when_parse(text, g_get_real_time(), zone, ret, error);
}

/* Times and a pattern; style->grep is the caller's. */
static gboolean
read_filters(const Ctl *ctl, CtlLogStyle *style, GError **error)
{
    const char *pattern = ctl_option(ctl, CTL_OPT_GREP);
    if (!read_when(ctl, CTL_OPT_SINCE, &style->since, error) ||
        !read_when(ctl, CTL_OPT_UNTIL, &style->until, error))
        return FALSE;
    if (style->since != 0 && style->until != 0 && style->since > style->until)
        return ctl_set_usage_error(error, _("--since is after --until"));
    style->grep = pattern != NULL ? ctl_log_compile(pattern, error) : NULL;
    return pattern == NULL || style->grep != NULL;
}

static CtlLogStyle
log_style(const Ctl *ctl)
{
    static const char *const formats[] = {"short", "cat", "json"};
    const char *format = ctl_option(ctl, CTL_OPT_LOG_OUTPUT);
    const char *priority = ctl_option(ctl, CTL_OPT_PRIORITY);
    CtlLogStyle style = {.format = CTL_LOG_SHORT,
                         .worst = ctl_log_rank(priority != NULL ? priority : "debug"),
                         .utc = ctl->utc,
                         .color = ctl->style.color};
    for (guint i = 0; format != NULL && i < G_N_ELEMENTS(formats); i++)
        if (strcmp(formats[i], format) == 0)
            style.format = (CtlLogFormat)i;
    return style;
}

CtlExit
ctl_run_logs(Ctl *ctl, GError **error)
{
    gint64 lines, job_id, attempt;
    gboolean follow = ctl_option(ctl, CTL_OPT_FOLLOW) != NULL;
    CtlLogStyle style = log_style(ctl);
    gboolean filtered = read_filters(ctl, &style, error);
    g_autoptr(GRegex) grep = style.grep;
    if (!filtered || !ctl_option_lines(ctl, follow ? DEFAULT_TAIL : -1, &lines, error) ||
        !parse_target(ctl, ctl->args->args[0], &job_id, &attempt, error))
        return CTL_EXIT_FAILED;
    g_autoptr(CtlJob) job = ctl_job_load(ctl, job_id, error);
    if (job == NULL)
        return CTL_EXIT_FAILED;
    if (attempt > job->attempt || (job->attempt < 0 && !follow)) {
        sl_error_set(
            error, SL_ERROR_NOT_FOUND,
            _("job %" G_GINT64_FORMAT " has no such attempt; it has had %" G_GINT64_FORMAT), job_id,
            job->attempt + 1);
        return CTL_EXIT_NOT_FOUND;
    }
    g_autoptr(GString) partial = g_string_new(NULL);
    Reader reader = {.ctl = ctl,
                     .job = job_id,
                     .attempt = attempt >= 0 ? attempt : MAX(job->attempt, 0),
                     .partial = partial,
                     .style = style,
                     .tail = ctl_tail_new(lines)};
    if (follow) {
        CtlExit status = follow_log(&reader, lines, attempt >= 0, error);
        g_clear_pointer(&reader.tail, ctl_tail_free);
        return status;
    }
    gboolean ok = read_tail(&reader, lines, error);
    if (ok)
        print_rest(&reader);
    print_tail(&reader);
    return ok ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}
