/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-time.h"

#include <string.h>

#define SEC G_GINT64_CONSTANT(1000000)
#define DAY (86400 * SEC)

static DestpgStamp
parse(const char *text)
{
    DestpgStamp stamp;
    g_test_message("%s", text);
    g_assert_true(destpg_time_parse(text, strlen(text), &stamp));
    return stamp;
}

/* days since 2000-01-01, from `select date '…' - date '2000-01-01'` */
static void
test_dates(void)
{
    static const struct {
        const char *text;
        gint32 days;
    } cases[] = {
        {"2000-01-01", 0},
        {"2000-03-01", 60},
        {"1999-12-31", -1},
        {"2024-02-29", 8825},
        {"1970-01-01", -10957},
        {"0001-01-01", -730119},
        {"0001-12-31 BC", -730120},
        {"0000-12-31", -730120},
        {"4714-11-24 BC", -2451545},
        {"2024/2/29", 8825},
        {"2024.02.29", 8825},
        {"2024 02 29", 8825},
        {"20240229", 8825},
        {"2024-Feb-29", 8825},
        {"2024-02-29T23:59:59Z", 8825},
        {"2024-02-29 23:59:59+05", 8825},
        {"+12024-02-29", 3661250},
        {"12024-02-29", 3661250},
        {"999999-12-31", 364512014},
        {" 2000-01-01 ", 0},
        {"2000-01-01 AD", 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        DestpgStamp stamp = parse(cases[i].text);
        gint32 days = 0;
        g_assert_cmpint(destpg_time_to_date(&stamp, &days), ==, DESTPG_OK);
        g_assert_cmpint(days, ==, cases[i].days);
    }
}

/* Day by day through four centuries: no gap, no day twice. */
static void
test_calendar(void)
{
    static const guint8 lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    gint64 expected = -36524; /* 1900-01-01 */
    for (guint year = 1900; year < 2300; year++) {
        gboolean leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (guint month = 1; month <= 12; month++) {
            guint n = lengths[month - 1] + (month == 2 && leap ? 1 : 0);
            for (guint day = 1; day <= n; day++) {
                char text[32];
                DestpgStamp stamp;
                g_snprintf(text, sizeof text, "%04u-%02u-%02u", year, month, day);
                g_assert_true(destpg_time_parse(text, strlen(text), &stamp));
                g_assert_cmpint(stamp.days, ==, expected++);
            }
            char text[32];
            DestpgStamp stamp;
            g_snprintf(text, sizeof text, "%04u-%02u-%02u", year, month, n + 1);
            g_assert_false(destpg_time_parse(text, strlen(text), &stamp));
        }
    }
}

static void
test_timestamps(void)
{
    static const struct {
        const char *text;
        gint64 tz, plain;
    } cases[] = {
        {"2000-01-01T00:00:00Z", 0, 0},
        {"2000-01-01T00:00:00", 0, 0},
        {"2000-01-01 00:00", 0, 0},
        {"2000-01-01", 0, 0},
        {"2000-01-01T02:00:00+02:00", 0, 7200 * SEC},
        {"2000-01-01T02:00:00+0200", 0, 7200 * SEC},
        {"2000-01-01T02:00:00+02", 0, 7200 * SEC},
        {"2000-01-01T02:00:00 +02:00", 0, 7200 * SEC},
        {"1999-12-31T19:00:00-05:00", 0, -5 * 3600 * SEC},
        {"2000-01-01T00:00:00 UTC", 0, 0},
        {"2000-01-01T03:00:00 GMT+3", 0, 3 * 3600 * SEC},
        {"2000-01-01T00:00:00.5Z", SEC / 2, SEC / 2},
        {"2000-01-01T00:00:00.123456Z", 123456, 123456},
        {"2000-01-01T00:00:00.123456789Z", 123457, 123457},
        {"2000-01-01T00:00:00.9999999Z", SEC, SEC},
        {"1999-12-31T23:59:60Z", 0, 0},
        {"0001-12-31T00:00:00Z BC", -730120 * DAY, -730120 * DAY},
        {"0001-12-31 BC 00:00:00", -730120 * DAY, -730120 * DAY},
        {"294276-12-31T23:59:59.999999Z", G_GINT64_CONSTANT(9223371331199999999),
         G_GINT64_CONSTANT(9223371331199999999)},
        {"4714-11-24T00:00:00Z BC", -2451545 * DAY, -2451545 * DAY},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        DestpgStamp stamp = parse(cases[i].text);
        gint64 value = 1;
        g_assert_cmpint(destpg_time_to_timestamptz(&stamp, &value), ==, DESTPG_OK);
        g_assert_cmpint(value, ==, cases[i].tz);
        g_assert_cmpint(destpg_time_to_timestamp(&stamp, &value), ==, DESTPG_OK);
        g_assert_cmpint(value, ==, cases[i].plain);
    }
}

static void
test_times(void)
{
    static const struct {
        const char *text;
        gint64 usec;
        gint32 west;
    } cases[] = {
        {"12:34:56", 45296 * SEC, 0},
        {"12:34", 45240 * SEC, 0},
        {"9:34", 34440 * SEC, 0},
        {"12:34:56.789", 45296789000, 0},
        {"12:34:56+02:00", 45296 * SEC, -7200},
        {"12:34:56-05", 45296 * SEC, 18000},
        {"12:34:56Z", 45296 * SEC, 0},
        {"2020-01-01T12:34:56+01:00", 45296 * SEC, -3600},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        DestpgStamp stamp = parse(cases[i].text);
        gint64 usec = 0;
        gint32 zone = 1;
        g_assert_cmpint(destpg_time_to_time(&stamp, &usec), ==, DESTPG_OK);
        g_assert_cmpint(usec, ==, cases[i].usec);
        g_assert_cmpint(destpg_time_to_timetz(&stamp, &usec, &zone), ==, DESTPG_OK);
        g_assert_cmpint(usec, ==, cases[i].usec);
        g_assert_cmpint(zone, ==, cases[i].west);
    }
}

static void
test_refused(void)
{
    static const char *const bad[] = {
        "",
        " ",
        "abc",
        "2020",
        "2020-13-01",
        "2020-00-01",
        "2020-01-00",
        "2020-02-30",
        "1900-02-29",
        "2020-01-01T",
        "2020-01-01T25:00:00",
        "2020-01-01T12",
        "2020-01-01T12:60:00",
        "2020-01-01T12:00:61",
        "2020-01-01T12:00:00.",
        "2020-01-01T12:00:00+19:00",
        "2020-01-01T12:00:00 CEST",
        "2020-01-01T12:00:00Zjunk",
        "2020-01-01 junk",
        "12:00:00 junk",
        "24:00:00",
        "12:0:00",
        "1577836800",
        "2020-01-01T12:00:00+01:0",
        "Infinity",
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        DestpgStamp stamp;
        g_test_message("'%s'", bad[i]);
        g_assert_false(destpg_time_parse(bad[i], strlen(bad[i]), &stamp));
    }
    gint64 usec;
    gint32 days, zone;
    DestpgStamp late = parse("294277-01-01T00:00:00Z"), early = parse("4714-11-23T23:59:59Z BC"),
                time = parse("12:00"), date = parse("2020-01-01"), far = parse("12:00+17:00"),
                over = parse("294276-12-31T23:00:00-02:00"), top = parse("999999-12-31T00:00:00Z");
    g_assert_cmpint(destpg_time_to_timestamptz(&late, &usec), ==, DESTPG_RANGE);
    g_assert_cmpint(destpg_time_to_timestamptz(&early, &usec), ==, DESTPG_RANGE);
    g_assert_cmpint(destpg_time_to_timestamptz(&over, &usec), ==, DESTPG_RANGE);
    g_assert_cmpint(destpg_time_to_timestamp(&over, &usec), ==, DESTPG_OK);
    g_assert_cmpint(destpg_time_to_timestamp(&top, &usec), ==, DESTPG_RANGE);
    g_assert_cmpint(destpg_time_to_date(&early, &days), ==, DESTPG_RANGE);
    g_assert_cmpint(destpg_time_to_date(&time, &days), ==, DESTPG_BAD);
    g_assert_cmpint(destpg_time_to_timestamp(&time, &usec), ==, DESTPG_BAD);
    g_assert_cmpint(destpg_time_to_time(&date, &usec), ==, DESTPG_BAD);
    g_assert_cmpint(destpg_time_to_timetz(&far, &usec, &zone), ==, DESTPG_RANGE);
}

static void
test_epoch(void)
{
    g_assert_cmpint(destpg_time_of_epoch_ms(946684800000), ==, 0);
    g_assert_cmpint(destpg_time_of_epoch_ms(0), ==, -10957 * DAY);
    g_assert_cmpint(destpg_time_of_epoch_ms(G_MAXINT64), <, G_GINT64_CONSTANT(9223371331200000000));
    g_assert_cmpint(destpg_time_of_epoch_ms(G_MININT64), ==, -2451545 * DAY);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/destination-postgres/time/dates", test_dates);
    g_test_add_func("/destination-postgres/time/calendar", test_calendar);
    g_test_add_func("/destination-postgres/time/timestamps", test_timestamps);
    g_test_add_func("/destination-postgres/time/times", test_times);
    g_test_add_func("/destination-postgres/time/refused", test_refused);
    g_test_add_func("/destination-postgres/time/epoch", test_epoch);
    return g_test_run();
}
