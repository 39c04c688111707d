/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#define CONNECTION "{\"connectionId\":\"" FIXTURE_CONNECTION "\"}"
#define SAVE(state)                                                                                \
    "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"connectionState\":{\"connectionId\":"          \
    "\"" FIXTURE_CONNECTION "\"," state "}}"

/* --- state ---------------------------------------------------------------------------------------
 */

static void
test_stream(Fixture *fix, gconstpointer data)
{
    const char *answer = config_call(fix, "state/get", CONNECTION, 200);
    g_assert_cmpstr(answer, ==,
                    "{\"stateType\":\"not_set\",\"connectionId\":\"" FIXTURE_CONNECTION "\"}");
    g_assert_cmpstr(config_call(fix, "web_backend/state/get_type", CONNECTION, 200), ==,
                    "\"not_set\"");
    answer = config_call(
        fix, "state/create_or_update_safe",
        SAVE("\"stateType\":\"stream\",\"streamState\":[{\"streamDescriptor\":{\"name\":\"a\"},"
             "\"streamState\":{\"n\":12345678901234567890}},{\"streamDescriptor\":{\"name\":\"b\","
             "\"namespace\":\"x\"},\"streamState\":{}}]"),
        200);
    g_assert_cmpstr(member(fix, answer, "stateType"), ==, "stream");
    /* the source's own bytes */
    g_assert_cmpstr(config_at(fix, answer, "streamState", "0", "streamState", NULL), ==,
                    "{\"n\":12345678901234567890}");
    g_assert_cmpstr(
        config_at(fix, answer, "streamState", "1", "streamDescriptor", "namespace", NULL), ==, "x");
    /* nothing is forgotten by leaving it out: neither what is not named nor what has no state */
    static const char *const empty[] = {"[]", "[{}]", "[{\"streamDescriptor\":{\"name\":\"a\"}}]"};
    for (guint i = 0; i < G_N_ELEMENTS(empty); i++) {
        config_call(fix, "state/create_or_update_safe",
                    format(fix, SAVE("\"stateType\":\"stream\",\"streamState\":%s"), empty[i]),
                    i == 0 ? 200 : 400);
        g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from state"), ==, 2);
    }
    /* the given streams only; null forgets one */
    answer = config_call(fix, "state/create_or_update",
                         SAVE("\"stateType\":\"stream\",\"streamState\":[{\"streamDescriptor\":{"
                              "\"name\":\"a\"},\"streamState\":null}]"),
                         200);
    g_assert_cmpstr(config_at(fix, answer, "streamState", "0", "streamDescriptor", "name", NULL),
                    ==, "b");
    g_assert_cmpstr(config_call(fix, "web_backend/state/get_type", CONNECTION, 200), ==,
                    "\"stream\"");
    /* another type needs a clear first */
    config_refused(fix, "state/create_or_update_safe",
                   SAVE("\"stateType\":\"global\",\"globalState\":{\"streamStates\":[],"
                        "\"shared_state\":{}}"),
                   409, "clear the connection");
}

