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

static gboolean
add_literal(SlJsonTemplate *t, guint index, guint16 *used, const char *from, const char *to)
{
    gsize n = (gsize)(to - from);
    if (n > SL_JSON_TEMPLATE_BYTES)
        return FALSE;
    gsize room = (n + 63) / 64 * 64;
    if (*used + room > sizeof t->text)
        return FALSE;
    t->start[index] = *used;
    t->n[index] = (guint16)n;
    memcpy(t->text + *used, from, n);
    memset(t->text + *used + n, 0, room - n);
    *used += (guint16)room;
    return TRUE;
}

/* Where the span lies in the literals, which stand at `at` in the line. */
static void
find_span(SlJsonTemplateSpan *ret, const SlJsonTemplate *t, const char *const at[], SlSpan span)
{
    *ret = (SlJsonTemplateSpan){0};
    for (guint i = 0; span.p != NULL && i <= t->n_holes; i++) {
        if (span.p >= at[i] && span.p + span.n <= at[i] + t->n[i]) {
            ret->literal = (guint8)i;
            ret->offset = (guint16)(span.p - at[i]);
            ret->n = (guint16)span.n;
            ret->given = TRUE;
            return;
        }
    }
}

gboolean
sl_json_template_learn(SlJsonTemplate *ret, const char *line, const char *end, const SlMessage *m)
{
    const char *at[SL_JSON_TEMPLATE_LITERALS];
    SlSpan holes[2] = {m->data, m->emitted_at};
    guint16 used = 0;

    ret->n_holes = all_digits(m->emitted_at) ? 2 : 1;
    ret->hole[0] = SL_JSON_HOLE_DATA;
    ret->hole[1] = SL_JSON_HOLE_DIGITS;
    if (ret->n_holes == 1 && m->emitted_at.p != NULL)
        return FALSE; /* a number of another form: too rare to learn */
    if (ret->n_holes == 2 && m->emitted_at.p < m->data.p) {
        holes[0] = m->emitted_at;
        holes[1] = m->data;
        ret->hole[0] = SL_JSON_HOLE_DIGITS;
        ret->hole[1] = SL_JSON_HOLE_DATA;
    }
    at[0] = line;
    for (guint i = 0; i <= ret->n_holes; i++) {
        const char *to = i < ret->n_holes ? holes[i].p : end;
        if (!add_literal(ret, i, &used, at[i], to))
            return FALSE;
        if (i < ret->n_holes)
            at[i + 1] = holes[i].p + holes[i].n;
    }
    ret->payload_start = (guint16)(m->payload.p - line);
    ret->payload_end = (guint16)(m->payload.p + m->payload.n - at[ret->n_holes]);
    ret->stream_escaped = m->stream_escaped;
    ret->ns_escaped = m->ns_escaped;
    find_span(&ret->stream, ret, at, m->stream);
    find_span(&ret->ns, ret, at, m->ns);
    find_span(&ret->meta, ret, at, m->meta);
    return TRUE;
}
