/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "container.h"
#include "sl-fd.h"

/* Calls to the engine block; a thread waits for what is to end them. */
struct ContainerStop {
    GCancellable *cancellable;
    GThread *thread;
    int signals;
    int wake[2]; /* a byte: look at `peer`; its end: the thread goes */
    gint peer;   /* atomic; -1: none yet */
};

static gpointer
wait_for_end(gpointer data)
{
    ContainerStop *stop = data;
    for (;;) {
        struct pollfd polls[] = {{.fd = stop->signals, .events = POLLIN},
                                 {.fd = stop->wake[0], .events = POLLIN},
                                 {.fd = g_atomic_int_get(&stop->peer), .events = POLLRDHUP}};
        char byte;
        if (poll(polls, G_N_ELEMENTS(polls), -1) < 0)
            continue;
        if (polls[1].revents != 0 && read(stop->wake[0], &byte, 1) == 0)
            return NULL;
        if (polls[0].revents != 0 || polls[2].revents != 0) {
            g_cancellable_cancel(stop->cancellable);
            return NULL;
        }
    }
}

ContainerStop *
container_stop_new(void)
{
    ContainerStop *stop = g_new0(ContainerStop, 1);
    static const int handled[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    sigset_t set;
    sigemptyset(&set);
    for (gsize i = 0; i < G_N_ELEMENTS(handled); i++)
        sigaddset(&set, handled[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    stop->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    stop->wake[0] = stop->wake[1] = stop->peer = -1;
    sl_fd_pipe(&stop->wake[0], &stop->wake[1], 0, NULL);
    stop->cancellable = g_cancellable_new();
    stop->thread = g_thread_new("stop", wait_for_end, stop);
    return stop;
}

void
container_stop_free(ContainerStop *stop)
{
    if (stop == NULL)
        return;
    sl_fd_clear(&stop->wake[1]);
    g_thread_join(stop->thread);
    sl_fd_clear(&stop->wake[0]);
    sl_fd_clear(&stop->signals);
    g_object_unref(stop->cancellable);
    g_free(stop);
}

GCancellable *
container_stop_get(ContainerStop *stop)
{
    return stop->cancellable;
}

void
container_stop_watch(ContainerStop *stop, int peer)
{
    g_atomic_int_set(&stop->peer, peer);
    if (write(stop->wake[1], "", 1) < 0)
        g_debug("waking the thread: %m");
}
