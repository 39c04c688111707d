/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-registry.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#include "sl-error.h"
#include "sl-registry-read.h"
#include "sl-sql.h"
#include "sl-test-db.h"

#define NOW G_GINT64_CONSTANT(1790000000000000)
#define FAKER "ef69ef6e-aa7f-4af1-a01d-ef775033524e"
#define FILES "778daa7c-feaf-4db6-96f3-70fd645acc77"
#define PG "25c5221d-dce2-4163-ade9-739ef790f503"

/* --- fixture ---------------------------------------------------------------------------------- */

typedef struct {
    SlDb *db;
    SlConfig *config;
    char *folder;
    /* a web server of one answer */
    GSocketListener *listener;
    GThread *thread;
    GCancellable *stop;
    GMutex mutex;
    char *answer, *request;
    guint requests;
} Fixture;

static gpointer
serve(gpointer data)
{
    Fixture *f = data;
    for (;;) {
        char text[4096];
        gsize len = 0;
        g_autoptr(GSocketConnection) connection =
            g_socket_listener_accept(f->listener, NULL, f->stop, NULL);
        if (connection == NULL)
            return NULL;
        GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(connection));
        GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
        while (len < sizeof text - 1) {
            gssize n = g_input_stream_read(in, text + len, sizeof text - 1 - len, f->stop, NULL);
            if (n <= 0)
                break;
            len += (gsize)n;
            text[len] = '\0';
            if (strstr(text, "\r\n\r\n") != NULL)
                break;
        }
        g_mutex_lock(&f->mutex);
        g_free(f->request);
        f->request = g_strndup(text, len);
        f->requests++;
        g_output_stream_write_all(out, f->answer, strlen(f->answer), NULL, NULL, NULL);
        g_mutex_unlock(&f->mutex);
    }
}

static void
set_answer(Fixture *f, const char *head, const char *body)
{
    g_mutex_lock(&f->mutex);
    g_free(f->answer);
    f->answer = g_strdup_printf("HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
                                head, strlen(body), body);
    g_mutex_unlock(&f->mutex);
}

static char *
registry_path(const Fixture *f)
{
    return g_build_filename(f->folder, "registry.json", NULL);
}

static void
set_file(Fixture *f, const char *text)
{
    g_autofree char *path = registry_path(f);
    if (text == NULL)
        g_unlink(path);
    else
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    f->db = sl_test_db_new(NULL);
    f->config = sl_config_new();
    f->folder = g_dir_make_tmp("sl-registry-XXXXXX", &error);
    g_assert_no_error(error);
    g_free(f->config->registry_file);
    f->config->registry_file = registry_path(f);
    f->listener = g_socket_listener_new();
    f->stop = g_cancellable_new();
    guint16 port = g_socket_listener_add_any_inet_port(f->listener, NULL, &error);
    g_assert_no_error(error);
    g_free(f->config->registry_url);
    f->config->registry_url = g_strdup_printf("http://127.0.0.1:%u/oss_registry.json", port);
    g_mutex_init(&f->mutex);
    set_answer(f, "500 Oh", "");
    f->thread = g_thread_new("server", serve, f);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    set_file(f, NULL);
    g_rmdir(f->folder);
    g_cancellable_cancel(f->stop);
    g_thread_join(f->thread);
    g_object_unref(f->stop);
    g_object_unref(f->listener);
    g_mutex_clear(&f->mutex);
    g_free(f->answer);
    g_free(f->request);
    g_free(f->folder);
    sl_config_free(f->config);
    sl_db_unref(f->db);
}

/* "id version, id version": sources of repository x/NAME. */
static char *
make_text(const char *entries)
{
    g_auto(GStrv) list = g_strsplit(entries, ", ", -1);
    g_autoptr(GString) text = g_string_new("{\"destinations\":[],\"sources\":[");
    for (guint i = 0; list[i] != NULL; i++) {
        g_auto(GStrv) words = g_strsplit(list[i], " ", -1);
        g_string_append_printf(text,
                               "%s{\"sourceDefinitionId\":\"%s\",\"name\":\"Name of %.4s\","
                               "\"dockerRepository\":\"x/source-%.4s\",\"dockerImageTag\":\"%s\","
                               "\"spec\":{\"connectionSpecification\":{}}}",
                               i > 0 ? "," : "", words[0], words[0], words[0], words[1]);
    }
    return g_strdup(g_string_append(text, "]}")->str);
}

static void
set_entries(Fixture *f, const char *entries)
{
    g_autofree char *text = make_text(entries);
    set_file(f, text);
}

/* "N entries, N saved, N removed", or "as before". */
static void
update(Fixture *f, gint64 now, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_auto(SlRegistryUpdate) done = {0};
    sl_registry_update(f->db, f->config, now, &done, &error);
    g_assert_no_error(error);
    g_autofree char *line =
        done.unchanged ? g_strdup_printf("%d as before", (int)done.entries)
                       : g_strdup_printf("%d entries, %d saved, %d removed", (int)done.entries,
                                         (int)done.saved, (int)done.removed);
    g_assert_cmpstr(line, ==, expected);
}

