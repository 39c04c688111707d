/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-catalog.h"

#include <string.h>

#include "server-schedule.h"
#include "sl-error.h"

#define SCHEMA                                                                                     \
    "{\"properties\":{\"id\":{\"type\":\"integer\"},\"at\":{},\"o\":{\"properties\":{\"k\":{}}}}}"
static const char discovered[] =
    "{\"streams\":["
    "{\"name\":\"a\",\"json_schema\":" SCHEMA ",\"supported_sync_modes\":[\"full_refresh\","
    "\"incremental\"],\"extra\":1.10},"
    "{\"name\":\"b\",\"namespace\":\"x\",\"json_schema\":" SCHEMA ",\"supported_sync_modes\":"
    "[\"full_refresh\",\"incremental\"],\"source_defined_cursor\":true,\"default_cursor_field\":"
    "[\"at\"],\"source_defined_primary_key\":[[\"id\"]]},"
    "{\"name\":\"b\",\"namespace\":\"y\",\"json_schema\":{},\"supported_sync_modes\":"
    "[\"full_refresh\"]}]}";
#define MODES(list) "{\"supported_destination_sync_modes\":[" list "]}"
static const char postgres[] = MODES("\"overwrite\",\"append\",\"append_dedup\"");

static SlStreamConfigurations *
wanted(const char *streams)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf("{\"streams\":%s}", streams);
    SlStreamConfigurations *list =
        sl_record_parse_text(&sl_stream_configurations_record, text, strlen(text), &error);
    g_assert_no_error(error);
    return list;
}

static char *
describe(const char *configured)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlStreamConfigurations) list = server_catalog_list(configured, &error);
    g_assert_no_error(error);
    return sl_record_print(&sl_stream_configurations_record, list, 0);
}

#define B_X "\"name\":\"b\",\"namespace\":\"x\","

/* What is wanted, and what is read back of it. */
static void
test_configure(void)
{
    static const struct {
        const char *streams, *back;
    } cases[] = {
        {"[]", "[{\"name\":\"a\",\"syncMode\":\"full_refresh_overwrite\"},"
               "{" B_X "\"syncMode\":\"full_refresh_overwrite\",\"cursorField\":[\"at\"],"
               "\"primaryKey\":[[\"id\"]]},"
               "{\"name\":\"b\",\"namespace\":\"y\",\"syncMode\":\"full_refresh_overwrite\"}]"},
        {"[{" B_X "\"syncMode\":\"incremental_deduped_history\"}]",
         "[{" B_X "\"syncMode\":\"incremental_deduped_history\",\"cursorField\":[\"at\"],"
         "\"primaryKey\":[[\"id\"]]}]"},
        {"[{\"name\":\"a\",\"syncMode\":\"INCREMENTAL_APPEND\",\"cursorField\":[\"at\"],"
         "\"primaryKey\":[[\"o\",\"k\"]]}]",
         "[{\"name\":\"a\",\"syncMode\":\"incremental_append\",\"cursorField\":[\"at\"],"
         "\"primaryKey\":[[\"o\",\"k\"]]}]"},
        {"[{\"name\":\"a\",\"syncMode\":\"full_refresh_overwrite_deduped\",\"primaryKey\":[[\"id\"]"
         "]}]",
         "[{\"name\":\"a\",\"syncMode\":\"full_refresh_overwrite_deduped\",\"primaryKey\":[[\"id\"]"
         "]}]"},
        {"[{\"name\":\"a\",\"destinationObjectName\":\"O\",\"selectedFields\":[{\"fieldPath\":"
         "[\"id\"]}],\"mappers\":[{\"type\":\"t\",\"mapperConfiguration\":{\"x\":1.10}}]}]",
         "[{\"name\":\"a\",\"syncMode\":\"full_refresh_overwrite\",\"destinationObjectName\":\"O\","
         "\"selectedFields\":[{\"fieldPath\":[\"id\"]}],\"mappers\":[{\"type\":\"t\","
         "\"mapperConfiguration\":{\"x\":1.10}}]}]"},
        {"[{\"name\":\"a\",\"selectedFields\":null,\"mappers\":[]}]",
         "[{\"name\":\"a\",\"syncMode\":\"full_refresh_overwrite\"}]"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlStreamConfigurations) list = wanted(cases[i].streams);
        g_autofree char *configured = server_catalog_configure(discovered, postgres, list, &error);
        g_assert_no_error(error);
        g_autofree char *back = describe(configured);
        g_autofree char *expected = g_strdup_printf("{\"streams\":%s}", cases[i].back);
        g_assert_cmpstr(back, ==, expected);
        /* the source's own words are kept to the byte */
        g_assert_true(strstr(cases[i].streams, "\"a\"") == NULL ||
                      strstr(configured, "\"extra\":1.10") != NULL);
    }
}

