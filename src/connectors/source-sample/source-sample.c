/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "kit.h"
#include "sample-record.h"
#include "sl-error.h"
#include "sl-time.h"

#include KIT_SPEC_H

/* Between two looks at SIGTERM. */
#define STEP 256

typedef struct {
    const char *name;
    gint64 max; /* no more records than this, whatever `count` says */
    gint64 record_bytes;
    char *(*put)(const SampleMaker *maker, guint64 id, char *p);
    const char *properties; /* of the json_schema */
} SampleStream;

#define FIELD(name, type) "\"" name "\":" type
#define INTEGER "{\"type\":\"integer\"}"
#define NUMBER "{\"type\":\"number\"}"
#define STRING "{\"type\":\"string\"}"
#define TIME "\"format\":\"date-time\",\"airbyte_type\":\"timestamp_with_timezone\"}"
#define TIMESTAMP "{\"type\":\"string\"," TIME
#define NULL_TIMESTAMP "{\"type\":[\"null\",\"string\"]," TIME

static const SampleStream streams[] = {
    {"users", G_MAXINT64, 450, sample_put_user,
     FIELD("id", INTEGER) "," FIELD("created_at", TIMESTAMP) "," FIELD("updated_at", TIMESTAMP) "," FIELD("name", STRING) "," FIELD(
         "title",
         STRING) "," FIELD("age",
                           INTEGER) "," FIELD("email",
                                              STRING) "," FIELD("telephone",
                                                                STRING) "," FIELD("gender",
                                                                                  STRING) "," FIELD("language",
                                                                                                    STRING) "," FIELD("academic_degree",
                                                                                                                      STRING) "," FIELD("nationality", STRING) "," FIELD("occupation", STRING) "," FIELD("height", STRING) "," FIELD("blood_type", STRING) "," FIELD("weight",
                                                                                                                                                                                                                                                                     INTEGER) ",\"address\":{\"type\":\"object\",\"properties\":{" FIELD("street_number",
                                                                                                                                                                                                                                                                                                                                         STRING) "," FIELD("street_name", STRING) "," FIELD("city",
                                                                                                                                                                                                                                                                                                                                                                                            STRING) "," FIELD("state", STRING) "," FIELD("province", STRING) "," FIELD("postal_code",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                       STRING) "," FIELD("country_code",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                         STRING) "}}"},
    {"products", SAMPLE_N_PRODUCTS, 180, sample_put_product,
     FIELD("id", INTEGER) "," FIELD("make", STRING) "," FIELD("model", STRING) "," FIELD(
         "year", INTEGER) "," FIELD("price", NUMBER) "," FIELD("created_at",
                                                               TIMESTAMP) "," FIELD("updated_at",
                                                                                    TIMESTAMP)},
    {"purchases", G_MAXINT64, 230, sample_put_purchase,
     FIELD("id", INTEGER) "," FIELD("user_id", INTEGER) "," FIELD("product_id", INTEGER) "," FIELD(
         "created_at",
         TIMESTAMP) "," FIELD("updated_at",
                              TIMESTAMP) "," FIELD("added_to_cart_at",
                                                   NULL_TIMESTAMP) "," FIELD("purchased_at",
                                                                             NULL_TIMESTAMP) "," FIELD("returned_at",
                                                                                                       NULL_TIMESTAMP)},
};

static gboolean
sample_check(const KitConfig *config, GError **error)
{
    return TRUE; /* the configuration is all there is, and the kit has checked it */
}

static gboolean
sample_discover(const KitConfig *config, KitOutput *out, SlJsonWriter *w, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(streams); i++) {
        g_autofree char *schema =
            g_strdup_printf("{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
                            "\"type\":\"object\",\"properties\":{%s}}",
                            streams[i].properties);
        sl_json_begin_object(w);
        sl_json_member_string(w, "name", streams[i].name);
        sl_json_member_raw(w, "json_schema", schema);
        sl_json_member_raw(w, "supported_sync_modes", "[\"full_refresh\",\"incremental\"]");
        sl_json_member_bool(w, "source_defined_cursor", TRUE);
        sl_json_member_raw(w, "default_cursor_field", "[\"updated_at\"]");
        sl_json_member_raw(w, "source_defined_primary_key", "[[\"id\"]]");
        sl_json_member_bool(w, "is_resumable", TRUE);
        sl_json_end_object(w);
    }
    return TRUE;
}

