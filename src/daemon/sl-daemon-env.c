/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-daemon.h"

#include <fcntl.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "sl-daemon-private.h"
#include "sl-fd.h"

/* What the service manager gives to a daemon: sockets, credentials, a line of status. */

#define MAX_CREDENTIAL (1 << 20)

void
sl_daemon_status(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    /* A newline would begin another assignment of the protocol. */
    g_strdelimit(text, "\n", ' ');
    sd_notifyf(0, "STATUS=%s", text);
}

void
sl_daemon_take_environment(SlDaemon *daemon)
{
    g_auto(GStrv) names = NULL;
    int n = sd_listen_fds_with_names(1, &names);
    daemon->sockets = g_array_new(FALSE, FALSE, sizeof(int));
    if (n < 0) {
        g_warning("sockets of the service manager: %s, ignoring", g_strerror(-n));
        n = 0;
    }
    for (int i = 0; i < n; i++) {
        int fd = SD_LISTEN_FDS_START + i;
        g_array_append_val(daemon->sockets, fd);
    }
    daemon->socket_names = g_steal_pointer(&names);
}

GArray *
sl_daemon_take_sockets(SlDaemon *daemon, const char *name)
{
    GArray *taken = g_array_new(FALSE, FALSE, sizeof(int));
    for (guint i = 0; i < daemon->sockets->len; i++) {
        int *fd = &g_array_index(daemon->sockets, int, i);
        if (*fd < 0 || (name != NULL && g_strcmp0(daemon->socket_names[i], name) != 0))
            continue;
        g_array_append_val(taken, *fd);
        *fd = -1;
    }
    return taken;
}

GBytes *
sl_daemon_credential(const char *name, GError **error)
{
    const char *folder = g_getenv("CREDENTIALS_DIRECTORY");
    if (strchr(name, '/') != NULL || *name == '.' || *name == '\0') {
        sl_error_set(error, SL_ERROR_INVALID, "'%s' is no name of a credential", name);
        return NULL;
    }
    if (folder == NULL) {
        sl_error_set(error, SL_ERROR_NOT_FOUND,
                     "credential '%s': none were passed ($CREDENTIALS_DIRECTORY is not set)", name);
        return NULL;
    }
    g_autofree char *path = g_build_filename(folder, name, NULL);
    sl_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        sl_error_set_errno(error, errno, "credential '%s'", name);
        return NULL;
    }
    gsize len = 0;
    char *content = sl_fd_read_all(fd, MAX_CREDENTIAL, &len, error);
    if (content == NULL) {
        g_prefix_error(error, "credential '%s': ", name);
        return NULL;
    }
    return g_bytes_new_take(content, len);
}
