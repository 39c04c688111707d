/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "sl-frame-schema.h"
#include "sl-frame-time.h"
#include "sl-json-write.h"

/* Field numbers of a value; no field at all means null, too. */
enum {
    VALUE_BOOLEAN = 1,
    VALUE_STRING,
    VALUE_INTEGER,
    VALUE_BIG_INTEGER,
    VALUE_NUMBER,
    VALUE_BIG_DECIMAL,
    VALUE_DATE,
    VALUE_TIME_TZ,
    VALUE_TIME,
    VALUE_TIMESTAMP_TZ,
    VALUE_TIMESTAMP,
    VALUE_JSON,
    VALUE_NULL,
};

enum { WIRE_VARINT, WIRE_EIGHT, WIRE_BYTES };
#define TAG(number, wire) ((char)((number) << 3 | (wire)))
#define DATA_TAG TAG(SL_RECORD_DATA, WIRE_BYTES)
#define SECONDS_OF_DAY 86400

static inline guint64
zigzag(gint64 value)
{
    return ((guint64)value << 1) ^ (guint64)(value >> 63);
}

static inline gint64
unzigzag(guint64 value)
{
    return (gint64)(value >> 1) ^ -(gint64)(value & 1);
}

/* --- writing ------------------------------------------------------------------------------- */

static char *
put_varint_value(char *p, guint number, guint64 value)
{
    *p++ = DATA_TAG;
    *p++ = (char)(1 + sl_varint_size(value));
    *p++ = TAG(number, WIRE_VARINT);
    return sl_varint_put(p, value);
}

static char *
put_bytes_value(char *p, guint number, const char *bytes, gsize n)
{
    *p++ = DATA_TAG;
    p = sl_varint_put(p, 1 + sl_varint_size(n) + n);
    *p++ = TAG(number, WIRE_BYTES);
    p = sl_varint_put(p, n);
    memcpy(p, bytes, n);
    return p + n;
}

/* A member that is 0 is left out, as proto3 does. */
static char *
put_part(char *p, guint number, guint64 value)
{
    if (value == 0)
        return p;
    *p++ = TAG(number, WIRE_VARINT);
    return sl_varint_put(p, value);
}

/* NULL: the text is no such moment. */
static char *
put_stamp(char *p, SlColumnType type, SlSpan text)
{
    SlStamp stamp;
    char parts[3 * (1 + SL_VARINT_MAX)], *end = parts;
    if (!sl_stamp_parse(text, &stamp))
        return NULL;
    switch (type) {
    case SL_COLUMN_DATE:
        return stamp.date && !stamp.time ? put_varint_value(p, VALUE_DATE, zigzag(stamp.days))
                                         : NULL;
    case SL_COLUMN_TIME_WITHOUT_TIMEZONE:
        return stamp.time && !stamp.date && !stamp.zone
                   ? put_varint_value(p, VALUE_TIME, stamp.nanos)
                   : NULL;
    case SL_COLUMN_TIME_WITH_TIMEZONE:
        if (!stamp.time || stamp.date || !stamp.zone)
            return NULL;
        end = put_part(put_part(end, 1, stamp.nanos), 2, zigzag(stamp.offset));
        return put_bytes_value(p, VALUE_TIME_TZ, parts, (gsize)(end - parts));
    case SL_COLUMN_TIMESTAMP_WITHOUT_TIMEZONE:
        if (!stamp.time || !stamp.date || stamp.zone)
            return NULL;
        end = put_part(put_part(end, 1, zigzag(stamp.days)), 2, stamp.nanos);
        return put_bytes_value(p, VALUE_TIMESTAMP, parts, (gsize)(end - parts));
    default: {
        if (!stamp.time || !stamp.date || !stamp.zone)
            return NULL;
        gint64 second =
            stamp.days * SECONDS_OF_DAY + (gint64)(stamp.nanos / SL_NANOS_OF_SECOND) - stamp.offset;
        end = put_part(put_part(end, 1, zigzag(second)), 2, stamp.nanos % SL_NANOS_OF_SECOND);
        end = put_part(end, 3, zigzag(stamp.offset));
        return put_bytes_value(p, VALUE_TIMESTAMP_TZ, parts, (gsize)(end - parts));
    }
    }
}

static char *
put_string(char *p, SlColumnType type, SlSpan json, GString *scratch)
{
    SlSpan text = {json.p + 1, json.n - 2};
    if (type == SL_COLUMN_JSON)
        return put_bytes_value(p, VALUE_JSON, json.p, json.n);
    if (memchr(text.p, '\\', text.n) != NULL) {
        g_string_truncate(scratch, 0);
        if (!sl_json_append_unescaped(text, scratch))
            return NULL;
        text = (SlSpan){scratch->str, scratch->len}; /* never longer than it was */
    }
    char *end = type >= SL_COLUMN_DATE ? put_stamp(p, type, text) : NULL;
    return end != NULL ? end : put_bytes_value(p, VALUE_STRING, text.p, text.n);
}

