/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "server-events.h"
#include "server-routes.h"
#include "server-pieces.h"
#include "sl-error.h"

/* Rights may have been taken and tokens end: a client comes again, and goes on where it was. */
#define STREAM_USEC (15 * 60 * (gint64)G_USEC_PER_SEC)
#define MAX_TOPICS 100

static gboolean
check_topics(char **topics, GError **error)
{
    static const char *const known[] = {"connections", "jobs", "streams", "commands",
                                        "definitions"};
    guint n = topics != NULL ? g_strv_length(topics) : 0;
    if (n > MAX_TOPICS)
        return sl_error_set(error, SL_ERROR_INVALID, "topics: more than %d", MAX_TOPICS);
    for (guint i = 0; i < n; i++) {
        gsize len = strcspn(topics[i], ":");
        gboolean found = FALSE;
        for (guint j = 0; j < G_N_ELEMENTS(known); j++)
            found |= strlen(known[j]) == len && strncmp(topics[i], known[j], len) == 0;
        const char *rest = topics[i] + len;
        if (!found || (rest[0] != '\0' && rest[1] == '\0'))
            return sl_error_set(error, SL_ERROR_INVALID,
                                "topics: '%s' is not connections, jobs, streams, commands or "
                                "definitions, with or without :ID",
                                topics[i]);
    }
    return TRUE;
}

/* *ret is left alone when the client has no id yet. */
static gboolean
read_last_id(const ServerCtx *ctx, const SlEventStreamRequest *in, const gint64 **ret, gint64 *id,
             GError **error)
{
    const char *header = sl_http_request_get_header(ctx->request, "Last-Event-ID");
    if (sl_record_has(&sl_event_stream_request_record, in, SL_EVENT_STREAM_REQUEST_LAST_EVENT_ID)) {
        *id = in->last_event_id;
        *ret = id;
    }
    if (header == NULL || header[0] == '\0')
        return TRUE;
    if (!g_ascii_string_to_signed(header, 10, 0, G_MAXINT64 - 1, id, NULL))
        return sl_error_set(error, SL_ERROR_INVALID, "Last-Event-ID: '%s' is not one of ours",
                            header);
    *ret = id;
    return TRUE;
}

/* None: all. */
static GHashTable *
make_set(const char *const *workspaces)
{
    if (workspaces[0] == NULL)
        return NULL;
    GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (; *workspaces != NULL; workspaces++)
        g_hash_table_add(set, g_strdup(*workspaces));
    return set;
}

gboolean
server_event_stream(ServerCtx *ctx, const SlEventStreamRequest *in, ServerPieces **ret,
                    GError **error)
{
    gint64 id = 0;
    const char *const *workspaces = NULL;
    ServerEventRequest request = {
        .topics = (const char *const *)in->topics,
        .ends = g_get_monotonic_time() + STREAM_USEC,
    };
    if (!check_topics(in->topics, error) || !read_last_id(ctx, in, &request.last_id, &id, error))
        return FALSE;
    if (request.last_id != NULL && *request.last_id == G_MAXINT64)
        return sl_error_set(error, SL_ERROR_INVALID, "lastEventId: is not one of ours");
    if (!server_ctx_workspaces(ctx, NULL, &workspaces, error))
        return FALSE;
    request.workspaces = make_set(workspaces);
    *ret = server_pieces_new("text/event-stream", server_event_reader_make,
                             server_event_reader_new(ctx->server->events, &request),
                             server_event_reader_free);
    return TRUE;
}
