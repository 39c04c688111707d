/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-fixture.h"

#include <gio/gunixsocketaddress.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-queue.h"
#include "sl-sql.h"

/* --- fixture -------------------------------------------------------------------------------------
 */

static gpointer
serve(gpointer data)
{
    Fixture *fix = data;
    const SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    g_autoptr(GError) error = NULL;
    fix->context = g_main_context_new();
    g_main_context_push_thread_default(fix->context);
    fix->loop = g_main_loop_new(fix->context, FALSE);
    fix->http = sl_http_server_new(&limits, server_handle, &fix->server, &error);
    g_assert_no_error(error);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(fix->path);
    g_autoptr(GSocket) socket =
        g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, &error);
    g_assert_true(g_socket_bind(socket, address, TRUE, &error));
    g_assert_true(g_socket_listen(socket, &error));
    g_assert_true(sl_http_server_listen(fix->http, socket, &error));
    g_mutex_lock(&fix->mutex);
    fix->serving = TRUE;
    g_cond_broadcast(&fix->cond);
    g_mutex_unlock(&fix->mutex);
    g_main_loop_run(fix->loop);
    sl_http_server_free(fix->http);
    g_main_context_pop_thread_default(fix->context);
    return NULL;
}

/* Finishes one pending job that is no replication. */
static void
work_once(Fixture *fix)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(fix->server.db, FALSE, &error);
    g_autoptr(SlTask) task = NULL;
    g_autoptr(SlJob) job = NULL;
    g_assert_no_error(error);
    sl_sql_task_take(tx, g_get_real_time() + G_USEC_PER_SEC, &task, &error);
    g_assert_no_error(error);
    if (task == NULL)
        return;
    if (!sl_sql_job_lock(tx, task->job_id, &job, &error)) {
        /* a cancel takes the locks the other way round; the next round finds out */
        g_assert_error(error, SL_ERROR, SL_ERROR_SERIALIZATION);
        return;
    }
    if (sl_config_type_is_replication((SlConfigType)job->config_type))
        return;
    SlAttemptEnd end = {
        .job_id = job->job_id,
        .succeeded = fix->job_output != NULL,
        .job_status = fix->job_output != NULL ? SL_JOB_STATUS_SUCCEEDED : SL_JOB_STATUS_FAILED,
        .output = fix->job_output,
        .failure_summary =
            fix->job_output != NULL ? NULL : "{\"failures\":[{\"externalMessage\":\"it broke\"}]}",
    };
    gboolean ok = sl_queue_attempt_finish(tx, &end, g_get_real_time(), &error) &&
                  sl_sql_task_delete(tx, task->task_id, NULL, &error) && sl_tx_commit(tx, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, job->job_id);
    g_autofree char *key = server_job_key(id);
    sl_http_server_wake(fix->http, key);
}

static gpointer
work(gpointer data)
{
    Fixture *fix = data;
    while (!g_atomic_int_get(&fix->stop_worker)) {
        if (!g_atomic_int_get(&fix->pause_worker))
            work_once(fix);
        g_poll(NULL, 0, 10);
    }
    return NULL;
}

static void
wake(const char *key, gpointer data)
{
    Fixture *fix = data;
    sl_http_server_wake(fix->http, key);
}

