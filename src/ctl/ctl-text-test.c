/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-text.h"

#define SEC ((gint64)G_USEC_PER_SEC)

static void
assert_text(char *got, const char *wanted)
{
    g_assert_cmpstr(got, ==, wanted);
    g_free(got);
}

static void
test_numbers(void)
{
    assert_text(ctl_text_count(0), "0");
    assert_text(ctl_text_count(999), "999");
    assert_text(ctl_text_count(1000), "1.0k");
    assert_text(ctl_text_count(14230), "14.2k");
    assert_text(ctl_text_count(99949), "99.9k");
    assert_text(ctl_text_count(99951), "100k");
    assert_text(ctl_text_count(999499), "999k");
    assert_text(ctl_text_count(999500), "1.0M");
    assert_text(ctl_text_bytes(950), "950 B");
    assert_text(ctl_text_bytes(1200000), "1.2 MB");
    assert_text(ctl_text_bytes(G_MAXINT64), "9223 PB");
}

static void
test_times(void)
{
    assert_text(ctl_text_duration(0), "0.0 s");
    assert_text(ctl_text_duration(450000), "0.4 s");
    assert_text(ctl_text_duration(58 * SEC), "58 s");
    assert_text(ctl_text_duration(125 * SEC), "2 min 5 s");
    assert_text(ctl_text_duration(3 * 3600 * SEC + 120 * SEC), "3 h 2 min");
    assert_text(ctl_text_duration(50 * 3600 * SEC), "2 d 2 h");
    assert_text(ctl_text_time(1785585600 * SEC, TRUE), "2026-08-01 12:00:00Z");
    assert_text(ctl_text_time(G_MAXINT64, TRUE), "-");
}

static void
test_iso_durations(void)
{
    g_assert_cmpint(ctl_text_parse_iso_duration("PT0S"), ==, 0);
    g_assert_cmpint(ctl_text_parse_iso_duration("PT1H2M3S"), ==, 3723 * SEC);
    g_assert_cmpint(ctl_text_parse_iso_duration("P1DT0.5S"), ==, 86400 * SEC + SEC / 2);
    g_assert_cmpint(ctl_text_parse_iso_duration(NULL), ==, -1);
    g_assert_cmpint(ctl_text_parse_iso_duration(""), ==, -1);
    g_assert_cmpint(ctl_text_parse_iso_duration("P"), ==, -1);
    g_assert_cmpint(ctl_text_parse_iso_duration("PT5"), ==, -1);
    g_assert_cmpint(ctl_text_parse_iso_duration("PTxS"), ==, -1);
    g_assert_cmpint(ctl_text_parse_iso_duration("PT-5S"), ==, -1);
}

static void
test_terminals(void)
{
    g_assert_cmpuint(ctl_text_width("abc"), ==, 3);
    g_assert_cmpuint(ctl_text_width("日本"), ==, 4);
    g_assert_cmpuint(ctl_text_width("e\xcc\x81"), ==, 1); /* a combining accent */
    assert_text(ctl_text_clean("a\x1b[31mb\nc\td", -1), "a?[31mb c d");
    assert_text(ctl_text_clean("\xff!", -1), "\xef\xbf\xbd!");
    assert_text(ctl_text_clean("a\xe2\x80\xae"
                               "b",
                               -1),
                "a?b"); /* turns the writing around */
    assert_text(ctl_text_ellipsize("warehouse", 9, TRUE), "warehouse");
    assert_text(ctl_text_ellipsize("warehouse", 5, TRUE), "ware…");
    assert_text(ctl_text_ellipsize("warehouse", 5, FALSE), "wa...");
    assert_text(ctl_text_ellipsize("日本日本", 5, TRUE), "日本…");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ctl/text/numbers", test_numbers);
    g_test_add_func("/ctl/text/times", test_times);
    g_test_add_func("/ctl/text/iso-durations", test_iso_durations);
    g_test_add_func("/ctl/text/terminals", test_terminals);
    return g_test_run();
}