/* Where a stream stands: what its state says, and what the next one will say. A pass goes from the
 * first record to the last; `offset` records of it were sent. */
typedef struct {
    gint64 seed;
    gint64 offset;
    gboolean complete;
    char *updated_at; /* when the pass began */
} SamplePass;

static void
pass_clear(SamplePass *pass)
{
    g_clear_pointer(&pass->updated_at, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SamplePass, pass_clear)

static gboolean
pass_parse(const KitStream *stream, SamplePass *pass, GError **error)
{
    const SlJsonNode *seed = sl_json_get(stream->state_of, stream->state, "seed");
    const SlJsonNode *offset = sl_json_get(stream->state_of, stream->state, "loop_offset");
    const SlJsonNode *complete = sl_json_get(stream->state_of, stream->state, "complete");
    const SlJsonNode *updated = sl_json_get(stream->state_of, stream->state, "updated_at");
    const char *wrong = NULL;
    if (seed != NULL && seed->type != SL_JSON_NULL && !sl_json_get_int64(seed, &pass->seed))
        wrong = "seed: expected integer";
    else if (offset != NULL && (!sl_json_get_int64(offset, &pass->offset) || pass->offset < 0))
        wrong = "loop_offset: expected integer of at least 0";
    else if (complete != NULL && !sl_json_get_boolean(complete, &pass->complete))
        wrong = "complete: expected boolean";
    if (wrong != NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "state of stream '%s': %s", stream->name,
                            wrong);
    g_autofree char *text = updated == NULL ? NULL : sl_json_dup_string(updated);
    gint64 usec;
    if (text != NULL && !sl_time_parse(text, &usec, error)) {
        g_prefix_error(error, "state of stream '%s': updated_at: ", stream->name);
        return FALSE;
    }
    pass->updated_at = text == NULL ? NULL : sl_time_format(usec);
    /* A state of the public Faker source has no `complete`. It never resumes, and only ends a
     * sync's stream with a state, so everything was sent. */
    if (complete == NULL) {
        pass->complete = TRUE;
        pass->offset = G_MAXINT64;
    }
    return TRUE;
}

static gint64
random_seed(void)
{
    return (gint64)g_random_int(); /* 32 bits: exact in any JSON reader */
}

/* The pass to go on with, or a new one. */
static gboolean
pass_begin(const KitRead *read, const KitStream *stream, SamplePass *pass, GError **error)
{
    gint64 seed = kit_config_get_int(read->config, "seed", NULL);
    gboolean always = kit_config_get_boolean(read->config, "always_updated", NULL);
    if (stream->state != NULL) {
        pass->seed = seed;
        if (!pass_parse(stream, pass, error))
            return FALSE;
        /* Other records than those that were sent: begin again. */
        if (seed != -1 && seed != pass->seed) {
            pass->offset = 0;
            pass->complete = FALSE;
            g_clear_pointer(&pass->updated_at, g_free);
        }
        /* A full refresh that was finished is done again, one that was interrupted goes on. */
        if (pass->complete && (always || stream->sync_mode == KIT_SYNC_FULL_REFRESH)) {
            pass->offset = 0;
            g_clear_pointer(&pass->updated_at, g_free);
        }
        seed = pass->seed;
    }
    pass->seed = seed == -1 ? random_seed() : seed;
    pass->complete = FALSE;
    if (pass->updated_at == NULL)
        pass->updated_at = sl_time_format(g_get_real_time());
    return TRUE;
}

static void
pass_send_state(const KitRead *read, const KitStream *stream, const SamplePass *pass)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    sl_json_begin_object(&w);
    sl_json_member_int(&w, "seed", pass->seed);
    sl_json_member_string(&w, "updated_at", pass->updated_at);
    sl_json_member_int(&w, "loop_offset", pass->offset);
    sl_json_member_bool(&w, "complete", pass->complete);
    sl_json_end_object(&w);
    kit_output_state(read->out, stream->index, text->str, text->len);
}

