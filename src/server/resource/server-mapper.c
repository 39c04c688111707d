/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-mapper.h"

#include <string.h>

#include "server-problem.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-mapper.h"
#include "sl-records.h"
#include "sl-secret.h"
#include "sl-sql.h"

/* What of a mapper's configuration is a secret. */
#define KEY_SCHEMA "{\"properties\":{\"key\":{\"airbyte_secret\":true}}}"

typedef struct {
    ServerCtx *ctx;
    const char *workspace_id, *connection_id;
    GHashTable *old; /* id of a mapper → its stored configuration */
} Store;

/* --- keys ----------------------------------------------------------------------------------------
 */

static char *
put_key(const char *plain, gpointer data, GError **error)
{
    const Store *store = data;
    const ServerCtx *ctx = store->ctx;
    if (ctx->server->seal_key == NULL) {
        sl_error_set(error, SL_ERROR_CONFIG,
                     "the mapper has a key, and this host has no master key (credential "
                     "'sluice-master-key')");
        return NULL;
    }
    return sl_secret_put(ctx->tx, ctx->server->seal_key, store->workspace_id, NULL,
                         store->connection_id, plain, ctx->now, error);
}

static gboolean
store_configuration(const Store *store, SlConfiguredMapper *mapper, GError **error)
{
    g_auto(GStrv) references = sl_secret_list(mapper->mapper_configuration, error);
    if (references == NULL)
        return FALSE;
    if (references[0] != NULL)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "mappers: mapperConfiguration: '_secret' is not for clients");
    char *stored = sl_secret_split(mapper->mapper_configuration, KEY_SCHEMA,
                                   g_hash_table_lookup(store->old, mapper->id), put_key,
                                   (gpointer)store, error);
    if (stored == NULL)
        return FALSE;
    g_free(mapper->mapper_configuration);
    mapper->mapper_configuration = stored;
    return TRUE;
}

/* --- the walk over a catalog ---------------------------------------------------------------------
 */

static gboolean
write_mapper(SlJsonWriter *w, const Store *store, const SlJsonDoc *doc, const SlJsonNode *node,
             GError **error)
{
    g_autoptr(SlConfiguredMapper) mapper =
        sl_record_parse(&sl_configured_mapper_record, doc, node, error);
    if (mapper == NULL)
        return FALSE;
    if (mapper->id == NULL)
        mapper->id = sl_id_new();
    if (!store_configuration(store, mapper, error))
        return FALSE;
    sl_record_write(&sl_configured_mapper_record, mapper, 0, w);
    return TRUE;
}

static gboolean
write_stream(SlJsonWriter *w, const Store *store, const SlJsonDoc *doc, const SlJsonNode *stream,
             GError **error)
{
    sl_json_begin_object(w);
    SL_JSON_FOREACH (doc, stream, key) {
        g_autofree char *name = sl_json_dup_string(key);
        const SlJsonNode *value = key + 1;
        if (name == NULL)
            continue;
        sl_json_key(w, name);
        if (strcmp(name, "mappers") != 0 || value->type != SL_JSON_ARRAY) {
            sl_json_node(w, value);
            continue;
        }
        sl_json_begin_array(w);
        SL_JSON_FOREACH (doc, value, mapper)
            if (!write_mapper(w, store, doc, mapper, error))
                return FALSE;
        sl_json_end_array(w);
    }
    sl_json_end_object(w);
    return TRUE;
}

static char *
rewrite(const Store *store, const SlJsonDoc *doc, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_key(&w, "streams");
    sl_json_begin_array(&w);
    SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), "streams"), stream)
        if (!write_stream(&w, store, doc, stream, error))
            return NULL;
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static GHashTable *
read_old(const char *old, GError **error)
{
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const char *text = old != NULL ? old : "{}";
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, error);
    if (doc == NULL)
        return NULL;
    SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), "streams"), stream) {
        SL_JSON_FOREACH (doc, sl_json_get(doc, stream, "mappers"), mapper) {
            const SlJsonNode *id = sl_json_get(doc, mapper, "id");
            const SlJsonNode *configuration = sl_json_get(doc, mapper, "mapperConfiguration");
            char *name = id != NULL ? sl_json_dup_string(id) : NULL;
            if (name != NULL && configuration != NULL)
                g_hash_table_replace(known, name, sl_json_dup_span(configuration));
            else
                g_free(name);
        }
    }
    return g_steal_pointer(&known);
}

/* --- judging -------------------------------------------------------------------------------------
 */

static void
write_fault(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *stream, const char *name,
            const SlMapperFault *fault, GString *message)
{
    const SlJsonNode *mapper = sl_json_at(doc, sl_json_get(doc, stream, "mappers"), fault->mapper);
    sl_json_begin_object(w);
    sl_json_member_string(w, "stream", name);
    sl_json_member_string(w, "error", sl_mapper_fault_name(fault->code));
    sl_json_key(w, "mapper");
    sl_json_node(w, mapper);
    sl_json_end_object(w);
    g_string_append_printf(message, "%sstream '%s': %s", message->len > 0 ? "; " : "", name,
                           fault->message);
}

/* Appends what is wrong with the mappers; an error for what is wrong with the selection. */
static gboolean
judge_stream(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *stream, GString *message,
             GError **error)
{
    const SlJsonNode *node = sl_json_get_path(doc, stream, "stream", "name", NULL);
    g_autofree char *name = node != NULL ? sl_json_dup_string(node) : g_strdup("");
    if (sl_json_get(doc, stream, "mappers") == NULL &&
        sl_json_get(doc, stream, "selectedFields") == NULL)
        return TRUE;
    g_autoptr(SlMapperShape) shape = NULL;
    if (!sl_selection_check(doc, stream, error) ||
        (shape = sl_mapper_shape(doc, stream, error)) == NULL) {
        g_prefix_error(error, "stream '%s': ", name);
        return FALSE;
    }
    for (guint i = 0; shape->faults != NULL && i < shape->faults->len; i++)
        write_fault(w, doc, stream, name, shape->faults->pdata[i], message);
    return TRUE;
}

static gboolean
judge(const SlJsonDoc *doc, GError **error)
{
    g_autoptr(GString) data = g_string_new(NULL);
    g_autoptr(GString) message = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(data);
    sl_json_begin_object(&w);
    sl_json_key(&w, "errors");
    sl_json_begin_array(&w);
    SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), "streams"), stream)
        if (!judge_stream(&w, doc, stream, message, error))
            return FALSE;
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    return message->len == 0 ||
           server_problem(error, SERVER_PROBLEM_MAPPER, g_strdup(data->str), "%s", message->str);
}

char *
server_mapper_store(ServerCtx *ctx, const char *workspace_id, const char *connection_id,
                    const char *catalog, const char *old, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(catalog, strlen(catalog), NULL, error);
    g_autoptr(GHashTable) known = doc != NULL ? read_old(old, error) : NULL;
    if (known == NULL || !judge(doc, error))
        return NULL;
    const Store store = {ctx, workspace_id, connection_id, known};
    g_autofree char *stored = rewrite(&store, doc, error);
    g_auto(GStrv) kept = stored != NULL ? sl_secret_list(stored, error) : NULL;
    if (kept == NULL || !sl_sql_secret_delete_unused_of_connection(
                            ctx->tx, connection_id, (const char *const *)kept, NULL, error))
        return NULL;
    return g_steal_pointer(&stored);
}

char *
server_mapper_mask(const char *catalog, GError **error)
{
    return strstr(catalog, "\"_secret\"") != NULL ? sl_secret_mask(catalog, error)
                                                  : g_strdup(catalog);
}
