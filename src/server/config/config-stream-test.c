/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#include <string.h>

#define CONNECTION "{\"connectionId\":\"" FIXTURE_CONNECTION "\"}"
#define IN_WORKSPACE "\"workspaceId\":\"" FIXTURE_WORKSPACE "\""

/* Job 1 (sync): two attempts; job 2 (clear): one, still running. */
static void
make_states(Fixture *fix)
{
    queue_fixture_script(
        fix->server.db,
        "insert into job (config_type, scope, workspace_id, status, created_at, updated_at,"
        " finished_at) values"
        " ('sync', '" FIXTURE_CONNECTION "', '" FIXTURE_WORKSPACE "', 'failed',"
        " '2026-08-01T10:00:00Z', '2026-08-01T10:10:00Z', '2026-08-01T10:10:00Z'),"
        " ('clear', '" FIXTURE_CONNECTION "', '" FIXTURE_WORKSPACE "', 'running',"
        " '2026-08-01T11:00:00Z', '2026-08-01T11:00:00Z', null);"
        "insert into attempt (job_id, attempt_number, status, log_path, created_at, updated_at,"
        " ended_at) values (1, 0, 'failed', '1/0.ndjson', now(), now(), now()),"
        " (1, 1, 'failed', '1/1.ndjson', now(), now(), now()),"
        " (2, 0, 'running', '2/0.ndjson', now(), now(), null);"
        "insert into attempt_stats (job_id, attempt_number, namespace, stream, run_state,"
        " incomplete_run_cause, quota_reset, run_state_at, updated_at) values"
        " (1, 0, '', '', null, null, null, null, now()),"
        " (1, 0, 'n', 'users', 'incomplete', 'failed', null, '2026-08-01T10:05:00Z', now()),"
        " (1, 0, '', 'orders', 'complete', null, null, '2026-08-01T10:04:00Z', now()),"
        " (1, 0, '', 'untold', null, null, null, null, now()),"
        " (1, 1, 'n', 'users', 'incomplete', 'canceled', null, '2026-08-01T10:10:00Z', now()),"
        " (1, 1, '', 'orders', 'rate_limited', null, 1785579000000, '2026-08-01T10:09:00Z', now()),"
        " (2, 0, 'n', 'users', 'running', null, null, '2026-08-01T11:00:00.250Z', now())");
}

static guint
count_in(Fixture *fix, const char *answer, const char *list)
{
    const char *text = config_at(fix, answer, list, NULL);
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, NULL);
    guint n = 0;
    SL_JSON_FOREACH (doc, sl_json_root(doc), one)
        n += one != NULL;
    return n;
}

static void
test_list(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *members;
        guint n;
        const char *job, *attempt, *stream; /* of the first, the newest */
    } cases[] = {
        {"\"pagination\":{}", 5, "2", "0", "users"},
        {"\"pagination\":{\"pageSize\":2,\"rowOffset\":2}", 2, "1", "1", "orders"},
        {"\"pagination\":{\"rowOffset\":5}", 0, NULL, NULL, NULL},
        {"\"pagination\":{},\"connectionId\":\"" FIXTURE_CONNECTION "\"", 5, "2", "0", "users"},
        {"\"pagination\":{},\"jobId\":1", 4, "1", "1", "users"},
        {"\"pagination\":{},\"jobId\":1,\"attemptNumber\":0", 2, "1", "0", "users"},
        {"\"pagination\":{},\"jobType\":\"RESET\"", 1, "2", "0", "users"},
        {"\"pagination\":{},\"jobType\":\"SYNC\"", 4, "1", "1", "users"},
        {"\"pagination\":{},\"streamName\":\"orders\"", 2, "1", "1", "orders"},
        {"\"pagination\":{},\"streamNamespace\":\"n\"", 3, "2", "0", "users"},
        {"\"pagination\":{},\"streamNamespace\":\"m\"", 0, NULL, NULL, NULL},
        {"\"pagination\":{},\"streamName\":\"untold\"", 0, NULL, NULL, NULL},
    };
    make_states(fix);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].members);
        const char *answer =
            config_call(fix, "stream_statuses/list",
                        format(fix, "{" IN_WORKSPACE ",%s}", cases[i].members), 200);
        g_assert_cmpuint(count_in(fix, answer, "streamStatuses"), ==, cases[i].n);
        if (cases[i].n == 0)
            continue;
        const char *first = config_at(fix, answer, "streamStatuses", "0", NULL);
        g_assert_cmpstr(member(fix, first, "jobId"), ==, cases[i].job);
        g_assert_cmpstr(member(fix, first, "attemptNumber"), ==, cases[i].attempt);
        g_assert_cmpstr(member(fix, first, "streamName"), ==, cases[i].stream);
    }
}

