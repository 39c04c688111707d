/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sl-frame.h"

#include <string.h>

#include "sl-error.h"

#define MIN_SIZE 4096
/* Longer varints are refused as lengths: 2^35 is more than any frame. */
#define LENGTH_BYTES 5

enum { WIRE_VARINT, WIRE_EIGHT, WIRE_BYTES, WIRE_FOUR = 5 };
#define TAG(number, wire) ((char)((number) << 3 | (wire)))

/* --- bytes --------------------------------------------------------------------------------- */

void
sl_bytes_grow(SlBytes *bytes, gsize need)
{
    bytes->size = MAX(MAX(bytes->size * 2, bytes->len + need), MIN_SIZE);
    bytes->p = g_realloc(bytes->p, bytes->size);
}

void
sl_bytes_clear(SlBytes *bytes)
{
    g_clear_pointer(&bytes->p, g_free);
    bytes->len = bytes->size = 0;
}

void
sl_bytes_append_uint(SlBytes *bytes, guint64 value)
{
    char text[20], *p = text + sizeof text;
    do
        *--p = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    sl_bytes_append(bytes, p, (gsize)(text + sizeof text - p));
}

void
sl_bytes_append(SlBytes *bytes, const char *p, gsize n)
{
    if (n == 0)
        return;
    memcpy(sl_bytes_reserve(bytes, n), p, n);
    bytes->len += n;
}

/* --- reading ------------------------------------------------------------------------------- */

/* How many bytes it takes; 0: it goes on behind `end`, -1: it is longer than `max`. */
static inline int
read_varint(const char *p, const char *end, int max, guint64 *ret)
{
    guint64 value = 0;
    for (int i = 0; i < max; i++) {
        if (p + i >= end)
            return 0;
        guint64 byte = (guint8)p[i];
        value |= (byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *ret = value;
            return i + 1;
        }
    }
    return -1;
}

SlSplit
sl_frame_split(const char *p, gsize n, SlSpan *ret_body)
{
    guint64 length = 0;
    *ret_body = (SlSpan){NULL, 0};
    int head = read_varint(p, p + n, LENGTH_BYTES, &length);
    if (head < 0)
        return SL_SPLIT_BROKEN;
    if (head == 0)
        return SL_SPLIT_MORE;
    *ret_body = (SlSpan){p + head, (gsize)length};
    return length <= n - (gsize)head ? SL_SPLIT_WHOLE : SL_SPLIT_MORE;
}

SlFieldResult
sl_frame_next_field(SlFrameField *field)
{
    const char *p = field->p, *end = field->end;
    guint64 tag, length;
    if (p == end)
        return SL_FIELD_END;
    field->start = p;
    /* Most fields are small ones with bytes: a tag and a length of one byte each. */
    if (end - p >= 2 && (*p & 0x87) == WIRE_BYTES && (guint8)*p >= 8 && (guint8)p[1] < 0x80) {
        length = (guint8)p[1];
        if (length > (guint64)(end - p - 2))
            return SL_FIELD_BROKEN;
        field->number = (guint32)((guint8)*p >> 3);
        field->wire = WIRE_BYTES;
        field->bytes = (SlSpan){p + 2, (gsize)length};
        field->p = p + 2 + length;
        return SL_FIELD_READ;
    }
    int n = read_varint(p, end, LENGTH_BYTES, &tag);
    if (n <= 0 || tag > G_MAXUINT32 || tag >> 3 == 0)
        return SL_FIELD_BROKEN;
    p += n;
    field->number = (guint32)(tag >> 3);
    field->wire = tag & 7;
    switch (field->wire) {
    case WIRE_VARINT:
        n = read_varint(p, end, SL_VARINT_MAX, &field->varint);
        if (n <= 0)
            return SL_FIELD_BROKEN;
        field->p = p + n;
        return SL_FIELD_READ;
    case WIRE_BYTES:
        n = read_varint(p, end, LENGTH_BYTES, &length);
        if (n <= 0)
            return SL_FIELD_BROKEN;
        p += n;
        break;
    case WIRE_EIGHT:
        length = 8;
        break;
    case WIRE_FOUR:
        length = 4;
        break;
    default: /* groups: no schema of this century has them */
        return SL_FIELD_BROKEN;
    }
    if (length > (guint64)(end - p))
        return SL_FIELD_BROKEN;
    field->bytes = (SlSpan){p, (gsize)length};
    field->p = p + length;
    return SL_FIELD_READ;
}

static gboolean
parse_record(SlSpan record, SlFrame *ret, GError **error)
{
    SlFrameField field = {.p = record.p, .end = record.p + record.n};
    SlFieldResult result;
    while ((result = sl_frame_next_field(&field)) == SL_FIELD_READ) {
        if (field.number == SL_RECORD_EMITTED_AT && field.wire == WIRE_VARINT)
            ret->emitted_at = field.varint;
        if (field.wire != WIRE_BYTES)
            continue;
        switch (field.number) {
        case SL_RECORD_DATA:
            ret->n_values++;
            ret->value_bytes += (gsize)(field.p - field.start);
            break;
        case SL_RECORD_NAMESPACE:
            ret->ns = field.bytes;
            break;
        case SL_RECORD_STREAM:
            ret->stream = field.bytes;
            break;
        case SL_RECORD_PARTITION:
            ret->partition = field.bytes;
            break;
        case SL_RECORD_META:
            ret->meta = field.bytes;
            break;
        default:
            break;
        }
    }
    return result == SL_FIELD_END ||
           sl_error_set(error, SL_ERROR_PROTOCOL, "a broken field of a record, %zu bytes into it",
                        (gsize)(field.start - record.p));
}

