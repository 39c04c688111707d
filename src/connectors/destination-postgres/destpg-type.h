/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* JSON schema of a property → the column that holds it. Pure. */

typedef enum {
    DESTPG_BOOLEAN,
    DESTPG_BIGINT,
    DESTPG_NUMERIC,
    DESTPG_VARCHAR,
    DESTPG_DATE,
    DESTPG_TIMESTAMPTZ,
    DESTPG_TIMESTAMP,
    DESTPG_TIMETZ,
    DESTPG_TIME,
    DESTPG_OBJECT, /* the last three are jsonb: they differ in what they accept */
    DESTPG_ARRAY,
    DESTPG_ANY,
    DESTPG_N_KINDS
} DestpgKind;

/* The kind for a property's schema. Never fails: what is not understood is ANY. */
DestpgKind destpg_type_of_schema(const SlJsonDoc *doc, const SlJsonNode *schema);

/* The column type, spelled as format_type() spells it. */
const char *destpg_type_sql(DestpgKind kind);

/* An expression that turns column `quoted` of type `from` (format_type() spelling) into `kind`. */
char *destpg_type_cast(const char *quoted, const char *from, DestpgKind kind);
