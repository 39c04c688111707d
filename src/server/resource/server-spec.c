/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-spec.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-read.h"
#include "sl-record.h"
#include "sl-schema.h"

#define MAX_FAULTS 5

/* A secret that stays as it is stored, or that nobody but the connector is to look at. */
static gboolean
is_kept_secret(const SlJsonDoc *schema_doc, const SlJsonNode *schema, const SlJsonDoc *doc,
               const SlJsonNode *value, gpointer data)
{
    const SlJsonNode *mark = NULL;
    gboolean kept =
        sl_json_string_is(value, SL_MASK) || (value->type == SL_JSON_OBJECT && value->count == 1 &&
                                              sl_json_get(doc, value, "_secret") != NULL);
    if (kept)
        mark = sl_json_get(schema_doc, schema, "airbyte_secret");
    return mark != NULL && mark->type == SL_JSON_TRUE;
}

static gboolean
refuse(const GPtrArray *faults, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < faults->len; i++) {
        const SlSchemaFault *fault = faults->pdata[i];
        g_string_append_printf(text, "%s%s: %s", i > 0 ? "; " : "", fault->path, fault->reason);
    }
    return sl_error_set(error, SL_ERROR_UNPROCESSABLE, "%s", text->str);
}

/* References within a specification start at its connectionSpecification, as connectors have it. */
gboolean
server_spec_judge(const char *spec, const char *configuration, GError **error)
{
    static const SlSchemaSource source = {.lenient = TRUE};
    const SlSchemaAsk ask = {
        .root = "configuration", .max_faults = MAX_FAULTS, .pass = is_kept_secret};
    g_autofree char *inner = server_spec_connection(spec);
    g_autoptr(SlSchema) schema = sl_schema_compile(inner, strlen(inner), &source, error);
    g_autoptr(SlJsonDoc) config =
        schema != NULL ? sl_json_read(configuration, strlen(configuration), NULL, error) : NULL;
    g_autoptr(GPtrArray) faults = NULL;
    g_autoptr(GError) local = NULL;
    if (config == NULL)
        return FALSE;
    if (sl_json_root(config)->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_UNPROCESSABLE, "configuration: expected object");
    if (sl_schema_validate(schema, config, sl_json_root(config), &ask, &faults, &local))
        return TRUE;
    return faults != NULL ? refuse(faults, error)
                          : sl_error_set(error, SL_ERROR_UNPROCESSABLE, "%s", local->message);
}

char *
server_spec_connection(const char *spec)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(spec, strlen(spec), NULL, NULL);
    const SlJsonNode *inner =
        doc != NULL ? sl_json_get(doc, sl_json_root(doc), "connectionSpecification") : NULL;
    return inner != NULL ? sl_json_dup_span(inner) : g_strdup("{}");
}
