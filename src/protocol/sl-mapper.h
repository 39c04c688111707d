/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* Field selection and mappers: what is done to a stream's records on their way.
 *
 * A configured stream of a catalog ({stream: {json_schema, …}, sync_mode, cursor_field, …}) may
 * have two members of ours:
 *   selectedFields  [{"fieldPath": ["a"]}, …]: only these top-level fields pass. Missing or null:
 *                   all. What cursor and primary key need is kept in any case.
 *   mappers         [{"id", "type", "mapperConfiguration"}, …]: applied in this order, after the
 *                   selection.
 *
 * type             mapperConfiguration
 * hashing          targetField, method (MD2 MD5 SHA-1 SHA-224 SHA-256 SHA-384 SHA-512; SHA-256),
 *                  fieldNameSuffix ("_hashed")
 * field-renaming   originalFieldName, newFieldName
 * field-filtering  targetField
 * row-filtering    conditions: {type EQUAL, fieldName, comparisonValue}, or NOT (none of), AND, OR
 *                  with conditions: […]; the record passes when it is true
 * encryption       algorithm AES, targetField, fieldNameSuffix, key (hex, or a reference
 *                  {"_secret": id}), mode (CBC CFB OFB CTR GCM ECB), padding (NoPadding
 *                  PKCS5Padding); or algorithm RSA, targetField, fieldNameSuffix, publicKey (X.509,
 *                  hex)
 *
 * A suffix of "" writes in place. The text of a value is that of the string, or the JSON of a
 * number, true, false and null; of an object or array it is "" for hashing and conditions (as the
 * platform does from which connections come), and its JSON for encryption. A record without the
 * field passes unchanged. What cannot be done is an error: no value ever passes in clear. */

typedef enum {
    SL_MAPPER_MISSING, /* no mapper of that type */
    SL_MAPPER_INVALID_CONFIG,
    SL_MAPPER_FIELD_NOT_FOUND,
    SL_MAPPER_FIELD_EXISTS,
} SlMapperFaultCode;

/* "MISSING_MAPPER", "INVALID_MAPPER_CONFIG", "FIELD_NOT_FOUND", "FIELD_ALREADY_EXISTS". */
const char *sl_mapper_fault_name(SlMapperFaultCode code);

typedef struct {
    guint mapper; /* position in the list */
    SlMapperFaultCode code;
    char *message; /* "mapper 2 (hashing): field 'a' is not in the stream's schema" */
} SlMapperFault;

/* A top-level member of the stream's records. */
typedef struct {
    char *name;
    char *schema; /* JSON */
    char *origin; /* the source's name for it */
} SlMapperField;

/* STRING, BOOLEAN, INTEGER, NUMBER, DATE, TIMESTAMP_WITH_TIMEZONE, …, ARRAY, OBJECT, MULTI,
 * UNKNOWN. */
const char *sl_mapper_field_type(const SlMapperField *field);

/* What becomes of a stream. Texts are JSON. */
typedef struct {
    gboolean changed;    /* it has a selection or mappers; else only `steps` is set */
    char *source_schema; /* with the selected fields only: what the source is asked for */
    char *json_schema;   /* of the records that come out */
    char *cursor_field;  /* the four below: under the new names; NULL: the stream has none. What */
    char *primary_key;   /* is not in the output any more (and not needed) is left out */
    char *default_cursor_field;
    char *source_defined_primary_key;
    GPtrArray *faults; /* of SlMapperFault; one with a fault is as if it were not there */
    GPtrArray *steps;  /* of GPtrArray of SlMapperField: [0] before the first mapper, [n] behind the
                          n-th; the last one is the output */
} SlMapperShape;

/* `configured` is the configured stream in `doc`. NULL only when it cannot be understood at all
 * (SL_ERROR_INVALID, names the member); everything about single mappers is in `faults`. Keys that
 * are references or masks ("**********") are taken as good ones. */
SlMapperShape *sl_mapper_shape(const SlJsonDoc *doc, const SlJsonNode *configured, GError **error);
void sl_mapper_shape_free(SlMapperShape *shape);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlMapperShape, sl_mapper_shape_free)

/* For whoever saves a selection: refuses empty lists, empty, nested and repeated paths, fields that
 * the schema does not have, and a selection without the fields of cursor (incremental) or primary
 * key (deduplication, update). A stored selection is treated more kindly: schemas change. */
gboolean sl_selection_check(const SlJsonDoc *doc, const SlJsonNode *configured, GError **error);

/* --- records --------------------------------------------------------------- */

/* A stream's selection and mappers, ready for its records. One thread only. */
typedef struct SlMapper SlMapper;

typedef enum {
    SL_MAPPED_SAME,     /* the record passes as it is */
    SL_MAPPED_CHANGED,  /* its new data was appended */
    SL_MAPPED_FILTERED, /* it does not pass */
    SL_MAPPED_FAILED,   /* nor does the sync */
} SlMapped;

/* NULL without an error: the stream has neither. `title` is the stream's name for errors. Faults
 * are SL_ERROR_INVALID, as is a key that is still a reference. */
SlMapper *sl_mapper_new(const SlJsonDoc *doc, const SlJsonNode *configured, const char *title,
                        GError **error);
void sl_mapper_free(SlMapper *mapper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlMapper, sl_mapper_free)
const SlMapperShape *sl_mapper_get_shape(const SlMapper *mapper);

/* The record's data. *ret_selected: its bytes after the selection, before the mappers, which is
 * what statistics count. Values that are not touched keep their bytes. Errors name stream, mapper
 * and field, never a value: SL_ERROR_INVALID for what a mapper cannot do, SL_ERROR_PROTOCOL for
 * broken JSON. */
SlMapped sl_mapper_apply(SlMapper *mapper, SlSpan data, GString *out, gsize *ret_selected,
                         GError **error);
