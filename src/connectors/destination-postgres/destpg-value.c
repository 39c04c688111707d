/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-value.h"

#include "destpg-number.h"
#include "destpg-time.h"

#define MAX_TEXT (256u << 20)  /* characters are counted as four bytes, a field holds 1 GiB */
#define MAX_JSONB (240u << 20) /* jsonb's containers hold 256 MiB (JENTRY_OFFLENMASK) */
#define JSONB_VERSION 1        /* first byte of jsonb_recv's format */
#define NULL_LENGTH G_MAXUINT32

void
destpg_scratch_clear(DestpgScratch *scratch)
{
    destpg_buffer_clear(&scratch->text);
    g_clear_pointer(&scratch->doc, sl_json_doc_free);
}

void
destpg_value_put_null(DestpgBuffer *out)
{
    destpg_put32(destpg_buffer_reserve(out, 4), NULL_LENGTH);
    out->len += 4;
}

void
destpg_value_put_text(DestpgBuffer *out, const char *p, gsize n)
{
    guint8 *to = destpg_buffer_reserve(out, 4 + n);
    destpg_put32(to, n);
    memcpy(to + 4, p, n);
    out->len += 4 + n;
}

void
destpg_value_put_int64(DestpgBuffer *out, gint64 value)
{
    guint8 *to = destpg_buffer_reserve(out, 12);
    destpg_put32(to, 8);
    destpg_put64(to + 4, value);
    out->len += 12;
}

static DestpgVerdict
put_nothing(DestpgBuffer *out, DestpgVerdict why)
{
    destpg_value_put_null(out);
    return why;
}

static DestpgVerdict
verdict_of(DestpgBuffer *out, DestpgResult result)
{
    static const DestpgVerdict verdicts[] = {
        [DESTPG_OK] = DESTPG_KEPT,
        [DESTPG_BAD] = DESTPG_REFUSED,
        [DESTPG_RANGE] = DESTPG_TOO_BIG,
    };
    return result == DESTPG_OK ? DESTPG_KEPT : put_nothing(out, verdicts[result]);
}

/* The text of a string or a number, to be parsed; n = 0 for anything else. */
static SlSpan
plain_text(SlSpan value, gboolean numbers, gboolean checked, DestpgScratch *scratch)
{
    if (*value.p != '"')
        return numbers && (*value.p == '-' || g_ascii_isdigit(*value.p)) ? value : (SlSpan){"", 0};
    if (memchr(value.p, '\\', value.n) == NULL && checked)
        return (SlSpan){value.p + 1, value.n - 2};
    scratch->text.len = 0;
    destpg_text_unescape(&scratch->text, value, checked);
    return (SlSpan){(const char *)scratch->text.data, scratch->text.len};
}

static DestpgVerdict
put_boolean(DestpgBuffer *out, SlSpan value, gboolean checked, DestpgScratch *scratch)
{
    gboolean is_true = value.n == 4 && memcmp(value.p, "true", 4) == 0;
    if (!is_true && !(value.n == 5 && memcmp(value.p, "false", 5) == 0))
        return put_nothing(out, DESTPG_REFUSED);
    guint8 *to = destpg_buffer_reserve(out, 5);
    destpg_put32(to, 1);
    to[4] = is_true;
    out->len += 5;
    return DESTPG_KEPT;
}

static DestpgVerdict
put_bigint(DestpgBuffer *out, SlSpan value, gboolean checked, DestpgScratch *scratch)
{
    SlSpan text = plain_text(value, TRUE, checked, scratch);
    gint64 number;
    DestpgResult result = destpg_number_to_int64(text.p, text.n, &number);
    /* A string counts as an integer only when it looks like one: no point, no exponent. */
    if (result != DESTPG_BAD && *value.p == '"')
        for (gsize i = 0; i < text.n; i++)
            if (strchr(".eE", text.p[i]) != NULL)
                result = DESTPG_BAD;
    if (result == DESTPG_OK)
        destpg_value_put_int64(out, number);
    return verdict_of(out, result);
}

