/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-db.h"

#include <libpq-fe.h>
#include <string.h>

#include "sl-error.h"
#include "sl-time.h"

#define PRIVATE_CLUSTER "host=/run/sluice/postgres dbname=sluice"
#define RETRIES 5
#define MAX_COLUMNS 64 /* a record has no more fields */
#define BEGIN_WRITE "begin read write"

typedef struct {
    PGconn *pg;
    GHashTable *prepared; /* SlStatement pointers that this connection knows */
} Connection;

struct SlDb {
    char *conninfo;
    guint pool_size;
    gint64 timeout_usec;
    GMutex mutex;
    GCond returned;
    GQueue idle; /* Connection */
    guint n_open;
    guint n_statements; /* atomic */
};

typedef struct {
    void (*func)(gpointer data);
    gpointer data;
    GDestroyNotify free_data;
} AfterCommit;

struct SlTx {
    SlDb *db;
    Connection *connection; /* NULL: lost, and no new one could be had */
    gboolean open;
    gboolean reads;  /* no transaction of PostgreSQL: see sl_db_begin() */
    gboolean failed; /* a statement did */
    GArray *after;   /* AfterCommit; NULL: none */
};

char *
sl_db_conninfo(const SlConfig *config, const char *role)
{
    if (*config->database_url != '\0')
        return g_strdup(config->database_url);
    return g_strdup_printf(PRIVATE_CLUSTER " user=%s", role);
}

char **
sl_db_conninfo_to_environ(const char *conninfo, char **env, GError **error)
{
    char *reason = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &reason);
    if (options == NULL) {
        g_autofree char *text = g_strdup(reason != NULL ? reason : "out of memory");
        PQfreemem(reason);
        g_strfreev(env);
        sl_error_set(error, SL_ERROR_CONFIG, "[Database] Url=: %s", g_strchomp(text));
        return NULL;
    }
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
        if (option->val != NULL && option->envvar != NULL)
            env = g_environ_setenv(env, option->envvar, option->val, TRUE);
    PQconninfoFree(options);
    return env;
}

SlDb *
sl_db_new(const char *conninfo, guint pool_size, gint64 statement_timeout_usec)
{
    SlDb *db = g_atomic_rc_box_new0(SlDb);
    db->conninfo = g_strdup(conninfo);
    db->pool_size = MAX(pool_size, 1);
    db->timeout_usec = statement_timeout_usec;
    g_mutex_init(&db->mutex);
    g_cond_init(&db->returned);
    g_queue_init(&db->idle);
    return db;
}

static void
connection_free(Connection *connection)
{
    PQfinish(connection->pg);
    g_hash_table_unref(connection->prepared);
    g_free(connection);
}

static void
db_clear(gpointer data)
{
    SlDb *db = data;
    sl_db_trim(db);
    g_mutex_clear(&db->mutex);
    g_cond_clear(&db->returned);
    g_free(db->conninfo);
}

SlDb *
sl_db_ref(SlDb *db)
{
    return g_atomic_rc_box_acquire(db);
}

void
sl_db_unref(SlDb *db)
{
    if (db != NULL)
        g_atomic_rc_box_release_full(db, db_clear);
}

void
sl_db_trim(SlDb *db)
{
    g_mutex_lock(&db->mutex);
    Connection *connection;
    while ((connection = g_queue_pop_head(&db->idle)) != NULL) {
        connection_free(connection);
        db->n_open--;
    }
    g_mutex_unlock(&db->mutex);
}

/* --- errors ---------------------------------------------------------------------------------- */

static const struct {
    const char *prefix; /* of the SQLSTATE; the first match counts */
    SlErrorCode code;
} states[] = {
    {"23505", SL_ERROR_CONFLICT},      {"23P01", SL_ERROR_CONFLICT},
    {"23", SL_ERROR_INVALID},          {"22", SL_ERROR_INVALID},
    {"40001", SL_ERROR_SERIALIZATION}, {"40P01", SL_ERROR_SERIALIZATION},
    {"57014", SL_ERROR_TIMED_OUT},     {"55P03", SL_ERROR_TIMED_OUT},
    {"08", SL_ERROR_UNAVAILABLE},      {"57P", SL_ERROR_UNAVAILABLE},
    {"53", SL_ERROR_UNAVAILABLE},
};

static SlErrorCode
code_of(PGconn *pg, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    for (gsize i = 0; state != NULL && i < G_N_ELEMENTS(states); i++)
        if (g_str_has_prefix(state, states[i].prefix))
            return states[i].code;
    return PQstatus(pg) == CONNECTION_BAD ? SL_ERROR_UNAVAILABLE : SL_ERROR_DATABASE;
}

