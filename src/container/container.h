/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-engine.h"

/* Where RuntimeDirectory= of the launcher's units is: one folder per unit, for as long as the unit
 * is there. A container without one has nobody to keep it. */
#define CONTAINER_RUNTIME "/run/sluice-containers"
#define CONTAINER_LABEL "io.sluice.unit"
/* In that folder: "PID START\n" of the container's first process (START as in proc(5), stat), "0 0"
 * before it is there. The launcher tells an orchestrator by it. */
#define CONTAINER_NOTE "process"

/* What is asked for; all from the launcher's fixed policy. */
typedef struct {
    const char *name;    /* of the container, and of our unit without its suffix */
    const char *engine;  /* its socket; NULL: whichever of the usual ones is there */
    const char *runtime; /* CONTAINER_RUNTIME; tests have another */
    const char *control; /* the orchestrator's socket, as we see it */
    const char *image, *init, *sockets, *slice, *network, *workload, *role;
    const char *user;                  /* UID:GID, of an orchestrator */
    gint64 memory, tasks, cpu_percent; /* 0: no limit; the engine's client has one for tasks */
    gboolean writable_root;
    const char *const *command; /* NULL: the image's own */
} ContainerRequest;

/* Set when somebody wants the container to end: a signal of systemd's, or a peer that hung up. */
typedef struct ContainerStop ContainerStop;
ContainerStop *container_stop_new(void); /* blocks the signals: before any other thread is made */
void container_stop_free(ContainerStop *stop);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ContainerStop, container_stop_free)
GCancellable *container_stop_get(ContainerStop *stop);
void container_stop_watch(ContainerStop *stop, int peer); /* its hang-up counts, too */

/* container-engine: the first that answers. */
SlEngine *container_engine_find(const ContainerRequest *request, GCancellable *cancellable,
                                GError **error);

/* container-run: the whole life of one. *ret_status: what it ended with. FALSE: it never began, and
 * the orchestrator was told. */
gboolean container_run(const ContainerRequest *request, ContainerStop *stop, int *ret_status,
                       GError **error);
/* The same for an orchestrator, whose token comes from `token_fd`: it runs what this host has
 * installed, in a container beside its connectors (container-host.h). */
gboolean container_run_orchestrator(const ContainerRequest *request, int token_fd,
                                    ContainerStop *stop, int *ret_status, GError **error);
/* After one that was killed: the container ends, if it is there. */
gboolean container_remove(const ContainerRequest *request, GError **error);
