/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-oci-build.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-oci-stack.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define MAX_PASSWD (1024 * 1024)
/* The uids that DynamicUser= gives out (systemd, UIDS-GIDS). */
#define FIRST_UID 61184
#define LAST_UID 65519

/* --- layers ------------------------------------------------------------------------------------
 */

/* The name of a layer on those below it. */
static char *
chain_id(const char *below, const char *diff_id)
{
    g_autofree char *text =
        below != NULL ? g_strconcat(below, " ", diff_id, NULL) : g_strdup(diff_id);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    return g_strndup(sum, 32);
}

static gboolean
make_folder(const char *path, GError **error)
{
    return g_mkdir_with_parents(path, 0755) == 0 || sl_error_set_errno(error, errno, "'%s'", path);
}

static gboolean
build_layer(const char *layout, const SlOciLayer *layer, SlOciStack *stack, const char *in_store,
            const char *in_work, SlOciLimits *left, GError **error)
{
    if (access(in_store, F_OK) == 0)
        return sl_oci_stack_push(stack, in_store, error);
    /* An image may have the same empty layer twice, but never on the same ones. */
    return make_folder(in_work, error) &&
           sl_oci_layer_unpack(layout, layer, stack, in_work, left, error) &&
           sl_oci_stack_push(stack, in_work, error);
}

static gboolean
build_layers(const char *layout, const SlOciImage *image, const char *store, const char *work,
             SlOciLimits *left, SlOciStack *stack, char ***ret_ids, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    const char *below = NULL;
    for (guint i = 0; i < image->layers->len; i++) {
        const SlOciLayer *layer = image->layers->pdata[i];
        char *id = chain_id(below, layer->diff_id);
        g_autofree char *in_store = g_build_filename(store, "layers", id, NULL);
        g_autofree char *in_work = g_build_filename(work, "layers", id, NULL);
        g_ptr_array_add(ids, id);
        if (!build_layer(layout, layer, stack, in_store, in_work, left, error))
            return FALSE;
        below = id;
    }
    g_ptr_array_add(ids, NULL);
    *ret_ids = (char **)g_ptr_array_steal(ids, NULL);
    return TRUE;
}

/* --- the layer of mount points -----------------------------------------------------------------
 */

/* Where a sandbox mounts something. The image is read-only, so they must be there. */
static const char *const mount_folders[] = {
    "proc", "sys", "dev", "run", "tmp", "var/tmp", "var/lib/sluice", "etc",
};

/* Whether a symbolic link of the image stands on the way: a folder over it would hide what the
 * image has there, and what is mounted follows the link anyway. */
static gboolean
is_behind_link(const SlOciStack *stack, const char *path, gboolean its_end)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    g_autoptr(GString) so_far = g_string_new(NULL);
    for (guint i = 0; parts[i] != NULL && (its_end || parts[i + 1] != NULL); i++) {
        g_string_append_printf(so_far, "%s%s", i > 0 ? "/" : "", parts[i]);
        if (sl_oci_stack_look(stack, so_far->str) == SL_OCI_LINK)
            return TRUE;
    }
    return FALSE;
}

static gboolean
put_file(const SlOciStack *stack, const char *mounts, const char *path, const char *content,
         GError **error)
{
    g_autofree char *full = g_build_filename(mounts, path, NULL);
    return is_behind_link(stack, path, FALSE) || g_file_set_contents(full, content, -1, error);
}

/* The image's own, and a name for every uid that a connector may get: Java and Python's getpass
 * fail without one. */
static char *
passwd_text(const SlOciStack *stack)
{
    g_autofree char *own = sl_oci_stack_read(stack, "etc/passwd", MAX_PASSWD);
    GString *text = g_string_new(own);
    if (text->len > 0 && text->str[text->len - 1] != '\n')
        g_string_append_c(text, '\n');
    for (int uid = FIRST_UID; uid <= LAST_UID; uid++)
        g_string_append_printf(text, "connector%d:x:%d:%d::/tmp:/sbin/nologin\n", uid, uid, uid);
    return g_string_free(text, FALSE);
}

static gboolean
build_mounts(const SlOciStack *stack, const char *mounts, GError **error)
{
    g_autofree char *passwd = passwd_text(stack);
    if (!make_folder(mounts, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(mount_folders); i++) {
        g_autofree char *path = g_build_filename(mounts, mount_folders[i], NULL);
        if (!is_behind_link(stack, mount_folders[i], TRUE) && !make_folder(path, error))
            return FALSE;
    }
    return put_file(stack, mounts, "etc/resolv.conf", "", error) &&
           put_file(stack, mounts, "etc/hosts", "127.0.0.1 localhost\n::1 localhost\n", error) &&
           put_file(stack, mounts, "etc/passwd", passwd, error);
}

/* --- the record --------------------------------------------------------------------------------
 */

static gboolean
find_command(const SlOciImage *image, const SlOciStack *stack, SlOciRecord *record, GError **error)
{
    const char *search = sl_oci_environment_get(image->environment, "PATH");
    record->command = sl_oci_image_get_argv(image, error);
    if (record->command == NULL)
        return FALSE;
    char *program = sl_oci_stack_find_program(stack, record->command[0],
                                              search != NULL ? search : DEFAULT_PATH);
    if (program == NULL)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "'%s', which the image wants to be started by, is not in it",
                            record->command[0]);
    g_free(record->command[0]);
    record->command[0] = program;
    return TRUE;
}

static gboolean
find_directory(const SlOciImage *image, const SlOciStack *stack, SlOciRecord *record,
               GError **error)
{
    g_autofree char *clean = NULL;
    if (sl_oci_stack_resolve(stack, image->directory, &clean) != SL_OCI_FOLDER)
        /* An engine would make it; nothing could be in it. */
        record->directory = g_strdup("/tmp");
    else
        record->directory = g_strconcat("/", clean, NULL);
    return TRUE;
}

SlOciRecord *
sl_oci_build(const char *layout, const char *store, const char *work, const char *reference,
             const SlOciLimits *limits, GError **error)
{
    g_autoptr(SlOciRecord) record = g_new0(SlOciRecord, 1);
    g_autoptr(SlOciStack) stack = sl_oci_stack_new();
    g_autoptr(SlOciImage) image = sl_oci_image_load(layout, sl_oci_architecture(), error);
    SlOciLimits left = *limits;
    if (image == NULL ||
        !build_layers(layout, image, store, work, &left, stack, &record->layers, error))
        return NULL;
    record->image = g_strdup(image->digest);
    record->reference = g_strdup(reference);
    record->name = g_strdup(image->name);
    record->version = g_strdup(image->version);
    record->type = g_strdup(image->type);
    record->title = g_strdup(image->title);
    record->environment = g_strdupv(image->environment);
    if (!find_command(image, stack, record, error) || !find_directory(image, stack, record, error))
        return NULL;
    g_autofree char *root = g_build_filename(work, "root", NULL);
    g_autofree char *mounts = g_build_filename(root, SL_OCI_MOUNTS, NULL);
    g_autofree char *path = g_build_filename(root, SL_OCI_RECORD, NULL);
    g_autofree char *text = sl_oci_record_print(record);
    /* Its length is looked at: that of the paths where it will be. */
    g_autofree char *kept = g_build_filename(store, "roots", strchr(image->digest, ':') + 1, NULL);
    g_autofree char *options = sl_oci_record_lowerdir(record, kept, error);
    if (options == NULL || !build_mounts(stack, mounts, error) ||
        !g_file_set_contents(path, text, -1, error))
        return NULL;
    return g_steal_pointer(&record);
}
