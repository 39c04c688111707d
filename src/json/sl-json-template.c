/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-kernel.h"

#include <string.h>

/* Learning a template from a line that the generic scanner has just understood. */

static gboolean
all_digits(SlSpan span)
{
    for (gsize i = 0; i < span.n; i++) {
        if (!g_ascii_isdigit(span.p[i]))
            return FALSE;
    }
    return span.n > 0;
}

/* Nothing with a newline, which would fit two lines. */
static gboolean
literals_fit(const SlSpan *literals, guint n)
{
    gsize sum = 0;
    for (guint i = 0; i < n; i++) {
        if (memchr(literals[i].p, '\n', literals[i].n) != NULL)
            return FALSE;
        sum += literals[i].n;
    }
    return sum <= SL_JSON_TEMPLATE_BYTES;
}

static void
copy_literals(SlJsonTemplate *t, const SlSpan *literals, guint n)
{
    guint16 used = 0;
    for (guint i = 0; i < n; i++) {
        t->start[i] = used;
        t->n[i] = (guint16)literals[i].n;
        memcpy(t->text + used, literals[i].p, literals[i].n);
        used += (guint16)((literals[i].n + 63) / 64 * 64);
    }
}

/* Where the span lies in the literals. */
static void
find_span(SlJsonTemplateSpan *ret, const SlSpan *literals, guint n, SlSpan span)
{
    *ret = (SlJsonTemplateSpan){0};
    for (guint i = 0; span.p != NULL && i < n; i++) {
        if (span.p >= literals[i].p && span.p + span.n <= literals[i].p + literals[i].n) {
            ret->literal = (guint8)i;
            ret->offset = (guint16)(span.p - literals[i].p);
            ret->n = (guint16)span.n;
            ret->given = TRUE;
        }
    }
}

gboolean
sl_json_template_learn(SlJsonTemplate *ret, const char *line, const char *end, const SlMessage *m)
{
    SlSpan literals[SL_JSON_TEMPLATE_LITERALS], holes[2] = {m->data, m->emitted_at};
    guint8 kinds[2] = {SL_JSON_HOLE_DATA, SL_JSON_HOLE_DIGITS};
    guint n_holes = m->emitted_at.p != NULL ? 2 : 1;

    if (n_holes == 2 && (!all_digits(m->emitted_at) || m->emitted_at.n > 16))
        return FALSE; /* too rare to learn */
    if (n_holes == 2 && m->emitted_at.p < m->data.p) {
        holes[0] = m->emitted_at;
        holes[1] = m->data;
        kinds[0] = SL_JSON_HOLE_DIGITS;
        kinds[1] = SL_JSON_HOLE_DATA;
    }
    const char *p = line;
    for (guint i = 0; i <= n_holes; i++) {
        literals[i] = (SlSpan){p, (gsize)((i < n_holes ? holes[i].p : end) - p)};
        p = i < n_holes ? holes[i].p + holes[i].n : end;
    }
    if (!literals_fit(literals, n_holes + 1))
        return FALSE;
    copy_literals(ret, literals, n_holes + 1);
    ret->n_holes = (guint8)n_holes;
    memcpy(ret->hole, kinds, sizeof ret->hole);
    ret->n_digits = (guint8)m->emitted_at.n;
    ret->payload_start = (guint16)(m->payload.p - line);
    ret->payload_end = (guint16)(m->payload.p + m->payload.n - literals[n_holes].p);
    ret->stream_escaped = m->stream_escaped;
    ret->ns_escaped = m->ns_escaped;
    find_span(&ret->stream, literals, n_holes + 1, m->stream);
    find_span(&ret->ns, literals, n_holes + 1, m->ns);
    find_span(&ret->meta, literals, n_holes + 1, m->meta);
    return TRUE;
}
