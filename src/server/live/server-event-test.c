/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-fixture.h"

#include <string.h>
#include <unistd.h>

#include "server-event-feed.h"
#include "sl-db-listen.h"
#include "sl-error.h"
#include "sl-fd.h"
#include "sl-queue-workload.h"
#include "sl-queue.h"
#include "sl-sql.h"

#define EVENTS "/api/v1/sluice/events"

/* The server with what server.c adds for events, on the server's own thread. */
typedef struct {
    Fixture fix;
    ServerEventFeed *feed;
    SlDbListener *listener;
    char *conninfo;
    gint done;
} Stage;

static void
on_notified(const char *channel, const char *payload, gpointer data)
{
    Stage *stage = data;
    server_event_feed_notified(stage->feed, channel != NULL ? payload : NULL);
}

static gboolean
begin(gpointer data)
{
    static const char *const channels[] = {SL_CHANNEL_EVENT, NULL};
    Stage *stage = data;
    server_events_set_http(stage->fix.server.events, stage->fix.http);
    stage->feed = server_event_feed_new(stage->fix.server.db, stage->fix.server.events);
    stage->listener = sl_db_listener_new(stage->conninfo, channels, on_notified, stage);
    g_atomic_int_set(&stage->done, 1);
    return G_SOURCE_REMOVE;
}

static gboolean
end(gpointer data)
{
    Stage *stage = data;
    sl_db_listener_free(stage->listener);
    server_event_feed_free(stage->feed);
    g_atomic_int_set(&stage->done, 1);
    return G_SOURCE_REMOVE;
}

static void
in_server(Stage *stage, GSourceFunc func)
{
    g_atomic_int_set(&stage->done, 0);
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_callback(source, func, stage, NULL);
    g_source_attach(source, stage->fix.context);
    while (!g_atomic_int_get(&stage->done))
        g_usleep(1000);
}

static void
stage_setup(Stage *stage, gconstpointer data)
{
    g_autofree char *name = NULL;
    g_autoptr(GError) error = NULL;
    setup(&stage->fix, data);
    SlStatement statement = {"name", "select current_database()::text", 0, {0}};
    g_autoptr(SlTx) tx = sl_db_begin(stage->fix.server.db, TRUE, &error);
    g_assert_no_error(error);
    SlBind bind = {0};
    g_assert_true(sl_tx_run_text(tx, &statement, &bind, &name, &error));
    stage->conninfo = g_strconcat("dbname=", name, NULL);
    /* a reader that is there before hears of the beginning */
    sl_autofd int fd = stream_open(&stage->fix, EVENTS, "");
    stream_hear(&stage->fix, fd, "event: hello");
    in_server(stage, begin);
    stream_hear(&stage->fix, fd, "\"events may have been missed\"");
}

static void
stage_teardown(Stage *stage, gconstpointer data)
{
    in_server(stage, end);
    g_free(stage->conninfo);
    teardown(&stage->fix, data);
}

static int
listen_to(Stage *stage, const char *query)
{
    g_autofree char *path = g_strconcat(EVENTS, query, NULL);
    int fd = stream_open(&stage->fix, path, "");
    const char *head = stream_hear(&stage->fix, fd, "event: hello");
    assert_has(head, "Content-Type: text/event-stream\r\n");
    return fd;
}

