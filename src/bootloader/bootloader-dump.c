/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "bootloader-dump.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#include "sl-db.h"
#include "sl-error.h"

#define PATTERN "^sluice-[0-9]{4,}-[0-9]{8}T[0-9]{6}Z\\.dump$"
#define WAY_OUT "or set Dumps=0 below [Database] in sluice.conf to upgrade without one"

/* Where Debian has the programs of each major version. In its PATH is a script that looks for the
 * version of a cluster which it manages; ours it does not know. */
#define HOME "/usr/lib/postgresql"

/* --- pg_dump -----------------------------------------------------------------------------------
 */

/* pg_dump reads servers of its own and of older versions: the newest one will do. */
static char *
find_newest(void)
{
    g_autoptr(GDir) dir = g_dir_open(HOME, 0, NULL);
    g_autofree char *best = NULL;
    guint64 newest = 0;
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(HOME, name, "bin", "pg_dump", NULL);
        guint64 version = g_ascii_strtoull(name, NULL, 10);
        if (version > newest && g_file_test(path, G_FILE_TEST_IS_EXECUTABLE)) {
            newest = version;
            g_free(best);
            best = g_steal_pointer(&path);
        }
    }
    return g_steal_pointer(&best);
}

static char *
find_program(const char *folder)
{
    if (folder != NULL)
        return g_build_filename(folder, "pg_dump", NULL);
    char *newest = find_newest();
    return newest != NULL ? newest : g_find_program_in_path("pg_dump");
}

/* The last line is the one that says what it gave up for. */
static const char *
last_line(char *text)
{
    g_strchomp(text);
    const char *newline = strrchr(text, '\n');
    return newline != NULL ? newline + 1 : text;
}

static gboolean
run(const BootloaderDump *dump, const char *program, const char *path, GError **error)
{
    g_auto(GStrv) env = sl_db_conninfo_to_environ(dump->conninfo, g_get_environ(), error);
    g_autofree char *said = NULL;
    if (env == NULL)
        return FALSE;
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_subprocess_launcher_set_environ(launcher, env);
    g_autoptr(GSubprocess) process = g_subprocess_launcher_spawn(
        launcher, error, program, "--format=custom", "--no-password", "--file", path, NULL);
    if (process == NULL || !g_subprocess_communicate_utf8(process, NULL, NULL, NULL, &said, error))
        return FALSE;
    if (g_subprocess_get_successful(process))
        return TRUE;
    return sl_error_set(error, SL_ERROR_FAILED, "%s", last_line(said));
}

gboolean
bootloader_dump(const BootloaderDump *dump, char **ret_path, GError **error)
{
    g_autofree char *program = find_program(dump->programs);
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(dump->now / G_USEC_PER_SEC);
    g_autofree char *time = g_date_time_format(when, "%Y%m%dT%H%M%SZ");
    g_autofree char *path =
        g_strdup_printf("%s/sluice-%04u-%s.dump", dump->folder, dump->version, time);
    g_autofree char *part = g_strconcat(path, ".part", NULL);
    g_autoptr(GError) reason = NULL;
    if (program == NULL)
        return sl_error_set(error, SL_ERROR_CONFIG,
                            "there is no pg_dump to save the database before it is migrated: "
                            "install PostgreSQL's client programs, " WAY_OUT);
    if (!run(dump, program, part, &reason)) {
        g_unlink(part);
        return sl_error_set(
            error, SL_ERROR_FAILED,
            "saving the database to %s before it is migrated: %s; mend that, " WAY_OUT, path,
            reason->message);
    }
    if (g_rename(part, path) < 0)
        return sl_error_set_errno(error, errno, "%s", path);
    *ret_path = g_steal_pointer(&path);
    return TRUE;
}

/* --- the folder --------------------------------------------------------------------------------
 */

/* By time, which follows the version in a name. */
static gint
compare_age(gconstpointer a, gconstpointer b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    return strcmp(strrchr(x, '-'), strrchr(y, '-'));
}

static GPtrArray *
list(const char *folder)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;)
        if (g_regex_match_simple(PATTERN, name, 0, 0))
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_age);
    return names;
}

void
bootloader_dump_sweep(const char *folder, guint keep)
{
    g_autoptr(GPtrArray) names = list(folder);
    for (guint i = 0; i + keep < names->len; i++) {
        g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);
        if (g_unlink(path) < 0)
            g_warning("Cannot delete the old dump %s: %s", path, g_strerror(errno));
    }
}

char *
bootloader_dump_find_last(const char *folder)
{
    g_autoptr(GPtrArray) names = list(folder);
    return names->len > 0 ? g_build_filename(folder, names->pdata[names->len - 1], NULL) : NULL;
}
