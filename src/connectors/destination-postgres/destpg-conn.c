/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-conn.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"

#define MAX_PARAMS 48
#define N_FILES 3

struct DestpgConn {
    PGconn *pq;
    int files[N_FILES]; /* certificates, while the connection lives */
};

/* SQLSTATE prefix → what it is to the caller, and the way out. First match wins. */
static const struct {
    const char *prefix;
    SlErrorCode code;
    const char *advice;
} states[] = {
    {"28P01", SL_ERROR_UNAUTHENTICATED, "check 'username' and 'password'"},
    {"28", SL_ERROR_UNAUTHENTICATED,
     "check 'username' and whether the server's pg_hba.conf lets this user in from this host"},
    {"3D000", SL_ERROR_NOT_FOUND, "create the database or correct 'database'"},
    {"3F000", SL_ERROR_NOT_FOUND, "create the schema or correct 'schema'"},
    {"42501", SL_ERROR_FORBIDDEN, "grant the user the missing right"},
    {"2BP01", SL_ERROR_CONFIG,
     "drop what depends on it, or set 'drop_cascade' to let the sync drop it"},
    {"0A000", SL_ERROR_CONFIG, NULL},
    {"25006", SL_ERROR_CONFIG, "the server is read-only: connect to the primary"},
    {"53100", SL_ERROR_CONFIG, "free or add disk space on the server"},
    {"54", SL_ERROR_CONFIG,
     "the stream is beyond a limit of PostgreSQL: deselect some of its fields"},
    {"42939", SL_ERROR_CONFIG, "the name belongs to PostgreSQL: choose another schema"},
    {"53", SL_ERROR_UNAVAILABLE, NULL}, /* too many connections, out of memory */
    {"08", SL_ERROR_UNAVAILABLE, NULL},
    {"57014", SL_ERROR_TIMED_OUT, NULL},
    {"57P", SL_ERROR_UNAVAILABLE, NULL}, /* shutting down, starting up, killed */
    {"40", SL_ERROR_SERIALIZATION, NULL},
    {"55P03", SL_ERROR_BUSY, NULL},
    {"", SL_ERROR_DATABASE, NULL},
};

static guint
state_row(const char *sqlstate)
{
    guint i = 0;
    while (!g_str_has_prefix(sqlstate, states[i].prefix))
        i++;
    return i;
}

gboolean
destpg_conn_fail(DestpgConn *conn, const PGresult *result, GError **error)
{
    if (PQstatus(conn->pq) == CONNECTION_BAD) {
        g_autofree char *text = g_strdup(PQerrorMessage(conn->pq));
        return sl_error_set(error, SL_ERROR_UNAVAILABLE,
                            "the connection to the server was lost\n%s", g_strstrip(text));
    }
    const char *state = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message =
        result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *context = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_CONTEXT);
    if (message == NULL)
        message = PQerrorMessage(conn->pq);
    guint row = state_row(state == NULL ? "" : state);
    const char *advice = states[row].advice;
    /* Details and context may quote the user's rows: not in the first line, which is shown. */
    return sl_error_set(error, states[row].code, "%s%s%s (SQLSTATE %s)\n%s%s%s", message,
                        advice != NULL ? "; " : "", advice != NULL ? advice : "",
                        state != NULL ? state : "none", detail != NULL ? detail : "",
                        detail != NULL && context != NULL ? "\n" : "",
                        context != NULL ? context : "");
}

/* A PEM text as a file that only we can open. libpq insists on paths. */
static gboolean
add_file(DestpgConn *conn, guint i, const char *text, char **ret_path, GError **error)
{
    if (text == NULL)
        return TRUE;
    conn->files[i] = memfd_create("sluice-certificate", MFD_CLOEXEC);
    /* libpq refuses a key that others may read. */
    if (conn->files[i] < 0 || fchmod(conn->files[i], 0600) != 0)
        return sl_error_set_errno(error, errno, "making a file for a certificate");
    *ret_path = g_strdup_printf("/proc/self/fd/%d", conn->files[i]);
    return sl_fd_write_all(conn->files[i], text, strlen(text), error);
}

