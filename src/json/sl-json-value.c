/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-read.h"

#include <math.h>
#include <string.h>

#include "sl-json-token.h"

/* What a read document says: members, text and numbers of its nodes. */

const char *
sl_json_type_name(SlJsonType type)
{
    static const char *const names[] = {
        [SL_JSON_NULL] = "null",     [SL_JSON_FALSE] = "boolean", [SL_JSON_TRUE] = "boolean",
        [SL_JSON_NUMBER] = "number", [SL_JSON_STRING] = "string", [SL_JSON_ARRAY] = "array",
        [SL_JSON_OBJECT] = "object",
    };
    return (guint)type < G_N_ELEMENTS(names) ? names[type] : "unknown";
}

const SlJsonNode *
sl_json_first(const SlJsonDoc *doc, const SlJsonNode *node)
{
    if (node == NULL || node->type < SL_JSON_ARRAY || node->count == 0)
        return NULL;
    return node + 1;
}

const SlJsonNode *
sl_json_next(const SlJsonDoc *doc, const SlJsonNode *node, const SlJsonNode *child)
{
    const SlJsonNode *value = node->type == SL_JSON_OBJECT ? child + 1 : child;
    guint32 next = value->end;
    return next < node->end ? &doc->nodes[next] : NULL;
}

const SlJsonNode *
sl_json_get(const SlJsonDoc *doc, const SlJsonNode *node, const char *key)
{
    const SlJsonNode *found = NULL;
    if (node == NULL || node->type != SL_JSON_OBJECT)
        return NULL;
    SL_JSON_FOREACH (doc, node, child) {
        if (sl_json_string_is(child, key))
            found = child + 1; /* no early exit: the last one wins */
    }
    return found;
}

/* Objects of a few members are compared pair by pair, larger ones by a set. */
#define FEW_MEMBERS 12

static gboolean
is_same_key(const SlJsonNode *a, const SlJsonNode *b)
{
    if (!a->escaped && !b->escaped)
        return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
    g_autoptr(GString) x = g_string_new(NULL);
    g_autoptr(GString) y = g_string_new(NULL);
    return sl_json_append_string(a, x) && sl_json_append_string(b, y) && g_string_equal(x, y);
}

static gboolean
is_before(const SlJsonDoc *doc, const SlJsonNode *object, const SlJsonNode *key)
{
    SL_JSON_FOREACH (doc, object, other) {
        if (other == key)
            return FALSE;
        if (is_same_key(other, key))
            return TRUE;
    }
    return FALSE;
}

static void
free_string(gpointer string)
{
    g_string_free(string, TRUE);
}

static const SlJsonNode *
find_repeated_in(const SlJsonDoc *doc, const SlJsonNode *object)
{
    g_autoptr(GHashTable) seen = NULL;
    if (object->count > FEW_MEMBERS)
        seen = g_hash_table_new_full((GHashFunc)g_string_hash, (GEqualFunc)g_string_equal,
                                     free_string, NULL);
    SL_JSON_FOREACH (doc, object, key) {
        if (seen == NULL) {
            if (is_before(doc, object, key))
                return key;
            continue;
        }
        GString *text = g_string_new(NULL);
        sl_json_append_string(key, text);
        if (!g_hash_table_add(seen, text))
            return key;
    }
    return NULL;
}

const SlJsonNode *
sl_json_find_repeated(const SlJsonDoc *doc)
{
    for (guint i = 0; i < doc->n_nodes; i++) {
        const SlJsonNode *key =
            doc->nodes[i].type == SL_JSON_OBJECT ? find_repeated_in(doc, &doc->nodes[i]) : NULL;
        if (key != NULL)
            return key;
    }
    return NULL;
}

const SlJsonNode *
sl_json_get_path(const SlJsonDoc *doc, const SlJsonNode *node, ...)
{
    va_list keys;
    va_start(keys, node);
    for (const char *key; node != NULL && (key = va_arg(keys, const char *)) != NULL;)
        node = sl_json_get(doc, node, key);
    va_end(keys);
    return node;
}

const SlJsonNode *
sl_json_at(const SlJsonDoc *doc, const SlJsonNode *node, guint i)
{
    if (node == NULL || node->type != SL_JSON_ARRAY || i >= node->count)
        return NULL;
    const SlJsonNode *child = sl_json_first(doc, node);
    while (i-- > 0)
        child = sl_json_next(doc, node, child);
    return child;
}

gboolean
sl_json_string_is(const SlJsonNode *node, const char *text)
{
    if (node == NULL || node->type != SL_JSON_STRING)
        return FALSE;
    const char *p = node->p + 1, *end = node->p + node->n - 1;
    gsize len = strlen(text);
    if (!node->escaped)
        return (gsize)(end - p) == len && memcmp(p, text, len) == 0;
    const char *want = text, *want_end = text + len;
    while (p < end) {
        char buf[6];
        gsize n = 1;
        buf[0] = *p;
        if (*p == '\\') {
            gunichar code = 0;
            p = sl_json_escape_end(p, end, &code);
            n = (gsize)g_unichar_to_utf8(code, buf);
        } else {
            p++;
        }
        if ((gsize)(want_end - want) < n || memcmp(want, buf, n) != 0)
            return FALSE;
        want += n;
    }
    return want == want_end;
}

gboolean
sl_json_append_string(const SlJsonNode *node, GString *out)
{
    if (node == NULL || node->type != SL_JSON_STRING)
        return FALSE;
    sl_json_append_unescaped((SlSpan){node->p + 1, node->n - 2}, out);
    return TRUE;
}

