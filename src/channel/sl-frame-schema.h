/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-frame.h"

/* A stream's columns, as both ends of a data channel number them: the top-level properties of its
 * json_schema by name, in the order of UTF-16 code units (which is Java's: above U+FFFF it is not
 * that of bytes). A record's `data` has no names, so both ends need the very same schema. */

typedef enum {
    SL_COLUMN_JSON, /* arrays, objects, unions, and what we do not know */
    SL_COLUMN_BOOLEAN,
    SL_COLUMN_STRING,
    SL_COLUMN_INTEGER,
    SL_COLUMN_NUMBER,
    SL_COLUMN_DATE,
    SL_COLUMN_TIME_WITH_TIMEZONE,
    SL_COLUMN_TIME_WITHOUT_TIMEZONE,
    SL_COLUMN_TIMESTAMP_WITH_TIMEZONE,
    SL_COLUMN_TIMESTAMP_WITHOUT_TIMEZONE,
} SlColumnType;

typedef struct {
    char *name; /* NUL-terminated */
    gsize name_len;
    char *key; /* "name": as JSON */
    gsize key_len;
    SlColumnType type;
} SlColumn;

typedef struct SlFrameSchema SlFrameSchema;

/* `json_schema` in `doc`; one without properties has no columns. One thread only. */
SlFrameSchema *sl_frame_schema_new(const SlJsonDoc *doc, const SlJsonNode *json_schema);
void sl_frame_schema_free(SlFrameSchema *schema);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlFrameSchema, sl_frame_schema_free)

guint sl_frame_schema_n_columns(const SlFrameSchema *schema);
const SlColumn *sl_frame_schema_column(const SlFrameSchema *schema, guint i);
/* The same names in the same order: the values of one are those of the other. */
gboolean sl_frame_schema_equal(const SlFrameSchema *a, const SlFrameSchema *b);

/* Appends the values (fields `data`) of a record whose data is this JSON object: one per column,
 * null where it has none. A value whose text does not fit its column's type goes as what it is: a
 * string, or JSON. *ret_strangers: members that are no columns and cannot travel. Errors:
 * SL_ERROR_PROTOCOL, broken JSON. */
gboolean sl_frame_schema_encode(SlFrameSchema *schema, SlSpan object, SlBytes *out,
                                guint *ret_strangers, GError **error);

/* Appends the data of a record frame as a JSON object: a member per column, null where the frame
 * has no value. SL_ERROR_PROTOCOL: more values than columns, a broken value. */
gboolean sl_frame_schema_decode(SlFrameSchema *schema, const SlFrame *frame, SlBytes *out,
                                GError **error);

/* --- single values ------------------------------------------------------------------------- */

/* Room that a value of n bytes of JSON may take, encoded. */
#define SL_VALUE_ROOM(n) ((n) + 64)

/* A field `data` with the value. `scratch` is for strings with escapes. NULL: broken. */
char *sl_frame_value_put(char *p, SlColumnType type, SlSpan json, GString *scratch);

gboolean sl_frame_value_is_null(SlSpan value);

/* A value's JSON. FALSE: it is broken. */
gboolean sl_frame_value_append_json(SlSpan value, SlBytes *out, GString *scratch);