/* Snake case here, but some clients send camel case. */
static void
test_global(Fixture *fix, gconstpointer data)
{
    static const char *const names[] = {"sharedState", "shared_state"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *body =
            format(fix,
                   SAVE("\"stateType\":\"global\",\"globalState\":{\"%s\":{\"lsn\":%u},"
                        "\"streamStates\":[{\"streamDescriptor\":{\"name\":\"a\"},"
                        "\"streamState\":{\"k\":1}}]}"),
                   names[i], i);
        config_call(fix, "state/create_or_update_safe", body, 200);
        const char *answer = config_call(fix, "state/get", CONNECTION, 200);
        g_assert_cmpstr(config_at(fix, answer, "globalState", "shared_state", "lsn", NULL), ==,
                        format(fix, "%u", i));
        g_assert_cmpstr(
            config_at(fix, answer, "globalState", "streamStates", "0", "streamState", "k", NULL),
            ==, "1");
        assert_lacks(answer, "sharedState");
    }
    /* what is left out stays; null goes */
    static const struct {
        const char *global, *shared;
        gint64 rows;
    } cases[] = {
        {"{\"streamStates\":[]}", "{\"lsn\":1}", 2},
        {"{\"streamStates\":[{\"streamDescriptor\":{\"name\":\"b\"},\"streamState\":{\"k\":2}}]}",
         "{\"lsn\":1}", 3},
        {"{\"shared_state\":{\"lsn\":9},\"streamStates\":[]}", "{\"lsn\":9}", 3},
        {"{\"shared_state\":null,\"streamStates\":[]}", NULL, 2},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *body =
            format(fix, SAVE("\"stateType\":\"global\",\"globalState\":%s"), cases[i].global);
        const char *answer = config_call(fix, "state/create_or_update_safe", body, 200);
        if (cases[i].shared != NULL)
            g_assert_cmpstr(config_at(fix, answer, "globalState", "shared_state", NULL), ==,
                            cases[i].shared);
        else
            assert_lacks(answer, "lsn");
        g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from state"), ==,
                        cases[i].rows);
    }
    config_refused(fix, "state/create_or_update_safe",
                   SAVE("\"stateType\":\"global\",\"globalState\":{\"streamStates\":[{"
                        "\"streamDescriptor\":{\"name\":\"b\"}}]}"),
                   400, "globalState.streamStates[0].streamState: is required");
}

static void
test_legacy(Fixture *fix, gconstpointer data)
{
    const char *answer =
        config_call(fix, "state/create_or_update_safe",
                    SAVE("\"stateType\":\"legacy\",\"state\":{\"cursor\":\"x\"}"), 200);
    g_assert_cmpstr(config_at(fix, answer, "state", "cursor", NULL), ==, "x");
    /* legacy gives way */
    answer = config_call(fix, "state/create_or_update_safe",
                         SAVE("\"stateType\":\"stream\",\"streamState\":[{\"streamDescriptor\":{"
                              "\"name\":\"a\"},\"streamState\":{\"n\":1}}]"),
                         200);
    g_assert_cmpstr(member(fix, answer, "stateType"), ==, "stream");
    assert_lacks(answer, "cursor");
}

/* Null forgets, whatever the type. */
static void
test_null(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *set, *forget;
    } cases[] = {
        {SAVE("\"stateType\":\"stream\",\"streamState\":[{\"streamDescriptor\":{\"name\":\"a\"},"
              "\"streamState\":{}}]"),
         SAVE("\"stateType\":\"stream\",\"streamState\":[{\"streamDescriptor\":{\"name\":\"a\"},"
              "\"streamState\":null}]")},
        {SAVE("\"stateType\":\"legacy\",\"state\":{}"),
         SAVE("\"stateType\":\"legacy\",\"state\":null")},
        {SAVE("\"stateType\":\"global\",\"globalState\":{\"shared_state\":{},\"streamStates\":[{"
              "\"streamDescriptor\":{\"name\":\"a\",\"namespace\":\"x\"},\"streamState\":{}}]}"),
         SAVE("\"stateType\":\"global\",\"globalState\":{\"shared_state\":null,\"streamStates\":[{"
              "\"streamDescriptor\":{\"name\":\"a\",\"namespace\":\"x\"},\"streamState\":null}]}")},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        config_call(fix, "state/create_or_update_safe", cases[i].set, 200);
        g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from state"), >, 0);
        const char *answer = config_call(fix, "state/create_or_update_safe", cases[i].forget, 200);
        g_assert_cmpstr(member(fix, answer, "stateType"), ==, "not_set");
        g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from state"), ==, 0);
    }
}

static void
test_locked(Fixture *fix, gconstpointer data)
{
    static const char save[] =
        SAVE("\"stateType\":\"stream\",\"streamState\":[{\"streamDescriptor\":{\"name\":\"a\"},"
             "\"streamState\":{\"n\":1}}]");
    g_autoptr(SlJob) job = queue_fixture_job(fix->server.db);
    config_refused(fix, "state/create_or_update_safe", save, 423, "has not ended");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from state"), ==, 0);
    config_call(fix, "state/create_or_update", save, 200);
    queue_fixture_script(fix->server.db,
                         "update job set status = 'cancelled', finished_at = now()");
    config_call(fix, "state/create_or_update_safe", save, 200);
}

