/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* What a column's values are. Widening is sticky: integer → number → text, anything else that does
 * not agree → text. */
typedef enum {
    FILE_TYPE_NULL, /* no value seen */
    FILE_TYPE_BOOLEAN,
    FILE_TYPE_INTEGER, /* of 64 bits */
    FILE_TYPE_NUMBER,
    FILE_TYPE_DATE,
    FILE_TYPE_TIMESTAMP, /* without offset */
    FILE_TYPE_TIMESTAMP_TZ,
    FILE_TYPE_STRING,
    FILE_TYPE_OBJECT, /* JSON Lines only */
    FILE_TYPE_ARRAY,
    FILE_N_TYPES
} FileType;

/* The narrowest type of a text without blanks around it. A number with leading zeros is text: it is
 * a code, and would not come back. */
FileType file_type_of_text(const char *text, gsize n);
FileType file_type_of_node(const SlJsonNode *node);

FileType file_type_widen(FileType a, FileType b);

/* The property's schema: {"type":["null","integer"]}. */
const char *file_type_schema(FileType type);
/* The way back, from anybody's schema. */
FileType file_type_from_schema(const SlJsonDoc *doc, const SlJsonNode *property);

/* "an integer", for messages. */
const char *file_type_name(FileType type);
