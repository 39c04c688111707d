/* SPDX-License-Identifier: Apache-2.0 */
/* Connectors that are a manifest: read and judged here, run by an environment of airbyte-cdk that
 * all manifests of the same major version share. */
#include "config.h"
#include "ctl-manifest.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#include "ctl-install.h"
#include "ctl-object.h"
#include "ctl-pypi.h"
#include "sl-config.h"
#include "sl-error.h"
#include "sl-http-client.h"
#include "sl-manifest.h"
#include "sl-yaml.h"

#define FETCH_USEC (30 * (gint64)G_USEC_PER_SEC) /* of each wait */

/* --- the manifest --------------------------------------------------------------------------------
 */

/* As JSON, judged; errors begin with where it is from. */
static char *
read_manifest(const char *text, gsize len, const char *where, GError **error)
{
    gsize blank = strspn(text, " \t\r\n");
    g_autofree char *json =
        text[blank] == '{' ? g_strndup(text, len) : sl_yaml_to_json(text, len, error);
    g_autoptr(SlJsonDoc) doc = json != NULL ? sl_json_read(json, strlen(json), NULL, error) : NULL;
    if (doc != NULL && sl_manifest_check(doc, error))
        return g_steal_pointer(&json);
    g_prefix_error(error, "%s: ", where);
    return NULL;
}

/* Code of its own: run only when the caller says which code it has read. */
static gboolean
check_consent(Ctl *ctl, CtlRegistration *r, const SlJsonDoc *doc, GError **error)
{
    const char *consent = ctl_option(ctl, CTL_OPT_CONSENT);
    g_autofree char *place = sl_manifest_find_code(doc);
    if (r->components == NULL && place != NULL)
        return sl_error_set(error, SL_ERROR_FORBIDDEN,
                            _("'%s' is made by Python code that is not in the manifest; name the "
                              "file by --components=FILE"),
                            place);
    if (r->components == NULL)
        return consent == NULL || ctl_set_usage_error(error, _("--consent: there is no code"));
    r->components_sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, r->components, -1);
    if (consent == NULL)
        return sl_error_set(error, SL_ERROR_FORBIDDEN,
                            _("the connector brings Python code, which will see its secrets and "
                              "records. Read it; '--consent=%s' then says that exactly this code "
                              "may run"),
                            r->components_sha256);
    return g_ascii_strcasecmp(consent, r->components_sha256) == 0 ||
           sl_error_set(error, SL_ERROR_FORBIDDEN,
                        _("--consent: the SHA-256 of the code is %s, not %s; nothing was "
                          "installed"),
                        r->components_sha256, consent);
}

static gboolean
read_components(const char *path, CtlRegistration *r, GError **error)
{
    gsize len;
    g_autofree char *text = ctl_read_file(path, &len, error);
    if (text == NULL)
        return FALSE;
    if (len == 0 || strlen(text) != len || !g_utf8_validate(text, (gssize)len, NULL))
        return sl_error_set(error, SL_ERROR_INVALID, _("'%s' is no Python code"), path);
    r->components = g_steal_pointer(&text);
    return TRUE;
}

/* --- the environment -----------------------------------------------------------------------------
 */

/* The newest that is here already and fits; NULL: none. */
static const CtlObject *
find_kit(const GPtrArray *connectors, const char *version)
{
    const CtlObject *best = NULL;
    g_autofree char *best_version = NULL;
    for (guint i = 0; i < connectors->len; i++) {
        const CtlObject *one = g_ptr_array_index(connectors, i);
        const SlJsonNode *root = sl_json_root(one->doc);
        g_autofree char *kit = ctl_json_string(one->doc, root, "kitVersion");
        g_autofree char *tree = ctl_json_string(one->doc, root, "tree");
        if (!sl_manifest_runs_on(version, kit) || access(tree, F_OK) != 0 ||
            (best != NULL && !sl_manifest_runs_on(best_version, kit)))
            continue;
        best = one;
        g_free(best_version);
        best_version = g_steal_pointer(&kit);
    }
    return best;
}

/* *ret_made: NULL when it was here. */
static gboolean
ensure_kit(Ctl *ctl, const char *version, CtlRegistration *r, CtlPypi **ret_made, GError **error)
{
    g_autoptr(GPtrArray) connectors = ctl_object_list(ctl, CTL_KINDS_CONNECTOR, error);
    const CtlObject *kit = connectors != NULL ? find_kit(connectors, version) : NULL;
    if (connectors == NULL)
        return FALSE;
    if (kit != NULL) {
        r->tree = ctl_json_string(kit->doc, sl_json_root(kit->doc), "tree");
        r->kit_version = ctl_json_string(kit->doc, sl_json_root(kit->doc), "kitVersion");
        return TRUE;
    }
    g_autofree char *requirement = sl_manifest_requirement(version);
    *ret_made = ctl_pypi_build(ctl, requirement, error);
    if (*ret_made == NULL)
        return FALSE;
    r->tree = g_strdup((*ret_made)->tree);
    r->kit_version = g_strdup((*ret_made)->version);
    return TRUE;
}