static char *
put_number(char *p, SlColumnType type, SlSpan json)
{
    gint64 value;
    if (type != SL_COLUMN_INTEGER && type != SL_COLUMN_NUMBER)
        return put_bytes_value(p, VALUE_JSON, json.p, json.n);
    /* Of a decimal number every digit stays, zeros at its end included. */
    if (type == SL_COLUMN_NUMBER)
        return put_bytes_value(p, VALUE_BIG_DECIMAL, json.p, json.n);
    if (sl_json_span_get_int64(json, &value))
        return put_varint_value(p, VALUE_INTEGER, zigzag(value));
    gsize sign = json.p[0] == '-';
    for (gsize i = sign; i < json.n; i++)
        if (!g_ascii_isdigit(json.p[i]))
            return put_bytes_value(p, VALUE_BIG_DECIMAL, json.p, json.n);
    return put_bytes_value(p, VALUE_BIG_INTEGER, json.p, json.n);
}

char *
sl_frame_value_put(char *p, SlColumnType type, SlSpan json, GString *scratch)
{
    if (json.n == 0)
        return NULL;
    switch (json.p[0]) {
    case '"':
        return json.n >= 2 ? put_string(p, type, json, scratch) : NULL;
    case 'n':
        return put_varint_value(p, VALUE_NULL, 1);
    case 't':
    case 'f':
        if (type != SL_COLUMN_BOOLEAN)
            return put_bytes_value(p, VALUE_JSON, json.p, json.n);
        return put_varint_value(p, VALUE_BOOLEAN, json.p[0] == 't');
    case '{':
    case '[':
        return put_bytes_value(p, VALUE_JSON, json.p, json.n);
    default:
        return put_number(p, type, json);
    }
}

/* --- reading ------------------------------------------------------------------------------- */

/* Two or three integers by field number. */
static gboolean
read_parts(SlSpan message, guint64 ret[4])
{
    SlFrameField field = {.p = message.p, .end = message.p + message.n};
    SlFieldResult result;
    while ((result = sl_frame_next_field(&field)) == SL_FIELD_READ)
        if (field.wire == WIRE_VARINT && field.number < 4)
            ret[field.number] = field.varint;
    return result == SL_FIELD_END;
}

static gboolean
make_stamp(guint number, const SlFrameField *field, SlStamp *ret)
{
    guint64 part[4] = {0};
    *ret = (SlStamp){0};
    if (number >= VALUE_TIME_TZ && number != VALUE_TIME && !read_parts(field->bytes, part))
        return FALSE;
    switch (number) {
    case VALUE_DATE:
        ret->days = unzigzag(field->varint);
        ret->date = TRUE;
        break;
    case VALUE_TIME:
        ret->nanos = field->varint;
        ret->time = TRUE;
        break;
    case VALUE_TIME_TZ:
        ret->nanos = part[1];
        ret->offset = (gint32)unzigzag(part[2] & G_MAXUINT32);
        ret->time = ret->zone = TRUE;
        break;
    case VALUE_TIMESTAMP:
        ret->days = unzigzag(part[1]);
        ret->nanos = part[2];
        ret->date = ret->time = TRUE;
        break;
    default: {
        gint64 second = unzigzag(part[1]);
        gint64 limit = SL_STAMP_MAX_DAYS * SECONDS_OF_DAY;
        ret->offset = (gint32)unzigzag(part[3] & G_MAXUINT32);
        if (second < -limit || second > limit || part[2] >= SL_NANOS_OF_SECOND ||
            ABS((gint64)ret->offset) > SL_STAMP_MAX_OFFSET)
            return FALSE;
        second += ret->offset;
        gint64 of_day = second % SECONDS_OF_DAY;
        of_day += of_day < 0 ? SECONDS_OF_DAY : 0;
        ret->days = (second - of_day) / SECONDS_OF_DAY;
        ret->nanos = (guint64)of_day * SL_NANOS_OF_SECOND + part[2];
        ret->date = ret->time = ret->zone = TRUE;
        break;
    }
    }
    return ABS(ret->days) <= SL_STAMP_MAX_DAYS + 1 && ret->nanos < SL_NANOS_OF_DAY &&
           ABS((gint64)ret->offset) <= SL_STAMP_MAX_OFFSET;
}

/* RFC 8259's number. */
static gboolean
is_number(SlSpan text)
{
    const char *p = text.p, *end = text.p + text.n;
    p += p < end && *p == '-';
    const char *from = p;
    while (p < end && g_ascii_isdigit(*p))
        p++;
    if (p == from || (*from == '0' && p > from + 1))
        return FALSE;
    if (p < end && *p == '.') {
        from = ++p;
        while (p < end && g_ascii_isdigit(*p))
            p++;
        if (p == from)
            return FALSE;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '-' || *p == '+');
        from = p;
        while (p < end && g_ascii_isdigit(*p))
            p++;
        if (p == from)
            return FALSE;
    }
    return p == end;
}

