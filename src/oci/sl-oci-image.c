/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-oci-image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-json-read.h"

#define MAX_TEXT (4 * 1024 * 1024) /* of a manifest or configuration */
#define MAX_LAYERS 128
#define MAX_INDEXES 3 /* an index in an index in … */
#define DIGEST_PREFIX "sha256:"

static void
layer_free(gpointer data)
{
    SlOciLayer *layer = data;
    g_free(layer->digest);
    g_free(layer->diff_id);
    g_free(layer);
}

void
sl_oci_image_free(SlOciImage *image)
{
    if (image == NULL)
        return;
    g_free(image->digest);
    g_free(image->architecture);
    g_clear_pointer(&image->layers, g_ptr_array_unref);
    g_strfreev(image->environment);
    g_strfreev(image->entrypoint);
    g_strfreev(image->command);
    g_free(image->user);
    g_free(image->directory);
    g_free(image->name);
    g_free(image->version);
    g_free(image->type);
    g_free(image->title);
    g_free(image);
}

const char *
sl_oci_architecture(void)
{
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#elif defined(__arm__)
    return "arm";
#elif defined(__i386__)
    return "386";
#elif defined(__powerpc64__)
    return "ppc64le";
#elif defined(__s390x__)
    return "s390x";
#elif defined(__riscv)
    return "riscv64";
#else
#error "no name of this architecture is known"
#endif
}

gboolean
sl_oci_is_digest(const char *text)
{
    return text != NULL && g_str_has_prefix(text, DIGEST_PREFIX) &&
           strlen(text) == strlen(DIGEST_PREFIX) + 64 &&
           strspn(text + strlen(DIGEST_PREFIX), "0123456789abcdef") == 64;
}

/* --- texts -------------------------------------------------------------------------------------
 */

/* A blob that is a text; its digest is computed before anybody looks at it. */
static SlJsonDoc *
read_json(const char *layout, const char *name, const char *digest, GError **error)
{
    g_autofree char *path = g_build_filename(layout, name, NULL);
    sl_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    gsize len;
    if (fd < 0 || fstat(fd, &st) != 0) {
        sl_error_set_errno(error, errno, "%s", name);
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        sl_error_set(error, SL_ERROR_INVALID, "%s: not a file", name);
        return NULL;
    }
    g_autofree char *text = sl_fd_read_all(fd, MAX_TEXT, &len, error);
    if (text == NULL) {
        g_prefix_error(error, "%s: ", name);
        return NULL;
    }
    if (digest != NULL) {
        g_autofree char *sum =
            g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, len);
        if (strcmp(sum, digest + strlen(DIGEST_PREFIX)) != 0) {
            sl_error_set(error, SL_ERROR_INVALID, "%s: its content has the digest 'sha256:%s'",
                         name, sum);
            return NULL;
        }
    }
    SlJsonDoc *doc = sl_json_read_copy(text, len, NULL, error);
    if (doc == NULL)
        g_prefix_error(error, "%s: ", name);
    return doc;
}

static SlJsonDoc *
read_blob(const char *layout, const char *digest, GError **error)
{
    g_autofree char *name = g_strconcat("blobs/sha256/", digest + strlen(DIGEST_PREFIX), NULL);
    return read_json(layout, name, digest, error);
}

static gboolean
fault(const char *digest, const char *member, const char *expected, GError **error)
{
    return sl_error_set(error, SL_ERROR_INVALID, "%s: %s: expected %s", digest, member, expected);
}

static char *
member_string(const SlJsonDoc *doc, const SlJsonNode *node, const char *name)
{
    const SlJsonNode *value = sl_json_get(doc, node, name);
    return value != NULL ? sl_json_dup_string(value) : NULL;
}

