/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"

#define MAX_DEPTH 4 /* ID/role/files/NAME */
#define MAX_TRIES 100

/* Between mkdir() and flock() a sweep may have removed it: then it is another folder, or none. */
static gboolean
is_still(int fd, const char *path)
{
    struct stat ours, theirs;
    return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

int
orchestrator_folder_open(const char *run_folder, const char *compact_id, GError **error)
{
    g_autofree char *path = g_build_filename(run_folder, compact_id, NULL);
    for (guint i = 0; i < MAX_TRIES; i++) {
        if (g_mkdir_with_parents(path, 0700) < 0) {
            sl_error_set_errno(error, errno, "making the folder %s", path);
            return -1;
        }
        sl_autofd int fd = open(path, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
            sl_error_set_errno(error, errno, "locking the folder %s", path);
            return -1;
        }
        if (is_still(fd, path))
            return sl_fd_steal(&fd);
    }
    sl_error_set(error, SL_ERROR_FAILED, "the folder %s is removed again and again", path);
    return -1;
}

static void
remove_tree(int parent, const char *name, guint depth)
{
    if (unlinkat(parent, name, 0) == 0 || depth == MAX_DEPTH)
        return;
    int fd = openat(parent, name, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_tree(fd, entry->d_name, depth + 1);
    }
    if (dir != NULL)
        closedir(dir);
    else
        sl_fd_clear(&fd);
    unlinkat(parent, name, AT_REMOVEDIR);
}

void
orchestrator_folder_remove(const char *run_folder, const char *compact_id)
{
    sl_autofd int parent = open(run_folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (parent >= 0)
        remove_tree(parent, compact_id, 1);
}

void
orchestrator_folder_sweep(const char *run_folder)
{
    sl_autofd int parent = open(run_folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    g_autoptr(GDir) dir = g_dir_open(run_folder, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        sl_autofd int fd = openat(parent, name, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            remove_tree(parent, name, 1);
    }
}