static void
refuse(Fixture *f, SlErrorCode code, const char *why)
{
    g_autoptr(GError) error = NULL;
    g_auto(SlRegistryUpdate) done = {0};
    g_assert_false(sl_registry_update(f->db, f->config, NOW + 1, &done, &error));
    g_assert_error(error, SL_ERROR, (int)code);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, why));
}

static GPtrArray *
list(Fixture *f, const char *search, gboolean removed, gboolean installed)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(f->db, TRUE, &error);
    GPtrArray *rows = NULL;
    sl_sql_registry_entry_list(tx, NULL, search, NULL, removed, installed, 100, 0, &rows, &error);
    g_assert_no_error(error);
    return rows;
}

static void
expect_rows(Fixture *f, gboolean removed, const char *expected)
{
    g_autoptr(GPtrArray) rows = list(f, "", removed, FALSE);
    g_autoptr(GString) line = g_string_new(NULL);
    for (guint i = 0; i < rows->len; i++) {
        const SlRegistryEntry *row = rows->pdata[i];
        g_string_append_printf(line, "%s%.4s %s%s", i > 0 ? ", " : "", row->definition_id,
                               row->docker_image_tag, row->removed_at != 0 ? " removed" : "");
    }
    g_assert_cmpstr(line->str, ==, expected);
}

static void
run_sql(Fixture *f, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, &error);
    sl_tx_run_script(tx, sql, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, &error));
}

/* --- tests ------------------------------------------------------------------------------------ */

static void
test_file(Fixture *f, gconstpointer data)
{
    set_entries(f, FAKER " 1.0.0, " FILES " 2.0.0");
    update(f, NOW, "2 entries, 2 saved, 0 removed");
    update(f, NOW + 1, "2 as before");
    set_entries(f, FAKER " 1.1.0, " FILES " 2.0.0");
    update(f, NOW + 2, "2 entries, 1 saved, 0 removed");
    expect_rows(f, FALSE, "778d 2.0.0, ef69 1.1.0");
    /* gone, and back as it was */
    set_entries(f, FILES " 2.0.0");
    update(f, NOW + 3, "1 entries, 0 saved, 1 removed");
    expect_rows(f, FALSE, "778d 2.0.0");
    expect_rows(f, TRUE, "778d 2.0.0, ef69 1.1.0 removed");
    set_entries(f, FAKER " 1.1.0, " FILES " 2.0.0");
    update(f, NOW + 4, "2 entries, 1 saved, 0 removed");
    expect_rows(f, FALSE, "778d 2.0.0, ef69 1.1.0");
    g_assert_cmpuint(f->requests, ==, 0); /* a file that is there is enough */
}

static void
test_nothing_set(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_auto(SlRegistryUpdate) done = {0};
    *f->config->registry_url = '\0';
    g_assert_true(sl_registry_update(f->db, f->config, NOW, &done, &error));
    g_assert_null(done.source);
    expect_rows(f, TRUE, "");
}

static void
test_bad_registry_changes_nothing(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "registry.json: "},
        {"{\"sources\":[],\"destinations\":[]}", "registry.json: no connector is in it"},
        {"{\"sources\":[{\"name\":\"Broken\"}],\"destinations\":[]}", "sources[0] 'Broken': "},
        {"<html>Log in</html>", "registry.json: "},
    };
    set_entries(f, FAKER " 1.0.0");
    update(f, NOW, "1 entries, 1 saved, 0 removed");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        set_file(f, cases[i].text);
        refuse(f, SL_ERROR_INVALID, cases[i].why);
        expect_rows(f, TRUE, "ef69 1.0.0");
    }
    set_entries(f, FAKER " 1.0.0");
    update(f, NOW + 2, "1 as before");
    g_free(f->config->registry_runtimes);
    f->config->registry_runtimes = g_strdup("native kubernetes");
    refuse(f, SL_ERROR_CONFIG, "'kubernetes'");
}

static void
test_address(Fixture *f, gconstpointer data)
{
    g_autofree char *one = make_text(FAKER " 1.0.0");
    g_autofree char *two = make_text(FAKER " 2.0.0");
    set_answer(f, "200 OK\r\nETag: \"abc\"\r\nLast-Modified: Mon, 05 Oct 2026 10:00:00 GMT", one);
    update(f, NOW, "1 entries, 1 saved, 0 removed");
    g_assert_null(strstr(f->request, "If-None-Match"));
    set_answer(f, "304 Not Modified", "");
    update(f, NOW + 1, "1 as before");
    g_assert_nonnull(strstr(f->request, "If-None-Match: \"abc\""));
    g_assert_nonnull(strstr(f->request, "If-Modified-Since: Mon, 05 Oct 2026 10:00:00 GMT"));
    /* what it answers instead changes nothing */
    set_answer(f, "500 Oh", "");
    refuse(f, SL_ERROR_UNAVAILABLE, "/oss_registry.json: answered with status 500");
    set_answer(f, "200 OK", "{\"sources\":[");
    refuse(f, SL_ERROR_INVALID, "/oss_registry.json: ");
    expect_rows(f, TRUE, "ef69 1.0.0");
    /* a server without ETags */
    set_answer(f, "200 OK", two);
    update(f, NOW + 2, "1 entries, 1 saved, 0 removed");
    update(f, NOW + 3, "1 as before");
    g_assert_null(strstr(f->request, "If-None-Match"));
}