static gboolean
set_result_error(PGconn *pg, const PGresult *result, const char *what, GError **error)
{
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    g_autofree char *plain = g_strdup(text != NULL ? text : PQerrorMessage(pg));
    return sl_error_set(error, code_of(pg, result), "%s: %s%s%s%s%s%s", what, g_strchomp(plain),
                        detail != NULL ? "; " : "", detail != NULL ? detail : "",
                        constraint != NULL ? " [" : "", constraint != NULL ? constraint : "",
                        constraint != NULL ? "]" : "");
}

/* --- connections ----------------------------------------------------------------------------- */

static void
ignore_notice(void *data, const char *message)
{
    g_debug("database: %s", message);
}

static Connection *
connection_open(SlDb *db, GError **error)
{
    g_autofree char *options =
        g_strdup_printf("-c statement_timeout=%" G_GINT64_FORMAT " -c timezone=UTC -c datestyle=ISO"
                        " -c idle_in_transaction_session_timeout=60000"
                        " -c default_transaction_read_only=on" /* writers say so: BEGIN_WRITE */
                        /* our statements are short: to compile one takes longer than to run it */
                        " -c jit=off",
                        db->timeout_usec / 1000);
    const char *keys[] = {"dbname",
                          "connect_timeout",
                          "keepalives_idle",
                          "tcp_user_timeout",
                          "fallback_application_name",
                          "options",
                          NULL};
    const char *values[] = {db->conninfo, "10", "30", "30000", g_get_prgname(), options, NULL};
    PGconn *pg = PQconnectdbParams(keys, values, 1);
    if (PQstatus(pg) != CONNECTION_OK) {
        g_autofree char *reason = g_strdup(PQerrorMessage(pg));
        sl_error_set(error, SL_ERROR_UNAVAILABLE, "connecting to the database: %s",
                     g_strchomp(reason));
        PQfinish(pg);
        return NULL;
    }
    PQsetNoticeProcessor(pg, ignore_notice, NULL);
    Connection *connection = g_new0(Connection, 1);
    connection->pg = pg;
    connection->prepared = g_hash_table_new(NULL, NULL);
    return connection;
}

/* Takes an idle connection or the right to open one. FALSE: neither came in time. */
static gboolean
reserve(SlDb *db, Connection **ret)
{
    gint64 deadline = g_get_monotonic_time() + db->timeout_usec;
    gboolean ok = TRUE;
    g_mutex_lock(&db->mutex);
    while (ok && g_queue_is_empty(&db->idle) && db->n_open >= db->pool_size)
        ok = g_cond_wait_until(&db->returned, &db->mutex, deadline);
    if (ok) {
        *ret = g_queue_pop_head(&db->idle);
        if (*ret == NULL)
            db->n_open++;
    }
    g_mutex_unlock(&db->mutex);
    return ok;
}

static void
give_back(SlDb *db, Connection *connection)
{
    gboolean usable = connection != NULL && PQstatus(connection->pg) == CONNECTION_OK &&
                      PQtransactionStatus(connection->pg) == PQTRANS_IDLE;
    if (connection != NULL && !usable)
        connection_free(connection);
    g_mutex_lock(&db->mutex);
    if (usable)
        g_queue_push_head(&db->idle, connection);
    else
        db->n_open--;
    g_cond_signal(&db->returned);
    g_mutex_unlock(&db->mutex);
}

static gboolean
run_simple(PGconn *pg, const char *sql, GError **error)
{
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    gboolean ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!ok)
        set_result_error(pg, result, "database", error);
    PQclear(result);
    return ok;
}

/* A pooled connection may have died while it was idle (the server was restarted): that is found
 * out by BEGIN, and a fresh one is tried in its place. */
static gboolean
begin_write(SlDb *db, Connection **connection, GError **error)
{
    if (*connection != NULL && run_simple((*connection)->pg, BEGIN_WRITE, NULL))
        return TRUE;
    g_clear_pointer(connection, connection_free);
    *connection = connection_open(db, error);
    return *connection != NULL && run_simple((*connection)->pg, BEGIN_WRITE, error);
}

/* READ COMMITTED takes a snapshot for each statement, so that BEGIN and COMMIT around statements
 * that only read would be two round trips for nothing. Nothing can be lost either: a statement that
 * finds its connection dead is asked again on a fresh one. */
static gboolean
begin_read(SlDb *db, Connection **connection, GError **error)
{
    if (*connection == NULL)
        *connection = connection_open(db, error);
    return *connection != NULL;
}