/* --- install -------------------------------------------------------------------------------------
 */

static CtlExit
install(Ctl *ctl, CtlRegistration *r, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(r->manifest, strlen(r->manifest), NULL, error);
    g_autoptr(CtlPypi) made = NULL;
    g_autofree char *version = doc != NULL ? sl_manifest_version(doc) : NULL;
    /* What is wrong with it first, then the server: a build of minutes must not end at either. */
    if (doc == NULL || !check_consent(ctl, r, doc, error) || ctl_workspace(ctl, error) == NULL ||
        !ensure_kit(ctl, version, r, &made, error))
        return CTL_EXIT_FAILED;
    r->type = "source";
    r->runtime = "manifest";
    r->command = g_strdup(CTL_PYPI_MODULE);
    if (ctl_register_connector(ctl, r, error))
        return CTL_EXIT_OK;
    if (made != NULL)
        ctl_pypi_undo(made);
    return CTL_EXIT_FAILED;
}

/* "source-shop" of ".../shop.yaml" and of "source-shop/manifest.yaml". */
static char *
name_of(const char *path)
{
    g_autofree char *real = g_canonicalize_filename(path, NULL);
    g_autofree char *base = g_path_get_basename(real);
    char *dot = strrchr(base, '.');
    if (dot != NULL && dot != base)
        *dot = '\0';
    if (strcmp(base, "manifest") == 0) {
        g_autofree char *folder = g_path_get_dirname(real);
        g_free(base);
        base = g_path_get_basename(folder);
    }
    g_autofree char *plain = g_ascii_strdown(base, -1);
    g_strcanon(plain, "abcdefghijklmnopqrstuvwxyz0123456789-", '-');
    return g_str_has_prefix(plain, "source-") ? g_steal_pointer(&plain)
                                              : g_strconcat("source-", plain, NULL);
}

/* A file has no version; what it says tells one from the next. */
static void
name_registration(Ctl *ctl, const char *path, CtlRegistration *r)
{
    const char *name = ctl_option(ctl, CTL_OPT_NAME);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, r->manifest, -1);
    g_autofree char *short_name = name_of(name != NULL ? name : path);
    r->name = g_strdup(name != NULL ? name : short_name);
    r->repository = g_strconcat("manifest/", short_name, NULL);
    r->version = g_strndup(sum, 12);
}

/* --- where it is from ----------------------------------------------------------------------------
 */

/* A manifest says where secrets are sent: nobody on the way may change it. */
static gboolean
is_safe(const char *url)
{
    return g_str_has_prefix(url, "https://") || g_str_has_prefix(url, "http://127.0.0.1:") ||
           g_str_has_prefix(url, "http://localhost:");
}

static char *
fetch(const char *url, gsize *ret_len, GError **error)
{
    g_autoptr(SlHttpClient) client = sl_http_client_new("sluicectl/" PACKAGE_VERSION);
    g_autoptr(SlHttpUnixReply) reply = NULL;
    if (!is_safe(url)) {
        sl_error_set(error, SL_ERROR_INVALID, _("%s: manifests are fetched by HTTPS only"), url);
        return NULL;
    }
    if (!sl_http_client_request(client, "GET", url, NULL, NULL, FETCH_USEC, NULL, &reply, error)) {
        g_prefix_error(error, "%s: ", url);
        return NULL;
    }
    if (reply->status != 200) {
        sl_error_set(error, SL_ERROR_UNAVAILABLE, _("%s: answered with status %u"), url,
                     reply->status);
        return NULL;
    }
    const char *bytes = g_bytes_get_data(reply->body, ret_len);
    return g_strndup(bytes != NULL ? bytes : "", *ret_len);
}

static gboolean
is_named(const SlJsonDoc *doc, const SlJsonNode *item, const char *word)
{
    g_autofree char *id = ctl_json_string(doc, item, "definitionId");
    g_autofree char *repository = ctl_json_string(doc, item, "dockerRepository");
    g_autofree char *type = ctl_json_string(doc, item, "actorType");
    const char *slash = strrchr(repository, '/');
    const char *base = slash != NULL ? slash + 1 : repository;
    return strcmp(type, "source") == 0 &&
           (strcmp(id, word) == 0 || strcmp(repository, word) == 0 || strcmp(base, word) == 0 ||
            (g_str_has_prefix(base, "source-") && strcmp(base + strlen("source-"), word) == 0));
}

