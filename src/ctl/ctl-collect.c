/* SPDX-License-Identifier: Apache-2.0 */
/* Environments that no connector has any more go when nothing runs from them. */
#include "config.h"
#include "ctl-collect.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl-pypi.h"
#include "ctl-sandbox.h"
#include "sl-error.h"

#define RETIRED ".retired"
/* A workload that was claimed with the old path may not have started yet. */
#define GRACE_SEC (60 * 60)

/* A server's answer must not make root delete anything else. */
static gboolean
is_tree(const char *folder, const char *path)
{
    gsize n = strlen(folder);
    return strncmp(path, folder, n) == 0 && path[n] == '/' &&
           g_regex_match_simple("^[0-9a-f]{64}$", path + n + 1, G_REGEX_DOLLAR_ENDONLY, 0);
}

gboolean
ctl_pypi_retire(const char *tree, GError **error)
{
    g_autofree char *stamp = g_strconcat(tree, RETIRED, NULL);
    return !is_tree(CTL_PYPI_TREES, tree) || g_file_set_contents(stamp, "", 0, error);
}

/* Does a command line begin with a path below the tree? The interpreter is the first word, or
 * comes after sluice-init's own. */
static gboolean
runs_from(const char *text, gsize len, const char *below)
{
    for (const char *word = text; word < text + len; word += strlen(word) + 1)
        if (g_str_has_prefix(word, below))
            return TRUE;
    return FALSE;
}

/* 1: something runs from it; 0: nothing; -1: not known. */
static int
is_running(const char *tree)
{
    g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
    g_autofree char *below = g_strconcat(tree, "/", NULL);
    const char *name;
    if (proc == NULL)
        return -1;
    while ((name = g_dir_read_name(proc)) != NULL) {
        g_autofree char *path = g_build_filename("/proc", name, "cmdline", NULL);
        g_autofree char *text = NULL;
        gsize len;
        if (g_ascii_isdigit(*name) && g_file_get_contents(path, &text, &len, NULL) &&
            runs_from(text, len, below))
            return 1;
    }
    return 0;
}

static gboolean
is_registered(const GPtrArray *connectors, const char *tree)
{
    for (guint i = 0; i < connectors->len; i++) {
        const CtlObject *connector = g_ptr_array_index(connectors, i);
        g_autofree char *used =
            ctl_json_string(connector->doc, sl_json_root(connector->doc), "tree");
        if (strcmp(used, tree) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
collect_one(const char *stamp, const char *tree, const GPtrArray *connectors, GError **error)
{
    GStatBuf st;
    if (is_registered(connectors, tree)) /* the older version was installed again */
        return g_unlink(stamp) == 0 || sl_error_set_errno(error, errno, "%s", stamp);
    if (g_stat(stamp, &st) != 0 || st.st_mtime + GRACE_SEC > g_get_real_time() / G_USEC_PER_SEC ||
        is_running(tree) != 0)
        return TRUE;
    return ctl_tree_remove(tree, error) &&
           (g_unlink(stamp) == 0 || sl_error_set_errno(error, errno, "%s", stamp));
}

gboolean
ctl_collect_in(const char *folder, const GPtrArray *connectors, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *stamp = g_build_filename(folder, name, NULL);
        if (!g_str_has_suffix(stamp, RETIRED))
            continue;
        g_autofree char *tree = g_strndup(stamp, strlen(stamp) - strlen(RETIRED));
        if (is_tree(folder, tree) && !collect_one(stamp, tree, connectors, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
ctl_pypi_collect(Ctl *ctl, GError **error)
{
    g_autoptr(GPtrArray) connectors = ctl_object_list(ctl, CTL_KINDS_CONNECTOR, error);
    return connectors != NULL && ctl_collect_in(CTL_PYPI_TREES, connectors, error);
}
