/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The grammar of sluicectl: one table of options (here) and one of commands (ctl-command.c) drive
 * the parser, --help, the completions and the tests that compare them. */

typedef struct Ctl Ctl;

/* What the process ends with (documented in the help of each command that has more than 0, 1, 2).
 */
typedef enum {
    CTL_EXIT_OK = 0,
    CTL_EXIT_FAILED = 1,      /* the operation or the job failed */
    CTL_EXIT_USAGE = 2,       /* the command line is wrong */
    CTL_EXIT_STATE = 3,       /* not in the asked state */
    CTL_EXIT_NOT_FOUND = 4,   /* no such object */
    CTL_EXIT_PERMISSION = 5,  /* permission or login needed */
    CTL_EXIT_UNREACHABLE = 6, /* the server cannot be reached */
    CTL_EXIT_PARTIAL = 7,     /* the job is incomplete */
    CTL_EXIT_RUNNING = 8,     /* still running when --wait= ran out */
    CTL_EXIT_INTERRUPTED = 130,
} CtlExit;

/* A wrong command line: ends with CTL_EXIT_USAGE. */
#define CTL_USAGE_ERROR (ctl_usage_error_quark())
GQuark ctl_usage_error_quark(void);
gboolean ctl_set_usage_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The exit status for an error. */
CtlExit ctl_exit_for_error(const GError *error);

typedef enum {
    /* every command */
    CTL_OPT_HELP,
    CTL_OPT_VERSION,
    CTL_OPT_QUIET,
    CTL_OPT_NO_PAGER,
    CTL_OPT_WORKSPACE,
    CTL_OPT_HOST,
    /* some */
    CTL_OPT_OUTPUT,
    CTL_OPT_LOG_OUTPUT,
    CTL_OPT_NO_LEGEND,
    CTL_OPT_FULL,
    CTL_OPT_UTC,
    CTL_OPT_LINES,
    CTL_OPT_STATE,
    CTL_OPT_PROPERTY,
    CTL_OPT_FROM,
    CTL_OPT_YES,
    CTL_OPT_DRY_RUN,
    CTL_OPT_STREAMS,
    CTL_OPT_STREAM,
    CTL_OPT_KEEP,
    CTL_OPT_MODE,
    CTL_OPT_EVERY,
    CTL_OPT_CRON,
    CTL_OPT_NAME,
    CTL_OPT_PREFIX,
    CTL_OPT_NAMESPACE,
    CTL_OPT_FOLLOW,
    CTL_OPT_WAIT,
    CTL_OPT_PRIORITY,
    CTL_OPT_DATA,
    CTL_OPT_TYPE,
    CTL_OPT_STATUS,
    CTL_OPT_CONFIG,
    CTL_OPT_BAD_CONFIG,
    CTL_OPT_CATALOG,
    CTL_OPT_STATE_FILE,
    CTL_OPT_INPUT,
    CTL_OPT_NO_SANDBOX,
    CTL_OPT_SINCE,
    CTL_OPT_UNTIL,
    CTL_OPT_GREP,
    CTL_OPT_ALL,
    CTL_OPT_BY,
    CTL_OPT_COMPONENTS,
    CTL_OPT_CONSENT,
    CTL_OPT_ALLOWED_HOSTS,
    CTL_N_OPTIONS
} CtlOptionId;

typedef struct {
    const char *name;
    char letter;         /* 0: none */
    const char *value;   /* what stands behind it in the help; NULL: a flag */
    gboolean optional;   /* "--wait" as well as "--wait=60" */
    const char *choices; /* "a|b|c" when only these are allowed, for the check and completions */
    const char *help;
} CtlOption;

extern const CtlOption ctl_options[CTL_N_OPTIONS];

#define CTL_BIT(id) (G_GUINT64_CONSTANT(1) << (id))
#define CTL_GLOBAL_OPTIONS                                                                         \
    (CTL_BIT(CTL_OPT_HELP) | CTL_BIT(CTL_OPT_VERSION) | CTL_BIT(CTL_OPT_QUIET) |                   \
     CTL_BIT(CTL_OPT_NO_PAGER) | CTL_BIT(CTL_OPT_WORKSPACE) | CTL_BIT(CTL_OPT_HOST))

/* What an argument names, for completions. */
typedef enum {
    CTL_ARG_NONE,
    CTL_ARG_CONNECTION,
    CTL_ARG_SOURCE,
    CTL_ARG_DESTINATION,
    CTL_ARG_SOURCE_TYPE,
    CTL_ARG_DESTINATION_TYPE,
    CTL_ARG_CONNECTOR,
    CTL_ARG_OBJECT, /* any of connection, source, destination */
    CTL_ARG_COMMAND,
    CTL_ARG_SHELL,
    CTL_ARG_METHOD,
    CTL_N_ARGS
} CtlArgKind;

/* Returns the exit status; an error decides it otherwise. */
typedef CtlExit (*CtlRun)(Ctl *ctl, GError **error);

typedef struct {
    const char *words;    /* "source create" */
    const char *synopsis; /* the arguments: "TYPE NAME [KEY=VALUE…]" */
    const char *help;     /* one line */
    const char *more;     /* further text of its own --help; NULL: none */
    guint min, max;       /* arguments; max G_MAXUINT: any number */
    guint64 options;      /* CTL_BIT()s besides the global ones */
    CtlArgKind args[2];   /* the last one stands for all that follow */
    CtlRun run;
} CtlCommand;

extern const CtlCommand ctl_commands[]; /* ended by words == NULL */

typedef struct {
    const CtlCommand *command;
    char *values[CTL_N_OPTIONS]; /* NULL: not given; "" for a flag */
    char **args;                 /* without the command's own words */
    gboolean bare;               /* no command was named: the fallback */
} CtlArgs;

void ctl_args_free(CtlArgs *args);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CtlArgs, ctl_args_free)

/* Reads a command line; argv[0] is skipped, no command is `fallback`. With --help and --version
 * the number of arguments is not checked. Errors are usage errors with the way out. */
CtlArgs *ctl_args_parse(const CtlCommand *commands, const char *fallback, const char *const *argv,
                        GError **error);

/* The command of that name ("source create"); NULL when there is none. */
const CtlCommand *ctl_args_find(const CtlCommand *commands, const char *words);
