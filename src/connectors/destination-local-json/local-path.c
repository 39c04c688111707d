/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "local-path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "sl-error.h"
#include "sl-fd.h"

#define DEFAULT_ROOT "/var/lib/sluice/local-json"
#define FIELD "configuration.destination_path"
/* NAME_MAX is 255; prefix, suffixes and the mark of a generation need the rest. */
#define MAX_STEM 180
#define HASH_DIGITS 16

const char *
local_path_root(void)
{
    const char *root = g_getenv("SLUICE_LOCAL_ROOT");
    return root == NULL || *root == '\0' ? DEFAULT_ROOT : root;
}

/* One step down; the folder is made when it is missing. Closes `parent`. */
static int
path_step(int parent, const char *component, const char *path, GError **error)
{
    sl_autofd int dir = parent;
    if (g_str_equal(component, "..")) {
        sl_error_set(error, SL_ERROR_INVALID, FIELD ": '%s' leads out of %s", path,
                     local_path_root());
        return -1;
    }
    if (mkdirat(dir, component, 0775) < 0 && errno != EEXIST) {
        sl_error_set_errno(error, errno, FIELD ": making '%s' of '%s'", component, path);
        return -1;
    }
    int fd = openat(dir, component, O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    /* With O_DIRECTORY a link is ENOTDIR, without it ELOOP (open(2)). */
    struct stat st;
    int errnum = errno;
    if (fstatat(dir, component, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
        sl_error_set(error, SL_ERROR_FORBIDDEN, FIELD ": '%s' of '%s' is a symbolic link",
                     component, path);
    else if (errnum == ENOTDIR)
        sl_error_set(error, SL_ERROR_INVALID, FIELD ": '%s' of '%s' is not a folder", component,
                     path);
    else
        sl_error_set_errno(error, errnum, FIELD ": opening '%s' of '%s'", component, path);
    return -1;
}

int
local_path_open(const char *path, GError **error)
{
    const char *root = local_path_root();
    if (g_mkdir_with_parents(root, 0755) < 0) {
        sl_error_set_errno(error, errno, "making %s", root);
        return -1;
    }
    int dir = open(root, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (dir < 0) {
        sl_error_set_errno(error, errno, "opening %s", root);
        return -1;
    }
    /* The public connector mounts its root at /local, and paths may be written with it. */
    const char *rest = path;
    if (g_str_equal(path, "/local") || g_str_has_prefix(path, "/local/"))
        rest += strlen("/local");
    g_auto(GStrv) components = g_strsplit(rest, "/", -1);
    for (guint i = 0; components[i] != NULL && dir >= 0; i++)
        if (*components[i] != '\0' && !g_str_equal(components[i], "."))
            dir = path_step(dir, components[i], path, error);
    return dir;
}

static void
append_encoded(GString *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (g_ascii_isalnum(*p) || *p == '_' || *p == '-')
            g_string_append_c(out, *p);
        else
            g_string_append_printf(out, "%%%02X", (guchar)*p);
    }
}

char *
local_path_file(const char *ns, const char *name)
{
    g_autoptr(GString) stem = g_string_new(NULL);
    if (ns != NULL) {
        append_encoded(stem, ns);
        g_string_append_c(stem, '.'); /* never in an encoded part: NAMESPACE.NAME is unique */
    }
    append_encoded(stem, name);
    if (stem->len > MAX_STEM) {
        g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, stem->str, -1);
        g_string_truncate(stem, MAX_STEM - HASH_DIGITS - 1);
        g_string_append_printf(stem, "~%.*s", HASH_DIGITS, hash);
    }
    return g_strdup_printf("_airbyte_raw_%s.jsonl", stem->str);
}
