/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "cron-files.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#include "sl-error.h"

static void
delete_file(const char *path, const struct stat *st, CronFileCount *ret)
{
    if (g_unlink(path) < 0) {
        g_warning("Deleting '%s': %s, ignoring", path, g_strerror(errno));
        return;
    }
    ret->files++;
    ret->bytes += (guint64)st->st_size;
}

static void
visit(const char *path, const char *name, const CronFileRule *rule, CronFileCount *ret)
{
    struct stat st;
    if (g_lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    gint64 changed = (gint64)st.st_mtim.tv_sec * G_USEC_PER_SEC + st.st_mtim.tv_nsec / 1000;
    if (changed < rule->older_than &&
        (rule->suffix == NULL || g_str_has_suffix(name, rule->suffix)))
        delete_file(path, &st, ret);
}

static void
delete_below(const char *folder, const CronFileRule *rule, CronFileCount *ret)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        visit(path, name, rule, ret);
    }
}

void
cron_files_delete_folder(const char *folder, const char *name, const CronFileRule *rule,
                         CronFileCount *ret)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    struct stat st;
    if (g_lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return;
    guint before = ret->files;
    delete_below(path, rule, ret);
    if (ret->files > before)
        g_rmdir(path); /* fails when something is left: that is meant */
}

GPtrArray *
cron_files_list_jobs(const char *folder)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    guint64 job;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        if (*name != '0' && g_ascii_string_to_unsigned(name, 10, 1, G_MAXINT64, &job, NULL))
            g_ptr_array_add(names, g_strdup(name));
    return names;
}

static gboolean
has_plain_log(const char *folder, const char *job)
{
    g_autofree char *path = g_build_filename(folder, job, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_suffix(name, ".ndjson"))
            return TRUE;
    return FALSE;
}

GPtrArray *
cron_files_list_plain(const char *folder)
{
    GPtrArray *names = cron_files_list_jobs(folder);
    for (guint i = names->len; i-- > 0;)
        if (!has_plain_log(folder, names->pdata[i]))
            g_ptr_array_remove_index_fast(names, i);
    return names;
}

gboolean
cron_files_delete(const char *folder, const CronFileRule *rule, CronFileCount *ret, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &reason);
    const char *name;
    if (g_error_matches(reason, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return TRUE;
    if (dir == NULL) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        struct stat st;
        if (g_lstat(path, &st) < 0)
            continue;
        if (!S_ISDIR(st.st_mode)) {
            visit(path, name, rule, ret);
            continue;
        }
        cron_files_delete_folder(folder, name, rule, ret);
    }
    return TRUE;
}