gboolean
sl_frame_parse(SlSpan body, SlFrame *ret, GError **error)
{
    static const SlFrameType types[] = {SL_FRAME_NONE, SL_FRAME_RECORD, SL_FRAME_MESSAGE,
                                        SL_FRAME_PROBE};
    SlFrameField field = {.p = body.p, .end = body.p + body.n};
    SlFieldResult result;
    SlSpan inner = {NULL, 0};
    *ret = (SlFrame){.type = SL_FRAME_NONE};
    while ((result = sl_frame_next_field(&field)) == SL_FIELD_READ) {
        if (field.wire == WIRE_BYTES && field.number < G_N_ELEMENTS(types)) {
            ret->type = types[field.number];
            inner = field.bytes;
        }
    }
    if (result != SL_FIELD_END)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "a broken field, %zu bytes into the frame",
                            (gsize)(field.start - body.p));
    if (ret->type == SL_FRAME_MESSAGE)
        ret->message = inner;
    if (ret->type != SL_FRAME_RECORD)
        return TRUE;
    ret->record = inner;
    return parse_record(inner, ret, error);
}

/* --- writing ------------------------------------------------------------------------------- */

static char *
put_bytes_field(char *p, guint number, SlSpan bytes)
{
    *p++ = TAG(number, WIRE_BYTES);
    p = sl_varint_put(p, bytes.n);
    memcpy(p, bytes.p, bytes.n);
    return p + bytes.n;
}

static gsize
bytes_field_size(SlSpan bytes)
{
    return 1 + sl_varint_size(bytes.n) + bytes.n;
}

void
sl_frame_append_names(SlBytes *out, const char *ns, const char *stream)
{
    SlSpan ns_span = {ns, ns == NULL ? 0 : strlen(ns)}, name = {stream, strlen(stream)};
    char *p = sl_bytes_reserve(out, ns_span.n + name.n + 4 * SL_VARINT_MAX);
    if (ns != NULL)
        p = put_bytes_field(p, SL_RECORD_NAMESPACE, ns_span);
    p = put_bytes_field(p, SL_RECORD_STREAM, name);
    out->len = (gsize)(p - out->p);
}

/* Length, tag and length again: in front of a record of that many bytes. */
static char *
put_record_head(char *p, gsize record)
{
    p = sl_varint_put(p, 1 + sl_varint_size(record) + record);
    *p++ = TAG(1, WIRE_BYTES);
    return sl_varint_put(p, record);
}

void
sl_frame_append_record(SlBytes *out, SlSpan names, guint64 emitted_at, SlSpan partition,
                       SlSpan values, SlSpan meta)
{
    gsize size = names.n + 1 + sl_varint_size(emitted_at) + values.n;
    if (partition.n > 0)
        size += bytes_field_size(partition);
    if (meta.n > 0)
        size += bytes_field_size(meta);
    char *p = put_record_head(sl_bytes_reserve(out, size + 3 * SL_VARINT_MAX), size);
    memcpy(p, names.p, names.n);
    p += names.n;
    *p++ = TAG(SL_RECORD_EMITTED_AT, WIRE_VARINT);
    p = sl_varint_put(p, emitted_at);
    if (partition.n > 0)
        p = put_bytes_field(p, SL_RECORD_PARTITION, partition);
    if (values.n > 0)
        memcpy(p, values.p, values.n);
    p += values.n;
    if (meta.n > 0)
        p = put_bytes_field(p, SL_RECORD_META, meta);
    out->len = (gsize)(p - out->p);
}

static gboolean
is_name(const SlFrameField *field)
{
    return field->number == SL_RECORD_NAMESPACE || field->number == SL_RECORD_STREAM;
}

void
sl_frame_append_renamed(SlBytes *out, SlSpan names, const SlFrame *frame)
{
    SlFrameField field = {.p = frame->record.p, .end = frame->record.p + frame->record.n};
    gsize size = names.n;
    while (sl_frame_next_field(&field) == SL_FIELD_READ)
        size += is_name(&field) ? 0 : (gsize)(field.p - field.start);
    char *p = put_record_head(sl_bytes_reserve(out, size + 3 * SL_VARINT_MAX), size);
    memcpy(p, names.p, names.n);
    p += names.n;
    field = (SlFrameField){.p = frame->record.p, .end = frame->record.p + frame->record.n};
    const char *from = field.p; /* fields that stay are copied in runs */
    while (sl_frame_next_field(&field) == SL_FIELD_READ) {
        if (!is_name(&field))
            continue;
        memcpy(p, from, (gsize)(field.start - from));
        p += field.start - from;
        from = field.p;
    }
    memcpy(p, from, (gsize)(field.end - from));
    p += field.end - from;
    out->len = (gsize)(p - out->p);
}

void
sl_frame_append_message(SlBytes *out, const char *json, gsize len)
{
    SlSpan text = {json, len};
    gsize size = bytes_field_size(text);
    char *p = sl_bytes_reserve(out, size + SL_VARINT_MAX);
    p = put_bytes_field(sl_varint_put(p, size), 2, text);
    out->len = (gsize)(p - out->p);
}