/* Whatever changes a job or connection, by the API or beside it, is told. */
static void
test_changes(Stage *stage, gconstpointer data)
{
    Fixture *fix = &stage->fix;
    sl_autofd int fd = listen_to(stage, "");
    const char *text = call(fix, "PATCH", "/api/public/v1/connections/" FIXTURE_CONNECTION,
                            "{\"status\":\"inactive\"}", 200);
    assert_has(text, "inactive");
    stream_hear(fix, fd, "event: connection.status");
    stream_hear(fix, fd,
                "\"connectionId\":\"" FIXTURE_CONNECTION
                "\",\"change\":\"update\",\"status\":\"inactive\"}}\n\n");
    call(fix, "PATCH", "/api/public/v1/connections/" FIXTURE_CONNECTION, "{\"status\":\"active\"}",
         200);
    text = call(fix, "POST", "/api/public/v1/jobs",
                "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"jobType\":\"sync\"}", 200);
    const char *id = member(fix, text, "jobId");
    stream_hear(fix, fd, format(fix, "event: job.state\ndata: {\"id\":"));
    stream_hear(fix, fd,
                format(fix,
                       "\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"jobId\":%s,\"status\":"
                       "\"pending\",\"configType\":\"sync\",\"connectionId\":\"" FIXTURE_CONNECTION
                       "\"}}\n\n",
                       id));
    stream_hear(fix, fd,
                format(fix, "\"change\":\"job\",\"jobId\":%s,\"jobStatus\":\"pending\"", id));
    call(fix, "DELETE", format(fix, "/api/public/v1/jobs/%s", id), NULL, 200);
    stream_hear(fix, fd, "\"status\":\"cancelled\"");
    queue_fixture_script(fix->server.db,
                         "update actor_definition set name = 'other' where actor_type = 'source'");
    stream_hear(fix, fd, "event: definition.changed");
    stream_hear(fix, fd, "\"change\":\"update\"");
    /* what the scheduler keeps is nobody's business */
    queue_fixture_script(fix->server.db, "update connection set next_run_at = now()");
    queue_fixture_script(fix->server.db, "delete from connection");
    text = stream_hear(fix, fd, "\"change\":\"delete\"");
    assert_lacks(text, "\"change\":\"update\"");
}

/* A job that somebody waits for: its end is the command's. */
static void
test_command(Stage *stage, gconstpointer data)
{
    Fixture *fix = &stage->fix;
    sl_autofd int fd = listen_to(stage, "?topics=commands");
    fix->job_output = "{\"catalog\":{\"streams\":[]}}";
    call(fix, "GET", "/api/public/v1/streams?sourceId=" FIXTURE_SOURCE "&ignoreCache=true", NULL,
         200);
    const char *text = stream_hear(fix, fd, "event: command.done");
    assert_lacks(text, "job.state");
    stream_hear(fix, fd,
                "\"status\":\"succeeded\",\"configType\":\"discover_schema\",\"scope\":"
                "\"" FIXTURE_SOURCE "\"");
}

static void
commit(Fixture *fix, const char *id, const char *token, gint64 total, gint64 users)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlAttemptStats) stats = sl_attempt_stats_new();
    SlWorkloadReport report = {.workload_id = id, .token = token, .stats = stats};
    const gint64 numbers[] = {users, total - users};
    const char *const names[] = {"users", "orders"};
    stats->total = sl_sync_stats_new();
    sl_sync_stats_set_records_committed(stats->total, total);
    stats->streams = g_ptr_array_new();
    for (guint i = 0; i < 2; i++) {
        SlStreamStats *stream = sl_stream_stats_new();
        stream->stream_name = g_strdup(names[i]);
        stream->stats = sl_sync_stats_new();
        sl_sync_stats_set_records_committed(stream->stats, numbers[i]);
        g_ptr_array_add(stats->streams, stream);
    }
    g_autoptr(SlTx) tx = sl_db_begin(fix->server.db, FALSE, &error);
    g_assert_no_error(error);
    sl_queue_workload_commit(tx, &report, FIXTURE_NOW, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, &error));
}

static guint
count(const char *text, const char *what)
{
    guint n = 0;
    for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
        n++;
    return n;
}

/* Many commits are few events, the last numbers are always told, and a stream that stands still is
 * not. */
static void
test_progress(Stage *stage, gconstpointer data)
{
    Fixture *fix = &stage->fix;
    g_autofree char *token = NULL;
    g_atomic_int_set(&fix->pause_worker, 1);
    g_autoptr(SlJob) job = queue_fixture_job(fix->server.db);
    g_autofree char *id = queue_fixture_claimed(fix->server.db, job, &token);
    const char *query = format(fix, "?topics=jobs:%" G_GINT64_FORMAT, job->job_id);
    sl_autofd int fd = listen_to(stage, query);
    gint64 start = g_get_monotonic_time();
    for (gint64 i = 1; i <= 100; i++)
        commit(fix, id, token, 5 + i, 5);
    const char *text = stream_hear(fix, fd, "\"recordsCommitted\":105,");
    gint64 seconds = (g_get_monotonic_time() - start) / G_USEC_PER_SEC;
    g_assert_cmpuint(count(text, "event: job.progress"), <=, (guint)seconds + 2);
    stream_hear(fix, fd, "\"recordsCommitted\":100,"); /* orders; users did not move */
    commit(fix, id, token, 205, 5);
    text = stream_hear(fix, fd, "\"recordsCommitted\":200,");
    assert_has(text, "\"streamName\":\"orders\"");
    assert_lacks(text, "\"streamName\":\"users\"");
    assert_has(text, "\"recordsCommitted\":205,"); /* of the whole, told first */
    assert_has(text, "\"connectionId\":\"" FIXTURE_CONNECTION "\"");
}