/* The digest of a descriptor; NULL and an error when it is none. */
static char *
descriptor_digest(const SlJsonDoc *doc, const SlJsonNode *node, const char *where,
                  const char *member, GError **error)
{
    g_autofree char *digest = node != NULL ? member_string(doc, node, "digest") : NULL;
    if (!sl_oci_is_digest(digest)) {
        g_autofree char *path = g_strconcat(member, ".digest", NULL);
        fault(where, path, "'sha256:' and 64 hexadecimal digits", error);
        return NULL;
    }
    return g_steal_pointer(&digest);
}

/* --- index → manifest --------------------------------------------------------------------------
 */

/* Of the list `manifests`: the one for this platform, or the only one without a platform. */
static const SlJsonNode *
choose_manifest(const SlJsonDoc *doc, const char *where, const char *architecture, GError **error)
{
    const SlJsonNode *list = sl_json_get(doc, sl_json_root(doc), "manifests");
    g_autoptr(GString) others = g_string_new(NULL);
    if (list == NULL || list->type != SL_JSON_ARRAY) {
        fault(where, "manifests", "a list", error);
        return NULL;
    }
    SL_JSON_FOREACH (doc, list, one) {
        const SlJsonNode *platform = sl_json_get(doc, one, "platform");
        g_autofree char *os = platform != NULL ? member_string(doc, platform, "os") : NULL;
        g_autofree char *arch =
            platform != NULL ? member_string(doc, platform, "architecture") : NULL;
        if (arch == NULL && list->count == 1)
            return one;
        if (g_strcmp0(os, "linux") == 0 && g_strcmp0(arch, architecture) == 0)
            return one;
        if (arch != NULL && strcmp(arch, "unknown") != 0)
            g_string_append_printf(others, "%s%s", others->len > 0 ? ", " : "", arch);
    }
    sl_error_set(error, SL_ERROR_NOT_FOUND, "the image is not for this host's '%s'%s%s",
                 architecture, others->len > 0 ? ", but for: " : "", others->str);
    return NULL;
}

/* Follows indexes until a manifest; its digest is handed out too. */
static SlJsonDoc *
find_manifest(const char *layout, const char *architecture, char **ret_digest, GError **error)
{
    g_autoptr(SlJsonDoc) doc = read_json(layout, "index.json", NULL, error);
    g_autofree char *where = g_strdup("index.json");
    for (guint i = 0; doc != NULL && i < MAX_INDEXES; i++) {
        const SlJsonNode *chosen = choose_manifest(doc, where, architecture, error);
        g_autofree char *digest =
            chosen != NULL ? descriptor_digest(doc, chosen, where, "manifests", error) : NULL;
        SlJsonDoc *next = digest != NULL ? read_blob(layout, digest, error) : NULL;
        sl_json_doc_free(g_steal_pointer(&doc));
        if (next == NULL)
            return NULL;
        doc = next;
        g_free(where);
        where = g_steal_pointer(&digest);
        if (sl_json_get(doc, sl_json_root(doc), "manifests") == NULL) {
            *ret_digest = g_steal_pointer(&where);
            return g_steal_pointer(&doc);
        }
    }
    if (doc != NULL)
        sl_error_set(error, SL_ERROR_INVALID, "index.json: indexes in indexes, more than %d deep",
                     MAX_INDEXES);
    return NULL;
}

static gboolean
parse_layers(SlOciImage *image, const SlJsonDoc *doc, GError **error)
{
    const SlJsonNode *list = sl_json_get(doc, sl_json_root(doc), "layers");
    if (list == NULL || list->type != SL_JSON_ARRAY || list->count == 0 || list->count > MAX_LAYERS)
        return fault(image->digest, "layers", "a list of 1 to 128 layers", error);
    SL_JSON_FOREACH (doc, list, one) {
        const SlJsonNode *size = sl_json_get(doc, one, "size");
        g_autofree char *type = member_string(doc, one, "mediaType");
        g_autofree char *digest = descriptor_digest(doc, one, image->digest, "layers", error);
        if (digest == NULL)
            return FALSE;
        if (type == NULL ||
            (strstr(type, "image.layer.") == NULL && strstr(type, "image.rootfs.") == NULL))
            return fault(image->digest, "layers.mediaType", "an image layer", error);
        if (strstr(type, "foreign") != NULL || strstr(type, "encrypted") != NULL)
            return fault(image->digest, "layers.mediaType",
                         "a layer that is neither foreign nor encrypted", error);
        SlOciLayer *layer = g_new0(SlOciLayer, 1);
        g_ptr_array_add(image->layers, layer);
        layer->digest = g_steal_pointer(&digest);
        if (size == NULL || !sl_json_get_int64(size, &layer->size) || layer->size < 0)
            return fault(image->digest, "layers.size", "a number of bytes", error);
    }
    return TRUE;
}