SlTx *
sl_db_begin(SlDb *db, gboolean read_only, GError **error)
{
    Connection *connection = NULL;
    if (!reserve(db, &connection)) {
        sl_error_set(error, SL_ERROR_BUSY, "all %u database connections are in use", db->pool_size);
        return NULL;
    }
    if (!(read_only ? begin_read : begin_write)(db, &connection, error)) {
        give_back(db, connection);
        return NULL;
    }
    SlTx *tx = g_new0(SlTx, 1);
    tx->db = sl_db_ref(db);
    tx->connection = connection;
    tx->open = TRUE;
    tx->reads = read_only;
    return tx;
}

/* COMMIT of a failed transaction answers ROLLBACK and "succeeds": say so instead. */
static gboolean
commit(SlTx *tx, GError **error)
{
    if (tx->failed) {
        if (!tx->reads)
            run_simple(tx->connection->pg, "rollback", NULL);
        return sl_error_set(error, SL_ERROR_DATABASE, "a statement failed before the commit");
    }
    return tx->reads || run_simple(tx->connection->pg, "commit", error);
}

gboolean
sl_tx_commit(SlTx *tx, GError **error)
{
    g_return_val_if_fail(tx->open, FALSE);
    tx->open = FALSE;
    if (!commit(tx, error))
        return FALSE;
    for (guint i = 0; tx->after != NULL && i < tx->after->len; i++) {
        const AfterCommit *after = &g_array_index(tx->after, AfterCommit, i);
        after->func(after->data);
    }
    return TRUE;
}

void
sl_tx_after_commit(SlTx *tx, void (*func)(gpointer data), gpointer data, GDestroyNotify free_data)
{
    AfterCommit after = {func, data, free_data};
    if (tx->after == NULL)
        tx->after = g_array_new(FALSE, FALSE, sizeof(AfterCommit));
    g_array_append_val(tx->after, after);
}

static void
clear_after(SlTx *tx)
{
    for (guint i = 0; tx->after != NULL && i < tx->after->len; i++) {
        const AfterCommit *after = &g_array_index(tx->after, AfterCommit, i);
        if (after->free_data != NULL)
            after->free_data(after->data);
    }
    g_clear_pointer(&tx->after, g_array_unref);
}

void
sl_tx_free(SlTx *tx)
{
    if (tx == NULL)
        return;
    if (tx->open && !tx->reads)
        run_simple(tx->connection->pg, "rollback", NULL);
    give_back(tx->db, tx->connection);
    clear_after(tx);
    sl_db_unref(tx->db);
    g_free(tx);
}

gboolean
sl_db_run(SlDb *db, SlTxWork work, gpointer data, GError **error)
{
    for (guint try = 1;; try++) {
        GError *reason = NULL;
        g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, error);
        if (tx == NULL)
            return FALSE;
        if (work(tx, data, &reason) && sl_tx_commit(tx, &reason))
            return TRUE;
        if (try >= RETRIES || !g_error_matches(reason, SL_ERROR, SL_ERROR_SERIALIZATION)) {
            g_propagate_error(error, reason);
            return FALSE;
        }
        g_error_free(reason);
    }
}

guint
sl_db_count_statements(SlDb *db)
{
    return (guint)g_atomic_int_get(&db->n_statements);
}

gboolean
sl_db_ping(SlDb *db, GError **error)
{
    static const SlStatement ping = {"ping", "select 1", 0, {0}};
    g_autoptr(SlTx) tx = sl_db_begin(db, TRUE, error);
    SlBind bind = {0};
    return tx != NULL && sl_tx_run_exec(tx, &ping, &bind, NULL, error) && sl_tx_commit(tx, error);
}

gboolean
sl_db_attempt_ping(gpointer db, GCancellable *cancellable, GError **error)
{
    return sl_db_ping(db, error);
}

gboolean
sl_tx_notify(SlTx *tx, const char *channel, const char *payload, GError **error)
{
    static const SlStatement notify = {"pg_notify", "select pg_notify($1, $2)", 2, {25, 25}};
    SlBind bind = {0};
    sl_bind_text(&bind, channel);
    sl_bind_text(&bind, payload != NULL ? payload : "");
    return sl_tx_run_exec(tx, &notify, &bind, NULL, error);
}

/* --- parameters ------------------------------------------------------------------------------ */

static void
bind_owned(SlBind *bind, char *value)
{
    g_return_if_fail(bind->n < SL_SQL_MAX_PARAMS);
    bind->owned[bind->n] = value;
    bind->values[bind->n++] = value;
}

void
sl_bind_text(SlBind *bind, const char *value)
{
    g_return_if_fail(bind->n < SL_SQL_MAX_PARAMS);
    bind->values[bind->n++] = value;
}

