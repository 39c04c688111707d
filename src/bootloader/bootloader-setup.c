/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "bootloader-setup.h"

#include <string.h>

#include "sl-id.h"
#include "sl-sql.h"

/* The account that the migration makes. */
#define ADMINISTRATOR "00000000-0000-0000-0000-000000000000"

gboolean
bootloader_setup_link(SlDb *db, const char *public_url, gint64 now, gint64 expires, char **ret,
                      GError **error)
{
    gsize len = strlen(public_url);
    gint64 made = 0;
    g_autofree char *token = sl_id_new_secret(error);
    g_autoptr(SlTx) tx = token != NULL ? sl_db_begin(db, FALSE, error) : NULL;
    if (tx == NULL)
        return FALSE;
    g_autofree char *nothing = NULL;
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, token, -1);
    if (!sl_sql_setup_token_serialize(tx, &nothing, error) ||
        !sl_sql_setup_token_seed(tx, hash, ADMINISTRATOR, now, expires, &made, error) ||
        !sl_tx_commit(tx, error))
        return FALSE;
    while (len > 0 && public_url[len - 1] == '/')
        len--;
    /* behind '#', so that it gets into no log of a proxy */
    if (made > 0)
        *ret = g_strdup_printf("%.*s/setup#token=%s", (int)len, public_url, token);
    return TRUE;
}
