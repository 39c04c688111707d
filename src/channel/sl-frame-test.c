/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sl-frame.h"

#include <string.h>

#include "sl-error.h"

static SlSpan
span(const char *text)
{
    return (SlSpan){text, text == NULL ? 0 : strlen(text)};
}

static void
assert_span(SlSpan found, const char *expected)
{
    g_autofree char *text = g_strndup(found.p, found.n);
    g_assert_cmpstr(text, ==, expected);
}

/* "0a 1b …" → bytes. */
static GByteArray *
bytes_of(const char *hex)
{
    GByteArray *bytes = g_byte_array_new();
    for (; *hex != '\0'; hex++) {
        if (*hex == ' ')
            continue;
        guint8 byte = (guint8)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
        g_byte_array_append(bytes, &byte, 1);
        hex++;
    }
    return bytes;
}

static char *
hex_of(const char *p, gsize n)
{
    GString *text = g_string_new(NULL);
    for (gsize i = 0; i < n; i++)
        g_string_append_printf(text, i == 0 ? "%02x" : " %02x", (guint)(guint8)p[i]);
    return g_string_free(text, FALSE);
}

/* --- golden bytes -------------------------------------------------------------------------- */

static void
test_record(void)
{
    g_auto(SlBytes) names = {0}, out = {0};
    sl_frame_append_names(&names, "n", "users");
    /* one value: integer 7 (zigzag 14) */
    SlSpan values = {"\x2a\x02\x18\x0e", 4}, meta = {NULL, 0};
    sl_frame_append_record(&out, (SlSpan){names.p, names.len}, 1700000000000, span("p1"), values,
                           meta);
    g_autofree char *hex = hex_of(out.p, out.len);
    g_assert_cmpstr(hex, ==,
                    "1b 0a 19 0a 01 6e 12 05 75 73 65 72 73 18 80 d0 95 ff bc 31 22 02 70 31 "
                    "2a 02 18 0e");
    SlSpan body;
    g_assert_cmpint(sl_frame_split(out.p, out.len, &body), ==, SL_SPLIT_WHOLE);
    g_assert_true(body.p + body.n == out.p + out.len);
    SlFrame frame;
    g_assert_true(sl_frame_parse(body, &frame, NULL));
    g_assert_cmpint(frame.type, ==, SL_FRAME_RECORD);
    assert_span(frame.ns, "n");
    assert_span(frame.stream, "users");
    assert_span(frame.partition, "p1");
    g_assert_cmpuint(frame.emitted_at, ==, 1700000000000);
    g_assert_cmpuint(frame.n_values, ==, 1);
    g_assert_cmpuint(frame.value_bytes, ==, 4);
    g_assert_cmpuint(frame.meta.n, ==, 0);
}

static void
test_message_and_probe(void)
{
    g_auto(SlBytes) out = {0};
    sl_frame_append_message(&out, "{\"type\":\"STATE\"}", 16);
    g_autofree char *hex = hex_of(out.p, out.len);
    g_assert_cmpstr(hex, ==, "12 12 10 7b 22 74 79 70 65 22 3a 22 53 54 41 54 45 22 7d");
    SlFrame frame;
    SlSpan body;
    g_assert_cmpint(sl_frame_split(out.p, out.len, &body), ==, SL_SPLIT_WHOLE);
    g_assert_true(sl_frame_parse(body, &frame, NULL));
    g_assert_cmpint(frame.type, ==, SL_FRAME_MESSAGE);
    assert_span(frame.message, "{\"type\":\"STATE\"}");

    g_assert_cmpint(sl_frame_split(SL_FRAME_PROBE_BYTES, SL_FRAME_PROBE_SIZE, &body), ==,
                    SL_SPLIT_WHOLE);
    g_assert_true(sl_frame_parse(body, &frame, NULL));
    g_assert_cmpint(frame.type, ==, SL_FRAME_PROBE);
}

