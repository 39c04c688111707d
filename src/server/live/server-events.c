/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-events.h"

#include <string.h>

#include "sl-json-write.h"

#define KEY "events"
#define PIECE (64 * 1024)
#define HEARTBEAT_USEC (15 * (gint64)G_USEC_PER_SEC)

typedef struct {
    gint64 id;
    gboolean for_all; /* whatever the topics */
    char *workspace;
    char **topics;
    char *frame; /* as it is sent */
} Event;

struct ServerEvents {
    GMutex mutex;
    Event ring[SERVER_EVENTS_KEPT]; /* event of id i at i % SERVER_EVENTS_KEPT */
    gint64 first, next;             /* ids that are kept: [first, next) */
    guint n_readers;
    SlHttpServer *http;
};

struct ServerEventReader {
    ServerEvents *events;
    gint64 next;
    gboolean fresh;     /* came without an id */
    GHashTable *topics; /* NULL: all */
    GHashTable *workspaces;
    gint64 ends, heartbeat;
};

static void
event_clear(Event *event)
{
    g_clear_pointer(&event->workspace, g_free);
    g_clear_pointer(&event->topics, g_strfreev);
    g_clear_pointer(&event->frame, g_free);
}

ServerEvents *
server_events_new(void)
{
    ServerEvents *events = g_new0(ServerEvents, 1);
    g_mutex_init(&events->mutex);
    events->first = events->next = g_get_real_time();
    return events;
}

void
server_events_free(ServerEvents *events)
{
    if (events == NULL)
        return;
    for (guint i = 0; i < SERVER_EVENTS_KEPT; i++)
        event_clear(&events->ring[i]);
    g_mutex_clear(&events->mutex);
    g_free(events);
}

void
server_events_set_http(ServerEvents *events, SlHttpServer *http)
{
    g_mutex_lock(&events->mutex);
    events->http = http;
    g_mutex_unlock(&events->mutex);
}

gboolean
server_events_have_readers(ServerEvents *events)
{
    g_mutex_lock(&events->mutex);
    gboolean have = events->n_readers > 0;
    g_mutex_unlock(&events->mutex);
    return have;
}

/* A line of `data` has no newline: JSON escapes them. */
static void
append_frame(GString *out, gint64 id, const char *type, const char *data)
{
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    g_string_append_printf(out, "id: %" G_GINT64_FORMAT "\nevent: %s\ndata: ", id, type);
    sl_json_begin_object(&w);
    sl_json_member_int(&w, "id", id);
    sl_json_member_string(&w, "type", type);
    sl_json_member_int(&w, "ts", g_get_real_time() / 1000);
    sl_json_member_raw(&w, "data", data);
    sl_json_end_object(&w);
    g_string_append(out, "\n\n");
}

static void
add(ServerEvents *events, const char *type, const char *workspace, const char *const *topics,
    const char *data, gboolean for_all)
{
    GString *frame = g_string_new(NULL);
    g_mutex_lock(&events->mutex);
    Event *event = &events->ring[events->next % SERVER_EVENTS_KEPT];
    event_clear(event);
    append_frame(frame, events->next, type, data);
    *event = (Event){.id = events->next,
                     .for_all = for_all,
                     .workspace = g_strdup(workspace),
                     .topics = g_strdupv((char **)topics),
                     .frame = g_string_free(frame, FALSE)};
    events->next++;
    events->first = MAX(events->first, events->next - SERVER_EVENTS_KEPT);
    if (events->http != NULL && events->n_readers > 0)
        sl_http_server_wake(events->http, KEY);
    g_mutex_unlock(&events->mutex);
}

void
server_events_add(ServerEvents *events, const char *type, const char *workspace,
                  const char *const *topics, const char *data)
{
    add(events, type, workspace, topics, data, topics == NULL);
}

static char *
make_reason(const char *reason)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "reason", reason);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

void
server_events_reset(ServerEvents *events, const char *reason)
{
    g_autofree char *data = make_reason(reason);
    add(events, "reset", NULL, NULL, data, TRUE);
}

/* --- a reader ----------------------------------------------------------------------------------
 */