/* --- configuration -----------------------------------------------------------------------------
 */

/* A list of strings; missing and null are an empty one. */
static gboolean
parse_strings(const SlJsonDoc *doc, const SlJsonNode *node, const char *name, const char *where,
              char ***ret, GError **error)
{
    const SlJsonNode *list = node != NULL ? sl_json_get(doc, node, name) : NULL;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    if (list != NULL && list->type != SL_JSON_NULL) {
        if (list->type != SL_JSON_ARRAY)
            return fault(where, name, "a list of strings", error);
        SL_JSON_FOREACH (doc, list, one) {
            char *text = sl_json_dup_string(one);
            if (text == NULL)
                return fault(where, name, "a list of strings", error);
            g_ptr_array_add(texts, text);
        }
    }
    g_ptr_array_add(texts, NULL);
    *ret = (char **)g_ptr_array_steal(texts, NULL);
    return TRUE;
}

static gboolean
parse_diff_ids(SlOciImage *image, const SlJsonDoc *doc, const char *where, GError **error)
{
    const SlJsonNode *list = sl_json_get_path(doc, sl_json_root(doc), "rootfs", "diff_ids", NULL);
    if (list == NULL || list->type != SL_JSON_ARRAY || list->count != image->layers->len)
        return fault(where, "rootfs.diff_ids", "as many digests as the manifest has layers", error);
    guint i = 0;
    SL_JSON_FOREACH (doc, list, one) {
        SlOciLayer *layer = g_ptr_array_index(image->layers, i++);
        layer->diff_id = sl_json_dup_string(one);
        if (!sl_oci_is_digest(layer->diff_id))
            return fault(where, "rootfs.diff_ids", "'sha256:' and 64 hexadecimal digits", error);
    }
    return TRUE;
}

/* They become arguments of a unit, and lines of its description. */
static gboolean
check_environment(const SlOciImage *image, const char *where, GError **error)
{
    for (guint i = 0; image->environment[i] != NULL; i++) {
        const char *text = image->environment[i];
        const char *equals = strchr(text, '=');
        gboolean plain = equals != NULL && equals > text;
        for (const char *p = text; plain && *p != '\0'; p++)
            plain = (guchar)*p >= ' ' || (p > equals && (*p == '\t' || *p == '\n'));
        if (!plain) {
            g_autofree char *shown = g_strescape(text, NULL);
            return sl_error_set(error, SL_ERROR_INVALID, "%s: config.Env: '%.60s' is no NAME=VALUE",
                                where, shown);
        }
    }
    return TRUE;
}

