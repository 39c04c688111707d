/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-cron.h"

#include "sl-error.h"
#include "sl-time.h"

#define QUARTZ_TIMES 12                                  /* of each line of the vectors */
#define QUARTZ_END (4922899200 * (gint64)G_USEC_PER_SEC) /* 2126 */

/* Three ticks after a time, checked against a calendar by hand. */
static void
test_next(void)
{
    static const struct {
        const char *expression, *zone, *after, *ticks[3];
    } cases[] = {
        {"0 0 12 * * ?",
         "UTC",
         "2026-08-01T12:00:00Z",
         {"2026-08-02T12:00:00Z", "2026-08-03T12:00:00Z", "2026-08-04T12:00:00Z"}},
        {"0 */15 * * * ?",
         NULL,
         "2026-08-01T12:01:00.5Z",
         {"2026-08-01T12:15:00Z", "2026-08-01T12:30:00Z", "2026-08-01T12:45:00Z"}},
        {"30 5/20 * * * ?",
         "",
         "2026-08-01T23:44:00Z",
         {"2026-08-01T23:45:30Z", "2026-08-02T00:05:30Z", "2026-08-02T00:25:30Z"}},
        {"0 0 22-2 ? * FRI-MON",
         "UTC",
         "2026-08-06T00:00:00Z",
         {"2026-08-07T00:00:00Z", "2026-08-07T01:00:00Z", "2026-08-07T02:00:00Z"}},
        {"0 0 0 L * ?",
         "UTC",
         "2026-01-31T00:00:00Z",
         {"2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z", "2026-04-30T00:00:00Z"}},
        {"0 0 0 L-3 * ?",
         "UTC",
         "2026-02-01T00:00:00Z",
         {"2026-02-25T00:00:00Z", "2026-03-28T00:00:00Z", "2026-04-27T00:00:00Z"}},
        {"0 0 0 1W * ?",
         "UTC",
         "2026-08-01T00:00:00Z", /* 1 August 2026 is a Saturday */
         {"2026-08-03T00:00:00Z", "2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z"}},
        {"0 0 0 LW * ?",
         "UTC",
         "2026-05-01T00:00:00Z", /* 31 May 2026 is a Sunday */
         {"2026-05-29T00:00:00Z", "2026-06-30T00:00:00Z", "2026-07-31T00:00:00Z"}},
        {"0 0 0 ? * 6L",
         "UTC",
         "2026-08-01T00:00:00Z",
         {"2026-08-28T00:00:00Z", "2026-09-25T00:00:00Z", "2026-10-30T00:00:00Z"}},
        {"0 0 0 ? * MON#5",
         "UTC",
         "2026-08-01T00:00:00Z",
         {"2026-08-31T00:00:00Z", "2026-11-30T00:00:00Z", "2027-03-29T00:00:00Z"}},
        {"0 0 0 29 2 ?",
         "UTC",
         "2026-01-01T00:00:00Z",
         {"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z", "2036-02-29T00:00:00Z"}},
        {"0 0 0 1 jan ? 2030", "UTC", "2026-01-01T00:00:00Z", {"2030-01-01T00:00:00Z", NULL, NULL}},
        {"0 0 0 1 1 ? 2020", "UTC", "2026-01-01T00:00:00Z", {NULL, NULL, NULL}},
        {"0 30 8 * * ?",
         "Europe/Berlin",
         "2026-03-28T00:00:00Z", /* clocks change on the 29th */
         {"2026-03-28T07:30:00Z", "2026-03-29T06:30:00Z", "2026-03-30T06:30:00Z"}},
        {"0 30 2 * * ?",
         "Europe/Berlin",
         "2026-10-24T12:00:00Z", /* 02:30 comes twice: the second time */
         {"2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"}},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlCron) cron = sl_cron_parse(cases[i].expression, cases[i].zone, &error);
        g_assert_no_error(error);
        gint64 at = 0;
        g_assert_true(sl_time_parse(cases[i].after, &at, NULL));
        for (int k = 0; k < 3; k++) {
            at = sl_cron_next(cron, at);
            g_autofree char *text = at > 0 ? sl_time_format(at) : NULL;
            g_test_message("%s %d: %s", cases[i].expression, k, text);
            g_assert_cmpstr(text, ==, cases[i].ticks[k]);
            if (at == 0)
                break;
        }
    }
}

/* What Quartz 2.3.2 itself makes of random expressions, around changes of clocks too:
 * tests/quartz/QuartzVectors.java has written the file. */
