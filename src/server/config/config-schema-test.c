/* SPDX-License-Identifier: Apache-2.0 */
/* A source's streams have changed: what clients see of it, and how they apply and dismiss it. */
#include "config.h"
#include "config-test.h"

#include <string.h>

#include "sl-queue-schema.h"
#include "sl-sql.h"

#define CONNECTION "{\"connectionId\":\"" FIXTURE_CONNECTION "\"}"
#define STREAM_A(fields)                                                                           \
    "{\"name\":\"a\",\"json_schema\":{\"type\":\"object\",\"properties\":{" fields                 \
    "}},\"supported_sync_modes\":[\"full_refresh\",\"incremental\"]}"
#define KNOWN "{\"streams\":[" STREAM_A("\"id\":{},\"at\":{}") "]}"
#define MORE "{\"streams\":[" STREAM_A("\"id\":{},\"at\":{},\"new\":{}") "]}"
#define BROKEN "{\"streams\":[" STREAM_A("\"id\":{}") "]}"
#define CONFIGURED                                                                                 \
    "{\"streams\":[{\"stream\":" STREAM_A("\"id\":{},\"at\":{}") ",\"sync_mode\":\"incremental\"," \
                                                                 "\"destination_sync_mode\":"      \
                                                                 "\"append\",\"cursor_field\":["   \
                                                                 "\"at\"]}]}"

static char *
keep(Fixture *fix, const char *catalog, gint64 now)
{
    g_autoptr(SlTx) tx = sl_db_begin(fix->server.db, FALSE, NULL);
    char *id = NULL;
    g_assert_true(sl_queue_catalog_keep(tx, FIXTURE_SOURCE, "key", catalog, now, &id, NULL));
    g_ptr_array_add(fix->answers, id);
    g_assert_true(sl_tx_commit(tx, NULL));
    return id;
}

/* The fixture's connection, made from KNOWN; the newest catalog is `fresh`. */
static const char *
change(Fixture *fix, const char *preference, const char *fresh)
{
    queue_fixture_script(fix->server.db,
                         "update connection set source_catalog_id = null, told_catalog_id = null, "
                         "status = 'active', breaking_change = false; delete from catalog");
    const char *known = keep(fix, KNOWN, FIXTURE_NOW - 2), *id = keep(fix, fresh, FIXTURE_NOW - 1);
    queue_fixture_script(fix->server.db,
                         format(fix,
                                "update connection set catalog = '%s', source_catalog_id = '%s', "
                                "non_breaking_changes = '%s'",
                                CONFIGURED, known, preference));
    return id;
}

static const char *
apply(Fixture *fix, const char *catalog_id)
{
    return config_call(fix, "connections/apply_schema_changes",
                       format(fix,
                              "{\"connectionId\":\"" FIXTURE_CONNECTION
                              "\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                              "\",\"catalogId\":\"%s\",\"catalog\":{}}",
                              catalog_id),
                       200);
}

static const char *
get(Fixture *fix, const char *name)
{
    return member(fix, config_call(fix, "web_backend/connections/get", CONNECTION, 200), name);
}

static const char *
listed(Fixture *fix)
{
    const char *list = config_call(fix, "web_backend/connections/list",
                                   "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}", 200);
    return config_at(fix, list, "connections", "0", "schemaChange", NULL);
}

static void
test_apply(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *preference;
        gboolean applied;
        const char *status, *seen;
    } cases[] = {
        {"ignore", FALSE, "active", "non_breaking"},
        {"disable", FALSE, "inactive", "non_breaking"},
        {"propagate_columns", TRUE, "active", "no_change"},
        {"propagate_fully", TRUE, "active", "no_change"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].preference);
        const char *fresh = change(fix, cases[i].preference, MORE);
        g_assert_cmpstr(listed(fix), ==, "non_breaking");
        g_assert_cmpstr(get(fix, "schemaChange"), ==, "non_breaking");
        assert_has(get(fix, "catalogDiff"), "\"add_field\"");
        g_assert_cmpstr(get(fix, "catalogId"), ==, fresh);
        const char *diff = member(fix, apply(fix, fresh), "propagatedDiff");
        g_assert_cmpint(strstr(diff, "add_field") != NULL, ==, cases[i].applied);
        g_assert_cmpstr(listed(fix), ==, cases[i].seen);
        const char *read = config_call(fix, "connections/get", CONNECTION, 200);
        g_assert_cmpstr(member(fix, read, "status"), ==, cases[i].status);
        g_assert_cmpstr(member(fix, read, "nonBreakingChangesPreference"), ==, cases[i].preference);
        g_assert_cmpint(strstr(member(fix, read, "syncCatalog"), "\"new\"") != NULL, ==,
                        cases[i].applied);
        /* twice is once */
        diff = member(fix, apply(fix, fresh), "propagatedDiff");
        g_assert_cmpstr(diff, ==, "{\"transforms\":[]}");
    }
    const char *fresh = change(fix, "propagate_columns", MORE);
    const char *answer = config_call(
        fix, "connections/postprocess_discovered_catalog",
        format(fix, "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"catalogId\":\"%s\"}", fresh),
        200);
    assert_has(member(fix, answer, "appliedDiff"), "\"add_field\"");
}

