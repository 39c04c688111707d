/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-unit.h"

#include <string.h>

#include "sl-bus.h"
#include "sl-error.h"
#include "sl-test-bus.h"

typedef struct {
    SlTestBus *test;
    SlBus *bus;
    SlUnits *units;
    GString *ends;
    GError *error;
    gboolean done;
} Fixture;

static void
on_ended(const SlUnitEnd *end, gpointer data)
{
    Fixture *f = data;
    g_string_append_printf(f->ends, "%s %s %d/%d\n", end->name, end->result, end->code,
                           end->status);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    f->test = sl_test_bus_new();
    sl_test_bus_add_systemd1(f->test);
    f->ends = g_string_new(NULL);
    f->bus = sl_bus_new(SL_BUS_SESSION, &error);
    g_assert_no_error(error);
    f->units = sl_units_new(sl_bus_get_connection(f->bus), on_ended, f, &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    sl_units_free(f->units);
    sl_bus_free(f->bus);
    sl_test_bus_free(f->test);
    g_string_free(f->ends, TRUE);
    g_clear_error(&f->error);
}

static void
on_job_done(GObject *source, GAsyncResult *result, gpointer data)
{
    Fixture *f = data;
    g_clear_error(&f->error);
    gboolean ok = sl_units_job_finish(result, &f->error);
    g_assert_true(ok == (f->error == NULL));
    f->done = TRUE;
}

static void
wait_done(Fixture *f)
{
    while (!f->done)
        g_main_context_iteration(NULL, TRUE);
    f->done = FALSE;
}

static void
start(Fixture *f, const char *name, const char *slice)
{
    const SlUnitSpec spec = {.name = name, .slice = slice}, aux = {.name = slice};
    sl_units_start(f->units, &spec, slice != NULL ? &aux : NULL, on_job_done, f);
    wait_done(f);
}

static void
stop(Fixture *f, const char *name)
{
    sl_units_stop(f->units, name, on_job_done, f);
    wait_done(f);
}

static void
expect_calls(Fixture *f, const char *wanted)
{
    g_autofree char *calls = sl_test_systemd1_take_calls(f->test);
    g_assert_cmpstr(calls, ==, wanted);
}

static void
wait_ends(Fixture *f, const char *wanted)
{
    while (f->ends->len < strlen(wanted))
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpstr(f->ends->str, ==, wanted);
    g_string_truncate(f->ends, 0);
}

static void
test_start_stop(Fixture *f, gconstpointer data)
{
    sl_units_watch(f->units, "a-b.scope", FALSE);
    start(f, "a-b.scope", "c.slice");
    g_assert_no_error(f->error);
    /* "inactive" came before: no end */
    g_assert_cmpstr(f->ends->str, ==, "");
    stop(f, "a-b.scope");
    g_assert_no_error(f->error);
    wait_ends(f, "a-b.scope success 0/0\n");
    stop(f, "a-b.scope"); /* gone is stopped */
    g_assert_no_error(f->error);
    expect_calls(f, "start a-b.scope with c.slice\nstop a-b.scope\nstop a-b.scope\n");
}

static void
test_existing(Fixture *f, gconstpointer data)
{
    sl_units_start_existing(f->units, "dbt@7.service", on_job_done, f);
    wait_done(f);
    g_assert_no_error(f->error);
    sl_test_systemd1_fail_next(f->test, "failed", 1);
    sl_units_start_existing(f->units, "dbt.service", on_job_done, f);
    wait_done(f);
    g_assert_error(f->error, SL_ERROR, SL_ERROR_FAILED);
    g_assert_cmpstr(f->error->message, ==, "starting 'dbt.service': the job ended 'failed'");
    sl_test_systemd1_refuse_next(f->test, "org.freedesktop.systemd1.NoSuchUnit");
    sl_units_start_existing(f->units, "x.service", on_job_done, f);
    wait_done(f);
    g_assert_error(f->error, SL_ERROR, SL_ERROR_NOT_FOUND);
    expect_calls(f, "start-unit dbt@7.service replace\nstart-unit dbt.service replace\n"
                    "start-unit x.service replace\n");
}

static void
test_early_job(Fixture *f, gconstpointer data)
{
    sl_test_systemd1_hurry_next(f->test);
    start(f, "a.service", NULL);
    g_assert_no_error(f->error);
}

static void
test_refused(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *name;
        SlErrorCode code;
    } cases[] = {
        {"org.freedesktop.systemd1.TransactionIsDestructive", SL_ERROR_UNAVAILABLE},
        {"org.freedesktop.systemd1.UnitExists", SL_ERROR_EXISTS},
        {"org.freedesktop.DBus.Error.AccessDenied", SL_ERROR_FORBIDDEN},
        {"org.freedesktop.systemd1.SomethingNew", SL_ERROR_FAILED},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        sl_test_systemd1_refuse_next(f->test, cases[i].name);
        start(f, "a.service", NULL);
        g_assert_error(f->error, SL_ERROR, (int)cases[i].code);
        g_assert_cmpstr(f->error->message, ==, "starting 'a.service': refused");
    }
}