static void
test_shape(Fixture *fix, gconstpointer data)
{
    make_states(fix);
    const char *answer =
        config_call(fix, "stream_statuses/list", "{" IN_WORKSPACE ",\"pagination\":{}}", 200);
    const char *one = config_at(fix, answer, "streamStatuses", "0", NULL);
    g_assert_cmpstr(member(fix, one, "connectionId"), ==, FIXTURE_CONNECTION);
    g_assert_cmpstr(member(fix, one, "workspaceId"), ==, FIXTURE_WORKSPACE);
    g_assert_cmpstr(member(fix, one, "jobType"), ==, "RESET");
    g_assert_cmpstr(member(fix, one, "runState"), ==, "RUNNING");
    g_assert_cmpstr(member(fix, one, "streamNamespace"), ==, "n");
    /* milliseconds */
    g_assert_cmpstr(member(fix, one, "transitionedAt"), ==, "1785582000250");
    g_assert_cmpuint(strlen(member(fix, one, "id")), ==, 36);
    assert_lacks(one, "incompleteRunCause");
    assert_lacks(one, "metadata");
    one = config_at(fix, answer, "streamStatuses", "1", NULL);
    g_assert_cmpstr(member(fix, one, "runState"), ==, "INCOMPLETE");
    g_assert_cmpstr(member(fix, one, "incompleteRunCause"), ==, "CANCELED");
    one = config_at(fix, answer, "streamStatuses", "2", NULL);
    g_assert_cmpstr(member(fix, one, "runState"), ==, "RATE_LIMITED");
    g_assert_cmpstr(config_at(fix, one, "metadata", "quotaReset", NULL), ==, "1785579000000");
    assert_lacks(one, "streamNamespace");
    /* the same row has the same id every time, and no other has it */
    const char *again =
        config_call(fix, "stream_statuses/list",
                    "{" IN_WORKSPACE ",\"pagination\":{},\"jobId\":1,\"attemptNumber\":1,"
                    "\"streamName\":\"orders\"}",
                    200);
    g_assert_cmpstr(config_at(fix, again, "streamStatuses", "0", "id", NULL), ==,
                    member(fix, one, "id"));
    g_assert_cmpstr(config_at(fix, answer, "streamStatuses", "1", "id", NULL), !=,
                    member(fix, one, "id"));
}

static void
test_latest(Fixture *fix, gconstpointer data)
{
    const char *answer = config_call(fix, "stream_statuses/latest_per_run_state", CONNECTION, 200);
    g_assert_cmpuint(count_in(fix, answer, "streamStatuses"), ==, 0);
    make_states(fix);
    answer = config_call(fix, "stream_statuses/latest_per_run_state", CONNECTION, 200);
    /* orders: complete, rate limited; users: incomplete (its second attempt), running */
    g_assert_cmpuint(count_in(fix, answer, "streamStatuses"), ==, 4);
    const char *one = config_at(fix, answer, "streamStatuses", "2", NULL);
    g_assert_cmpstr(member(fix, one, "streamName"), ==, "users");
    g_assert_cmpstr(member(fix, one, "runState"), ==, "INCOMPLETE");
    g_assert_cmpstr(member(fix, one, "attemptNumber"), ==, "1");
    g_assert_cmpstr(member(fix, one, "incompleteRunCause"), ==, "CANCELED");
}

