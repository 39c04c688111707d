/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* A strict, non-recursive JSON reader (RFC 8259): the judge of everything foreign.
 *
 * The text becomes a flat array of nodes in document order (a "tape"); values stay spans of the
 * text, so that numbers, escapes and unknown members keep their bytes. A container's node knows
 * the index just behind its last descendant, so skipping a subtree is one assignment.
 *
 * Refused, with line-free byte offset in the error: anything RFC 8259 forbids, invalid UTF-8,
 * lone surrogates in \u escapes, depth or size over the limits. Duplicate keys: the LAST wins in
 * sl_json_get(), as in the JVM and Python connectors. */

typedef enum {
    SL_JSON_NULL,
    SL_JSON_FALSE,
    SL_JSON_TRUE,
    SL_JSON_NUMBER,
    SL_JSON_STRING,
    SL_JSON_ARRAY,
    SL_JSON_OBJECT,
} SlJsonType;

/* A part of somebody's text; never owned. */
typedef struct {
    const char *p;
    gsize n; /* bytes */
} SlSpan;

/* One value. In an object, members are pairs of nodes: a STRING node (the key), then its value. */
typedef struct {
    const char *p;  /* first byte: quote, brace, digit, … */
    gsize n;        /* bytes of the value's text, quotes and braces included */
    guint32 end;    /* index of the node behind this value and all below it */
    guint32 count;  /* members of an object, elements of an array */
    guint8 type;    /* SlJsonType */
    guint8 escaped; /* a STRING that holds at least one backslash */
} SlJsonNode;

typedef struct {
    gsize max_bytes; /* 0: no limit */
    guint max_depth; /* 0: SL_JSON_MAX_DEPTH */
} SlJsonLimits;

#define SL_JSON_MAX_DEPTH 512

typedef struct {
    SlJsonNode *nodes; /* nodes[0] is the root */
    guint n_nodes;
    guint n_allocated; /* room in `nodes` */
    char *owned;       /* a copy of the text, when sl_json_read_copy() made one */
} SlJsonDoc;

/* Parses `text`, which must outlive the document. NULL limits: defaults.
 * Errors: SL_ERROR_INVALID (grammar, UTF-8; names the byte offset), SL_ERROR_TOO_LARGE (limits). */
SlJsonDoc *sl_json_read(const char *text, gsize len, const SlJsonLimits *limits, GError **error);

/* The same, on a private copy of the text. */
SlJsonDoc *sl_json_read_copy(const char *text, gsize len, const SlJsonLimits *limits,
                             GError **error);

/* Parses into an existing document, whose node array is used again: no allocation in a loop. */
gboolean sl_json_read_into(SlJsonDoc *doc, const char *text, gsize len, const SlJsonLimits *limits,
                           GError **error);

void sl_json_doc_free(SlJsonDoc *doc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlJsonDoc, sl_json_doc_free)

/* For a document by value, made with `g_auto(SlJsonDoc) doc = {0};` and read into. */
void sl_json_doc_clear(SlJsonDoc *doc);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SlJsonDoc, sl_json_doc_clear)

#define sl_json_root(doc) (&(doc)->nodes[0])

/* The value of an object's member; NULL when `node` is NULL, not an object, or lacks the key.
 * Keys are compared unescaped. */
const SlJsonNode *sl_json_get(const SlJsonDoc *doc, const SlJsonNode *node, const char *key);

/* The value at a path of keys, ended by NULL. */
const SlJsonNode *sl_json_get_path(const SlJsonDoc *doc, const SlJsonNode *node,
                                   ...) G_GNUC_NULL_TERMINATED;

/* The i-th element of an array; NULL when there is none. O(i). */
const SlJsonNode *sl_json_at(const SlJsonDoc *doc, const SlJsonNode *node, guint i);

/* Walks the direct children: elements of an array, or keys of an object (value = child + 1).
 *   SL_JSON_FOREACH (doc, array, child) { … } */
const SlJsonNode *sl_json_first(const SlJsonDoc *doc, const SlJsonNode *node);
const SlJsonNode *sl_json_next(const SlJsonDoc *doc, const SlJsonNode *node,
                               const SlJsonNode *child);
#define SL_JSON_FOREACH(doc, node, child)                                                          \
    for (const SlJsonNode *child = sl_json_first((doc), (node)); child != NULL;                    \
         child = sl_json_next((doc), (node), child))

/* A key that its object has had before; NULL: every key is there once.
 * For texts whose writer is to be told, rather than guessed at. */
const SlJsonNode *sl_json_find_repeated(const SlJsonDoc *doc);

/* Unescaped text of a STRING, to be freed; NULL for any other node, and for a text with an embedded
 * NUL (\u0000), which a C string cannot hold: use sl_json_append_string() there. */
char *sl_json_dup_string(const SlJsonNode *node);

/* Appends the unescaped text of a STRING (NUL bytes included). FALSE for any other node. */
gboolean sl_json_append_string(const SlJsonNode *node, GString *out);

/* The same for the raw text between the quotes, as the scanner gives it. FALSE: invalid escape. */
gboolean sl_json_append_unescaped(SlSpan raw, GString *out);

/* Exact integer: digits only, or a number whose fraction is zero ("5.0", "1e3") and that fits.
 * FALSE for everything else: no rounding ever. */
gboolean sl_json_get_int64(const SlJsonNode *node, gint64 *ret);
gboolean sl_json_span_get_int64(SlSpan number, gint64 *ret); /* e.g. SlMessage.emitted_at */

/* FALSE for what a double cannot hold ("1e400"), never an infinity. */
gboolean sl_json_get_double(const SlJsonNode *node, double *ret);
gboolean sl_json_get_boolean(const SlJsonNode *node, gboolean *ret);

/* The value's own bytes. */
static inline SlSpan
sl_json_span(const SlJsonNode *node)
{
    return (SlSpan){node->p, node->n};
}
char *sl_json_dup_span(const SlJsonNode *node);

/* Is the STRING equal to this unescaped text? */
gboolean sl_json_string_is(const SlJsonNode *node, const char *text);
const char *sl_json_type_name(SlJsonType type);
