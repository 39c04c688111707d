/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "worker-catalog.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-read.h"
#include "sl-queue-fixture.h"
#include "sl-queue-request.h"
#include "sl-queue.h"
#include "sl-sql.h"

/* fo: full refresh, overwrite; fa: full refresh, append; fr: the same, and it can be resumed; ia:
 * incremental, append; id: incremental, deduplicated, with a namespace. */
#define CATALOG                                                                                    \
    "{\"streams\":["                                                                               \
    "{\"stream\":{\"name\":\"fo\"},\"sync_mode\":\"full_refresh\",\"destination_sync_mode\":"      \
    "\"overwrite\"},"                                                                              \
    "{\"stream\":{\"name\":\"fa\"},\"sync_mode\":\"full_refresh\",\"destination_sync_mode\":"      \
    "\"append\"},"                                                                                 \
    "{\"stream\":{\"name\":\"fr\",\"is_resumable\":true},\"sync_mode\":\"full_refresh\","          \
    "\"destination_sync_mode\":\"append\"},"                                                       \
    "{\"stream\":{\"name\":\"ia\"},\"sync_mode\":\"incremental\",\"destination_sync_mode\":"       \
    "\"append\"},"                                                                                 \
    "{\"stream\":{\"name\":\"id\",\"namespace\":\"n\"},\"sync_mode\":\"incremental\","             \
    "\"destination_sync_mode\":\"append_dedup\",\"generation_id\":77}]}"

typedef struct {
    SlDb *db;
    gint64 last_job;
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
    f->db = queue_fixture_new();
    queue_fixture_script(f->db, "update connection set catalog = '" CATALOG "'");
}

static void
teardown(Fixture *f, gconstpointer data)
{
    sl_db_unref(f->db);
}

/* Every stream has a state before every attempt. */
static void
fill_states(Fixture *f)
{
    queue_fixture_script(f->db,
                         "delete from state; insert into state (connection_id, namespace, stream, "
                         "type, state, updated_at) select '" FIXTURE_CONNECTION
                         "', case s when 'id' then 'n' else '' end, s, 'STREAM', '1', now() from "
                         "unnest(array['fo', 'fa', 'fr', 'ia', 'id']) s");
}

static const char *
namespace_of(const char *stream)
{
    return strcmp(stream, "id") == 0 ? "n" : "";
}

static SlJob *
make_job(Fixture *f, int kind, const char *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
    const SlJobRequest request = {.config_type = SL_CONFIG_TYPE_SYNC,
                                  .scope = FIXTURE_CONNECTION,
                                  .workspace_id = FIXTURE_WORKSPACE};
    SlJob *job = NULL;
    g_auto(GStrv) names = g_strsplit(wanted, " ", -1);
    for (guint i = 0; kind >= 0 && names[i] != NULL; i++) {
        const char *const ns[] = {namespace_of(names[i]), NULL}, *const one[] = {names[i], NULL};
        g_assert_true(sl_queue_request_add(tx, FIXTURE_CONNECTION, (SlRequestKind)kind, FALSE, ns,
                                           one, FIXTURE_NOW, &error));
    }
    sl_queue_job_create(tx, &request, FIXTURE_NOW, &job, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, NULL));
    return job;
}

/* "fo 1/1 -" per stream: generation, minimum, and + when it goes on from its state. */
static char *
describe(Fixture *f, SlTx *tx, const char *catalog, gint64 job_id)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(catalog, strlen(catalog), NULL, NULL);
    g_autoptr(GPtrArray) states = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    g_assert_true(sl_sql_state_list(tx, FIXTURE_CONNECTION, &states, NULL));
    SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), "streams"), node) {
        gint64 generation = -1, minimum = -1, sync_id = -1;
        gboolean kept = FALSE;
        g_autofree char *name =
            sl_json_dup_string(sl_json_get(doc, sl_json_get(doc, node, "stream"), "name"));
        g_assert_true(sl_json_get_int64(sl_json_get(doc, node, "generation_id"), &generation));
        g_assert_true(sl_json_get_int64(sl_json_get(doc, node, "minimum_generation_id"), &minimum));
        g_assert_true(sl_json_get_int64(sl_json_get(doc, node, "sync_id"), &sync_id));
        g_assert_cmpint(sync_id, ==, job_id);
        for (guint i = 0; i < states->len; i++)
            kept |= strcmp(((const SlStateRow *)states->pdata[i])->stream, name) == 0;
        g_string_append_printf(text, "%s%s %d/%d%s", text->len > 0 ? ", " : "", name,
                               (int)generation, (int)minimum, kept ? "+" : "");
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *
prepare(Fixture *f, const SlJob *job, gint64 attempt, gboolean supports)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlConnection) connection = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
    g_assert_true(sl_sql_connection_get(tx, FIXTURE_CONNECTION, &connection, NULL));
    g_autofree char *catalog =
        worker_catalog_prepare(tx, connection, supports, job, attempt, FIXTURE_NOW, &error);
    g_assert_no_error(error);
    char *text = describe(f, tx, catalog, job->job_id);
    g_assert_true(sl_tx_commit(tx, NULL));
    return text;
}