static void
test_refuse(void)
{
    static const struct {
        const char *stream, *spec, *part;
    } cases[] = {
        {"\"name\":\"b\"", postgres, "stream 'b': namespace: is required"},
        {"\"name\":\"c\"", postgres, "stream 'c': the source has no such stream"},
        {"\"name\":\"a\"", MODES("\"append\""),
         "the destination cannot do 'full_refresh_overwrite'"},
        {"\"name\":\"a\",\"syncMode\":\"full_refresh_overwrite_deduped\",\"primaryKey\":[[\"id\"]]",
         MODES("\"overwrite\",\"append\""), "the destination cannot do"},
        {"\"name\":\"a\",\"syncMode\":\"full_refresh_update\"", MODES("\"update\""),
         "primaryKey: is required"},
        {"\"name\":\"b\",\"namespace\":\"y\",\"syncMode\":\"incremental_append\"", postgres,
         "the source cannot do"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = g_strdup_printf("[{%s}]", cases[i].stream);
        g_autoptr(SlStreamConfigurations) list = wanted(text);
        g_assert_null(server_catalog_configure(discovered, cases[i].spec, list, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        if (strstr(error->message, cases[i].part) == NULL)
            g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].part));
    }
}

/* Of streams that are in both, and under the same name and namespace. */
static void
test_changed_modes(void)
{
#define ONE(name, ns, mode) "{\"stream\":{\"name\":\"" name "\"" ns "},\"sync_mode\":\"" mode "\"}"
#define NS(ns) ",\"namespace\":\"" ns "\""
    static const char before[] =
        "{\"streams\":[" ONE("a", "", "full_refresh") "," ONE("b", NS("x"), "incremental") "," ONE(
            "b", NS("y"), "incremental") "," ONE("gone", "", "incremental") "]}";
    static const char after[] =
        "{\"streams\":[" ONE("b", NS("y"), "full_refresh") "," ONE("a", "", "incremental") "," ONE(
            "b", NS("x"), "incremental") "," ONE("new", "", "full_refresh") "]}";
    g_auto(GStrv) namespaces = NULL, names = NULL;
    g_autoptr(GError) error = NULL;
    server_catalog_changed_modes(before, after, &namespaces, &names, &error);
    g_assert_no_error(error);
    g_autofree char *all = g_strjoinv(",", names);
    g_autofree char *spaces = g_strjoinv(",", namespaces);
    g_assert_cmpstr(all, ==, "b,a");
    g_assert_cmpstr(spaces, ==, "y,");
    g_assert_false(server_catalog_changed_modes("{", after, &namespaces, &names, NULL));
}

