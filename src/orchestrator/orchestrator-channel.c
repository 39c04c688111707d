/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-channel.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "sl-error.h"
#include "sl-init-wire.h"

/* The one whose frames we can read. With JSONL any will do that both name. */
#define VERSION "0.0.2"
/* The names that the destination is given are its own already. */
#define NO_MAPPING                                                                                 \
    "{\"namespaceDefinitionType\":\"source\",\"namespaceFormat\":\"${SOURCE_NAMESPACE}\","         \
    "\"streamPrefix\":\"\"}"

/* --- which --------------------------------------------------------------------------------- */

static const SlJsonNode *
get_option(const OrchestratorInput *input, OrchestratorRole role, const char *key)
{
    const SlJsonNode *options = input->ipc_options[role];
    return options == NULL ? NULL : sl_json_get_path(input->doc, options, "dataChannel", key, NULL);
}

static gboolean
lists(const OrchestratorInput *input, OrchestratorRole role, const char *key, const char *word)
{
    const SlJsonNode *list = get_option(input, role, key);
    if (list == NULL || list->type != SL_JSON_ARRAY)
        return FALSE;
    SL_JSON_FOREACH (input->doc, list, item) {
        if (item->type == SL_JSON_STRING && sl_json_string_is(item, word))
            return TRUE;
    }
    return FALSE;
}

static gboolean
both_list(const OrchestratorInput *input, const char *key, const char *word)
{
    return lists(input, ORCHESTRATOR_SOURCE, key, word) &&
           lists(input, ORCHESTRATOR_DESTINATION, key, word);
}

/* What it lists first. */
static gboolean
prefers_pipes(const OrchestratorInput *input, OrchestratorRole role)
{
    const SlJsonNode *list = get_option(input, role, "supportedTransport");
    const SlJsonNode *first = sl_json_at(input->doc, list, 0);
    return first->type == SL_JSON_STRING && sl_json_string_is(first, "STDIO");
}

OrchestratorChannel
orchestrator_channel_choose(const OrchestratorInput *input, guint n, const char **ret_why)
{
    const SlJsonNode *source = get_option(input, ORCHESTRATOR_SOURCE, "version");
    const SlJsonNode *destination = get_option(input, ORCHESTRATOR_DESTINATION, "version");
    OrchestratorChannel channel = {.n = n};
    *ret_why = NULL;
    if (input->is_reset || n == 0 || source == NULL || destination == NULL ||
        !both_list(input, "supportedTransport", "SOCKET") ||
        (prefers_pipes(input, ORCHESTRATOR_SOURCE) &&
         prefers_pipes(input, ORCHESTRATOR_DESTINATION)))
        return channel;
    g_autofree char *a = sl_json_dup_string(source), *b = sl_json_dup_string(destination);
    gboolean frames = both_list(input, "supportedSerialization", "PROTOBUF");
    gboolean lines = both_list(input, "supportedSerialization", "JSONL");
    if (a == NULL || g_strcmp0(a, b) != 0)
        *ret_why = "their data channels have different versions";
    else if (!frames && !lines)
        *ret_why = "they have no serialization in common";
    else if (!g_str_equal(a, VERSION) && !lines)
        *ret_why = "their data channel has a version that we do not know";
    else
        channel.sockets = TRUE;
    channel.frames = channel.sockets && frames && g_str_equal(a, VERSION);
    return channel;
}

/* --- where --------------------------------------------------------------------------------- */

/* Everybody who can see the folder is this connector; it runs under a user that we do not know. */
static gboolean
make_folder(const char *folder, GError **error)
{
    if (mkdir(folder, 0755) < 0 && errno != EEXIST)
        return sl_error_set_errno(error, errno, "making the folder %s", folder);
    return chmod(folder, 01777) == 0 ||
           sl_error_set_errno(error, errno, "setting the mode of %s", folder);
}

gboolean
orchestrator_channel_equip(const OrchestratorChannel *channel, OrchestratorStarter *starter,
                           OrchestratorConnector *connector, char ***ret_paths, GError **error)
{
    OrchestratorRole role = orchestrator_connector_get_role(connector);
    g_autofree char *ours = orchestrator_starter_data(starter, role, FALSE);
    g_autofree char *theirs = orchestrator_starter_data(starter, role, TRUE);
    g_autoptr(GString) list = g_string_new(NULL);
    char **paths = g_new0(char *, channel->n + 1);
    *ret_paths = paths;
    for (guint i = 0; i < channel->n; i++) {
        paths[i] = g_strdup_printf("%s/%u.sock", ours, i + 1);
        g_string_append_printf(list, "%s%s/%u.sock", i > 0 ? "," : "", theirs, i + 1);
    }
    if (!make_folder(ours, error) ||
        !orchestrator_connector_add_env(connector, "DATA_CHANNEL_MEDIUM", "SOCKET", error) ||
        !orchestrator_connector_add_env(connector, "DATA_CHANNEL_FORMAT",
                                        channel->frames ? "PROTOBUF" : "JSONL", error) ||
        !orchestrator_connector_add_env(connector, "DATA_CHANNEL_SOCKET_PATHS", list->str, error))
        return FALSE;
    if (role == ORCHESTRATOR_SOURCE) /* its sockets are for us, and it may not know that */
        return orchestrator_connector_add_env(connector, SL_INIT_UMASK, "0", error);
    g_autoptr(GBytes) mapping = g_bytes_new_static(NO_MAPPING, strlen(NO_MAPPING));
    g_autofree char *path = NULL;
    return orchestrator_connector_put_file(connector, "namespace-mapping.json", mapping, &path,
                                           error) &&
           orchestrator_connector_add_env(connector, "NAMESPACE_MAPPING_CONFIG_PATH", path, error);
}
