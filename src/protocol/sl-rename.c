/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-rename.h"

#include <string.h>

static const char key[] = "namespace";

/* Could this part of a record, outside its data, hold a member called namespace? */
static gboolean
may_hold_key(const char *from, const char *to)
{
    gsize n = (gsize)(to - from);
    return memmem(from, n, key, sizeof key - 1) != NULL || memchr(from, '\\', n) != NULL;
}

/* The value of the record's namespace when it is null or "": it has one, but the scanner does not
 * tell where. n = 0: there is none. */
static SlSpan
find_empty_namespace(const SlMessage *message)
{
    SlSpan name, value, found = {NULL, 0};
    gboolean escaped, malformed;
    gsize cursor = 0;
    const char *end = message->payload.p + message->payload.n;
    const char *data_end = message->data.p + message->data.n;

    if (!may_hold_key(message->payload.p, message->data.p) && !may_hold_key(data_end, end))
        return found;
    while (sl_json_members_next(message->payload, &cursor, &name, &escaped, &value, &malformed)) {
        g_autoptr(GString) plain = NULL;
        if (escaped) {
            plain = g_string_new(NULL);
            if (sl_json_append_unescaped(name, plain))
                name = (SlSpan){plain->str, plain->len};
        }
        if (name.n == sizeof key - 1 && memcmp(name.p, key, name.n) == 0)
            found = value; /* the last one counts */
    }
    return found;
}

/* Copies from *at up to `until`, then the text, and goes on behind `cut` bytes. */
static void
splice(GString *out, const char **at, const char *until, gsize cut, const char *text)
{
    g_string_append_len(out, *at, until - *at);
    g_string_append(out, text);
    *at = until + cut;
}

void
sl_rename_record(const SlCatalogStream *stream, const SlMessage *message, const char *line,
                 gsize len, GString *out)
{
    const char *at = line, *end = line + len;
    SlSpan ns = {NULL, 0}; /* what gives way to the new namespace */
    if (message->ns.n > 0)
        ns = (SlSpan){message->ns.p - 1, message->ns.n + 2};
    else if (stream->to_ns != NULL)
        ns = find_empty_namespace(message);
    if (ns.n == 0 && stream->to_ns != NULL) {
        splice(out, &at, message->payload.p + 1, 0, "\"namespace\":");
        g_string_append(out, stream->to_ns_json);
        g_string_append_c(out, ',');
    } else if (ns.n > 0 && ns.p < message->stream.p) {
        splice(out, &at, ns.p, ns.n, stream->to_ns_json);
    }
    splice(out, &at, message->stream.p - 1, message->stream.n + 2, stream->to_name_json);
    if (ns.n > 0 && ns.p > message->stream.p)
        splice(out, &at, ns.p, ns.n, stream->to_ns_json);
    g_string_append_len(out, at, end - at);
}
