/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-job.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-text.h"
#include "sl-error.h"
#include "sl-time.h"

static void
stream_free(gpointer data)
{
    CtlStream *stream = data;
    g_free(stream->name);
    g_free(stream->status);
    g_free(stream);
}

void
ctl_job_free(CtlJob *job)
{
    if (job == NULL)
        return;
    g_free(job->status);
    g_free(job->type);
    g_free(job->connection_id);
    g_free(job->failure);
    g_ptr_array_unref(job->streams);
    g_free(job);
}

static gint64
count_of(const SlJsonDoc *doc, const SlJsonNode *stats, const char *key)
{
    return MAX(ctl_json_int(doc, stats, key), 0);
}

static void
add_stream(CtlJob *job, const SlJsonDoc *doc, const SlJsonNode *node)
{
    const SlJsonNode *stats = sl_json_get(doc, node, "stats");
    CtlStream *stream = g_new0(CtlStream, 1);
    g_autofree char *name = ctl_json_string(doc, node, "streamName");
    g_autofree char *namespace = ctl_json_string(doc, node, "streamNamespace");
    g_autofree char *whole =
        *namespace != '\0' ? g_strjoin(".", namespace, name, NULL) : g_strdup(name);
    stream->name = ctl_text_clean(whole, -1);
    stream->status = ctl_json_string(doc, node, "status");
    if (stats == NULL)
        stats = node;
    stream->records = count_of(doc, stats, "recordsEmitted");
    stream->bytes = count_of(doc, stats, "bytesEmitted");
    stream->committed = count_of(doc, stats, "recordsCommitted");
    stream->estimated = count_of(doc, stats, "estimatedRecords");
    g_ptr_array_add(job->streams, stream);
}

/* "destination: cannot write: disk full" of the first failure in a FailureReason, a list of them,
 * or an object with such a list. */
static char *
failure_text(const SlJsonDoc *doc, const SlJsonNode *node)
{
    if (node == NULL || node->type == SL_JSON_NULL)
        return NULL;
    const SlJsonNode *list = sl_json_get(doc, node, "failures");
    if (list != NULL)
        node = list;
    if (node->type == SL_JSON_ARRAY)
        node = sl_json_at(doc, node, 0);
    if (node == NULL)
        return NULL;
    if (node->type == SL_JSON_STRING)
        return sl_json_dup_string(node);
    static const char *const texts[] = {"externalMessage", "message", "internalMessage"};
    g_autofree char *origin = ctl_json_string(doc, node, "failureOrigin");
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *text = ctl_json_string(doc, node, texts[i]);
        g_autofree char *clean = ctl_text_clean(text, -1);
        if (*clean != '\0')
            return *origin != '\0' ? g_strdup_printf("%s: %s", origin, clean)
                                   : g_steal_pointer(&clean);
    }
    return NULL;
}

static void
parse_attempt(CtlJob *job, const SlJsonDoc *doc, const SlJsonNode *attempt)
{
    gint64 number = ctl_json_int(doc, attempt, "attemptNumber");
    job->attempt = number >= 0 ? number : job->attempt + 1;
    const SlJsonNode *stats = sl_json_get(doc, attempt, "stats");
    const SlJsonNode *streams = sl_json_get(doc, stats, "streams");
    if (streams == NULL)
        streams = sl_json_get(doc, attempt, "streams");
    g_ptr_array_set_size(job->streams, 0);
    if (streams != NULL && streams->type == SL_JSON_ARRAY) {
        SL_JSON_FOREACH (doc, streams, stream) {
            add_stream(job, doc, stream);
        }
    }
    g_free(job->failure);
    job->failure = failure_text(doc, sl_json_get(doc, attempt, "failure"));
    if (job->failure == NULL)
        job->failure = failure_text(doc, sl_json_get(doc, attempt, "failureSummary"));
}

/* The public API and ours name the same things differently. */
static char *
either_string(const SlJsonDoc *doc, const SlJsonNode *node, const char *key, const char *other)
{
    char *text = ctl_json_string(doc, node, key);
    if (*text != '\0')
        return text;
    g_free(text);
    return ctl_json_string(doc, node, other);
}

static gint64
either_time(const SlJsonDoc *doc, const SlJsonNode *node, const char *key, const char *other)
{
    gint64 usec = ctl_json_time(doc, node, key);
    return usec >= 0 ? usec : ctl_json_time(doc, node, other);
}

static void
parse_attempts(CtlJob *job, const SlJsonDoc *doc, const SlJsonNode *attempts)
{
    if (attempts == NULL || attempts->type != SL_JSON_ARRAY)
        return;
    SL_JSON_FOREACH (doc, attempts, attempt) {
        const SlJsonNode *total = sl_json_get_path(doc, attempt, "stats", "total", NULL);
        parse_attempt(job, doc, attempt);
        /* Whatever an attempt has committed stays. */
        job->records += count_of(doc, total, "recordsCommitted");
        job->bytes += count_of(doc, total, "bytesCommitted");
    }
}

