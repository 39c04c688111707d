/* SPDX-License-Identifier: Apache-2.0 */
/* Two clients at once: each in a thread and on a connection of its own, against the whole server.
 * Nobody's write is half there, nobody meets a 500, and what each was told is true. */
#include "config.h"

#include <string.h>

#include "server-fixture.h"

#define N_CLIENTS 4
#define N_ROUNDS 12
#define CONNECTION "/api/public/v1/connections/" FIXTURE_CONNECTION
#define STATE(name)                                                                                \
    "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"connectionState\":{\"connectionId\":"          \
    "\"" FIXTURE_CONNECTION "\",\"stateType\":\"stream\",\"streamState\":[{\"streamDescriptor\":{" \
    "\"name\":\"" name "\"},\"streamState\":{\"from\":%u}},{\"streamDescriptor\":{\"name\":"       \
    "\"shared\"},\"streamState\":{\"from\":%u,\"again\":%u}}]}}"

typedef struct {
    const char *method, *path;
    const char *pattern; /* of the body; %u: the client's number, as often as wanted (up to 3) */
    guint allowed[4];    /* statuses, 0 ends */
} Call;

typedef struct {
    Fixture *fix;
    const Call *call;
    guint number, rounds;
    guint counts[4]; /* of each allowed status */
} Client;

static void
ask(Client *client, SlHttpUnix *http)
{
    static const char *const headers[] = {"Content-Type", "application/json", NULL};
    const Call *call = client->call;
    g_autoptr(SlHttpUnixReply) reply = NULL;
    g_autoptr(GError) error = NULL;
    guint n = client->number, i = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    g_autofree char *body = call->pattern != NULL ? g_strdup_printf(call->pattern, n, n, n) : NULL;
#pragma GCC diagnostic pop
    g_autoptr(GBytes) bytes = body != NULL ? g_bytes_new(body, strlen(body)) : NULL;
    sl_http_unix_request(http, call->method, call->path, headers, bytes,
                         g_get_monotonic_time() + 60 * G_USEC_PER_SEC, NULL, &reply, &error);
    g_assert_no_error(error);
    while (call->allowed[i] != 0 && call->allowed[i] != reply->status)
        i++;
    if (call->allowed[i] == 0)
        g_error("%s %s: %u %.*s", call->method, call->path, reply->status,
                (int)g_bytes_get_size(reply->body),
                (const char *)g_bytes_get_data(reply->body, NULL));
    client->counts[i]++;
}

static gpointer
run_client(gpointer data)
{
    Client *client = data;
    g_autoptr(SlHttpUnix) http = sl_http_unix_new(client->fix->path);
    for (guint i = 0; i < client->rounds; i++)
        ask(client, http);
    return NULL;
}

/* Client i makes calls[i % n_calls]. */
static void
race(Fixture *fix, const Call *calls, guint n_calls, guint rounds, Client *clients)
{
    GThread *threads[N_CLIENTS];
    for (guint i = 0; i < N_CLIENTS; i++) {
        clients[i] =
            (Client){.fix = fix, .call = &calls[i % n_calls], .number = i + 1, .rounds = rounds};
        threads[i] = g_thread_new("client", run_client, &clients[i]);
    }
    for (guint i = 0; i < N_CLIENTS; i++)
        g_thread_join(threads[i]);
}

static gint64
count(Fixture *fix, const char *sql)
{
    return queue_fixture_count(fix->server.db, sql);
}

/* Each stream has the state of one client, whole; that of a stream of one's own is never lost. */
static void
test_states(Fixture *fix, gconstpointer data)
{
    static const char path[] = "/api/v1/state/create_or_update_safe";
    static const Call calls[] = {{"POST", path, STATE("a"), {200}},
                                 {"POST", path, STATE("b"), {200}}};
    Client clients[N_CLIENTS];
    race(fix, calls, 2, N_ROUNDS, clients);
    g_assert_cmpint(count(fix, "select count(*) from state"), ==, 3);
    g_assert_cmpint(count(fix, "select count(*) from state where stream = 'shared' and "
                               "state::jsonb -> 'from' = state::jsonb -> 'again'"),
                    ==, 1);
    g_assert_cmpint(count(fix, "select count(*) from state where (stream = 'a' and "
                               "(state::jsonb ->> 'from')::int % 2 = 1) or (stream = 'b' and "
                               "(state::jsonb ->> 'from')::int % 2 = 0)"),
                    ==, 2);
}

/* A run that begins just then: the state is written before it, or refused. */
static void
test_state_and_sync(Fixture *fix, gconstpointer data)
{
    static const Call calls[] = {
        {"POST", "/api/v1/state/create_or_update_safe", STATE("a"), {200, 423}},
        {"POST",
         "/api/v1/connections/sync",
         "{\"connectionId\":\"" FIXTURE_CONNECTION "\"}",
         {200, 409}},
    };
    Client clients[N_CLIENTS];
    g_atomic_int_set(&fix->pause_worker, 1);
    race(fix, calls, 2, 3, clients);
    /* one job, which all who asked were given */
    g_assert_cmpint(count(fix, "select count(*) from job"), ==, 1);
    g_assert_cmpint(count(fix, "select count(*) from state s, job j where s.updated_at > "
                               "j.created_at + interval '1 s'"),
                    ==, 0);
    g_atomic_int_set(&fix->pause_worker, 0);
}