/* Without a network the file is enough, and what was fetched once stays. */
static void
test_no_network(Fixture *f, gconstpointer data)
{
    g_free(f->config->registry_url);
    f->config->registry_url = g_strdup("http://127.0.0.1:1/oss_registry.json");
    refuse(f, SL_ERROR_UNAVAILABLE, "http://127.0.0.1:1/oss_registry.json: ");
    set_entries(f, FAKER " 1.0.0");
    update(f, NOW, "1 entries, 1 saved, 0 removed");
}

/* What was known of the file is not what the address is asked with. */
static void
test_from_file_to_address(Fixture *f, gconstpointer data)
{
    g_autofree char *one = make_text(FAKER " 1.0.0");
    set_answer(f, "200 OK\r\nETag: \"abc\"", one);
    update(f, NOW, "1 entries, 1 saved, 0 removed");
    set_entries(f, FILES " 1.0.0");
    update(f, NOW + 1, "1 entries, 1 saved, 1 removed");
    set_file(f, NULL);
    update(f, NOW + 2, "1 entries, 1 saved, 1 removed");
    g_assert_null(strstr(f->request, "If-None-Match"));
}

static void
test_installed(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *id, *runtime, *version;
    } expected[] = {{PG, "native", "0.1.0"}, {FILES, "exec", "1.5.0"}, {FAKER, "pypi", "0.9.0"}};
    set_entries(f, FAKER " 1.0.0, " FILES " 2.0.0, " PG " 3.0.0, "
                         "11111111-1111-4111-8111-111111111111 1.0.0");
    update(f, NOW, "4 entries, 4 saved, 0 removed");
    run_sql(
        f,
        "insert into actor_definition (definition_id, name, actor_type, runtime, command, "
        "docker_repository,"
        " docker_image_tag, aliases, spec, custom, created_at, updated_at) values"
        " ('" FAKER
        "', 'own id', 'source', 'pypi', '[\"x\"]', 'a/b', '0.9.0', '{}', '{}', true, now(), now()),"
        " (gen_random_uuid(), 'stands in', 'source', 'native', '[\"x\"]', 'sluice/pg', '0.1.0', "
        "'{" PG "}', '{}', false, now(), now()),"
        " (gen_random_uuid(), 'same repository', 'source', 'exec', '[\"x\"]', 'x/source-778d', "
        "'1.5.0', '{}', '{}', true,"
        " now(), now()),"
        " (gen_random_uuid(), 'other kind', 'destination', 'exec', '[\"x\"]', 'x/source-1111', "
        "'1', "
        "'{}', '{}', true,"
        " now(), now())");
    g_autoptr(GPtrArray) rows = list(f, "", FALSE, TRUE);
    g_assert_cmpuint(rows->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < rows->len; i++) {
        const SlRegistryEntry *row = rows->pdata[i];
        g_assert_cmpstr(row->definition_id, ==, expected[i].id);
        g_assert_cmpstr(row->installed_runtime, ==, expected[i].runtime);
        g_assert_cmpstr(row->installed_version, ==, expected[i].version);
        g_assert_cmpint(sl_registry_is_outdated(row), ==, i > 0);
    }
}

static void
test_search(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *words;
        guint found;
    } cases[] = {{"", 3},          {"NAME", 3}, {"source-ef69", 1}, {"of 778d", 1},
                 {"778d ef69", 0}, {"100%", 0}, {"  ", 3}};
    set_entries(f, FAKER " 1.0.0, " FILES " 2.0.0, " PG " 3.0.0");
    update(f, NOW, "3 entries, 3 saved, 0 removed");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) rows = list(f, cases[i].words, FALSE, FALSE);
        g_test_message("'%s'", cases[i].words);
        g_assert_cmpuint(rows->len, ==, cases[i].found);
        if (rows->len > 0)
            g_assert_cmpint(((const SlRegistryEntry *)rows->pdata[0])->total, ==, cases[i].found);
    }
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Fixture *f, gconstpointer data);
    } tests[] = {
        {"file", test_file},
        {"nothing-set", test_nothing_set},
        {"bad-registry-changes-nothing", test_bad_registry_changes_nothing},
        {"address", test_address},
        {"no-network", test_no_network},
        {"from-file-to-address", test_from_file_to_address},
        {"installed", test_installed},
        {"search", test_search},
    };
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strdup_printf("/registry/update/%s", tests[i].name);
        g_test_add(path, Fixture, NULL, set_up, tests[i].run, tear_down);
    }
    return g_test_run();
}