static void
test_refused(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *body, *message;
    } cases[] = {
        {"{}", "connectionId"},
        {CONNECTION, "connectionState"},
        {SAVE("\"stateType\":\"STREAMS\""), "stateType"},
        {SAVE("\"stateType\":\"not_set\""), "not_set"},
        {SAVE("\"stateType\":\"stream\""), "streamState: is required"},
        {SAVE("\"stateType\":\"global\""), "globalState: is required"},
        {SAVE("\"stateType\":\"legacy\""), "state: is required"},
        {SAVE("\"stateType\":\"stream\",\"streamState\":[{}]"), "streamDescriptor"},
        {SAVE("\"stateType\":\"stream\",\"streamState\":[{\"streamDescriptor\":{\"name\":\"\"}}]"),
         "name"},
        {"{\"connectionId\":\"" FIXTURE_CONNECTION
         "\",\"connectionState\":{\"connectionId\":\"" NO_ID
         "\",\"stateType\":\"legacy\",\"state\":{}}}",
         "another"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        config_refused(fix, "state/create_or_update_safe", cases[i].body, 400, cases[i].message);
    config_refused(fix, "state/get", "{\"connectionId\":\"" NO_ID "\"}", 404, NO_ID);
    config_refused(fix, "web_backend/state/get_type", "{}", 400, "connectionId");
    config_refused(fix, "state/create_or_update_safe",
                   "{\"connectionId\":\"" NO_ID "\",\"connectionState\":{\"connectionId\":\"" NO_ID
                   "\",\"stateType\":\"legacy\",\"state\":{}}}",
                   404, NO_ID);
}

/* --- tags ----------------------------------------------------------------------------------------
 */

#define TAG(id, workspace, name, color)                                                            \
    "{" id "\"workspaceId\":\"" workspace "\",\"name\":\"" name "\",\"color\":\"" color "\"}"

static void
test_tags(Fixture *fix, gconstpointer data)
{
    static const char list[] = "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}";
    g_assert_cmpstr(config_call(fix, "tags/list", list, 200), ==, "[]");
    const char *tag =
        config_call(fix, "tags/create", TAG("", FIXTURE_WORKSPACE, "daily", "FF00AA"), 200);
    const char *id = member(fix, tag, "tagId");
    /* a bare array */
    g_assert_cmpstr(config_call(fix, "tags/list", list, 200), ==, format(fix, "[%s]", tag));
    tag = config_call(
        fix, "tags/update",
        format(fix, TAG("\"tagId\":\"%s\",", FIXTURE_WORKSPACE, "weekly", "00FF00"), id), 200);
    g_assert_cmpstr(member(fix, tag, "name"), ==, "weekly");
    config_refused(fix, "tags/create", TAG("", FIXTURE_WORKSPACE, "weekly", "FF00AA"), 409,
                   "weekly");
    config_refused(fix, "tags/create", TAG("", FIXTURE_WORKSPACE, "x", "green"), 400, "color");
    config_refused(fix, "tags/create", "{\"name\":\"x\"}", 400, "workspaceId");
    config_refused(fix, "tags/update",
                   TAG("\"tagId\":\"" NO_ID "\",", FIXTURE_WORKSPACE, "x", "000000"), 404, NO_ID);
    /* of another workspace than it says */
    config_refused(fix, "tags/delete",
                   format(fix, "{\"tagId\":\"%s\",\"workspaceId\":\"" NO_ID "\"}", id), 404, id);
    const char *one =
        format(fix, "{\"tagId\":\"%s\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}", id);
    g_assert_cmpstr(config_call(fix, "tags/delete", one, 200), ==, tag);
    config_refused(fix, "tags/delete", one, 404, id);
    g_assert_cmpstr(config_call(fix, "tags/list", list, 200), ==, "[]");
}

void
config_add_state_cases(void)
{
    CONFIG_CASE("state/stream", test_stream);
    CONFIG_CASE("state/global", test_global);
    CONFIG_CASE("state/legacy", test_legacy);
    CONFIG_CASE("state/null", test_null);
    CONFIG_CASE("state/locked", test_locked);
    CONFIG_CASE("state/refused", test_refused);
    CONFIG_CASE("tags", test_tags);
}
