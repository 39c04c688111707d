/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-read.h"

#include "sl-error.h"
#include "sl-json-read-private.h"
#include "sl-json-token.h"

/* No container is open. */
#define NOWHERE G_MAXUINT32

/* What the grammar allows next. */
typedef enum {
    WANT_VALUE,
    WANT_FIRST_ELEMENT, /* or the end of the array */
    WANT_FIRST_KEY,     /* or the end of the object */
    WANT_KEY,
    WANT_NEXT, /* a comma or the end of the open container */
    DONE,
    FAILED,
} State;

typedef struct {
    const char *p, *end;
    SlJsonDoc *doc;
    /* The innermost open container. While a container is open, its node's `end` holds the index of
     * the one around it: the tape is its own stack, so depth costs no memory of the thread. */
    guint32 open;
    guint depth, max_depth;
    guint keep; /* children of containers deeper than this are checked, but not stored */
    gboolean too_deep;
    SlJsonFault fault;
} Reader;

static State
fail(Reader *r, const char *at, const char *why)
{
    sl_json_fault(&r->fault, at, why);
    return FAILED;
}

static guint32
push_node(Reader *r, const char *p, gsize n, SlJsonType type)
{
    SlJsonDoc *doc = r->doc;
    if (doc->n_nodes == doc->n_allocated) {
        doc->n_allocated = MAX(16, doc->n_allocated + doc->n_allocated / 2);
        doc->nodes = g_renew(SlJsonNode, doc->nodes, doc->n_allocated);
    }
    guint32 index = doc->n_nodes++;
    doc->nodes[index] = (SlJsonNode){.p = p, .n = n, .end = index + 1, .type = type};
    return index;
}

/* A value of the open container is complete. */
static State
end_value(Reader *r)
{
    if (r->open == NOWHERE)
        return DONE;
    r->doc->nodes[r->open].count++;
    if (r->depth > r->keep)
        r->doc->n_nodes = r->open + 1;
    return WANT_NEXT;
}

static State
open_container(Reader *r, SlJsonType type)
{
    if (r->depth == r->max_depth) {
        r->too_deep = TRUE;
        return fail(r, r->p, "nested too deeply");
    }
    guint32 index = push_node(r, r->p, 0, type);
    r->doc->nodes[index].end = r->open;
    r->open = index;
    r->depth++;
    r->p++;
    return type == SL_JSON_OBJECT ? WANT_FIRST_KEY : WANT_FIRST_ELEMENT;
}

static State
close_container(Reader *r)
{
    SlJsonNode *node = &r->doc->nodes[r->open];
    r->p++;
    r->open = node->end;
    r->depth--;
    node->n = (gsize)(r->p - node->p);
    node->end = r->doc->n_nodes;
    return end_value(r);
}

static State
read_scalar(Reader *r)
{
    const char *next;
    guint8 type = SL_JSON_NUMBER;
    gboolean escaped = FALSE;

    if (*r->p == '"') {
        type = SL_JSON_STRING;
        next = sl_json_string_end(r->p, r->end, &escaped, &r->fault);
    } else if (*r->p == '-' || g_ascii_isdigit(*r->p)) {
        next = sl_json_number_end(r->p, r->end, &r->fault);
    } else {
        next = sl_json_literal_end(r->p, r->end, &type);
        if (next == NULL)
            return fail(r, r->p, "expected a value");
    }
    if (next == NULL)
        return FAILED;
    guint32 index = push_node(r, r->p, (gsize)(next - r->p), type);
    r->doc->nodes[index].escaped = (guint8)escaped;
    r->p = next;
    return end_value(r);
}

static State
read_value(Reader *r)
{
    if (r->p == r->end)
        return fail(r, r->p, "unexpected end, expected a value");
    if (*r->p == '{')
        return open_container(r, SL_JSON_OBJECT);
    if (*r->p == '[')
        return open_container(r, SL_JSON_ARRAY);
    return read_scalar(r);
}

static State
read_key(Reader *r)
{
    gboolean escaped;
    if (r->p == r->end || *r->p != '"')
        return fail(r, r->p, "expected a key in quotes");
    const char *next = sl_json_string_end(r->p, r->end, &escaped, &r->fault);
    if (next == NULL)
        return FAILED;
    guint32 index = push_node(r, r->p, (gsize)(next - r->p), SL_JSON_STRING);
    r->doc->nodes[index].escaped = (guint8)escaped;
    r->p = sl_json_skip_space(next, r->end);
    if (r->p == r->end || *r->p != ':')
        return fail(r, r->p, "expected ':' behind a key");
    r->p++;
    return WANT_VALUE;
}

