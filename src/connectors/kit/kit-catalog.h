/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* The configured catalog (--catalog) and the state (--state), parsed once and checked. */

typedef enum {
    KIT_SYNC_FULL_REFRESH,
    KIT_SYNC_INCREMENTAL,
} KitSyncMode;

typedef enum {
    KIT_DESTINATION_APPEND,
    KIT_DESTINATION_OVERWRITE,
    KIT_DESTINATION_APPEND_DEDUP,
    KIT_DESTINATION_UPDATE,
    KIT_DESTINATION_SOFT_DELETE,
} KitDestinationMode;

typedef struct {
    guint index; /* position in the catalog: the stream's number everywhere in the kit */
    char *name;
    char *ns; /* namespace; NULL for null, "" and missing */
    KitSyncMode sync_mode;
    KitDestinationMode destination_mode;
    char **cursor_field;  /* a path; empty when not configured and no default */
    GStrv *primary_key;   /* n_primary_key paths; the source's own key when it defines one */
    guint n_primary_key;  /* 0: no key */
    gboolean generations; /* the three ids below were sent */
    gint64 generation_id; /* 0 when not sent */
    gint64 minimum_generation_id;
    gint64 sync_id;
    gboolean truncate;         /* what is older than this generation goes when the stream completes:
                                  minimum_generation_id > 0, or overwrite without generations */
    const SlJsonNode *node;    /* the whole configured stream, in KitCatalog.doc */
    const SlJsonNode *schema;  /* json_schema, in KitCatalog.doc */
    const SlJsonDoc *state_of; /* the document of `state` */
    const SlJsonNode *state;   /* sources: this stream's stream_state; NULL: none or null */
} KitStream;

typedef struct {
    KitStream *streams;
    guint n_streams;
    SlJsonDoc *doc;                 /* owns the nodes of the streams */
    SlJsonDoc *state;               /* NULL: no --state */
    const SlJsonNode *shared_state; /* of a GLOBAL state, in `state`; NULL: none */
    GHashTable *by_name;            /* "namespace NUL name" → KitStream; see kit_catalog_find() */
} KitCatalog;

/* Errors name the path: "catalog.streams[2].sync_mode: unknown value 'x'". Refused too: a stream
 * twice, a minimum_generation_id that is neither 0 nor the generation_id. */
KitCatalog *kit_catalog_parse(const char *text, gsize len, GError **error);

/* Attaches the content of a --state file: an array of STREAM or GLOBAL states, or one of them.
 * States of streams that are not configured are ignored. */
gboolean kit_catalog_attach_state(KitCatalog *catalog, const char *text, gsize len, GError **error);

/* NULL when there is none. ns may be NULL or "". */
const KitStream *kit_catalog_find(const KitCatalog *catalog, const char *ns, gsize ns_len,
                                  const char *name, gsize name_len);

void kit_catalog_free(KitCatalog *catalog);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KitCatalog, kit_catalog_free)
