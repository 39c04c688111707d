/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-kernel.h"
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

/* --- all at once -------------------------------------------------------------------------------
 * One pass finds what may separate members, a second one puts members together. That one says
 * nothing of what it does not know for sure: then the walk above does it all again. */

#define MAX_MARKED (64 * 1024) /* beyond that, memory would count */

static inline SlJsonMember *
add_member(SlJsonMembers *members)
{
    if (members->n == members->n_allocated) {
        members->n_allocated = MAX(32, members->n_allocated * 2);
        members->list = g_renew(SlJsonMember, members->list, members->n_allocated);
    }
    return &members->list[members->n++];
}

/* Is one of the bytes [from, to) special? */
static inline gboolean
any_special(const guint64 *special, gsize from, gsize to)
{
    if (from >= to)
        return FALSE;
    gsize first = from / 64, last = (to - 1) / 64;
    guint64 head = ~G_GUINT64_CONSTANT(0) << from % 64;
    guint64 tail = ~G_GUINT64_CONSTANT(0) >> (63 - (to - 1) % 64);
    if (first == last)
        return (special[first] & head & tail) != 0;
    guint64 any = (special[first] & head) | (special[last] & tail);
    for (gsize i = first + 1; i < last; i++)
        any |= special[i];
    return any != 0;
}

