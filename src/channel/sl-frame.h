/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* The frames of a data channel with PROTOBUF: a varint with the length of what follows, then one
 * message of the channel's schema (version 0.0.2). Pure functions on bytes: nothing here trusts a
 * length, and nothing is copied but what is written.
 *
 *   message   record = 1 | JSON text of any other protocol message = 2 | probe (empty) = 3
 *   record    namespace = 1, stream = 2, emitted_at_ms = 3, partition_id = 4, data = 5 (repeated,
 *             by position: sl-frame-schema.h), meta = 6
 *
 * Unknown fields are skipped, and the last one of several counts, as protobuf wants. */

/* Bytes that grow. For loops that write several small things: reserve once, then write through the
 * pointer. */
typedef struct {
    char *p;
    gsize len, size;
} SlBytes;

void sl_bytes_grow(SlBytes *bytes, gsize need);
void sl_bytes_clear(SlBytes *bytes);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SlBytes, sl_bytes_clear)

/* Room for `need` more bytes; where to write. */
static inline char *
sl_bytes_reserve(SlBytes *bytes, gsize need)
{
    if (bytes->size - bytes->len < need)
        sl_bytes_grow(bytes, need);
    return bytes->p + bytes->len;
}

void sl_bytes_append(SlBytes *bytes, const char *p, gsize n);
void sl_bytes_append_uint(SlBytes *bytes, guint64 value); /* in digits */

#define SL_VARINT_MAX 10

static inline char *
sl_varint_put(char *p, guint64 value)
{
    while (value >= 0x80) {
        *p++ = (char)(value | 0x80);
        value >>= 7;
    }
    *p++ = (char)value;
    return p;
}

static inline guint
sl_varint_size(guint64 value)
{
    guint n = 1;
    while (value >= 0x80) {
        value >>= 7;
        n++;
    }
    return n;
}

/* --- reading ------------------------------------------------------------------------------- */

typedef enum {
    SL_SPLIT_MORE,   /* not whole yet; ret_body->n is what was announced, 0 when not known yet */
    SL_SPLIT_WHOLE,  /* the frame is [p, ret_body end) */
    SL_SPLIT_BROKEN, /* no length can begin like this */
} SlSplit;

/* The frame at the beginning of [p, p + n). */
SlSplit sl_frame_split(const char *p, gsize n, SlSpan *ret_body);

/* Walks the fields of a message: {.p = span.p, .end = span.p + span.n}. */
typedef struct {
    const char *p, *end;
    const char *start; /* of the field that was read, its tag included */
    guint32 number;
    guint wire;     /* 0 varint, 1 eight bytes, 2 bytes, 5 four bytes */
    guint64 varint; /* wire 0 */
    SlSpan bytes;   /* wire 1, 2 and 5 */
} SlFrameField;

typedef enum { SL_FIELD_END, SL_FIELD_READ, SL_FIELD_BROKEN } SlFieldResult;
SlFieldResult sl_frame_next_field(SlFrameField *field);

typedef enum {
    SL_FRAME_NONE, /* a message of a kind that we do not know */
    SL_FRAME_RECORD,
    SL_FRAME_MESSAGE,
    SL_FRAME_PROBE,
} SlFrameType;

enum {
    SL_RECORD_NAMESPACE = 1,
    SL_RECORD_STREAM = 2,
    SL_RECORD_EMITTED_AT = 3,
    SL_RECORD_PARTITION = 4,
    SL_RECORD_DATA = 5,
    SL_RECORD_META = 6,
};

typedef struct {
    SlFrameType type;
    SlSpan message; /* MESSAGE: JSON text */
    SlSpan record;  /* RECORD: its fields */
    SlSpan ns, stream, partition;
    guint64 emitted_at;
    SlSpan meta;
    guint n_values;
    gsize value_bytes; /* of all values, their tags and lengths included */
} SlFrame;

/* Errors are SL_ERROR_PROTOCOL. Of the values only the outer shape is read. */
gboolean sl_frame_parse(SlSpan body, SlFrame *ret, GError **error);

/* {"changes":[…]} of a record's meta, as JSON. */
gboolean sl_frame_meta_to_json(SlSpan meta, SlBytes *out, GError **error);

/* --- writing ------------------------------------------------------------------------------- */

/* A frame without parts that vary, ready to be put in front of them. NULL: no namespace. */
void sl_frame_append_names(SlBytes *out, const char *ns, const char *stream);

/* A whole record frame. `names` as sl_frame_append_names() made it, `values` and `meta` encoded
 * (the meta without tag and length; n = 0: none), partition n = 0: none. */
void sl_frame_append_record(SlBytes *out, SlSpan names, guint64 emitted_at, SlSpan partition,
                            SlSpan values, SlSpan meta);

/* The same record under other names; everything else keeps its bytes and order. */
void sl_frame_append_renamed(SlBytes *out, SlSpan names, const SlFrame *frame);

void sl_frame_append_message(SlBytes *out, const char *json, gsize len);

/* The meta of a JSON record ({"changes": […]}, others are ignored), encoded. */
gboolean sl_frame_meta_from_json(SlSpan json, SlBytes *out, GError **error);

#define SL_FRAME_PROBE_BYTES "\x02\x1a\x00"
#define SL_FRAME_PROBE_SIZE 3
