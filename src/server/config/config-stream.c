/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "server-connection.h"
#include "server-problem.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-json-read.h"
#include "sl-json-write.h"
#include "sl-mapper.h"
#include "sl-sql.h"

/* --- how far streams are -------------------------------------------------------------------------
 */

static SlConfigStreamStatusList *
make_list(GPtrArray *rows)
{
    SlConfigStreamStatusList *list = sl_config_stream_status_list_new();
    g_ptr_array_set_free_func(rows, NULL); /* the record frees them */
    list->stream_statuses = rows;
    return list;
}

gboolean
server_config_stream_status_list(ServerCtx *ctx, const SlConfigStreamStatusListRequest *in,
                                 SlConfigStreamStatusList **ret, GError **error)
{
    const SlRecord *record = &sl_config_stream_status_list_request_record;
    const gboolean by_type =
        sl_record_has(record, in, SL_CONFIG_STREAM_STATUS_LIST_REQUEST_JOB_TYPE);
    const gboolean by_job = sl_record_has(record, in, SL_CONFIG_STREAM_STATUS_LIST_REQUEST_JOB_ID);
    const gboolean by_attempt =
        sl_record_has(record, in, SL_CONFIG_STREAM_STATUS_LIST_REQUEST_ATTEMPT_NUMBER);
    GPtrArray *rows = NULL;
    if (!sl_sql_run_list_stream_states(
            ctx->tx, in->workspace_id, in->connection_id, by_job ? &in->job_id : NULL,
            by_attempt ? &in->attempt_number : NULL, in->stream_namespace, in->stream_name,
            by_type ? sl_enum_name(&sl_config_stream_job_type_enum, in->job_type) : NULL,
            in->pagination->page_size, in->pagination->row_offset, &rows, error))
        return FALSE;
    *ret = make_list(rows);
    return TRUE;
}

gboolean
server_config_stream_status_list_latest(ServerCtx *ctx, const SlConnectionIdRequest *in,
                                        SlConfigStreamStatusList **ret, GError **error)
{
    g_autoptr(SlConnection) connection = NULL;
    GPtrArray *rows = NULL;
    if (!server_connection_load(ctx, in->connection_id, FALSE, &connection, error) ||
        !sl_sql_run_latest_stream_states(ctx->tx, in->connection_id, &rows, error))
        return FALSE;
    *ret = make_list(rows);
    return TRUE;
}

/* --- what mappers make of a stream ---------------------------------------------------------------
 */

static gboolean
text_is(const SlJsonNode *node, const char *text)
{
    if (text == NULL || *text == '\0')
        return node == NULL || node->type == SL_JSON_NULL || sl_json_string_is(node, "");
    return node != NULL && sl_json_string_is(node, text);
}

static const SlJsonNode *
find_stream(const SlJsonDoc *doc, const SlConfigStreamDescriptor *wanted)
{
    SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), "streams"), one)
        if (text_is(sl_json_get_path(doc, one, "stream", "name", NULL), wanted->name) &&
            text_is(sl_json_get_path(doc, one, "stream", "namespace", NULL), wanted->namespace))
            return one;
    return NULL;
}

/* The stored stream with other mappers. */
static char *
replace_mappers(const SlJsonDoc *doc, const SlJsonNode *stream, const GPtrArray *mappers)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    SL_JSON_FOREACH (doc, stream, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL || strcmp(name, "mappers") == 0)
            continue;
        sl_json_key(&w, name);
        sl_json_node(&w, key + 1);
    }
    sl_json_key(&w, "mappers");
    sl_json_begin_array(&w);
    for (guint i = 0; mappers != NULL && i < mappers->len; i++)
        sl_record_write(&sl_configured_mapper_record, mappers->pdata[i], 0, &w);
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

/* By the source's name of the field: renaming does not take a key away. */
static gboolean
is_key(const SlJsonDoc *doc, const SlJsonNode *stream, const char *origin)
{
    SL_JSON_FOREACH (doc, sl_json_get(doc, stream, "primary_key"), path)
        if (text_is(sl_json_at(doc, path, 0), origin))
            return TRUE;
    return FALSE;
}

