/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-rest.h"

#define PIPE (1024 * 1024)
#define PAGE 4096

/* A destination that takes so many bytes in a millisecond from a full pipe, in time of its own: how
 * often we wake for each MiB, and how long it found nothing. */
typedef struct {
    double wakes;
    gint64 starved;
} Seen;

static Seen
play(guint64 per_ms, gint64 usec, gboolean may)
{
    OrchestratorRest rest = {.may = may};
    guint64 held = PIPE, moved = 0, wakes = 0;
    Seen seen = {0};
    gint64 now = 1, begun = 20000; /* what it needs to find its measure does not count */
    orchestrator_rest_begin(&rest, now);
    while (now < usec) {
        gint64 step = rest.until != 0 ? rest.until - now : MAX(1, (gint64)(PAGE * 1000 / per_ms));
        guint64 asked = per_ms * (guint64)step / 1000, got = MIN(asked, held);
        held -= got;
        now += step;
        if (now > begun) {
            moved += got;
            wakes++;
            seen.starved += got < asked ? (gint64)((asked - got) * 1000 / per_ms) : 0;
        }
        if (rest.until != 0 ? !orchestrator_rest_is_over(&rest, now)
                            : !orchestrator_rest_wake(&rest, now))
            continue;
        rest.taken += PIPE - held;
        held = PIPE;
        orchestrator_rest_begin(&rest, now);
    }
    seen.wakes = (double)wakes / ((double)moved / PIPE);
    return seen;
}

static void
test_speeds(void)
{
    static const struct {
        guint64 per_ms; /* bytes */
        double wakes;   /* at most for a MiB */
    } cases[] = {
        {10 * 1024, 25},  /* 10 MB/s: rests are as long as they get */
        {50 * 1024, 10},  /* a destination in Python */
        {300 * 1024, 9},  /* PostgreSQL */
        {1000 * 1024, 9}, /* 1 GB/s */
        {2000 * 1024, 9},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Seen rested = play(cases[i].per_ms, 2 * G_USEC_PER_SEC, TRUE);
        Seen never = play(cases[i].per_ms, 2 * G_USEC_PER_SEC, FALSE);
        g_test_message("%" G_GUINT64_FORMAT " bytes/ms: %.1f wakes for a MiB, %.1f without",
                       cases[i].per_ms, rested.wakes, never.wakes);
        g_assert_cmpfloat(rested.wakes, <=, cases[i].wakes);
        g_assert_cmpfloat(never.wakes, >, rested.wakes * 5);
        g_assert_cmpint(rested.starved, ==, 0);
    }
}

/* One that becomes quick is not held up any more; one that takes nothing does not wake us. */
static void
test_changes(void)
{
    OrchestratorRest rest = {.may = TRUE};
    gint64 now = 1000;
    for (guint i = 0; i < 20; i++) {
        rest.taken = PAGE;
        orchestrator_rest_begin(&rest, now);
        g_assert_cmpint(rest.until, >, now);
        g_assert_false(orchestrator_rest_is_over(&rest, rest.until - 1));
        now = rest.until;
        g_assert_true(orchestrator_rest_is_over(&rest, now));
        g_assert_false(orchestrator_rest_is_over(&rest, now)); /* once */
    }
    g_assert_cmpint(rest.usec, ==, 5000);
    orchestrator_rest_begin(&rest, now); /* nothing was taken */
    g_assert_cmpint(rest.until, ==, 0);
    g_assert_false(orchestrator_rest_wake(&rest, now));
    g_assert_cmpint(rest.until, ==, now + 5000);
    for (guint i = 0; i < 10; i++) {
        rest.taken = PIPE;
        orchestrator_rest_begin(&rest, now);
    }
    g_assert_cmpint(rest.usec, ==, 0);
    g_assert_cmpint(rest.until, ==, 0);
    g_assert_true(orchestrator_rest_wake(&rest, now));
}

static void
test_narrow(void)
{
    OrchestratorRest rest = {.may = FALSE, .taken = 1};
    orchestrator_rest_begin(&rest, 1);
    g_assert_cmpint(rest.until, ==, 0);
    g_assert_true(orchestrator_rest_wake(&rest, 1));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/orchestrator/rest/speeds", test_speeds);
    g_test_add_func("/orchestrator/rest/changes", test_changes);
    g_test_add_func("/orchestrator/rest/narrow", test_narrow);
    return g_test_run();
}
