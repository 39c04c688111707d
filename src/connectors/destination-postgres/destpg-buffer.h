/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <string.h>

/* Bytes on their way to COPY. Grows, never shrinks: no allocation per row. */
typedef struct {
    guint8 *data;
    gsize len, size;
} DestpgBuffer;

static inline void
destpg_buffer_clear(DestpgBuffer *b)
{
    g_clear_pointer(&b->data, g_free);
    b->len = b->size = 0;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DestpgBuffer, destpg_buffer_clear)

/* Room for n bytes behind the content: the place to write them. Add to len what was written. */
static inline guint8 *
destpg_buffer_reserve(DestpgBuffer *b, gsize n)
{
    if (G_UNLIKELY(b->size - b->len < n || b->data == NULL)) {
        b->size = MAX(MAX(b->size * 2, b->len + n), 4096);
        b->data = g_realloc(b->data, b->size);
    }
    return b->data + b->len;
}

static inline void
destpg_buffer_add(DestpgBuffer *b, const void *bytes, gsize n)
{
    if (n == 0) /* memcpy() of an empty buffer is undefined: there is no pointer yet */
        return;
    memcpy(destpg_buffer_reserve(b, n), bytes, n);
    b->len += n;
}

static inline void
destpg_put16(guint8 *p, guint16 value)
{
    value = GUINT16_TO_BE(value);
    memcpy(p, &value, 2);
}

static inline void
destpg_put32(guint8 *p, guint32 value)
{
    value = GUINT32_TO_BE(value);
    memcpy(p, &value, 4);
}

static inline void
destpg_put64(guint8 *p, guint64 value)
{
    value = GUINT64_TO_BE(value);
    memcpy(p, &value, 8);
}