static void
end_job(Fixture *f, const SlJob *job, gboolean well)
{
    g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
    const SlAttemptEnd end = {.job_id = job->job_id,
                              .succeeded = well,
                              .job_status = well ? SL_JOB_STATUS_SUCCEEDED : SL_JOB_STATUS_FAILED};
    g_assert_true(!well ||
                  sl_sql_generation_settle(tx, FIXTURE_CONNECTION, job->job_id, NULL, NULL));
    g_assert_true(sl_queue_attempt_finish(tx, &end, FIXTURE_NOW, NULL));
    g_assert_true(sl_tx_commit(tx, NULL));
}

#define SYNC -1
static const struct {
    int kind;
    const char *wanted;
    gboolean supports; /* does the destination know generations? */
    SlConfigType type;
    const char *first, *second; /* attempts */
} cases[] = {
    {SYNC, "", TRUE, SL_CONFIG_TYPE_SYNC, "fo 1/1, fa 1/0, fr 1/0, ia 0/0+, id 0/0+",
     "fo 2/2, fa 2/0, fr 1/0+, ia 0/0+, id 0/0+"},
    {SYNC, "", FALSE, SL_CONFIG_TYPE_SYNC, "fo 1/1, fa 1/0, fr 1/0, ia 0/0+, id 0/0+",
     "fo 2/2, fa 2/0, fr 2/0, ia 0/0+, id 0/0+"},
    {SL_REQUEST_MERGE, "ia", TRUE, SL_CONFIG_TYPE_REFRESH,
     "fo 1/1, fa 1/0, fr 1/0, ia 1/0, id 0/0+", "fo 2/2, fa 2/0, fr 1/0+, ia 1/0+, id 0/0+"},
    {SL_REQUEST_MERGE, "fo fa fr ia id", TRUE, SL_CONFIG_TYPE_REFRESH,
     "fo 1/1, fa 1/0, fr 1/0, ia 1/0, id 1/0", "fo 2/2, fa 2/0, fr 1/0+, ia 1/0+, id 1/0+"},
    {SL_REQUEST_TRUNCATE, "id", TRUE, SL_CONFIG_TYPE_REFRESH,
     "fo 1/1, fa 1/0, fr 1/0, ia 0/0+, id 1/1", "fo 2/2, fa 2/0, fr 1/0+, ia 0/0+, id 1/1+"},
    {SL_REQUEST_TRUNCATE, "fa fr ia", TRUE, SL_CONFIG_TYPE_REFRESH,
     "fo 1/1, fa 1/1, fr 1/1, ia 1/1, id 0/0+", "fo 2/2, fa 2/2, fr 1/1+, ia 1/1+, id 0/0+"},
    /* a clear has its streams only, and empties each once */
    {SL_REQUEST_CLEAR, "ia", TRUE, SL_CONFIG_TYPE_CLEAR, "ia 1/1", "ia 1/1+"},
    {SL_REQUEST_RESET, "fo fa fr ia id", FALSE, SL_CONFIG_TYPE_RESET_CONNECTION,
     "fo 1/1, fa 1/1, fr 1/1, ia 1/1, id 1/1", "fo 1/1+, fa 1/1+, fr 1/1+, ia 1/1+, id 1/1+"},
    /* deselected since: not in the catalog, and no obstacle */
    {SL_REQUEST_CLEAR, "id gone", TRUE, SL_CONFIG_TYPE_CLEAR, "id 1/1", "id 1/1+"},
};

static void
test_table(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        queue_fixture_script(f->db, "truncate job, stream_generation, stream_request cascade");
        g_autoptr(SlJob) job = make_job(f, cases[i].kind, cases[i].wanted);
        g_test_message("case %u", i);
        g_assert_cmpint(job->config_type, ==, cases[i].type);
        fill_states(f);
        g_autofree char *first = prepare(f, job, 0, cases[i].supports);
        g_assert_cmpstr(first, ==, cases[i].first);
        fill_states(f); /* the attempt got on */
        g_autofree char *second = prepare(f, job, 1, cases[i].supports);
        g_assert_cmpstr(second, ==, cases[i].second);
        /* a step that is tried again changes nothing more */
        fill_states(f);
        g_autofree char *again = prepare(f, job, 1, cases[i].supports);
        g_assert_cmpstr(again, ==, second);
        g_assert_cmpint(
            queue_fixture_count(f->db,
                                "select count(*) from (select stream from stream_generation group "
                                "by stream having count(*) <> max(generation_id)) x"),
            ==, 0);
    }
}

