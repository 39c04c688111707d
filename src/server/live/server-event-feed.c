/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "server-event-feed.h"

#include <string.h>

#include "sl-json-write.h"
#include "sl-queue.h"
#include "sl-sql.h"

#define PROGRESS_USEC ((gint64)G_USEC_PER_SEC) /* between two of one job */
#define MAX_STREAMS 200 /* told at a time; the others are behind, and told next time */

/* What is known of a job that moves data. */
typedef struct {
    gboolean due;        /* something has happened since it was told */
    gint64 told;         /* monotonic */
    GHashTable *streams; /* "namespace\x1fstream" → its counters as they were told */
} Job;

struct ServerEventFeed {
    SlDb *db;
    ServerEvents *events;
    GMainContext *context;
    GHashTable *jobs; /* id → Job */
    GSource *timer;
    gboolean asking;
    GCancellable *cancellable;
};

static void
job_free(gpointer data)
{
    Job *job = data;
    g_hash_table_unref(job->streams);
    g_free(job);
}

/* --- events from notifications alone ---------------------------------------------------------- */

typedef struct {
    const char *name;
    const char *value;
    gboolean is_number;
} Member;

static void
tell(ServerEventFeed *feed, const char *type, const char *workspace, const char *const *topics,
     const Member *members)
{
    g_autoptr(GString) data = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(data);
    const char *visible = strcmp(workspace, "-") != 0 ? workspace : NULL;
    sl_json_begin_object(&w);
    if (visible != NULL)
        sl_json_member_string(&w, "workspaceId", visible);
    for (; members->name != NULL; members++) {
        if (members->is_number)
            sl_json_member_raw(&w, members->name, members->value);
        else
            sl_json_member_string(&w, members->name, members->value);
    }
    sl_json_end_object(&w);
    server_events_add(feed->events, type, visible, topics, data->str);
}

/* "connection WORKSPACE ID insert|update|delete STATUS" */
static void
on_connection(ServerEventFeed *feed, char **words)
{
    g_autofree char *topic = g_strconcat("connections:", words[2], NULL);
    const char *topics[] = {"connections", topic, NULL};
    const Member members[] = {
        {"connectionId", words[2]}, {"change", words[3]}, {"status", words[4]}, {NULL}};
    tell(feed, "connection.status", words[1], topics, members);
}

/* "definition - ID insert|update|delete" */
static void
on_definition(ServerEventFeed *feed, char **words)
{
    g_autofree char *topic = g_strconcat("definitions:", words[2], NULL);
    const char *topics[] = {"definitions", topic, NULL};
    const Member members[] = {{"definitionId", words[2]}, {"change", words[3]}, {NULL}};
    tell(feed, "definition.changed", words[1], topics, members);
}

/* "job WORKSPACE ID STATUS CONFIG-TYPE SCOPE" */
static void
on_job(ServerEventFeed *feed, char **words)
{
    int type = sl_enum_value(&sl_config_type_enum, words[4]);
    int status = sl_enum_value(&sl_job_status_enum, words[3]);
    g_autofree char *job_topic = g_strconcat("jobs:", words[2], NULL);
    g_autofree char *command_topic = g_strconcat("commands:", words[2], NULL);
    g_autofree char *scope_topic = g_strconcat("connections:", words[5], NULL);
    if (type < 0 || status < 0)
        return;
    gboolean moves_data = sl_config_type_is_replication((SlConfigType)type);
    gboolean is_final = sl_job_status_is_final((SlJobStatus)status);
    const char *topics[] = {"jobs", job_topic, moves_data ? scope_topic : NULL, NULL};
    const Member members[] = {{"jobId", words[2], TRUE},
                              {"status", words[3]},
                              {"configType", words[4]},
                              {moves_data ? "connectionId" : "scope", words[5]},
                              {NULL}};
    tell(feed, "job.state", words[1], topics, members);
    if (moves_data) {
        const char *both[] = {"connections", scope_topic, NULL};
        const Member more[] = {{"connectionId", words[5]},
                               {"change", "job"},
                               {"jobId", words[2], TRUE},
                               {"jobStatus", words[3]},
                               {NULL}};
        tell(feed, "connection.status", words[1], both, more);
    } else if (is_final) {
        const char *command[] = {"commands", command_topic, NULL};
        tell(feed, "command.done", words[1], command, members);
    }
    if (is_final) {
        gint64 id = g_ascii_strtoll(words[2], NULL, 10);
        g_hash_table_remove(feed->jobs, &id);
    }
}

