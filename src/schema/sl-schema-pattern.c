/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-schema-pattern.h"

#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "sl-error.h"

#define MAX_PATTERN_BYTES 8192
#define MAX_TEXT_BYTES 1048576
#define MATCH_BUDGET 20000000 /* steps of one match, over all places where it may begin */
#define MAX_STEPS 200000      /* from one place */
#define MAX_HEAP_KIB 8192

struct SlSchemaPattern {
    pcre2_code *code;
    char *text;
};

void
sl_schema_pattern_free(SlSchemaPattern *pattern)
{
    if (pattern == NULL)
        return;
    pcre2_code_free(pattern->code);
    g_free(pattern->text);
    g_free(pattern);
}

const char *
sl_schema_pattern_text(const SlSchemaPattern *pattern)
{
    return pattern->text;
}

/* --- where ECMA and PCRE2 differ ------------------------------------------------------------- */

/* ECMA's white space has Unicode's; PCRE2's without UCP has not. */
#define SPACES                                                                                     \
    "\\x09-\\x0d\\x20\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff"
#define NO_SPACES                                                                                  \
    "\\x00-\\x08\\x0e-\\x1f\\x21-\\u009f\\u00a1-\\u167f\\u1681-\\u1fff\\u200b-\\u2027"             \
    "\\u202a-\\u202e\\u2030-\\u205e\\u2060-\\u2fff\\u3001-\\ufefe\\uff00-\\u{10ffff}"

static int
hex4(const char *p, const char *end)
{
    int value = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        if (!g_ascii_isxdigit(p[i]))
            return -1;
        value = value * 16 + g_ascii_xdigit_value(p[i]);
    }
    return value;
}

/* \uD83D\uDC32 is one character: behind it, or NULL. */
static const char *
translate_pair(const char *p, const char *end, GString *out)
{
    int high = end - p >= 12 ? hex4(p + 2, end) : -1;
    if (high < 0xd800 || high > 0xdbff || p[6] != '\\' || p[7] != 'u')
        return NULL;
    int low = hex4(p + 8, end);
    if (low < 0xdc00 || low > 0xdfff)
        return NULL;
    g_string_append_printf(out, "\\u{%x}", 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff));
    return p + 12;
}

/* The long names of Unicode properties that PCRE2 knows only short. */
static const char *
translate_property(const char *p, const char *end, GString *out)
{
    static const struct {
        const char *name, *ours;
    } names[] = {
        {"Letter", "L"},
        {"Mark", "M"},
        {"Number", "N"},
        {"Punctuation", "P"},
        {"Symbol", "S"},
        {"Separator", "Z"},
        {"Uppercase_Letter", "Lu"},
        {"Lowercase_Letter", "Ll"},
        {"Decimal_Number", "Nd"},
        {"digit", "Nd"},
        {"Alphabetic", "L"},
    };
    const char *close = end - p > 3 && p[2] == '{' ? memchr(p, '}', (gsize)(end - p)) : NULL;
    for (gsize i = 0; close != NULL && i < G_N_ELEMENTS(names); i++) {
        if (strlen(names[i].name) != (gsize)(close - p - 3) ||
            strncmp(names[i].name, p + 3, (gsize)(close - p - 3)) != 0)
            continue;
        g_string_append_printf(out, "\\%c{%s}", p[1], names[i].ours);
        return close + 1;
    }
    return NULL;
}

static const char *
translate_escape(const char *p, const char *end, gboolean in_class, GString *out)
{
    const char *behind = NULL;
    if (end - p < 2) {
        g_string_append_c(out, '\\'); /* PCRE2 says what is wrong */
        return end;
    }
    if (p[1] == 'u')
        behind = translate_pair(p, end, out);
    else if (p[1] == 'p' || p[1] == 'P')
        behind = translate_property(p, end, out);
    if (behind != NULL)
        return behind;
    if (p[1] == 's' || p[1] == 'S') {
        const char *set = p[1] == 's' ? SPACES : NO_SPACES;
        g_string_append_printf(out, in_class ? "%s" : "[%s]", set);
        return p + 2;
    }
    /* PCRE2's own words would be something else in ECMA, which takes the letter itself; Python's
     * ends of text are left, as connectors' specifications have them. */
    if (strchr("aeghlvCEGHKNQRVX", p[1]) != NULL && p[1] != 'v') {
        g_string_append_c(out, p[1]);
        return p + 2;
    }
    if (p[1] == 'v') {
        g_string_append(out, "\\x0b"); /* PCRE2's \v is a class */
        return p + 2;
    }
    g_string_append_len(out, p, 2);
    return p + 2;
}

static char *
translate(const char *text, gsize len)
{
    const char *p = text, *end = text + len;
    GString *out = g_string_sized_new(len + 16);
    gboolean in_class = FALSE;
    while (p < end) {
        if (*p == '\\') {
            p = translate_escape(p, end, in_class, out);
            continue;
        }
        if (in_class && *p == '[') {
            g_string_append(out, "\\["); /* no POSIX class */
        } else if (!in_class && *p == '(' && end - p > 1 && p[1] == '*') {
            g_string_append(out, "(?:*"); /* no verb: nothing to repeat, as in ECMA */
            p++;
        } else {
            in_class = in_class ? *p != ']' : *p == '[';
            g_string_append_c(out, *p);
        }
        p++;
    }
    return g_string_free(out, FALSE);
}

/* --- compile, match -------------------------------------------------------------------------- */

SlSchemaPattern *
sl_schema_pattern_new(const char *text, gsize len, GError **error)
{
    const guint32 options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX |
                            PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF |
                            PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK;
    int code = 0;
    PCRE2_SIZE offset = 0;
    if (len > MAX_PATTERN_BYTES || memchr(text, 0, len) != NULL) {
        sl_error_set(error, SL_ERROR_INVALID, "the pattern is too long, or has a NUL in it");
        return NULL;
    }
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    pcre2_set_parens_nest_limit(context, 100);
    pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
    g_autofree char *ours = translate(text, len);
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)ours, PCRE2_ZERO_TERMINATED, options, &code, &offset, context);
    pcre2_compile_context_free(context);
    if (compiled == NULL) {
        PCRE2_UCHAR why[128] = "";
        pcre2_get_error_message(code, why, sizeof why);
        sl_error_set(error, SL_ERROR_INVALID, "'%s' is no pattern: %s", text, (const char *)why);
        return NULL;
    }
    SlSchemaPattern *pattern = g_new0(SlSchemaPattern, 1);
    pattern->code = compiled;
    pattern->text = g_strndup(text, len);
    return pattern;
}

/* The bound of PCRE2 counts anew from each place in the text where a match may begin. */
int
sl_schema_pattern_match(const SlSchemaPattern *pattern, const char *text, gsize len)
{
    if (len > MAX_TEXT_BYTES)
        return -1;
    guint32 steps = (guint32)CLAMP(MATCH_BUDGET / (len + 1), 50, MAX_STEPS);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_match_data *found = pcre2_match_data_create(1, NULL);
    pcre2_set_match_limit(context, steps);
    pcre2_set_depth_limit(context, steps);
    pcre2_set_heap_limit(context, MAX_HEAP_KIB);
    int code =
        pcre2_match(pattern->code, (PCRE2_SPTR)text, len, 0, PCRE2_NO_UTF_CHECK, found, context);
    pcre2_match_data_free(found);
    pcre2_match_context_free(context);
    return code >= 0 ? 1 : code == PCRE2_ERROR_NOMATCH ? 0 : -1;
}
