/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-kernel.h"
#include "sl-json-read-private.h"
#include "sl-json-scan.h"

/* Private to this folder and its tests. */

/* The slow truth: what the strict reader says of a line. The fast paths must never differ from it
 * on valid JSON; the fuzz test compares them. `doc` is working memory. */
void sl_json_judge(SlJsonDoc *doc, const char *line, gsize len, SlMessage *ret);

/* A scanner of a given instruction set, for tests. */
SlJsonScanner *sl_json_scanner_new_for(const SlJsonKernel *kernel);

/* Lines since a template fitted last: 0 says that the last line was found by one. */
guint sl_json_scanner_get_misses(const SlJsonScanner *scanner);

/* Does the text hold the start of a RECORD message, in any spacing and case? Such a line, when it
 * is no message, is lost data and not chatter. Linear. */
gboolean sl_json_looks_like_record(const char *line, gsize len);

/* Field by field: the structure has holes. */
static inline gboolean
sl_message_equal(const SlMessage *a, const SlMessage *b)
{
    const SlSpan spans[][2] = {
        {a->payload, b->payload}, {a->stream, b->stream}, {a->ns, b->ns},
        {a->data, b->data},       {a->meta, b->meta},     {a->emitted_at, b->emitted_at},
    };
    for (guint i = 0; i < G_N_ELEMENTS(spans); i++) {
        if (spans[i][0].p != spans[i][1].p || spans[i][0].n != spans[i][1].n)
            return FALSE;
    }
    return a->type == b->type && a->stream_escaped == b->stream_escaped &&
           a->ns_escaped == b->ns_escaped && a->looks_like_record == b->looks_like_record;
}