static void
append_quoted(SlSpan text, SlBytes *out)
{
    static const char hex[] = "0123456789abcdef";
    char *p = sl_bytes_reserve(out, text.n * 6 + 2);
    *p++ = '"';
    for (gsize i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '"' || c == '\\') {
            *p++ = '\\';
            *p++ = c;
        } else if ((guint8)c >= 0x20) {
            *p++ = c;
        } else {
            memcpy(p, "\\u00", 4);
            p[4] = hex[c >> 4];
            p[5] = hex[c & 15];
            p += 6;
        }
    }
    *p++ = '"';
    out->len = (gsize)(p - out->p);
}

static void
append_double(SlSpan bytes, SlBytes *out, GString *scratch)
{
    guint64 bits = 0;
    double value;
    for (guint i = 8; i > 0; i--)
        bits = bits << 8 | (guint8)bytes.p[i - 1];
    memcpy(&value, &bits, sizeof value);
    g_string_truncate(scratch, 0);
    SlJsonWriter w = SL_JSON_WRITER_INIT(scratch);
    sl_json_double(&w, value);
    sl_bytes_append(out, scratch->str, scratch->len);
}

static void
append_int(gint64 value, SlBytes *out)
{
    if (value < 0)
        sl_bytes_append(out, "-", 1);
    sl_bytes_append_uint(out, value < 0 ? 0 - (guint64)value : (guint64)value);
}

/* JSON text of another's making, that is to stand inside ours. */
static gboolean
append_json(SlSpan json, SlBytes *out)
{
    if (json.n == 0)
        return FALSE;
    g_auto(SlJsonDoc) doc = {0};
    if (!sl_json_read_into(&doc, json.p, json.n, NULL, NULL))
        return FALSE;
    char *p = sl_bytes_reserve(out, json.n);
    memcpy(p, json.p, json.n);
    out->len += json.n;
    /* Between its tokens only: what we make is one line. */
    for (char *at = p; (at = memchr(at, '\n', (gsize)(p + json.n - at))) != NULL;)
        *at++ = ' ';
    return TRUE;
}

static gboolean
append_field(const SlFrameField *field, SlBytes *out, GString *scratch)
{
    /* The wire type of each; a field with another one is a broken value. */
    static const guint8 wires[] = {
        [VALUE_BOOLEAN] = WIRE_VARINT,  [VALUE_STRING] = WIRE_BYTES,
        [VALUE_INTEGER] = WIRE_VARINT,  [VALUE_BIG_INTEGER] = WIRE_BYTES,
        [VALUE_NUMBER] = WIRE_EIGHT,    [VALUE_BIG_DECIMAL] = WIRE_BYTES,
        [VALUE_DATE] = WIRE_VARINT,     [VALUE_TIME_TZ] = WIRE_BYTES,
        [VALUE_TIME] = WIRE_VARINT,     [VALUE_TIMESTAMP_TZ] = WIRE_BYTES,
        [VALUE_TIMESTAMP] = WIRE_BYTES, [VALUE_JSON] = WIRE_BYTES,
    };
    SlStamp stamp;
    if (field->wire != wires[field->number])
        return FALSE;
    switch (field->number) {
    case VALUE_BOOLEAN:
        sl_bytes_append(out, field->varint != 0 ? "true" : "false", field->varint != 0 ? 4 : 5);
        return TRUE;
    case VALUE_STRING:
        append_quoted(field->bytes, out);
        return TRUE;
    case VALUE_INTEGER:
        append_int(unzigzag(field->varint), out);
        return TRUE;
    case VALUE_NUMBER:
        append_double(field->bytes, out, scratch);
        return TRUE;
    case VALUE_BIG_INTEGER:
    case VALUE_BIG_DECIMAL:
        if (!is_number(field->bytes))
            return FALSE;
        sl_bytes_append(out, field->bytes.p, field->bytes.n);
        return TRUE;
    case VALUE_JSON:
        return append_json(field->bytes, out);
    default:
        break;
    }
    if (!make_stamp(field->number, field, &stamp))
        return FALSE;
    char *p = sl_bytes_reserve(out, SL_STAMP_TEXT + 2);
    *p++ = '"';
    p = sl_stamp_put(&stamp, p);
    *p++ = '"';
    out->len = (gsize)(p - out->p);
    return TRUE;
}

gboolean
sl_frame_value_is_null(SlSpan value)
{
    SlFrameField field = {.p = value.p, .end = value.p + value.n};
    gboolean any = FALSE;
    while (sl_frame_next_field(&field) == SL_FIELD_READ) {
        if (field.number == VALUE_NULL)
            return TRUE;
        any = any || field.number < VALUE_NULL;
    }
    return !any;
}

gboolean
sl_frame_value_append_json(SlSpan value, SlBytes *out, GString *scratch)
{
    SlFrameField field = {.p = value.p, .end = value.p + value.n}, last = {.number = VALUE_NULL};
    SlFieldResult result;
    gboolean is_null = FALSE;
    while ((result = sl_frame_next_field(&field)) == SL_FIELD_READ) {
        if (field.number < VALUE_NULL)
            last = field;
        is_null = is_null || field.number == VALUE_NULL;
    }
    if (result != SL_FIELD_END)
        return FALSE;
    if (is_null || last.number == VALUE_NULL) {
        sl_bytes_append(out, "null", 4);
        return TRUE;
    }
    return append_field(&last, out, scratch);
}