static void
test_refused(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *body;
        const char *message;
    } cases[] = {
        {"{\"pagination\":{}}", "workspaceId"},
        {"{" IN_WORKSPACE "}", "pagination"},
        {"{" IN_WORKSPACE ",\"pagination\":{\"pageSize\":0}}", "pageSize"},
        {"{" IN_WORKSPACE ",\"pagination\":{\"rowOffset\":-1}}", "rowOffset"},
        {"{" IN_WORKSPACE ",\"pagination\":{},\"jobType\":\"BOTH\"}", "jobType"},
        {"{" IN_WORKSPACE ",\"pagination\":{},\"attemptNumber\":-1}", "attemptNumber"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].body);
        config_refused(fix, "stream_statuses/list", cases[i].body, 400, cases[i].message);
    }
    config_refused(fix, "stream_statuses/latest_per_run_state", "{}", 400, "connectionId");
    config_refused(fix, "stream_statuses/latest_per_run_state", "{\"connectionId\":\"" NO_ID "\"}",
                   404, NO_ID);
}

/* --- mappers -------------------------------------------------------------------------------------
 */

#define VALIDATE(stream, mappers)                                                                  \
    "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"streamDescriptor\":" stream                    \
    ",\"mappers\":[" mappers "]}"
#define USERS "{\"name\":\"users\",\"namespace\":\"n\"}"
#define HASH(field)                                                                                \
    "{\"id\":\"" NO_ID "\",\"type\":\"hashing\",\"mapperConfiguration\":{\"targetField\":\"" field \
    "\",\"method\":\"SHA-256\",\"fieldNameSuffix\":\"_hashed\"}}"
#define RENAME(from, to)                                                                           \
    "{\"type\":\"field-renaming\",\"mapperConfiguration\":{\"originalFieldName\":\"" from          \
    "\",\"newFieldName\":\"" to "\"}}"

static void
make_stream(Fixture *fix)
{
    queue_fixture_script(
        fix->server.db,
        "update connection set catalog = '{\"streams\":[{\"stream\":{\"name\":\"users\","
        "\"namespace\":\"n\",\"json_schema\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":"
        "\"integer\"},\"at\":{\"type\":\"string\"},\"mail\":{\"type\":\"string\"}}},"
        "\"supported_sync_modes\":[\"full_refresh\",\"incremental\"]},\"sync_mode\":"
        "\"incremental\",\"destination_sync_mode\":\"append_dedup\",\"cursor_field\":[\"at\"],"
        "\"primary_key\":[[\"id\"]],\"mappers\":[{\"type\":\"field-filtering\","
        "\"mapperConfiguration\":{\"targetField\":\"mail\"}}]}]}'");
}

static void
test_validate(Fixture *fix, gconstpointer data)
{
    make_stream(fix);
    /* those that are stored do not count */
    const char *answer = config_call(fix, "web_backend/mappers/validate", VALIDATE(USERS, ""), 200);
    g_assert_cmpuint(count_in(fix, answer, "initialFields"), ==, 3);
    g_assert_cmpuint(count_in(fix, answer, "outputFields"), ==, 3);
    g_assert_cmpuint(count_in(fix, answer, "mappers"), ==, 0);
    const char *id = config_at(fix, answer, "initialFields", "0", NULL);
    g_assert_cmpstr(member(fix, id, "name"), ==, "id");
    g_assert_cmpstr(member(fix, id, "type"), ==, "INTEGER");
    g_assert_cmpstr(member(fix, id, "isSelectedPrimaryKey"), ==, "true");
    g_assert_cmpstr(member(fix, id, "isSelectedCursor"), ==, "false");
    g_assert_cmpstr(config_at(fix, answer, "initialFields", "1", "isSelectedCursor", NULL), ==,
                    "true");
    /* a key stays one under its new name */
    answer = config_call(fix, "web_backend/mappers/validate",
                         VALIDATE(USERS, RENAME("id", "number") "," HASH("mail")), 200);
    assert_lacks(answer, "validationError");
    assert_lacks(answer, "\"inputFields\":[]");
    const char *last = config_at(fix, answer, "outputFields", NULL);
    assert_has(last, "\"number\"");
    assert_has(last, "\"mail_hashed\"");
    assert_lacks(last, "\"id\"");
    assert_has(last, "\"name\":\"number\",\"type\":\"INTEGER\",\"isSelectedPrimaryKey\":true");
    g_assert_cmpstr(config_at(fix, answer, "mappers", "1", "id", NULL), ==, NO_ID);
    assert_has(config_at(fix, answer, "mappers", "1", "inputFields", NULL), "\"mail\"");
    assert_lacks(config_at(fix, answer, "mappers", "1", "outputFields", NULL), "\"mail\"");
}