typedef struct {
    const char *names[MAX_PARAMS + 1], *values[MAX_PARAMS + 1];
    guint n;
} Params;

static void
add(Params *params, const char *name, const char *value)
{
    if (value == NULL || params->n == MAX_PARAMS)
        return;
    params->names[params->n] = name;
    params->values[params->n++] = value;
}

/* What libpq says about a failed attempt: "… FATAL:  28P01: text\nLOCATION:  …", one line a try. */
static char *
connect_text(PGconn *pq, char *ret_state)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(PQerrorMessage(pq), "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        if (*lines[i] == '\0' || g_str_has_prefix(lines[i], "LOCATION:"))
            continue;
        char *fatal = strstr(lines[i], "FATAL:  ");
        if (fatal != NULL && strlen(fatal) > 15 && fatal[13] == ':') {
            g_strlcpy(ret_state, fatal + 8, 6);
            memmove(fatal, fatal + 15, strlen(fatal + 15) + 1);
        }
        g_string_append_printf(out, "%s%s", out->len > 0 ? "; " : "", g_strstrip(lines[i]));
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* Failures before the server speaks have no SQLSTATE; libpq's words are all there is. */
static const char *
network_advice(const char *text)
{
    static const struct {
        const char *part, *advice;
    } advices[] = {
        {"could not translate host name", "check 'host'"},
        {"Connection refused",
         "check 'host' and 'port', and that the server accepts connections from other hosts"},
        {"No such file or directory", "check 'host': no server listens on that socket"},
        {"certificate verify failed",
         "the server's certificate was not issued by 'ssl_mode.ca_certificate'"},
        {"does not match host name", "use the certificate's name as 'host', or mode verify-ca"},
        {"server does not support SSL", "choose another 'ssl_mode', or turn on TLS in the server"},
        {"could not read root certificate", "'ssl_mode.ca_certificate' is not PEM text"},
        {"could not read certificate", "'ssl_mode.client_certificate' is not PEM text"},
        {"could not load private key", "check 'ssl_mode.client_key' and 'client_key_password'"},
        {"timed out", "check 'host', 'port' and the firewalls between"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(advices); i++)
        if (strstr(text, advices[i].part) != NULL)
            return advices[i].advice;
    return NULL;
}

static gboolean
fail_connect(DestpgConn *conn, const DestpgConfig *config, const char *why, GError **error)
{
    char state[6] = "";
    g_autofree char *text = why != NULL ? g_strdup(why) : connect_text(conn->pq, state);
    guint row = state_row(state);
    const char *advice = *state != '\0' ? states[row].advice : network_advice(text);
    SlErrorCode code = *state != '\0' ? states[row].code : SL_ERROR_UNAVAILABLE;
    /* A wrong certificate does not become right by waiting. */
    if (*state == '\0' && advice != NULL && strstr(advice, "ssl_mode") != NULL)
        code = SL_ERROR_CONFIG;
    return sl_error_set(
        error, code,
        "cannot connect to PostgreSQL at host '%s' port %u, database '%s' as user '%s': "
        "%s%s%s",
        config->host, config->port, config->database, config->username, text,
        advice != NULL ? "; " : "", advice != NULL ? advice : "");
}

static gboolean
wait_connected(DestpgConn *conn, const DestpgConfig *config, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + config->connect_timeout_usec;
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;
    while (want != PGRES_POLLING_OK) {
        if (want == PGRES_POLLING_FAILED)
            return fail_connect(conn, config, NULL, error);
        gint64 left = deadline - g_get_monotonic_time();
        struct pollfd fd = {PQsocket(conn->pq), want == PGRES_POLLING_READING ? POLLIN : POLLOUT,
                            0};
        int n = left <= 0 ? 0 : poll(&fd, 1, (int)((left + 999) / 1000));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail_connect(conn, config, "the connection timed out", error);
        want = PQconnectPoll(conn->pq);
    }
    return TRUE;
}

/* Notices ("table exists, skipping") are nobody's news. */
static void
drop_notice(void *data, const PGresult *result)
{
}

DestpgConn *
destpg_conn_open(const DestpgConfig *config, GError **error)
{
    g_autoptr(DestpgConn) conn = g_new0(DestpgConn, 1);
    for (guint i = 0; i < N_FILES; i++)
        conn->files[i] = -1;
    g_autofree char *ca = NULL, *cert = NULL, *key = NULL;
    if (!add_file(conn, 0, config->ca, &ca, error) ||
        !add_file(conn, 1, config->cert, &cert, error) ||
        !add_file(conn, 2, config->key, &key, error))
        return NULL;
    g_autofree char *port = g_strdup_printf("%u", config->port);
    Params params = {0};
    add(&params, "application_name", "sluice");
    add(&params, "keepalives_idle", "60");
    add(&params, "keepalives_interval", "10");
    add(&params, "keepalives_count", "6");
    for (guint i = 0; i < config->params->len; i++) {
        const DestpgParam *param = &g_array_index(config->params, DestpgParam, i);
        add(&params, param->name, param->value);
    }
    add(&params, "host", config->host);
    add(&params, "port", port);
    add(&params, "dbname", config->database);
    add(&params, "user", config->username);
    add(&params, "client_encoding", "UTF8");
    add(&params, "sslrootcert", ca);
    add(&params, "sslcert", cert);
    add(&params, "sslkey", key);
    conn->pq = PQconnectStartParams(params.names, params.values, FALSE);
    if (conn->pq == NULL) {
        sl_error_set(error, SL_ERROR_FAILED, "out of memory");
        return NULL;
    }
    /* For the SQLSTATE, which libpq shows nowhere else while connecting. */
    PQsetErrorVerbosity(conn->pq, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(conn->pq, drop_notice, NULL);
    if (PQstatus(conn->pq) == CONNECTION_BAD) {
        fail_connect(conn, config, NULL, error);
        return NULL;
    }
    if (!wait_connected(conn, config, error))
        return NULL;
    PQsetErrorVerbosity(conn->pq, PQERRORS_DEFAULT);
    return g_steal_pointer(&conn);
}

void
destpg_conn_free(DestpgConn *conn)
{
    if (conn == NULL)
        return;
    PQfinish(conn->pq);
    for (guint i = 0; i < N_FILES; i++)
        sl_fd_clear(&conn->files[i]);
    g_free(conn);
}

PGconn *
destpg_conn_pq(DestpgConn *conn)
{
    return conn->pq;
}

static gboolean
succeeded(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN;
}

gboolean
destpg_exec(DestpgConn *conn, const char *sql, GError **error)
{
    g_autoptr(DestpgResultSet) result = PQexec(conn->pq, sql);
    return succeeded(result) || destpg_conn_fail(conn, result, error);
}

gboolean
destpg_execf(DestpgConn *conn, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *sql = g_strdup_vprintf(format, args);
    va_end(args);
    return destpg_exec(conn, sql, error);
}

PGresult *
destpg_query(DestpgConn *conn, const char *sql, guint n, const char *const *params, GError **error)
{
    PGresult *result = PQexecParams(conn->pq, sql, n, NULL, params, NULL, NULL, 0);
    if (succeeded(result))
        return result;
    destpg_conn_fail(conn, result, error);
    PQclear(result);
    return NULL;
}

/* A role or server may have set synchronous_commit off; an acknowledged state must survive the
 * server's crash all the same. Local to the transaction: a pooler may sit between. */
gboolean
destpg_begin(DestpgConn *conn, GError **error)
{
    return destpg_exec(conn, "begin", error) &&
           destpg_exec(conn, "set local synchronous_commit = on", error);
}

gboolean
destpg_commit(DestpgConn *conn, GError **error)
{
    g_autoptr(DestpgResultSet) result = PQexec(conn->pq, "commit");
    if (!succeeded(result))
        return destpg_conn_fail(conn, result, error);
    /* The commit of a failed transaction succeeds, as a rollback. */
    if (g_strcmp0(PQcmdStatus(result), "COMMIT") != 0)
        return sl_error_set(error, SL_ERROR_DATABASE, "the server rolled the transaction back");
    return TRUE;
}

void
destpg_rollback(DestpgConn *conn)
{
    if (PQtransactionStatus(conn->pq) != PQTRANS_IDLE)
        destpg_exec(conn, "rollback", NULL);
}
