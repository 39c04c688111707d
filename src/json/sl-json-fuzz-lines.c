/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-fuzz-lines.h"

guint
sl_fuzz_below(SlFuzzLines *f, guint n)
{
    return (guint)g_rand_int_range(f->rand, 0, (gint32)n);
}

#define below sl_fuzz_below
#define PICK(f, table) ((table)[below((f), G_N_ELEMENTS(table))])

/* --- making lines ----------------------------------------------------------------------------- */

static void
make_space(SlFuzzLines *f, guint style)
{
    static const char *const spaces[] = {"", "", "", " ", "  ", "\t", " \t "};
    if (style == 1)
        g_string_append_c(f->text, ' ');
    else if (style == 2)
        g_string_append(f->text, PICK(f, spaces));
}

static void
make_string(SlFuzzLines *f)
{
    static const char *const pieces[] = {
        "a",
        "name",
        "}",
        "{",
        "[",
        "]",
        ",",
        ":",
        "\\\"",
        "\\\\",
        "\\n",
        "\\/",
        "\\u0022",
        "\\u005c",
        "\\ud83d\\ude00",
        "\xc3\xa9",
        "\xe2\x82\xac",
        "\xf0\x9f\x98\x80",
        "\\\\\\\"",
        "type",
        "RECORD",
        "data",
        "                ",
        "the quick brown fox jumps over the lazy dog",
    };
    g_string_append_c(f->text, '"');
    for (guint n = below(f, 6); n > 0; n--)
        g_string_append(f->text, PICK(f, pieces));
    g_string_append_c(f->text, '"');
}

static void make_object(SlFuzzLines *f, guint style, guint depth);

static void
make_value(SlFuzzLines *f, guint style, guint depth)
{
    static const char *const scalars[] = {
        "null", "true", "false", "0", "-1", "1.10", "1e400", "12345678901234567890", "-0.0E-7"};
    switch (below(f, depth > 4 ? 4 : 6)) {
    case 0:
    case 1:
        g_string_append(f->text, PICK(f, scalars));
        return;
    case 2:
    case 3:
        make_string(f);
        return;
    case 4:
        g_string_append_c(f->text, '[');
        for (guint i = 0, n = below(f, 4); i < n; i++) {
            if (i > 0)
                g_string_append_c(f->text, ',');
            make_space(f, style);
            make_value(f, style, depth + 1);
        }
        g_string_append_c(f->text, ']');
        return;
    default:
        make_object(f, style, depth + 1);
        return;
    }
}

static void
make_object(SlFuzzLines *f, guint style, guint depth)
{
    g_string_append_c(f->text, '{');
    for (guint i = 0, n = below(f, 6); i < n; i++) {
        if (i > 0)
            g_string_append_c(f->text, ',');
        make_space(f, style);
        make_string(f);
        make_space(f, style);
        g_string_append_c(f->text, ':');
        make_space(f, style);
        make_value(f, style, depth);
    }
    make_space(f, style);
    g_string_append_c(f->text, '}');
}

/* What may stand in a member: given texts, or one of the makers. */
enum { FIXED, DATA, TIME, RECORD, OTHER };
typedef struct {
    const char *key;
    guint kind;
    const char *values[6];
} Part;

static const Part envelope_parts[] = {
    {"\"type\"",
     FIXED,
     {"\"RECORD\"", "\"RECORD\"", "\"RECORD\"", "\"RECORD\"", "\"STATE\"", "\"R\\u0045CORD\""}},
    {"\"record\"", RECORD, {NULL}},
    {"\"extra\"", OTHER, {NULL}},
    {"\"t\\u0079pe\"", FIXED, {"\"RECORD\"", "null"}},
};
static const Part record_parts[] = {
    {"\"stream\"",
     FIXED,
     {"\"users\"", "\"purchases\"", "\"products\"", "\"a\\\"}b\"", "\"\"", "null"}},
    {"\"data\"", DATA, {NULL}},
    {"\"emitted_at\"", TIME, {NULL}},
    {"\"namespace\"", FIXED, {"\"public\"", "null", "\"\"", "\"n\\\\\"", "7"}},
    {"\"meta\"",
     FIXED,
     {"{\"changes\":[]}", "null", "{}", "{\"changes\":[{\"field\":\"x\"}]}", "1"}},
    {"\"file\"", OTHER, {NULL}},
    {"\"d\\u0061ta\"", DATA, {NULL}},
};

static void make_parts(SlFuzzLines *f, guint style, const Part *parts, guint n_parts, guint usual);

static void
make_part(SlFuzzLines *f, guint style, const Part *part)
{
    guint n = 0;
    switch (part->kind) {
    case FIXED:
        while (n < G_N_ELEMENTS(part->values) && part->values[n] != NULL)
            n++;
        /* The first values are the ordinary ones. */
        g_string_append(f->text, part->values[below(f, 4) > 0 ? below(f, MIN(n, 3)) : below(f, n)]);
        return;
    case DATA:
        make_object(f, style, 0);
        return;
    case TIME:
        if (below(f, 30) == 0)
            make_value(f, style, 3);
        else
            g_string_append_printf(f->text, "%u%u", 1 + below(f, 1u << 30), below(f, 1000));
        return;
    case RECORD:
        make_parts(f, style, record_parts, G_N_ELEMENTS(record_parts), 2 + below(f, 3));
        return;
    default:
        make_value(f, style, 2);
        return;
    }
}

