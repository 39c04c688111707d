/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* Writes compact JSON into a GString. The writer places commas; nesting errors are g_critical
 * (our bug) and stop the writer, never wrong JSON. */
typedef struct {
    GString *out;       /* borrowed */
    guint64 comma;      /* bit per level: a comma is due */
    guint depth;        /* open containers, at most 63 */
    guint64 objects;    /* bit per level: it is an object */
    gboolean after_key; /* a key waits for its value */
    gboolean failed;    /* a nesting error happened: nothing is written any more */
} SlJsonWriter;

#define SL_JSON_WRITER_INIT(string)                                                                \
    {                                                                                              \
        (string), 0, 0                                                                             \
    }

void sl_json_begin_object(SlJsonWriter *w);
void sl_json_end_object(SlJsonWriter *w);
void sl_json_begin_array(SlJsonWriter *w);
void sl_json_end_array(SlJsonWriter *w);
void sl_json_key(SlJsonWriter *w, const char *key);
void sl_json_string(SlJsonWriter *w, const char *text); /* NULL → null */
void sl_json_string_len(SlJsonWriter *w, const char *text, gsize len);
void sl_json_strings(SlJsonWriter *w, const char *const *texts); /* an array; NULL → [] */
void sl_json_int(SlJsonWriter *w, gint64 value);
void sl_json_uint(SlJsonWriter *w, guint64 value);
void sl_json_double(SlJsonWriter *w, double value); /* shortest form that reads back; NaN → null */
void sl_json_bool(SlJsonWriter *w, gboolean value);
void sl_json_null(SlJsonWriter *w);
void sl_json_raw(SlJsonWriter *w, const char *json, gsize len); /* valid JSON, as it is */
void sl_json_node(SlJsonWriter *w, const SlJsonNode *node);     /* the node's own bytes */

/* key + value in one; a NULL string or json leaves the member out. */
void sl_json_member_string(SlJsonWriter *w, const char *key, const char *text);
void sl_json_member_int(SlJsonWriter *w, const char *key, gint64 value);
void sl_json_member_bool(SlJsonWriter *w, const char *key, gboolean value);
void sl_json_member_raw(SlJsonWriter *w, const char *key, const char *json);

/* ["…", …] as a text of its own. */
char *sl_json_print_strings(const char *const *texts);

/* Appends `text` as a quoted JSON string. Invalid UTF-8 becomes U+FFFD, byte for byte. */
void sl_json_append_quoted(GString *out, const char *text, gsize len);
