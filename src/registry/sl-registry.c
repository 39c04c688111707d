/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-registry.h"

#include <string.h>

#include "sl-error.h"
#include "sl-http-client.h"
#include "sl-registry-read.h"
#include "sl-sql.h"

#define TIMEOUT_USEC (30 * (gint64)G_USEC_PER_SEC) /* of each wait */
#define MAX_FILE (64 * 1024 * 1024) /* twice the public one, like an answer's limit */

void
sl_registry_update_clear(SlRegistryUpdate *update)
{
    g_clear_pointer(&update->source, g_free);
}

/* --- where it comes from ---------------------------------------------------------------------- */

typedef struct {
    const char *source; /* NULL: nowhere */
    GBytes *text;       /* NULL: as it was */
    char *etag, *last_modified;
} Fetched;

static void
fetched_clear(Fetched *fetched)
{
    g_clear_pointer(&fetched->text, g_bytes_unref);
    g_clear_pointer(&fetched->etag, g_free);
    g_clear_pointer(&fetched->last_modified, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fetched, fetched_clear)

static gboolean
read_file(const char *path, Fetched *ret, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *text = NULL;
    gsize len = 0;
    ret->source = path;
    if (!g_file_get_contents(path, &text, &len, &cause))
        return sl_error_set(error, SL_ERROR_CONFIG, "%s", cause->message);
    if (len > MAX_FILE)
        return sl_error_set(error, SL_ERROR_TOO_LARGE, "%s: more than %d MiB", path,
                            MAX_FILE >> 20);
    ret->text = g_bytes_new_take(g_steal_pointer(&text), len);
    return TRUE;
}

static gboolean
ask(const char *url, const SlRegistryState *known, Fetched *ret, GError **error)
{
    const char *headers[5] = {NULL};
    guint n = 0;
    g_autoptr(SlHttpClient) client = sl_http_client_new("sluice/" PACKAGE_VERSION);
    g_autoptr(SlHttpUnixReply) reply = NULL;
    ret->source = url;
    if (known != NULL && known->etag != NULL) {
        headers[n++] = "If-None-Match";
        headers[n++] = known->etag;
    }
    if (known != NULL && known->last_modified != NULL) {
        headers[n++] = "If-Modified-Since";
        headers[n++] = known->last_modified;
    }
    if (!sl_http_client_request(client, "GET", url, headers, NULL, TIMEOUT_USEC, NULL, &reply,
                                error)) {
        g_prefix_error(error, "%s: ", url);
        return FALSE;
    }
    if (reply->status == 304 && known != NULL)
        return TRUE;
    if (reply->status != 200)
        return sl_error_set(error, SL_ERROR_UNAVAILABLE, "%s: answered with status %u", url,
                            reply->status);
    ret->text = g_bytes_ref(reply->body);
    ret->etag = g_strdup(g_hash_table_lookup(reply->headers, "etag"));
    ret->last_modified = g_strdup(g_hash_table_lookup(reply->headers, "last-modified"));
    return TRUE;
}

/* What is known helps only with the same address. */
static gboolean
fetch(const SlConfig *config, const SlRegistryState *known, Fetched *ret, GError **error)
{
    const char *file = config->registry_file, *url = config->registry_url;
    if (*file != '\0' && (g_file_test(file, G_FILE_TEST_EXISTS)))
        return read_file(file, ret, error);
    if (*url == '\0')
        return TRUE;
    return ask(url, known != NULL && g_strcmp0(known->source, url) == 0 ? known : NULL, ret, error);
}

/* --- into the database ------------------------------------------------------------------------ */

static const char *
or_empty_object(const char *json)
{
    return json != NULL ? json : "{}";
}

static gboolean
save_entry(SlTx *tx, const SlRegistryEntry *entry, gint64 now, gint64 *ret_saved, GError **error)
{
    static const char *const none[] = {NULL};
    const char *const *hosts = (const char *const *)entry->allowed_hosts;
    g_autofree char *allowed = sl_json_print_strings(hosts != NULL ? hosts : none);
    gint64 seconds = entry->max_seconds_between_messages, saved = 0;
    if (!sl_sql_registry_entry_save(
            tx, entry->definition_id, sl_enum_name(&sl_actor_type_enum, entry->actor_type),
            entry->name, entry->docker_repository, entry->docker_image_tag,
            entry->documentation_url, entry->icon, entry->support_level, entry->release_stage,
            entry->language, entry->pypi_package, entry->npm_package, allowed,
            or_empty_object(entry->resource_requirements), or_empty_object(entry->breaking_changes),
            seconds > 0 ? &seconds : NULL, entry->spec, entry->digest, entry->manifest_url, now,
            &saved, error)) {
        g_prefix_error(error, "connector '%s': ", entry->name);
        return FALSE;
    }
    *ret_saved += saved;
    return TRUE;
}

static gboolean
save_all(SlTx *tx, const GPtrArray *entries, gint64 now, SlRegistryUpdate *ret, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    for (guint i = 0; i < entries->len; i++) {
        const SlRegistryEntry *entry = entries->pdata[i];
        if (!save_entry(tx, entry, now, &ret->saved, error))
            return FALSE;
        g_ptr_array_add(ids, entry->definition_id);
    }
    g_ptr_array_add(ids, NULL);
    ret->entries = entries->len;
    return sl_sql_registry_entry_mark_removed(tx, (const char *const *)ids->pdata, now,
                                              &ret->removed, error);
}

static gboolean
save(SlDb *db, const Fetched *fetched, const char *digest, const GPtrArray *entries, gint64 now,
     SlRegistryUpdate *ret, GError **error)
{
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, error);
    return tx != NULL && sl_sql_registry_lock(tx, NULL, error) &&
           save_all(tx, entries, now, ret, error) &&
           sl_sql_registry_save(tx, fetched->source, fetched->etag, fetched->last_modified, digest,
                                ret->entries, now, NULL, error) &&
           sl_tx_commit(tx, error);
}