static void
test_failed(Fixture *f, gconstpointer data)
{
    sl_units_watch(f->units, "a.service", FALSE);
    sl_test_systemd1_fail_next(f->test, "failed", 203);
    start(f, "a.service", NULL);
    g_assert_error(f->error, SL_ERROR, SL_ERROR_FAILED);
    g_assert_cmpstr(
        f->error->message, ==,
        "starting 'a.service': its program could not be executed (exit-code, status 203)");
    g_assert_false(sl_units_is_watched(f->units, "a.service"));
    /* Nobody watches: the word of the job is all there is. */
    sl_test_systemd1_fail_next(f->test, "timeout", 0);
    start(f, "b.service", NULL);
    g_assert_cmpstr(f->error->message, ==, "starting 'b.service': the job ended 'timeout'");
}

static void
test_ends(Fixture *f, gconstpointer data)
{
    sl_units_watch(f->units, "a.service", FALSE);
    start(f, "a.service", NULL);
    start(f, "b.service", NULL); /* not watched */
    sl_test_systemd1_end(f->test, "b.service", "signal", 2, 11);
    sl_test_systemd1_end(f->test, "a.service", "oom-kill", 2, 9);
    wait_ends(f, "a.service oom-kill 2/9\n");
    /* One that ran before we came: its first state is its last. */
    start(f, "c.service", NULL);
    sl_units_watch(f->units, "c.service", TRUE);
    sl_units_watch(f->units, "d.service", TRUE);
    sl_units_unwatch(f->units, "d.service");
    sl_test_systemd1_end(f->test, "c.service", "exit-code", 1, 7);
    wait_ends(f, "c.service exit-code 1/7\n");
}

static void
test_questions(Fixture *f, gconstpointer data)
{
    static const char *const patterns[] = {"a-*.scope", NULL};
    g_autoptr(GError) error = NULL;
    start(f, "a-1.scope", NULL);
    start(f, "b-1.scope", NULL);
    g_auto(GStrv) names = sl_units_list(f->units, patterns, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(g_strv_length(names), ==, 1);
    g_assert_cmpstr(names[0], ==, "a-1.scope");

    g_autoptr(GPtrArray) states = sl_units_survey(sl_bus_get_connection(f->bus), patterns, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(states->len, ==, 1);
    const SlUnitState *state = states->pdata[0];
    g_assert_cmpstr(state->name, ==, "a-1.scope");
    g_assert_cmpstr(state->load, ==, "loaded");
    g_assert_cmpstr(state->active, ==, "active");
    g_assert_cmpstr(state->sub, ==, "running");

    g_assert_null(sl_units_get_by_pid(f->units, 1, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_NOT_FOUND);
    g_clear_error(&error);
    sl_test_systemd1_set_unit_of_all(f->test, "a-1.scope");
    g_autofree char *unit = sl_units_get_by_pid(f->units, 1, &error);
    g_assert_cmpstr(unit, ==, "a-1.scope");

    g_assert_true(sl_units_kill(f->units, "a-1.scope", 15, &error));
    g_assert_false(sl_units_kill(f->units, "x.scope", 15, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_NOT_FOUND);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/unit/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("start-stop", test_start_stop);
    ADD("existing", test_existing);
    ADD("early-job", test_early_job);
    ADD("refused", test_refused);
    ADD("failed", test_failed);
    ADD("ends", test_ends);
    ADD("questions", test_questions);
    return g_test_run();
}
