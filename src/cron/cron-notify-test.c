/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "cron-notify.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>

#include "sl-error.h"
#include "sl-log.h"
#include "sl-queue-fixture.h"
#include "sl-sql.h"

#define SEC ((gint64)G_USEC_PER_SEC)

static char **arguments; /* of mail-sink.py: FOLDER NAME=PORT… */
static gint64 clock_now;

static gint64
read_clock(void)
{
    return clock_now;
}

/* --- receivers ---------------------------------------------------------------------------------
 */

typedef enum { GOOD, ERROR_500, RESET, HANG } Manner;

typedef struct {
    GSocketListener *listener;
    GCancellable *stop;
    Manner manner;
    GMutex mutex;
    GPtrArray *requests;
    GThread *thread;
    char *url;
} Hook;

static void
serve(Hook *hook, GSocketConnection *connection)
{
    static const char *const answers[] = {
        [GOOD] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        [ERROR_500] = "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    };
    GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(connection));
    GString *request = g_string_new(NULL);
    char piece[4096];
    gssize n;
    while ((n = g_input_stream_read(in, piece, sizeof piece, hook->stop, NULL)) > 0) {
        g_string_append_len(request, piece, n);
        const char *end = strstr(request->str, "\r\n\r\n");
        const char *length = strstr(request->str, "Content-Length: ");
        if (hook->manner != HANG && end != NULL && length != NULL &&
            strlen(end + 4) >= strtoul(length + 16, NULL, 10))
            break;
    }
    g_mutex_lock(&hook->mutex);
    g_ptr_array_add(hook->requests, g_string_free(request, FALSE));
    g_mutex_unlock(&hook->mutex);
    if (hook->manner == RESET) {
        struct linger now = {1, 0};
        setsockopt(g_socket_get_fd(g_socket_connection_get_socket(connection)), SOL_SOCKET,
                   SO_LINGER, &now, sizeof now);
    } else if (hook->manner != HANG) {
        const char *answer = answers[hook->manner];
        g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(connection)), answer,
                                  strlen(answer), NULL, NULL, NULL);
    }
}

static gpointer
run_hook(gpointer data)
{
    Hook *hook = data;
    for (;;) {
        g_autoptr(GSocketConnection) connection =
            g_socket_listener_accept(hook->listener, NULL, hook->stop, NULL);
        if (connection == NULL)
            return NULL;
        serve(hook, connection);
    }
}

static void
hook_start(Hook *hook, Manner manner)
{
    *hook = (Hook){.listener = g_socket_listener_new(),
                   .stop = g_cancellable_new(),
                   .manner = manner,
                   .requests = g_ptr_array_new_with_free_func(g_free)};
    guint16 port = g_socket_listener_add_any_inet_port(hook->listener, NULL, NULL);
    hook->url = g_strdup_printf("http://127.0.0.1:%u/hook", port);
    g_mutex_init(&hook->mutex);
    hook->thread = g_thread_new("hook", run_hook, hook);
}

static void
hook_stop(Hook *hook)
{
    g_cancellable_cancel(hook->stop);
    g_thread_join(hook->thread);
    g_ptr_array_unref(hook->requests);
    g_object_unref(hook->listener);
    g_object_unref(hook->stop);
    g_mutex_clear(&hook->mutex);
    g_free(hook->url);
}

/* --- the outbox --------------------------------------------------------------------------------
 */

static void
add(SlDb *db, const char *channel, const char *target, guint n)
{
    g_autofree char *sql = g_strdup_printf(
        "insert into notification (notification_id, workspace_id, job_id, trigger, channel,"
        " target, facts, due_at, created_at) select gen_random_uuid(), '" FIXTURE_WORKSPACE
        "', coalesce((select max(job_id) from notification), 0) + i, 'success', '%s', '%s',"
        " '{\"connection\":{\"id\":\"c\",\"name\":\"orders\"}}', '2026-08-01T12:00:00Z',"
        " '2026-08-01T12:00:00Z' from generate_series(1, %u) i",
        channel, target, n);
    queue_fixture_script(db, sql);
}

static SlConfig *
make_config(gint64 timeout_usec)
{
    SlConfig *config = sl_config_new();
    config->notify_timeout_usec = timeout_usec;
    config->notify_smtp_start_tls = 0;
    g_free(config->notify_smtp_from);
    config->notify_smtp_from = g_strdup("a@example.org");
    return config;
}

static void
set_server(SlConfig *config, const char *name)
{
    g_free(config->notify_smtp_url);
    for (char **p = arguments + 1; *p != NULL; p++)
        if (g_str_has_prefix(*p, name) && (*p)[strlen(name)] == '=')
            config->notify_smtp_url = g_strconcat("smtp://127.0.0.1:", *p + strlen(name) + 1, NULL);
}