/* Somebody may take over what the connection leaves alone; it stays as it is for the next time. */
static void
test_asked(Fixture *fix, gconstpointer data)
{
#define AFTER "{\"streams\":[" STREAM_A("\"id\":{},\"at\":{},\"new\":{}") "," STREAM_B "]}"
#define STREAM_B                                                                                   \
    "{\"name\":\"b\",\"json_schema\":{\"type\":\"object\",\"properties\":{\"id\":{}}},"            \
    "\"supported_sync_modes\":[\"full_refresh\"]}"
    static const struct {
        const char *preference, *asked;
        gboolean field, stream;
    } cases[] = {
        {"ignore", NULL, FALSE, FALSE},
        {"ignore", "fields", TRUE, FALSE},
        {"ignore", "all", TRUE, TRUE},
        {"disable", "fields", TRUE, FALSE},
        {"propagate_columns", NULL, TRUE, FALSE},
        {"propagate_columns", "all", TRUE, TRUE},
        {"propagate_fully", "fields", TRUE, FALSE},
        {"propagate_fully", NULL, TRUE, TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %u", i);
        const char *fresh = change(fix, cases[i].preference, AFTER);
        const char *more =
            cases[i].asked != NULL ? format(fix, ",\"sluiceApply\":\"%s\"", cases[i].asked) : "";
        config_call(fix, "connections/apply_schema_changes",
                    format(fix,
                           "{\"connectionId\":\"" FIXTURE_CONNECTION
                           "\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                           "\",\"catalogId\":\"%s\",\"catalog\":{}%s}",
                           fresh, more),
                    200);
        const char *read = config_call(fix, "connections/get", CONNECTION, 200);
        const char *catalog = member(fix, read, "syncCatalog");
        g_assert_cmpint(strstr(catalog, "\"new\"") != NULL, ==, cases[i].field);
        g_assert_cmpint(strstr(catalog, "\"name\":\"b\"") != NULL, ==, cases[i].stream);
        g_assert_cmpstr(member(fix, read, "nonBreakingChangesPreference"), ==, cases[i].preference);
    }
    config_refused(fix, "connections/apply_schema_changes",
                   "{\"connectionId\":\"" FIXTURE_CONNECTION
                   "\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"catalogId\":\"" NO_ID
                   "\",\"catalog\":{},\"sluiceApply\":\"some\"}",
                   400, "sluiceApply");
}

static void
test_refused(Fixture *fix, gconstpointer data)
{
    const char *fresh = change(fix, "propagate_columns", MORE);
#define APPLY(connection)                                                                          \
    "{\"connectionId\":\"" connection "\",\"workspaceId\":\"" FIXTURE_WORKSPACE                    \
    "\",\"catalog\":{},"                                                                           \
    "\"catalogId\":\"%s\"}"
    const struct {
        const char *body;
        guint status;
        const char *message;
    } cases[] = {
        {CONNECTION, 400, "is required"},
        {format(fix, APPLY(FIXTURE_CONNECTION), NO_ID), 404, NO_ID},
        {format(fix, APPLY(NO_ID), fresh), 404, NO_ID},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        config_refused(fix, "connections/apply_schema_changes", cases[i].body, cases[i].status,
                       cases[i].message);
    config_refused(fix, "connections/update",
                   "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"sourceCatalogId\":\"" NO_ID
                   "\"}",
                   400, "sourceCatalogId");
    config_refused(fix, "connections/update",
                   "{\"connectionId\":\"" FIXTURE_CONNECTION
                   "\",\"backfillPreference\":\"sometimes\"}",
                   400, "backfillPreference");
}

/* A pause that only a person ends: by saying that it has been seen, or by streams that can live
 * with the change. */
static void
test_breaking(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *before, *after; /* the id of the newest catalog */
    } ends[] = {
        {"\"sourceCatalogId\":\"", "\""},
        {"\"breakingChange\":false,\"name\":\"", "\""},
        {"\"prefix\":\"",
         "\",\"syncCatalog\":{\"streams\":[{\"stream\":{\"name\":\"a\",\"jsonSchema\":"
         "{\"type\":\"object\",\"properties\":{\"id\":{}}},\"supportedSyncModes\":["
         "\"full_refresh\"]},\"config\":{\"selected\":true,\"syncMode\":"
         "\"full_refresh\",\"destinationSyncMode\":\"append\"}}]}"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
        const char *fresh = change(fix, "propagate_fully", BROKEN);
        g_assert_cmpstr(member(fix, apply(fix, fresh), "propagatedDiff"), ==,
                        "{\"transforms\":[]}");
        const char *read = config_call(fix, "connections/get", CONNECTION, 200);
        g_assert_cmpstr(member(fix, read, "breakingChange"), ==, "true");
        g_assert_cmpstr(member(fix, read, "status"), ==, "inactive");
        g_assert_cmpstr(member(fix, read, "statusReason"), ==, SL_REASON_SCHEMA_BREAKING);
        g_assert_cmpstr(listed(fix), ==, "breaking");
        g_assert_cmpstr(get(fix, "schemaChange"), ==, "breaking");
        assert_has(get(fix, "catalogDiff"), "\"breaking\":true");
        const char *status = config_call(fix, "connections/status",
                                         "{\"connectionIds\":[\"" FIXTURE_CONNECTION "\"]}", 200);
        g_assert_cmpstr(config_at(fix, status, "0", "connectionSyncStatus", NULL), ==, "failed");
        /* an edit of something else changes nothing of it */
        config_call(fix, "connections/update",
                    "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"name\":\"x\"}", 200);
        g_assert_cmpstr(listed(fix), ==, "breaking");
        read = config_call(fix, "connections/update",
                           format(fix, "{\"connectionId\":\"" FIXTURE_CONNECTION "\",%s%s%s}",
                                  ends[i].before, fresh, ends[i].after),
                           200);
        g_assert_cmpstr(member(fix, read, "breakingChange"), ==, "false");
        g_assert_cmpstr(member(fix, read, "status"), ==, "inactive");
        g_assert_cmpstr(listed(fix), ==, i == 0 ? "no_change" : "non_breaking");
        read =
            config_call(fix, "connections/update",
                        "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"status\":\"active\"}", 200);
        assert_lacks(read, "statusReason");
    }
}

static void
test_preferences(Fixture *fix, gconstpointer data)
{
    const char *read = config_call(fix, "connections/get", CONNECTION, 200);
    g_assert_cmpstr(member(fix, read, "backfillPreference"), ==, "disabled");
    assert_lacks(read, "sourceCatalogId");
    const char *newest = keep(fix, KNOWN, FIXTURE_NOW);
    read =
        config_call(fix, "connections/create",
                    "{\"sourceId\":\"" FIXTURE_SOURCE "\",\"destinationId\":\"" FIXTURE_DESTINATION
                    "\",\"status\":\"active\",\"backfillPreference\":\"enabled\","
                    "\"notifySchemaChanges\":true,\"nonBreakingChangesPreference\":"
                    "\"propagate_columns\"}",
                    200);
    g_assert_cmpstr(member(fix, read, "backfillPreference"), ==, "enabled");
    g_assert_cmpstr(member(fix, read, "notifySchemaChanges"), ==, "true");
    g_assert_cmpstr(member(fix, read, "notifySchemaChangesByEmail"), ==, "true");
    g_assert_cmpstr(member(fix, read, "nonBreakingChangesPreference"), ==, "propagate_columns");
    g_assert_cmpstr(member(fix, read, "sourceCatalogId"), ==, newest);
    const char *id = member(fix, read, "connectionId");
    read = config_call(
        fix, "web_backend/connections/update",
        format(fix,
               "{\"connectionId\":\"%s\",\"notifySchemaChanges\":false,"
               "\"notifySchemaChangesByEmail\":true,\"backfillPreference\":\"disabled\"}",
               id),
        200);
    g_assert_cmpstr(member(fix, read, "notifySchemaChanges"), ==, "false");
    g_assert_cmpstr(member(fix, read, "notifySchemaChangesByEmail"), ==, "true");
    g_assert_cmpstr(member(fix, read, "backfillPreference"), ==, "disabled");
    /* what is not given stays */
    read = config_call(fix, "connections/update",
                       format(fix, "{\"connectionId\":\"%s\",\"name\":\"n\"}", id), 200);
    g_assert_cmpstr(member(fix, read, "notifySchemaChangesByEmail"), ==, "true");
    g_assert_cmpstr(member(fix, read, "sourceCatalogId"), ==, newest);
}

/* To all connections of a source, as each wants it. */
static void
test_source(Fixture *fix, gconstpointer data)
{
    const char *fresh = change(fix, "propagate_columns", MORE);
    queue_fixture_script(
        fix->server.db,
        "insert into connection (connection_id, workspace_id, name, source_id, destination_id, "
        "catalog, source_catalog_id, non_breaking_changes, created_at, updated_at) select '" NO_ID
        "', workspace_id, 'd', source_id, destination_id, catalog, source_catalog_id, 'ignore', "
        "now(), now() from connection");
    config_call(fix, "sources/apply_schema_changes",
                format(fix,
                       "{\"sourceId\":\"" FIXTURE_SOURCE "\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                       "\",\"catalogId\":\"%s\",\"catalog\":{}}",
                       fresh),
                204);
    g_assert_cmpint(queue_fixture_count(fix->server.db,
                                        "select count(*) from connection where (catalog like "
                                        "'%\"new\"%') = (connection_id <> '" NO_ID "')"),
                    ==, 2);
    config_refused(fix, "sources/apply_schema_changes",
                   "{\"sourceId\":\"" FIXTURE_SOURCE "\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                   "\",\"catalogId\":\"" NO_ID "\",\"catalog\":{}}",
                   404, NO_ID);
}

/* Streams that are read in another way from now on are read again, unless the page says otherwise.
 */
static void
test_skip_reset(Fixture *fix, gconstpointer data)
{
#define PAGE(modes, more)                                                                          \
    "{\"connectionId\":\"" FIXTURE_CONNECTION "\"" more ",\"syncCatalog\":{\"streams\":[{\"stream" \
    "\":{\"name\":\"a\",\"jsonSchema\":{\"type\":\"object\",\"properties\":{\"id\":{},\"at\":{}}}" \
    ",\"supportedSyncModes\":[\"full_refresh\",\"incremental\"]},\"config\":{\"selected\":true,"   \
    "\"cursorField\":[\"at\"]," modes "}}]}}"
#define SAME "\"syncMode\":\"incremental\",\"destinationSyncMode\":\"append\""
#define FULL "\"syncMode\":\"full_refresh\",\"destinationSyncMode\":\"append\""
    static const struct {
        const char *body;
        gboolean supports, active;
        const char *kind; /* NULL: no request */
        gboolean begins;
    } cases[] = {
        {PAGE(SAME, ""), TRUE, TRUE, NULL, FALSE},
        {PAGE(FULL, ""), TRUE, TRUE, "merge", TRUE},
        {PAGE(FULL, ",\"skipReset\":false"), FALSE, TRUE, "reset", TRUE},
        {PAGE(FULL, ",\"skipReset\":true"), TRUE, TRUE, NULL, FALSE},
        {PAGE(FULL, ""), TRUE, FALSE, "merge", FALSE}, /* when it runs again */
    };
    fix->pause_worker = TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %u", i);
        change(fix, "ignore", KNOWN);
        queue_fixture_script(
            fix->server.db,
            format(
                fix,
                "delete from stream_request; update job set status = 'cancelled', finished_at = "
                "now() where finished_at is null; update actor_definition set supports_refreshes "
                "= %s; update connection set status = '%s'",
                cases[i].supports ? "true" : "false", cases[i].active ? "active" : "inactive"));
        config_call(fix, "web_backend/connections/update", cases[i].body, 200);
        g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from stream_request"),
                        ==, cases[i].kind != NULL);
        g_assert_cmpint(
            queue_fixture_count(
                fix->server.db,
                format(fix,
                       "select count(*) from stream_request r left join job j using (job_id) where "
                       "kind = '%s' and (j.status = 'pending') is not distinct from %s",
                       cases[i].kind, cases[i].begins ? "true" : "null")),
            ==, cases[i].kind != NULL);
    }
}

void
config_add_schema_cases(void)
{
    CONFIG_CASE("schema/apply", test_apply);
    CONFIG_CASE("schema/asked", test_asked);
    CONFIG_CASE("schema/refused", test_refused);
    CONFIG_CASE("schema/breaking", test_breaking);
    CONFIG_CASE("schema/preferences", test_preferences);
    CONFIG_CASE("schema/source", test_source);
    CONFIG_CASE("schema/skip-reset", test_skip_reset);
}