void
sl_bind_int(SlBind *bind, gint64 value)
{
    bind_owned(bind, g_strdup_printf("%" G_GINT64_FORMAT, value));
}

void
sl_bind_int_or_null(SlBind *bind, const gint64 *value)
{
    if (value != NULL)
        sl_bind_int(bind, *value);
    else
        sl_bind_text(bind, NULL);
}

void
sl_bind_double(SlBind *bind, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    bind_owned(bind, g_strdup(g_ascii_dtostr(text, sizeof text, value)));
}

void
sl_bind_bool(SlBind *bind, gboolean value)
{
    sl_bind_text(bind, value ? "t" : "f");
}

void
sl_bind_time(SlBind *bind, gint64 usec)
{
    bind_owned(bind, sl_time_format(usec));
}

void
sl_bind_time_or_null(SlBind *bind, const gint64 *usec)
{
    if (usec != NULL)
        sl_bind_time(bind, *usec);
    else
        sl_bind_text(bind, NULL);
}

/* An array literal: every element quoted, backslash and quote escaped (PostgreSQL §8.15.2). */
void
sl_bind_array(SlBind *bind, const char *const *values)
{
    GString *out = g_string_new("{");
    for (guint i = 0; values != NULL && values[i] != NULL; i++) {
        g_string_append(out, i > 0 ? ",\"" : "\"");
        for (const char *p = values[i]; *p != '\0'; p++) {
            if (*p == '"' || *p == '\\')
                g_string_append_c(out, '\\');
            g_string_append_c(out, *p);
        }
        g_string_append_c(out, '"');
    }
    g_string_append_c(out, '}');
    bind_owned(bind, g_string_free(out, FALSE));
}

static void
bind_clear(SlBind *bind)
{
    for (guint i = 0; i < bind->n; i++)
        g_clear_pointer(&bind->owned[i], g_free);
    bind->n = 0;
}

/* --- statements ------------------------------------------------------------------------------ */

static gboolean
ensure_prepared(Connection *connection, const SlStatement *statement, GError **error)
{
    if (g_hash_table_contains(connection->prepared, statement))
        return TRUE;
    PGresult *result = PQprepare(connection->pg, statement->name, statement->sql,
                                 (int)statement->n_params, statement->types);
    gboolean ok = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (ok)
        g_hash_table_add(connection->prepared, (gpointer)statement);
    else
        set_result_error(connection->pg, result, statement->name, error);
    PQclear(result);
    return ok;
}