/* --- progress --------------------------------------------------------------------------------- */

static void ask(ServerEventFeed *feed);

static gboolean
on_timer(gpointer data)
{
    ServerEventFeed *feed = data;
    g_source_set_ready_time(feed->timer, -1);
    ask(feed);
    return G_SOURCE_CONTINUE;
}

static gboolean
timer_dispatch(GSource *source, GSourceFunc func, gpointer data)
{
    return func(data);
}

static void
write_counters(SlJsonWriter *w, const SlProgressRow *row)
{
    sl_json_member_int(w, "recordsEmitted", row->records_emitted);
    sl_json_member_int(w, "bytesEmitted", row->bytes_emitted);
    sl_json_member_int(w, "recordsCommitted", row->records_committed);
    sl_json_member_int(w, "bytesCommitted", row->bytes_committed);
    if (row->estimated_records > 0)
        sl_json_member_int(w, "estimatedRecords", row->estimated_records);
    if (row->estimated_bytes > 0)
        sl_json_member_int(w, "estimatedBytes", row->estimated_bytes);
}

/* Only what has changed since it was told. */
static gboolean
is_news(Job *job, const SlProgressRow *row)
{
    g_autofree char *key = g_strjoin("\x1f", row->namespace, row->stream, NULL);
    g_autoptr(GString) counters = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(counters);
    sl_json_begin_object(&w);
    sl_json_member_int(&w, "attempt", row->attempt_number);
    write_counters(&w, row);
    sl_json_end_object(&w);
    if (g_strcmp0(g_hash_table_lookup(job->streams, key), counters->str) == 0)
        return FALSE;
    g_hash_table_replace(job->streams, g_steal_pointer(&key), g_strdup(counters->str));
    return TRUE;
}

static void
tell_row(ServerEventFeed *feed, const SlProgressRow *row)
{
    gboolean whole = row->stream[0] == '\0';
    g_autofree char *job_topic = g_strdup_printf("jobs:%" G_GINT64_FORMAT, row->job_id);
    g_autofree char *scope_topic =
        g_strdup_printf("%s:%s", whole ? "connections" : "streams", row->scope);
    const char *topics[] = {whole ? "jobs" : "streams", job_topic, scope_topic, NULL};
    g_autoptr(GString) data = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(data);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "workspaceId", row->workspace_id);
    sl_json_member_int(&w, "jobId", row->job_id);
    sl_json_member_int(&w, "attemptNumber", row->attempt_number);
    sl_json_member_string(&w, "connectionId", row->scope);
    if (!whole)
        sl_json_member_string(&w, "streamName", row->stream);
    if (!whole && row->namespace[0] != '\0')
        sl_json_member_string(&w, "streamNamespace", row->namespace);
    write_counters(&w, row);
    sl_json_end_object(&w);
    server_events_add(feed->events, whole ? "job.progress" : "stream.status", row->workspace_id,
                      topics, data->str);
}

static void
tell_rows(ServerEventFeed *feed, const GPtrArray *rows)
{
    guint told = 0;
    for (guint i = 0; i < rows->len; i++) {
        const SlProgressRow *row = rows->pdata[i];
        Job *job = g_hash_table_lookup(feed->jobs, &row->job_id);
        if (job == NULL)
            continue; /* it ended meanwhile, and its end has been told */
        if (row->stream[0] != '\0' && told >= MAX_STREAMS) {
            job->due = TRUE;
            continue;
        }
        if (!is_news(job, row))
            continue;
        told += row->stream[0] != '\0';
        tell_row(feed, row);
    }
}

static void
load_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    gpointer *both = data;
    GPtrArray *rows = NULL;
    GError *error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(both[0], TRUE, &error);
    if (tx != NULL && sl_sql_attempt_progress_list(tx, both[1], &rows, &error))
        g_task_return_pointer(task, rows, (GDestroyNotify)g_ptr_array_unref);
    else
        g_task_return_error(task, error);
}

static void
free_both(gpointer data)
{
    gpointer *both = data;
    sl_db_unref(both[0]);
    g_strfreev(both[1]);
    g_free(both);
}