static gboolean
start_unit(const char *unit, gint64 job_id, gpointer data, char **ret_result, GError **error)
{
    if (strcmp(unit, "good.service") == 0 || strcmp(unit, "good@.service") == 0) {
        *ret_result = g_strdup("started");
        return TRUE;
    }
    if (strcmp(unit, "away.service") == 0)
        return sl_error_set(error, SL_ERROR_UNAVAILABLE, "the host is stopping");
    if (strcmp(unit, "broken.service") == 0)
        return sl_error_set(error, SL_ERROR_FAILED, "starting '%s': the job ended 'failed'", unit);
    return sl_error_set(error, SL_ERROR_FORBIDDEN, "unit '%s' is not allowed (job %d)", unit,
                        (int)job_id);
}

static void
run(SlDb *db, const SlConfig *config, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *result = NULL;
    CronContext context = {.db = db,
                           .config = config,
                           .now = clock_now,
                           .templates = "/nonexistent",
                           .smtp_password = "p",
                           .start_unit = start_unit,
                           .clock = read_clock};
    cron_notify_run(&context, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(result, ==, expected);
}

static void
assert_count(SlDb *db, gint64 expected, const char *where)
{
    g_autofree char *sql = g_strdup_printf("select count(*) from notification where %s", where);
    gint64 n = queue_fixture_count(db, sql);
    if (n != expected)
        g_test_message("%s", where);
    g_assert_cmpint(n, ==, expected);
}

/* Each is sent once, with the id of its row; nothing is left, and a second run does nothing. */
static void
test_good(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlConfig) config = make_config(60 * SEC);
    Hook hook;
    clock_now = FIXTURE_NOW;
    hook_start(&hook, GOOD);
    add(db, "webhook", hook.url, 20);
    run(db, config, "20 notifications delivered, 0 failed");
    run(db, config, "0 notifications delivered, 0 failed");
    g_assert_cmpuint(hook.requests->len, ==, 20);
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < hook.requests->len; i++) {
        const char *id = strstr(hook.requests->pdata[i], "Idempotency-Key: ") + 17;
        g_autofree char *where = g_strdup_printf("notification_id = '%.36s'", id);
        assert_count(db, 1, where);
        g_assert_true(g_hash_table_add(ids, g_strndup(id, 36)));
        g_assert_nonnull(strstr(hook.requests->pdata[i], "\"text\":\"Sync succeeded: orders\""));
    }
    assert_count(db, 20, "sent_at = '2026-08-01T12:00:00Z' and due_at is null and error = ''");
    hook_stop(&hook);
}

/* One that hangs, one that errs, one that resets and one that is not there delay nobody: while they
 * do, the good one gets everything. Each is tried once, however much waits for it. */
static void
test_bad_receivers(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlConfig) config = make_config(2 * SEC);
    static const struct {
        Manner manner;
        const char *error;
    } bad[] = {{HANG, "no answer in time"},
               {ERROR_500, "the webhook answered with status 500"},
               {RESET, "%"}};
    Hook hooks[G_N_ELEMENTS(bad)], good;
    clock_now = FIXTURE_NOW;
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        hook_start(&hooks[i], bad[i].manner);
        add(db, "webhook", hooks[i].url, 10);
    }
    hook_start(&good, GOOD);
    add(db, "webhook", good.url, 30);
    add(db, "webhook", "http://127.0.0.1:1/", 10);
    run(db, config, "30 notifications delivered, 4 failed");
    g_assert_cmpuint(good.requests->len, ==, 30);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *tried = g_strdup_printf("target = '%s' and tries = 1 and error like '%s'",
                                                 hooks[i].url, bad[i].error);
        g_autofree char *waiting =
            g_strdup_printf("target = '%s' and due_at = '2026-08-01T12:00:10Z'", hooks[i].url);
        assert_count(db, 1, tried);
        assert_count(db, 10, waiting);
        hooks[i].manner = GOOD;
    }
    /* not before it is due; repaired, they get everything, with the same ids */
    run(db, config, "0 notifications delivered, 0 failed");
    clock_now += 10 * SEC;
    run(db, config, "30 notifications delivered, 1 failed");
    const char *first = strstr(hooks[1].requests->pdata[0], "Idempotency-Key: ");
    guint same = 0;
    for (guint i = 1; i < hooks[1].requests->len; i++)
        same += strncmp(strstr(hooks[1].requests->pdata[i], "Idempotency-Key: "), first, 53) == 0;
    g_assert_cmpuint(same, ==, 1);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        hook_stop(&hooks[i]);
    hook_stop(&good);
}

