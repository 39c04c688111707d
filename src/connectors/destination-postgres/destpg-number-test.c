/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-number.h"

#include <string.h>

static void
test_int64(void)
{
    static const struct {
        const char *text;
        DestpgResult result;
        gint64 value;
    } cases[] = {
        {"0", DESTPG_OK, 0},
        {"-0", DESTPG_OK, 0},
        {"42", DESTPG_OK, 42},
        {"-42", DESTPG_OK, -42},
        {"+42", DESTPG_OK, 42},
        {"007", DESTPG_OK, 7},
        {"5.0", DESTPG_OK, 5},
        {"5.", DESTPG_OK, 5},
        {"1e3", DESTPG_OK, 1000},
        {"1.5e1", DESTPG_OK, 15},
        {"1500e-2", DESTPG_OK, 15},
        {"0e999999999999", DESTPG_OK, 0},
        {"999999999999999999", DESTPG_OK, 999999999999999999},
        {"9223372036854775807", DESTPG_OK, G_MAXINT64},
        {"-9223372036854775808", DESTPG_OK, G_MININT64},
        {"9223372036854775807.000", DESTPG_OK, G_MAXINT64},
        {"000000000000000000000000000001", DESTPG_OK, 1},
        {"9223372036854775808", DESTPG_RANGE, 0},
        {"-9223372036854775809", DESTPG_RANGE, 0},
        {"18446744073709551616", DESTPG_RANGE, 0},
        {"99999999999999999999", DESTPG_RANGE, 0},
        {"1e19", DESTPG_RANGE, 0},
        {"1e999999999999999999999", DESTPG_RANGE, 0},
        {"5.5", DESTPG_BAD, 0},
        {"1e-1", DESTPG_BAD, 0},
        {"", DESTPG_BAD, 0},
        {"-", DESTPG_BAD, 0},
        {".", DESTPG_BAD, 0},
        {"1e", DESTPG_BAD, 0},
        {"1e+", DESTPG_BAD, 0},
        {"12a", DESTPG_BAD, 0},
        {" 12", DESTPG_BAD, 0},
        {"NaN", DESTPG_BAD, 0},
        {"0x10", DESTPG_BAD, 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 value = 0;
        g_test_message("%s", cases[i].text);
        g_assert_cmpint(destpg_number_to_int64(cases[i].text, strlen(cases[i].text), &value), ==,
                        cases[i].result);
        if (cases[i].result == DESTPG_OK)
            g_assert_cmpint(value, ==, cases[i].value);
    }
}

static char *
to_hex(const guint8 *p, gsize n)
{
    GString *hex = g_string_new(NULL);
    for (gsize i = 0; i < n; i += 2)
        g_string_append_printf(hex, "%s%02x%02x", i > 0 ? " " : "", p[i], p[i + 1]);
    return g_string_free(hex, FALSE);
}

/* ndigits weight sign dscale digits…, as numeric_send() gives them (compared with a server). */
static void
test_numeric(void)
{
    static const struct {
        const char *text, *hex;
    } cases[] = {
        {"0", "0000 0000 0000 0000"},
        {"-0.00", "0000 0000 0000 0002"},
        {"1", "0001 0000 0000 0000 0001"},
        {"-1", "0001 0000 4000 0000 0001"},
        {"9999", "0001 0000 0000 0000 270f"},
        {"10000", "0001 0001 0000 0000 0001"},
        {"12345678", "0002 0001 0000 0000 04d2 162e"},
        {"1.5", "0002 0000 0000 0001 0001 1388"},
        {"1.50", "0002 0000 0000 0002 0001 1388"},
        {"0.1", "0001 ffff 0000 0001 03e8"},
        {"0.0001", "0001 ffff 0000 0004 0001"},
        {"0.00001", "0001 fffe 0000 0005 03e8"},
        {"-12345.6789", "0003 0001 4000 0004 0001 0929 1a85"},
        {"1e10", "0001 0002 0000 0000 0064"},
        {"1.5e3", "0001 0000 0000 0000 05dc"},
        {"15e-4", "0001 ffff 0000 0004 000f"},
        {"1e131071", "0001 7fff 0000 0000 03e8"},
        {".5", "0001 ffff 0000 0001 1388"},
        {"00012", "0001 0000 0000 0000 000c"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint8 out[128];
        gsize n = 0;
        g_assert_cmpint(destpg_number_to_numeric(cases[i].text, strlen(cases[i].text), out, &n), ==,
                        DESTPG_OK);
        g_autofree char *hex = to_hex(out, n);
        g_test_message("%s", cases[i].text);
        g_assert_cmpstr(hex, ==, cases[i].hex);
        g_assert_cmpuint(n, <=, DESTPG_NUMERIC_ROOM(strlen(cases[i].text)));
    }
}

static void
test_numeric_refused(void)
{
    guint8 out[64];
    gsize n;
    static const char *const bad[] = {"NaN", "Infinity", "-", "1 ", "abc", "1.2.3", "1e1.5", ""};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_cmpint(destpg_number_to_numeric(bad[i], strlen(bad[i]), out, &n), ==, DESTPG_BAD);
    static const char *const range[] = {"1e131072", "-1e131072", "10e131071",
                                        "1e-16384", "1e999999",  "0e-99999"};
    for (guint i = 0; i < G_N_ELEMENTS(range); i++) {
        g_assert_cmpint(destpg_number_to_numeric(range[i], strlen(range[i]), out, &n), ==,
                        DESTPG_RANGE);
        g_assert_false(destpg_number_fits(range[i], strlen(range[i])));
    }
    g_assert_true(destpg_number_fits("1e131071", 8));
    g_assert_true(destpg_number_fits("1e-16383", 8));
}

/* Every text length up to 200 digits, point at every place: never more than the promised room. */
static void
test_numeric_room(void)
{
    g_autofree guint8 *out = g_malloc(512);
    for (guint n = 1; n <= 200; n += 7) {
        for (guint point = 0; point <= n; point += 3) {
            g_autofree char *a = g_strnfill(n, '9');
            a[MIN(point, n - 1)] = n > 1 ? '.' : '9';
            gsize len = 0;
            g_assert_cmpint(destpg_number_to_numeric(a, n, out, &len), ==, DESTPG_OK);
            g_assert_cmpuint(len, <=, DESTPG_NUMERIC_ROOM(n));
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/destination-postgres/number/int64", test_int64);
    g_test_add_func("/destination-postgres/number/numeric", test_numeric);
    g_test_add_func("/destination-postgres/number/numeric-refused", test_numeric_refused);
    g_test_add_func("/destination-postgres/number/numeric-room", test_numeric_room);
    return g_test_run();
}
