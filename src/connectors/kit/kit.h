/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kit-catalog.h"
#include "kit-config.h"
#include "kit-output.h"
#include "kit-streams.h"
#include "sl-json-write.h"

/* What every native connector shares: command line, configuration, catalog, messages in and out.
 * A connector is one `static const KitConnector` and
 *   int main(int argc, char **argv) { return kit_main(&connector, argc, argv); }
 *
 * Errors: SL_ERROR codes say whose fault it is, by the table in sl-error.c: INVALID, NOT_FOUND,
 * FORBIDDEN, UNAUTHENTICATED, EXISTS, CONFIG, … = config_error; UNAVAILABLE, BUSY, TIMED_OUT,
 * SERIALIZATION = transient_error; the rest = system_error. In `check` the first two kinds become
 * CONNECTION_STATUS FAILED with exit 0; everywhere else TRACE ERROR and exit 1.
 */

/* --- sources ---------------------------------------------------------------------------------- */
struct KitRead {
    const KitConfig *config;
    const KitCatalog *catalog; /* with the state attached */
    KitOutput *out;            /* streams are set */
};

/* TRUE: SIGTERM came, or the reader is gone. A source asks between two records, sends the state
 * of where it is, and returns TRUE; kit_main() then exits with 143. */
gboolean kit_stopping(const KitOutput *out);

/* --- destinations ----------------------------------------------------------------------------- */
/* A record as spans of the input. Valid until the callback returns. */
typedef struct {
    guint stream;      /* index into the catalog */
    SlSpan data;       /* the object, braces included, bytes as sent; structure was checked */
    SlSpan emitted_at; /* digits as sent; n = 0: absent */
    SlSpan meta;       /* the object; n = 0: absent */
} KitRecord;

#define KIT_ALL_STREAMS G_MAXUINT

typedef struct {
    guint64 seq;  /* 1, 2, 3, … in order of arrival over all streams */
    guint stream; /* KIT_ALL_STREAMS for GLOBAL and LEGACY states */
    SlSpan line;  /* the whole line as it came, without its newline. Echoed byte for byte. */
} KitState;

typedef struct KitWrite KitWrite;

/* Everything received before the state `seq` is durable: echoes the pending states up to and
 * including it, in order, and flushes. With a stream: only that stream's own states (GLOBAL ones
 * wait for KIT_ALL_STREAMS). Only needed by a destination that commits by itself; see flush(). */
void kit_write_release(KitWrite *write, guint stream, guint64 seq);
guint64 kit_write_last_seq(const KitWrite *write); /* of the newest state seen; 0: none */
const KitConfig *kit_write_config(const KitWrite *write);
const KitCatalog *kit_write_catalog(const KitWrite *write);
KitOutput *kit_write_output(const KitWrite *write);

typedef struct {
    /* Connects. The result is `self` of all others; freed by close(). NULL: error. */
    gpointer (*open)(KitWrite *write, GError **error);
    /* Once per configured stream, in order, before anything is read. */
    gboolean (*begin_stream)(gpointer self, const KitStream *stream, GError **error);
    /* n >= 1 records of any streams in order of arrival: what one read(2) brought, at most
     * KIT_BATCH. Never called with records of both sides of a state. */
    gboolean (*records)(gpointer self, const KitRecord *records, guint n, GError **error);
    /* Optional: a state arrived (all records before it were handed over). */
    gboolean (*state)(gpointer self, const KitState *state, GError **error);
    /* Makes everything handed over so far durable. On TRUE the kit echoes all states seen. Called
     * when states are pending and the input was quiet for flush_idle_usec, or the oldest is
     * flush_age_usec old (0 and 0: behind each state), and always at the end of the input. */
    gboolean (*flush)(gpointer self, GError **error);
    /* The input has ended and flush() succeeded: put the new generation in place if the stream is
     * COMPLETE; keep it for the next attempt if not. Not called after SIGTERM or an error. */
    gboolean (*end_stream)(gpointer self, const KitStream *stream, KitStatus status,
                           GError **error);
    /* Always last; frees self. success: everything above went well. */
    gboolean (*close)(gpointer self, gboolean success, GError **error);
    gint64 flush_idle_usec;
    gint64 flush_age_usec;
} KitDestination;

#define KIT_BATCH 512

/* --- a connector ------------------------------------------------------------------------------ */
typedef struct {
    const char *name; /* "source-sample" */
    const char *spec; /* spec.json, embedded (kit_spec of the generated header KIT_SPEC_H) */
    /* NULL: a configuration that the spec accepts is enough. */
    gboolean (*check)(const KitConfig *config, GError **error);
    /* Sources: their streams, ended by a row without a name … */
    const KitSourceStream *streams;
    /* … or, where only the configuration tells which there are, both of these. Writes one
     * AirbyteStream object per stream into the open array. */
    gboolean (*discover)(const KitConfig *config, KitOutput *out, SlJsonWriter *streams,
                         GError **error);
    gboolean (*read)(const KitRead *read, GError **error);
    const KitDestination *destination; /* destinations */
} KitConnector;

/* spec | check --config F | discover --config F | read --config F --catalog F [--state F] |
 * write --config F --catalog F. Exit: 0, 1 failed, 2 wrong usage, 143 stopped by SIGTERM.
 *
 * At the end of `write` a stream that truncates (KitStream.truncate) and got neither COMPLETE nor
 * INCOMPLETE fails the command: an end of file alone is never success. The states of a stream that
 * truncates without generations are echoed only after its end_stream(): what it had written is lost
 * when the attempt fails. */
int kit_main(const KitConnector *connector, int argc, char **argv);