static DestpgVerdict
put_numeric(DestpgBuffer *out, SlSpan value, gboolean checked, DestpgScratch *scratch)
{
    SlSpan text = plain_text(value, TRUE, checked, scratch);
    gsize n;
    guint8 *to = destpg_buffer_reserve(out, 4 + DESTPG_NUMERIC_ROOM(text.n));
    DestpgResult result = destpg_number_to_numeric(text.p, text.n, to + 4, &n);
    if (result == DESTPG_OK) {
        destpg_put32(to, n);
        out->len += 4 + n;
    }
    return verdict_of(out, result);
}

static DestpgVerdict
put_varchar(DestpgBuffer *out, SlSpan value, gboolean checked, DestpgScratch *scratch)
{
    gboolean string = *value.p == '"', scalar = *value.p != '{' && *value.p != '[';
    if (value.n > MAX_TEXT)
        return put_nothing(out, DESTPG_TOO_BIG);
    if (string && checked && memchr(value.p, '\\', value.n) == NULL) {
        destpg_value_put_text(out, value.p + 1, value.n - 2);
        return DESTPG_KEPT;
    }
    gsize at = out->len;
    destpg_buffer_reserve(out, 4);
    out->len += 4;
    if (string)
        destpg_text_unescape(out, value, checked);
    else
        destpg_text_copy(out, value, checked && scalar);
    destpg_put32(out->data + at, out->len - at - 4);
    return DESTPG_KEPT;
}

static DestpgVerdict
put_date(DestpgBuffer *out, SlSpan value, gboolean checked, DestpgScratch *scratch)
{
    SlSpan text = plain_text(value, FALSE, checked, scratch);
    DestpgStamp stamp;
    gint32 days;
    if (!destpg_time_parse(text.p, text.n, &stamp))
        return put_nothing(out, DESTPG_REFUSED);
    DestpgResult result = destpg_time_to_date(&stamp, &days);
    if (result == DESTPG_OK) {
        guint8 *to = destpg_buffer_reserve(out, 8);
        destpg_put32(to, 4);
        destpg_put32(to + 4, days);
        out->len += 8;
    }
    return verdict_of(out, result);
}

static DestpgVerdict
put_stamp(DestpgBuffer *out, SlSpan value, gboolean checked, DestpgScratch *scratch,
          DestpgResult (*convert)(const DestpgStamp *, gint64 *))
{
    SlSpan text = plain_text(value, FALSE, checked, scratch);
    DestpgStamp stamp;
    gint64 usec;
    if (!destpg_time_parse(text.p, text.n, &stamp))
        return put_nothing(out, DESTPG_REFUSED);
    DestpgResult result = convert(&stamp, &usec);
    if (result == DESTPG_OK)
        destpg_value_put_int64(out, usec);
    return verdict_of(out, result);
}

static DestpgVerdict
put_timestamptz(DestpgBuffer *out, SlSpan value, gboolean checked, DestpgScratch *scratch)
{
    return put_stamp(out, value, checked, scratch, destpg_time_to_timestamptz);
}

static DestpgVerdict
put_timestamp(DestpgBuffer *out, SlSpan value, gboolean checked, DestpgScratch *scratch)
{
    return put_stamp(out, value, checked, scratch, destpg_time_to_timestamp);
}

static DestpgVerdict
put_time(DestpgBuffer *out, SlSpan value, gboolean checked, DestpgScratch *scratch)
{
    return put_stamp(out, value, checked, scratch, destpg_time_to_time);
}

static DestpgVerdict
put_timetz(DestpgBuffer *out, SlSpan value, gboolean checked, DestpgScratch *scratch)
{
    SlSpan text = plain_text(value, FALSE, checked, scratch);
    DestpgStamp stamp;
    gint64 usec;
    gint32 zone;
    if (!destpg_time_parse(text.p, text.n, &stamp))
        return put_nothing(out, DESTPG_REFUSED);
    DestpgResult result = destpg_time_to_timetz(&stamp, &usec, &zone);
    if (result == DESTPG_OK) {
        guint8 *to = destpg_buffer_reserve(out, 16);
        destpg_put32(to, 12);
        destpg_put64(to + 4, usec);
        destpg_put32(to + 12, zone);
        out->len += 16;
    }
    return verdict_of(out, result);
}