/* What cannot help is given up at once, with its reason. */
static void
test_giving_up(void)
{
    static const struct {
        const char *channel, *target, *reason;
    } cases[] = {
        {"webhook", "here", "%is no address of a web server"},
        {"webhook", "http://169.254.169.254/latest/", "address 169.254.169.254 is not allowed"},
        {"email", "nobody", "''nobody'' is no mail address"},
        {"email", "-", "neither workspace, organization nor%"},
        {"email", "b@example.org", "the mail server: %550%"},
        {"unit", "bad.service", "unit ''bad.service'' is not allowed (job 6)"},
    };
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlConfig) config = make_config(60 * SEC);
    clock_now = FIXTURE_NOW;
    set_server(config, "refuse");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        add(db, cases[i].channel, cases[i].target, 1);
    run(db, config, "0 notifications delivered, 6 failed");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *where =
            g_strdup_printf("target = '%s' and due_at is null and sent_at is null and tries = 1"
                            " and error like '%s'",
                            cases[i].target, cases[i].reason);
        assert_count(db, 1, where);
    }
}

static void
test_mail(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlConfig) config = make_config(60 * SEC);
    g_autofree char *path = g_build_filename(arguments[0], "login.0", NULL), *mail = NULL;
    clock_now = FIXTURE_NOW;
    add(db, "email", "b@example.org", 1);
    add(db, "email", "-", 1);
    add(db, "unit", "good.service", 1);
    g_free(config->notify_smtp_to);
    config->notify_smtp_to = g_strdup("admin@example.org");
    /* the server is not there: both wait */
    g_free(config->notify_smtp_url);
    config->notify_smtp_url = g_strdup("smtp://127.0.0.1:1");
    run(db, config, "1 notifications delivered, 2 failed");
    assert_count(db, 2, "channel = 'email' and due_at = '2026-08-01T12:00:10Z'");
    clock_now += 10 * SEC;
    set_server(config, "login");
    g_free(config->notify_smtp_user);
    config->notify_smtp_user = g_strdup("u");
    run(db, config, "2 notifications delivered, 0 failed");
    g_assert_true(g_file_get_contents(path, &mail, NULL, NULL));
    g_assert_nonnull(strstr(mail, "\r\nSubject: Sync succeeded: orders\r\n"));
    g_assert_nonnull(strstr(mail, "@example.org>\r\n"));
    assert_count(db, 3, "sent_at is not null");
}

static void
add_post_sync(SlDb *db, const char *channel, const char *target, gint64 job_id)
{
    g_autofree char *sql = g_strdup_printf(
        "insert into notification (notification_id, workspace_id, connection_id, job_id, trigger,"
        " channel, target, facts, due_at, created_at) values (gen_random_uuid(),"
        " '" FIXTURE_WORKSPACE "', '" FIXTURE_CONNECTION "', %d, 'postSync', '%s', '%s',"
        " '{\"connection\":{\"id\":\"c\",\"name\":\"orders\"}}', '2026-08-01T12:00:00Z',"
        " '2026-08-01T12:00:00Z')",
        (int)job_id, channel, target);
    queue_fixture_script(db, sql);
}