static void
check_vector(const char *line)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) parts = g_strsplit(line, "\t", -1);
    g_assert_cmpuint(g_strv_length(parts), ==, 4);
    g_auto(GStrv) wanted = g_strsplit(strcmp(parts[3], "-") != 0 ? parts[3] : "", " ", -1);
    g_autoptr(SlCron) cron = sl_cron_parse(parts[0], parts[1], &error);
    g_assert_no_error(error);
    gint64 at = g_ascii_strtoll(parts[2], NULL, 10) * G_USEC_PER_SEC;
    for (guint i = 0; i < QUARTZ_TIMES; i++) {
        const char *text = i < g_strv_length(wanted) ? wanted[i] : "0";
        at = sl_cron_next(cron, at);
        if (i >= g_strv_length(wanted) && at >= QUARTZ_END)
            return; /* Quartz looks a hundred years ahead, we a little farther */
        if (at != g_ascii_strtoll(text, NULL, 10) * G_USEC_PER_SEC)
            g_error("%s in %s after %s: time %u is %" G_GINT64_FORMAT ", Quartz has %s", parts[0],
                    parts[1], parts[2], i, at / G_USEC_PER_SEC, text);
        if (at == 0)
            return;
    }
}

static void
test_quartz(gconstpointer path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, &error));
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), >=, 500);
    for (guint i = 0; lines[i] != NULL; i++)
        check_vector(lines[i]);
}

/* A tick in the hour that spring skips is left out, others of that day are not. */
static void
test_gap(void)
{
    static const struct {
        const char *expression, *first, *second;
    } cases[] = {
        {"0 30 2 * * ?", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"},
        {"0 30 1,2,3 * * ?", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"},
        {"0 0 * * * ?", "2026-03-28T23:00:00Z", "2026-03-29T00:00:00Z"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlCron) cron = sl_cron_parse(cases[i].expression, "Europe/Berlin", NULL);
        gint64 at = 0;
        g_assert_true(sl_time_parse("2026-03-28T22:30:00Z", &at, NULL));
        gint64 first = sl_cron_next(cron, at), second = sl_cron_next(cron, first);
        g_autofree char *one = sl_time_format(first), *two = sl_time_format(second);
        g_assert_cmpstr(one, ==, cases[i].first);
        g_assert_cmpstr(two, ==, cases[i].second);
    }
}

static void
test_refused(void)
{
    static const struct {
        const char *expression, *zone, *message;
    } cases[] = {
        {"", NULL, "6 or 7 fields"},
        {"*/5 * * * *", NULL, "this one has 5"},
        {"0 0 0 * * *", NULL, "exactly one of day-of-month and day-of-week"},
        {"0 0 0 ? * ?", NULL, "exactly one of"},
        {"0 0 0 1 * MON", NULL, "exactly one of"},
        {"60 0 0 * * ?", NULL, "seconds field '60': out of range"},
        {"0 61 0 * * ?", NULL, "minutes field '61'"},
        {"0 0 24 * * ?", NULL, "hours field '24'"},
        {"0 0 0 32 * ?", NULL, "day-of-month field '32'"},
        {"0 0 0 1 13 ?", NULL, "month field '13'"},
        {"0 0 0 ? * 8", NULL, "day-of-week field '8'"},
        {"0 0 0 ? * 0", NULL, "day-of-week field '0'"},
        {"0 0 0 ? * MON#6", NULL, "day-of-week field 'MON#6'"},
        {"0 0 0 L,3 * ?", NULL, "cannot stand in a list"},
        {"0 0 0 1 1 ? 2030-2020", NULL, "cannot wrap"},
        {"0/0 0 0 * * ?", NULL, "the step is out of range"},
        {"0 x 0 * * ?", NULL, "minutes field 'X': expected a number"},
        {"? 0 0 * * ?", NULL, "'?' belongs to"},
        {"0 0 0 * * ?", "Mars/Olympus", "'Mars/Olympus' is not a time zone"},
        {"0 0 0 * * ?", "Etc/GMT+3", "is not a time zone"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(sl_cron_parse(cases[i].expression, cases[i].zone, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_test_message("%s: %s", cases[i].expression, error->message);
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(argc, ==, 2); /* the vectors of Quartz */
    g_test_add_func("/queue/cron/next", test_next);
    g_test_add_data_func("/queue/cron/quartz", argv[1], test_quartz);
    g_test_add_func("/queue/cron/gap", test_gap);
    g_test_add_func("/queue/cron/refused", test_refused);
    return g_test_run();
}
