/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-secret.h"

#include "sl-error.h"
#include "sl-id.h"
#include "sl-records.h"
#include "sl-sql.h"

typedef struct {
    SlTx *tx;
    const SlSealKey *key;
    const char *workspace_id;
    const char *actor_id;
    gint64 now;
    GPtrArray *rows; /* SlSecret: reading */
} Store;

/* What the seal is bound to: a row copied over another one does not open. */
static char *
context_of(const char *workspace_id, const char *secret_id)
{
    return g_strconcat(workspace_id, "/", secret_id, NULL);
}

char *
sl_secret_put(SlTx *tx, const SlSealKey *key, const char *workspace_id, const char *actor_id,
              const char *connection_id, const char *plain, gint64 now, GError **error)
{
    g_autofree char *id = sl_id_new();
    g_autofree char *context = context_of(workspace_id, id);
    g_autofree char *sealed = sl_seal(key, context, plain, error);
    if (sealed == NULL || !sl_sql_secret_add(tx, id, workspace_id, actor_id, connection_id,
                                             sl_seal_key_id(key), sealed, now, NULL, error))
        return NULL;
    return g_steal_pointer(&id);
}

static char *
put_sealed(const char *plain, gpointer data, GError **error)
{
    const Store *store = data;
    return sl_secret_put(store->tx, store->key, store->workspace_id, store->actor_id, NULL, plain,
                         store->now, error);
}

char *
sl_secret_store(SlTx *tx, const SlSealKey *key, const char *workspace_id, const char *actor_id,
                const char *config, const char *spec, const char *old_config, gint64 now,
                GError **error)
{
    Store store = {tx, key, workspace_id, actor_id, now, NULL};
    g_autofree char *stored = sl_secret_split(config, spec, old_config, put_sealed, &store, error);
    g_auto(GStrv) kept = stored != NULL ? sl_secret_list(stored, error) : NULL;
    if (kept == NULL ||
        (actor_id != NULL &&
         !sl_sql_secret_delete_unused(tx, actor_id, (const char *const *)kept, NULL, error)))
        return NULL;
    return g_steal_pointer(&stored);
}

static char *
get_plain(const char *secret_id, gpointer data, GError **error)
{
    const Store *store = data;
    for (guint i = 0; i < store->rows->len; i++) {
        const SlSecret *row = store->rows->pdata[i];
        if (g_strcmp0(row->secret_id, secret_id) != 0)
            continue;
        g_autofree char *context = context_of(row->workspace_id, secret_id);
        return sl_unseal(store->key, context, row->sealed, error);
    }
    sl_error_set(error, SL_ERROR_NOT_FOUND, "secret '%s' does not exist; enter it again",
                 secret_id);
    return NULL;
}

char *
sl_secret_resolve(SlTx *tx, const SlSealKey *key, const char *config, GError **error)
{
    Store store = {.tx = tx, .key = key};
    g_autoptr(GPtrArray) rows = NULL;
    g_auto(GStrv) ids = sl_secret_list(config, error);
    if (ids == NULL || !sl_sql_secret_list(tx, (const char *const *)ids, &rows, error))
        return NULL;
    store.rows = rows;
    return sl_secret_fill(config, get_plain, &store, error);
}

gboolean
sl_secret_wait_for_writers(SlDb *db, GError **error)
{
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, error);
    return tx != NULL && sl_sql_secret_wait_for_writers(tx, NULL, error) && sl_tx_commit(tx, error);
}

gboolean
sl_secret_reseal(SlTx *tx, const SlSealKey *key, guint limit, guint *ret_done, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    const char *key_id = sl_seal_key_id(key);
    *ret_done = 0;
    if (!sl_sql_secret_list_old(tx, sl_seal_key_ids(key) + 1, limit, &rows, error))
        return FALSE;
    for (guint i = 0; i < rows->len; i++) {
        const SlSecret *row = rows->pdata[i];
        g_autofree char *context = context_of(row->workspace_id, row->secret_id);
        g_autofree char *plain = sl_unseal(key, context, row->sealed, error);
        g_autofree char *sealed = plain != NULL ? sl_seal(key, context, plain, error) : NULL;
        if (sealed == NULL) {
            g_prefix_error(error, "secret '%s' (key %s): ", row->secret_id, row->key_id);
            return FALSE;
        }
        if (!sl_sql_secret_set_sealed(tx, row->secret_id, key_id, sealed, NULL, error))
            return FALSE;
    }
    *ret_done = rows->len;
    return TRUE;
}

gboolean
sl_secret_reseal_applications(SlTx *tx, const SlSealKey *key, guint limit, char **after,
                              guint *ret_done, guint *ret_lost, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!sl_sql_application_list_sealed(tx, *after, limit, &rows, error))
        return FALSE;
    g_clear_pointer(after, g_free);
    for (guint i = 0; i < rows->len; i++) {
        const SlApplicationRow *row = rows->pdata[i];
        const char *id = row->application_id;
        if (sl_seal_is_current(key, id, row->client_secret_sealed))
            continue;
        g_autofree char *plain = sl_unseal(key, id, row->client_secret_sealed, NULL);
        if (plain == NULL) {
            ++*ret_lost;
            continue;
        }
        g_autofree char *sealed = sl_seal(key, id, plain, error);
        if (sealed == NULL || !sl_sql_application_set_sealed(tx, id, sealed, NULL, error))
            return FALSE;
        ++*ret_done;
    }
    if (rows->len == limit)
        *after = g_strdup(((const SlApplicationRow *)rows->pdata[limit - 1])->application_id);
    return TRUE;
}

static gboolean
count_applications(SlTx *tx, const SlSealKey *key, SlSecretCount *ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!sl_sql_application_list_all_sealed(tx, &rows, error))
        return FALSE;
    for (guint i = 0; i < rows->len; i++) {
        const SlApplicationRow *row = rows->pdata[i];
        const char *id = row->application_id;
        if (sl_seal_is_current(key, id, row->client_secret_sealed)) {
            ret->current++;
            continue;
        }
        g_autofree char *plain = sl_unseal(key, id, row->client_secret_sealed, NULL);
        ++*(plain != NULL ? &ret->older : &ret->lost);
    }
    return TRUE;
}

gboolean
sl_secret_count(SlTx *tx, const SlSealKey *key, SlSecretCount *ret_secrets,
                SlSecretCount *ret_applications, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    *ret_secrets = *ret_applications = (SlSecretCount){0};
    if (!sl_sql_secret_count_by_key(tx, &rows, error))
        return FALSE;
    for (guint i = 0; i < rows->len; i++) {
        const SlSecretKeyCount *row = rows->pdata[i];
        if (g_strcmp0(row->key_id, sl_seal_key_id(key)) == 0)
            ret_secrets->current += row->secrets;
        else if (g_strv_contains(sl_seal_key_ids(key), row->key_id))
            ret_secrets->older += row->secrets;
        else
            ret_secrets->lost += row->secrets;
    }
    return count_applications(tx, key, ret_applications, error);
}
