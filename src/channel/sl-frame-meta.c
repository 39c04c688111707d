/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "sl-error.h"
#include "sl-frame.h"
#include "sl-json-write.h"

/* Numbers are positions. */
static const char *const changes[] = {"NULLED", "TRUNCATED", NULL};
static const char *const reasons[] = {
    "SOURCE_RECORD_SIZE_LIMITATION",     "DESTINATION_RECORD_SIZE_LIMITATION",
    "PLATFORM_RECORD_SIZE_LIMITATION",   "SOURCE_FIELD_SIZE_LIMITATION",
    "DESTINATION_FIELD_SIZE_LIMITATION", "PLATFORM_FIELD_SIZE_LIMITATION",
    "SOURCE_SERIALIZATION_ERROR",        "DESTINATION_SERIALIZATION_ERROR",
    "PLATFORM_SERIALIZATION_ERROR",      "SOURCE_RETRIEVAL_ERROR",
    "DESTINATION_TYPECAST_ERROR",        NULL,
};

enum { CHANGE_FIELD = 1, CHANGE_CHANGE = 2, CHANGE_REASON = 3 };

static gboolean
write_change(SlSpan change, SlJsonWriter *w)
{
    SlFrameField field = {.p = change.p, .end = change.p + change.n};
    SlFieldResult result;
    SlSpan name = {"", 0};
    guint64 what = 0, why = 0;
    while ((result = sl_frame_next_field(&field)) == SL_FIELD_READ) {
        if (field.number == CHANGE_FIELD && field.wire == 2)
            name = field.bytes;
        if (field.number == CHANGE_CHANGE && field.wire == 0)
            what = field.varint;
        if (field.number == CHANGE_REASON && field.wire == 0)
            why = field.varint;
    }
    if (result != SL_FIELD_END || what >= G_N_ELEMENTS(changes) - 1 ||
        why >= G_N_ELEMENTS(reasons) - 1)
        return FALSE;
    sl_json_begin_object(w);
    sl_json_key(w, "field");
    sl_json_string_len(w, name.p, name.n);
    sl_json_member_string(w, "change", changes[what]);
    sl_json_member_string(w, "reason", reasons[why]);
    sl_json_end_object(w);
    return TRUE;
}

gboolean
sl_frame_meta_to_json(SlSpan meta, SlBytes *out, GError **error)
{
    if (meta.n == 0) /* absent: there is no address to count from */
        meta.p = "";
    SlFrameField field = {.p = meta.p, .end = meta.p + meta.n};
    SlFieldResult result;
    g_autoptr(GString) text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    sl_json_begin_object(&w);
    sl_json_key(&w, "changes");
    sl_json_begin_array(&w);
    gboolean ok = TRUE;
    while (ok && (result = sl_frame_next_field(&field)) == SL_FIELD_READ)
        ok = field.number != 1 || field.wire != 2 || write_change(field.bytes, &w);
    if (!ok || result != SL_FIELD_END)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "a broken meta of a record");
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    sl_bytes_append(out, text->str, text->len);
    return TRUE;
}

static gint
find_word(const SlJsonNode *node, const char *const *words)
{
    for (gint i = 0; node != NULL && words[i] != NULL; i++)
        if (sl_json_string_is(node, words[i]))
            return i;
    return -1;
}

gboolean
sl_frame_meta_from_json(SlSpan json, SlBytes *out, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(json.p, json.n, NULL, error);
    if (doc == NULL) {
        g_prefix_error(error, "meta: ");
        return FALSE;
    }
    SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), "changes"), item) {
        const SlJsonNode *name = sl_json_get(doc, item, "field");
        gint change = find_word(sl_json_get(doc, item, "change"), changes);
        gint reason = find_word(sl_json_get(doc, item, "reason"), reasons);
        g_autoptr(GString) text = g_string_new(NULL); /* which may hold NUL bytes */
        if (name == NULL || !sl_json_append_string(name, text) || change < 0 || reason < 0)
            return sl_error_set(error, SL_ERROR_PROTOCOL,
                                "meta: a change without field, change and reason that are known");
        gsize len = text->len, inner = 1 + sl_varint_size(len) + len + 4;
        char *p = sl_bytes_reserve(out, inner + 2 * SL_VARINT_MAX);
        *p++ = 1 << 3 | 2;
        p = sl_varint_put(p, inner);
        *p++ = CHANGE_FIELD << 3 | 2;
        p = sl_varint_put(p, len);
        memcpy(p, text->str, len);
        p += len;
        *p++ = CHANGE_CHANGE << 3;
        *p++ = (char)change;
        *p++ = CHANGE_REASON << 3;
        *p++ = (char)reason;
        out->len = (gsize)(p - out->p);
    }
    return TRUE;
}
