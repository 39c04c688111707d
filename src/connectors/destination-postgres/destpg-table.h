/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "destpg-conn.h"
#include "destpg-type.h"

/* Tables as the connector wants them, and what it takes to get there. Each function is one or more
 * statements; whoever needs them together opens the transaction. */

typedef struct {
    char *name;
    char *quoted;
    const char *type; /* format_type() spelling */
    DestpgKind kind;
    gboolean not_null;
    gboolean meta; /* ours: never changed, never dropped */
} DestpgColumn;

typedef struct {
    GArray *columns;     /* DestpgColumn, in the order of CREATE TABLE */
    char **pk;           /* quoted names; NULL: no deduplication */
    const char *cursor;  /* quoted; NULL: none */
    const char *deleted; /* quoted _ab_cdc_deleted_at; NULL: none */
    gboolean raw;
} DestpgLayout;

void destpg_layout_clear(DestpgLayout *layout);
void destpg_layout_add(DestpgLayout *layout, const char *name, const char *type, DestpgKind kind,
                       gboolean not_null, gboolean meta);
/* "a", "b" of all columns; `prefix` ("s.") before each. */
char *destpg_layout_names(const DestpgLayout *layout, const char *prefix);

/* A table by its unquoted names. */
typedef struct {
    const char *schema, *table;
} DestpgTarget;
char *destpg_target_sql(DestpgTarget target); /* "schema"."table" */

/* What is there. */
typedef struct {
    gboolean exists;
    GArray *columns;    /* DestpgColumn: name, quoted, type, not_null */
    gboolean temporary; /* bears our mark */
    gboolean generations;
    gint64 generation_id; /* of the mark */
} DestpgFound;

void destpg_found_clear(DestpgFound *found);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DestpgFound, destpg_found_clear)

gboolean destpg_found_has(const DestpgFound *found, const char *column);
/* Does it have what every version of the connector made? A table that is not there is fine. */
gboolean destpg_table_is_ours(DestpgTarget target, const DestpgFound *found, GError **error);

/* Error: SL_ERROR_CONFIG when something else than a table has the name. */
gboolean destpg_table_find(DestpgConn *conn, DestpgTarget target, DestpgFound *ret, GError **error);

gboolean destpg_schema_ensure(DestpgConn *conn, const char *schema, GError **error);
gboolean destpg_table_create(DestpgConn *conn, DestpgTarget target, const DestpgLayout *layout,
                             GError **error);
/* One ALTER TABLE: adds, drops and changes columns. Refuses a table that is not ours. */
gboolean destpg_table_evolve(DestpgConn *conn, DestpgTarget target, const DestpgFound *found,
                             const DestpgLayout *layout, gboolean cascade, GError **error);
/* Creates or evolves. */
gboolean destpg_table_ensure(DestpgConn *conn, DestpgTarget target, const DestpgLayout *layout,
                             gboolean cascade, GError **error);
gboolean destpg_table_drop(DestpgConn *conn, DestpgTarget target, gboolean cascade, GError **error);

/* The mark of a table where rows wait: a comment, so that strays can be found and judged. */
gboolean destpg_table_mark(DestpgConn *conn, DestpgTarget target, gboolean generations,
                           gint64 generation_id, gint64 sync_id, GError **error);

/* Generation id of one row; -1: the table has no rows. NULL counts as 0. */
gboolean destpg_table_generation(DestpgConn *conn, DestpgTarget target, gint64 *ret,
                                 GError **error);

/* Is it worth writing `to` anew for the rows of `from`, and would nobody notice? Not when somebody
 * hung something on it that a new table would not have: a view, a grant, an index, … */
gboolean destpg_table_may_rebuild(DestpgConn *conn, DestpgTarget from, DestpgTarget to,
                                  const DestpgLayout *layout, gboolean *ret, GError **error);

/* Drops `to`, puts `from` in its place, indexes included; also drops another table. */
gboolean destpg_table_replace(DestpgConn *conn, DestpgTarget from, DestpgTarget to,
                              gboolean cascade, const DestpgTarget *also_drop, GError **error);
/* The same in a transaction of its own. */
gboolean destpg_table_swap(DestpgConn *conn, DestpgTarget from, DestpgTarget to, gboolean cascade,
                           const DestpgTarget *also_drop, GError **error);

/* The connector's indexes on the table, under the names they should have. */
gboolean destpg_index_ensure(DestpgConn *conn, DestpgTarget target, const DestpgLayout *layout,
                             gboolean cascade, GError **error);
