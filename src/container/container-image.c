/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "container-image.h"

#include <string.h>

#include "container-link.h"
#include "sl-error.h"
#include "sl-json-read.h"

#define PULL_USEC (60 * 60 * (gint64)G_USEC_PER_SEC)
#define NOTE_USEC (5 * G_USEC_PER_SEC)
#define CREDENTIAL "sluice-registry-auth"
#define DEFAULT_REGISTRY "docker.io"
#define MIB (1 << 20)

/* --- who asks ----------------------------------------------------------------------------------
 */

char *
container_image_registry(const char *reference)
{
    gsize len = strcspn(reference, "/");
    /* Without one of these it is the first part of a name on the default registry. */
    gboolean is_host =
        reference[len] == '/' &&
        (memchr(reference, '.', len) != NULL || memchr(reference, ':', len) != NULL ||
         (len == 9 && strncmp(reference, "localhost", len) == 0));
    return is_host ? g_strndup(reference, len) : g_strdup(DEFAULT_REGISTRY);
}

/* Keys are hosts, or addresses as Docker Hub's "https://index.docker.io/v1/". */
static gboolean
is_key_of(const char *key, const char *registry)
{
    const char *scheme = strstr(key, "://");
    const char *host = scheme != NULL ? scheme + 3 : key;
    gsize len = strcspn(host, "/");
    if (strcmp(registry, DEFAULT_REGISTRY) == 0 && len == strlen("index.docker.io") &&
        strncmp(host, "index.docker.io", len) == 0)
        return TRUE;
    return len == strlen(registry) && strncmp(host, registry, len) == 0;
}

static gboolean
split_auth(const char *coded, ContainerLogin *login)
{
    gsize len = 0;
    g_autofree char *plain = (char *)g_base64_decode(coded, &len);
    const char *colon = memchr(plain, ':', len);
    if (colon == NULL)
        return FALSE;
    login->username = g_strndup(plain, (gsize)(colon - plain));
    login->password = g_strndup(colon + 1, len - (gsize)(colon + 1 - plain));
    return TRUE;
}

static gboolean
read_login(const SlJsonDoc *doc, const SlJsonNode *node, ContainerLogin *login)
{
    g_autofree char *auth = sl_json_dup_string(sl_json_get(doc, node, "auth"));
    login->identity_token = sl_json_dup_string(sl_json_get(doc, node, "identitytoken"));
    if (auth != NULL && *auth != '\0')
        return split_auth(auth, login);
    login->username = sl_json_dup_string(sl_json_get(doc, node, "username"));
    login->password = sl_json_dup_string(sl_json_get(doc, node, "password"));
    return login->identity_token != NULL || (login->username != NULL && login->password != NULL);
}

gboolean
container_login_load(const char *path, const char *reference, ContainerLogin *ret, GError **error)
{
    g_autofree char *text = NULL, *registry = container_image_registry(reference);
    g_autoptr(GError) local = NULL;
    gsize len = 0;
    if (!g_file_get_contents(path, &text, &len, &local))
        return g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
               sl_error_set(error, SL_ERROR_CONFIG, "credential '" CREDENTIAL "': %s",
                            local->message);
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, len, NULL, &local);
    const SlJsonNode *auths = doc != NULL ? sl_json_get(doc, sl_json_root(doc), "auths") : NULL;
    if (auths == NULL || auths->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_CONFIG,
                            "credential '" CREDENTIAL "': expected {\"auths\": {REGISTRY: …}}%s%s",
                            local != NULL ? ": " : "", local != NULL ? local->message : "");
    SL_JSON_FOREACH (doc, auths, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL || !is_key_of(name, registry))
            continue;
        ret->server = g_steal_pointer(&name);
        return read_login(doc, key + 1, ret) ||
               sl_error_set(error, SL_ERROR_CONFIG,
                            "credential '" CREDENTIAL "': auths.%s: expected 'auth' (USER:PASSWORD "
                            "in base64), 'username' and 'password', or 'identitytoken'",
                            ret->server);
    }
    return TRUE;
}

void
container_login_clear(ContainerLogin *login)
{
    g_free(login->username);
    g_free(login->password);
    g_free(login->identity_token);
    g_free(login->server);
    *login = (ContainerLogin){0};
}

/* --- pulling -----------------------------------------------------------------------------------
 */

typedef struct {
    int peer;
    const char *reference;
    GHashTable *layers; /* id → Layer */
    gint64 noted_at;
} Pull;

typedef struct {
    gint64 current, total;
    gboolean done;
} Layer;

static gboolean
is_done(const char *status)
{
    static const char *const words[] = {"Pull complete", "Already exists", "Download complete"};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(status, words[i]) == 0)
            return TRUE;
    return FALSE;
}

