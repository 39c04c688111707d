/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "ctl.h"

/* One table drives the parser, the help and the completions: here it is compared with each. */

static void
test_table_is_sound(void)
{
    for (const CtlCommand *a = ctl_commands; a->words != NULL; a++) {
        g_assert_nonnull(a->run);
        g_assert_cmpuint(a->min, <=, a->max);
        g_assert_cmpuint(a->options & CTL_GLOBAL_OPTIONS, ==, 0);
        g_assert_cmpuint(a->options >> CTL_N_OPTIONS, ==, 0);
        g_assert_true((a->max > 0) == (*a->synopsis != '\0'));
        g_assert_true(a == ctl_args_find(ctl_commands, a->words));
        /* A letter or name means one thing within a command. */
        for (guint i = 0; i < CTL_N_OPTIONS; i++)
            for (guint j = i + 1; j < CTL_N_OPTIONS; j++) {
                guint64 all = a->options | CTL_GLOBAL_OPTIONS;
                if ((all & CTL_BIT(i)) == 0 || (all & CTL_BIT(j)) == 0)
                    continue;
                g_assert_cmpstr(ctl_options[i].name, !=, ctl_options[j].name);
                g_assert_true(ctl_options[i].letter == 0 ||
                              ctl_options[i].letter != ctl_options[j].letter);
            }
    }
}

static void
test_every_command_parses(void)
{
    for (const CtlCommand *command = ctl_commands; command->words != NULL; command++) {
        g_auto(GStrv) words = g_strsplit(command->words, " ", -1);
        g_autoptr(GPtrArray) argv = g_ptr_array_new();
        g_autoptr(GError) error = NULL;
        g_ptr_array_add(argv, (gpointer) "sluicectl");
        for (guint i = 0; words[i] != NULL; i++)
            g_ptr_array_add(argv, words[i]);
        for (guint i = 0; i < command->min; i++)
            g_ptr_array_add(argv, (gpointer) "x");
        g_ptr_array_add(argv, NULL);
        g_autoptr(CtlArgs) args =
            ctl_args_parse(ctl_commands, "status", (const char *const *)argv->pdata, &error);
        g_assert_no_error(error);
        g_assert_true(args->command == command);
        g_assert_cmpuint(g_strv_length(args->args), ==, command->min);
    }
}

static void
test_help_names_everything(void)
{
    g_autofree char *all = ctl_help_all(ctl_commands);
    for (const CtlCommand *command = ctl_commands; command->words != NULL; command++) {
        g_autofree char *line = g_strconcat("\n  ", command->words, NULL);
        g_assert_nonnull(strstr(all, line));
        g_autofree char *own = ctl_help_command(command);
        g_assert_nonnull(strstr(own, command->words));
        for (guint i = 0; i < CTL_N_OPTIONS; i++) {
            guint64 options = command->options | CTL_GLOBAL_OPTIONS;
            g_autofree char *option = g_strconcat("--", ctl_options[i].name, NULL);
            /* "--output" is two options with one name. */
            if (i != CTL_OPT_OUTPUT && i != CTL_OPT_LOG_OUTPUT && strstr(own, option) != NULL)
                continue;
            if ((options & CTL_BIT(i)) != 0)
                g_assert_nonnull(strstr(own, option));
        }
    }
}

static void
test_completions_name_everything(void)
{
    static const char *const shells[] = {"bash", "zsh", "fish"};
    for (gsize i = 0; i < G_N_ELEMENTS(shells); i++) {
        g_autofree char *text = ctl_completion_build(ctl_commands, shells[i]);
        for (const CtlCommand *command = ctl_commands; command->words != NULL; command++) {
            const char *quotes = strcmp(shells[i], "fish") == 0 ? "\"%s\"" : "'%s')";
            g_auto(GStrv) halves = g_strsplit(quotes, "%s", 2);
            g_autofree char *quoted = g_strconcat(halves[0], command->words, halves[1], NULL);
            const char *place = strstr(text, quoted);
            g_assert_nonnull(place);
            /* bash and zsh: the options stand in the same line. */
            g_autofree char *line = g_strndup(place, strcspn(place, "\n"));
            for (guint j = 0; j < CTL_N_OPTIONS && halves[0][0] == '\''; j++) {
                g_autofree char *option = g_strconcat("--", ctl_options[j].name, NULL);
                if ((command->options & CTL_BIT(j)) != 0)
                    g_assert_nonnull(strstr(line, option));
            }
        }
    }
    g_assert_null(ctl_completion_build(ctl_commands, "tcsh"));
}

/* roff's own '-' is "\\-". */
static char *
roff(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "-", -1);
    return g_strjoinv("\\-", parts);
}

static void
test_man_names_everything(void)
{
    g_autofree char *page = ctl_man_build(ctl_commands);
    for (const CtlCommand *command = ctl_commands; command->words != NULL; command++) {
        g_autofree char *words = roff(command->words);
        g_autofree char *head = g_strconcat("\n.SS \"", words, NULL);
        const char *place = strstr(page, head);
        g_assert_nonnull(place);
        const char *end = strstr(place + strlen(head), "\n.S");
        g_autofree char *own = g_strndup(place, end - place);
        for (guint i = 0; i < CTL_N_OPTIONS; i++) {
            g_autofree char *name = roff(ctl_options[i].name);
            g_autofree char *option = g_strconcat("\\-\\-", name, NULL);
            if ((command->options & CTL_BIT(i)) != 0)
                g_assert_nonnull(strstr(own, option));
        }
    }
    for (const CtlFact *fact = ctl_exits; fact->name != NULL; fact++) {
        g_autofree char *help = roff(fact->help);
        g_assert_nonnull(strstr(page, help));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ctl/command/table", test_table_is_sound);
    g_test_add_func("/ctl/command/parse", test_every_command_parses);
    g_test_add_func("/ctl/command/help", test_help_names_everything);
    g_test_add_func("/ctl/command/completions", test_completions_name_everything);
    g_test_add_func("/ctl/command/man", test_man_names_everything);
    return g_test_run();
}
