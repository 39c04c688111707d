/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-progress.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-text.h"

#define BAR_WIDTH 12
#define NAME_WIDTH 28
/* A rate is an average over about so long: steady to the eye, yet quick to follow. */
#define RATE_USEC (3 * G_USEC_PER_SEC)

typedef struct {
    gint64 records;
    gint64 seen;  /* when `records` was seen */
    gint64 began; /* first sight of any record; 0: none yet */
    double rate;  /* records per second */
} Pace;

struct CtlProgress {
    gboolean utf8;
    GHashTable *paces; /* stream name → Pace */
    Pace whole;
    gint64 began;
    gint64 attempt; /* paces are of this one */
};

CtlProgress *
ctl_progress_new(gboolean utf8)
{
    CtlProgress *progress = g_new0(CtlProgress, 1);
    progress->utf8 = utf8;
    progress->paces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    progress->attempt = -1;
    return progress;
}

void
ctl_progress_free(CtlProgress *progress)
{
    if (progress == NULL)
        return;
    g_hash_table_unref(progress->paces);
    g_free(progress);
}

static void
pace_update(Pace *pace, gint64 records, gint64 now)
{
    if (records > 0 && pace->began == 0)
        pace->began = now;
    if (pace->seen != 0 && now > pace->seen) {
        double span = (double)(now - pace->seen);
        double rate = (double)(records - pace->records) * G_USEC_PER_SEC / span;
        double weight = pace->rate > 0 ? MIN(1.0, span / RATE_USEC) : 1.0;
        pace->rate += (MAX(rate, 0) - pace->rate) * weight;
    }
    pace->records = records;
    pace->seen = now;
}

void
ctl_progress_update(CtlProgress *progress, const CtlJob *job, gint64 now)
{
    gint64 sum = 0;
    if (progress->began == 0)
        progress->began = now;
    if (job->attempt != progress->attempt) {
        g_hash_table_remove_all(progress->paces);
        progress->whole = (Pace){0};
        progress->attempt = job->attempt;
    }
    for (guint i = 0; i < job->streams->len; i++) {
        const CtlStream *stream = g_ptr_array_index(job->streams, i);
        Pace *pace = g_hash_table_lookup(progress->paces, stream->name);
        if (pace == NULL) {
            pace = g_new0(Pace, 1);
            g_hash_table_insert(progress->paces, g_strdup(stream->name), pace);
        }
        pace_update(pace, stream->records, now);
        sum += stream->records;
    }
    pace_update(&progress->whole, sum, now);
}

char *
ctl_progress_bar(double share, guint width, gboolean utf8)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    GString *bar = g_string_new(NULL);
    guint parts = (guint)(CLAMP(share, 0.0, 1.0) * width * 8 + 0.5);
    guint full = parts / 8, used = full;
    for (guint i = 0; i < full; i++)
        g_string_append(bar, utf8 ? "█" : "#");
    if (utf8 && parts % 8 != 0) {
        g_string_append(bar, eighths[parts % 8]);
        used++;
    }
    for (; used < width; used++)
        g_string_append_c(bar, utf8 ? ' ' : '.');
    return g_string_free(bar, FALSE);
}

static char *
rate_text(const Pace *pace)
{
    g_autofree char *count = ctl_text_count((gint64)(pace->rate + 0.5));
    return g_strdup_printf(_("%s rows/s"), count);
}

/* "orders  ███████▏     61 %  1.2M/2.0M rows  14k rows/s  eta 58 s" */
static char *
stream_line(const CtlProgress *progress, const CtlStream *stream, guint name_width, gint64 now)
{
    static const Pace none = {0};
    const Pace *pace = g_hash_table_lookup(progress->paces, stream->name);
    if (pace == NULL)
        pace = &none;
    g_autofree char *name = ctl_text_ellipsize(stream->name, name_width, progress->utf8);
    g_autofree char *rows = ctl_text_count(stream->records);
    g_autofree char *rate = rate_text(pace);
    int pad = (int)(name_width - MIN(name_width, ctl_text_width(name)));
    if (stream->estimated > 0 && stream->records <= stream->estimated) {
        double share = (double)stream->records / (double)stream->estimated;
        g_autofree char *bar = ctl_progress_bar(share, BAR_WIDTH, progress->utf8);
        g_autofree char *all = ctl_text_count(stream->estimated);
        gint64 left = stream->estimated - stream->records;
        g_autofree char *eta =
            pace->rate >= 1 && left > 0
                ? ctl_text_duration((gint64)((double)left / pace->rate * G_USEC_PER_SEC))
                : NULL;
        return g_strdup_printf(_("%s%*s  %s %3d %%  %s/%s rows  %s%s%s"), name, pad, "", bar,
                               (int)(share * 100), rows, all, rate, eta != NULL ? _("  eta ") : "",
                               eta != NULL ? eta : "");
    }
    g_autofree char *elapsed = ctl_text_duration(pace->began > 0 ? now - pace->began : 0);
    return g_strdup_printf(_("%s%*s  %s rows  %s  %s"), name, pad, "", rows, rate, elapsed);
}

