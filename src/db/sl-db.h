/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "sl-config.h"
#include "sl-record.h"

/* PostgreSQL through libpq: a small pool of connections, transactions as scopes, and the statements
 * of src/db/sql as typed calls (sl-sql.h, generated). Calls block and belong on worker threads.
 *
 * SQLSTATE is mapped once: unique and exclusion violations → CONFLICT, check, not-null and foreign
 * key violations → INVALID, 40001 and 40P01 → SERIALIZATION, 57014 → TIMED_OUT, class 08, 57P and a
 * broken connection → UNAVAILABLE, everything else → DATABASE. */

typedef struct SlDb SlDb; /* the pool; thread-safe, atomically counted */
typedef struct SlTx SlTx; /* one transaction on one connection; one thread at a time */

/* The connection string of this host for a database role ("sluice", "sluice_launcher"): the
 * configured Url=, or the private cluster. */
char *sl_db_conninfo(const SlConfig *config, const char *role);

/* The same for a program of PostgreSQL's: `env` (consumed) with what libpq reads from it, so
 * that a password stands in no command line. */
char **sl_db_conninfo_to_environ(const char *conninfo, char **env, GError **error);

/* Connects nothing yet. */
SlDb *sl_db_new(const char *conninfo, guint pool_size, gint64 statement_timeout_usec);
SlDb *sl_db_ref(SlDb *db);
void sl_db_unref(SlDb *db);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlDb, sl_db_unref)

/* Can a connection be had and a query answered? */
gboolean sl_db_ping(SlDb *db, GError **error);

/* The same as an SlDaemonAttempt: what a daemon waits for when it starts. `db` is an SlDb. */
gboolean sl_db_attempt_ping(gpointer db, GCancellable *cancellable, GError **error);

/* How many statements of src/db/sql were run since it was made: a list must not ask once per row.
 */
guint sl_db_count_statements(SlDb *db);

/* Closes idle connections, so that an idle process holds none. */
void sl_db_trim(SlDb *db);

/* Begins a transaction (READ COMMITTED). Waits for a free connection up to the statement timeout:
 * SL_ERROR_BUSY after that. What only reads has no transaction of PostgreSQL: each statement is one
 * of its own, which cannot write, and a lost connection is replaced between them. */
SlTx *sl_db_begin(SlDb *db, gboolean read_only, GError **error);
gboolean sl_tx_commit(SlTx *tx, GError **error);
void sl_tx_free(SlTx *tx); /* rolls back what was not committed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlTx, sl_tx_free)

/* Runs `work` in a transaction and commits; again, up to 5 times, when it lost a race
 * (SERIALIZATION). `work` must not keep results of a failed run. */
typedef gboolean (*SlTxWork)(SlTx *tx, gpointer data, GError **error);
gboolean sl_db_run(SlDb *db, SlTxWork work, gpointer data, GError **error);

/* Runs `func` right after the commit, in order; never after a rollback: what is told must have
 * happened. `data` is freed in either case. */
void sl_tx_after_commit(SlTx *tx, void (*func)(gpointer data), gpointer data,
                        GDestroyNotify free_data);

/* NOTIFY, delivered at commit. */
gboolean sl_tx_notify(SlTx *tx, const char *channel, const char *payload, GError **error);

/* --- the generated calls use these ------------------------------------------------------------ */

#define SL_SQL_MAX_PARAMS 32

typedef struct {
    const char *name;
    const char *sql;
    guint n_params;
    guint types[SL_SQL_MAX_PARAMS]; /* type OIDs, as in pg_type */
} SlStatement;

typedef struct {
    const char *values[SL_SQL_MAX_PARAMS];
    char *owned[SL_SQL_MAX_PARAMS];
    guint n;
} SlBind;

void sl_bind_text(SlBind *bind, const char *value); /* NULL → null */
void sl_bind_int(SlBind *bind, gint64 value);
void sl_bind_int_or_null(SlBind *bind, const gint64 *value);
void sl_bind_double(SlBind *bind, double value);
void sl_bind_bool(SlBind *bind, gboolean value);
void sl_bind_time(SlBind *bind, gint64 usec);
void sl_bind_time_or_null(SlBind *bind, const gint64 *usec);
void sl_bind_array(SlBind *bind, const char *const *values);

/* All of them clear the bind. ret_row is NULL when no row came; more than one row is our bug. */
gboolean sl_tx_run_exec(SlTx *tx, const SlStatement *statement, SlBind *bind, gint64 *ret_affected,
                        GError **error);
gboolean sl_tx_run_row(SlTx *tx, const SlStatement *statement, SlBind *bind, const SlRecord *record,
                       gpointer *ret_row, GError **error);
gboolean sl_tx_run_rows(SlTx *tx, const SlStatement *statement, SlBind *bind,
                        const SlRecord *record, GDestroyNotify free_row, GPtrArray **ret_rows,
                        GError **error);
/* First column of the only row, as text; NULL when null or no row. */
gboolean sl_tx_run_text(SlTx *tx, const SlStatement *statement, SlBind *bind, char **ret_value,
                        GError **error);
gboolean sl_tx_run_int(SlTx *tx, const SlStatement *statement, SlBind *bind, gint64 *ret_value,
                       GError **error);

/* For migrations and tests only: a script of statements, no parameters. */
gboolean sl_tx_run_script(SlTx *tx, const char *sql, GError **error);

/* For the test that compares every statement with its record: name and type OID of each result
 * column, as "name:oid" strings. */
char **sl_tx_describe(SlTx *tx, const SlStatement *statement, GError **error);