static void
test_digits(void)
{
    static const guint64 values[] = {0, 7, 10, 1700000000000, G_MAXINT64, G_MAXUINT64};
    for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
        g_auto(SlBytes) out = {0};
        g_autofree char *expected = g_strdup_printf("%" G_GUINT64_FORMAT, values[i]);
        sl_bytes_append_uint(&out, values[i]);
        assert_span((SlSpan){out.p, out.len}, expected);
    }
}

/* The length of a frame grows by a byte at 128 and at 16384. */
static void
test_sizes(void)
{
    static const gsize sizes[] = {0, 1, 100, 110, 120, 127, 128, 129, 16000, 16370, 16384, 3000000};
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_auto(SlBytes) names = {0}, out = {0};
        g_autofree char *text = g_strnfill(sizes[i], 'x');
        sl_frame_append_names(&names, NULL, "s");
        sl_bytes_append(&out, "before", 6);
        sl_frame_append_record(&out, (SlSpan){names.p, names.len}, 0, span(text), (SlSpan){NULL, 0},
                               (SlSpan){NULL, 0});
        sl_frame_append_message(&out, text, sizes[i]);
        SlSpan body;
        SlFrame frame;
        g_assert_cmpint(sl_frame_split(out.p + 6, out.len - 6, &body), ==, SL_SPLIT_WHOLE);
        g_assert_true(sl_frame_parse(body, &frame, NULL));
        g_assert_cmpuint(frame.partition.n, ==, sizes[i]);
        const char *next = body.p + body.n;
        g_assert_cmpint(sl_frame_split(next, (gsize)(out.p + out.len - next), &body), ==,
                        SL_SPLIT_WHOLE);
        g_assert_true(body.p + body.n == out.p + out.len);
        g_assert_true(sl_frame_parse(body, &frame, NULL));
        g_assert_cmpuint(frame.message.n, ==, sizes[i]);
    }
}

/* Everything but the names keeps bytes and order, what we do not know included. */
static void
test_renamed(void)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"0a 0b 12 01 61 18 05 2a 02 68 01 2a 00", "11 0a 0f 0a 01 4e 12 02 42 42 18 05 2a 02 68 "
                                                   "01 2a 00"},
        /* names at the end and in the middle, an unknown field 9 */
        {"0a 0f 18 05 0a 01 6e 2a 02 68 01 4a 01 7a 12 01 61", "12 0a 10 0a 01 4e 12 02 42 42 18 "
                                                               "05 2a 02 68 01 4a 01 7a"},
        {"0a 00", "09 0a 07 0a 01 4e 12 02 42 42"},
    };
    g_auto(SlBytes) names = {0};
    sl_frame_append_names(&names, "N", "BB");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) in = bytes_of(cases[i].in);
        g_auto(SlBytes) out = {0};
        SlFrame frame;
        g_assert_true(sl_frame_parse((SlSpan){(char *)in->data, in->len}, &frame, NULL));
        sl_frame_append_renamed(&out, (SlSpan){names.p, names.len}, &frame);
        g_autofree char *hex = hex_of(out.p, out.len);
        g_assert_cmpstr(hex, ==, cases[i].out);
    }
}

/* --- reading ------------------------------------------------------------------------------- */

/* A frame that comes byte by byte is not whole before its last byte. */
static void
test_half_frames(void)
{
    g_auto(SlBytes) out = {0};
    g_autofree char *text = g_strnfill(300, 'x');
    sl_frame_append_message(&out, text, 300);
    for (gsize n = 0; n < out.len; n++) {
        g_autofree char *copy = g_memdup2(out.p, n); /* so that a sanitizer sees the end */
        SlSpan body;
        g_assert_cmpint(sl_frame_split(copy, n, &body), ==, SL_SPLIT_MORE);
        g_assert_cmpuint(body.n, ==, n < 2 ? 0 : 303);
    }
}

