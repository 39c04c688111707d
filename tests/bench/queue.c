/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <libpq-fe.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sl-http-unix.h"
#include "sl-json-read.h"
#include "sl-queue-workload.h"
#include "sl-sql.h"

/* bench-queue MODE: launchers that bring workloads through create → claim → running → success.
 *   tables: a hundred workloads a statement; calls: by the functions of src/queue, each edge a
 *   transaction; api: by the workload API on --socket (created by the function, as the worker
 * does). Prints "done seconds per-second p50 p99 longest": times of a fetch (poll and claim), in
 * ms. */

#define BATCH 100
#define LEASE_USEC (120 * (gint64)G_USEC_PER_SEC)
#define HIDE_USEC (5 * (gint64)G_USEC_PER_SEC)

typedef struct {
    const char *mode, *conninfo, *socket;
    SlDb *db;
    gint64 first_job, n_jobs;
    gint64 end;    /* monotonic */
    gint next_job; /* offset; atomic */
    gint done;     /* atomic */
    gint failed;   /* atomic */
    char *workspace;
} Bench;

typedef struct {
    Bench *bench;
    guint number;
    char plane[16];
    PGconn *pg;
    SlHttpUnix *client;
    GArray *fetches; /* double, ms */
} Launcher;

static gboolean
complain(Launcher *l, const char *what, const char *why)
{
    if (g_atomic_int_add(&l->bench->failed, 1) == 0)
        g_printerr("%s: %s\n", what, why);
    return FALSE;
}

/* --- a hundred a statement -----------------------------------------------------------------------
 */

/* The edges of src/db/sql/workload.sql and task.sql, over sets. */
static const struct {
    const char *name, *sql;
    int n;
} edges[] = {
    {"create",
     "with added as (insert into workload (workload_id, auto_id, type, data_plane_group, job_id, "
     "attempt_number, workspace_id, input, launch, log_path, created_at, updated_at) select j || "
     "'_0_check', gen_random_uuid(), 'check', 'auto', j, 0, $3::uuid, '{}', '{}', 'x', now(), "
     "now() "
     "from generate_series($1::int8, $2::int8) j returning workload_id), told as (select "
     "pg_notify('sluice_workload', 'auto')) insert into workload_queue (workload_id, "
     "data_plane_group, priority, hidden_until, created_at) select workload_id, 'auto', 0, now(), "
     "now() from added, told",
     3},
    {"claim",
     "with next as (select workload_id from workload_queue where data_plane_group = 'auto' and "
     "hidden_until <= now() order by priority desc, created_at limit 100 for update skip locked), "
     "dequeued as (delete from workload_queue q using next where q.workload_id = "
     "next.workload_id), claimed as (update workload w set status = 'claimed', data_plane_id = "
     "$1::text, token = md5(random()::text), updated_at = now() from next where w.workload_id = "
     "next.workload_id and w.status = 'pending' returning w.workload_id), leased as (insert into "
     "workload_lease (workload_id, expires_at, heartbeat_at) select workload_id, now() + interval "
     "'2 min', now() from claimed) select array_agg(workload_id)::text from claimed",
     1},
    {"running",
     "with held as (update workload set status = 'running', updated_at = now() where workload_id = "
     "any($1::text[]) and status in ('claimed', 'launched') and data_plane_id = $2 returning "
     "workload_id) update workload_lease l set expires_at = now() + interval '2 min', heartbeat_at "
     "= now() from held where l.workload_id = held.workload_id",
     2},
    {"success",
     "with finished as (update workload set status = 'success', updated_at = now(), finished_at = "
     "now() where workload_id = any($1::text[]) and status = 'running' and data_plane_id = $2 "
     "returning workload_id, job_id, attempt_number), unleased as (delete from workload_lease l "
     "using finished where l.workload_id = finished.workload_id), told as (select "
     "pg_notify('sluice_task', '')) insert into task (kind, job_id, attempt_number, run_at, "
     "created_at) select 'attempt_finish', job_id, attempt_number, now(), now() from finished, "
     "told",
     2},
};

