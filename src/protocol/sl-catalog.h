/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-mapper.h"
#include "sl-stream-key.h"

/* The configured catalog of one sync: what the source is asked for, and under which names it
 * reaches the destination. Namespace null, "" and missing are one value: NULL. */

typedef enum {
    SL_SYNC_FULL_REFRESH,
    SL_SYNC_INCREMENTAL,
} SlSyncMode;

typedef enum {
    SL_DESTINATION_APPEND,
    SL_DESTINATION_OVERWRITE,
    SL_DESTINATION_APPEND_DEDUP,
    SL_DESTINATION_OVERWRITE_DEDUP, /* ours only: no connector ever sees it */
    SL_DESTINATION_UPDATE,
    SL_DESTINATION_SOFT_DELETE,
} SlDestinationMode;

typedef struct {
    guint index; /* position in the catalog: the stream's number everywhere */
    char *name, *ns;
    char *to_name, *to_ns;           /* as the destination knows it */
    char *to_name_json, *to_ns_json; /* the same as JSON values: a quoted string, or null */
    gboolean renamed;                /* the two pairs of names differ */
    gboolean resumable;              /* the source can go on with an interrupted full refresh */
    SlSyncMode sync_mode;
    SlDestinationMode destination_mode;
    gint64 generation_id, minimum_generation_id, sync_id; /* 0 when not sent */
    SlMapper *mapper;       /* selection and mappers; NULL: records pass as they are */
    SlStreamKey *key;       /* records must have it; NULL: they need none */
    const SlJsonNode *node; /* the configured stream, in SlCatalog.doc */
} SlCatalogStream;

typedef struct {
    SlCatalogStream *streams;
    guint n_streams;
    gboolean stored; /* keys of its mappers are references; see sl_catalog_check() */
    SlJsonDoc *doc;
} SlCatalog;

/* How names change on the way. NULL and "" are "not given". */
typedef struct {
    const char *namespace_definition; /* source (default), destination, customformat */
    const char *namespace_format;     /* customformat: ${SOURCE_NAMESPACE} is replaced */
    const char *prefix;               /* in front of every stream name */
} SlCatalogNames;

/* Errors are SL_ERROR_INVALID and name the path ("catalog.streams[2].sync_mode: …"). Refused as
 * well: a stream that is there twice, two streams with one name at the destination, deduplication
 * without a primary key, a minimum_generation_id that is neither 0 nor the generation_id, mappers
 * that cannot work. */
SlCatalog *sl_catalog_parse(const char *text, gsize len, const SlCatalogNames *names,
                            GError **error);
void sl_catalog_free(SlCatalog *catalog);

/* For whoever saves a connection: would a sync accept this catalog under these names? The same
 * refusals and texts, but keys of mappers may be references or masks. */
gboolean sl_catalog_check(const char *text, gsize len, const SlCatalogNames *names, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlCatalog, sl_catalog_free)

/* catalog.json of the connectors: members that are ours only are left out, destination modes are
 * brought down to what the connector may know; everything else keeps its bytes. The source is asked
 * for the selected fields; the destination is told what comes out of the mappers. */
char *sl_catalog_write_source(const SlCatalog *catalog);
char *sl_catalog_write_destination(const SlCatalog *catalog, gboolean supports_refreshes);

/* "namespace.name" or "name", for people. */
char *sl_catalog_stream_title(const SlCatalogStream *stream);
