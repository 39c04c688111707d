/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* What a connector says on standard output, told to people and kept for judging it: the messages of
 * the Airbyte Protocol, a line each. No I/O. */

/* What was said about one stream. */
typedef struct {
    guint64 records, states;
    guint64 shown;
    char *status; /* the last STREAM_STATUS; NULL: none */
    char *first;  /* the first record's data, JSON; NULL: none */
} CtlTraceStream;

typedef struct {
    guint max_records;     /* of each stream are shown */
    gboolean full;         /* lines are not shortened */
    guint64 lines, others; /* all; those that are no message of the protocol */
    guint64 records, states;
    GHashTable *streams;     /* "namespace.name" → CtlTraceStream */
    GPtrArray *order;        /* of what states are about, keys of `last_states` */
    GHashTable *last_states; /* what it is about → the newest state, JSON */
    char *spec, *catalog;    /* the last ones, JSON; NULL: none */
    guint n_specs, n_catalogs;
    char *status, *status_message; /* of CONNECTION_STATUS */
    char *error, *error_type;      /* of the first TRACE of type ERROR */
    GPtrArray *faults;             /* what breaks the protocol, for people, the first 20 */
} CtlTrace;

CtlTrace *ctl_trace_new(guint max_records, gboolean full);
void ctl_trace_free(CtlTrace *trace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CtlTrace, ctl_trace_free)

/* Takes a line without its newline; appends what people see of it, with a newline, or nothing. */
void ctl_trace_add(CtlTrace *trace, const char *line, gsize len, GString *out);

/* "1000 records of 2 streams, 3 states, …" */
char *ctl_trace_summary(const CtlTrace *trace);

/* What --state takes: the newest states, in their order; NULL: there was none. */
char *ctl_trace_state_file(const CtlTrace *trace);

/* A configured catalog of all streams of a discovered one: incremental where the source says by
 * which cursor, full refresh otherwise; appended. NULL: it is no catalog. */
char *ctl_trace_configure(const char *catalog, GError **error);
