/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-creds.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"

#define PATH CTL_CREDS_FOLDER "/" CTL_CREDS_NAME
#define PENDING PATH ".rotation"

int
ctl_creds_lock(GError **error)
{
    sl_autofd int fd = open(CTL_CREDS_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        sl_error_set_errno(error, errno, "%s", CTL_CREDS_FOLDER);
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        sl_error_set(error, SL_ERROR_BUSY, _("the master key is being rotated already"));
        return -1;
    }
    return sl_fd_steal(&fd);
}

/* A program to its end; *ret_output is what it said. Its complaints are the error. */
static gboolean
run(const char *const *argv, GBytes *input, GBytes **ret_output, GError **error)
{
    g_autoptr(GBytes) complaints = NULL;
    g_autoptr(GSubprocess) process = g_subprocess_newv(
        argv,
        G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE |
            (input != NULL ? G_SUBPROCESS_FLAGS_STDIN_PIPE : G_SUBPROCESS_FLAGS_NONE),
        error);
    if (process == NULL ||
        !g_subprocess_communicate(process, input, NULL, ret_output, &complaints, error))
        return FALSE;
    if (g_subprocess_get_successful(process))
        return TRUE;
    g_autofree char *text =
        g_strndup(g_bytes_get_data(complaints, NULL), g_bytes_get_size(complaints));
    g_clear_pointer(ret_output, g_bytes_unref);
    return sl_error_set(error, SL_ERROR_FAILED, _("%s %s failed: %s"), argv[0], argv[1],
                        g_strstrip(text));
}

/* --- the files --------------------------------------------------------------------------------
 */

/* What systemd-creds writes begins with an id of the kind of key it used. Ours is written with the
 * host's key; one that somebody has sealed better than that is not to be made worse unasked. */
static gboolean
check_kind(const char *text, GError **error)
{
    static const guint8 host[] = {0x5a, 0x1c, 0x6a, 0x86, 0xdf, 0x9d, 0x40, 0x96,
                                  0xb1, 0xd5, 0xa6, 0x5e, 0x08, 0x62, 0xf1, 0x9a};
    gsize len = 0;
    g_autofree char *head = g_strndup(text, 24);
    g_autofree guint8 *kind = g_base64_decode(head, &len);
    return (len >= sizeof(host) && memcmp(kind, host, sizeof(host)) == 0) ||
           sl_error_set(error, SL_ERROR_CONFIG,
                        _("%s is not sealed with this host's own key (systemd-creds "
                          "--with-key=host): it cannot be replaced by a command"),
                        PATH);
}

