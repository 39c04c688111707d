/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "bootloader-seed.h"

#include <string.h>

#include "sl-error.h"
#include "sl-records.h"
#include "sl-sql.h"

/* What the schema of a definition leaves open, but a shipped file must have. */
static gboolean
check(const SlDefinition *definition, GError **error)
{
    const struct {
        const char *name;
        gconstpointer value;
    } needed[] = {
        {"definitionId", definition->definition_id},
        {"name", definition->name},
        {"runtime", definition->runtime},
        {"command", definition->command},
        {"dockerRepository", definition->docker_repository},
        {"dockerImageTag", definition->docker_image_tag},
        {"spec", definition->spec},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(needed); i++)
        if (needed[i].value == NULL)
            return sl_error_set(error, SL_ERROR_CONFIG, "'%s' is missing", needed[i].name);
    return definition->command[0] != NULL ||
           sl_error_set(error, SL_ERROR_CONFIG, "'command' is empty");
}

static gboolean
seed_definition(SlTx *tx, const char *path, gint64 now, GError **error)
{
    g_autofree char *text = NULL;
    gsize len;
    if (!g_file_get_contents(path, &text, &len, error))
        return FALSE;
    g_autoptr(SlDefinition) d = sl_record_parse_text(&sl_definition_record, text, len, error);
    if (d == NULL || !check(d, error)) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    static const char *const none[] = {NULL};
    g_autofree char *command = sl_json_print_strings((const char *const *)d->command);
    return sl_sql_definition_seed(
        tx, d->definition_id, d->name, sl_enum_name(&sl_actor_type_enum, d->actor_type), d->runtime,
        command, d->docker_repository, d->docker_image_tag,
        d->documentation_url != NULL ? d->documentation_url : "", (const char *const *)d->aliases,
        d->alias_repositories != NULL ? (const char *const *)d->alias_repositories : none, d->spec,
        d->supports_refreshes, d->limits != NULL ? d->limits : "{}",
        d->ipc_options != NULL ? d->ipc_options : "{}", now, NULL, error);
}

static gboolean
seed_folder(SlTx *tx, const char *folder, gint64 now, guint *ret_definitions, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (!g_str_has_suffix(name, ".json"))
            continue;
        if (!seed_definition(tx, path, now, error))
            return FALSE;
        (*ret_definitions)++;
    }
    return TRUE;
}

gboolean
bootloader_seed(SlDb *db, const char *folder, gint64 now, guint *ret_definitions, GError **error)
{
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, error);
    *ret_definitions = 0;
    return tx != NULL &&
           sl_sql_organization_seed(tx, BOOTLOADER_ORGANIZATION, "Default Organization", now, NULL,
                                    error) &&
           sl_sql_workspace_seed(tx, BOOTLOADER_WORKSPACE, BOOTLOADER_ORGANIZATION,
                                 "Default Workspace", now, NULL, error) &&
           seed_folder(tx, folder, now, ret_definitions, error) && sl_tx_commit(tx, error);
}