/* What follows a run: the timeline tells how it went, once, and of a webhook not its address. */
static void
test_post_sync(void)
{
    static const struct {
        const char *channel, *target, *summary; /* NULL: nothing yet */
    } cases[] = {
        {"unit", "good.service",
         "{\"jobId\": 1, \"kind\": \"POST_SYNC\", \"action\": \"good.service\", "
         "\"result\": \"started\"}"},
        {"unit", "good@.service",
         "{\"jobId\": 2, \"kind\": \"POST_SYNC\", \"action\": \"good@2.service\", "
         "\"result\": \"started\"}"},
        {"unit", "forbidden.service",
         "{\"jobId\": 3, \"kind\": \"POST_SYNC\", \"action\": \"forbidden.service\", \"result\": "
         "\"failed\", \"message\": \"unit ''forbidden.service'' is not allowed (job 3)\"}"},
        {"unit", "broken.service",
         "{\"jobId\": 4, \"kind\": \"POST_SYNC\", \"action\": \"broken.service\", \"result\": "
         "\"failed\", \"message\": \"starting ''broken.service'': the job ended ''failed''\"}"},
        {"unit", "away.service", NULL},
        {"webhook", "ftp://secret/",
         "{\"jobId\": 6, \"kind\": \"POST_SYNC\", \"action\": \"webhook\", \"result\": "
         "\"failed\"}"},
    };
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlConfig) config = make_config(10 * SEC);
    Hook hook;
    clock_now = FIXTURE_NOW;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        add_post_sync(db, cases[i].channel, cases[i].target, (gint64)i + 1);
    hook_start(&hook, GOOD);
    add_post_sync(db, "webhook", hook.url, 7);
    run(db, config, "3 notifications delivered, 4 failed");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *sql = g_strdup_printf(
            "select count(*) from connection_event where event_type = 'UNKNOWN' and "
            "summary ->> 'jobId' = '%d' and summary @> '%s'",
            (int)i + 1, cases[i].summary != NULL ? cases[i].summary : "{}");
        g_test_message("%s", cases[i].target);
        g_assert_cmpint(queue_fixture_count(db, sql), ==, cases[i].summary != NULL);
    }
    g_assert_cmpint(queue_fixture_count(db, "select count(*) from connection_event where summary "
                                            "@> '{\"action\":\"webhook\",\"result\":\"called\"}'"),
                    ==, 1);
    g_assert_cmpint(
        queue_fixture_count(db, "select count(*) from connection_event where summary::text ~ '//'"),
        ==, 0);
    assert_count(db, 1, "target = 'away.service' and due_at = '2026-08-01T12:00:10Z'");
    for (config->notify_max_tries = 3; clock_now < FIXTURE_NOW + 60 * SEC; clock_now += 10 * SEC) {
        g_autofree char *result = NULL;
        CronContext context = {
            .db = db, .config = config, .start_unit = start_unit, .clock = read_clock};
        g_assert_true(cron_notify_run(&context, &result, NULL));
    }
    assert_count(db, 1, "target = 'away.service' and due_at is null and tries = 3");
    g_assert_cmpint(queue_fixture_count(
                        db, "select count(*) from connection_event where summary ->> 'jobId' = '5' "
                            "and summary ->> 'message' = 'the host is stopping'"),
                    ==, 1);
    hook_stop(&hook);
}

/* Killed after the claim: the next one waits until the claim is over, then sends it with its id. */
static void
test_dead_sender(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlConfig) config = make_config(10 * SEC);
    g_autoptr(SlNotification) row = NULL;
    Hook hook;
    clock_now = FIXTURE_NOW;
    hook_start(&hook, GOOD);
    add(db, "webhook", hook.url, 2);
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, NULL);
    g_assert_true(sl_sql_notification_claim(tx, clock_now, clock_now + 40 * SEC, &row, NULL));
    g_assert_true(sl_tx_commit(tx, NULL));
    run(db, config, "0 notifications delivered, 0 failed");
    clock_now += 40 * SEC;
    run(db, config, "2 notifications delivered, 0 failed");
    g_autofree char *where =
        g_strdup_printf("notification_id = '%s' and tries = 2", row->notification_id);
    assert_count(db, 1, where);
    hook_stop(&hook);
}

typedef struct {
    SlDb *db;
    const SlConfig *config;
} Run;

static gpointer
run_thread(gpointer data)
{
    const Run *one = data;
    g_autofree char *result = NULL;
    CronContext context = {.db = one->db, .config = one->config, .clock = read_clock};
    g_assert_true(cron_notify_run(&context, &result, NULL));
    return NULL;
}

/* Three at once: everything once. */
static void
test_together(void)
{
    g_autoptr(SlDb) db = queue_fixture_new();
    g_autoptr(SlConfig) config = make_config(60 * SEC);
    GThread *threads[3];
    Run one = {db, config};
    Hook hooks[4];
    clock_now = FIXTURE_NOW;
    for (guint i = 0; i < G_N_ELEMENTS(hooks); i++) {
        hook_start(&hooks[i], GOOD);
        add(db, "webhook", hooks[i].url, 15);
    }
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("run", run_thread, &one);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    for (guint i = 0; i < G_N_ELEMENTS(hooks); i++) {
        g_assert_cmpuint(hooks[i].requests->len, ==, 15);
        hook_stop(&hooks[i]);
    }
    assert_count(db, 60, "sent_at is not null and tries = 1");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    sl_log_init("cron-notify-test");
    arguments = argv + 1;
    g_assert_nonnull(arguments[0]);
    g_test_add_func("/cron/notify/good", test_good);
    g_test_add_func("/cron/notify/bad-receivers", test_bad_receivers);
    g_test_add_func("/cron/notify/giving-up", test_giving_up);
    g_test_add_func("/cron/notify/mail", test_mail);
    g_test_add_func("/cron/notify/post-sync", test_post_sync);
    g_test_add_func("/cron/notify/dead-sender", test_dead_sender);
    g_test_add_func("/cron/notify/together", test_together);
    return g_test_run();
}