void
setup(Fixture *fix, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    guint8 key[SL_SEAL_KEY_BYTES] = {1, 2, 3};
    g_autoptr(GBytes) master = g_bytes_new(key, sizeof(key));
    fix->server = (Server){.db = queue_fixture_new(),
                           .seal_key = sl_seal_key_new(master, &error),
                           .token_key = g_bytes_new_static("k", 1),
                           .public_url = g_strdup("http://localhost:8000"),
                           .registry_runtimes = g_strdup("native pypi docker"),
                           .openapi = g_strdup("{}"),
                           .hash_memory = 8192,
                           .token_usec = 900 * (gint64)G_USEC_PER_SEC,
                           .session_token_usec = 180 * (gint64)G_USEC_PER_SEC,
                           .session_usec = 86400 * (gint64)G_USEC_PER_SEC,
                           .setup_link_usec = 3600 * (gint64)G_USEC_PER_SEC,
                           .wake = wake,
                           .wake_data = fix,
                           .await_usec = 20 * (gint64)G_USEC_PER_SEC,
                           .stop_usec = G_USEC_PER_SEC / 5,
                           .admin_uid = getuid(),
                           .admin_gid = (gid_t)-1};
    g_assert_no_error(error);
    queue_fixture_script(fix->server.db, "update actor_definition set spec = '" SPEC "'");
    g_assert_true(server_init(&fix->server, &error));
    fix->folder = g_dir_make_tmp("server-XXXXXX", &error);
    g_assert_no_error(error);
    fix->server.log_folder = g_strdup(fix->folder);
    fix->path = g_build_filename(fix->folder, "sock", NULL);
    fix->answers = g_ptr_array_new_with_free_func(g_free);
    g_mutex_init(&fix->mutex);
    g_cond_init(&fix->cond);
    fix->thread = g_thread_new("server", serve, fix);
    g_mutex_lock(&fix->mutex);
    while (!fix->serving)
        g_cond_wait(&fix->cond, &fix->mutex);
    g_mutex_unlock(&fix->mutex);
    fix->worker = g_thread_new("worker", work, fix);
    fix->client = sl_http_unix_new(fix->path);
}

static gboolean
quit(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

void
teardown(Fixture *fix, gconstpointer data)
{
    sl_http_unix_free(fix->client);
    g_atomic_int_set(&fix->stop_worker, 1);
    if (fix->worker != NULL)
        g_thread_join(fix->worker);
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_callback(source, quit, fix->loop, NULL);
    g_source_attach(source, fix->context);
    g_thread_join(fix->thread);
    g_main_loop_unref(fix->loop);
    g_main_context_unref(fix->context);
    server_clear(&fix->server);
    g_unlink(fix->path);
    g_rmdir(fix->folder);
    g_free(fix->path);
    g_free(fix->folder);
    g_ptr_array_unref(fix->answers);
    GHashTableIter iter;
    gpointer in;
    if (fix->unheard != NULL)
        g_hash_table_iter_init(&iter, fix->unheard);
    while (fix->unheard != NULL && g_hash_table_iter_next(&iter, NULL, &in))
        g_string_free(in, TRUE);
    g_clear_pointer(&fix->unheard, g_hash_table_unref);
    g_mutex_clear(&fix->mutex);
    g_cond_clear(&fix->cond);
}

/* --- talking -------------------------------------------------------------------------------------
 */

/* An answer has what its description requires, and nothing of another kind. */
static void
check_answer(Fixture *fix, const char *method, const char *url, const char *text)
{
    g_auto(SlHttpMatch) match = {0};
    g_autofree char *allow = NULL;
    g_autofree char *path = g_strndup(url, strcspn(url, "?"));
    g_autoptr(GError) error = NULL;
    if (sl_http_router_match(fix->server.router, method, path, &match, &allow) != SL_HTTP_MATCH_OK)
        return;
    const ServerOperation *operation = match.route->target;
    if (operation->out != SERVER_OUT_RECORD)
        return;
    gpointer record = sl_record_parse_text(operation->out_record, text, strlen(text), &error);
    g_assert_no_error(error);
    sl_record_free(operation->out_record, record);
}

const char *
call_with(Fixture *fix, const char *const *headers, const char *method, const char *path,
          const char *body, guint status)
{
    g_autoptr(SlHttpUnixReply) reply = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = body != NULL ? g_bytes_new(body, strlen(body)) : NULL;
    sl_http_unix_request(fix->client, method, path, headers, bytes,
                         g_get_monotonic_time() + 20 * G_USEC_PER_SEC, NULL, &reply, &error);
    g_assert_no_error(error);
    char *text = g_strndup(g_bytes_get_data(reply->body, NULL), g_bytes_get_size(reply->body));
    g_ptr_array_add(fix->answers, text);
    if (reply->status != status)
        g_test_message("%s %s: %u %s", method, path, reply->status, text);
    g_assert_cmpuint(reply->status, ==, status);
    const char *type = g_hash_table_lookup(reply->headers, "content-type");
    g_assert_cmpstr(type, ==, g_bytes_get_size(reply->body) == 0 ? NULL : "application/json");
    if (status == 200)
        check_answer(fix, method, path, text);
    return text;
}

const char *
call(Fixture *fix, const char *method, const char *path, const char *body, guint status)
{
    return call_with(fix, NULL, method, path, body, status);
}

void
assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        g_test_message("'%s' is not in: %s", part, text);
    g_assert_nonnull(strstr(text, part));
}