static void
test_faults(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *body, *type, *message;
    } cases[] = {
        {VALIDATE(USERS, HASH("gone")), "FIELD_NOT_FOUND", "gone"},
        {VALIDATE(USERS, RENAME("mail", "at")), "FIELD_ALREADY_EXISTS", "at"},
        {VALIDATE(USERS, "{\"type\":\"turning\",\"mapperConfiguration\":{}}"), "MISSING_MAPPER",
         "turning"},
        {VALIDATE(USERS, "{\"type\":\"hashing\",\"mapperConfiguration\":{}}"),
         "INVALID_MAPPER_CONFIG", "targetField"},
    };
    make_stream(fix);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *answer = config_call(fix, "web_backend/mappers/validate", cases[i].body, 200);
        g_assert_cmpstr(config_at(fix, answer, "mappers", "0", "validationError", "type", NULL), ==,
                        cases[i].type);
        assert_has(config_at(fix, answer, "mappers", "0", "validationError", "message", NULL),
                   cases[i].message);
        /* it is as if it were not there */
        g_assert_cmpstr(config_at(fix, answer, "mappers", "0", "outputFields", NULL), ==,
                        config_at(fix, answer, "initialFields", NULL));
    }
    config_refused(fix, "web_backend/mappers/validate", VALIDATE("{\"name\":\"gone\"}", ""), 404,
                   "gone");
    /* the same name in no namespace is another stream */
    config_refused(fix, "web_backend/mappers/validate", VALIDATE("{\"name\":\"users\"}", ""), 404,
                   "users");
    config_refused(fix, "web_backend/mappers/validate", VALIDATE(USERS, "{\"type\":\"hashing\"}"),
                   400, "mapperConfiguration");
    config_refused(fix, "web_backend/mappers/validate", CONNECTION, 400, "streamDescriptor");
}

/* What becomes of a record, as a run would do it. */
static void
test_sample(Fixture *fix, gconstpointer data)
{
#define SAMPLE(mappers)                                                                            \
    "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"streamDescriptor\":" USERS                     \
    ",\"sampleRecord\":{\"id\":1,\"mail\":\"a@b\"},\"mappers\":[" mappers "]}"
#define ONLY(value)                                                                                \
    "{\"type\":\"row-filtering\",\"mapperConfiguration\":{\"conditions\":{\"type\":\"EQUAL\","     \
    "\"fieldName\":\"mail\",\"comparisonValue\":\"" value "\"}}}"
    static const struct {
        const char *body, *has, *lacks;
    } cases[] = {
        {SAMPLE(""), "\"sampleOutput\":{\"id\":1,\"mail\":\"a@b\"}", "sampleError"},
        {SAMPLE(RENAME("id", "number")), "\"number\":1", "sampleError"},
        {SAMPLE(HASH("mail")),
         "\"mail_hashed\":\"7508d8b5018ea640b85269861a101203f0c26900555268e930025dac844b0f35\"",
         "sampleFiltered"},
        {SAMPLE(ONLY("a@b")), "\"sampleOutput\"", "sampleFiltered"},
        {SAMPLE(ONLY("c@d")), "\"sampleFiltered\":true", "sampleOutput"},
        {SAMPLE(HASH("gone")), "\"sampleError\":", "sampleOutput"},
    };
    make_stream(fix);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *answer = config_call(fix, "web_backend/mappers/validate", cases[i].body, 200);
        assert_has(answer, cases[i].has);
        assert_lacks(answer, cases[i].lacks);
    }
    assert_lacks(config_call(fix, "web_backend/mappers/validate", VALIDATE(USERS, ""), 200),
                 "sample");
}

void
config_add_stream_cases(void)
{
    CONFIG_CASE("stream_statuses/list", test_list);
    CONFIG_CASE("stream_statuses/shape", test_shape);
    CONFIG_CASE("stream_statuses/latest", test_latest);
    CONFIG_CASE("stream_statuses/refused", test_refused);
    CONFIG_CASE("mappers/validate", test_validate);
    CONFIG_CASE("mappers/faults", test_faults);
    CONFIG_CASE("mappers/sample", test_sample);
}
