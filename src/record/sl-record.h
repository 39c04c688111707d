/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"
#include "sl-json-write.h"

/* The field-table engine: plain C structs, described once in data/api and data/records (OpenAPI
 * schemas), read from JSON, written to JSON, and filled from database rows by column name, all
 * from the same generated tables.
 *
 * Every struct begins with SlRecordHead. Absent, null and default are three things:
 *   present: the field had a value (strings and containers: also seen by the pointer)
 *   nulls:   the field was given as null
 * Numbers and booleans are set through the generated sl_X_set_Y(), which marks them. */

typedef struct {
    guint64 present; /* bit i: field i has a value */
    guint64 nulls;   /* bit i: field i was an explicit null */
} SlRecordHead;

typedef enum {
    SL_KIND_STR,  /* char * */
    SL_KIND_UUID, /* char *, checked and lower-cased */
    SL_KIND_INT,  /* gint64 */
    SL_KIND_DBL,  /* double */
    SL_KIND_BOOL, /* gboolean */
    SL_KIND_TIME, /* gint64, microseconds; RFC 3339 text in JSON */
    SL_KIND_ENUM, /* int: index into SlEnum.names */
    SL_KIND_OBJ,  /* pointer to a record */
    SL_KIND_OBJV, /* GPtrArray * of records */
    SL_KIND_STRV, /* char ** */
    SL_KIND_NODE, /* char *: free JSON, kept as its own bytes */
} SlKind;

typedef enum {
    SL_FIELD_REQUIRED = 1 << 0,
    SL_FIELD_SECRET = 1 << 1, /* printed as SL_MASK when the writer masks */
} SlFieldFlags;

#define SL_MASK "**********"

typedef struct {
    const char *type; /* name of the C type */
    const char *const *names;
    int n_names;
} SlEnum;

typedef struct SlRecord SlRecord;

typedef struct {
    const char *json;   /* member name on the wire */
    const char *column; /* column name in SQL, member name in C */
    guint8 kind;        /* SlKind */
    guint8 flags;       /* SlFieldFlags */
    guint16 offset;
    union {
        const SlRecord *record; /* OBJ, OBJV */
        const SlEnum *names;    /* ENUM */
    };
    const char *fallback; /* value of an absent field, as text; NULL: zero */
    gint64 min, max;      /* INT: range; STR: length in characters; both 0: no limit */
} SlField;

struct SlRecord {
    const char *name; /* name of the C type */
    gsize size;
    const SlField *fields;
    guint n_fields; /* at most 64 */
};

/* A new, empty record with its defaults. */
gpointer sl_record_new(const SlRecord *record);
void sl_record_free(const SlRecord *record, gpointer object);

/* Builds a record from a JSON object. Unknown members are ignored, wrong types never: the error
 * (SL_ERROR_INVALID) names the path: "configurations.streams[2].name: expected string". */
gpointer sl_record_parse(const SlRecord *record, const SlJsonDoc *doc, const SlJsonNode *node,
                         GError **error);
gpointer sl_record_parse_text(const SlRecord *record, const char *text, gsize len, GError **error);

typedef enum {
    SL_RECORD_MASK_SECRETS = 1 << 0, /* SECRET fields as SL_MASK */
    SL_RECORD_WRITE_NULLS = 1 << 1,  /* explicit nulls as null instead of leaving them out */
} SlRecordWriteFlags;

void sl_record_write(const SlRecord *record, gconstpointer object, SlRecordWriteFlags flags,
                     SlJsonWriter *writer);
char *sl_record_print(const SlRecord *record, gconstpointer object, SlRecordWriteFlags flags);

/* Sets one field from text as PostgreSQL writes it (NULL: null). Unknown columns are an error: a
 * query that returns what nobody reads is a mistake. `text` of arrays and objects is JSON. */
gboolean sl_record_set_text(const SlRecord *record, gpointer object, const char *column,
                            const char *text, GError **error);

/* The same by the field itself, which was found once for many rows. */
gboolean sl_record_set_field(const SlRecord *record, gpointer object, const SlField *field,
                             const char *text, GError **error);

/* Does the field have a value? `i` is the generated SL_X_Y index. */
gboolean sl_record_has(const SlRecord *record, gconstpointer object, guint i);
gboolean sl_record_is_null(gconstpointer object, guint i);
void sl_record_mark(gpointer object, guint i);

const SlField *sl_record_find(const SlRecord *record, const char *column);

const char *sl_enum_name(const SlEnum *names, int value); /* NULL when out of range */
/* Index of a name, any case; -1 when unknown. */
int sl_enum_value(const SlEnum *names, const char *name);