/* Records up to `end`, a state behind every slice. FALSE: asked to stop; the state says where. */
static gboolean
pass_send_records(const KitRead *read, const KitStream *stream, const SampleStream *sample,
                  SamplePass *pass, gint64 end)
{
    gint64 slice = kit_config_get_int(read->config, "records_per_slice", NULL);
    gboolean always = kit_config_get_boolean(read->config, "always_updated", NULL);
    SampleMaker maker;
    sample_maker_init(&maker, pass->seed, always ? pass->updated_at : NULL);
    while (pass->offset < end) {
        gint64 slice_end = pass->offset + MIN(slice - pass->offset % slice, end - pass->offset);
        while (pass->offset < slice_end && !kit_stopping(read->out)) {
            gint64 step_end = MIN(pass->offset + STEP, slice_end);
            while (pass->offset < step_end) {
                char *p = kit_output_begin_record(read->out, stream->index, SAMPLE_RECORD_MAX);
                p = sample->put(&maker, (guint64)++pass->offset, p);
                kit_output_end_record(read->out, p);
            }
        }
        gboolean stopped = pass->offset < slice_end;
        pass->complete = pass->offset == end;
        pass_send_state(read, stream, pass);
        if (stopped)
            return FALSE;
    }
    return TRUE;
}

static const SampleStream *
find_sample(const KitStream *stream, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(streams); i++)
        if (stream->ns == NULL && g_str_equal(streams[i].name, stream->name))
            return &streams[i];
    sl_error_set(error, SL_ERROR_INVALID, "catalog: there is no stream '%s'%s", stream->name,
                 stream->ns == NULL ? "" : " with a namespace");
    return NULL;
}

static gboolean
read_stream(const KitRead *read, const KitStream *stream, GError **error)
{
    const SampleStream *sample = find_sample(stream, error);
    g_auto(SamplePass) pass = {0};
    if (sample == NULL || !pass_begin(read, stream, &pass, error))
        return FALSE;
    gint64 end = MIN(kit_config_get_int(read->config, "count", NULL), sample->max);
    gint64 rows = MAX(end - pass.offset, 0);
    kit_output_status(read->out, stream, KIT_STATUS_STARTED);
    kit_output_estimate(read->out, stream, rows,
                        rows > G_MAXINT64 / sample->record_bytes ? -1
                                                                 : rows * sample->record_bytes);
    if (rows > 0) {
        kit_output_status(read->out, stream, KIT_STATUS_RUNNING);
        if (!pass_send_records(read, stream, sample, &pass, end))
            return TRUE;
    } else {
        /* The platform wants a state of every incremental stream: the same as before. A lower count
         * must not make the next higher one send records twice. */
        pass.complete = TRUE;
        pass.offset = pass.offset == G_MAXINT64 ? end : pass.offset;
        pass_send_state(read, stream, &pass);
    }
    kit_output_status(read->out, stream, KIT_STATUS_COMPLETE);
    return TRUE;
}

static gboolean
sample_read(const KitRead *read, GError **error)
{
    for (guint i = 0; i < read->catalog->n_streams && !kit_stopping(read->out); i++)
        if (!read_stream(read, &read->catalog->streams[i], error))
            return FALSE;
    return TRUE;
}

static const KitConnector connector = {
    .name = "source-sample",
    .spec = kit_spec,
    .check = sample_check,
    .discover = sample_discover,
    .read = sample_read,
};

int
main(int argc, char **argv)
{
    return kit_main(&connector, argc, argv);
}