static GPtrArray *
make_fields(const SlJsonDoc *doc, const SlJsonNode *stream, const GPtrArray *step)
{
    const SlJsonNode *cursor = sl_json_at(doc, sl_json_get(doc, stream, "cursor_field"), 0);
    GPtrArray *fields = g_ptr_array_new();
    for (guint i = 0; i < step->len; i++) {
        const SlMapperField *field = step->pdata[i];
        const char *origin = field->origin != NULL ? field->origin : field->name;
        SlConfigFieldSpec *spec = sl_config_field_spec_new();
        spec->name = g_strdup(field->name);
        spec->type = g_strdup(sl_mapper_field_type(field));
        sl_config_field_spec_set_is_selected_primary_key(spec, is_key(doc, stream, origin));
        sl_config_field_spec_set_is_selected_cursor(spec,
                                                    cursor != NULL && text_is(cursor, origin));
        g_ptr_array_add(fields, spec);
    }
    return fields;
}

static SlConfigMapperError *
make_fault(const SlMapperShape *shape, guint mapper)
{
    for (guint i = 0; shape->faults != NULL && i < shape->faults->len; i++) {
        const SlMapperFault *fault = shape->faults->pdata[i];
        if (fault->mapper != mapper)
            continue;
        SlConfigMapperError *error = sl_config_mapper_error_new();
        error->type = g_strdup(sl_mapper_fault_name(fault->code));
        error->message = g_strdup(fault->message);
        return error;
    }
    return NULL;
}

static SlConfigMapperValidation *
make_validation(const SlJsonDoc *doc, const SlMapperShape *shape, const GPtrArray *mappers)
{
    const SlJsonNode *stream = sl_json_root(doc);
    SlConfigMapperValidation *all = sl_config_mapper_validation_new();
    all->initial_fields = make_fields(doc, stream, shape->steps->pdata[0]);
    all->output_fields = make_fields(doc, stream, shape->steps->pdata[shape->steps->len - 1]);
    all->mappers = g_ptr_array_new();
    for (guint i = 0; mappers != NULL && i < mappers->len && i + 1 < shape->steps->len; i++) {
        const SlConfiguredMapper *mapper = mappers->pdata[i];
        SlConfigMapperResult *one = sl_config_mapper_result_new();
        one->id = g_strdup(mapper->id);
        one->input_fields = make_fields(doc, stream, shape->steps->pdata[i]);
        one->output_fields = make_fields(doc, stream, shape->steps->pdata[i + 1]);
        one->validation_error = make_fault(shape, i);
        g_ptr_array_add(all->mappers, one);
    }
    return all;
}

/* As a run would do it. What cannot be done is part of the answer: a person is still typing. */
static void
try_sample(const SlJsonDoc *doc, const char *name, const char *record,
           SlConfigMapperValidation *validation)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlMapper) mapper = sl_mapper_new(doc, sl_json_root(doc), name, &error);
    g_autoptr(GString) out = g_string_new(NULL);
    gsize selected;
    SlMapped mapped = SL_MAPPED_SAME;
    if (mapper != NULL)
        mapped = sl_mapper_apply(mapper, (SlSpan){record, strlen(record)}, out, &selected, &error);
    if (error != NULL)
        validation->sample_error = g_strdup(error->message);
    else if (mapped == SL_MAPPED_FILTERED)
        sl_config_mapper_validation_set_sample_filtered(validation, TRUE);
    else
        validation->sample_output = g_strdup(mapped == SL_MAPPED_CHANGED ? out->str : record);
}

gboolean
server_config_mapper_validate(ServerCtx *ctx, const SlConfigMapperValidateRequest *in,
                              SlConfigMapperValidation **ret, GError **error)
{
    g_autoptr(SlConnection) connection = NULL;
    if (!server_connection_load(ctx, in->connection_id, FALSE, &connection, error))
        return FALSE;
    g_autoptr(SlJsonDoc) catalog =
        sl_json_read(connection->catalog, strlen(connection->catalog), NULL, error);
    if (catalog == NULL)
        return FALSE;
    const SlJsonNode *stream = find_stream(catalog, in->stream_descriptor);
    if (stream == NULL)
        return server_not_found(error, "stream", in->stream_descriptor->name);
    g_autofree char *text = replace_mappers(catalog, stream, in->mappers);
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, error);
    g_autoptr(SlMapperShape) shape =
        doc != NULL ? sl_mapper_shape(doc, sl_json_root(doc), error) : NULL;
    if (shape == NULL)
        return FALSE;
    *ret = make_validation(doc, shape, in->mappers);
    if (in->sample_record != NULL)
        try_sample(doc, in->stream_descriptor->name, in->sample_record, *ret);
    return TRUE;
}
