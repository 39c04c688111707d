/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "container-host.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "sl-error.h"
#include "sl-json-write.h"

#define MAX_ARCHIVE (256 * 1024)

static const struct {
    const char *path;
    const char *target; /* of a link; NULL: a folder */
} entries[] = {
    {"usr", NULL},
    {"bin", "usr/bin"},
    {"sbin", "usr/sbin"},
    {"lib", "usr/lib"},
    {"lib32", "usr/lib32"},
    {"lib64", "usr/lib64"},
    {"libx32", "usr/libx32"},
    {".sluice", NULL},
    {".sluice/run", NULL},
    {"dev", NULL},
    {"etc", NULL},
    {"etc/sluice", NULL},
    {"proc", NULL},
    {"run", NULL},
    {"run/dbus", NULL},
    {"run/sluice", NULL},
    {"run/systemd", NULL},
    {"run/systemd/journal", NULL},
    {"sys", NULL},
    {"tmp", NULL},
    {"var", NULL},
    {"var/run", "../run"},
    {"var/log", NULL},
    {"var/log/sluice", NULL},
};

static const SlEngineMount shown[] = {
    {"/usr", "/usr", FALSE},
    {"/etc/sluice", "/etc/sluice", FALSE},
    {"/run/dbus", "/run/dbus", FALSE},
    {"/run/systemd/journal", "/run/systemd/journal", FALSE},
    {"/run/sluice", "/run/sluice", FALSE},
    {"/run/sluice/workloads", "/run/sluice/workloads", TRUE},
    {"/var/log/sluice", "/var/log/sluice", TRUE},
};

GArray *
container_host_mounts(void)
{
    GArray *mounts = g_array_new(FALSE, FALSE, sizeof(SlEngineMount));
    for (gsize i = 0; i < G_N_ELEMENTS(shown); i++)
        if (g_file_test(shown[i].source, G_FILE_TEST_EXISTS)) /* /etc/sluice need not be there */
            g_array_append_val(mounts, shown[i]);
    return mounts;
}

/* --- archives ----------------------------------------------------------------------------------
 */

typedef struct archive Archive;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Archive, archive_write_free)

/* A tar in `buffer`, with everything in it as old as time. */
static Archive *
begin_tar(guint8 *buffer, gsize *used)
{
    Archive *tar = archive_write_new();
    archive_write_set_format_ustar(tar);
    archive_write_set_bytes_in_last_block(tar, 1);
    archive_write_open_memory(tar, buffer, MAX_ARCHIVE, used);
    return tar;
}

static gboolean
add_entry(Archive *tar, const char *path, const char *target, GBytes *content, GError **error)
{
    struct archive_entry *entry = archive_entry_new();
    gsize len = content != NULL ? g_bytes_get_size(content) : 0;
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, content != NULL  ? AE_IFREG
                                      : target != NULL ? AE_IFLNK
                                                       : AE_IFDIR);
    archive_entry_set_perm(entry, content != NULL ? 0644 : target != NULL ? 0777 : 0755);
    archive_entry_set_mtime(entry, 0, 0);
    archive_entry_set_size(entry, (la_int64_t)len);
    if (target != NULL)
        archive_entry_set_symlink(entry, target);
    gboolean ok = archive_write_header(tar, entry) == ARCHIVE_OK;
    archive_entry_free(entry);
    ok = ok && (len == 0 ||
                archive_write_data(tar, g_bytes_get_data(content, NULL), len) == (la_ssize_t)len);
    return ok || sl_error_set(error, SL_ERROR_FAILED, "making the image of the host: %s",
                              archive_error_string(tar));
}

static GBytes *
end_tar(Archive *tar, const guint8 *buffer, const gsize *used, GError **error)
{
    if (archive_write_close(tar) == ARCHIVE_OK)
        return g_bytes_new(buffer, *used);
    sl_error_set(error, SL_ERROR_FAILED, "making the image of the host: %s",
                 archive_error_string(tar));
    return NULL;
}

static GBytes *
make_layer(GError **error)
{
    g_autofree guint8 *buffer = g_malloc(MAX_ARCHIVE);
    gsize used = 0;
    g_autoptr(Archive) tar = begin_tar(buffer, &used);
    for (gsize i = 0; i < G_N_ELEMENTS(entries); i++)
        if (!add_entry(tar, entries[i].path, entries[i].target, NULL, error))
            return NULL;
    return end_tar(tar, buffer, &used, error);
}

/* As Go names them (runtime.GOARCH). */
static const char *
find_architecture(char *machine)
{
    static const struct {
        const char *machine, *name;
    } names[] = {{"x86_64", "amd64"}, {"aarch64", "arm64"}, {"i686", "386"}};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(machine, names[i].machine) == 0)
            return names[i].name;
    return machine;
}

/* OCI Image Configuration. */
static GBytes *
make_configuration(GBytes *layer)
{
    struct utsname host;
    g_autofree char *sum = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, layer);
    g_autofree char *digest = g_strconcat("sha256:", sum, NULL);
    const char *const digests[] = {digest, NULL};
    GString *text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    uname(&host);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "architecture", find_architecture(host.machine));
    sl_json_member_string(&w, "os", "linux");
    sl_json_member_string(&w, "created", "1970-01-01T00:00:00Z");
    sl_json_member_raw(&w, "config", "{}");
    sl_json_key(&w, "rootfs");
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "type", "layers");
    sl_json_key(&w, "diff_ids");
    sl_json_strings(&w, digests);
    sl_json_end_object(&w);
    sl_json_member_raw(&w, "history",
                       "[{\"created\":\"1970-01-01T00:00:00Z\",\"created_by\":\"Sluice\"}]");
    sl_json_end_object(&w);
    return g_string_free_to_bytes(text);
}

GBytes *
container_host_archive(GError **error)
{
    static const char manifest_text[] =
        "[{\"Config\":\"config.json\",\"RepoTags\":[\"" CONTAINER_HOST_IMAGE
        "\"],\"Layers\":[\"layer.tar\"]}]";
    g_autoptr(GBytes) layer = make_layer(error);
    if (layer == NULL)
        return NULL;
    g_autoptr(GBytes) configuration = make_configuration(layer);
    g_autoptr(GBytes) manifest = g_bytes_new_static(manifest_text, sizeof manifest_text - 1);
    g_autofree guint8 *buffer = g_malloc(MAX_ARCHIVE);
    gsize used = 0;
    g_autoptr(Archive) tar = begin_tar(buffer, &used);
    if (!add_entry(tar, "manifest.json", NULL, manifest, error) ||
        !add_entry(tar, "config.json", NULL, configuration, error) ||
        !add_entry(tar, "layer.tar", NULL, layer, error))
        return NULL;
    return end_tar(tar, buffer, &used, error);
}

gboolean
container_host_ensure(SlEngine *engine, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(SlEngineImage) image = sl_engine_inspect_image(engine, CONTAINER_HOST_IMAGE, &local);
    if (image != NULL)
        return TRUE;
    if (!g_error_matches(local, SL_ERROR, SL_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    g_autoptr(GBytes) archive = container_host_archive(error);
    return archive != NULL && sl_engine_load_image(engine, archive, error);
}
