/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "crash-api.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "server-dispatch.h"
#include "sl-http-unix.h"

struct CrashApi {
    Server server;
    SlHttpServer *http;
    GMainContext *context;
    GMainLoop *loop;
    GThread *thread;
    char *folder, *path;
};

static gpointer
serve(gpointer data)
{
    CrashApi *api = data;
    g_main_context_push_thread_default(api->context);
    g_main_loop_run(api->loop);
    sl_http_server_free(api->http);
    g_main_context_pop_thread_default(api->context);
    return NULL;
}

static void
listen_on(CrashApi *api)
{
    const SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    g_autoptr(GError) error = NULL;
    g_main_context_push_thread_default(api->context);
    api->http = sl_http_server_new(&limits, server_handle, &api->server, &error);
    g_assert_no_error(error);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(api->path);
    g_autoptr(GSocket) socket =
        g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, &error);
    g_assert_true(g_socket_bind(socket, address, TRUE, &error));
    g_socket_set_listen_backlog(socket, 128);
    g_assert_true(g_socket_listen(socket, &error));
    g_assert_true(sl_http_server_listen(api->http, socket, &error));
    g_main_context_pop_thread_default(api->context);
}

CrashApi *
crash_api_new(SlDb *db)
{
    g_autoptr(GError) error = NULL;
    CrashApi *api = g_new0(CrashApi, 1);
    api->server = (Server){.db = sl_db_ref(db),
                           .token_key = g_bytes_new_static("k", 1),
                           .public_url = g_strdup("http://localhost"),
                           .openapi = g_strdup("{}"),
                           .hash_memory = 8192,
                           .token_usec = 900 * (gint64)G_USEC_PER_SEC,
                           .await_usec = 1, /* nobody is there to end a job: say how it stands */
                           .stop_usec = 1,
                           .admin_uid = getuid(),
                           .admin_gid = (gid_t)-1};
    g_assert_true(server_init(&api->server, &error));
    api->folder = g_dir_make_tmp("crash-api-XXXXXX", &error);
    g_assert_no_error(error);
    api->server.log_folder = g_strdup(api->folder);
    api->path = g_build_filename(api->folder, "sock", NULL);
    api->context = g_main_context_new();
    api->loop = g_main_loop_new(api->context, FALSE);
    listen_on(api);
    api->thread = g_thread_new("api", serve, api);
    return api;
}

static gboolean
quit(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

void
crash_api_free(CrashApi *api)
{
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_callback(source, quit, api->loop, NULL);
    g_source_attach(source, api->context);
    g_thread_join(api->thread);
    g_main_loop_unref(api->loop);
    g_main_context_unref(api->context);
    server_clear(&api->server);
    g_unlink(api->path);
    g_rmdir(api->folder);
    g_free(api->path);
    g_free(api->folder);
    g_free(api);
}

const char *
crash_api_get_path(const CrashApi *api)
{
    return api->path;
}

guint
crash_api_ask(CrashApi *api, const char *method, const char *path, const char *body,
              char **ret_body)
{
    g_autoptr(SlHttpUnix) client = sl_http_unix_new(api->path);
    g_autoptr(SlHttpUnixReply) reply = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = body != NULL ? g_bytes_new(body, strlen(body)) : NULL;
    sl_http_unix_request(client, method, path, NULL, bytes,
                         g_get_monotonic_time() + 60 * G_USEC_PER_SEC, NULL, &reply, &error);
    g_assert_no_error(error);
    if (ret_body != NULL)
        *ret_body = g_strndup(g_bytes_get_data(reply->body, NULL), g_bytes_get_size(reply->body));
    return reply->status;
}

guint
crash_api_call(SlDb *db, const char *method, const char *path, const char *body)
{
    CrashApi *api = crash_api_new(db);
    guint status = crash_api_ask(api, method, path, body, NULL);
    crash_api_free(api);
    return status;
}
