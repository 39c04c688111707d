/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "workload-api-http.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-http-unix.h"
#include "sl-log.h"
#include "sl-queue-fixture.h"
#include "sl-secret.h"
#include "sl-sql.h"

/* The API in this process on a real socket; the client in a thread of its own, as it blocks. */
typedef struct {
    SlDb *db;
    SlConfig *config;
    SlJob *job;
    char *id;
    WorkloadApi *api;
    SlHttpServer *server;
    char *folder, *path;
} Fixture;

static SlSealKey *
make_key(void)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static("01234567890123456789012345678901", 32);
    return sl_seal_key_new(bytes, NULL);
}

static void
setup(Fixture *f, gconstpointer data)
{
    SlHttpLimits limits = SL_HTTP_LIMITS_DEFAULT;
    g_autoptr(GError) error = NULL;
    f->db = queue_fixture_new();
    f->config = sl_config_new();
    f->job = queue_fixture_job(f->db);
    f->id = queue_fixture_claimed(f->db, f->job, NULL);
    f->api = workload_api_new(f->config, f->db, make_key(), (uid_t)-1, &error);
    g_assert_no_error(error);
    f->server = sl_http_server_new(&limits, workload_api_handle, f->api, &error);
    g_assert_no_error(error);
    f->folder = g_dir_make_tmp("workload-api-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "sock", NULL);
    g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0, &error);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(f->path);
    g_assert_true(g_socket_bind(socket, address, FALSE, &error));
    g_assert_true(g_socket_listen(socket, &error));
    g_assert_true(sl_http_server_listen(f->server, socket, &error));
    g_assert_no_error(error);
}

static void
teardown(Fixture *f, gconstpointer data)
{
    sl_http_server_free(f->server);
    workload_api_free(f->api);
    sl_job_free(f->job);
    sl_config_free(f->config);
    sl_db_unref(f->db);
    g_unlink(f->path);
    g_rmdir(f->folder);
    g_free(f->id);
    g_free(f->path);
    g_free(f->folder);
}

typedef struct {
    Fixture *f;
    const char *method, *path, *token, *body;
    SlHttpUnixReply *reply;
    GError *error;
    gint done;
} Request;

static gpointer
request_thread(gpointer data)
{
    Request *r = data;
    g_autoptr(SlHttpUnix) client = sl_http_unix_new(r->f->path);
    g_autoptr(GBytes) body = r->body != NULL ? g_bytes_new(r->body, strlen(r->body)) : NULL;
    g_autofree char *path = g_strconcat("/api/v1/workload", r->path, NULL);
    if (r->token != NULL) {
        g_autofree char *header = g_strconcat("Bearer ", r->token, NULL);
        sl_http_unix_set_header(client, "Authorization", header);
    }
    sl_http_unix_request(client, r->method, path, NULL, body,
                         g_get_monotonic_time() + 20 * G_USEC_PER_SEC, NULL, &r->reply, &r->error);
    g_atomic_int_set(&r->done, 1);
    g_main_context_wakeup(NULL);
    return NULL;
}

/* The body of the answer (to be freed), after its status was checked. */
static char *
call(Fixture *f, const char *method, const char *path, const char *token, const char *body,
     guint status)
{
    Request r = {f, method, path, token, body, NULL, NULL, 0};
    GThread *thread = g_thread_new("client", request_thread, &r);
    while (!g_atomic_int_get(&r.done))
        g_main_context_iteration(NULL, TRUE);
    g_thread_join(thread);
    g_assert_no_error(r.error);
    gsize len;
    const char *text = g_bytes_get_data(r.reply->body, &len);
    char *copy = g_strndup(text != NULL ? text : "", len);
    if (r.reply->status != status)
        g_test_message("%s %s: %u %s", method, path, r.reply->status, copy);
    g_assert_cmpuint(r.reply->status, ==, status);
    sl_http_unix_reply_free(r.reply);
    return copy;
}

#define CALL(f, method, path, token, body, status)                                                 \
    g_free(call(f, method, path, token, body, status))

