/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-frame-schema.h"

/* For the differential test against protobuf's own library: what we make of frames and of JSON.
 *   sl-frame-tell decode SCHEMA   frames on stdin → a line of JSON each: the record's data, the
 * text of a message, "probe", or an error sl-frame-tell encode SCHEMA   lines of JSON → frames, of
 * partition "p" of stream "s"
 */

#define INPUT_LIMIT (1024 * 1024 * 1024)

static SlFrameSchema *schema;

static void
tell(SlSpan body)
{
    g_autoptr(GError) error = NULL;
    g_auto(SlBytes) out = {0};
    SlFrame frame;
    gboolean ok = sl_frame_parse(body, &frame, &error);
    if (ok && frame.type == SL_FRAME_RECORD)
        ok = sl_frame_schema_decode(schema, &frame, &out, &error);
    else if (ok && frame.type == SL_FRAME_MESSAGE)
        sl_bytes_append(&out, frame.message.p, frame.message.n);
    else if (ok)
        sl_bytes_append(&out, "probe", 5);
    if (!ok)
        printf("error: %s\n", error->message);
    else if (frame.type == SL_FRAME_RECORD)
        printf("%.*s %.*s %" G_GUINT64_FORMAT " %.*s %.*s\n", (int)frame.ns.n, frame.ns.p,
               (int)frame.stream.n, frame.stream.p, frame.emitted_at, (int)frame.partition.n,
               frame.partition.p, (int)out.len, out.p);
    else
        printf("%.*s\n", (int)out.len, out.p);
}

static int
decode(const char *p, gsize n)
{
    SlSpan body;
    while (n > 0 && sl_frame_split(p, n, &body) == SL_SPLIT_WHOLE) {
        tell(body);
        n -= (gsize)(body.p + body.n - p);
        p = body.p + body.n;
    }
    return n == 0 ? 0 : 1;
}

static int
encode(const char *p, gsize n)
{
    g_auto(SlBytes) names = {0}, values = {0}, out = {0};
    sl_frame_append_names(&names, "n", "s");
    for (const char *end = p + n, *newline; p < end; p = newline + 1) {
        newline = memchr(p, '\n', (gsize)(end - p));
        if (newline == NULL)
            return 1;
        g_autoptr(GError) error = NULL;
        values.len = 0;
        if (!sl_frame_schema_encode(schema, (SlSpan){p, (gsize)(newline - p)}, &values, NULL,
                                    &error)) {
            fprintf(stderr, "%s\n", error->message);
            return 1;
        }
        sl_frame_append_record(&out, (SlSpan){names.p, names.len}, 1700000000000, (SlSpan){"p", 1},
                               (SlSpan){values.p, values.len}, (SlSpan){NULL, 0});
    }
    return fwrite(out.p, 1, out.len, stdout) == out.len ? 0 : 1;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlJsonDoc) doc =
        argc == 3 ? sl_json_read(argv[2], strlen(argv[2]), NULL, NULL) : NULL;
    if (doc == NULL)
        return 2;
    schema = sl_frame_schema_new(doc, sl_json_root(doc));
    gsize n;
    g_autofree char *text = sl_fd_read_all(STDIN_FILENO, INPUT_LIMIT, &n, &error);
    int code = text == NULL                     ? 1
               : g_str_equal(argv[1], "decode") ? decode(text, n)
                                                : encode(text, n);
    sl_frame_schema_free(schema);
    return code;
}