/* A PATCH changes what it names: two of them that name different things both hold. */
static void
test_patches(Fixture *fix, gconstpointer data)
{
    static const Call calls[] = {
        {"PATCH", CONNECTION, "{\"name\":\"by-%u\"}", {200}},
        {"PATCH", CONNECTION, "{\"prefix\":\"p%u_\"}", {200}},
        {"PATCH", CONNECTION, "{\"status\":\"inactive\"}", {200}},
        {"PATCH",
         CONNECTION,
         "{\"schedule\":{\"scheduleType\":\"cron\",\"cronExpression\":\"0 0 4 * * ?\"}}",
         {200}},
    };
    Client clients[N_CLIENTS];
    for (guint i = 0; i < N_ROUNDS; i++) {
        queue_fixture_script(
            fix->server.db,
            "update connection set name = 'c', prefix = '', status = 'active', "
            "schedule_type = 'manual', cron_expression = null, cron_timezone = null");
        race(fix, calls, 4, 1, clients);
        g_assert_cmpint(
            count(fix, "select count(*) from connection where name = 'by-1' and prefix = 'p2_' "
                       "and status = 'inactive' and schedule_type = 'cron'"),
            ==, 1);
    }
}

/* The same of a source's configuration, where PATCH merges: both members are there. */
static void
test_configurations(Fixture *fix, gconstpointer data)
{
    static const char path[] = "/api/public/v1/sources/" FIXTURE_SOURCE;
    static const Call calls[] = {
        {"PATCH", path, "{\"configuration\":{\"host\":\"h%u\"}}", {200}},
        {"PATCH", path, "{\"configuration\":{\"port\":%u}}", {200}},
        {"PATCH", path, "{\"configuration\":{\"password\":\"secret-%u\"}}", {200}},
        {"PATCH", path, "{\"configuration\":{\"options\":{\"a\":\"%u\"}}}", {200}},
    };
    Client clients[N_CLIENTS];
    for (guint i = 0; i < N_ROUNDS; i++) {
        call(fix, "PUT", path,
             "{\"name\":\"s\",\"configuration\":{\"host\":\"h\",\"password\":\"first\"}}", 200);
        race(fix, calls, 4, 1, clients);
        const char *read = member(fix, call(fix, "GET", path, NULL, 200), "configuration");
        assert_has(read, "\"host\":\"h1\"");
        assert_has(read, "\"port\":2");
        assert_has(read, "\"a\":\"4\"");
        assert_has(read, "\"password\":\"**********\"");
        /* of the password one row is left, which the configuration refers to */
        g_assert_cmpint(
            count(fix, "select count(*) from secret where actor_id = '" FIXTURE_SOURCE "'"), ==, 1);
        g_assert_cmpint(count(fix,
                              "select count(*) from secret s join actor a using (actor_id) where "
                              "position(s.secret_id::text in a.configuration) > 0"),
                        ==, 1);
    }
}

/* Whatever comes first: afterwards it is deleted, and nothing runs. */
static void
test_delete_and_update(Fixture *fix, gconstpointer data)
{
    static const Call calls[] = {
        {"DELETE", CONNECTION, NULL, {204}},
        {"PATCH", CONNECTION, "{\"name\":\"by-%u\"}", {200, 404, 409}},
        {"POST",
         "/api/public/v1/jobs",
         "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"jobType\":\"sync\"}",
         {200, 404, 409}},
        {"DELETE", CONNECTION, NULL, {204}},
    };
    Client clients[N_CLIENTS];
    for (guint i = 0; i < N_ROUNDS; i++) {
        queue_fixture_script(
            fix->server.db,
            "delete from task; delete from job; update connection set status = 'active'");
        race(fix, calls, 4, 1, clients);
        g_assert_cmpint(count(fix, "select count(*) from connection where status = 'deprecated'"),
                        ==, 1);
        call(fix, "GET", CONNECTION, NULL, 200);
    }
}

/* A source that is deleted while a connection is made of it: either there is none, or it goes too.
 */
static void
test_delete_and_create(Fixture *fix, gconstpointer data)
{
    static const Call calls[] = {
        {"DELETE", "/api/public/v1/sources/" FIXTURE_SOURCE, NULL, {204, 404}},
        {"POST",
         "/api/v1/connections/create",
         "{\"sourceId\":\"" FIXTURE_SOURCE "\",\"destinationId\":\"" FIXTURE_DESTINATION
         "\",\"status\":\"active\",\"name\":\"made-%u\"}",
         {200, 404, 409}},
    };
    Client clients[N_CLIENTS];
    for (guint i = 0; i < N_ROUNDS; i++) {
        queue_fixture_script(fix->server.db, "delete from task; delete from job; "
                                             "update actor set tombstone = false");
        race(fix, calls, 2, 1, clients);
        g_assert_cmpint(
            count(fix, "select count(*) from connection c join actor a on a.actor_id = c.source_id "
                       "where a.tombstone and c.status <> 'deprecated'"),
            ==, 0);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
#define CASE(name, func) g_test_add("/server/race/" name, Fixture, NULL, setup, func, teardown)
    CASE("states", test_states);
    CASE("state-and-sync", test_state_and_sync);
    CASE("patches", test_patches);
    CASE("configurations", test_configurations);
    CASE("delete-and-update", test_delete_and_update);
    CASE("delete-and-create", test_delete_and_create);
    return g_test_run();
}