static void
test_properties(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = server_catalog_properties(discovered, postgres, &error);
    g_autoptr(GPtrArray) bare = server_catalog_properties(discovered, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(list->len, ==, 3);
    g_autofree char *first = sl_record_print(&sl_stream_properties_record, list->pdata[0], 0);
    g_assert_cmpstr(
        first, ==,
        "{\"streamName\":\"a\",\"syncModes\":[\"full_refresh_overwrite\","
        "\"full_refresh_append\",\"incremental_append\",\"incremental_deduped_history\"]"
        ",\"defaultCursorField\":[],\"sourceDefinedCursorField\":false,"
        "\"sourceDefinedPrimaryKey\":[],\"propertyFields\":[[\"id\"],[\"at\"],[\"o\"],"
        "[\"o\",\"k\"]]}");
    g_autofree char *unknown = sl_record_print(&sl_stream_properties_record, bare->pdata[1], 0);
    g_assert_null(strstr(unknown, "syncModes"));
    g_ptr_array_set_free_func(list, (GDestroyNotify)sl_stream_properties_free);
    g_ptr_array_set_free_func(bare, (GDestroyNotify)sl_stream_properties_free);
}

static void
test_basic_timing(void)
{
    static const struct {
        gint64 seconds;
        const char *text;
    } cases[] = {{3600, "Every 1 HOURS"},
                 {60, "Every 1 MINUTES"},
                 {7260, "Every 121 MINUTES"},
                 {1, "Every 1 SECONDS"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = server_schedule_basic_timing(cases[i].seconds);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

/* Zones come from the other API; here the trailing UTC is the only one. */
static void
test_cron(void)
{
    static const struct {
        const char *expression, *zone, *type; /* type NULL: good */
    } cases[] = {
        {"0 30 2 * * ?", "Europe/Berlin", NULL},
        {"0 30 2 * * ? UTC", NULL, NULL},
        {"0 30 2 * * ?", "Etc/GMT+3", "error:cron-validation/invalid-timezone"},
        {"0 30 2 * * ?", "etc/UTC", "error:cron-validation/invalid-timezone"},
        {"0 30 2 * * ?", "Mars/Olympus", "error:cron-validation/invalid-timezone"},
        {"0 30 2 * * ? CET", NULL, "error:cron-validation/invalid-timezone"},
        {NULL, "UTC", "error:cron-validation/missing-cron-data"},
        {"", "UTC", "error:cron-validation/missing-component"},
        {"0,30 30 2 * * ?", NULL, "error:cron-validation/under-one-hour-not-allowed"},
        {"0 30 2 * * *", NULL, "error:cron-validation/invalid-expression"},
        {"0 30 2 * * ? 2020", NULL, "error:cron-validation/invalid-expression"},
        {"0 30 2 30 2 ?", NULL, "error:cron-validation/invalid-expression"},
        {"0 30 2 ? * 0", NULL, "error:cron-validation/invalid-expression"},
        {"@daily", NULL, "error:cron-validation/invalid-expression"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(ServerSchedule) schedule = {0};
        g_autoptr(GError) error = NULL;
        const char *type = NULL, *title, *data;
        gboolean good =
            server_schedule_parse_cron(cases[i].expression, cases[i].zone, "ID", &schedule, &error);
        g_test_message("%s: %s", cases[i].expression, error != NULL ? error->message : "good");
        g_assert_cmpint(good, ==, cases[i].type == NULL);
        if (good) {
            g_assert_cmpstr(schedule.zone, ==, cases[i].zone != NULL ? cases[i].zone : "UTC");
            g_assert_cmpstr(schedule.cron, ==, "0 30 2 * * ?");
            continue;
        }
        g_assert_true(sl_error_get_problem(error, &type, &title, &data));
        g_assert_cmpstr(type, ==, cases[i].type);
        g_assert_nonnull(strstr(data, "\"connectionId\":\"ID\""));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/server/catalog/configure", test_configure);
    g_test_add_func("/server/catalog/refuse", test_refuse);
    g_test_add_func("/server/catalog/changed-modes", test_changed_modes);
    g_test_add_func("/server/catalog/properties", test_properties);
    g_test_add_func("/server/schedule/basic-timing", test_basic_timing);
    g_test_add_func("/server/schedule/cron", test_cron);
    return g_test_run();
}