static char *
claim(Fixture *f)
{
    g_autofree char *body =
        g_strdup_printf("{\"workloadId\":\"%s\",\"dataplaneId\":\"here\"}", f->id);
    g_autofree char *text = call(f, "PUT", "/claim", NULL, body, 200);
    g_autoptr(SlWorkloadClaimed) claimed =
        sl_record_parse_text(&sl_workload_claimed_record, text, strlen(text), NULL);
    g_assert_true(claimed->claimed);
    return g_steal_pointer(&claimed->token);
}

/* poll → claim → launched → running → heartbeat → commit → success, as launcher and holder do it.
 */
static void
test_life(Fixture *f, gconstpointer data)
{
    g_autofree char *found = call(f, "POST", "/queue/poll", NULL,
                                  "{\"dataplaneGroup\":\"auto\",\"dataplaneId\":\"here\"}", 200);
    g_assert_nonnull(strstr(found, f->id));
    g_assert_null(strstr(found, "\"token\""));
    g_autofree char *token = claim(f);
    g_autofree char *id_body = g_strdup_printf("{\"workloadId\":\"%s\"}", f->id);
    g_autofree char *launched =
        g_strdup_printf("{\"workloadId\":\"%s\",\"token\":\"%s\"}", f->id, token);
    CALL(f, "PUT", "/launched", NULL, launched, 204);
    g_autofree char *beat = call(f, "PUT", "/running", token, id_body, 200);
    g_assert_cmpstr(beat, ==, "{\"cancelRequested\":false}");
    CALL(f, "PUT", "/heartbeat", token, id_body, 200);
    g_autofree char *listed = call(f, "POST", "/list", NULL, "{\"dataplaneId\":\"here\"}", 200);
    g_assert_nonnull(strstr(listed, token)); /* re-adoption needs it */
    g_autofree char *commit_path = g_strdup_printf("/%s/commit", f->id);
    CALL(f, "POST", commit_path, token,
         "{\"states\":[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"a\"},"
         "\"stream_state\":{\"n\":1.10}}}],\"stats\":{\"total\":{\"recordsCommitted\":3}}}",
         204);
    g_autofree char *success = g_strdup_printf(
        "{\"workloadId\":\"%s\",\"output\":{\"sync\":{\"status\":\"completed\"}}}", f->id);
    CALL(f, "PUT", "/success", token, success, 204);
    CALL(f, "PUT", "/success", token, success, 204); /* the answer was lost */
    CALL(f, "PUT", "/heartbeat", token, id_body, 410);
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from state"), ==, 1);
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from task where kind = "
                                               "'attempt_finish'"),
                    ==, 1);
}

/* The holder gets secrets in clear, with their paths; at rest and for the launcher there are none.
 */
static void
test_input(Fixture *f, gconstpointer data)
{
    g_autoptr(SlSealKey) key = make_key();
    g_autofree char *stored = NULL, *sql = NULL;
    {
        g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
        stored =
            sl_secret_store(tx, key, FIXTURE_WORKSPACE, FIXTURE_SOURCE, "{\"p\":\"hunter2\"}",
                            "{\"properties\":{\"p\":{\"airbyte_secret\":true}}}", NULL, 1, NULL);
        g_assert_true(sl_tx_commit(tx, NULL));
    }
    sql = g_strdup_printf("update workload set input = "
                          "'{\"type\":\"check\",\"source\":{\"name\":\"s\",\"configuration\":%s}}'",
                          stored);
    queue_fixture_script(f->db, sql);
    g_autofree char *token = claim(f);
    g_autofree char *path = g_strdup_printf("/%s/input", f->id);
    g_autofree char *input = call(f, "GET", path, token, NULL, 200);
    g_assert_nonnull(strstr(input,
                            "\"source\":{\"name\":\"s\",\"configuration\":{\"p\":\"hunter2\"},"
                            "\"secretPaths\":[[\"p\"]]}"));
    g_assert_nonnull(strstr(input, "\"heartbeatMs\":5000"));
    g_assert_nonnull(strstr(input, f->id));
    CALL(f, "GET", path, "wrong", NULL, 410);
    CALL(f, "GET", path, NULL, NULL, 401);
}

