/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#include "ctl-target.h"
#include "ctl-text.h"
#include "ctl-trace.h"
#include "sl-error.h"

/* 'sluicectl connector run': one command of a connector, as a workload would run it, told to its
 * author. */

#define DEFAULT_RECORDS 10 /* of each stream are shown */

typedef struct {
    CtlTrace *trace;
    gboolean quiet;
} Shown;

static gboolean
on_line(gboolean is_stderr, const char *line, gsize len, gpointer data)
{
    Shown *shown = data;
    g_autoptr(GString) out = g_string_new(NULL);
    if (is_stderr) {
        g_autofree char *clean = ctl_text_clean(line, (gssize)len);
        g_string_append_printf(out, "%-8s %s\n", "stderr", clean);
    } else {
        ctl_trace_add(shown->trace, line, len, out);
    }
    if (!shown->quiet)
        fputs(out->str, stdout);
    return TRUE;
}

/* What a command takes. */
typedef struct {
    const char *name, *role;
    gboolean config, catalog, state, input;
} Command;

static const Command commands[] = {
    {"spec", NULL, FALSE, FALSE, FALSE, FALSE},        {"check", NULL, TRUE, FALSE, FALSE, FALSE},
    {"discover", "source", TRUE, FALSE, FALSE, FALSE}, {"read", "source", TRUE, TRUE, TRUE, FALSE},
    {"write", "destination", TRUE, TRUE, FALSE, TRUE},
};

static const Command *
find_command(const char *name, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    ctl_set_usage_error(error, _("'%s' is none of spec, check, discover, read and write"), name);
    return NULL;
}

/* Without --catalog, a source is asked what there is, and all of it is read. */
static char *
discover_all(const CtlTarget *target, const char *config, GError **error)
{
    g_autoptr(CtlTrace) trace = ctl_trace_new(0, FALSE);
    Shown shown = {trace, TRUE};
    CtlTrialEnd end;
    CtlTrial trial = {.target = &target->trial,
                      .command = "discover",
                      .config = config,
                      .line = on_line,
                      .data = &shown};
    if (!ctl_trial_run(&trial, &end, error))
        return NULL;
    if (trace->catalog == NULL) {
        sl_error_set(error, SL_ERROR_CONNECTOR,
                     _("discover, which stands in for --catalog, gave no catalog%s%s"),
                     trace->error != NULL ? ": " : "", trace->error != NULL ? trace->error : "");
        return NULL;
    }
    return ctl_trace_configure(trace->catalog, error);
}

static void
print_end(const CtlTrace *trace, const CtlTrialEnd *end)
{
    g_autofree char *summary = ctl_trace_summary(trace);
    g_autofree char *duration = ctl_text_duration(end->usec);
    for (guint i = 0; i < trace->faults->len; i++)
        printf("%-8s %s\n", "FAULT", (const char *)trace->faults->pdata[i]);
    if (end->signum != 0)
        printf(_("Killed by signal %d (%s) after %s; %s.\n"), end->signum, g_strsignal(end->signum),
               duration, summary);
    else
        printf(_("Exit status %d after %s; %s.\n"), end->exit_code, duration, summary);
    fflush(stdout);
}

/* What the command line gives the connector. */
typedef struct {
    char *config, *catalog, *state;
} Files;

static void
files_clear(Files *files)
{
    g_free(files->config);
    g_free(files->catalog);
    g_free(files->state);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Files, files_clear)

static gboolean
read_files(Ctl *ctl, const Command *command, const CtlTarget *target, Files *files, GError **error)
{
    if (command->config && ctl_option(ctl, CTL_OPT_CONFIG) == NULL)
        return ctl_set_usage_error(error, _("'%s' needs --config=FILE"), command->name);
    if (command->input && ctl_option(ctl, CTL_OPT_CATALOG) == NULL)
        return ctl_set_usage_error(error, _("'%s' needs --catalog=FILE"), command->name);
    if ((command->config && !ctl_target_read_option(ctl, CTL_OPT_CONFIG, &files->config, error)) ||
        (command->catalog &&
         !ctl_target_read_option(ctl, CTL_OPT_CATALOG, &files->catalog, error)) ||
        (command->state && !ctl_target_read_option(ctl, CTL_OPT_STATE_FILE, &files->state, error)))
        return FALSE;
    if (command->catalog && files->catalog == NULL)
        files->catalog = discover_all(target, files->config, error);
    return !command->catalog || files->catalog != NULL;
}

CtlExit
ctl_run_connector_run(Ctl *ctl, GError **error)
{
    gint64 records;
    const char *input = ctl_option(ctl, CTL_OPT_INPUT);
    const Command *command = find_command(ctl->args->args[1], error);
    g_auto(CtlTarget) target = {0};
    g_auto(Files) files = {0};
    if (command == NULL || !ctl_option_lines(ctl, DEFAULT_RECORDS, &records, error) ||
        !ctl_target_find(ctl, ctl->args->args[0], command->role, &target, error) ||
        !read_files(ctl, command, &target, &files, error))
        return CTL_EXIT_FAILED;
    g_autoptr(CtlTrace) trace =
        ctl_trace_new((guint)records, ctl_option(ctl, CTL_OPT_FULL) != NULL);
    Shown shown = {trace, FALSE};
    CtlTrialEnd end;
    setvbuf(stdout, NULL, _IOLBF, 0); /* whoever reads it wants to see it as it is said */
    CtlTrial trial = {.target = &target.trial,
                      .command = command->name,
                      .config = files.config,
                      .catalog = files.catalog,
                      .state = files.state,
                      .input = !command->input ? NULL
                               : input != NULL ? input
                                               : "-",
                      .line = on_line,
                      .data = &shown};
    if (!ctl_trial_run(&trial, &end, error))
        return CTL_EXIT_FAILED;
    print_end(trace, &end);
    if (end.interrupted)
        return CTL_EXIT_INTERRUPTED;
    return end.exit_code == 0 && trace->faults->len == 0 ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}