static gboolean
parse_config(SlOciImage *image, const SlJsonDoc *doc, const char *where, GError **error)
{
    const SlJsonNode *config = sl_json_get(doc, sl_json_root(doc), "config");
    const SlJsonNode *labels = config != NULL ? sl_json_get(doc, config, "Labels") : NULL;
    g_autofree char *os = member_string(doc, sl_json_root(doc), "os");
    image->architecture = member_string(doc, sl_json_root(doc), "architecture");
    if (image->architecture == NULL || os == NULL)
        return fault(where, "architecture and os", "strings", error);
    if (!parse_diff_ids(image, doc, where, error) ||
        !parse_strings(doc, config, "Env", where, &image->environment, error) ||
        !parse_strings(doc, config, "Entrypoint", where, &image->entrypoint, error) ||
        !parse_strings(doc, config, "Cmd", where, &image->command, error) ||
        !check_environment(image, where, error))
        return FALSE;
    if (config != NULL) {
        image->user = member_string(doc, config, "User");
        image->directory = member_string(doc, config, "WorkingDir");
    }
    if (image->user == NULL)
        image->user = g_strdup("");
    if (image->directory == NULL || *image->directory == '\0') {
        g_free(image->directory);
        image->directory = g_strdup("/");
    }
    if (*image->directory != '/' || strpbrk(image->directory, "\n:") != NULL)
        return fault(where, "config.WorkingDir", "an absolute path", error);
    if (labels != NULL) {
        image->name = member_string(doc, labels, SL_OCI_LABEL_NAME);
        image->version = member_string(doc, labels, SL_OCI_LABEL_VERSION);
        image->type = member_string(doc, labels, SL_OCI_LABEL_TYPE);
        image->title = member_string(doc, labels, SL_OCI_LABEL_TITLE);
    }
    return TRUE;
}

SlOciImage *
sl_oci_image_load(const char *layout, const char *architecture, GError **error)
{
    g_autoptr(SlOciImage) image = g_new0(SlOciImage, 1);
    image->layers = g_ptr_array_new_with_free_func(layer_free);
    g_autoptr(SlJsonDoc) manifest = find_manifest(layout, architecture, &image->digest, error);
    if (manifest == NULL || !parse_layers(image, manifest, error))
        return NULL;
    g_autofree char *config_digest =
        descriptor_digest(manifest, sl_json_get(manifest, sl_json_root(manifest), "config"),
                          image->digest, "config", error);
    g_autoptr(SlJsonDoc) config =
        config_digest != NULL ? read_blob(layout, config_digest, error) : NULL;
    if (config == NULL || !parse_config(image, config, config_digest, error))
        return NULL;
    if (strcmp(image->architecture, architecture) != 0) {
        sl_error_set(error, SL_ERROR_NOT_FOUND, "the image is for '%s', and this host is '%s'",
                     image->architecture, architecture);
        return NULL;
    }
    return g_steal_pointer(&image);
}

/* --- what it starts ----------------------------------------------------------------------------
 */

const char *
sl_oci_environment_get(char *const *environment, const char *name)
{
    gsize len = strlen(name);
    const char *found = NULL;
    for (; environment != NULL && *environment != NULL; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            found = *environment + len + 1;
    return found;
}

GStrv
sl_oci_image_get_argv(const SlOciImage *image, GError **error)
{
    const char *line = sl_oci_environment_get(image->environment, "AIRBYTE_ENTRYPOINT");
    g_autoptr(GError) local = NULL;
    if (line != NULL && *line != '\0') {
        /* What only a shell understands is a shell's; the image must have one then. */
        if (strpbrk(line, "$`;&|<>(){}*?~\n") != NULL) {
            g_autofree char *script = g_strconcat("exec ", line, " \"$@\"", NULL);
            const char *const words[] = {"/bin/sh", "-c", script, "connector", NULL};
            return g_strdupv((char **)words);
        }
        GStrv words = NULL;
        if (!g_shell_parse_argv(line, NULL, &words, &local))
            sl_error_set(error, SL_ERROR_INVALID, "%s: AIRBYTE_ENTRYPOINT: %s", image->digest,
                         local->message);
        return words;
    }
    char **words = image->entrypoint[0] != NULL ? image->entrypoint : image->command;
    if (words[0] == NULL || *words[0] == '\0') {
        sl_error_set(
            error, SL_ERROR_INVALID,
            "%s: has neither AIRBYTE_ENTRYPOINT nor Entrypoint nor Cmd: it is no connector",
            image->digest);
        return NULL;
    }
    return g_strdupv(words);
}
