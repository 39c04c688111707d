/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-write.h"

#include <math.h>

#include "sl-json-token.h"

#define MAX_DEPTH 63
#define LEVEL(w) (G_GUINT64_CONSTANT(1) << (w)->depth)

/* What a byte becomes inside a string, where it is not itself: RFC 8259 §7. */
static void
append_escaped(GString *out, guint8 byte)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *found = byte != 0 ? strchr(from, byte) : NULL;
    if (found != NULL) {
        g_string_append_c(out, '\\');
        g_string_append_c(out, to[found - from]);
    } else {
        g_string_append_printf(out, "\\u%04x", byte);
    }
}

void
sl_json_append_quoted(GString *out, const char *text, gsize len)
{
    const char *p = text, *end = text + len;

    g_string_append_c(out, '"');
    while (p < end) {
        const char *run = p;
        p = sl_json_skip_plain(p, end);
        while (p < end && (guint8)*p >= 0x80) {
            guint n = sl_json_utf8_length(p, end);
            if (n == 0)
                break;
            p = sl_json_skip_plain(p + n, end);
        }
        g_string_append_len(out, run, p - run);
        if (p == end)
            break;
        if ((guint8)*p >= 0x80)
            g_string_append(out, "\xef\xbf\xbd");
        else
            append_escaped(out, (guint8)*p);
        p++;
    }
    g_string_append_c(out, '"');
}

/* A misuse stops the writer for good: the text stays cut off, so that every reader refuses it,
 * instead of becoming some other valid JSON. */
static gboolean
writer_ok(SlJsonWriter *w, gboolean condition, const char *what)
{
    if (w->failed)
        return FALSE;
    if (condition)
        return TRUE;
    w->failed = TRUE;
    g_critical("JSON writer: %s", what);
    return FALSE;
}

/* Makes room for a value: the comma before it and the mark behind it. */
static gboolean
begin_value(SlJsonWriter *w)
{
    gboolean in_object = w->depth > 0 && (w->objects & LEVEL(w)) != 0;
    if (!writer_ok(w, !in_object || w->after_key, "value without a key in an object") ||
        !writer_ok(w, w->depth > 0 || (w->comma & LEVEL(w)) == 0, "second value at the top"))
        return FALSE;
    if (!w->after_key && (w->comma & LEVEL(w)) != 0)
        g_string_append_c(w->out, ',');
    w->after_key = FALSE;
    w->comma |= LEVEL(w);
    return TRUE;
}

static void
begin_container(SlJsonWriter *w, gboolean object)
{
    if (!writer_ok(w, w->depth < MAX_DEPTH, "nested too deeply") || !begin_value(w))
        return;
    w->depth++;
    w->comma &= ~LEVEL(w);
    if (object)
        w->objects |= LEVEL(w);
    else
        w->objects &= ~LEVEL(w);
    g_string_append_c(w->out, object ? '{' : '[');
}

static void
end_container(SlJsonWriter *w, gboolean object)
{
    if (!writer_ok(w, w->depth > 0 && ((w->objects & LEVEL(w)) != 0) == object && !w->after_key,
                   "end of a container that is not open"))
        return;
    w->depth--;
    g_string_append_c(w->out, object ? '}' : ']');
}

void
sl_json_begin_object(SlJsonWriter *w)
{
    begin_container(w, TRUE);
}

void
sl_json_end_object(SlJsonWriter *w)
{
    end_container(w, TRUE);
}

void
sl_json_begin_array(SlJsonWriter *w)
{
    begin_container(w, FALSE);
}

void
sl_json_end_array(SlJsonWriter *w)
{
    end_container(w, FALSE);
}

void
sl_json_key(SlJsonWriter *w, const char *key)
{
    gboolean in_object = w->depth > 0 && (w->objects & LEVEL(w)) != 0;
    if (!writer_ok(w, in_object && !w->after_key, "key where none may be"))
        return;
    if ((w->comma & LEVEL(w)) != 0)
        g_string_append_c(w->out, ',');
    sl_json_append_quoted(w->out, key, strlen(key));
    g_string_append_c(w->out, ':');
    w->after_key = TRUE;
}

void
sl_json_raw(SlJsonWriter *w, const char *json, gsize len)
{
    if (begin_value(w))
        g_string_append_len(w->out, json, (gssize)len);
}

void
sl_json_string_len(SlJsonWriter *w, const char *text, gsize len)
{
    if (begin_value(w))
        sl_json_append_quoted(w->out, text, len);
}

void
sl_json_string(SlJsonWriter *w, const char *text)
{
    if (text != NULL)
        sl_json_string_len(w, text, strlen(text));
    else
        sl_json_null(w);
}

void
sl_json_strings(SlJsonWriter *w, const char *const *texts)
{
    sl_json_begin_array(w);
    for (; texts != NULL && *texts != NULL; texts++)
        sl_json_string(w, *texts);
    sl_json_end_array(w);
}

char *
sl_json_print_strings(const char *const *texts)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_strings(&w, texts);
    return g_string_free(out, FALSE);
}

void
sl_json_null(SlJsonWriter *w)
{
    sl_json_raw(w, "null", 4);
}

void
sl_json_bool(SlJsonWriter *w, gboolean value)
{
    sl_json_raw(w, value ? "true" : "false", value ? 4 : 5);
}

void
sl_json_int(SlJsonWriter *w, gint64 value)
{
    if (begin_value(w))
        g_string_append_printf(w->out, "%" G_GINT64_FORMAT, value);
}

void
sl_json_uint(SlJsonWriter *w, guint64 value)
{
    if (begin_value(w))
        g_string_append_printf(w->out, "%" G_GUINT64_FORMAT, value);
}

void
sl_json_double(SlJsonWriter *w, double value)
{
    char buf[G_ASCII_DTOSTR_BUF_SIZE];
    static const char *const formats[] = {"%.15g", "%.16g", "%.17g"};

    if (!isfinite(value)) {
        sl_json_null(w);
        return;
    }
    /* 15 digits without trailing zeros are the shortest form of nearly all that people write. */
    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ascii_formatd(buf, sizeof buf, formats[i], value);
        if (g_ascii_strtod(buf, NULL) == value)
            break;
    }
    sl_json_raw(w, buf, strlen(buf));
}

void
sl_json_node(SlJsonWriter *w, const SlJsonNode *node)
{
    if (node != NULL)
        sl_json_raw(w, node->p, node->n);
    else
        sl_json_null(w);
}

void
sl_json_member_string(SlJsonWriter *w, const char *key, const char *text)
{
    if (text == NULL)
        return;
    sl_json_key(w, key);
    sl_json_string(w, text);
}

void
sl_json_member_int(SlJsonWriter *w, const char *key, gint64 value)
{
    sl_json_key(w, key);
    sl_json_int(w, value);
}

void
sl_json_member_bool(SlJsonWriter *w, const char *key, gboolean value)
{
    sl_json_key(w, key);
    sl_json_bool(w, value);
}

void
sl_json_member_raw(SlJsonWriter *w, const char *key, const char *json)
{
    if (json == NULL)
        return;
    sl_json_key(w, key);
    sl_json_raw(w, json, strlen(json));
}
