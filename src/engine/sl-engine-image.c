/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-engine-private.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-write.h"

void
sl_engine_image_free(SlEngineImage *image)
{
    if (image == NULL)
        return;
    g_free(image->id);
    g_strfreev(image->repo_digests);
    g_strfreev(image->entrypoint);
    g_strfreev(image->cmd);
    g_strfreev(image->env);
    g_free(image->user);
    g_free(image->working_dir);
    g_free(image);
}

gboolean
sl_engine_check_reference(const char *reference, GError **error)
{
    static GRegex *pattern = NULL;
    if (g_once_init_enter(&pattern)) {
        GRegex *regex = g_regex_new("^[a-z0-9A-Z][a-zA-Z0-9.-]*(:[0-9]{1,5})?"
                                    "(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
                                    "(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
                                    "(@sha256:[0-9a-f]{64})?$",
                                    G_REGEX_DOLLAR_ENDONLY, 0, NULL);
        g_once_init_leave(&pattern, regex);
    }
    if (strlen(reference) > 512 || !g_regex_match(pattern, reference, 0, NULL))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "'%s' is no image: NAME[:TAG][@sha256:DIGEST] is", reference);
    return TRUE;
}

static char **
dup_strings(const SlJsonDoc *doc, const SlJsonNode *node, const char *key)
{
    g_autoptr(GStrvBuilder) list = g_strv_builder_new();
    const SlJsonNode *array = sl_json_get(doc, node, key);
    if (array != NULL && array->type == SL_JSON_ARRAY)
        SL_JSON_FOREACH (doc, array, child) {
            g_autofree char *text = sl_json_dup_string(child);
            if (text != NULL)
                g_strv_builder_add(list, text);
        }
    return g_strv_builder_end(list);
}

SlEngineImage *
sl_engine_inspect_image(SlEngine *engine, const char *reference, GError **error)
{
    if (!sl_engine_check_reference(reference, error))
        return NULL;
    g_autofree char *what = g_strdup_printf("looking at image '%s'", reference);
    g_autofree char *path = g_strdup_printf("/images/%s/json", reference);
    const SlEngineCall call = {.method = "GET", .path = path, .what = what};
    g_autoptr(SlJsonDoc) doc = NULL;
    if (!sl_engine_call(engine, &call, &doc, error))
        return NULL;

    const SlJsonNode *root = sl_json_root(doc);
    const SlJsonNode *config = sl_json_get(doc, root, "Config");
    g_autoptr(SlEngineImage) image = g_new0(SlEngineImage, 1);
    image->id = sl_engine_dup_member(doc, root, "Id");
    image->repo_digests = dup_strings(doc, root, "RepoDigests");
    image->entrypoint = dup_strings(doc, config, "Entrypoint");
    image->cmd = dup_strings(doc, config, "Cmd");
    image->env = dup_strings(doc, config, "Env");
    image->user = sl_engine_dup_member(doc, config, "User");
    image->working_dir = sl_engine_dup_member(doc, config, "WorkingDir");
    if (*image->id == '\0') {
        sl_engine_set_error(engine, error, SL_ERROR_PROTOCOL, what, "the answer has no Id");
        return NULL;
    }
    return g_steal_pointer(&image);
}

/* --- pull ---------------------------------------------------------------------------------- */

typedef struct {
    const char *what;
    SlEngineProgressFunc progress;
    gpointer user_data;
} Pull;

/* What registries say, by way of the engine, of whom they do not let in. */
static int
code_of_pull_error(const char *text)
{
    static const struct {
        const char *part;
        SlErrorCode code;
    } rows[] = {
        {"unauthorized", SL_ERROR_FORBIDDEN},
        {"denied", SL_ERROR_FORBIDDEN},
        {"authentication required", SL_ERROR_FORBIDDEN},
        {"no basic auth credentials", SL_ERROR_FORBIDDEN},
        {"manifest unknown", SL_ERROR_NOT_FOUND},
        {"not found", SL_ERROR_NOT_FOUND},
        {"connection refused", SL_ERROR_UNAVAILABLE},
        {"timeout", SL_ERROR_UNAVAILABLE},

        {"server gave http response to https client", SL_ERROR_UNAVAILABLE},
        {"no such host", SL_ERROR_UNAVAILABLE},
    };
    g_autofree char *lower = g_ascii_strdown(text, -1);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strstr(lower, rows[i].part) != NULL)
            return rows[i].code;
    return SL_ERROR_FAILED;
}

