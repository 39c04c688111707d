/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "fuzz.h"

#include <string.h>

#include "sl-channel-books.h"
#include "sl-error.h"

/* States and records of a data channel with several sockets. Lines: 'S' and a state's payload; a
 * digit: the stream of a record, and its partition's id. No state comes out that did not go in, and
 * none in front of the records it says it covers. */

static gint
find_stream(const SlJsonDoc *doc, const SlJsonNode *descriptor, gpointer data)
{
    static const char *const names[] = {"a", "b"};
    const SlJsonNode *name = sl_json_get(doc, descriptor, "name");
    for (guint i = 0; name != NULL && i < G_N_ELEMENTS(names); i++) {
        if (sl_json_string_is(name, names[i]))
            return (gint)i;
    }
    return -1;
}

typedef struct {
    SlChannelBooks *books;
    guint64 counted[2], covered[2];
    guint added, taken;
    gboolean broken;
} Channel;

static void
take_due(Channel *c)
{
    for (;;) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlChannelState) state = sl_channel_books_take(c->books, &error);
        c->broken |= error != NULL;
        if (state == NULL)
            return;
        fuzz_check(++c->taken <= c->added && state->stream >= -1 && state->stream < 2);
        fuzz_check(strlen(state->line) == state->len);
        for (guint i = 0; state->counts != NULL && i < 2; i++) {
            c->covered[i] += state->counts[i].records;
            fuzz_check(c->covered[i] <= c->counted[i]);
        }
    }
}

static void
take_line(Channel *c, SlSpan line)
{
    char kind = line.p[0];
    g_autofree char *copy = fuzz_copy(line.p + 1, line.n - 1, SL_JSON_PADDING);
    SlSpan rest = {copy, line.n - 1};
    if (kind == 'S') {
        g_autoptr(GError) error = NULL;
        gboolean ok = sl_channel_books_add(c->books, rest, (SlSpan){"state", 5}, &error);
        fuzz_check(ok == (error == NULL));
        c->added += ok;
        c->broken |= !ok;
    } else if (kind == '0' || kind == '1') {
        guint stream = (guint)(kind - '0');
        SlChannelCount *count = sl_channel_books_count(c->books, stream, rest);
        count->records++;
        count->bytes += rest.n;
        c->counted[stream]++;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SlSpan line;
    Channel c = {.books = sl_channel_books_new(2, 1 + size % 3, find_stream, NULL)};
    while (!c.broken && fuzz_next_part(&data, &size, '\n', &line)) {
        if (line.n == 0)
            continue;
        take_line(&c, line);
        if (!c.broken)
            take_due(&c);
    }
    fuzz_check(c.broken || sl_channel_books_waiting(c.books) <= c.added - c.taken);
    g_autofree char *text = sl_channel_books_describe(c.books);
    fuzz_check((text == NULL) == (sl_channel_books_waiting(c.books) == 0));
    sl_channel_books_free(c.books);
    return 0;
}
