/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* What has become of a source's streams since a connection was configured.
 *
 * `configured` is the connection's ConfiguredAirbyteCatalog, `known` the AirbyteCatalog that it was
 * made from, `discovered` the fresh one. Streams that come and go are those of `known`, configured
 * or not; fields are compared of the configured streams, between the two discovered catalogs.
 * Without `known` (NULL) the configured catalog stands in for it.
 *
 * A change is breaking when a sync hangs on what is gone: a field of the cursor of an incremental
 * stream, a field of the key of one that is deduplicated, or the source's own key, which has become
 * another. Everything else is not: other types, other fields, whole streams. */
#define SL_CATALOG_DIFF_MAX_TEXTS 100
typedef struct {
    char *text;         /* CatalogDiff of the config API, JSON */
    guint n;            /* transforms in it */
    guint n_configured; /* of these, of streams that the connection has */
    guint n_lost;       /* of these, streams that are gone */
    gboolean breaking;
    GPtrArray *texts; /* the transforms, for people; at most SL_CATALOG_DIFF_MAX_TEXTS */
    GPtrArray *grown; /* SlCatalogGrown: incremental streams with fields that are new or other, and
                         that the connection does not have as they are now */
} SlCatalogDiff;

typedef struct {
    char *ns; /* "" = none */
    char *name;
} SlCatalogGrown;

/* SL_ERROR_INVALID: one of the texts is no JSON. */
gboolean sl_catalog_diff_make(const char *configured, const char *known, const char *discovered,
                              SlCatalogDiff *ret, GError **error);
void sl_catalog_diff_clear(SlCatalogDiff *diff);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SlCatalogDiff, sl_catalog_diff_clear)

/* The configured catalog with the changes in it. Streams that the connection has become as they
 * were discovered now, and keep their configuration; with field selection, new top-level fields are
 * selected. With `fully`, streams that are new are added with modes that both sides have (a stream
 * for which there are none without a person's choice is left out), and those that are gone
 * are dropped. `destination_spec` says what the destination can do. NULL and no error: nothing
 * changes. */
char *sl_catalog_propagate(const char *configured, const char *known, const char *discovered,
                           gboolean fully, const char *destination_spec, GError **error);

/* What an edit has changed in a configured catalog, as the timeline tells it (CatalogConfigDiff:
 * streams and fields that are taken now or no more, modes, cursors, keys, mappers). NULL and no
 * error: nothing. */
char *sl_catalog_config_diff(const char *before, const char *after, GError **error);