/* Would jsonb take it, \u0000 apart? One bad value would end the COPY of all rows. */
static DestpgVerdict
judge_json(SlSpan value, DestpgScratch *scratch)
{
    if (value.n > MAX_JSONB)
        return DESTPG_TOO_BIG;
    if (scratch->doc == NULL)
        scratch->doc = g_new0(SlJsonDoc, 1);
    if (!sl_json_read_into(scratch->doc, value.p, value.n, NULL, NULL))
        return DESTPG_REFUSED;
    const SlJsonDoc *doc = scratch->doc;
    for (guint i = 0; i < doc->n_nodes; i++) {
        const SlJsonNode *node = &doc->nodes[i];
        /* Short numbers without an exponent always fit. */
        if (node->type == SL_JSON_NUMBER &&
            (node->n > 1000 || memchr(node->p, 'e', node->n) || memchr(node->p, 'E', node->n)) &&
            !destpg_number_fits(node->p, node->n))
            return DESTPG_TOO_BIG;
    }
    return DESTPG_KEPT;
}

static DestpgVerdict
put_json(DestpgBuffer *out, SlSpan value, gboolean checked, DestpgScratch *scratch)
{
    /* Checked strings and literals are valid as they are. */
    gboolean plain = checked && value.n <= MAX_JSONB && strchr("\"tf", *value.p) != NULL;
    DestpgVerdict verdict = plain ? DESTPG_KEPT : judge_json(value, scratch);
    if (verdict != DESTPG_KEPT)
        return put_nothing(out, verdict);
    gsize at = out->len;
    destpg_buffer_reserve(out, 5 + value.n)[4] = JSONB_VERSION;
    out->len += 5;
    gboolean stripped = destpg_text_copy_json(out, value);
    destpg_put32(out->data + at, out->len - at - 4);
    return stripped ? DESTPG_STRIPPED : DESTPG_KEPT;
}

static DestpgVerdict
put_object(DestpgBuffer *out, SlSpan value, gboolean checked, DestpgScratch *scratch)
{
    return *value.p == '{' ? put_json(out, value, checked, scratch)
                           : put_nothing(out, DESTPG_REFUSED);
}

static DestpgVerdict
put_array(DestpgBuffer *out, SlSpan value, gboolean checked, DestpgScratch *scratch)
{
    return *value.p == '[' ? put_json(out, value, checked, scratch)
                           : put_nothing(out, DESTPG_REFUSED);
}

DestpgVerdict
destpg_value_put(DestpgBuffer *out, DestpgKind kind, SlSpan value, gboolean checked,
                 DestpgScratch *scratch)
{
    static DestpgVerdict (*const put[])(DestpgBuffer *, SlSpan, gboolean, DestpgScratch *) = {
        [DESTPG_BOOLEAN] = put_boolean,     [DESTPG_BIGINT] = put_bigint,
        [DESTPG_NUMERIC] = put_numeric,     [DESTPG_VARCHAR] = put_varchar,
        [DESTPG_DATE] = put_date,           [DESTPG_TIMESTAMPTZ] = put_timestamptz,
        [DESTPG_TIMESTAMP] = put_timestamp, [DESTPG_TIMETZ] = put_timetz,
        [DESTPG_TIME] = put_time,           [DESTPG_OBJECT] = put_object,
        [DESTPG_ARRAY] = put_array,         [DESTPG_ANY] = put_json,
    };
    G_STATIC_ASSERT(G_N_ELEMENTS(put) == DESTPG_N_KINDS);
    if (value.n == 0 || (value.n == 4 && memcmp(value.p, "null", 4) == 0))
        return put_nothing(out, DESTPG_KEPT);
    return put[kind](out, value, checked, scratch);
}