ServerEventReader *
server_event_reader_new(ServerEvents *events, const ServerEventRequest *request)
{
    ServerEventReader *reader = g_new0(ServerEventReader, 1);
    reader->events = events;
    reader->fresh = request->last_id == NULL;
    reader->workspaces = request->workspaces;
    reader->ends = request->ends;
    if (request->topics != NULL && request->topics[0] != NULL)
        reader->topics = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; reader->topics != NULL && request->topics[i] != NULL; i++)
        g_hash_table_add(reader->topics, g_strdup(request->topics[i]));
    g_mutex_lock(&events->mutex);
    events->n_readers++;
    reader->next = reader->fresh ? events->next : *request->last_id + 1;
    g_mutex_unlock(&events->mutex);
    return reader;
}

void
server_event_reader_free(gpointer data)
{
    ServerEventReader *reader = data;
    g_mutex_lock(&reader->events->mutex);
    reader->events->n_readers--;
    g_mutex_unlock(&reader->events->mutex);
    g_clear_pointer(&reader->topics, g_hash_table_unref);
    g_clear_pointer(&reader->workspaces, g_hash_table_unref);
    g_free(reader);
}

static gboolean
may_see(const ServerEventReader *reader, const Event *event)
{
    return event->workspace == NULL || reader->workspaces == NULL ||
           g_hash_table_contains(reader->workspaces, event->workspace);
}

static gboolean
asks_for(const ServerEventReader *reader, const Event *event)
{
    if (reader->topics == NULL || event->for_all)
        return TRUE;
    for (guint i = 0; event->topics != NULL && event->topics[i] != NULL; i++)
        if (g_hash_table_contains(reader->topics, event->topics[i]))
            return TRUE;
    return FALSE;
}

/* The first words: where the reader stands, so that it can come back to here even when nothing
 * happens before the connection breaks. */
static void
greet(ServerEventReader *reader, GString *out)
{
    ServerEvents *events = reader->events;
    if (reader->fresh) {
        append_frame(out, events->next - 1, "hello", "{\"version\":\"" PACKAGE_VERSION "\"}");
        reader->next = events->next;
    } else if (reader->next >= events->first && reader->next <= events->next) {
        g_string_append(out, ": going on\n\n");
    }
}

/* Is there more than one piece? */
static gboolean
append_events(ServerEventReader *reader, GString *out)
{
    ServerEvents *events = reader->events;
    if (reader->next < events->first || reader->next > events->next) {
        append_frame(out, events->next - 1, "reset", "{\"reason\":\"too old\"}");
        reader->next = events->next;
    }
    for (; reader->next < events->next && out->len < PIECE; reader->next++) {
        const Event *event = &events->ring[reader->next % SERVER_EVENTS_KEPT];
        if (asks_for(reader, event) && may_see(reader, event))
            g_string_append(out, event->frame);
    }
    return reader->next < events->next;
}

SlHttpPieceNext
server_event_reader_make(SlHttpPiece *piece, gpointer data)
{
    ServerEventReader *reader = data;
    gint64 now = g_get_monotonic_time();

    g_mutex_lock(&reader->events->mutex);
    if (piece->run == SL_HTTP_FIRST_RUN || reader->heartbeat == 0) {
        g_string_append(piece->out, "retry: 2000\n\n");
        greet(reader, piece->out);
    }
    gboolean more = append_events(reader, piece->out);
    g_mutex_unlock(&reader->events->mutex);

    if (piece->out->len == 0 && now >= reader->heartbeat)
        g_string_append(piece->out, ": quiet\n\n");
    if (piece->out->len > 0)
        reader->heartbeat = now + HEARTBEAT_USEC;
    if (more)
        return SL_HTTP_PIECE_MORE;
    if (piece->run == SL_HTTP_STOPPING)
        g_string_append(piece->out, "event: server.shutdown\ndata: "
                                    "{\"type\":\"server.shutdown\",\"data\":{}}\n\n");
    if (piece->run == SL_HTTP_STOPPING || now >= reader->ends)
        return SL_HTTP_PIECE_LAST;
    piece->key = KEY;
    piece->until = MIN(reader->heartbeat, reader->ends);
    return SL_HTTP_PIECE_WAIT;
}