/* One line of the stream. Podman tells of failures nowhere else: its status is 200 always. */
static gboolean
take_pull_line(SlEngine *engine, const char *line, gsize len, gpointer user_data, GError **error)
{
    const Pull *pull = user_data;
    g_autoptr(SlJsonDoc) doc = sl_json_read(line, len, NULL, NULL);
    if (doc == NULL)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "a line of the progress is no JSON");
    const SlJsonNode *root = sl_json_root(doc);
    g_autofree char *failure = sl_engine_dup_member(doc, root, "error");
    if (*failure != '\0')
        return sl_error_set(error, code_of_pull_error(failure), "%s", failure);

    g_autofree char *id = sl_json_dup_string(sl_json_get(doc, root, "id"));
    g_autofree char *status = sl_engine_dup_member(doc, root, "status");
    const SlJsonNode *detail = sl_json_get(doc, root, "progressDetail");
    SlEngineProgress progress = {.id = id, .status = status};
    sl_json_get_int64(sl_json_get(doc, detail, "current"), &progress.current);
    sl_json_get_int64(sl_json_get(doc, detail, "total"), &progress.total);
    if (pull->progress != NULL)
        pull->progress(&progress, pull->user_data);
    return TRUE;
}

/* base64url with its padding, as engines read it. */
static char *
print_login(const SlEngineLogin *login)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "username", login->username);
    sl_json_member_string(&w, "password", login->password);
    sl_json_member_string(&w, "identitytoken", login->identity_token);
    sl_json_member_string(&w, "serveraddress", login->server);
    sl_json_end_object(&w);
    char *coded = g_base64_encode((const guchar *)text->str, text->len);
    for (char *c = coded; *c != '\0'; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    return coded;
}

gboolean
sl_engine_pull_image(SlEngine *engine, const char *reference, const SlEngineLogin *login,
                     gint64 deadline, SlEngineProgressFunc progress, gpointer user_data,
                     GError **error)
{
    if (!sl_engine_check_reference(reference, error))
        return FALSE;
    /* Without a tag Docker would fetch all there are. */
    const char *slash = strrchr(reference, '/');
    gboolean tagged = strchr(slash != NULL ? slash : reference, ':') != NULL;
    g_autofree char *full = g_strconcat(reference, tagged ? "" : ":latest", NULL);
    g_autofree char *escaped = g_uri_escape_string(full, NULL, FALSE);
    g_autofree char *path = g_strconcat("/images/create?fromImage=", escaped, NULL);
    g_autofree char *what = g_strdup_printf("pulling image '%s'", reference);
    g_autofree char *auth = login != NULL ? print_login(login) : NULL;
    const char *headers[] = {auth != NULL ? "X-Registry-Auth" : NULL, auth, NULL};
    Pull pull = {what, progress, user_data};
    const SlEngineCall call = {.method = "POST",
                               .path = path,
                               .what = what,
                               .headers = headers,
                               .deadline = deadline,
                               .own_deadline = TRUE,
                               .line = take_pull_line,
                               .line_data = &pull};
    g_autoptr(GError) local = NULL;
    if (sl_engine_call(engine, &call, NULL, &local))
        return TRUE;
    /* Docker has status 500 for what its registry said before the stream began. */
    if (g_error_matches(local, SL_ERROR, SL_ERROR_FAILED))
        local->code = code_of_pull_error(local->message);
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static gboolean
check_pin(SlEngine *engine, const char *reference, const SlEngineImage *image, GError **error)
{
    const char *pin = strchr(reference, '@');
    if (pin == NULL)
        return TRUE;
    for (char *const *digest = image->repo_digests; *digest != NULL; digest++)
        if (g_str_has_suffix(*digest, pin))
            return TRUE;
    g_autofree char *what = g_strdup_printf("looking at image '%s'", reference);
    return sl_engine_set_error(engine, error, SL_ERROR_CONFLICT, what,
                               "what it has under this name has another digest");
}

SlEngineImage *
sl_engine_ensure_image(SlEngine *engine, const char *reference, const SlEngineLogin *login,
                       gint64 deadline, SlEngineProgressFunc progress, gpointer user_data,
                       GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(SlEngineImage) image = sl_engine_inspect_image(engine, reference, &local);
    if (image == NULL) {
        if (!g_error_matches(local, SL_ERROR, SL_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return NULL;
        }
        if (!sl_engine_pull_image(engine, reference, login, deadline, progress, user_data, error))
            return NULL;
        image = sl_engine_inspect_image(engine, reference, error);
    }
    if (image == NULL || !check_pin(engine, reference, image, error))
        return NULL;
    return g_steal_pointer(&image);
}

/* --- load ---------------------------------------------------------------------------------- */

/* Of the answer only a failure matters: Docker has it in a stream whose status is 200. */
static gboolean
take_load_line(SlEngine *engine, const char *line, gsize len, gpointer user_data, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(line, len, NULL, NULL);
    g_autofree char *failure =
        doc != NULL ? sl_engine_dup_member(doc, sl_json_root(doc), "error") : g_strdup("");
    return *failure == '\0' || sl_error_set(error, SL_ERROR_FAILED, "%s", failure);
}

gboolean
sl_engine_load_image(SlEngine *engine, GBytes *archive, GError **error)
{
    const SlEngineCall call = {.method = "POST",
                               .path = "/images/load?quiet=1",
                               .what = "loading an image",
                               .archive = archive,
                               .line = take_load_line};
    return sl_engine_call(engine, &call, NULL, error);
}