gboolean
sl_json_append_unescaped(SlSpan raw, GString *out)
{
    if (raw.n == 0) /* of what is absent there is no address */
        return TRUE;
    const char *p = raw.p, *end = raw.p + raw.n;
    while (p < end) {
        const char *slash = memchr(p, '\\', (gsize)(end - p));
        const char *run = slash != NULL ? slash : end;
        g_string_append_len(out, p, run - p);
        p = run;
        if (p < end) {
            gunichar code = 0;
            p = sl_json_escape_end(p, end, &code);
            if (p == NULL)
                return FALSE;
            g_string_append_unichar(out, code);
        }
    }
    return TRUE;
}

char *
sl_json_dup_string(const SlJsonNode *node)
{
    if (node == NULL || node->type != SL_JSON_STRING)
        return NULL;
    if (!node->escaped)
        return g_strndup(node->p + 1, node->n - 2);
    g_autoptr(GString) out = g_string_sized_new(node->n);
    sl_json_append_string(node, out);
    if (memchr(out->str, '\0', out->len) != NULL)
        return NULL;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *
sl_json_dup_span(const SlJsonNode *node)
{
    return node != NULL ? g_strndup(node->p, node->n) : NULL;
}

/* A decimal number, taken apart: digits × 10^exponent, where `digits` runs from the first to the
 * last one that is not zero and may have the point inside. */
typedef struct {
    const char *first, *last; /* NULL: the number is zero */
    gint64 exponent;          /* of the last digit */
    guint n_digits;
    gboolean negative;
} Decimal;

/* The exponent behind 'e', held within ±10^15: no text is long enough to bring that back. */
static gint64
read_exponent(const char *p, const char *end)
{
    const gint64 limit = G_GINT64_CONSTANT(1000000000000000);
    gboolean negative = p < end && *p == '-';
    gint64 value = 0;
    for (; p < end; p++) {
        if (g_ascii_isdigit(*p))
            value = MIN(value * 10 + (*p - '0'), limit);
    }
    return negative ? -value : value;
}

static void
take_apart(SlSpan number, Decimal *ret)
{
    const char *p = number.p, *end = number.p + number.n;
    const char *point = NULL, *digits_end;

    *ret = (Decimal){.negative = *p == '-'};
    if (ret->negative)
        p++;
    for (digits_end = p; digits_end < end && (*digits_end | 0x20) != 'e'; digits_end++) {
        if (*digits_end == '.') {
            point = digits_end;
        } else if (*digits_end != '0') {
            if (ret->first == NULL)
                ret->first = digits_end;
            ret->last = digits_end;
        }
    }
    if (ret->first == NULL)
        return;
    gint64 exponent = digits_end < end ? read_exponent(digits_end + 1, end) : 0;
    if (point == NULL)
        exponent += digits_end - 1 - ret->last;
    else if (ret->last < point)
        exponent += point - 1 - ret->last;
    else
        exponent -= ret->last - point;
    ret->exponent = exponent;
    gsize n = (gsize)(ret->last - ret->first) + 1;
    if (point != NULL && ret->first < point && point < ret->last)
        n--;
    ret->n_digits = (guint)MIN(n, G_MAXUINT);
}

gboolean
sl_json_span_get_int64(SlSpan number, gint64 *ret)
{
    Decimal d;
    guint64 value = 0;
    SlJsonFault fault;

    if (number.n == 0 ||
        sl_json_number_end(number.p, number.p + number.n, &fault) != number.p + number.n)
        return FALSE;
    take_apart(number, &d);
    if (d.first == NULL) {
        *ret = 0;
        return TRUE;
    }
    /* 19 digits fit guint64 always and hold every gint64. */
    if (d.exponent < 0 || d.exponent > 18 || d.n_digits + d.exponent > 19)
        return FALSE;
    for (const char *p = d.first; p <= d.last; p++) {
        if (*p != '.')
            value = value * 10 + (guint64)(*p - '0');
    }
    for (gint64 i = 0; i < d.exponent; i++)
        value *= 10;
    if (value > (guint64)G_MAXINT64 + (d.negative ? 1 : 0))
        return FALSE;
    *ret = d.negative ? (gint64)(0 - value) : (gint64)value;
    return TRUE;
}

gboolean
sl_json_get_int64(const SlJsonNode *node, gint64 *ret)
{
    return node != NULL && node->type == SL_JSON_NUMBER &&
           sl_json_span_get_int64(sl_json_span(node), ret);
}

gboolean
sl_json_get_double(const SlJsonNode *node, double *ret)
{
    char buf[64];
    g_autofree char *heap = NULL;

    if (node == NULL || node->type != SL_JSON_NUMBER)
        return FALSE;
    char *text = node->n < sizeof buf ? buf : (heap = g_malloc(node->n + 1));
    memcpy(text, node->p, node->n);
    text[node->n] = '\0';
    double value = g_ascii_strtod(text, NULL);
    if (!isfinite(value))
        return FALSE;
    *ret = value;
    return TRUE;
}

gboolean
sl_json_get_boolean(const SlJsonNode *node, gboolean *ret)
{
    if (node == NULL || (node->type != SL_JSON_TRUE && node->type != SL_JSON_FALSE))
        return FALSE;
    *ret = node->type == SL_JSON_TRUE;
    return TRUE;
}
