/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-yaml.h"

#include <string.h>

static gboolean
is_word(const char *text)
{
    /* of YAML 1.1 too: its readers are still the most */
    static const char *const words[] = {"true", "false", "null", "yes", "no",
                                        "on",   "off",   "y",    "n"};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(text, words[i]) == 0)
            return TRUE;
    return FALSE;
}

/* Letters first, so that it is no number, date, list nor mark; and nothing that means something. */
static gboolean
is_plain(const char *text)
{
    gsize n = strlen(text);
    return g_ascii_isalpha(text[0]) && text[n - 1] != ' ' && !is_word(text) &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./ ") == n;
}

static void
append_quoted(GString *out, const char *text, gsize len)
{
    g_string_append_c(out, '"');
    for (const char *p = text, *end = text + len; p < end; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", (char)c);
        else if (c == '\n')
            g_string_append(out, "\\n");
        else if (c == '\t')
            g_string_append(out, "\\t");
        else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff)
            g_string_append_printf(out, "\\u%04x", c);
        else
            g_string_append_unichar(out, c);
    }
    g_string_append_c(out, '"');
}

/* A string's node, as a value or as a key. */
static void
append_text(GString *out, const SlJsonNode *node)
{
    g_autoptr(GString) text = g_string_new(NULL);
    sl_json_append_string(node, text);
    if (strlen(text->str) == text->len && text->len > 0 && is_plain(text->str))
        g_string_append(out, text->str);
    else
        append_quoted(out, text->str, text->len);
}

static gboolean
is_block(const SlJsonNode *node)
{
    return (node->type == SL_JSON_OBJECT || node->type == SL_JSON_ARRAY) && node->count > 0;
}

static void
append_scalar(GString *out, const SlJsonNode *node)
{
    if (node->type == SL_JSON_OBJECT || node->type == SL_JSON_ARRAY)
        g_string_append(out, node->type == SL_JSON_OBJECT ? "{}" : "[]");
    else if (node->type == SL_JSON_STRING)
        append_text(out, node);
    else
        g_string_append_len(out, node->p, (gssize)node->n);
    g_string_append_c(out, '\n');
}

static void append_block(GString *out, const SlJsonDoc *doc, const SlJsonNode *node, guint depth);

static void
append_indent(GString *out, guint depth)
{
    for (guint i = 0; i < depth; i++)
        g_string_append(out, "  ");
}

static void
append_member(GString *out, const SlJsonDoc *doc, const SlJsonNode *key, guint depth)
{
    const SlJsonNode *value = key + 1;
    append_text(out, key);
    g_string_append_c(out, ':');
    if (is_block(value)) {
        g_string_append_c(out, '\n');
        /* a list stands as deep as its key */
        append_indent(out, depth + (value->type == SL_JSON_OBJECT));
        append_block(out, doc, value, depth + (value->type == SL_JSON_OBJECT));
    } else {
        g_string_append_c(out, ' ');
        append_scalar(out, value);
    }
}

/* The indentation of the first line stands already. Recursion is bounded by the reader's depth
 * limit. */
static void
append_block(GString *out, const SlJsonDoc *doc, const SlJsonNode *node, guint depth)
{
    gboolean first = TRUE;
    SL_JSON_FOREACH (doc, node, child) {
        if (!first)
            append_indent(out, depth);
        first = FALSE;
        if (node->type == SL_JSON_OBJECT) {
            append_member(out, doc, child, depth);
            continue;
        }
        g_string_append(out, "- ");
        if (is_block(child))
            append_block(out, doc, child, depth + 1);
        else
            append_scalar(out, child);
    }
}

void
ctl_yaml_append(GString *out, const SlJsonDoc *doc, const SlJsonNode *node)
{
    if (is_block(node))
        append_block(out, doc, node, 0);
    else
        append_scalar(out, node);
}