static gboolean
load_state(SlDb *db, SlRegistryState **ret, GError **error)
{
    g_autoptr(SlTx) tx = sl_db_begin(db, TRUE, error);
    return tx != NULL && sl_sql_registry_get(tx, ret, error);
}

static gboolean
mark_checked(SlDb *db, const char *source, gint64 now, GError **error)
{
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, error);
    return tx != NULL && sl_sql_registry_mark_checked(tx, source, now, NULL, error) &&
           sl_tx_commit(tx, error);
}

static gboolean
take(SlDb *db, const Fetched *fetched, const SlRegistryState *known, gint64 now,
     SlRegistryUpdate *ret, GError **error)
{
    gsize len = 0;
    const char *text = fetched->text != NULL ? g_bytes_get_data(fetched->text, &len) : NULL;
    g_autofree char *digest = fetched->text != NULL
                                  ? g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, fetched->text)
                                  : NULL;
    ret->unchanged = known != NULL && (text == NULL || g_str_equal(known->digest, digest));
    if (ret->unchanged) {
        ret->entries = known->entries;
        return mark_checked(db, fetched->source, now, error);
    }
    g_autoptr(GPtrArray) entries = sl_registry_read(text, len, error);
    if (entries == NULL) {
        g_prefix_error(error, "%s: ", fetched->source);
        return FALSE;
    }
    return save(db, fetched, digest, entries, now, ret, error);
}

gboolean
sl_registry_update(SlDb *db, const SlConfig *config, gint64 now, SlRegistryUpdate *ret,
                   GError **error)
{
    g_autoptr(SlRegistryState) known = NULL;
    g_auto(Fetched) fetched = {0};
    *ret = (SlRegistryUpdate){0};
    if (!sl_registry_check_runtimes(config->registry_runtimes, error) ||
        !load_state(db, &known, error) || !fetch(config, known, &fetched, error))
        return FALSE;
    ret->source = g_strdup(fetched.source);
    return fetched.source == NULL || take(db, &fetched, known, now, ret, error);
}
