/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <ftw.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ctl-sandbox.h"
#include "sl-error.h"

#define MAX_OPEN 32

/* No FTW_MOUNT here: on an overlay the files of one folder may have several device numbers, and it
 * would pass over them in silence. A sandbox cannot mount anything. */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

gboolean
ctl_tree_remove(const char *path, GError **error)
{
    if (nftw(path, remove_one, MAX_OPEN, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return TRUE;
    return sl_error_set_errno(error, errno, _("cannot remove '%s'"), path);
}

/* nftw(3) takes no data along. The first file that is not accepted. */
static char *refused;
static gboolean with_whiteouts;

static int
adopt_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    gboolean whiteout = with_whiteouts && S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
    if (whiteout)
        return lchown(path, 0, 0);
    if (!S_ISDIR(st->st_mode) && !S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode)) {
        refused = g_strdup(path);
        return 1;
    }
    if (lchown(path, 0, 0) != 0)
        return -1;
    if (S_ISLNK(st->st_mode))
        return 0;
    /* Set-user-id bits and write permissions of others do not survive. */
    gboolean run = S_ISDIR(st->st_mode) || (st->st_mode & S_IXUSR) != 0;
    return chmod(path, run ? 0755 : 0644);
}

static gboolean
adopt(const char *path, GError **error)
{
    if (nftw(path, adopt_one, MAX_OPEN, FTW_PHYS) == 0)
        return TRUE;
    g_autofree char *what = g_steal_pointer(&refused);
    if (what != NULL)
        return sl_error_set(error, SL_ERROR_CONNECTOR,
                            _("'%s' is neither a file, a folder nor a symbolic link"), what);
    return sl_error_set_errno(error, errno, _("cannot take over '%s'"), path);
}

gboolean
ctl_tree_adopt(const char *path, GError **error)
{
    with_whiteouts = FALSE;
    return adopt(path, error);
}

gboolean
ctl_tree_adopt_layer(const char *path, GError **error)
{
    with_whiteouts = TRUE;
    return adopt(path, error);
}

static gboolean
copy_tree(const char *path, const char *target, GError **error)
{
    g_autoptr(GSubprocess) cp = g_subprocess_new(G_SUBPROCESS_FLAGS_NONE, error, "cp", "-a", "-T",
                                                 "--", path, target, NULL);
    return cp != NULL && g_subprocess_wait_check(cp, NULL, error);
}

gboolean
ctl_tree_move(const char *path, const char *target, GError **error)
{
    if (rename(path, target) == 0)
        return TRUE;
    if (errno != EXDEV)
        return sl_error_set_errno(error, errno, _("cannot move '%s' to '%s'"), path, target);
    /* Another file system: a copy beside the target, then the same rename. */
    g_autofree char *beside = g_strconcat(target, ".new", NULL);
    if (!ctl_tree_remove(beside, error) || !copy_tree(path, beside, error)) {
        ctl_tree_remove(beside, NULL);
        return FALSE;
    }
    if (rename(beside, target) == 0)
        return TRUE;
    return sl_error_set_errno(error, errno, _("cannot move '%s' to '%s'"), beside, target);
}