static inline const char *
trim(const char *end)
{
    while (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\r' || end[-1] == '\t')
        end--;
    return end;
}

/* Is [from, to) one string, quotes included? */
static inline gboolean
is_string(const SlJsonMembers *members, const char *object, const char *from, const char *to,
          gboolean *ret_escaped)
{
    SlJsonFault fault;
    *ret_escaped = FALSE;
    if (to - from < 2 || *from != '"' || to[-1] != '"')
        return FALSE;
    return !any_special(members->special, (gsize)(from + 1 - object), (gsize)(to - 1 - object)) ||
           sl_json_string_end(from, to, ret_escaped, &fault) == to;
}

static inline gboolean
is_scalar(const SlJsonMembers *members, const char *object, const char *from, const char *to)
{
    SlJsonFault fault;
    gboolean escaped;
    guint8 type;
    if (from >= to)
        return FALSE;
    switch (*from) {
    case '"':
        return is_string(members, object, from, to, &escaped);
    case 't':
    case 'f':
    case 'n':
        return sl_json_literal_end(from, to, &type) == to;
    default:
        return sl_json_number_end(from, to, &fault) == to;
    }
}

/* The mark that closes the container whose bracket is at marks[at]; like the walk, by brackets of
 * its own kind. `n`: it is not closed. */
static inline guint
find_close(const char *object, const guint32 *marks, guint at, guint n)
{
    char open = object[marks[at]], close = open == '{' ? '}' : ']';
    guint depth = 1;
    while (++at < n) {
        char c = object[marks[at]];
        depth += c == open;
        if (c == close && --depth == 0)
            return at;
    }
    return n;
}

/* FALSE: not for sure. */
static gboolean
read_marked(SlJsonMembers *members, SlSpan object)
{
    const char *p = object.p;
    const guint32 *marks = members->marks;
    /* The marks were found already, for read_compact(). */
    guint n = members->n_marks;
    if (n < 3 || marks[0] != 0 || p[0] != '{' || marks[n - 1] != object.n - 1)
        return FALSE;
    for (guint at = 0; at + 2 < n;) {
        const char *colon = p + marks[at + 1];
        const char *key = sl_json_skip_space(p + marks[at] + 1, colon);
        const char *key_end = trim(colon), *value_end;
        gboolean escaped;
        if (*colon != ':' || !is_string(members, p, key, key_end, &escaped))
            return FALSE;
        const char *value = sl_json_skip_space(colon + 1, p + object.n);
        at += 2;
        if (value == p + marks[at] && (*value == '{' || *value == '[')) {
            at = find_close(p, marks, at, n);
            if (at + 1 >= n)
                return FALSE;
            value_end = p + marks[at] + 1;
            at++;
            if (sl_json_skip_space(value_end, p + marks[at]) != p + marks[at])
                return FALSE;
        } else {
            value_end = trim(p + marks[at]);
            if (!is_scalar(members, p, value, value_end))
                return FALSE;
        }
        SlJsonMember *member = add_member(members);
        member->key = (SlSpan){key + 1, (gsize)(key_end - key) - 2};
        member->value = (SlSpan){value, (gsize)(value_end - value)};
        member->escaped = escaped;
        if (p[marks[at]] == '}')
            return at == n - 1;
        if (p[marks[at]] != ',')
            return FALSE;
    }
    return FALSE;
}

/* A value in text without white space, as nearly all is. */
static inline gboolean
is_compact_scalar(const SlJsonMembers *members, SlSpan object, const char *from, const char *to)
{
    gboolean escaped;
    gsize n = (gsize)(to - from);
    if (*from == '"')
        return is_string(members, object.p, from, to, &escaped);
    /* Behind the value stands no digit. */
    if (n <= SL_JSON_STEP && object.p + object.n - from >= SL_JSON_STEP && n > 0 &&
        sl_json_digits_length(from) == n)
        return *from != '0' || n == 1;
    return is_scalar(members, object.p, from, to);
}

/* FALSE: not for sure, or there is white space. */
static gboolean
read_compact(SlJsonMembers *members, SlSpan object, guint64 bits)
{
    const char *p = object.p;
    const guint32 *marks = members->marks;
    guint n = members->n_marks;
    if (n < 3 || marks[0] != 0 || p[0] != '{' || marks[n - 1] != object.n - 1)
        return FALSE;
    for (guint at = 0; at + 2 < n;) {
        const char *key = p + marks[at] + 1, *colon = p + marks[at + 1], *end;
        gboolean escaped;
        if (*colon != ':' || !is_string(members, p, key, colon, &escaped))
            return FALSE;
        const char *value = colon + 1;
        at += 2;
        if (value == p + marks[at] && (*value == '{' || *value == '[')) {
            at = find_close(p, marks, at, n);
            if (at + 1 >= n || marks[at + 1] != marks[at] + 1)
                return FALSE;
            end = p + marks[++at];
        } else {
            end = p + marks[at];
            if (!is_compact_scalar(members, object, value, end))
                return FALSE;
        }
        gsize len = (gsize)(colon - key) - 2;
        if ((bits & sl_json_name_bit(key + 1, len)) != 0 || escaped) {
            SlJsonMember *member = add_member(members);
            member->key = (SlSpan){key + 1, len};
            member->value = (SlSpan){value, (gsize)(end - value)};
            member->escaped = escaped;
        }
        if (*end == '}')
            return at == n - 1;
        if (*end != ',')
            return FALSE;
    }
    return FALSE;
}

static void
make_room(SlJsonMembers *members, gsize n)
{
    if (members->size >= n)
        return;
    members->size = MIN(MAX(n * 2, 1024), MAX_MARKED);
    members->marks = g_renew(guint32, members->marks, members->size + 8);
    members->special = g_renew(guint64, members->special, members->size / 64 + 1);
}

gboolean
sl_json_members_read_some(SlJsonMembers *members, SlSpan object, guint64 bits)
{
    SlJsonMember next;
    gboolean malformed = FALSE, marked = object.n <= MAX_MARKED && object.n > 0;
    members->n = 0;
    members->sparse = bits != ~G_GUINT64_CONSTANT(0);
    if (marked) {
        make_room(members, object.n);
        members->n_marks =
            sl_json_kernel_get()->find_marks(object.p, object.n, members->marks, members->special);
        if (read_compact(members, object, bits))
            return TRUE;
    }
    members->n = 0;
    members->sparse = FALSE;
    if (marked && read_marked(members, object))
        return TRUE;
    members->n = 0;
    for (gsize cursor = 0;
         sl_json_members_next(object, &cursor, &next.key, &next.escaped, &next.value, &malformed);)
        *add_member(members) = next;
    return !malformed;
}

gboolean
sl_json_members_read(SlJsonMembers *members, SlSpan object)
{
    return sl_json_members_read_some(members, object, ~G_GUINT64_CONSTANT(0));
}

void
sl_json_members_clear(SlJsonMembers *members)
{
    g_free(members->list);
    g_free(members->marks);
    g_free(members->special);
    *members = (SlJsonMembers){0};
}
