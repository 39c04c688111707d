/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-oci-path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sl-fd.h"

char *
sl_oci_path_clean(const char *path)
{
    if (path == NULL || *path == '\0' || strlen(path) >= PATH_MAX)
        return NULL;
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    g_autoptr(GString) clean = g_string_new(NULL);
    for (guint i = 0; parts[i] != NULL; i++) {
        if (*parts[i] == '\0' || strcmp(parts[i], ".") == 0)
            continue;
        if (strcmp(parts[i], "..") == 0 || strlen(parts[i]) > NAME_MAX)
            return NULL;
        g_string_append_printf(clean, "%s%s", clean->len > 0 ? "/" : "", parts[i]);
    }
    return g_strdup(clean->str);
}

/* Part by part, each without following a link: the same as openat2(2) with RESOLVE_BENEATH and
 * RESOLVE_NO_SYMLINKS, and it makes what is missing on its way. */
int
sl_oci_path_open(int root, const char *path, gboolean make)
{
    sl_autofd int fd = openat(root, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    for (guint i = 0; fd >= 0 && parts[i] != NULL; i++) {
        if (*parts[i] == '\0')
            continue;
        if (make && mkdirat(fd, parts[i], 0755) != 0 && errno != EEXIST)
            return -1;
        int next = openat(fd, parts[i], O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        sl_fd_clear(&fd);
        fd = next;
    }
    return sl_fd_steal(&fd);
}

gboolean
sl_oci_is_whiteout(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}
