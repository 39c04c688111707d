/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <libpq-fe.h>

#include "destpg-config.h"

/* One libpq connection. SQLSTATEs become SL_ERROR codes here and nowhere else: class 08 and
 * shutdowns are UNAVAILABLE (transient), what the user can mend is a configuration error. */
typedef struct DestpgConn DestpgConn;

/* Connects within the configured time. */
DestpgConn *destpg_conn_open(const DestpgConfig *config, GError **error);
void destpg_conn_free(DestpgConn *conn);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DestpgConn, destpg_conn_free)

PGconn *destpg_conn_pq(DestpgConn *conn);

/* Runs one statement without parameters. */
gboolean destpg_exec(DestpgConn *conn, const char *sql, GError **error);
gboolean destpg_execf(DestpgConn *conn, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* A statement with text parameters; rows. PQclear() the result. */
PGresult *destpg_query(DestpgConn *conn, const char *sql, guint n, const char *const *params,
                       GError **error);
typedef PGresult DestpgResultSet;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DestpgResultSet, PQclear)

/* A transaction whose commit is durable. Rollback ignores a broken connection. */
gboolean destpg_begin(DestpgConn *conn, GError **error);
gboolean destpg_commit(DestpgConn *conn, GError **error);
void destpg_rollback(DestpgConn *conn);

/* The error of a failed result, or of the connection when result is NULL. Returns FALSE. */
gboolean destpg_conn_fail(DestpgConn *conn, const PGresult *result, GError **error);