void
assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        g_test_message("'%s' is in: %s", part, text);
    g_assert_null(strstr(text, part));
}

/* A string member of the answer's top level. */
const char *
member(Fixture *fix, const char *json, const char *name)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(json, strlen(json), NULL, NULL);
    g_assert_nonnull(doc);
    const SlJsonNode *node = sl_json_get(doc, sl_json_root(doc), name);
    g_assert_nonnull(node);
    char *text = sl_json_dup_string(node);
    if (text == NULL)
        text = sl_json_dup_span(node);
    g_ptr_array_add(fix->answers, text);
    return text;
}

const char *
format(Fixture *fix, const char *pattern, ...)
{
    va_list args;
    va_start(args, pattern);
    char *text = g_strdup_vprintf(pattern, args);
    va_end(args);
    g_ptr_array_add(fix->answers, text);
    return text;
}

/* What was read past the text that was waited for, by descriptor. */
static GString *
unheard(Fixture *fix, int fd)
{
    if (fix->unheard == NULL)
        fix->unheard = g_hash_table_new(NULL, NULL);
    GString *in = g_hash_table_lookup(fix->unheard, GINT_TO_POINTER(fd));
    if (in == NULL) {
        in = g_string_new(NULL);
        g_hash_table_insert(fix->unheard, GINT_TO_POINTER(fd), in);
    }
    return in;
}

int
stream_open(Fixture *fix, const char *path, const char *headers)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_strlcpy(address.sun_path, fix->path, sizeof address.sun_path);
    g_assert_no_errno(connect(fd, (struct sockaddr *)&address, sizeof address));
    g_string_truncate(unheard(fix, fd), 0);
    g_autofree char *text = g_strdup_printf("GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, headers);
    g_assert_cmpint(send(fd, text, strlen(text), MSG_NOSIGNAL), ==, (gssize)strlen(text));
    return fd;
}

const char *
stream_hear(Fixture *fix, int fd, const char *text)
{
    GString *in = unheard(fix, fd);
    gint64 end = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    while (text == NULL || strstr(in->str, text) == NULL) {
        char buffer[8192];
        struct pollfd p = {.fd = fd, .events = POLLIN};
        gboolean in_time = g_get_monotonic_time() < end && poll(&p, 1, 30000) == 1;
        gssize n = in_time ? read(fd, buffer, sizeof buffer) : 0;
        if (n <= 0 && text != NULL)
            g_test_message("not heard: '%s', but: %s", text, in->str);
        g_assert_true(n > 0 || (text == NULL && in_time));
        if (n <= 0)
            break;
        g_string_append_len(in, buffer, n);
    }
    gsize len = text != NULL ? (gsize)(strstr(in->str, text) - in->str) + strlen(text) : in->len;
    char *heard = g_strndup(in->str, len);
    g_string_erase(in, 0, (gssize)len);
    g_ptr_array_add(fix->answers, heard);
    return heard;
}
