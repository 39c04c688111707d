/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "worker-kit.h"

#include <string.h>

#include "sl-error.h"
#include "sl-manifest.h"
#include "sl-sql.h"

/* Those that fit are of one major version: the newest is the one that all others' manifests would
 * run on. */
static const SlDefinition *
choose(const GPtrArray *kits, const char *version)
{
    const SlDefinition *best = NULL;
    for (guint i = 0; i < kits->len; i++) {
        const SlDefinition *kit = kits->pdata[i];
        if (sl_manifest_runs_on(version, kit->kit_version) &&
            (best == NULL || sl_manifest_runs_on(best->kit_version, kit->kit_version)))
            best = kit;
    }
    return best;
}

gboolean
worker_kit_ensure(SlTx *tx, SlDefinition *definition, gint64 now, GError **error)
{
    g_autoptr(GPtrArray) kits = NULL;
    if (!sl_record_has(&sl_definition_record, definition, SL_DEFINITION_MANIFEST_VERSION) ||
        (definition->tree != NULL && *definition->tree != '\0'))
        return TRUE;
    if (!sl_sql_definition_list_kits(tx, &kits, error))
        return FALSE;
    const SlDefinition *kit = choose(kits, definition->docker_image_tag);
    if (kit == NULL) {
        g_autofree char *wanted = sl_manifest_requirement(definition->docker_image_tag);
        return sl_error_set(error, SL_ERROR_NOT_FOUND,
                            "this host has nothing that runs the manifest of '%s', which needs %s; "
                            "'sluicectl connector install pypi:" SL_MANIFEST_PACKAGE
                            "==VERSION' installs it",
                            definition->name, wanted);
    }
    g_free(definition->tree);
    definition->tree = g_strdup(kit->tree);
    return sl_sql_definition_set_kit(tx, definition->definition_id, kit->tree, kit->kit_version,
                                     now, NULL, error);
}
