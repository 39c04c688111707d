/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-when.h"

#include "ctl-args.h"
#include "sl-time.h"

#define NOW "2026-08-01T12:30:45.5Z"

/* Zones east and west, so that a day is not the same one. */
static void
test_forms(void)
{
    static const struct {
        const char *zone, *text, *wanted;
    } cases[] = {
        {"Z", "now", NOW},
        {"Z", "today", "2026-08-01T00:00:00Z"},
        {"Z", "yesterday", "2026-07-31T00:00:00Z"},
        {"Z", "tomorrow", "2026-08-02T00:00:00Z"},
        {"+12:00", "today", "2026-08-01T12:00:00Z"},
        {"-13:00", "today", "2026-07-31T13:00:00Z"},
        {"Z", "-1h", "2026-08-01T11:30:45.5Z"},
        {"Z", "+30min", "2026-08-01T13:00:45.5Z"},
        {"Z", "2h 15min ago", "2026-08-01T10:15:45.5Z"},
        {"Z", "90 ago", "2026-08-01T12:29:15.5Z"},
        {"Z", "@0", "1970-01-01T00:00:00Z"},
        {"Z", "@1785585600.25", "2026-08-01T12:00:00.25Z"},
        {"Z", "2026-08-01", "2026-08-01T00:00:00Z"},
        {"Z", "2026-08-01 09:05", "2026-08-01T09:05:00Z"},
        {"Z", "2026-08-01T09:05:59", "2026-08-01T09:05:59Z"},
        {"+02:00", "2026-08-01 09:05", "2026-08-01T07:05:00Z"},
        {"+02:00", "2026-08-01T09:05:00Z", "2026-08-01T09:05:00Z"},
        {"+02:00", "2026-08-01T09:05:00+05:30", "2026-08-01T03:35:00Z"},
        {"+02:00", "2026-08-01T09:05:00.125Z", "2026-08-01T09:05:00.125Z"},
        {"Z", "09:05", "2026-08-01T09:05:00Z"},
        {"Z", "23:59:59", "2026-08-01T23:59:59Z"},
        {"-13:00", "01:00", "2026-07-31T14:00:00Z"},
    };
    gint64 now = 0, when = 0;
    g_assert_true(sl_time_parse(NOW, &now, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(cases[i].zone);
        g_test_message("%s", cases[i].text);
        ctl_when_parse(cases[i].text, now, zone, &when, &error);
        g_assert_no_error(error);
        g_autofree char *text = sl_time_format(when);
        g_assert_cmpstr(text, ==, cases[i].wanted);
    }
}

static void
test_refused(void)
{
    static const char *const texts[] = {
        "",        "soon",        "ago",         " ago",          "-",          "-x",
        "-1h ago", "@",           "@x",          "@1x",           "@-1",        "@1e99",
        "25:00",   "12:60",       "12",          "12:00:00:0",    "2026-13-01", "2026-02-30",
        "2026-08", "2026-08-01x", "2026-08-01 ", "2026-08-01 12", "01.08.2026", "Today",
    };
    g_autoptr(GTimeZone) zone = g_time_zone_new_utc();
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        gint64 when;
        g_autoptr(GError) error = NULL;
        g_test_message("'%s'", texts[i]);
        g_assert_false(ctl_when_parse(texts[i], 0, zone, &when, &error));
        g_assert_error(error, CTL_USAGE_ERROR, 0);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ctl/when/forms", test_forms);
    g_test_add_func("/ctl/when/refused", test_refused);
    return g_test_run();
}