/* The first `usual` members, mostly in order; now and then others, or one twice. */
static void
make_parts(SlFuzzLines *f, guint style, const Part *parts, guint n_parts, guint usual)
{
    gboolean shuffled = below(f, 4) == 0;
    guint odd = below(f, 8) == 0 ? 1 + below(f, 2) : 0;
    guint start = shuffled ? below(f, usual) : 0;

    g_string_append_c(f->text, '{');
    for (guint i = 0; i < usual + odd; i++) {
        const Part *part = &parts[i < usual ? (i + start) % usual : below(f, n_parts)];
        if (i > 0)
            g_string_append_c(f->text, ',');
        make_space(f, style);
        g_string_append(f->text, part->key);
        make_space(f, style);
        g_string_append_c(f->text, ':');
        make_space(f, style);
        make_part(f, style, part);
        make_space(f, style);
    }
    g_string_append_c(f->text, '}');
}

static void
make_line(SlFuzzLines *f)
{
    static const char *const ends[] = {"", "\n", "\n", "\n", "\r\n", " \n", "\t"};
    static const char *const others[] = {
        "{\"type\":\"STATE\",\"state\":{\"stream\":{\"stream_state\":{\"c\":1}}}}",
        "{\"type\":\"LOG\",\"log\":{\"level\":\"INFO\",\"message\":\"a \\\"b\\\"\"}}",
        "{\"type\":\"TRACE\",\"trace\":{\"type\":\"STREAM_STATUS\",\"emitted_at\":1.5}}",
        "plain words {\"type\":\"RECORD\",\"record\":{}}",
        "",
    };
    guint style = below(f, 8);
    g_string_truncate(f->text, 0);
    if (below(f, 12) == 0)
        g_string_append(f->text, PICK(f, others));
    else
        make_parts(f, style, envelope_parts, G_N_ELEMENTS(envelope_parts), 2);
    g_string_append(f->text, PICK(f, ends));
}

/* --- damage ----------------------------------------------------------------------------------- */

static void
damage(SlFuzzLines *f, const GString *other)
{
    static const char *const pieces[] = {
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\",
        ",",
        ":",
        "\\\"",
        "\\\\",
        "0",
        "-",
        "1e",
        ".",
        "null",
        "\n",
        "\r",
        " ",
        "\x01",
        "\x80",
        "\xff",
        "\xed\xa0\x80",
        "\\ud800",
        "\\u12",
        "NaN",
        "}}",
        "\"data\":{",
        "\"stream\":\"x\",",
        "\"type\":\"RECORD\",",
        "{\"type\":\"RECORD\",\"record\":{",
    };
    GString *text = f->text;
    gsize at = below(f, (guint)text->len + 1), n = 1 + below(f, 4);

    switch (below(f, 8)) {
    case 0:
        g_string_truncate(text, at);
        return;
    case 1:
        g_string_erase(text, (gssize)at, (gssize)MIN(n, text->len - at));
        return;
    case 2:
        if (at < text->len)
            text->str[at] = (char)below(f, 256);
        return;
    case 3:
        if (at < text->len)
            text->str[at] ^= (char)(1 << below(f, 8));
        return;
    case 4: { /* a part of the line once more */
        gsize from = below(f, (guint)text->len + 1);
        gsize len = below(f, 40);
        len = MIN(len, text->len - from);
        g_autofree char *part = g_memdup2(text->str + from, len);
        if (len > 0)
            g_string_insert_len(text, (gssize)at, part, (gssize)len);
        return;
    }
    case 5: /* the rest of another line */
        g_string_truncate(text, at);
        at = below(f, (guint)other->len + 1);
        g_string_append_len(text, other->str + at, (gssize)(other->len - at));
        return;
    default:
        g_string_insert(text, (gssize)at, PICK(f, pieces));
        return;
    }
}

void
sl_fuzz_lines_next(SlFuzzLines *f)
{
    make_line(f);
    guint n_damages = below(f, 3) == 0 ? 1 + below(f, 3) : 0;
    while (n_damages-- > 0)
        damage(f, f->other);
    g_string_truncate(f->other, 0);
    g_string_append_len(f->other, f->text->str, (gssize)f->text->len);
}

void
sl_fuzz_lines_init(SlFuzzLines *f, guint32 seed)
{
    *f = (SlFuzzLines){g_rand_new_with_seed(seed), g_string_new(NULL), g_string_new(NULL)};
}

void
sl_fuzz_lines_clear(SlFuzzLines *f)
{
    g_rand_free(f->rand);
    g_string_free(f->text, TRUE);
    g_string_free(f->other, TRUE);
}
