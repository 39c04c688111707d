/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/* One run of one command of a connector: in the sandbox that a workload has (the launcher starts
 * it, for root), or as a child of ours. Both have sluice-init between, so that files, environment
 * and end are the same. */

typedef struct {
    const char *role;     /* "source" or "destination" */
    const char *launch;   /* the JSON object that the launcher takes; NULL: a child of ours… */
    const char *program;  /* …of this path */
    const char *manifest; /* of a low-code source, given with its configuration; NULL: none */
} CtlTrialTarget;

/* A line of standard output, or of standard error, without its newline. FALSE: the connector is
 * asked to end (SIGTERM); its last lines are still told. */
typedef gboolean (*CtlTrialLine)(gboolean is_stderr, const char *line, gsize len, gpointer data);

typedef struct {
    const CtlTrialTarget *target;
    const char *command;                  /* "spec", "check", "discover", "read", "write", … */
    const char *config, *catalog, *state; /* what the files say; NULL: no such file and option */
    const char *input;                    /* path for standard input; NULL: none */
    const char *input_text;               /* or this text */
    guint timeout_sec;                    /* asked to end after so long; 0: never */
    CtlTrialLine line;
    gpointer data;
} CtlTrial;

typedef struct {
    int exit_code; /* -1: killed by `signum` */
    int signum;
    gint64 usec;      /* from its start to its end */
    gint64 term_usec; /* from SIGTERM to its end; 0: it was not asked to end */
    gboolean killed;  /* it did not end within 5 s of SIGTERM, and was killed, as in production */
    gboolean timed_out;
    gboolean interrupted; /* by Ctrl-C */
} CtlTrialEnd;

/* Runs it to its end; one at a time. FALSE: it could not be started, or nobody knows how it ended.
 */
gboolean ctl_trial_run(const CtlTrial *trial, CtlTrialEnd *ret, GError **error);