CtlJob *
ctl_job_parse(const SlJsonDoc *doc, const SlJsonNode *node)
{
    CtlJob *job = g_new0(CtlJob, 1);
    job->streams = g_ptr_array_new_with_free_func(stream_free);
    job->id = ctl_json_int(doc, node, "jobId");
    job->status = ctl_json_string(doc, node, "status");
    job->type = either_string(doc, node, "jobType", "configType");
    job->connection_id = either_string(doc, node, "connectionId", "scope");
    job->created = either_time(doc, node, "startTime", "createdAt");
    job->ended = either_time(doc, node, "lastUpdatedAt", "finishedAt");
    job->records = count_of(doc, node, "rowsSynced");
    job->bytes = count_of(doc, node, "bytesSynced");
    job->attempt = -1;
    parse_attempts(job, doc, sl_json_get(doc, node, "attempts"));
    char *own = failure_text(doc, sl_json_get(doc, node, "failure"));
    if (own != NULL) {
        g_free(job->failure);
        job->failure = own;
    }
    g_autofree char *duration = ctl_json_string(doc, node, "duration");
    gint64 usec = ctl_text_parse_iso_duration(duration);
    if (job->ended < 0 && ctl_job_is_terminal(job) && usec >= 0 && job->created >= 0)
        job->ended = job->created + usec;
    return job;
}

SlJsonDoc *
ctl_job_load_json(Ctl *ctl, gint64 id, GError **error)
{
    g_autofree char *path = g_strdup_printf(CTL_SLUICE "/jobs/%" G_GINT64_FORMAT "/attempts", id);
    GError *why = NULL;
    g_autoptr(SlJsonDoc) doc = ctl_api_get(ctl->api, path, &why);
    if (g_error_matches(why, SL_ERROR, SL_ERROR_NOT_FOUND)) {
        g_error_free(why);
        sl_error_set(
            error, SL_ERROR_NOT_FOUND,
            _("there is no job %" G_GINT64_FORMAT "; 'sluicectl list-jobs' shows what there is"),
            id);
        return NULL;
    }
    if (doc == NULL) {
        g_propagate_error(error, why);
        return NULL;
    }
    if (ctl_json_int(doc, sl_json_root(doc), "jobId") < 0) {
        sl_error_set(error, SL_ERROR_PROTOCOL, _("GET %s: the answer is no job"), path);
        return NULL;
    }
    return g_steal_pointer(&doc);
}

CtlJob *
ctl_job_load(Ctl *ctl, gint64 id, GError **error)
{
    g_autoptr(SlJsonDoc) doc = ctl_job_load_json(ctl, id, error);
    return doc != NULL ? ctl_job_parse(doc, sl_json_root(doc)) : NULL;
}

gint64
ctl_job_newest(Ctl *ctl, const char *connection_id, GError **error)
{
    g_autofree char *path = g_strdup_printf(
        CTL_PUBLIC "/jobs?connectionId=%s&orderBy=createdAt%%7CDESC&limit=1", connection_id);
    g_autoptr(SlJsonDoc) doc = ctl_api_get(ctl->api, path, error);
    if (doc == NULL)
        return -1;
    const SlJsonNode *row = sl_json_at(doc, sl_json_get(doc, sl_json_root(doc), "data"), 0);
    return row != NULL ? ctl_json_int(doc, row, "jobId") : 0;
}

gboolean
ctl_job_is_terminal(const CtlJob *job)
{
    static const char *const ended[] = {"failed", "succeeded", "cancelled", NULL};
    return g_strv_contains(ended, job->status) ||
           (strcmp(job->status, "incomplete") == 0 && job->ended >= 0);
}

CtlExit
ctl_job_exit(const CtlJob *job)
{
    if (strcmp(job->status, "succeeded") == 0)
        return CTL_EXIT_OK;
    return strcmp(job->status, "incomplete") == 0 ? CTL_EXIT_PARTIAL : CTL_EXIT_FAILED;
}

gboolean
ctl_job_parse_id(const char *text, gint64 *ret)
{
    return g_ascii_string_to_signed(text, 10, 1, G_MAXINT64, ret, NULL);
}

gboolean
ctl_job_wait_option(const Ctl *ctl, gboolean *ret_given, gint64 *ret_usec, GError **error)
{
    const char *text = ctl_option(ctl, CTL_OPT_WAIT);
    g_autoptr(GError) why = NULL;
    *ret_given = text != NULL;
    *ret_usec = -1;
    if (text == NULL || *text == '\0' || sl_time_parse_span(text, ret_usec, &why))
        return TRUE;
    return ctl_set_usage_error(error, _("'--wait=%s': %s"), text, why->message);
}
