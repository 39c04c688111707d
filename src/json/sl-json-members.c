/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-scan-private.h"

/* The walk over an object's members. It may stand on `data` that only the scanner has seen, so it
 * believes nothing: keys and scalars are checked in full, nested containers for their brackets. */

static const char *
value_end(const char *p, const char *end)
{
    SlJsonFault fault;
    gboolean escaped;
    guint8 type;

    if (p == end)
        return NULL;
    switch (*p) {
    case '{':
    case '[':
        return sl_json_kernel_get()->skip_container(p, end);
    case '"':
        return sl_json_string_end(p, end, &escaped, &fault);
    case 't':
    case 'f':
    case 'n':
        return sl_json_literal_end(p, end, &type);
    default:
        return sl_json_number_end(p, end, &fault);
    }
}

static gboolean
malformed(gboolean *ret_malformed)
{
    *ret_malformed = TRUE;
    return FALSE;
}

/* Moves past the brace or comma before a member. NULL with *ret_malformed clear: the end. */
static const char *
enter_member(SlSpan object, gsize cursor, gboolean *ret_malformed)
{
    const char *end = object.p + object.n;
    const char *p = sl_json_skip_space(object.p + cursor, end);

    if (p == end || (cursor == 0 ? *p != '{' : *p != ',' && *p != '}')) {
        *ret_malformed = TRUE;
        return NULL;
    }
    gboolean first = cursor == 0, last = *p == '}';
    p = sl_json_skip_space(p + 1, end);
    if (first && p < end && *p == '}') {
        last = TRUE;
        p = sl_json_skip_space(p + 1, end);
    }
    if (!last)
        return p;
    *ret_malformed = p != end; /* something behind the object */
    return NULL;
}

gboolean
sl_json_members_next(SlSpan object, gsize *cursor, SlSpan *ret_key, gboolean *ret_escaped,
                     SlSpan *ret_value, gboolean *ret_malformed)
{
    const char *end = object.p + object.n;
    SlJsonFault fault;

    *ret_malformed = FALSE;
    const char *key = enter_member(object, *cursor, ret_malformed);
    if (key == NULL)
        return FALSE;
    if (key == end || *key != '"')
        return malformed(ret_malformed);
    const char *p = sl_json_string_end(key, end, ret_escaped, &fault);
    if (p == NULL)
        return malformed(ret_malformed);
    *ret_key = (SlSpan){key + 1, (gsize)(p - key) - 2};
    p = sl_json_skip_space(p, end);
    if (p == end || *p != ':')
        return malformed(ret_malformed);
    const char *value = sl_json_skip_space(p + 1, end);
    p = value_end(value, end);
    if (p == NULL)
        return malformed(ret_malformed);
    *ret_value = (SlSpan){value, (gsize)(p - value)};
    *cursor = (gsize)(p - object.p);
    return TRUE;
}