static void
on_loaded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) rows = g_task_propagate_pointer(G_TASK(result), &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* the feed is gone */
    ServerEventFeed *feed = data;
    feed->asking = FALSE;
    if (rows != NULL)
        tell_rows(feed, rows);
    else
        g_debug("Progress of jobs: %s", error->message); /* the next one tells more */
    ask(feed);
}

/* Jobs whose second is over are asked about in one statement, on another thread; one at a time. */
static void
ask(ServerEventFeed *feed)
{
    gint64 now = g_get_monotonic_time(), next = -1;
    GHashTableIter iter;
    gpointer id, value;
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

    if (feed->asking)
        return;
    g_hash_table_iter_init(&iter, feed->jobs);
    while (g_hash_table_iter_next(&iter, &id, &value)) {
        Job *job = value;
        if (!job->due)
            continue;
        if (job->told + PROGRESS_USEC > now) {
            next = next < 0 ? job->told + PROGRESS_USEC : MIN(next, job->told + PROGRESS_USEC);
            continue;
        }
        job->due = FALSE;
        job->told = now;
        g_ptr_array_add(ids, g_strdup_printf("%" G_GINT64_FORMAT, *(gint64 *)id));
    }
    g_source_set_ready_time(feed->timer, next);
    if (ids->len == 0)
        return;
    g_ptr_array_add(ids, NULL);
    gpointer *both = g_new(gpointer, 2);
    both[0] = sl_db_ref(feed->db);
    both[1] = g_ptr_array_free(g_steal_pointer(&ids), FALSE);
    g_autoptr(GTask) task = g_task_new(NULL, feed->cancellable, on_loaded, feed);
    g_task_set_task_data(task, both, free_both);
    feed->asking = TRUE;
    g_task_run_in_thread(task, load_thread);
}

/* "progress WORKSPACE JOB" */
static void
on_progress(ServerEventFeed *feed, char **words)
{
    gint64 id = g_ascii_strtoll(words[2], NULL, 10);
    Job *job = g_hash_table_lookup(feed->jobs, &id);
    if (!server_events_have_readers(feed->events)) {
        g_hash_table_remove_all(feed->jobs);
        return;
    }
    if (job == NULL) {
        job = g_new0(Job, 1);
        job->streams = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        job->told = g_get_monotonic_time() - PROGRESS_USEC;
        g_hash_table_insert(feed->jobs, g_memdup2(&id, sizeof id), job);
    }
    job->due = TRUE;
    ask(feed);
}

/* --- the feed --------------------------------------------------------------------------------- */

void
server_event_feed_notified(ServerEventFeed *feed, const char *payload)
{
    static const struct {
        const char *kind;
        guint n_words;
        void (*func)(ServerEventFeed *feed, char **words);
    } kinds[] = {
        {"connection", 5, on_connection},
        {"definition", 4, on_definition},
        {"job", 6, on_job},
        {"progress", 3, on_progress},
    };
    if (payload == NULL) {
        g_hash_table_remove_all(feed->jobs);
        server_events_reset(feed->events, "events may have been missed");
        return;
    }
    g_auto(GStrv) words = g_strsplit(payload, " ", -1);
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_strcmp0(words[0], kinds[i].kind) == 0 && g_strv_length(words) == kinds[i].n_words)
            kinds[i].func(feed, words);
}

ServerEventFeed *
server_event_feed_new(SlDb *db, ServerEvents *events)
{
    static GSourceFuncs funcs = {.dispatch = timer_dispatch};
    ServerEventFeed *feed = g_new0(ServerEventFeed, 1);
    feed->db = sl_db_ref(db);
    feed->events = events;
    feed->jobs = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, job_free);
    feed->cancellable = g_cancellable_new();
    feed->context = g_main_context_ref_thread_default();
    feed->timer = g_source_new(&funcs, sizeof(GSource));
    g_source_set_callback(feed->timer, on_timer, feed, NULL);
    g_source_attach(feed->timer, feed->context);
    return feed;
}

void
server_event_feed_free(ServerEventFeed *feed)
{
    if (feed == NULL)
        return;
    g_cancellable_cancel(feed->cancellable);
    g_object_unref(feed->cancellable);
    g_source_destroy(feed->timer);
    g_source_unref(feed->timer);
    g_main_context_unref(feed->context);
    g_hash_table_unref(feed->jobs);
    sl_db_unref(feed->db);
    g_free(feed);
}