static void
test_broken_lengths(void)
{
    static const struct {
        const char *hex;
        SlSplit split;
    } cases[] = {
        {"", SL_SPLIT_MORE},
        {"80", SL_SPLIT_MORE},
        {"80 80 80 80", SL_SPLIT_MORE},
        {"80 80 80 80 80", SL_SPLIT_BROKEN},
        {"ff ff ff ff ff ff 01", SL_SPLIT_BROKEN},
        {"ff ff ff ff 7f", SL_SPLIT_MORE}, /* 32 GiB: for the caller's limit */
        {"00", SL_SPLIT_WHOLE},
        {"80 00", SL_SPLIT_WHOLE}, /* longer than needed, and allowed */
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) in = bytes_of(cases[i].hex);
        SlSpan body;
        g_assert_cmpint(sl_frame_split((char *)in->data, in->len, &body), ==, cases[i].split);
    }
}

static void
test_parse(void)
{
    static const struct {
        const char *hex;
        int type; /* -1: broken */
    } cases[] = {
        {"", SL_FRAME_NONE},
        {"0a 00", SL_FRAME_RECORD},
        {"12 00", SL_FRAME_MESSAGE},
        {"1a 00", SL_FRAME_PROBE},
        {"22 00", SL_FRAME_NONE},               /* a kind of tomorrow */
        {"08 01", SL_FRAME_NONE},               /* field 1 with another wire type */
        {"0a 00 1a 00", SL_FRAME_PROBE},        /* the last one counts */
        {"0a 02 32 00", SL_FRAME_RECORD},       /* an empty meta */
        {"0a 04 f8 7f ff 01", SL_FRAME_RECORD}, /* unknown fields */
        {"0a 09 09 00 00 00 00 00 00 00 00", SL_FRAME_RECORD},
        {"0a 05 0d 00 00 00 00", SL_FRAME_RECORD},
        {"0a", -1},
        {"0a 01", -1},
        {"0a 02 32", -1},
        {"0a 02 32 01", -1}, /* a field that goes on behind the record */
        {"0a 01 18", -1},    /* no value */
        {"0a 02 18 80", -1}, /* half of one */
        {"0a 0c 18 ff ff ff ff ff ff ff ff ff ff 01", -1},
        {"0a 01 03", -1}, /* a group */
        {"0a 01 02", -1}, /* field 0 */
        {"0a 06 ff ff ff ff ff 01", -1},
        {"0a 05 09 00 00 00 00", -1},
        {"0a ff ff ff ff 0f", -1},
        {"00", -1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) in = bytes_of(cases[i].hex);
        g_autofree char *copy = g_memdup2(in->data, in->len);
        g_autoptr(GError) error = NULL;
        SlFrame frame;
        gboolean ok = sl_frame_parse((SlSpan){copy, in->len}, &frame, &error);
        g_test_message("%s", cases[i].hex);
        g_assert_cmpint(ok ? (int)frame.type : -1, ==, cases[i].type);
        if (!ok)
            g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
    }
}

/* Whatever comes, reading ends, and inside the buffer. */
static void
test_damaged(void)
{
    g_auto(SlBytes) whole = {0}, names = {0};
    g_autoptr(GRand) random = g_rand_new_with_seed(20261123);
    sl_frame_append_names(&names, "ns", "stream");
    SlSpan values = {"\x2a\x02\x18\x0e\x2a\x03\x12\x01x\x2a\x02\x68\x01", 13};
    SlSpan meta = {"\x0a\x05\x0a\x01q\x10\x01", 7};
    sl_frame_append_record(&whole, (SlSpan){names.p, names.len}, 12345, span("p"), values, meta);
    guint good = 0;
    for (guint i = 0; i < 200000; i++) {
        gsize n = i % 3 == 0 ? (gsize)g_rand_int_range(random, 0, (gint32)whole.len) : whole.len;
        g_autofree char *copy = g_memdup2(whole.p, n);
        for (guint k = 0; n > 0 && k < i % 4; k++)
            copy[g_rand_int_range(random, 0, (gint32)n)] = (char)g_rand_int(random);
        SlSpan body;
        SlFrame frame;
        if (sl_frame_split(copy, n, &body) != SL_SPLIT_WHOLE)
            continue;
        g_assert_true(body.p + body.n <= copy + n);
        if (!sl_frame_parse(body, &frame, NULL) || frame.type != SL_FRAME_RECORD)
            continue;
        g_auto(SlBytes) out = {0};
        sl_frame_append_renamed(&out, (SlSpan){names.p, names.len}, &frame);
        SlFrame again;
        g_assert_cmpint(sl_frame_split(out.p, out.len, &body), ==, SL_SPLIT_WHOLE);
        g_assert_true(sl_frame_parse(body, &again, NULL));
        g_assert_cmpuint(again.n_values, ==, frame.n_values);
        g_assert_cmpuint(again.emitted_at, ==, frame.emitted_at);
        good++;
    }
    g_assert_cmpuint(good, >, 1000);
}