static PGresult *
edge(Launcher *l, guint i, const char *const *values)
{
    PGresult *result = PQexecPrepared(l->pg, edges[i].name, edges[i].n, values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return result;
    complain(l, edges[i].name, PQerrorMessage(l->pg));
    PQclear(result);
    return NULL;
}

/* One edge without an answer; how many rows. */
static gint64
push(Launcher *l, guint i, const char *one, const char *two, const char *three)
{
    const char *values[] = {one, two, three};
    PGresult *result = edge(l, i, values);
    gint64 n = result != NULL ? g_ascii_strtoll(PQcmdTuples(result), NULL, 10) : -1;
    PQclear(result);
    return n;
}

static gboolean
open_tables(Launcher *l)
{
    l->pg = PQconnectdb(l->bench->conninfo);
    if (PQstatus(l->pg) != CONNECTION_OK)
        return complain(l, "connecting", PQerrorMessage(l->pg));
    for (guint i = 0; i < G_N_ELEMENTS(edges); i++)
        PQclear(PQprepare(l->pg, edges[i].name, edges[i].sql, 0, NULL));
    return TRUE;
}

static void
note_fetch(Launcher *l, gint64 began)
{
    double ms = (double)(g_get_monotonic_time() - began) / 1000;
    g_array_append_val(l->fetches, ms);
}

static gboolean
cycle_tables(Launcher *l, gint64 job_id)
{
    g_autofree char *from = g_strdup_printf("%" G_GINT64_FORMAT, job_id);
    g_autofree char *to = g_strdup_printf("%" G_GINT64_FORMAT, job_id + BATCH - 1);
    const char *plane[] = {l->plane};
    if (push(l, 0, from, to, l->bench->workspace) < 0)
        return FALSE;
    gint64 began = g_get_monotonic_time();
    PGresult *result = edge(l, 1, plane);
    note_fetch(l, began);
    if (result == NULL)
        return FALSE;
    g_autofree char *ids = g_strdup(PQgetvalue(result, 0, 0));
    PQclear(result);
    if (*ids == '\0')
        return TRUE; /* the others were faster */
    gint64 n = push(l, 2, ids, l->plane, NULL) < 0 ? -1 : push(l, 3, ids, l->plane, NULL);
    if (n > 0)
        g_atomic_int_add(&l->bench->done, (gint)n);
    return n >= 0;
}

/* --- one by one ----------------------------------------------------------------------------------
 */

typedef struct {
    Launcher *launcher;
    gint64 job_id;
    char *id, *token; /* of what was claimed */
} Life;

typedef gboolean (*Work)(SlTx *tx, Life *life, gint64 now, GError **error);

static gboolean
create(SlTx *tx, Life *life, gint64 now, GError **error)
{
    SlWorkloadRequest request = {.type = SL_WORKLOAD_TYPE_CHECK,
                                 .data_plane_group = "auto",
                                 .job_id = life->job_id,
                                 .workspace_id = life->launcher->bench->workspace,
                                 .input = "{\"type\":\"check\"}",
                                 .launch = "{}",
                                 .log_path = "x"};
    return sl_queue_workload_create(tx, &request, now, NULL, error);
}

static gboolean
poll_one(SlTx *tx, Life *life, gint64 now, GError **error)
{
    g_autoptr(GPtrArray) found = NULL;
    if (!sl_queue_workload_poll(tx, "auto", 1, HIDE_USEC, now, &found, error))
        return FALSE;
    if (found->len > 0)
        life->id = g_strdup(((const SlWorkload *)found->pdata[0])->workload_id);
    return TRUE;
}

static gboolean
claim(SlTx *tx, Life *life, gint64 now, GError **error)
{
    return sl_queue_workload_claim(tx, life->id, life->launcher->plane, LEASE_USEC, now,
                                   &life->token, error);
}

static gboolean
run(SlTx *tx, Life *life, gint64 now, GError **error)
{
    gboolean cancel;
    return sl_queue_workload_running(tx, life->id, life->token, LEASE_USEC, now, &cancel, error);
}

static gboolean
succeed(SlTx *tx, Life *life, gint64 now, GError **error)
{
    SlWorkloadReport report = {.workload_id = life->id,
                               .token = life->token,
                               .output = "{\"check\":{\"status\":\"succeeded\"}}",
                               .status = SL_WORKLOAD_STATUS_SUCCESS};
    return sl_queue_workload_finish(tx, &report, now, error);
}

static gboolean
in_tx(Life *life, Work work, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(life->launcher->bench->db, FALSE, &error);
    return (tx != NULL && work(tx, life, g_get_real_time(), &error) && sl_tx_commit(tx, &error)) ||
           complain(life->launcher, name, error->message);
}

static gboolean
call(Life *life, const char *method, const char *path, const char *body, SlJsonDoc **ret)
{
    Launcher *l = life->launcher;
    g_autofree char *url = g_strconcat("/api/v1/workload", path, NULL);
    g_autofree char *bearer = g_strconcat("Bearer ", life->token, NULL);
    const char *headers[] = {"Content-Type", "application/json",
                             life->token != NULL ? "Authorization" : NULL, bearer, NULL};
    g_autoptr(GBytes) bytes = g_bytes_new(body, strlen(body));
    g_autoptr(SlHttpUnixReply) reply = NULL;
    g_autoptr(GError) error = NULL;
    gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    if (!sl_http_unix_request(l->client, method, url, headers, bytes, deadline, NULL, &reply,
                              &error))
        return complain(l, path, error->message);
    gsize len;
    const char *text = g_bytes_get_data(reply->body, &len);
    if (reply->status >= 300)
        return complain(l, path, text);
    if (ret != NULL)
        *ret = sl_json_read_copy(text, len, NULL, NULL);
    return TRUE;
}

static gboolean
fetch_api(Life *life)
{
    g_autoptr(SlJsonDoc) polled = NULL, claimed = NULL;
    g_autofree char *poll_body =
        g_strdup_printf("{\"dataplaneGroup\":\"auto\",\"dataplaneId\":\"%s\",\"quantity\":1}",
                        life->launcher->plane);
    if (!call(life, "POST", "/queue/poll", poll_body, &polled))
        return FALSE;
    const SlJsonNode *found = sl_json_get(polled, sl_json_root(polled), "workloads");
    const SlJsonNode *first = found != NULL ? sl_json_at(polled, found, 0) : NULL;
    if (first == NULL)
        return TRUE;
    life->id = sl_json_dup_string(sl_json_get(polled, first, "workloadId"));
    g_autofree char *claim_body = g_strdup_printf("{\"workloadId\":\"%s\",\"dataplaneId\":\"%s\"}",
                                                  life->id, life->launcher->plane);
    if (!call(life, "PUT", "/claim", claim_body, &claimed))
        return FALSE;
    const SlJsonNode *token = sl_json_get(claimed, sl_json_root(claimed), "token");
    life->token = token != NULL ? sl_json_dup_string(token) : NULL;
    return TRUE;
}

static gboolean
end_api(Life *life)
{
    g_autofree char *running = g_strdup_printf("{\"workloadId\":\"%s\"}", life->id);
    g_autofree char *success = g_strdup_printf(
        "{\"workloadId\":\"%s\",\"output\":{\"check\":{\"status\":\"succeeded\"}}}", life->id);
    return call(life, "PUT", "/running", running, NULL) &&
           call(life, "PUT", "/success", success, NULL);
}

static gboolean
live(Life *life, gboolean api)
{
    if (!in_tx(life, create, "create"))
        return FALSE;
    gint64 began = g_get_monotonic_time();
    gboolean ok =
        api ? fetch_api(life)
            : in_tx(life, poll_one, "poll") && (life->id == NULL || in_tx(life, claim, "claim"));
    note_fetch(life->launcher, began);
    if (!ok || life->token == NULL)
        return ok; /* the others were faster */
    ok = api ? end_api(life) : in_tx(life, run, "running") && in_tx(life, succeed, "success");
    if (ok)
        g_atomic_int_inc(&life->launcher->bench->done);
    return ok;
}

static gboolean
cycle_one(Launcher *l, gint64 job_id, gboolean api)
{
    Life life = {.launcher = l, .job_id = job_id};
    gboolean ok = live(&life, api);
    g_free(life.id);
    g_free(life.token);
    return ok;
}

/* --- all launchers
 * --------------------------------------------------------------------------------
 */

static gpointer
launch(gpointer data)
{
    Launcher *l = data;
    Bench *b = l->bench;
    gboolean tables = strcmp(b->mode, "tables") == 0, api = strcmp(b->mode, "api") == 0;
    gint step = tables ? BATCH : 1;
    if (tables && !open_tables(l))
        return NULL;
    if (api)
        l->client = sl_http_unix_new(b->socket);
    while (g_get_monotonic_time() < b->end && g_atomic_int_get(&b->failed) == 0) {
        gint64 offset = g_atomic_int_add(&b->next_job, step);
        if (offset + step > b->n_jobs) {
            complain(l, "jobs", "there are too few: give more with --jobs");
            break;
        }
        if (tables)
            cycle_tables(l, b->first_job + offset);
        else
            cycle_one(l, b->first_job + offset, api);
    }
    PQfinish(l->pg);
    sl_http_unix_free(l->client);
    return NULL;
}

static int
compare(gconstpointer a, gconstpointer b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static char *
ask(const char *conninfo, const char *sql)
{
    PGconn *pg = PQconnectdb(conninfo);
    PGresult *result = PQexec(pg, sql);
    char *text = NULL;
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0)
        text = g_strdup(PQgetvalue(result, 0, 0));
    else
        g_printerr("%s: %s", sql, PQerrorMessage(pg));
    PQclear(result);
    PQfinish(pg);
    return text;
}

/* What a workload belongs to: a running job with one attempt. Not part of what is measured. */
static gboolean
prepare(Bench *b)
{
    g_autofree char *sql = g_strdup_printf(
        "with made as (insert into job (config_type, scope, workspace_id, status, created_at, "
        "started_at, updated_at) select 'check_connection', gen_random_uuid(), (select "
        "workspace_id "
        "from workspace limit 1), 'running', now(), now(), now() from generate_series(1, "
        "%" G_GINT64_FORMAT ") returning job_id), tried as (insert into attempt (job_id, "
        "attempt_number, log_path, created_at, updated_at) select job_id, 0, 'x', now(), now() "
        "from "
        "made returning job_id) select min(job_id) from tried",
        b->n_jobs);
    g_autofree char *first = ask(b->conninfo, sql);
    b->workspace = ask(b->conninfo, "select workspace_id from workspace limit 1");
    if (first == NULL || b->workspace == NULL)
        return FALSE;
    b->first_job = g_ascii_strtoll(first, NULL, 10);
    return TRUE;
}

static int
measure(Bench *b, guint n, double seconds)
{
    g_autofree Launcher *launchers = g_new0(Launcher, n);
    g_autofree GThread **threads = g_new0(GThread *, n);
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(double));
    gint64 began = g_get_monotonic_time();
    b->end = began + (gint64)(seconds * G_USEC_PER_SEC);
    for (guint i = 0; i < n; i++) {
        launchers[i].bench = b;
        g_snprintf(launchers[i].plane, sizeof launchers[i].plane, "plane%u", i);
        launchers[i].fetches = g_array_new(FALSE, FALSE, sizeof(double));
        threads[i] = g_thread_new("launcher", launch, &launchers[i]);
    }
    for (guint i = 0; i < n; i++) {
        g_thread_join(threads[i]);
        g_array_append_vals(all, launchers[i].fetches->data, launchers[i].fetches->len);
        g_array_unref(launchers[i].fetches);
    }
    double took = (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC;
    g_array_sort(all, compare);
    if (b->failed > 0 || all->len == 0)
        return 1;
    const double *sorted = (const double *)all->data;
    printf("%d %.2f %.0f %.2f %.2f %.2f\n", b->done, took, b->done / took, sorted[all->len / 2],
           sorted[MIN(all->len - 1, all->len * 99 / 100)], sorted[all->len - 1]);
    return 0;
}

int
main(int argc, char **argv)
{
    Bench bench = {0};
    gint launchers = 8;
    gdouble seconds = 5;
    gint64 jobs = 0;
    g_autofree char *conninfo = NULL, *socket = NULL;
    const GOptionEntry entries[] = {
        {"database", 0, 0, G_OPTION_ARG_STRING, &conninfo, "connection string", "TEXT"},
        {"socket", 0, 0, G_OPTION_ARG_STRING, &socket, "of the workload API", "PATH"},
        {"launchers", 0, 0, G_OPTION_ARG_INT, &launchers, "how many", "N"},
        {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, "how long", "N"},
        {"jobs", 0, 0, G_OPTION_ARG_INT64, &jobs, "made beforehand", "N"},
        {NULL},
    };
    setlocale(LC_ALL, "C.UTF-8");
    g_autoptr(GOptionContext) context = g_option_context_new("tables|calls|api");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, NULL) || argc != 2 || conninfo == NULL) {
        g_printerr("bench-queue --database=TEXT [--socket=PATH] tables|calls|api\n");
        return 2;
    }
    bench.mode = argv[1];
    bench.conninfo = conninfo;
    bench.socket = socket;
    bench.n_jobs = jobs > 0 ? jobs : (gint64)(seconds * (bench.mode[0] == 't' ? 20000 : 5000));
    bench.db = sl_db_new(conninfo, (guint)launchers, 30 * (gint64)G_USEC_PER_SEC);
    int status = prepare(&bench) ? measure(&bench, (guint)launchers, seconds) : 1;
    sl_db_unref(bench.db);
    g_free(bench.workspace);
    return status;
}
