/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Names of schemas, tables, columns and indexes. Pure; every result is ASCII, fits PostgreSQL's 63
 * bytes and is meant to be quoted. The rules are those of the public connector, so that a
 * connection that moves over finds its tables; the differences are in README.md. */

#define DESTPG_NAME_MAX 63

/* The rule for one name: NFKD without combining marks, white space runs and everything outside
 * [A-Za-z0-9_] to '_', no digit first, never empty, long names cut with a hash of the whole. */
char *destpg_name(const char *text);

/* Column names for the fields of one stream, in order, NULL-terminated. Names differ from each
 * other even when case is ignored, from the system columns and from the _airbyte_ columns. */
char **destpg_name_columns(const char *const *fields, GError **error);

typedef struct {
    char *schema;
    char *table;
} DestpgTableName;

void destpg_table_name_clear(DestpgTableName *name);

/* Final tables of all streams of a catalog: n namespaces (none NULL) and names. Two streams never
 * get the same table. */
DestpgTableName *destpg_name_tables(const char *const *namespaces, const char *const *names,
                                    guint n, GError **error);

/* Where an attempt's rows wait: in the schema of the final table. */
char *destpg_name_temp(const char *schema, const char *table);

/* The table of raw-only mode. */
char *destpg_name_raw(const char *ns, const char *name);

/* prefix "idx_pk_" etc. PostgreSQL would cut a longer name silently and call two indexes one. */
char *destpg_name_index(const char *prefix, const char *table);

/* "name", quotes doubled. */
char *destpg_quote(const char *name);
