/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-args.h"

#include <string.h>

#include "sl-error.h"

static CtlExit
run_nothing(Ctl *ctl, GError **error)
{
    return CTL_EXIT_OK;
}

static const CtlCommand commands[] = {
    {"status", "[NAME…]", "", NULL, 0, G_MAXUINT, 0, {CTL_ARG_NONE}, run_nothing},
    {"list-jobs",
     "",
     "",
     NULL,
     0,
     0,
     CTL_BIT(CTL_OPT_LINES) | CTL_BIT(CTL_OPT_OUTPUT),
     {CTL_ARG_NONE},
     run_nothing},
    {"logs",
     "NAME",
     "",
     NULL,
     1,
     1,
     CTL_BIT(CTL_OPT_LOG_OUTPUT) | CTL_BIT(CTL_OPT_FOLLOW) | CTL_BIT(CTL_OPT_LINES),
     {CTL_ARG_NONE},
     run_nothing},
    {"sync", "NAME…", "", NULL, 1, 3, CTL_BIT(CTL_OPT_WAIT), {CTL_ARG_NONE}, run_nothing},
    {"source create",
     "TYPE",
     "",
     NULL,
     1,
     G_MAXUINT,
     CTL_BIT(CTL_OPT_FROM),
     {CTL_ARG_NONE},
     run_nothing},
    {NULL},
};

static CtlArgs *
parse(const char *line, GError **error)
{
    g_auto(GStrv) argv = NULL;
    g_autofree char *whole = g_strconcat("sluicectl ", line, NULL);
    g_assert_true(g_shell_parse_argv(whole, NULL, &argv, NULL));
    return ctl_args_parse(commands, "status", (const char *const *)argv, error);
}

/* What a line is understood as: "command|option=value …|argument …". */
static void
assert_parsed(const char *line, const char *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CtlArgs) args = parse(line, &error);
    g_assert_no_error(error);
    g_autoptr(GString) got = g_string_new(args->command->words);
    g_string_append_c(got, '|');
    for (guint i = 0; i < CTL_N_OPTIONS; i++)
        if (args->values[i] != NULL)
            g_string_append_printf(got, "%s=%s ", ctl_options[i].name, args->values[i]);
    g_autofree char *rest = g_strjoinv(" ", args->args);
    g_string_append_printf(got, "|%s", rest);
    g_assert_cmpstr(got->str, ==, wanted);
}

static void
test_forms(void)
{
    assert_parsed("", "status||");
    assert_parsed("status a b", "status||a b");
    assert_parsed("list-jobs -n 5 -o json", "list-jobs|output=json lines=5 |");
    assert_parsed("list-jobs -n5 -ojson", "list-jobs|output=json lines=5 |");
    assert_parsed("list-jobs --lines=5 --output json", "list-jobs|output=json lines=5 |");
    assert_parsed("-o json list-jobs", "list-jobs|output=json |");
    assert_parsed("-qn 5 list-jobs", "list-jobs|quiet= lines=5 |");
    assert_parsed("logs -fn5 x -o cat", "logs|output=cat lines=5 follow= |x");
    assert_parsed("sync a --wait b", "sync|wait= |a b");
    assert_parsed("sync a --wait=5 b", "sync|wait=5 |a b");
    assert_parsed("source --from - create sample k=-1", "source create|from=- |sample k=-1");
    assert_parsed("status -- --odd -q", "status||--odd -q");
    assert_parsed("status ''", "status||");
}

static void
test_the_last_value_wins(void)
{
    assert_parsed("list-jobs -n 5 --lines=7", "list-jobs|lines=7 |");
}

static void
test_help_does_not_count_arguments(void)
{
    assert_parsed("sync --help", "sync|help= |");
    g_autoptr(CtlArgs) bare = parse("--help", NULL);
    g_assert_true(bare->bare);
    g_autoptr(CtlArgs) named = parse("status --help", NULL);
    g_assert_false(named->bare);
}

static void
test_errors_are_usage_errors(void)
{
    static const char *const lines[] = {"nothing",
                                        "source",
                                        "source nothing",
                                        "list-jobs extra",
                                        "logs",
                                        "logs a b",
                                        "list-jobs --foo",
                                        "list-jobs -f",
                                        "list-jobs -n",
                                        "list-jobs --lines",
                                        "list-jobs -o x",
                                        "logs a -o table",
                                        "logs a -f=1 -z",
                                        "status --quiet=1"};
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(CtlArgs) args = parse(lines[i], &error);
        g_assert_null(args);
        g_assert_error(error, CTL_USAGE_ERROR, 0);
        g_assert_cmpint(ctl_exit_for_error(error), ==, CTL_EXIT_USAGE);
    }
}

static void
test_exit_statuses(void)
{
    static const struct {
        SlErrorCode code;
        CtlExit status;
    } rows[] = {
        {SL_ERROR_FAILED, CTL_EXIT_FAILED},
        {SL_ERROR_INVALID, CTL_EXIT_FAILED},
        {SL_ERROR_CONFLICT, CTL_EXIT_FAILED},
        {SL_ERROR_NOT_FOUND, CTL_EXIT_NOT_FOUND},
        {SL_ERROR_FORBIDDEN, CTL_EXIT_PERMISSION},
        {SL_ERROR_UNAUTHENTICATED, CTL_EXIT_PERMISSION},
        {SL_ERROR_UNAVAILABLE, CTL_EXIT_UNREACHABLE},
        {SL_ERROR_CANCELLED, CTL_EXIT_INTERRUPTED},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        sl_error_set(&error, rows[i].code, "x");
        g_assert_cmpint(ctl_exit_for_error(error), ==, rows[i].status);
    }
}

/* The command is found before its options are known, so letters and names must agree about values.
 */
static void
test_options_agree(void)
{
    for (guint i = 0; i < CTL_N_OPTIONS; i++) {
        const CtlOption *a = &ctl_options[i];
        g_assert_nonnull(a->name);
        g_assert_nonnull(a->help);
        for (guint j = i + 1; j < CTL_N_OPTIONS; j++) {
            const CtlOption *b = &ctl_options[j];
            if (strcmp(a->name, b->name) == 0 || (a->letter != 0 && a->letter == b->letter))
                g_assert_cmpint(a->value != NULL && !a->optional, ==,
                                b->value != NULL && !b->optional);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ctl/args/forms", test_forms);
    g_test_add_func("/ctl/args/last-wins", test_the_last_value_wins);
    g_test_add_func("/ctl/args/help", test_help_does_not_count_arguments);
    g_test_add_func("/ctl/args/errors", test_errors_are_usage_errors);
    g_test_add_func("/ctl/args/exit", test_exit_statuses);
    g_test_add_func("/ctl/args/options", test_options_agree);
    return g_test_run();
}