/* A source may be as silent as the registry says of its connector, by its id, one that it stands in
 * for or its repository; else as long as the host's setting has it. */
static void
test_input_silence(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *entry, *repository;
        const char *expected;
    } cases[] = {
        {"00000000-0000-4000-8000-0000000000a1", "x/other", "\"sourceSilenceSec\":600,"},
        {"00000000-0000-4000-8000-0000000000a2", "x/other", "\"sourceSilenceSec\":600,"},
        {"00000000-0000-4000-8000-0000000000a3", "x/quiet", "\"sourceSilenceSec\":600,"},
        {"00000000-0000-4000-8000-0000000000a3", "x/other", "\"sourceSilenceSec\":10800,"},
    };
    queue_fixture_script(
        f->db, "insert into actor_definition (definition_id, name, actor_type, runtime, command, "
               "docker_repository, docker_image_tag, aliases, spec, custom, created_at, updated_at)"
               " values ('00000000-0000-4000-8000-0000000000a1', 'quiet', 'source', 'exec',"
               " '[\"x\"]', 'x/quiet', '1', '{00000000-0000-4000-8000-0000000000a2}', '{}', true,"
               " now(), now());"
               "update workload set input = '{\"type\":\"check\",\"source\":{\"definitionId\":"
               "\"00000000-0000-4000-8000-0000000000a1\",\"configuration\":{}}}'");
    g_autofree char *token = claim(f);
    g_autofree char *path = g_strdup_printf("/%s/input", f->id);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *sql = g_strdup_printf(
            "delete from registry_entry; insert into registry_entry (definition_id, actor_type, "
            "name, docker_repository, docker_image_tag, documentation_url, icon, support_level, "
            "release_stage, language, allowed_hosts, resource_requirements, breaking_changes, "
            "max_seconds_between_messages, spec, digest, updated_at) values ('%s', 'source', 'q', "
            "'%s', '1', '', '', '', '', '', '[]', '{}', '{}', 600, '{}', 'd', now())",
            cases[i].entry, cases[i].repository);
        queue_fixture_script(f->db, sql);
        g_autofree char *input = call(f, "GET", path, token, NULL, 200);
        g_assert_nonnull(strstr(input, cases[i].expected));
    }
}

/* Keys of mappers are secrets too; what only looks like a reference, in a schema, stays. */
static void
test_input_mappers(Fixture *f, gconstpointer data)
{
#define CATALOG                                                                                    \
    "\"catalog\":{\"streams\":[{\"stream\":{\"name\":\"s\",\"json_schema\":{\"x\":{\"_secret\":"   \
    "\"y\"}}},\"sync_mode\":\"incremental\",\"mappers\":[{\"type\":\"encryption\","                \
    "\"mapperConfiguration\":%s}],\"n\":1.10},{\"stream\":{\"name\":\"t\"},\"mappers\":null}]}"
    g_autoptr(SlSealKey) key = make_key();
    g_autofree char *stored = NULL;
    {
        g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
        stored = sl_secret_store(
            tx, key, FIXTURE_WORKSPACE, FIXTURE_SOURCE, "{\"key\":\"00ff\",\"mode\":\"CTR\"}",
            "{\"properties\":{\"key\":{\"airbyte_secret\":true}}}", NULL, 1, NULL);
        g_assert_true(sl_tx_commit(tx, NULL));
    }
    g_assert_null(strstr(stored, "00ff"));
    g_autofree char *catalog = g_strdup_printf(CATALOG, stored);
    g_autofree char *clear = g_strdup_printf(CATALOG, "{\"key\":\"00ff\",\"mode\":\"CTR\"}");
    g_autofree char *sql =
        g_strdup_printf("update workload set input = '{\"type\":\"sync\",%s}'", catalog);
    queue_fixture_script(f->db, sql);
    g_autofree char *token = claim(f);
    g_autofree char *path = g_strdup_printf("/%s/input", f->id);
    g_autofree char *input = call(f, "GET", path, token, NULL, 200);
    g_assert_nonnull(strstr(input, clear));
    /* one that is lost is an error, never a key by accident */
    queue_fixture_script(f->db, "delete from secret");
    CALL(f, "GET", path, token, NULL, 404);
#undef CATALOG
}

