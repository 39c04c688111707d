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

/* `cut` bytes at `at` give way to `text`, then to `more`. */
typedef struct {
    const char *at;
    gsize cut;
    SlSpan text, more;
} Edit;

typedef struct {
    Edit list[3];
    guint n;
} Edits;

static SlSpan
as_span(const char *text)
{
    return (SlSpan){text, strlen(text)};
}

/* In the order in which they stand in the line. */
static void
add_edit(Edits *edits, const char *at, gsize cut, SlSpan text, SlSpan more)
{
    guint i = edits->n++;
    for (; i > 0 && edits->list[i - 1].at > at; i--)
        edits->list[i] = edits->list[i - 1];
    edits->list[i] = (Edit){at, cut, text, more};
}

static void
edit_names(const SlCatalogStream *stream, const SlMessage *message, Edits *edits)
{
    const SlSpan nothing = {"", 0};
    SlSpan ns = {NULL, 0}; /* what gives way to the new namespace */
    add_edit(edits, message->stream.p - 1, message->stream.n + 2, as_span(stream->to_name_json),
             nothing);
    if (message->ns.n > 0)
        ns = (SlSpan){message->ns.p - 1, message->ns.n + 2};
    else if (stream->to_ns != NULL)
        ns = find_empty_namespace(message);
    if (ns.n > 0)
        add_edit(edits, ns.p, ns.n, as_span(stream->to_ns_json), nothing);
    else if (stream->to_ns != NULL) /* there is none: one more member, behind the brace */
        add_edit(edits, message->payload.p, 1, as_span("{\"namespace\":"),
                 as_span(stream->to_ns_json));
}

/* As much as the line can become, at once: this is done for every record. Where it goes. */
static char *
make_room(GString *out, const Edits *edits, gsize len)
{
    gsize before = out->len, most = len + 1;
    for (guint i = 0; i < edits->n; i++)
        most += edits->list[i].text.n + edits->list[i].more.n;
    g_string_set_size(out, before + most);
    return out->str + before;
}

static inline char *
put(char *to, const char *p, gsize n)
{
    memcpy(to, p, n);
    return to + n;
}

/* The commonest case, with nothing to put in order: the stream has another name. */
static void
rename_stream(const char *name, const SlMessage *message, const char *line, gsize len, GString *out)
{
    gsize n = strlen(name), head = (gsize)(message->stream.p - 1 - line), before = out->len;
    gsize skipped = head + message->stream.n + 2;
    g_string_set_size(out, before + len - (skipped - head) + n);
    char *to = put(out->str + before, line, head);
    to = put(to, name, n);
    put(to, line + skipped, len - skipped);
}

void
sl_rename_record(const SlCatalogStream *stream, const SlMessage *message, const GString *data,
                 const char *line, gsize len, GString *out)
{
    Edits edits = {.n = 0};
    const char *at = line;
    if (data == NULL && stream->renamed && stream->to_ns == NULL && message->ns.n == 0) {
        rename_stream(stream->to_name_json, message, line, len, out);
        return;
    }
    if (stream->renamed)
        edit_names(stream, message, &edits);
    if (data != NULL)
        add_edit(&edits, message->data.p, message->data.n, (SlSpan){data->str, data->len},
                 (SlSpan){"", 0});
    char *to = make_room(out, &edits, len);
    for (guint i = 0; i < edits.n; i++) {
        const Edit *edit = &edits.list[i];
        to = put(to, at, (gsize)(edit->at - at));
        to = put(to, edit->text.p, edit->text.n);
        to = put(to, edit->more.p, edit->more.n);
        if (edit->at == message->payload.p)
            *to++ = ',';
        at = edit->at + edit->cut;
    }
    to = put(to, at, (gsize)(line + len - at));
    g_string_truncate(out, (gsize)(to - out->str));
}
