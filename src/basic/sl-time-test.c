/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-time.h"

#include "sl-error.h"

static void
test_format(void)
{
    static const struct {
        gint64 usec;
        const char *text;
    } cases[] = {
        {G_GINT64_CONSTANT(-59122961670) * G_USEC_PER_SEC, "0096-06-19T11:05:30Z"},
        {0, "1970-01-01T00:00:00Z"},
        {1785585600 * (gint64)G_USEC_PER_SEC, "2026-08-01T12:00:00Z"},
        {1785585600 * (gint64)G_USEC_PER_SEC + 250000, "2026-08-01T12:00:00.25Z"},
        {1, "1970-01-01T00:00:00.000001Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = sl_time_format(cases[i].usec);
        g_assert_cmpstr(text, ==, cases[i].text);
        gint64 back = 0;
        g_autoptr(GError) error = NULL;
        g_assert_true(sl_time_parse(text, &back, &error));
        g_assert_no_error(error);
        g_assert_cmpint(back, ==, cases[i].usec);
    }
}

static void
test_parse(void)
{
    gint64 usec = 0;
    g_assert_true(sl_time_parse("2026-08-01 14:00:00+02", &usec, NULL));
    g_assert_cmpint(usec, ==, 1785585600 * (gint64)G_USEC_PER_SEC);
    g_assert_true(sl_time_parse("2026-08-01T12:00:00", &usec, NULL));
    g_assert_cmpint(usec, ==, 1785585600 * (gint64)G_USEC_PER_SEC);
    g_autoptr(GError) error = NULL;
    g_assert_false(sl_time_parse("yesterday", &usec, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_assert_false(sl_time_parse(NULL, &usec, NULL));
}

static void
test_span(void)
{
    static const struct {
        const char *text;
        gint64 usec; /* -1: refused */
    } cases[] = {
        {"90", 90 * G_USEC_PER_SEC},
        {"1min 30s", 90 * G_USEC_PER_SEC},
        {"6h", 6 * 3600 * (gint64)G_USEC_PER_SEC},
        {"500ms", 500000},
        {"2 weeks", 14 * 86400 * (gint64)G_USEC_PER_SEC},
        {"", -1},
        {"-5", -1},
        {"5 fortnights", -1},
        {"999999999999999999 weeks", -1},
        {"5s x", -1},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 usec = -1;
        g_assert_cmpint(sl_time_parse_span(cases[i].text, &usec, NULL), ==, cases[i].usec >= 0);
        g_assert_cmpint(usec, ==, cases[i].usec);
    }
}

static void
test_duration(void)
{
    g_autofree char *zero = sl_time_format_duration(0);
    g_assert_cmpstr(zero, ==, "PT0S");
    g_autofree char *long_one = sl_time_format_duration(G_GINT64_CONSTANT(3723) * G_USEC_PER_SEC);
    g_assert_cmpstr(long_one, ==, "PT1H2M3S");
    g_autofree char *minute = sl_time_format_duration(60 * G_USEC_PER_SEC);
    g_assert_cmpstr(minute, ==, "PT1M");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/basic/time/format", test_format);
    g_test_add_func("/basic/time/parse", test_parse);
    g_test_add_func("/basic/time/span", test_span);
    g_test_add_func("/basic/time/duration", test_duration);
    return g_test_run();
}