static void
on_progress(const SlEngineProgress *progress, gpointer user_data)
{
    Pull *pull = user_data;
    guint done = 0;
    gint64 current = 0, total = 0, now = g_get_monotonic_time();
    if (progress->id != NULL && progress->total > 0) {
        Layer *layer = g_hash_table_lookup(pull->layers, progress->id);
        if (layer == NULL) {
            layer = g_new0(Layer, 1);
            g_hash_table_insert(pull->layers, g_strdup(progress->id), layer);
        }
        layer->current = progress->current;
        layer->total = progress->total;
    } else if (progress->id != NULL && is_done(progress->status)) {
        Layer *layer = g_hash_table_lookup(pull->layers, progress->id);
        if (layer != NULL) {
            layer->done = TRUE;
            layer->current = layer->total;
        }
    }
    if (now - pull->noted_at < NOTE_USEC)
        return;
    pull->noted_at = now;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, pull->layers);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Layer *layer = value;
        done += layer->done;
        current += layer->current;
        total += layer->total;
    }
    if (total > 0) /* Podman counts nothing */
        container_link_note(
            pull->peer,
            "pulling image '%s': %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " MiB, %u of %u layers",
            pull->reference, current / MIB, total / MIB, done, g_hash_table_size(pull->layers));
    else
        container_link_note(pull->peer, "pulling image '%s': %s", pull->reference,
                            progress->status);
}

/* In words that say what to do; the engine's own follow. */
static const char *
explain(const GError *error)
{
    static const struct {
        SlErrorCode code;
        const char *part; /* of the text, in lower case; NULL: any */
        const char *meaning;
    } rows[] = {
        {SL_ERROR_FAILED, "no space left", "the disk on which the engine keeps images is full"},
        {SL_ERROR_FORBIDDEN, NULL,
         "its registry refuses it; sluice-container(8) says how credentials are given"},
        {SL_ERROR_NOT_FOUND, NULL,
         "there is none of this name, or its registry wants credentials (sluice-container(8))"},
        {SL_ERROR_CONFLICT, NULL, "what the engine has under this name is another image"},
        {SL_ERROR_UNAVAILABLE, NULL, "its registry, or the engine, cannot be reached"},
        {SL_ERROR_TIMED_OUT, NULL, "pulling it takes too long"},
    };
    g_autofree char *lower = g_ascii_strdown(error->message, -1);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_error_matches(error, SL_ERROR, rows[i].code) &&
            (rows[i].part == NULL || strstr(lower, rows[i].part) != NULL))
            return rows[i].meaning;
    return NULL;
}

static SlEngineImage *
pull(SlEngine *engine, const char *reference, int peer, GError **error)
{
    g_auto(ContainerLogin) login = {0};
    g_autoptr(GHashTable) layers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const char *folder = g_getenv("CREDENTIALS_DIRECTORY");
    Pull state = {peer, reference, layers, g_get_monotonic_time()};
    if (folder != NULL) {
        g_autofree char *path = g_build_filename(folder, CREDENTIAL, NULL);
        if (!container_login_load(path, reference, &login, error))
            return NULL;
    }
    const SlEngineLogin wire = {login.username, login.password, login.identity_token, login.server};
    gint64 began = g_get_monotonic_time();
    container_link_note(peer, "pulling image '%s' by %s%s", reference, sl_engine_get_name(engine),
                        login.server != NULL ? ", with credentials" : "");
    SlEngineImage *image =
        sl_engine_ensure_image(engine, reference, login.server != NULL ? &wire : NULL,
                               began + PULL_USEC, on_progress, &state, error);
    if (image != NULL)
        container_link_note(peer, "image '%s' was pulled in %.1f s", reference,
                            (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC);
    return image;
}

SlEngineImage *
container_image_ensure(SlEngine *engine, const char *reference, int peer, GError **error)
{
    g_autoptr(GError) local = NULL;
    SlEngineImage *image = sl_engine_inspect_image(engine, reference, &local);
    if (image == NULL && g_error_matches(local, SL_ERROR, SL_ERROR_NOT_FOUND)) {
        g_clear_error(&local);
        image = pull(engine, reference, peer, &local);
    } else if (image != NULL) {
        /* There already: what remains is the look at its digest. */
        sl_engine_image_free(image);
        image = sl_engine_ensure_image(engine, reference, NULL, 0, NULL, NULL, &local);
    }
    if (image != NULL)
        return image;
    const char *meaning = explain(local);
    if (meaning != NULL)
        g_set_error(error, SL_ERROR, local->code, "image '%s': %s (%s)", reference, meaning,
                    local->message);
    else
        g_propagate_error(error, g_steal_pointer(&local));
    return NULL;
}

/* --- what it runs ------------------------------------------------------------------------------
 */

GStrv
container_image_command(const SlEngineImage *image, GError **error)
{
    static const char prefix[] = "AIRBYTE_ENTRYPOINT=";
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_strv_builder_addv(words, (const char **)image->entrypoint);
    g_strv_builder_addv(words, (const char **)image->cmd);
    g_auto(GStrv) own = g_strv_builder_end(words);
    if (own[0] != NULL)
        return g_steal_pointer(&own);
    for (char **entry = image->env; *entry != NULL; entry++) {
        g_auto(GStrv) parsed = NULL;
        if (g_str_has_prefix(*entry, prefix) &&
            g_shell_parse_argv(*entry + strlen(prefix), NULL, &parsed, NULL))
            return g_steal_pointer(&parsed);
    }
    sl_error_set(error, SL_ERROR_CONNECTOR,
                 "the image says no program: it has no entrypoint, no command and no "
                 "AIRBYTE_ENTRYPOINT");
    return NULL;
}
