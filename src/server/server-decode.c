/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-decode.h"

#include <string.h>

#include "server-reply.h"
#include "sl-error.h"

/* Everything becomes one JSON object, whose later members win, and the record engine judges it.
 * Text that is not a literal of the field's kind goes in as a string, so that the engine's error
 * names the property. */

static const SlField *
find_field(const SlRecord *record, const char *name)
{
    for (guint i = 0; i < record->n_fields; i++)
        if (strcmp(record->fields[i].json, name) == 0)
            return &record->fields[i];
    return NULL;
}

static gboolean
is_literal(const SlField *field, const char *text)
{
    if (field->kind == SL_KIND_BOOL)
        return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
    if (field->kind != SL_KIND_INT && field->kind != SL_KIND_DBL)
        return FALSE;
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, NULL);
    return doc != NULL && sl_json_root(doc)->type == SL_JSON_NUMBER;
}

static void
write_value(SlJsonWriter *w, const SlField *field, const char *text)
{
    if (is_literal(field, text))
        sl_json_raw(w, text, strlen(text));
    else
        sl_json_string(w, text);
}

/* "a=1&a=2" and "a=1,2" are the same list. */
static void
write_list(SlJsonWriter *w, const SlField *field, const GPtrArray *pairs)
{
    sl_json_key(w, field->json);
    sl_json_begin_array(w);
    for (guint i = 0; i < pairs->len; i += 2) {
        if (strcmp(pairs->pdata[i], field->json) != 0)
            continue;
        g_auto(GStrv) parts = g_strsplit(pairs->pdata[i + 1], ",", -1);
        for (char **part = parts; *part != NULL; part++)
            if (**part != '\0')
                sl_json_string(w, *part);
    }
    sl_json_end_array(w);
}

/* Names and values, decoded, in turn. */
static gboolean
add_pairs(GPtrArray *pairs, const char *text, gsize len, const char *what, GError **error)
{
    GUriParamsIter iter;
    g_autoptr(GError) reason = NULL;
    char *name, *value;
    g_uri_params_iter_init(&iter, text, (gssize)len, "&", G_URI_PARAMS_WWW_FORM);
    while (g_uri_params_iter_next(&iter, &name, &value, &reason)) {
        g_ptr_array_add(pairs, name);
        g_ptr_array_add(pairs, value);
    }
    return reason == NULL || sl_error_set(error, SL_ERROR_INVALID, "%s: %s", what, reason->message);
}

static void
write_pairs(SlJsonWriter *w, const SlRecord *record, const GPtrArray *pairs)
{
    for (guint i = 0; i < pairs->len; i += 2) {
        const SlField *field = find_field(record, pairs->pdata[i]);
        if (field == NULL)
            continue; /* as the API does with unknown members */
        if (field->kind == SL_KIND_STRV) {
            write_list(w, field, pairs);
        } else {
            sl_json_key(w, field->json);
            write_value(w, field, pairs->pdata[i + 1]);
        }
    }
}

/* U+0000 is in no text of C nor of PostgreSQL: nobody behind this line has to think of it. */
static gboolean
refuse_nul(const SlJsonDoc *doc, GError **error)
{
    for (guint i = 0; i < doc->n_nodes; i++) {
        const SlJsonNode *node = &doc->nodes[i];
        if (node->type != SL_JSON_STRING || !node->escaped)
            continue;
        g_autofree char *text = sl_json_dup_string(node);
        if (text == NULL)
            return sl_error_set(error, SL_ERROR_INVALID,
                                "body: U+0000 is in a text or in the name of a member");
    }
    return TRUE;
}

/* Which of two values was meant nobody can know; other readers take the first, or both. */
static gboolean
refuse_repeated(const SlJsonDoc *doc, GError **error)
{
    const SlJsonNode *key = sl_json_find_repeated(doc);
    return key == NULL ||
           sl_error_set(error, SL_ERROR_INVALID,
                        "body: the member %.*s is there twice in one object (byte %" G_GSIZE_FORMAT
                        ")",
                        (int)MIN(key->n, 100), key->p, (gsize)(key->p - sl_json_root(doc)->p));
}

/* What is no JSON is 400 in the public API and 422 in the config API. */
static gboolean
write_json_body(SlJsonWriter *w, const SlHttpRequest *request, const char *text, gsize len,
                GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, len, NULL, error);
    if (doc == NULL) {
        g_prefix_error(error, "body: ");
        if (server_dialect(request->path) == SERVER_DIALECT_CONFIG &&
            g_error_matches(*error, SL_ERROR, SL_ERROR_INVALID))
            (*error)->code = SL_ERROR_UNPROCESSABLE;
        return FALSE;
    }
    if (sl_json_root(doc)->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_INVALID, "body: expected object");
    if (!refuse_nul(doc, error) || !refuse_repeated(doc, error))
        return FALSE;
    SL_JSON_FOREACH (doc, sl_json_root(doc), key) {
        g_autofree char *name = sl_json_dup_string(key);
        sl_json_key(w, name);
        sl_json_node(w, key + 1);
    }
    return TRUE;
}

static gboolean
write_body(SlJsonWriter *w, const SlHttpRequest *request, GPtrArray *pairs, GError **error)
{
    const char *type = sl_http_request_get_header(request, "Content-Type");
    gsize len;
    const char *text = g_bytes_get_data(request->body, &len);
    if (len == 0)
        return TRUE;
    /* curl calls everything a form, and no form begins with a brace */
    if (text[0] != '{' && type != NULL &&
        g_ascii_strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0)
        return add_pairs(pairs, text, len, "form", error);
    return write_json_body(w, request, text, len, error);
}

gpointer
server_decode(const SlRecord *record, const SlHttpRequest *request, const SlHttpMatch *match,
              GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GPtrArray) pairs = g_ptr_array_new_with_free_func(g_free);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);

    sl_json_begin_object(&w);
    if (!write_body(&w, request, pairs, error) ||
        (request->query != NULL &&
         !add_pairs(pairs, request->query, strlen(request->query), "query", error)))
        return NULL;
    for (guint i = 0; i < match->n_params; i++) {
        const char *name = match->names[i];
        g_ptr_array_add(pairs, g_strndup(name, strcspn(name, "}")));
        g_ptr_array_add(pairs, g_strdup(match->values[i]));
    }
    write_pairs(&w, record, pairs);
    sl_json_end_object(&w);
    return sl_record_parse_text(record, text->str, text->len, error);
}
