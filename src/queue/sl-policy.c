/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-policy.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-read.h"
#include "sl-json-write.h"
#include "sl-sql.h"

/* A value as sluice.conf has it; NULL: it is no text, number or switch. */
static char *
value_text(const SlJsonNode *node)
{
    switch (node->type) {
    case SL_JSON_STRING:
        return sl_json_dup_string(node);
    case SL_JSON_NUMBER:
        return sl_json_dup_span(node);
    case SL_JSON_TRUE:
        return g_strdup("yes");
    case SL_JSON_FALSE:
        return g_strdup("no");
    default:
        return NULL;
    }
}

SlConfig *
sl_policy_apply(const SlConfig *host, const char *properties)
{
    SlConfig *own = sl_config_copy(host);
    g_autoptr(SlJsonDoc) doc = sl_json_read(properties, strlen(properties), NULL, NULL);
    if (doc == NULL)
        return own;
    SL_JSON_FOREACH (doc, sl_json_root(doc), key) {
        g_autoptr(GError) reason = NULL;
        g_autofree char *name = sl_json_dup_string(key), *value = value_text(key + 1);
        if (name != NULL && value != NULL && !sl_config_set_own(own, name, value, &reason))
            g_warning("A property of a connection: %s, ignoring", reason->message);
    }
    return own;
}

SlConfig *
sl_policy_load(SlTx *tx, const SlConfig *host, const char *connection_id, GError **error)
{
    g_autoptr(SlConnectionPolicy) policy = NULL;
    if (!sl_sql_connection_get_policy(tx, connection_id, &policy, error))
        return NULL;
    return policy != NULL ? sl_policy_apply(host, policy->properties) : sl_config_copy(host);
}

/* What one name is from now on: in *own, and in `names` while it has a value of its own. */
static gboolean
change(SlConfig *own, GHashTable *names, const SlJsonNode *key, GError **error)
{
    const SlJsonNode *node = key + 1;
    g_autofree char *name = sl_json_dup_string(key), *value = value_text(node);
    if (name == NULL || (value == NULL && node->type != SL_JSON_NULL))
        return sl_error_set(error, SL_ERROR_INVALID, "properties.%s: expected text, number or null",
                            name != NULL ? name : "");
    /* One that is taken away is judged by its name alone. */
    g_autofree char *judged = value != NULL ? g_strdup(value) : sl_config_get_own(own, name);
    if (!sl_config_set_own(own, name, judged != NULL ? judged : "", error)) {
        g_prefix_error(error, "properties.");
        return FALSE;
    }
    if (value != NULL)
        g_hash_table_add(names, g_steal_pointer(&name));
    else
        g_hash_table_remove(names, name);
    return TRUE;
}

/* Names that have a value of their own. */
static GHashTable *
names_of(const char *properties)
{
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(SlJsonDoc) doc = sl_json_read(properties, strlen(properties), NULL, NULL);
    if (doc != NULL)
        SL_JSON_FOREACH (doc, sl_json_root(doc), key) {
            g_autofree char *name = sl_json_dup_string(key);
            if (name != NULL && g_strv_contains(sl_config_own_keys(), name))
                g_hash_table_add(names, g_steal_pointer(&name));
        }
    return names;
}

static char *
print(const SlConfig *own, GHashTable *names)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    for (const char *const *name = sl_config_own_keys(); *name != NULL; name++) {
        g_autofree char *text = sl_config_get_own(own, *name);
        if (g_hash_table_contains(names, *name))
            sl_json_member_string(&w, *name, text);
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

char *
sl_policy_merge(const SlConfig *host, const char *properties, const char *changes, GError **error)
{
    g_autoptr(SlConfig) own = sl_policy_apply(host, properties);
    g_autoptr(GHashTable) names = names_of(properties);
    g_autoptr(SlJsonDoc) doc = sl_json_read(changes, strlen(changes), NULL, error);
    if (doc == NULL)
        return NULL;
    if (sl_json_root(doc)->type != SL_JSON_OBJECT) {
        sl_error_set(error, SL_ERROR_INVALID, "properties: expected object");
        return NULL;
    }
    SL_JSON_FOREACH (doc, sl_json_root(doc), key) {
        if (!change(own, names, key, error))
            return NULL;
    }
    g_autofree char *merged = print(own, names);
    /* What was taken away is the host's again. */
    g_autoptr(SlConfig) after = sl_policy_apply(host, merged);
    return sl_config_check_own(after, error) ? g_steal_pointer(&merged) : NULL;
}
