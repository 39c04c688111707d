/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container-host.h"
#include "container-own.h"
#include "sl-error.h"
#include "sl-fd.h"
#include "sl-init-wire.h"

#define TOKEN_MAX 4096
#define KILL_USEC (15 * G_USEC_PER_SEC) /* from SIGTERM to SIGKILL */

static gboolean
create(ContainerOwn *own, GError **error)
{
    static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
                                              "HOME=/", NULL};
    static const char *const arguments[] = {"--token-socket", CONTAINER_PEER "/ctl", NULL};
    g_autoptr(GArray) mounts = container_host_mounts();
    const SlEngineMount peer = {own->peer_folder, CONTAINER_PEER, FALSE};
    g_array_append_val(mounts, peer);
    SlEngineContainer container = {
        .image = CONTAINER_HOST_IMAGE,
        .entrypoint = own->request->command,
        .cmd = arguments,
        .env = environment,
        .user = own->request->user,
        .working_dir = "/",
        .mounts = (const SlEngineMount *)mounts->data,
        .n_mounts = mounts->len,
        .of_host = TRUE,
    };
    return container_own_create(own, &container, error);
}

/* It asks for the token at our socket. By then the launcher can read in our note which process it
 * is, and listens to it. */
static gboolean
give_token(ContainerOwn *own, const char *token, GCancellable *cancellable, GError **error)
{
    sl_autofd int peer = container_own_accept(own, cancellable, error);
    return peer >= 0 && sl_fd_write_all(peer, token, strlen(token), error);
}

static gboolean
start(ContainerOwn *own, const char *token, GCancellable *cancellable, GError **error)
{
    if (own->request->command == NULL || own->request->command[0] == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "the orchestrator's command is missing");
    return container_own_begin(own, cancellable, error) &&
           container_host_ensure(own->engine, error) && create(own, error) &&
           container_own_start(own, error) && give_token(own, token, cancellable, error);
}

/* Until its process has ended; asked to end, and killed when it does not, once somebody wants that.
 * Without a pidfd the engine is asked to do it. */
static void
wait_for_end(ContainerOwn *own, GCancellable *cancellable)
{
    GPollFD wish;
    gint64 deadline = 0, code;
    if (own->process < 0 || !g_cancellable_make_pollfd(cancellable, &wish)) {
        sl_engine_wait_container(own->engine, own->id, 0, &code, NULL);
        return;
    }
    for (;;) {
        struct pollfd polls[] = {{.fd = own->process, .events = POLLIN},
                                 {.fd = deadline == 0 ? wish.fd : -1, .events = POLLIN}};
        gint64 left = deadline == 0 ? -1 : (deadline - g_get_monotonic_time()) / 1000;
        if (poll(polls, G_N_ELEMENTS(polls), (int)MAX(left, deadline == 0 ? -1 : 0)) < 0)
            continue;
        if (polls[0].revents != 0)
            break;
        if (polls[1].revents != 0) {
            deadline = g_get_monotonic_time() + KILL_USEC;
            syscall(SYS_pidfd_send_signal, own->process, SIGTERM, NULL, 0);
        } else if (deadline != 0 && g_get_monotonic_time() >= deadline) {
            syscall(SYS_pidfd_send_signal, own->process, SIGKILL, NULL, 0);
            deadline = G_MAXINT64 / 2;
        }
    }
    g_cancellable_release_fd(cancellable);
}

gboolean
container_run_orchestrator(const ContainerRequest *request, int token_fd, ContainerStop *stop,
                           int *ret_status, GError **error)
{
    g_auto(ContainerOwn) own;
    GCancellable *cancellable = container_stop_get(stop);
    gsize len;
    container_own_init(&own, request);
    g_autofree char *token = sl_fd_read_all(token_fd, TOKEN_MAX, &len, error);
    if (token == NULL)
        return FALSE;
    gboolean ok = start(&own, token, cancellable, error);
    if (ok)
        wait_for_end(&own, cancellable);
    *ret_status = ok ? container_own_status(&own) : SL_INIT_EXIT_FAILED;
    container_own_end(&own);
    return ok;
}