/* The address that the registry says, or that [Registry] Manifests= makes of it. */
static char *
address_of(const SlJsonDoc *doc, const SlJsonNode *item, GError **error)
{
    g_autofree char *url = ctl_json_string(doc, item, "manifestUrl");
    g_autofree char *language = ctl_json_string(doc, item, "language");
    if (*url != '\0')
        return g_steal_pointer(&url);
    g_autofree char *repository = ctl_json_string(doc, item, "dockerRepository");
    g_autofree char *version = ctl_json_string(doc, item, "version");
    g_autoptr(SlConfig) config = sl_config_load(NULL, error);
    if (config == NULL)
        return NULL;
    if (strcmp(language, "manifest-only") != 0 || *config->registry_manifests == '\0') {
        sl_error_set(error, SL_ERROR_NOT_FOUND,
                     _("the registry has no manifest of '%s', which is of the language '%s'"),
                     repository, language);
        return NULL;
    }
    g_autoptr(GString) made = g_string_new(config->registry_manifests);
    g_string_replace(made, "{repository}", repository, 0);
    g_string_replace(made, "{version}", version, 0);
    return g_string_free(g_steal_pointer(&made), FALSE);
}

/* What the registry says of it becomes the registration; *ret_url is where its manifest is. */
static gboolean
find_offer(Ctl *ctl, const char *word, CtlRegistration *r, char **ret_url, GError **error)
{
    g_autofree char *escaped = g_uri_escape_string(word, NULL, FALSE);
    g_autofree char *path =
        g_strdup_printf(CTL_SLUICE "/registry?limit=1000&offset=0&actorType=source%s%s",
                        g_uuid_string_is_valid(word) ? "" : "&search=",
                        g_uuid_string_is_valid(word) ? "" : escaped);
    g_autoptr(SlJsonDoc) page = ctl_api_get(ctl->api, path, error);
    if (page == NULL)
        return FALSE;
    SL_JSON_FOREACH (page, sl_json_get(page, sl_json_root(page), "data"), item) {
        if (!is_named(page, item, word))
            continue;
        const char *name = ctl_option(ctl, CTL_OPT_NAME);
        r->name = name != NULL ? g_strdup(name) : ctl_json_string(page, item, "name");
        r->repository = ctl_json_string(page, item, "dockerRepository");
        r->version = ctl_json_string(page, item, "version");
        r->alias = ctl_json_string(page, item, "definitionId");
        *ret_url = address_of(page, item, error);
        return *ret_url != NULL;
    }
    return sl_error_set(error, SL_ERROR_NOT_FOUND,
                        _("'%s' is no file, and no source of the registry; 'sluicectl connector "
                          "search' shows what there is"),
                        word);
}

/* Anything else is a name of the registry. */
static gboolean
is_file(const char *where)
{
    static const char *const suffixes[] = {".yaml", ".yml", ".json"};
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++)
        if (g_str_has_suffix(where, suffixes[i]))
            return TRUE;
    return *where == '/' || *where == '.' || access(where, F_OK) == 0;
}

static gboolean
find_manifest(Ctl *ctl, const char *where, CtlRegistration *r, GError **error)
{
    gboolean is_url = strstr(where, "://") != NULL;
    g_autofree char *url = is_url ? g_strdup(where) : NULL, *text = NULL;
    gsize len = 0;
    if (!is_url && !is_file(where) && !find_offer(ctl, where, r, &url, error))
        return FALSE;
    text = url != NULL ? fetch(url, &len, error) : ctl_read_file(where, &len, error);
    r->manifest = text != NULL ? read_manifest(text, len, url != NULL ? url : where, error) : NULL;
    if (r->manifest != NULL && r->repository == NULL)
        name_registration(ctl, where, r);
    return r->manifest != NULL;
}

CtlExit
ctl_manifest_install(Ctl *ctl, const char *where, GError **error)
{
    g_auto(CtlRegistration) r = {0};
    const char *components = ctl_option(ctl, CTL_OPT_COMPONENTS);
    const char *type = ctl_option(ctl, CTL_OPT_TYPE);
    if (type != NULL && strcmp(type, "source") != 0) {
        ctl_set_usage_error(error, _("--type=%s: a manifest is a source"), type);
        return CTL_EXIT_USAGE;
    }
    if (!find_manifest(ctl, where, &r, error) ||
        (components != NULL && !read_components(components, &r, error)))
        return CTL_EXIT_FAILED;
    return install(ctl, &r, error);
}