/* The manifest of the version that the job was made with, whatever has become of it since; with
 * code of its own and the consent to it. */
static void
test_input_manifest(Fixture *f, gconstpointer data)
{
    queue_fixture_script(
        f->db,
        "insert into declarative_manifest (definition_id, version, manifest, spec, components, "
        "components_sha256, created_at) select definition_id, 1, '{\"streams\": [1.10]}', '{}', "
        "null, null, now() from actor where actor_id = '" FIXTURE_SOURCE
        "' union all select definition_id, 2, '{}', '{}', E'x = 1\\n', 'abc', now() from actor "
        "where "
        "actor_id = '" FIXTURE_SOURCE "'");
    static const struct {
        int version;
        const char *expected; /* NULL: there is none */
    } cases[] = {
        {1, "\"manifestVersion\":1,\"configuration\":{},\"secretPaths\":[],"
            "\"manifest\":{\"streams\": [1.10]}}"},
        {2, "\"manifest\":{},\"components\":\"x = 1\\n\",\"componentsSha256\":\"abc\"}"},
        {3, NULL},
    };
    g_autofree char *token = claim(f);
    g_autofree char *path = g_strdup_printf("/%s/input", f->id);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *sql = g_strdup_printf(
            "update workload set input = (select '{\"type\":\"check\",\"source\":{"
            "\"definitionId\":\"' || definition_id || '\",\"manifestVersion\":%d,"
            "\"configuration\":{}}}' from actor where actor_id = '" FIXTURE_SOURCE "')",
            cases[i].version);
        queue_fixture_script(f->db, sql);
        g_autofree char *input =
            call(f, "GET", path, token, NULL, cases[i].expected != NULL ? 200 : 404);
        g_assert_nonnull(strstr(input, cases[i].expected != NULL ? cases[i].expected
                                                                 : "version 3 of the manifest"));
    }
}

/* A connector's new configuration reaches its actor, sealed, and rests nowhere in clear; one that
 * comes after a person's edit is dropped. */
static void
test_control(Fixture *f, gconstpointer edited)
{
    queue_fixture_script(
        f->db,
        "update actor_definition set spec = '{\"connectionSpecification\":{\"properties\":"
        "{\"t\":{\"airbyte_secret\":true}}}}';"
        "update workload set input = '{\"type\":\"check\",\"source\":{\"actorId\":\"" FIXTURE_SOURCE
        "\",\"configuration\":{}}}'");
    if (edited != NULL)
        queue_fixture_script(f->db, "update actor set configuration = '{\"mine\":1}'");
    g_autofree char *token = claim(f);
    g_autofree char *body =
        g_strdup_printf("{\"workloadId\":\"%s\",\"output\":{\"sync\":{},\"config\":{\"source\":"
                        "{\"t\":\"fresh-token\"}}}}",
                        f->id);
    CALL(f, "PUT", "/success", token, body, 204);
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from attempt where output = "
                                               "'{\"sync\":{}}'"),
                    ==, 1);
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from attempt where "
                                               "configuration_updated"),
                    ==, edited == NULL ? 1 : 0); /* what clients are told of it */
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from secret"), ==,
                    edited == NULL ? 1 : 0);
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from actor where configuration "
                                               "like '{\"t\":{\"_secret\":%'"),
                    ==, edited == NULL ? 1 : 0);
}

/* As it comes, and while it runs: each once, whatever becomes of the workload. The last one's
 * secret is all that is left of them. */
