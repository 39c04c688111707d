/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-catalog.h"

#include <string.h>

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
static const char *const postgres_modes[] = {"overwrite", "append", "append_dedup", NULL};
static const char *const file_modes[] = {"overwrite", "append", NULL};

static void
test_list_streams(void)
{
    g_autofree char *text = server_catalog_list_streams(discovered, file_modes, NULL);
    g_assert_true(g_str_has_prefix(
        text, "[{\"streamName\":\"a\",\"syncModes\":[\"full_refresh_overwrite\","
              "\"full_refresh_append\",\"incremental_append\"],\"defaultCursorField\":[],"
              "\"sourceDefinedCursorField\":false,\"sourceDefinedPrimaryKey\":[],"
              "\"propertyFields\":[[\"id\"],[\"at\"],[\"o\"],[\"o\",\"k\"]]},"
              "{\"streamName\":\"b\",\"streamnamespace\":\"x\""));
    g_autofree char *bare = server_catalog_list_streams(discovered, NULL, NULL);
    g_assert_null(strstr(bare, "syncModes"));
}

static void
expect(const char *streams, const char *described)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *configured =
        server_catalog_configure(discovered, streams, postgres_modes, &error);
    g_assert_no_error(error);
    g_autofree char *back = server_catalog_describe(configured, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(back, ==, described);
    g_assert_true(strstr(streams != NULL ? streams : "", "\"b\"") != NULL ||
                  strstr(configured, "\"extra\":1.10") != NULL);
}

static void
test_configure(void)
{
    expect(NULL, "[{\"name\":\"a\",\"syncMode\":\"full_refresh_overwrite\"},"
                 "{\"name\":\"b\",\"namespace\":\"x\",\"syncMode\":\"full_refresh_overwrite\","
                 "\"cursorField\":[\"at\"],\"primaryKey\":[[\"id\"]]},"
                 "{\"name\":\"b\",\"namespace\":\"y\",\"syncMode\":\"full_refresh_overwrite\"}]");
    expect("[{\"name\":\"b\",\"namespace\":\"x\",\"syncMode\":\"incremental_deduped_history\"}]",
           "[{\"name\":\"b\",\"namespace\":\"x\",\"syncMode\":\"incremental_deduped_history\","
           "\"cursorField\":[\"at\"],\"primaryKey\":[[\"id\"]]}]");
    expect("[{\"name\":\"a\",\"syncMode\":\"incremental_append\",\"cursorField\":[\"at\"],"
           "\"selectedFields\":[{\"fieldPath\":[\"at\"]}]}]",
           "[{\"name\":\"a\",\"syncMode\":\"incremental_append\",\"cursorField\":[\"at\"],"
           "\"selectedFields\":[{\"fieldPath\":[\"at\"]}]}]");
    expect("[{\"name\":\"a\",\"syncMode\":\"full_refresh_overwrite_deduped\",\"primaryKey\":"
           "[[\"id\"],[\"at\"]]}]",
           "[{\"name\":\"a\",\"syncMode\":\"full_refresh_overwrite_deduped\",\"primaryKey\":"
           "[[\"id\"],[\"at\"]]}]");
}

static void
test_refused(void)
{
    static const struct {
        const char *streams, *message;
    } cases[] = {
        {"{}", "configurations.streams: expected array"},
        {"[{\"name\":\"z\"}]", "configurations.streams[0].name: the source has no stream 'z'"},
        {"[{\"name\":\"a\",\"namespace\":\"q\"}]", "no stream 'a' in namespace q"},
        {"[{\"name\":\"b\"}]", "streams[0].namespace: the source has 2 streams 'b'; say which one"},
        {"[{\"name\":\"a\"},{\"name\":\"a\"}]", "streams[1].name: the stream is there twice"},
        {"[{\"name\":\"a\",\"syncMode\":\"sometimes\"}]", "syncMode: \"sometimes\" is not a sync"},
        {"[{\"name\":\"b\",\"namespace\":\"y\",\"syncMode\":\"incremental_append\"}]",
         "syncMode: the source does not offer incremental"},
        {"[{\"name\":\"a\",\"syncMode\":\"full_refresh_update\"}]",
         "the destination cannot update"},
        {"[{\"name\":\"a\",\"syncMode\":\"incremental_append\"}]",
         "cursorField: an incremental sync needs a cursor field"},
        {"[{\"name\":\"a\",\"syncMode\":\"incremental_append\",\"cursorField\":[\"q\"]}]",
         "cursorField: the stream has no such field"},
        {"[{\"name\":\"b\",\"namespace\":\"x\",\"syncMode\":\"incremental_append\",\"cursorField\":"
         "[\"id\"]}]",
         "cursorField: the source defines its own cursor"},
        {"[{\"name\":\"a\",\"syncMode\":\"incremental_deduped_history\",\"cursorField\":[\"at\"]}]",
         "primaryKey: incremental_deduped_history needs a primary key"},
        {"[{\"name\":\"a\",\"syncMode\":\"incremental_deduped_history\",\"cursorField\":[\"at\"],"
         "\"primaryKey\":[[\"id\"],[\"id\"]]}]",
         "primaryKey: a field is there twice"},
        {"[{\"name\":\"b\",\"namespace\":\"x\",\"primaryKey\":[[\"at\"]]}]",
         "primaryKey: the source defines its own"},
        {"[{\"name\":\"a\",\"selectedFields\":[]}]", "selectedFields: at least one"},
        {"[{\"name\":\"a\",\"selectedFields\":[{\"fieldPath\":[\"o\",\"k\"]}]}]",
         "selectedFields: fieldPath must be one top-level field"},
        {"[{\"name\":\"b\",\"namespace\":\"x\",\"syncMode\":\"incremental_deduped_history\","
         "\"selectedFields\":[{\"fieldPath\":[\"at\"]}]}]",
         "selectedFields: the key field 'id' is missing"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(
            server_catalog_configure(discovered, cases[i].streams, postgres_modes, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/server/catalog/list-streams", test_list_streams);
    g_test_add_func("/server/catalog/configure", test_configure);
    g_test_add_func("/server/catalog/refused", test_refused);
    return g_test_run();
}