static void
test_resume(Stage *stage, gconstpointer data)
{
    Fixture *fix = &stage->fix;
    int fd = listen_to(stage, "?topics=connections");
    call(fix, "PATCH", "/api/public/v1/connections/" FIXTURE_CONNECTION, "{\"name\":\"one\"}", 200);
    const char *text = stream_hear(fix, fd, "\"change\":\"update\"");
    gint64 id = g_ascii_strtoll(strstr(text, "id: ") + 4, NULL, 10);
    close(fd);
    for (guint i = 0; i < 3; i++)
        queue_fixture_script(fix->server.db, "update connection set prefix = prefix || 'x'");
    const char *header = format(fix, "Last-Event-ID: %" G_GINT64_FORMAT "\r\n", id);
    sl_autofd int again = stream_open(fix, EVENTS "?topics=connections", header);
    stream_hear(fix, again, ": going on");
    for (guint i = 1; i <= 3; i++)
        stream_hear(fix, again, format(fix, "id: %" G_GINT64_FORMAT "\n", id + i));
    sl_autofd int parameter =
        stream_open(fix, format(fix, EVENTS "?lastEventId=%" G_GINT64_FORMAT, id), "");
    stream_hear(fix, parameter, format(fix, "id: %" G_GINT64_FORMAT "\n", id + 3));
    sl_autofd int old = stream_open(fix, EVENTS, "Last-Event-ID: 12\r\n");
    stream_hear(fix, old, "event: reset");
}

static void
test_bad(Stage *stage, gconstpointer data)
{
    Fixture *fix = &stage->fix;
    static const char *const paths[] = {
        EVENTS "?topics=job", EVENTS "?topics=jobs:",  EVENTS "?topics=jobs,%20",
        EVENTS "?topics=:1",  EVENTS "?lastEventId=x", EVENTS "?lastEventId=9223372036854775807",
    };
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
        assert_has(call(fix, "GET", paths[i], NULL, 400),
                   strchr(paths[i], '?')[1] == 't' ? "topics: " : "lastEventId: ");
    const char *headers[] = {"Last-Event-ID", "x; drop table job", NULL};
    assert_has(call_with(fix, headers, "GET", EVENTS, NULL, 400), "Last-Event-ID: ");
}

/* A listening connection that breaks: whoever reads is told to look at everything again. */
static void
test_lost(Stage *stage, gconstpointer data)
{
    Fixture *fix = &stage->fix;
    sl_autofd int fd = listen_to(stage, "?topics=jobs:1");
    g_log_set_always_fatal(G_LOG_FATAL_MASK); /* the listener says that it lost the connection */
    g_assert_cmpint(queue_fixture_count(fix->server.db,
                                        "select count(pg_terminate_backend(pid)) from "
                                        "pg_stat_activity where datname = current_database() and "
                                        "query like 'listen %'"),
                    ==, 1);
    stream_hear(fix, fd, "event: reset");
    sl_autofd int all = listen_to(stage, "");
    queue_fixture_script(fix->server.db, "update connection set prefix = 'y'");
    stream_hear(fix, all, "\"change\":\"update\"");
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*func)(Stage *stage, gconstpointer data);
    } cases[] = {
        {"/server/event/changes", test_changes},   {"/server/event/command", test_command},
        {"/server/event/progress", test_progress}, {"/server/event/resume", test_resume},
        {"/server/event/bad", test_bad},           {"/server/event/lost", test_lost},
    };
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_test_add(cases[i].path, Stage, NULL, stage_setup, cases[i].func, stage_teardown);
    return g_test_run();
}
