/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#include "ctl-text.h"

#define INDENT 2
#define LINE_WIDTH 92

const CtlFact ctl_exits[] = {
    {"0", N_("done; yes")},
    {"1", N_("the operation or the job failed")},
    {"2", N_("the command line is wrong")},
    {"3", N_("not in the asked state")},
    {"4", N_("no such object")},
    {"5", N_("permission or login needed")},
    {"6", N_("the server cannot be reached")},
    {"7", N_("the job is incomplete")},
    {"8", N_("still running when --wait= ran out")},
    {"130", N_("interrupted")},
    {NULL, NULL},
};

const CtlFact ctl_environment[] = {
    {"SLUICE_HOST", N_("another host's URL, as with --host")},
    {"SLUICE_TOKEN", N_("an access token for --host; needs no login")},
    {"SLUICE_API_SOCKET", N_("the API's socket instead of /run/sluice/api.sock")},
    {"SLUICE_PAGER, PAGER", N_("what shows long output on a terminal; empty or cat: nothing")},
    {"SLUICE_COLORS", N_("1: colors always, 0: never")},
    {"NO_COLOR", N_("no colors, whatever it is set to")},
    {NULL, NULL},
};

/* Appends `text` in lines of at most LINE_WIDTH columns, the second and further ones behind
 * `indent` blanks. */
static void
append_wrapped(GString *out, const char *text, guint column, guint indent)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    for (guint i = 0; words[i] != NULL; i++) {
        guint width = ctl_text_width(words[i]);
        if (i > 0 && column + 1 + width > LINE_WIDTH) {
            g_string_append_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (i > 0) {
            g_string_append_c(out, ' ');
            column++;
        }
        g_string_append(out, words[i]);
        column += width;
    }
    g_string_append_c(out, '\n');
}

static void
append_pair(GString *out, const char *left, const char *right, guint column)
{
    guint width = ctl_text_width(left);
    g_string_append_printf(out, "%*s%s", INDENT, "", left);
    if (INDENT + width + 2 > column)
        g_string_append_printf(out, "\n%*s", (int)column, "");
    else
        g_string_append_printf(out, "%*s", (int)(column - INDENT - width), "");
    append_wrapped(out, right, column, column);
}

char *
ctl_help_option(const CtlOption *option)
{
    g_autofree char *letter =
        option->letter != 0 ? g_strdup_printf("-%c, ", option->letter) : g_strdup("    ");
    if (option->value == NULL)
        return g_strdup_printf("%s--%s", letter, option->name);
    return g_strdup_printf(option->optional ? "%s--%s[=%s]" : "%s--%s=%s", letter, option->name,
                           _(option->value));
}

static void
append_options(GString *out, guint64 options)
{
    for (guint i = 0; i < CTL_N_OPTIONS; i++) {
        if ((options & CTL_BIT(i)) == 0)
            continue;
        g_autofree char *left = ctl_help_option(&ctl_options[i]);
        g_autofree char *right =
            ctl_options[i].choices != NULL
                ? g_strdup_printf("%s (%s)", _(ctl_options[i].help), ctl_options[i].choices)
                : g_strdup(_(ctl_options[i].help));
        append_pair(out, left, right, 30);
    }
}

static void
append_facts(GString *out, const CtlFact *facts)
{
    for (; facts->name != NULL; facts++)
        append_pair(out, facts->name, _(facts->help), 30);
}

static char *
command_text(const CtlCommand *command)
{
    const char *synopsis = *command->synopsis != '\0' ? _(command->synopsis) : "";
    return *synopsis != '\0' ? g_strdup_printf("%s %s", command->words, synopsis)
                             : g_strdup(command->words);
}

char *
ctl_help_command(const CtlCommand *command)
{
    GString *out = g_string_new(NULL);
    g_autofree char *text = command_text(command);
    g_string_append_printf(out, _("Usage: sluicectl %s [OPTION…]\n\n"), text);
    append_wrapped(out, _(command->help), 0, 0);
    if (command->more != NULL) {
        g_string_append_c(out, '\n');
        append_wrapped(out, _(command->more), 0, 0);
    }
    g_string_append(out, _("\nOptions:\n"));
    append_options(out, command->options | CTL_GLOBAL_OPTIONS);
    return g_string_free(out, FALSE);
}

char *
ctl_help_all(const CtlCommand *commands)
{
    GString *out = g_string_new(_("Usage: sluicectl [COMMAND] [ARGUMENT…] [OPTION…]\n\n"
                                  "Controls Sluice, the data-movement platform of this host.\n\n"
                                  "Commands:\n"));
    for (const CtlCommand *command = commands; command->words != NULL; command++) {
        g_autofree char *left = command_text(command);
        append_pair(out, left, _(command->help), 44);
    }
    g_string_append(out, _("\nOptions of every command:\n"));
    append_options(out, CTL_GLOBAL_OPTIONS);
    g_string_append(out,
                    _("\nA NAME is a name, an id, the beginning of an id that fits only one, or "
                      "a pattern with * ? [ ].\n"
                      "'sluicectl COMMAND --help' says more about a command.\n\n"
                      "Exit status:\n"));
    append_facts(out, ctl_exits);
    g_string_append(out, _("\nEnvironment:\n"));
    append_facts(out, ctl_environment);
    return g_string_free(out, FALSE);
}

/* All commands that begin with the word, "schema"; NULL: none does. */
static char *
help_group(const CtlCommand *commands, const char *word)
{
    g_autoptr(GString) out = g_string_new(NULL);
    gsize len = strlen(word);
    for (const CtlCommand *command = commands; command->words != NULL; command++) {
        if (strncmp(command->words, word, len) != 0 || command->words[len] != ' ')
            continue;
        g_autofree char *one = ctl_help_command(command);
        g_string_append_printf(out, "%s%s", out->len > 0 ? "\n" : "", one);
    }
    return out->len > 0 ? g_strdup(out->str) : NULL;
}

CtlExit
ctl_run_help(Ctl *ctl, GError **error)
{
    g_autofree char *words = g_strjoinv(" ", ctl->args->args);
    g_autofree char *text = NULL;
    if (*words == '\0') {
        text = ctl_help_all(ctl_commands);
    } else {
        const CtlCommand *command = ctl_args_find(ctl_commands, words);
        text = command != NULL ? ctl_help_command(command) : help_group(ctl_commands, words);
        if (text == NULL) {
            ctl_set_usage_error(error, _("unknown command '%s'; 'sluicectl help' lists all"),
                                words);
            return CTL_EXIT_USAGE;
        }
    }
    ctl_print(ctl, text);
    return CTL_EXIT_OK;
}

CtlExit
ctl_run_version(Ctl *ctl, GError **error)
{
    puts("sluicectl " PACKAGE_VERSION);
    return CTL_EXIT_OK;
}
