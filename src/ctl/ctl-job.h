/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl.h"

/* A job: as the public API lists it, or with attempts and streams as ours tells it. */

typedef struct {
    char *name;            /* with its namespace: "public.orders" */
    char *status;          /* "" when the server does not say */
    gint64 records, bytes; /* emitted by the source; 0 when nothing is known */
    gint64 committed;
    gint64 estimated; /* records; 0: unknown */
} CtlStream;

typedef struct {
    gint64 id;
    char *status;
    char *type;
    char *connection_id;
    gint64 created, ended; /* microseconds; -1: not yet */
    gint64 attempt;        /* number of the last attempt; -1: none yet */
    gint64 records, bytes; /* committed */
    char *failure;         /* why it or its last attempt failed; NULL: nothing known */
    GPtrArray *streams;    /* CtlStream*, of the last attempt */
} CtlJob;

void ctl_job_free(CtlJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CtlJob, ctl_job_free)

CtlJob *ctl_job_parse(const SlJsonDoc *doc, const SlJsonNode *node);
SlJsonDoc *ctl_job_load_json(Ctl *ctl, gint64 id, GError **error);
CtlJob *ctl_job_load(Ctl *ctl, gint64 id, GError **error);

/* A job's number, or a connection's name: then its newest job. */
gboolean ctl_job_find(Ctl *ctl, const char *word, gint64 *ret_id, GError **error);

/* The newest job of a connection: 0 when it has none, -1 on error. */
gint64 ctl_job_newest(Ctl *ctl, const char *connection_id, GError **error);

/* Will nothing more happen to it? */
gboolean ctl_job_is_terminal(const CtlJob *job);
CtlExit ctl_job_exit(const CtlJob *job);

/* "12" as a job's number. */
gboolean ctl_job_parse_id(const char *text, gint64 *ret);

/* Waits for the job's end: shows what happens when `follow`, at most `limit_usec` (-1: no limit).
 * The exit status of the job, CTL_EXIT_RUNNING or CTL_EXIT_INTERRUPTED (the job goes on). */
CtlExit ctl_job_watch(Ctl *ctl, gint64 id, const char *name, gboolean follow, gint64 limit_usec,
                      GError **error);

/* --wait: FALSE when it is not given; *ret_usec is -1 without a number. */
gboolean ctl_job_wait_option(const Ctl *ctl, gboolean *ret_given, gint64 *ret_usec, GError **error);