static State
read_next(Reader *r)
{
    gboolean object = r->doc->nodes[r->open].type == SL_JSON_OBJECT;
    if (r->p < r->end && *r->p == ',') {
        r->p++;
        return object ? WANT_KEY : WANT_VALUE;
    }
    if (r->p < r->end && *r->p == (object ? '}' : ']'))
        return close_container(r);
    return fail(r, r->p, object ? "expected ',' or '}'" : "expected ',' or ']'");
}

static State
read_step(Reader *r, State state)
{
    r->p = sl_json_skip_space(r->p, r->end);
    switch (state) {
    case WANT_FIRST_ELEMENT:
        if (r->p < r->end && *r->p == ']')
            return close_container(r);
        return read_value(r);
    case WANT_FIRST_KEY:
        if (r->p < r->end && *r->p == '}')
            return close_container(r);
        return read_key(r);
    case WANT_KEY:
        return read_key(r);
    case WANT_NEXT:
        return read_next(r);
    default:
        return read_value(r);
    }
}

const char *
sl_json_read_value(SlJsonDoc *doc, const char *text, const char *end, guint max_depth, guint keep,
                   SlJsonFault *fault, gboolean *ret_too_deep)
{
    Reader r = {
        .p = text,
        .end = end,
        .doc = doc,
        .open = NOWHERE,
        .max_depth = max_depth,
        .keep = keep,
    };
    State state = WANT_VALUE;

    doc->n_nodes = 0;
    while (state < DONE)
        state = read_step(&r, state);
    *ret_too_deep = r.too_deep;
    *fault = r.fault;
    if (state == DONE)
        return r.p;
    doc->n_nodes = 0;
    return NULL;
}

gboolean
sl_json_read_into(SlJsonDoc *doc, const char *text, gsize len, const SlJsonLimits *limits,
                  GError **error)
{
    /* Node indexes are 32 bits wide, and a text has at most as many nodes as bytes. */
    gsize max_bytes = limits != NULL && limits->max_bytes != 0 ? limits->max_bytes : NOWHERE - 1;
    guint max_depth =
        limits != NULL && limits->max_depth != 0 ? limits->max_depth : SL_JSON_MAX_DEPTH;
    if (text == NULL) /* the span of what is absent */
        text = "";
    const char *end = text + len;
    SlJsonFault fault = {NULL, NULL};
    gboolean too_deep;

    doc->n_nodes = 0;
    if (len > MIN(max_bytes, NOWHERE - 1))
        return sl_error_set(error, SL_ERROR_TOO_LARGE,
                            "JSON text of %" G_GSIZE_FORMAT " bytes, %" G_GSIZE_FORMAT
                            " are allowed",
                            len, MIN(max_bytes, NOWHERE - 1));
    const char *next = sl_json_read_value(doc, text, end, max_depth, G_MAXUINT, &fault, &too_deep);
    if (next != NULL) {
        next = sl_json_skip_space(next, end);
        if (next == end)
            return TRUE;
        sl_json_fault(&fault, next, "unexpected text behind the value");
        doc->n_nodes = 0;
    }
    if (too_deep)
        return sl_error_set(error, SL_ERROR_TOO_LARGE,
                            "JSON at byte %" G_GSIZE_FORMAT ": nested more than %u levels deep",
                            (gsize)(fault.at - text), max_depth);
    return sl_error_set(error, SL_ERROR_INVALID, "JSON at byte %" G_GSIZE_FORMAT ": %s",
                        (gsize)(fault.at - text), fault.why);
}

SlJsonDoc *
sl_json_read(const char *text, gsize len, const SlJsonLimits *limits, GError **error)
{
    g_autoptr(SlJsonDoc) doc = g_new0(SlJsonDoc, 1);
    if (!sl_json_read_into(doc, text, len, limits, error))
        return NULL;
    return g_steal_pointer(&doc);
}

SlJsonDoc *
sl_json_read_copy(const char *text, gsize len, const SlJsonLimits *limits, GError **error)
{
    if (limits != NULL && limits->max_bytes != 0 && len > limits->max_bytes)
        return sl_json_read(text, len, limits, error); /* refused there, before the copy */
    g_autofree char *copy = g_malloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    SlJsonDoc *doc = sl_json_read(copy, len, limits, error);
    if (doc != NULL)
        doc->owned = g_steal_pointer(&copy);
    return doc;
}

void
sl_json_doc_clear(SlJsonDoc *doc)
{
    g_free(doc->nodes);
    g_free(doc->owned);
    *doc = (SlJsonDoc){0};
}

void
sl_json_doc_free(SlJsonDoc *doc)
{
    if (doc == NULL)
        return;
    sl_json_doc_clear(doc);
    g_free(doc);
}
