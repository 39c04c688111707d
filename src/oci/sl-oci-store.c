/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-oci-store.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"

#define MAX_OPEN 32
#define MAX_ASIDE 1000
#define DIGITS 64
#define RETIRED ".retired"

int
sl_oci_store_lock(const char *store, GError **error)
{
    g_autofree char *path = g_build_filename(store, "lock", NULL);
    sl_autofd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return sl_fd_steal(&fd);
    if (fd >= 0 && errno == EWOULDBLOCK)
        sl_error_set(error, SL_ERROR_BUSY, "another image is being installed or removed");
    else
        sl_error_set_errno(error, errno, "'%s'", path);
    return -1;
}

static char *
stamp_of(const char *root)
{
    return g_strconcat(root, RETIRED, NULL);
}

void
sl_oci_store_keep(const char *store, const char *root)
{
    g_autofree char *stamp = stamp_of(root);
    if (sl_oci_is_root(store, root))
        rmdir(stamp);
}

/* Another one of the same image may be out of use and still mounted. */
static gboolean
put_aside(const char *store, const char *root, GError **error)
{
    g_autofree char *name = g_path_get_basename(root);
    for (guint i = 0; i < MAX_ASIDE; i++) {
        g_autofree char *gone = g_strdup_printf("%s/roots/.%s.%u", store, name, i);
        if (rename(root, gone) == 0 || errno == ENOENT)
            return TRUE;
        if (errno != ENOTEMPTY && errno != EEXIST)
            break;
    }
    return sl_error_set_errno(error, errno, "'%s'", root);
}

gboolean
sl_oci_store_remove(const char *store, const char *root, GError **error)
{
    if (!sl_oci_is_root(store, root))
        return sl_error_set(error, SL_ERROR_INVALID, "'%s' is no image of '%s'", root, store);
    sl_oci_store_keep(store, root); /* its stamp goes with it */
    return put_aside(store, root, error);
}

/* --- collecting --------------------------------------------------------------------------------
 */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static gboolean
remove_tree(const char *path, GError **error)
{
    if (nftw(path, remove_one, MAX_OPEN, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return TRUE;
    return sl_error_set_errno(error, errno, "removing '%s'", path);
}

/* Names of a folder; a missing folder has none. */
static GPtrArray *
list(const char *path, GError **error)
{
    g_autoptr(GError) local = NULL;
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(path, 0, &local);
    if (dir == NULL && !g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        g_propagate_error(error, g_steal_pointer(&local));
        g_ptr_array_unref(names);
        return NULL;
    }
    for (const char *name = dir != NULL ? g_dir_read_name(dir) : NULL; name != NULL;
         name = g_dir_read_name(dir))
        g_ptr_array_add(names, g_strdup(name));
    return names;
}

typedef struct {
    const char *store;
    const SlOciCollect *how;
    char *roots, *layers, *mounts;
    SlOciCollected *ret;
} Sweep;

static gboolean
is_used(const SlOciCollect *how, const char *root)
{
    for (guint i = 0; how->used != NULL && how->used[i] != NULL; i++)
        if (strcmp(how->used[i], root) == 0)
            return TRUE;
    return FALSE;
}

/* An image that no connector has: stamped the first time, put aside when its time is over. */
static gboolean
judge_image(const Sweep *sweep, const char *name, const char *root, GError **error)
{
    g_autofree char *stamp = stamp_of(root);
    struct stat st;
    if (is_used(sweep->how, root)) {
        rmdir(stamp);
        return TRUE;
    }
    if (stat(stamp, &st) != 0)
        return mkdir(stamp, 0700) == 0 || sl_error_set_errno(error, errno, "'%s'", stamp);
    if (st.st_mtime + SL_OCI_GRACE_SEC > sweep->how->now_sec || strstr(sweep->mounts, name) != NULL)
        return TRUE;
    return sl_oci_store_remove(sweep->store, root, error);
}

static gboolean
judge_images(const Sweep *sweep, GError **error)
{
    g_autoptr(GPtrArray) names = list(sweep->roots, error);
    for (guint i = 0; names != NULL && i < names->len; i++) {
        g_autofree char *root = g_build_filename(sweep->roots, names->pdata[i], NULL);
        if (sl_oci_is_root(sweep->store, root) && !judge_image(sweep, names->pdata[i], root, error))
            return FALSE;
    }
    return names != NULL;
}

/* What is no image: put aside (".DIGEST.N"), the stamp of one that is no more, or what a run left
 * that was killed ("DIGEST.new"). */
static gboolean
remove_rest(const Sweep *sweep, GError **error)
{
    g_autoptr(GPtrArray) names = list(sweep->roots, error);
    for (guint i = 0; names != NULL && i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(sweep->roots, name, NULL);
        g_autofree char *digits = g_strndup(name + (*name == '.' ? 1 : 0), DIGITS);
        g_autofree char *root = g_build_filename(sweep->roots, digits, NULL);
        if (sl_oci_is_root(sweep->store, path) ||
            (g_str_has_suffix(name, RETIRED) && access(root, F_OK) == 0) ||
            (*name == '.' && strstr(sweep->mounts, digits) != NULL))
            continue;
        if (!remove_tree(path, error))
            return FALSE;
        sweep->ret->images += *name == '.';
    }
    return names != NULL;
}

/* Layers of the images that are there. One that cannot be read keeps everything: better too much
 * on the disk than a connector without its files. */
static GHashTable *
needed_layers(const Sweep *sweep, GError **error)
{
    g_autoptr(GHashTable) needed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) names = list(sweep->roots, error);
    for (guint i = 0; names != NULL && i < names->len; i++) {
        g_autofree char *root = g_build_filename(sweep->roots, names->pdata[i], NULL);
        if (!sl_oci_is_root(sweep->store, root))
            continue;
        g_autoptr(SlOciRecord) record = sl_oci_record_load(root, error);
        if (record == NULL)
            return NULL;
        for (guint j = 0; record->layers[j] != NULL; j++)
            g_hash_table_add(needed, g_strdup(record->layers[j]));
    }
    return names != NULL ? g_steal_pointer(&needed) : NULL;
}

static gboolean
remove_layers(const Sweep *sweep, GError **error)
{
    g_autoptr(GHashTable) needed = needed_layers(sweep, error);
    g_autoptr(GPtrArray) names = needed != NULL ? list(sweep->layers, error) : NULL;
    for (guint i = 0; names != NULL && i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(sweep->layers, name, NULL);
        if (g_hash_table_contains(needed, name))
            continue;
        if (sl_oci_is_layer_id(name) && strstr(sweep->mounts, name) != NULL) {
            sweep->ret->kept++;
            continue;
        }
        if (!remove_tree(path, error))
            return FALSE;
        sweep->ret->layers++;
    }
    return names != NULL;
}

gboolean
sl_oci_store_collect(const char *store, const SlOciCollect *how, SlOciCollected *ret,
                     GError **error)
{
    g_autofree char *roots = g_build_filename(store, "roots", NULL);
    g_autofree char *layers = g_build_filename(store, "layers", NULL);
    g_autofree char *mounts = NULL;
    *ret = (SlOciCollected){0};
    if (!g_file_get_contents(how->mountinfo, &mounts, NULL, error))
        return FALSE;
    const Sweep sweep = {store, how, roots, layers, mounts, ret};
    return judge_images(&sweep, error) && remove_rest(&sweep, error) &&
           remove_layers(&sweep, error);
}