static void
test_control_as_it_comes(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *token;
        gboolean changes;
    } steps[] = {{"one", TRUE}, {"one", FALSE}, {"two", TRUE}, {"two", FALSE}};
    queue_fixture_script(
        f->db,
        "update actor_definition set spec = '{\"connectionSpecification\":{\"properties\":"
        "{\"t\":{\"airbyte_secret\":true}}}}';"
        "update workload set input = '{\"type\":\"check\",\"source\":{\"actorId\":\"" FIXTURE_SOURCE
        "\",\"configuration\":{}}}'");
    g_autofree char *token = claim(f), *path = g_strdup_printf("/%s/commit", f->id);
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        queue_fixture_script(f->db, "create table if not exists old_configuration (c text);"
                                    "delete from old_configuration;"
                                    "insert into old_configuration select configuration from actor "
                                    "where actor_id = '" FIXTURE_SOURCE "'");
        g_autofree char *body =
            g_strdup_printf("{\"config\":{\"source\":{\"t\":\"%s\"}}}", steps[i].token);
        CALL(f, "POST", path, token, body, 204);
        g_assert_cmpint(
            queue_fixture_count(f->db, "select count(*) from actor join old_configuration on "
                                       "c = configuration where actor_id = '" FIXTURE_SOURCE "'"),
            ==, steps[i].changes ? 0 : 1);
        g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from secret"), ==, 1);
    }
    /* a new holder is given the new one */
    g_autofree char *input_path = g_strdup_printf("/%s/input", f->id);
    g_autofree char *input = call(f, "GET", input_path, token, NULL, 200);
    g_assert_nonnull(strstr(input, "\"configuration\":{\"t\":\"two\"}"));
    /* a person's edit stays from now on */
    queue_fixture_script(f->db, "update actor set configuration = '{\"mine\":1}'");
    CALL(f, "POST", path, token, "{\"config\":{\"source\":{\"t\":\"three\"}}}", 204);
    g_assert_cmpint(queue_fixture_count(
                        f->db, "select count(*) from actor where configuration <> '{\"mine\":1}'"),
                    ==, 0);
    CALL(f, "POST", path, "0000", "{\"config\":{\"source\":{\"t\":\"four\"}}}", 410);
    CALL(f, "POST", path, token, "{\"config\":7}", 400);
}

static void
test_refused(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *method, *path, *body;
        guint status;
        const char *text;
    } cases[] = {
        {"GET", "/nowhere", NULL, 404, "there is no such call"},
        {"GET", "/claim", NULL, 405, "method-not-allowed"},
        {"PUT", "/claim", "{", 400, ""},
        {"PUT", "/claim", "{}", 400, "workloadId: is required"},
        {"PUT", "/claim", "{\"workloadId\":\"x\"}", 400, "dataplaneId: is required"},
        {"PUT", "/claim", "{\"workloadId\":7}", 400, "workloadId: expected string"},
        {"POST", "/queue/poll", "{\"quantity\":0}", 400, "quantity: must lie between"},
        {"PUT", "/launched", "{\"workloadId\":\"x\"}", 401, "a token is required"},
        {"PUT", "/running", "{\"workloadId\":\"x\",\"token\":\"y\"}", 410, "another holder"},
        {"PUT", "/success", "{\"workloadId\":\"x\",\"token\":\"y\"}", 404, "does not exist"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            call(f, cases[i].method, cases[i].path, NULL, cases[i].body, cases[i].status);
        g_test_message("%s", text);
        g_assert_nonnull(strstr(text, cases[i].text));
    }
    g_autofree char *unknown =
        call(f, "PUT", "/claim", NULL, "{\"workloadId\":\"x\",\"dataplaneId\":\"p\"}", 200);
    g_assert_cmpstr(unknown, ==, "{\"claimed\":false}");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    sl_log_init("workload-api-test");
#define ADD(name, func) g_test_add("/workload-api/" name, Fixture, NULL, setup, func, teardown)
    ADD("life", test_life);
    ADD("input", test_input);
    ADD("input-silence", test_input_silence);
    ADD("input-mappers", test_input_mappers);
    ADD("input-manifest", test_input_manifest);
    ADD("control", test_control);
    g_test_add("/workload-api/control-after-edit", Fixture, "edited", setup, test_control,
               teardown);
    ADD("control-as-it-comes", test_control_as_it_comes);
    ADD("refused", test_refused);
    return g_test_run();
}
