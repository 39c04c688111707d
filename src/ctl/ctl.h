/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl-api.h"
#include "ctl-args.h"
#include "ctl-table.h"

/* One run of sluicectl: the command line, the terminal and the way to the server. */
struct Ctl {
    CtlArgs *args;
    CtlFormat format;
    CtlStyle style;
    gboolean tty;   /* stdout is a terminal */
    gboolean quiet; /* -q */
    gboolean utc;
    CtlApi *api;
    gboolean remote;    /* --host: `api` is another host's */
    char *workspace_id; /* known after ctl_workspace() */
};

/* The value of an option: NULL when it was not given, "" for a flag. */
static inline const char *
ctl_option(const Ctl *ctl, CtlOptionId id)
{
    return ctl->args->values[id];
}

/* For what can be done on this host only: FALSE with --host. */
gboolean ctl_need_local(const Ctl *ctl, GError **error);

/* -n; `fallback` when it was not given. */
gboolean ctl_option_lines(const Ctl *ctl, gint64 fallback, gint64 *ret, GError **error);

/* The workspace that --workspace names, or the first one. NULL: error. */
const char *ctl_workspace(Ctl *ctl, GError **error);

/* Prints to stdout, through the pager when `text` is longer than the terminal. */
void ctl_print(Ctl *ctl, const char *text);
/* A line about what was done; not with -q. */
void ctl_say(const Ctl *ctl, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* "sluicectl: …" on stderr. */
void ctl_complain(const char *message);

/* TRUE: go on. Asks on a terminal unless --yes; without a terminal --yes must be given. */
gboolean ctl_confirm(const Ctl *ctl, const char *question, GError **error);

/* A file's text; "-" is standard input. */
char *ctl_read_file(const char *path, gsize *ret_len, GError **error);

/* The commands, one file each: ctl-VERB.c. */
CtlExit ctl_run_api(Ctl *ctl, GError **error);
CtlExit ctl_run_cancel(Ctl *ctl, GError **error);
CtlExit ctl_run_completion(Ctl *ctl, GError **error);
CtlExit ctl_run_connect(Ctl *ctl, GError **error);
CtlExit ctl_run_connector_install(Ctl *ctl, GError **error);
CtlExit ctl_run_connector_bundle(Ctl *ctl, GError **error);
CtlExit ctl_run_connector_remove(Ctl *ctl, GError **error);
CtlExit ctl_run_connector_run(Ctl *ctl, GError **error);
CtlExit ctl_run_connector_test(Ctl *ctl, GError **error);
CtlExit ctl_run_connector_spec(Ctl *ctl, GError **error);
CtlExit ctl_run_connector_search(Ctl *ctl, GError **error);
CtlExit ctl_run_connector_outdated(Ctl *ctl, GError **error);
CtlExit ctl_run_connector_pin(Ctl *ctl, GError **error);
CtlExit ctl_run_connector_unpin(Ctl *ctl, GError **error);
CtlExit ctl_run_connector_upgrade(Ctl *ctl, GError **error);
CtlExit ctl_run_delete(Ctl *ctl, GError **error);
CtlExit ctl_run_destination_create(Ctl *ctl, GError **error);
CtlExit ctl_run_destination_delete(Ctl *ctl, GError **error);
CtlExit ctl_run_destination_test(Ctl *ctl, GError **error);
CtlExit ctl_run_disable(Ctl *ctl, GError **error);
CtlExit ctl_run_doctor(Ctl *ctl, GError **error);
CtlExit ctl_run_enable(Ctl *ctl, GError **error);
CtlExit ctl_run_help(Ctl *ctl, GError **error);
CtlExit ctl_run_history(Ctl *ctl, GError **error);
CtlExit ctl_run_list_connections(Ctl *ctl, GError **error);
CtlExit ctl_run_list_connectors(Ctl *ctl, GError **error);
CtlExit ctl_run_list_destinations(Ctl *ctl, GError **error);
CtlExit ctl_run_list_jobs(Ctl *ctl, GError **error);
CtlExit ctl_run_list_sources(Ctl *ctl, GError **error);
CtlExit ctl_run_logs(Ctl *ctl, GError **error);
CtlExit ctl_run_next(Ctl *ctl, GError **error);
CtlExit ctl_run_notifications_list(Ctl *ctl, GError **error);
CtlExit ctl_run_notifications_set(Ctl *ctl, GError **error);
CtlExit ctl_run_notifications_test(Ctl *ctl, GError **error);
CtlExit ctl_run_properties(Ctl *ctl, GError **error);
CtlExit ctl_run_set_property(Ctl *ctl, GError **error);
CtlExit ctl_run_schema_apply(Ctl *ctl, GError **error);
CtlExit ctl_run_schema_diff(Ctl *ctl, GError **error);
CtlExit ctl_run_schema_dismiss(Ctl *ctl, GError **error);
CtlExit ctl_run_secrets_rotate(Ctl *ctl, GError **error);
CtlExit ctl_run_setup_link(Ctl *ctl, GError **error);
CtlExit ctl_run_show(Ctl *ctl, GError **error);
CtlExit ctl_run_source_create(Ctl *ctl, GError **error);
CtlExit ctl_run_source_delete(Ctl *ctl, GError **error);
CtlExit ctl_run_source_test(Ctl *ctl, GError **error);
CtlExit ctl_run_state_export(Ctl *ctl, GError **error);
CtlExit ctl_run_state_get(Ctl *ctl, GError **error);
CtlExit ctl_run_state_import(Ctl *ctl, GError **error);
CtlExit ctl_run_state_set(Ctl *ctl, GError **error);
CtlExit ctl_run_status(Ctl *ctl, GError **error);
CtlExit ctl_run_sync(Ctl *ctl, GError **error);
CtlExit ctl_run_refresh(Ctl *ctl, GError **error);
CtlExit ctl_run_timeline(Ctl *ctl, GError **error);
CtlExit ctl_run_clear(Ctl *ctl, GError **error);
CtlExit ctl_run_retry(Ctl *ctl, GError **error);
CtlExit ctl_run_watch(Ctl *ctl, GError **error);
CtlExit ctl_run_is_enabled(Ctl *ctl, GError **error);
CtlExit ctl_run_is_running(Ctl *ctl, GError **error);
CtlExit ctl_run_is_healthy(Ctl *ctl, GError **error);
CtlExit ctl_run_login(Ctl *ctl, GError **error);
CtlExit ctl_run_logout(Ctl *ctl, GError **error);
CtlExit ctl_run_streams(Ctl *ctl, GError **error);
CtlExit ctl_run_version(Ctl *ctl, GError **error);

/* A line of a table that help and man page share; the tables end with name == NULL. */
typedef struct {
    const char *name, *help;
} CtlFact;
extern const CtlFact ctl_exits[], ctl_environment[];

/* ctl-help.c, ctl-completion.c, ctl-man.c: made from the tables alone. */
char *ctl_help_option(const CtlOption *option); /* "-f, --file=FILE" */
char *ctl_help_command(const CtlCommand *command);
char *ctl_help_all(const CtlCommand *commands);
char *ctl_man_build(const CtlCommand *commands); /* sluicectl(1), man(7) source */
char *ctl_completion_build(const CtlCommand *commands, const char *shell);
