/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <string.h>

/* sluicectl(1) from the tables that also drive the parser. The page is in English: translated pages
 * are another package's trade. */

/* Appends text so that roff takes nothing in it for a request or an escape (groff_char(7)). */
static void
append_text(GString *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        g_string_append(out, "\\&");
    for (; *text != '\0'; text = g_utf8_next_char(text)) {
        if (*text == '\\')
            g_string_append(out, "\\e");
        else if (*text == '-')
            g_string_append(out, "\\-");
        else if ((guchar)*text >= 0x80)
            g_string_append_printf(out, "\\[u%04X]", g_utf8_get_char(text));
        else
            g_string_append_c(out, *text);
    }
}

/* ".B text" and the like. */
static void
append_line(GString *out, const char *macro, const char *text)
{
    if (*macro != '\0')
        g_string_append_printf(out, "%s ", macro);
    append_text(out, text);
    g_string_append_c(out, '\n');
}

/* .TP, then the term in bold. */
static void
append_term(GString *out, const char *term, const char *text)
{
    g_string_append(out, ".TP\n\\fB");
    append_text(out, term);
    g_string_append(out, "\\fR\n");
    append_line(out, "", text);
}

static void
append_options(GString *out, guint64 options)
{
    for (guint i = 0; i < CTL_N_OPTIONS; i++) {
        if ((options & CTL_BIT(i)) == 0)
            continue;
        const CtlOption *option = &ctl_options[i];
        g_autofree char *term = ctl_help_option(option);
        append_term(out, g_strstrip(term), option->help);
        if (option->choices != NULL) {
            g_auto(GStrv) choices = g_strsplit(option->choices, "|", -1);
            g_autofree char *list = g_strjoinv(", ", choices);
            g_autofree char *text = g_strdup_printf("(%s).", list);
            append_line(out, "", text);
        }
    }
}

/* The options of a command by name; OPTIONS tells what each does. */
static void
append_names(GString *out, guint64 options)
{
    const char *before = "Options: ";
    for (guint i = 0; i < CTL_N_OPTIONS; i++) {
        if ((options & CTL_BIT(i)) == 0)
            continue;
        g_autofree char *name = g_strconcat("--", ctl_options[i].name, NULL);
        g_string_append_printf(out, "%s\\fB", before);
        append_text(out, name);
        g_string_append(out, "\\fR");
        before = ", ";
    }
    if (options != 0)
        g_string_append(out, ".\n");
}

static void
append_command(GString *out, const CtlCommand *command)
{
    g_string_append(out, ".SS \"");
    append_text(out, command->words);
    if (*command->synopsis != '\0') {
        g_string_append_c(out, ' ');
        append_text(out, command->synopsis);
    }
    g_string_append(out, "\"\n");
    g_autofree char *sentence = g_strconcat(command->help, ".", NULL);
    append_line(out, "", sentence);
    if (command->more != NULL)
        append_line(out, "", command->more);
    append_names(out, command->options);
}

static void
append_facts(GString *out, const char *title, const CtlFact *facts)
{
    append_line(out, ".SH", title);
    for (; facts->name != NULL; facts++)
        append_term(out, facts->name, facts->help);
}

static const CtlFact files[] = {
    {"/run/sluice/api.sock", "where the server of this host listens"},
    {"~/.config/sluice/hosts.conf", "applications kept by 'sluicectl login', readable for the user "
                                    "alone"},
    {NULL, NULL},
};

static const CtlFact examples[] = {
    {"sluicectl connector install pypi:airbyte-source-faker",
     "Installs a connector from the Python Package Index."},
    {"sluicectl source create source-faker people count=1000",
     "Makes a source; the keys are those of 'sluicectl connector spec source-faker'."},
    {"sluicectl connect people warehouse --every=6h",
     "Makes a connection that runs every 6 hours."},
    {"sluicectl sync --follow people-to-warehouse", "Runs it now and shows how far it is."},
    {"sluicectl logs -p err people-to-warehouse", "Shows what went wrong in its last run."},
    {NULL, NULL},
};

char *
ctl_man_build(const CtlCommand *commands)
{
    GString *out = g_string_new(".\\\" Made from the table of commands; do not edit.\n");
    g_string_append(out, ".TH SLUICECTL 1 \"\" \"sluice " PACKAGE_VERSION "\" \"Sluice\"\n"
                         ".SH NAME\n"
                         "sluicectl \\- control Sluice, the data\\-movement platform of this host\n"
                         ".SH SYNOPSIS\n"
                         ".B sluicectl\n"
                         "[\\fICOMMAND\\fR] [\\fIARGUMENT\\fR...] [\\fIOPTION\\fR...]\n"
                         ".SH DESCRIPTION\n"
                         "Without a command,\n"
                         ".B status\n"
                         "is meant. A NAME is a name, an id, the beginning of an id that fits only "
                         "one, or a pattern with * ? [ ].\n"
                         "What goes through the API needs the permissions that its routes need; "
                         "root and the user sluice may do everything on their own host.\n"
                         ".SH COMMANDS\n");
    for (; commands->words != NULL; commands++)
        append_command(out, commands);
    g_string_append(out, ".SH OPTIONS\nEvery command takes these:\n");
    append_options(out, CTL_GLOBAL_OPTIONS);
    g_string_append(out, ".PP\nSome commands take these:\n");
    append_options(out, ((G_GUINT64_CONSTANT(1) << CTL_N_OPTIONS) - 1) & ~CTL_GLOBAL_OPTIONS);
    append_facts(out, "EXIT STATUS", ctl_exits);
    append_facts(out, "ENVIRONMENT", ctl_environment);
    append_facts(out, "FILES", files);
    append_facts(out, "EXAMPLES", examples);
    g_string_append(out, ".SH SEE ALSO\n"
                         ".BR sluice (7),\n.BR sluice.conf (5),\n.BR sluice\\-server (8),\n"
                         ".BR systemctl (1),\n.BR journalctl (1),\n.BR busctl (1)\n");
    return g_string_free(out, FALSE);
}