static char *
job_head(const CtlProgress *progress, const CtlJob *job, gint64 now)
{
    g_autofree char *elapsed = ctl_text_duration(now - progress->began);
    if (job->attempt > 0)
        return g_strdup_printf(_("job %" G_GINT64_FORMAT " %s, attempt %" G_GINT64_FORMAT ", %s"),
                               job->id, job->status, job->attempt + 1, elapsed);
    return g_strdup_printf(_("job %" G_GINT64_FORMAT " %s, %s"), job->id, job->status, elapsed);
}

static void
append_cut(const CtlProgress *progress, const char *line, guint width, GString *out)
{
    g_autofree char *cut =
        width > 1 ? ctl_text_ellipsize(line, width - 1, progress->utf8) : g_strdup(line);
    g_string_append_printf(out, "%s\n", cut);
}

void
ctl_progress_append_block(const CtlProgress *progress, const CtlJob *job, gint64 now,
                          guint max_lines, guint width, GString *out)
{
    guint name_width = 0, shown = 0;
    for (guint i = 0; i < job->streams->len; i++) {
        const CtlStream *stream = g_ptr_array_index(job->streams, i);
        name_width = MAX(name_width, ctl_text_width(stream->name));
    }
    name_width = MIN(name_width, NAME_WIDTH);
    g_autofree char *head = job_head(progress, job, now);
    append_cut(progress, head, width, out);
    for (guint i = 0; i < job->streams->len && shown + 2 < max_lines; i++, shown++) {
        g_autofree char *line =
            stream_line(progress, g_ptr_array_index(job->streams, i), name_width, now);
        append_cut(progress, line, width, out);
    }
    if (shown < job->streams->len) {
        g_autofree char *more = g_strdup_printf(
            ngettext("and %u more stream", "and %u more streams", job->streams->len - shown),
            job->streams->len - shown);
        append_cut(progress, more, width, out);
    }
}

char *
ctl_progress_line(const CtlProgress *progress, const CtlJob *job, gint64 now)
{
    g_autofree char *head = job_head(progress, job, now);
    g_autofree char *rate = rate_text(&progress->whole);
    gint64 records = 0, bytes = 0;
    for (guint i = 0; i < job->streams->len; i++) {
        const CtlStream *stream = g_ptr_array_index(job->streams, i);
        records += stream->records;
        bytes += stream->bytes;
    }
    if (records == 0)
        return g_steal_pointer(&head);
    g_autofree char *rows = ctl_text_count(records);
    g_autofree char *size = ctl_text_bytes(bytes);
    return g_strdup_printf(_("%s: %s rows, %s, %s"), head, rows, size, rate);
}

char *
ctl_progress_summary(const CtlJob *job, const char *name)
{
    g_autofree char *rows = ctl_text_count(job->records);
    g_autofree char *size = ctl_text_bytes(job->bytes);
    g_autofree char *clean = ctl_text_clean(name, -1);
    gint64 end = job->ended >= 0 ? job->ended : g_get_real_time();
    g_autofree char *time =
        job->created >= 0 ? ctl_text_duration(MAX(end - job->created, 0)) : g_strdup("?");
    g_autofree char *text = g_strdup_printf(_("%s: job %" G_GINT64_FORMAT " %s, %s rows, %s in %s"),
                                            clean, job->id, job->status, rows, size, time);
    if (strcmp(job->status, "succeeded") == 0 || job->failure == NULL)
        return g_steal_pointer(&text);
    return g_strdup_printf("%s\n  %s", text, job->failure);
}
