/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-manifest.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-write.h"
#include "sl-trace.h"

#define INJECTED_MANIFEST SL_INJECTED_PREFIX "declarative_manifest"
#define INJECTED_CODE SL_INJECTED_PREFIX "components_py"
#define INJECTED_SUMS SL_INJECTED_PREFIX "components_py_checksums"

/* Here, before every run: what is in the database may have changed since the consent. */
static gboolean
check_code(const OrchestratorInput *input, OrchestratorRole role, GError **error)
{
    const char *code = input->components[role];
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, code, -1);
    return g_strcmp0(sum, input->components_sha256[role]) == 0 ||
           sl_error_set(error, SL_ERROR_FORBIDDEN,
                        "the %s's own code (components) is not what the administrator has "
                        "consented to: its SHA-256 is %s, not %s",
                        orchestrator_role_name(role), sum,
                        input->components_sha256[role] != NULL ? input->components_sha256[role]
                                                               : "given");
}

static void
write_code(const OrchestratorInput *input, OrchestratorRole role, SlJsonWriter *w)
{
    sl_json_member_string(w, INJECTED_CODE, input->components[role]);
    sl_json_key(w, INJECTED_SUMS);
    sl_json_begin_object(w);
    sl_json_member_string(w, "sha256", input->components_sha256[role]);
    sl_json_end_object(w);
}

/* A user's own members of these names would be a manifest that nobody has installed. */
static void
write_configuration(const OrchestratorInput *input, OrchestratorRole role, SlJsonWriter *w)
{
    SL_JSON_FOREACH (input->doc, input->configurations[role], key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL || g_str_has_prefix(name, SL_INJECTED_PREFIX))
            continue;
        sl_json_key(w, name);
        sl_json_node(w, key + 1);
    }
}

GBytes *
orchestrator_manifest_configure(const OrchestratorInput *input, OrchestratorRole role,
                                OrchestratorConnector *connector, GError **error)
{
    const SlJsonNode *configuration = input->configurations[role];
    if (input->manifests[role] == NULL)
        return g_bytes_new(configuration->p, configuration->n);
    if (input->components[role] != NULL &&
        (!check_code(input, role, error) ||
         !orchestrator_connector_add_env(connector, "AIRBYTE_ENABLE_UNSAFE_CODE", "true", error)))
        return NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    write_configuration(input, role, &w);
    sl_json_key(&w, INJECTED_MANIFEST);
    sl_json_node(&w, input->manifests[role]);
    if (input->components[role] != NULL)
        write_code(input, role, &w);
    sl_json_end_object(&w);
    return g_string_free_to_bytes(g_steal_pointer(&out));
}
