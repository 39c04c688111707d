/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <poll.h>
#include <string.h>

#include "kit.h"
#include "sl-error.h"

#include KIT_SPEC_H

typedef struct {
    guint64 n_records, n_bytes;
    gint64 n_logged;
} NullStream;

typedef struct DevNull DevNull;

/* What is done with each record beyond counting it. */
typedef gboolean (*NullFunc)(DevNull *self, const KitRecord *record, GError **error);

struct DevNull {
    KitWrite *write;
    NullStream *streams;
    guint n_streams;
    NullFunc act;           /* NULL: nothing */
    gint64 n_left;          /* FAILING: records until the failure */
    gint64 millis;          /* THROTTLED */
    gint64 max_logged, nth; /* LOGGING */
    double ratio;
    GRand *random;
};

static gboolean
null_throttle(DevNull *self, const KitRecord *record, GError **error)
{
    /* The delay is what was asked for; poll() because SIGTERM ends it. */
    if (!kit_stopping(kit_write_output(self->write)))
        poll(NULL, 0, (int)MIN(self->millis, G_MAXINT));
    return TRUE;
}

static gboolean
null_fail(DevNull *self, const KitRecord *record, GError **error)
{
    if (self->n_left-- > 0)
        return TRUE;
    return sl_error_set(error, SL_ERROR_CONNECTOR,
                        "failed on purpose: test_destination.num_messages is reached");
}

static gboolean
null_log(DevNull *self, const KitRecord *record, GError **error)
{
    NullStream *stream = &self->streams[record->stream];
    gboolean wanted = stream->n_logged < self->max_logged;
    if (self->nth > 0)
        wanted = wanted && stream->n_records % (guint64)self->nth == 0;
    /* The dice are thrown for every record, so that a seed always means the same records. */
    if (self->random != NULL)
        wanted = g_rand_double(self->random) < self->ratio && wanted;
    if (!wanted)
        return TRUE;
    stream->n_logged++;
    const KitCatalog *catalog = kit_write_catalog(self->write);
    kit_output_log(kit_write_output(self->write), KIT_LOG_INFO, "%s %" G_GUINT64_FORMAT ": %.*s",
                   catalog->streams[record->stream].name, stream->n_records, (int)record->data.n,
                   record->data.p);
    return TRUE;
}

static void
null_setup_logging(DevNull *self, const KitConfig *config, const char *kind)
{
    const char *at[] = {"test_destination", "logging_config"};
    self->act = null_log;
    self->max_logged = kit_config_get_int(config, at[0], at[1], "max_entry_count", NULL);
    if (g_str_equal(kind, "EveryNth"))
        self->nth = kit_config_get_int(config, at[0], at[1], "nth_entry_to_log", NULL);
    if (!g_str_equal(kind, "RandomSampling"))
        return;
    self->ratio = kit_config_get_double(config, at[0], at[1], "sampling_ratio", NULL);
    double seed = kit_config_get_double(config, at[0], at[1], "seed", NULL);
    gboolean seeded = kit_config_get(config, at[0], at[1], "seed", NULL) != NULL;
    self->random =
        seeded ? g_rand_new_with_seed((guint32)(gint64)CLAMP(seed, -1e15, 1e15)) : g_rand_new();
}

static gpointer
null_open(KitWrite *write, GError **error)
{
    const KitConfig *config = kit_write_config(write);
    DevNull *self = g_new0(DevNull, 1);
    self->write = write;
    self->n_streams = kit_write_catalog(write)->n_streams;
    self->streams = g_new0(NullStream, self->n_streams + 1);
    g_autofree char *type =
        kit_config_dup_string(config, "test_destination", "test_destination_type", NULL);
    g_autofree char *logging =
        kit_config_dup_string(config, "test_destination", "logging_config", "logging_type", NULL);
    if (g_str_equal(type, "THROTTLED")) {
        self->act = null_throttle;
        self->millis = kit_config_get_int(config, "test_destination", "millis_per_record", NULL);
    } else if (g_str_equal(type, "FAILING")) {
        self->act = null_fail;
        self->n_left = kit_config_get_int(config, "test_destination", "num_messages", NULL);
    } else if (g_str_equal(type, "LOGGING")) {
        null_setup_logging(self, config, logging);
    }
    return self;
}

static gboolean
null_records(gpointer data, const KitRecord *records, guint n, GError **error)
{
    DevNull *self = data;
    for (guint i = 0; i < n; i++) {
        NullStream *stream = &self->streams[records[i].stream];
        stream->n_records++;
        stream->n_bytes += records[i].data.n;
        if (self->act != NULL && !self->act(self, &records[i], error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
null_flush(gpointer data, GError **error)
{
    return TRUE; /* nothing is kept, and that is durable */
}

static gboolean
null_end_stream(gpointer data, const KitStream *stream, KitStatus status, GError **error)
{
    DevNull *self = data;
    const NullStream *count = &self->streams[stream->index];
    kit_output_log(kit_write_output(self->write), KIT_LOG_INFO,
                   "stream '%s': %" G_GUINT64_FORMAT " records, %" G_GUINT64_FORMAT " bytes",
                   stream->name, count->n_records, count->n_bytes);
    return TRUE;
}

static gboolean
null_close(gpointer data, gboolean success, GError **error)
{
    DevNull *self = data;
    g_clear_pointer(&self->random, g_rand_free);
    g_free(self->streams);
    g_free(self);
    return TRUE;
}

static gboolean
null_check(const KitConfig *config, GError **error)
{
    return TRUE;
}

static const KitDestination destination = {
    .open = null_open,
    .records = null_records,
    .flush = null_flush,
    .end_stream = null_end_stream,
    .close = null_close,
};

static const KitConnector connector = {
    .name = "destination-dev-null",
    .spec = kit_spec,
    .check = null_check,
    .destination = &destination,
};

int
main(int argc, char **argv)
{
    return kit_main(&connector, argc, argv);
}