/* Old rows that a truncating refresh or a clear was to end are still to end when it has failed. */
static void
test_owed(Fixture *f, gconstpointer data)
{
    static const SlRequestKind kinds[] = {SL_REQUEST_TRUNCATE, SL_REQUEST_CLEAR};
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        queue_fixture_script(f->db, "truncate job, stream_generation, stream_request cascade");
        fill_states(f);
        g_autoptr(SlJob) broken = make_job(f, (int)kinds[i], "ia");
        g_autofree char *one = prepare(f, broken, 0, TRUE);
        g_assert_nonnull(strstr(one, "ia 1/1"));
        end_job(f, broken, FALSE);
        g_autoptr(SlJob) sync = make_job(f, SYNC, "");
        g_autofree char *two = prepare(f, sync, 0, TRUE);
        g_assert_nonnull(strstr(two, "ia 1/1"));
        end_job(f, sync, FALSE);
        /* a refresh that merges hands it on */
        g_autoptr(SlJob) merge = make_job(f, SL_REQUEST_MERGE, "ia");
        g_autofree char *three = prepare(f, merge, 0, TRUE);
        g_assert_nonnull(strstr(three, "ia 2/2"));
        end_job(f, merge, TRUE);
        g_autoptr(SlJob) done = make_job(f, SYNC, "");
        g_autofree char *four = prepare(f, done, 0, TRUE);
        g_assert_nonnull(strstr(four, "ia 2/0"));
    }
    /* A clear of another stream settles nothing of this one. */
    queue_fixture_script(f->db, "truncate job, stream_generation, stream_request cascade");
    g_autoptr(SlJob) broken = make_job(f, SL_REQUEST_TRUNCATE, "ia");
    g_autofree char *one = prepare(f, broken, 0, TRUE);
    end_job(f, broken, FALSE);
    g_autoptr(SlJob) clear = make_job(f, SL_REQUEST_CLEAR, "id");
    g_autofree char *two = prepare(f, clear, 0, TRUE);
    end_job(f, clear, TRUE);
    g_autoptr(SlJob) sync = make_job(f, SYNC, "");
    g_autofree char *three = prepare(f, sync, 0, TRUE);
    g_assert_nonnull(strstr(three, "ia 1/1"));
    g_assert_nonnull(strstr(three, "id 1/0"));
}

/* What empties is a full refresh that overwrites, whatever the stream's own modes are; the others
 * keep every byte. */
static void
test_modes(Fixture *f, gconstpointer data)
{
    g_autoptr(SlConnection) connection = NULL;
    g_autoptr(SlJob) job = make_job(f, SL_REQUEST_CLEAR, "id");
    g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
    g_assert_true(sl_sql_connection_get(tx, FIXTURE_CONNECTION, &connection, NULL));
    g_autofree char *catalog =
        worker_catalog_prepare(tx, connection, FALSE, job, 0, FIXTURE_NOW, NULL);
    g_autofree char *expected = g_strdup_printf(
        "{\"streams\":[{\"stream\":{\"name\":\"id\",\"namespace\":\"n\"},\"sync_mode\":"
        "\"full_refresh\",\"destination_sync_mode\":\"overwrite\",\"generation_id\":1,"
        "\"minimum_generation_id\":1,\"sync_id\":%d}]}",
        (int)job->job_id);
    g_assert_cmpstr(catalog, ==, expected);
}

/* Nothing left to do is an error that says so, and changes nothing. */
static void
test_nothing(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *script, *text;
        int kind;
    } bad[] = {
        {"select 1", "none of the streams", SL_REQUEST_CLEAR},
        {"update connection set catalog = '{\"streams\":[]}'", "no selected stream", SYNC},
        {"update connection set catalog = '{\"streams\":[{\"stream\":{}}]}'", "streams[0]", SYNC},
        {"update connection set catalog = '{'", "JSON", SYNC},
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(SlConnection) connection = NULL;
        g_autoptr(GError) error = NULL;
        queue_fixture_script(f->db, "truncate job, stream_generation, stream_request cascade");
        queue_fixture_script(f->db, bad[i].script);
        g_autoptr(SlJob) job = make_job(f, bad[i].kind, "gone");
        g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
        g_assert_true(sl_sql_connection_get(tx, FIXTURE_CONNECTION, &connection, NULL));
        g_assert_null(worker_catalog_prepare(tx, connection, TRUE, job, 0, FIXTURE_NOW, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_test_message("%s", error->message);
        if (i < 3)
            g_assert_nonnull(strstr(error->message, bad[i].text));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK); /* milestones of jobs that fail are warnings */
#define ADD(name, func) g_test_add("/worker/catalog/" name, Fixture, NULL, setup, func, teardown)
    ADD("table", test_table);
    ADD("owed", test_owed);
    ADD("modes", test_modes);
    ADD("nothing", test_nothing);
    return g_test_run();
}