static PGresult *
execute_once(SlTx *tx, const SlStatement *statement, const SlBind *bind, GError **error)
{
    PGconn *pg = tx->connection->pg;
    if (!ensure_prepared(tx->connection, statement, error))
        return NULL;
    PGresult *result =
        PQexecPrepared(pg, statement->name, (int)bind->n, bind->values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return result;
    set_result_error(pg, result, statement->name, error);
    PQclear(result);
    return NULL;
}

static PGresult *
execute_again(SlTx *tx, const SlStatement *statement, const SlBind *bind, GError **error)
{
    g_clear_pointer(&tx->connection, connection_free);
    tx->connection = connection_open(tx->db, error);
    return tx->connection != NULL ? execute_once(tx, statement, bind, error) : NULL;
}

static PGresult *
execute(SlTx *tx, const SlStatement *statement, SlBind *bind, GError **error)
{
    PGresult *result = NULL;
    g_autoptr(GError) reason = NULL;
    g_atomic_int_inc(&tx->db->n_statements);
    if (bind->n != statement->n_params)
        g_critical("%s: %u parameters bound, %u wanted", statement->name, bind->n,
                   statement->n_params);
    else if (tx->connection == NULL)
        sl_error_set(&reason, SL_ERROR_UNAVAILABLE, "the connection to the database was lost");
    else
        result = execute_once(tx, statement, bind, &reason);
    if (reason != NULL && tx->reads && tx->connection != NULL &&
        PQstatus(tx->connection->pg) == CONNECTION_BAD) {
        g_clear_error(&reason);
        result = execute_again(tx, statement, bind, &reason);
    }
    bind_clear(bind);
    if (reason != NULL)
        g_propagate_error(error, g_steal_pointer(&reason));
    tx->failed |= result == NULL;
    return result;
}

gboolean
sl_tx_run_exec(SlTx *tx, const SlStatement *statement, SlBind *bind, gint64 *ret_affected,
               GError **error)
{
    PGresult *result = execute(tx, statement, bind, error);
    if (result == NULL)
        return FALSE;
    if (ret_affected != NULL)
        *ret_affected = g_ascii_strtoll(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return TRUE;
}

/* A result's columns as fields of the record, looked up once and not for each row. */
typedef struct {
    const SlField *fields[MAX_COLUMNS];
    int n;
} Columns;

static gboolean
find_columns(const PGresult *result, const SlRecord *record, Columns *ret, GError **error)
{
    ret->n = PQnfields(result);
    if (ret->n > MAX_COLUMNS)
        return sl_error_set(error, SL_ERROR_DATABASE, "%d columns are too many", ret->n);
    for (int i = 0; i < ret->n; i++) {
        ret->fields[i] = sl_record_find(record, PQfname(result, i));
        if (ret->fields[i] == NULL)
            return sl_error_set(error, SL_ERROR_DATABASE, "%s has no column '%s'", record->name,
                                PQfname(result, i));
    }
    return TRUE;
}

static gpointer
read_row(const PGresult *result, int row, const SlRecord *record, const Columns *columns,
         GError **error)
{
    gpointer object = sl_record_new(record);
    for (int i = 0; i < columns->n; i++) {
        const char *text = PQgetisnull(result, row, i) ? NULL : PQgetvalue(result, row, i);
        if (!sl_record_set_field(record, object, columns->fields[i], text, error)) {
            sl_record_free(record, object);
            return NULL;
        }
    }
    return object;
}

gboolean
sl_tx_run_row(SlTx *tx, const SlStatement *statement, SlBind *bind, const SlRecord *record,
              gpointer *ret_row, GError **error)
{
    PGresult *result = execute(tx, statement, bind, error);
    *ret_row = NULL;
    if (result == NULL)
        return FALSE;
    Columns columns;
    gboolean ok = TRUE;
    if (PQntuples(result) > 1)
        ok = sl_error_set(error, SL_ERROR_DATABASE, "%s: %d rows where one was expected",
                          statement->name, PQntuples(result));
    else if (PQntuples(result) == 1)
        ok = find_columns(result, record, &columns, error) &&
             (*ret_row = read_row(result, 0, record, &columns, error)) != NULL;
    PQclear(result);
    return ok;
}

gboolean
sl_tx_run_rows(SlTx *tx, const SlStatement *statement, SlBind *bind, const SlRecord *record,
               GDestroyNotify free_row, GPtrArray **ret_rows, GError **error)
{
    PGresult *result = execute(tx, statement, bind, error);
    *ret_rows = NULL;
    if (result == NULL)
        return FALSE;
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(free_row);
    Columns columns;
    gboolean ok = PQntuples(result) == 0 || find_columns(result, record, &columns, error);
    for (int i = 0; ok && i < PQntuples(result); i++) {
        gpointer object = read_row(result, i, record, &columns, error);
        ok = object != NULL;
        if (ok)
            g_ptr_array_add(rows, object);
    }
    PQclear(result);
    if (!ok)
        return FALSE;
    *ret_rows = g_steal_pointer(&rows);
    return TRUE;
}

gboolean
sl_tx_run_text(SlTx *tx, const SlStatement *statement, SlBind *bind, char **ret_value,
               GError **error)
{
    PGresult *result = execute(tx, statement, bind, error);
    *ret_value = NULL;
    if (result == NULL)
        return FALSE;
    if (PQntuples(result) > 0 && !PQgetisnull(result, 0, 0))
        *ret_value = g_strdup(PQgetvalue(result, 0, 0));
    PQclear(result);
    return TRUE;
}

gboolean
sl_tx_run_int(SlTx *tx, const SlStatement *statement, SlBind *bind, gint64 *ret_value,
              GError **error)
{
    g_autofree char *text = NULL;
    if (!sl_tx_run_text(tx, statement, bind, &text, error))
        return FALSE;
    *ret_value = text != NULL ? g_ascii_strtoll(text, NULL, 10) : 0;
    return TRUE;
}

gboolean
sl_tx_run_script(SlTx *tx, const char *sql, GError **error)
{
    tx->failed |= !run_simple(tx->connection->pg, sql, error);
    return !tx->failed;
}

char **
sl_tx_describe(SlTx *tx, const SlStatement *statement, GError **error)
{
    if (!ensure_prepared(tx->connection, statement, error))
        return NULL;
    PGresult *result = PQdescribePrepared(tx->connection->pg, statement->name);
    GPtrArray *columns = g_ptr_array_new();
    for (int i = 0; i < PQnfields(result); i++)
        g_ptr_array_add(columns, g_strdup_printf("%s:%u", PQfname(result, i), PQftype(result, i)));
    PQclear(result);
    g_ptr_array_add(columns, NULL);
    return (char **)g_ptr_array_free(columns, FALSE);
}