/* --- meta ---------------------------------------------------------------------------------- */

static void
test_meta(void)
{
    static const char json[] =
        "{\"changes\":[{\"field\":\"a\\\"b\",\"change\":\"NULLED\",\"reason\":"
        "\"SOURCE_RECORD_SIZE_LIMITATION\"},{\"field\":\"c\",\"change\":\"TRUNCATED\",\"reason\":"
        "\"DESTINATION_TYPECAST_ERROR\"}]}";
    g_auto(SlBytes) encoded = {0}, decoded = {0};
    g_assert_true(sl_frame_meta_from_json(span(json), &encoded, NULL));
    g_autofree char *hex = hex_of(encoded.p, encoded.len);
    g_assert_cmpstr(hex, ==, "0a 09 0a 03 61 22 62 10 00 18 00 0a 07 0a 01 63 10 01 18 0a");
    g_assert_true(sl_frame_meta_to_json((SlSpan){encoded.p, encoded.len}, &decoded, NULL));
    assert_span((SlSpan){decoded.p, decoded.len}, json);

    g_auto(SlBytes) empty = {0}, none = {0};
    g_assert_true(sl_frame_meta_from_json(span("{\"other\":1}"), &empty, NULL));
    g_assert_cmpuint(empty.len, ==, 0);
    g_assert_true(sl_frame_meta_to_json((SlSpan){NULL, 0}, &none, NULL));
    assert_span((SlSpan){none.p, none.len}, "{\"changes\":[]}");
}

static void
test_broken_meta(void)
{
    static const char *const texts[] = {
        "{",
        "{\"changes\":[{}]}",
        "{\"changes\":[{\"field\":\"a\",\"change\":\"LOST\",\"reason\":"
        "\"DESTINATION_TYPECAST_ERROR\"}]}",
        "{\"changes\":[{\"field\":1,\"change\":\"NULLED\",\"reason\":"
        "\"DESTINATION_TYPECAST_ERROR\"}]}",
    };
    static const char *const frames[] = {"0a 01", "0a 02 0a 05", "0a 02 10 02", "0a 02 18 0b",
                                         "0b"};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_auto(SlBytes) out = {0};
        g_assert_false(sl_frame_meta_from_json(span(texts[i]), &out, NULL));
    }
    for (guint i = 0; i < G_N_ELEMENTS(frames); i++) {
        g_autoptr(GByteArray) in = bytes_of(frames[i]);
        g_autoptr(GError) error = NULL;
        g_auto(SlBytes) out = {0};
        g_assert_false(sl_frame_meta_to_json((SlSpan){(char *)in->data, in->len}, &out, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/channel/frame/record", test_record);
    g_test_add_func("/channel/frame/message-and-probe", test_message_and_probe);
    g_test_add_func("/channel/frame/digits", test_digits);
    g_test_add_func("/channel/frame/sizes", test_sizes);
    g_test_add_func("/channel/frame/renamed", test_renamed);
    g_test_add_func("/channel/frame/half", test_half_frames);
    g_test_add_func("/channel/frame/broken-lengths", test_broken_lengths);
    g_test_add_func("/channel/frame/parse", test_parse);
    g_test_add_func("/channel/frame/damaged", test_damaged);
    g_test_add_func("/channel/frame/meta", test_meta);
    g_test_add_func("/channel/frame/broken-meta", test_broken_meta);
    return g_test_run();
}