static gboolean
load_pending(char **ret, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autofree char *text = NULL;
    if (!g_file_get_contents(PENDING, &text, NULL, &problem)) {
        if (g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    g_strchomp(text);
    if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return sl_error_set(error, SL_ERROR_CONFIG, _("%s: '%s' is not the id of a key"), PENDING,
                            text);
    *ret = g_steal_pointer(&text);
    return TRUE;
}

GBytes *
ctl_creds_load(char **ret_pending, GError **error)
{
    static const char *const argv[] = {
        "systemd-creds", "decrypt", "--name=" CTL_CREDS_NAME, PATH, "-", NULL};
    GBytes *ring = NULL;
    g_autofree char *sealed = NULL;
    g_autoptr(GError) problem = NULL;
    if (!g_file_get_contents(PATH, &sealed, NULL, &problem)) {
        sl_error_set(error, SL_ERROR_CONFIG,
                     _("%s; 'systemctl start sluice-setup.service' makes the first key"),
                     problem->message);
        return NULL;
    }
    if (!check_kind(sealed, error) || !load_pending(ret_pending, error) ||
        !run(argv, NULL, &ring, error))
        return NULL;
    return ring;
}

gboolean
ctl_creds_store_ring(GBytes *ring, GError **error)
{
    static const char *const seal[] = {
        "systemd-creds", "encrypt", "--with-key=host", "--name=" CTL_CREDS_NAME, "-", "-", NULL};
    static const char *const open[] = {
        "systemd-creds", "decrypt", "--name=" CTL_CREDS_NAME, "-", "-", NULL};
    g_autoptr(GBytes) sealed = NULL, opened = NULL;
    if (!run(seal, ring, &sealed, error) || !run(open, sealed, &opened, error))
        return FALSE;
    if (!g_bytes_equal(ring, opened))
        return sl_error_set(error, SL_ERROR_FAILED,
                            _("systemd-creds does not give back what it was given"));
    return g_file_set_contents_full(
        PATH, g_bytes_get_data(sealed, NULL), (gssize)g_bytes_get_size(sealed),
        G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, error);
}

gboolean
ctl_creds_store_pending(const char *id, GError **error)
{
    if (id == NULL)
        return g_unlink(PENDING) == 0 || errno == ENOENT ||
               sl_error_set_errno(error, errno, "%s", PENDING);
    g_autofree char *line = g_strconcat(id, "\n", NULL);
    return g_file_set_contents_full(PENDING, line, -1,
                                    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                    0600, error);
}

/* --- who holds it -----------------------------------------------------------------------------
 */

static GVariant *
get_property(GDBusConnection *bus, const char *object, const char *interface, const char *name,
             GError **error)
{
    g_autoptr(GVariant) boxed = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        bus, "org.freedesktop.systemd1", object, "org.freedesktop.DBus.Properties", "Get",
        g_variant_new("(ss)", interface, name), G_VARIANT_TYPE("(v)"), G_DBUS_CALL_FLAGS_NONE, -1,
        NULL, error);
    if (reply == NULL)
        return NULL;
    g_variant_get(reply, "(v)", &boxed);
    return g_steal_pointer(&boxed);
}

static gboolean
is_given(GDBusConnection *bus, const char *object, gboolean *ret, GError **error)
{
    const char *name, *path;
    g_autoptr(GVariant) given = get_property(bus, object, "org.freedesktop.systemd1.Service",
                                             "LoadCredentialEncrypted", error);
    if (given == NULL)
        return FALSE;
    GVariantIter iter;
    g_variant_iter_init(&iter, given);
    while (g_variant_iter_next(&iter, "(&s&s)", &name, &path))
        *ret = *ret || strcmp(name, CTL_CREDS_NAME) == 0;
    return TRUE;
}

static gboolean
add_holder(GDBusConnection *bus, const char *unit, const char *object, GHashTable *holders,
           GError **error)
{
    gboolean given = FALSE;
    g_autoptr(GError) problem = NULL;
    if (!is_given(bus, object, &given, &problem)) {
        /* A connector's service that has ended since it was listed. */
        if (g_error_matches(problem, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT))
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    g_autoptr(GVariant) invocation =
        given ? get_property(bus, object, "org.freedesktop.systemd1.Unit", "InvocationID", error)
              : NULL;
    if (given && invocation == NULL)
        return FALSE;
    if (given)
        g_hash_table_insert(holders, g_strdup(unit), g_variant_print(invocation, FALSE));
    return TRUE;
}

/* Unit → InvocationID of each service that runs with the credential: whatever units there are. One
 * that is just starting may have read the file already, and one that is ending still writes. */
static GHashTable *
list_holders(GError **error)
{
    static const char *const states[] = {"active", "reloading", "activating", "deactivating", NULL};
    static const char *const patterns[] = {"sluice-*.service", NULL};
    const char *unit, *object;
    g_autoptr(GDBusConnection) bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, error);
    g_autoptr(GVariant) reply =
        bus != NULL
            ? g_dbus_connection_call_sync(
                  bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                  "org.freedesktop.systemd1.Manager", "ListUnitsByPatterns",
                  g_variant_new("(^as^as)", states, patterns), G_VARIANT_TYPE("(a(ssssssouso))"),
                  G_DBUS_CALL_FLAGS_NONE, -1, NULL, error)
            : NULL;
    if (reply == NULL)
        return NULL;
    g_autoptr(GHashTable) holders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GVariantIter) units = NULL;
    g_variant_get(reply, "(a(ssssssouso))", &units);
    while (g_variant_iter_next(units, "(&s&s&s&s&s&s&ou&s&o)", &unit, NULL, NULL, NULL, NULL, NULL,
                               &object, NULL, NULL, NULL))
        if (!add_holder(bus, unit, object, holders, error))
            return NULL;
    return g_steal_pointer(&holders);
}

/* Not try-restart: that leaves alone what is just ending, and it writes until it is gone. One that
 * is started without need goes again when it is idle. */
static gboolean
restart(GHashTable *holders, GError **error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autoptr(GBytes) output = NULL;
    GHashTableIter iter;
    gpointer unit;
    g_ptr_array_add(argv, (gpointer) "systemctl");
    g_ptr_array_add(argv, (gpointer) "restart");
    g_hash_table_iter_init(&iter, holders);
    while (g_hash_table_iter_next(&iter, &unit, NULL))
        g_ptr_array_add(argv, unit);
    g_ptr_array_add(argv, NULL);
    return argv->len == 3 || run((const char *const *)argv->pdata, NULL, &output, error);
}

gboolean
ctl_creds_restart_holders(GError **error)
{
    g_autoptr(GHashTable) before = list_holders(error);
    GHashTableIter iter;
    gpointer unit, invocation;
    if (before == NULL || !restart(before, error))
        return FALSE;
    g_autoptr(GHashTable) now = list_holders(error);
    if (now == NULL)
        return FALSE;
    g_hash_table_iter_init(&iter, before);
    while (g_hash_table_iter_next(&iter, &unit, &invocation))
        if (g_strcmp0(g_hash_table_lookup(now, unit), invocation) == 0)
            return sl_error_set(error, SL_ERROR_FAILED,
                                _("%s was not started anew, and goes on with the keys it has"),
                                (const char *)unit);
    return TRUE;
}
