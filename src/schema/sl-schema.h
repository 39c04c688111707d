/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* JSON Schema, draft-07: compiled once, asked many times, from any thread. Schemas and values are
 * foreign: everything is bounded, and nothing is fetched from anywhere.
 *
 * Numbers are compared by their decimal text, lengths count code points, patterns are ECMA's as
 * PCRE2 knows them (PCRE2_ALT_BSUX and its like). Every occurrence of a repeated key is judged. */
typedef struct SlSchema SlSchema;

/* A schema that others may refer to. Nothing is copied but while compiling. */
typedef struct {
    const char *uri; /* absolute, without a fragment */
    const char *text;
} SlSchemaRemote;

typedef struct {
    const SlSchemaRemote *remotes;
    gsize n_remotes;
    /* What cannot be used (a pattern that is none, a reference to nowhere, a keyword's argument of
     * the wrong type) is passed over instead of refused: for schemas whose author is far away. */
    gboolean lenient;
} SlSchemaSource;

/* NULL source: no remotes, strict. SL_ERROR_INVALID names the place in the schema (a JSON pointer),
 * SL_ERROR_TOO_LARGE. */
SlSchema *sl_schema_compile(const char *text, gsize len, const SlSchemaSource *source,
                            GError **error);
void sl_schema_free(SlSchema *schema);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlSchema, sl_schema_free)

/* One thing that is wrong. */
typedef struct {
    char *path;   /* for people: "configuration.tunnel_method.hosts[2].port" */
    char *reason; /* "expected integer, found string" */
} SlSchemaFault;

void sl_schema_fault_free(SlSchemaFault *fault);

/* TRUE: this value counts as valid for this schema object, without being looked at. */
typedef gboolean (*SlSchemaPass)(const SlJsonDoc *schema_doc, const SlJsonNode *schema,
                                 const SlJsonDoc *doc, const SlJsonNode *value, gpointer data);

typedef struct {
    const char *root;  /* what the value is called in paths; NULL: "value" */
    guint max_faults;  /* 0: SL_SCHEMA_FAULTS */
    gboolean formats;  /* `format` is asserted, not only a remark */
    SlSchemaPass pass; /* may be NULL */
    gpointer pass_data;
    guint64 max_work; /* 0: SL_SCHEMA_WORK */
} SlSchemaAsk;

#define SL_SCHEMA_FAULTS 10
#define SL_SCHEMA_WORK 20000000 /* about a tenth of a second */
#define SL_SCHEMA_MAX_DEPTH 128 /* of schemas and values */

/* FALSE and no error: invalid, and *ret_faults (SlSchemaFault, may be NULL) says why, the first
 * max_faults reasons. FALSE and SL_ERROR_TOO_LARGE: no answer within the bounds (work, depth, a
 * schema that refers to itself without getting further into the value). */
gboolean sl_schema_validate(const SlSchema *schema, const SlJsonDoc *doc, const SlJsonNode *value,
                            const SlSchemaAsk *ask, GPtrArray **ret_faults, GError **error);
