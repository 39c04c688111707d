/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-schema-number.h"
#include "sl-schema-pattern.h"
#include "sl-schema.h"

/* Private to this folder: what a compiled schema is. */
typedef struct Schema Schema;
typedef struct Word Word;
typedef struct Judge Judge;

/* A keyword and what it was given; which members count is the keyword's own affair. */
typedef struct {
    const Word *word;
    const SlJsonNode *argument;
    guint64 count;    /* minLength, maxItems, …; the types of `type` as bits */
    SlDecimal number; /* minimum, multipleOf, … */
    SlSchemaPattern *pattern;
    Schema **schemas;    /* in the order of the argument; NULL-terminated */
    GHashTable *by_name; /* properties: name → Schema; dependencies: name → Schema or NULL */
    GPtrArray *patterns; /* patternProperties: SlSchemaPattern, beside `schemas` */
    Schema *other;       /* additionalProperties, additionalItems, then */
    Schema *third;       /* else */
    char **names;        /* required */
} Rule;

struct Word {
    const char *name;
    guint types; /* bits of SlJsonType that it says something about */
    /* FALSE and an error: the argument cannot be used. */
    gboolean (*compile)(gpointer compiler, Schema *schema, Rule *rule, GError **error);
    gboolean (*check)(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value);
};

struct Schema {
    const SlJsonDoc *doc;
    const SlJsonNode *node;
    char *base;      /* URI that its references start from */
    gboolean always; /* `true`, `false`: the answer is `answer` */
    gboolean answer;
    char *reference; /* absolute; then nothing else counts */
    Schema *target;  /* of the reference; NULL: passed over */
    GArray *rules;   /* Rule */
};

struct SlSchema {
    GPtrArray *docs;   /* SlJsonDoc, the schema's own first */
    GHashTable *nodes; /* SlJsonNode → Schema, which it owns */
    Schema *root;
};

/* One question. `faults` NULL while only the answer matters. */
struct Judge {
    const SlJsonDoc *doc;
    const SlSchemaAsk *ask;
    GPtrArray *faults;
    guint max_faults;
    GString *path;
    guint depth;
    guint64 work, max_work;
    const char *stopped; /* why there is no answer; everything returns as fast as it can */
};

#define ANY_TYPE 0x7fu
#define NUMBERS (1u << SL_JSON_NUMBER)
#define STRINGS (1u << SL_JSON_STRING)
#define ARRAYS (1u << SL_JSON_ARRAY)
#define OBJECTS (1u << SL_JSON_OBJECT)
#define TYPE_INTEGER (1u << 7) /* beside the bits of SlJsonType */

/* The keywords, in the order in which their reasons read best. */
extern const Word sl_schema_words[];
const Word *sl_schema_word(const char *name);

/* --- compiling, for the keywords --- */
Schema *sl_schema_compile_child(gpointer compiler, const Schema *parent, const SlJsonNode *node,
                                GError **error);
gboolean sl_schema_refuse(gpointer compiler, const Schema *schema, const Rule *rule, GError **error,
                          const char *why);
/* The compilation functions of sl-schema-words.c's table. */
gboolean sl_schema_lenient(gpointer compiler);

/* --- judging --- */
gboolean sl_schema_check(Judge *j, const Schema *schema, const SlJsonNode *value);
/* Only whether: no faults are kept. */
gboolean sl_schema_fits(Judge *j, const Schema *schema, const SlJsonNode *value);
/* Counts; FALSE when it is too much. */
gboolean sl_schema_work(Judge *j, guint64 units);
gboolean sl_schema_fault(Judge *j, const char *format, ...) G_GNUC_PRINTF(2, 3);
gsize sl_schema_enter_member(Judge *j, const char *name, gsize len); /* the length to go back to */
gsize sl_schema_enter_element(Judge *j, guint i);

gboolean sl_schema_equal(Judge *j, const SlJsonDoc *da, const SlJsonNode *a, const SlJsonDoc *db,
                         const SlJsonNode *b);
guint sl_schema_hash(Judge *j, const SlJsonDoc *doc, const SlJsonNode *node);
gboolean sl_schema_has_types(const SlJsonNode *value, guint64 types);
char *sl_schema_types_text(guint64 types); /* "string or null" */
const char *sl_schema_type_of(const SlJsonNode *value);

/* anyOf, oneOf: says why, by the branch that was meant. Always FALSE. */
gboolean sl_schema_explain(Judge *j, const Rule *rule, const SlJsonNode *value);

/* TRUE: `text` has the format, or nobody knows the format. */
gboolean sl_schema_format(const char *format, const char *text, gsize len);
