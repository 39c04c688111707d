/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "container.h"

/* What the keepers of connectors (container-run) and of orchestrators (container-orchestrator) have
 * in common: one container, from its creation to its removal. */

/* As the container sees it: a path that no image has. Our socket in it is "ctl". */
#define CONTAINER_PEER "/.sluice/run"

typedef struct {
    const ContainerRequest *request;
    SlEngine *engine;  /* NULL: none was found yet */
    char *folder;      /* ours, below the runtime folder */
    char *peer_folder; /* CONTAINER_PEER */
    char *note;        /* there as long as there may be a container */
    char *host;        /* label of this host's containers */
    char *id;          /* NULL: not created */
    pid_t pid;         /* of its first process; 0: not known */
    int process;       /* the same, as a pidfd */
    int listener;      /* at CONTAINER_PEER/ctl */
} ContainerOwn;

void container_own_init(ContainerOwn *own, const ContainerRequest *request);
void container_own_clear(ContainerOwn *own);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ContainerOwn, container_own_clear)

/* The socket, the note and the engine. */
gboolean container_own_begin(ContainerOwn *own, GCancellable *cancellable, GError **error);
/* `container` says what is its own; labels, limits and the slice are the request's. One of the same
 * name that is left of a keeper before us gives way. */
gboolean container_own_create(ContainerOwn *own, SlEngineContainer *container, GError **error);
gboolean container_own_start(ContainerOwn *own, GError **error);
/* The first process connects to our socket, or ends. */
int container_own_accept(ContainerOwn *own, GCancellable *cancellable, GError **error);
/* How it ended, as the connector's own status would be, were it in our place. */
int container_own_status(ContainerOwn *own);
/* Takes it away, and what others have left that nobody keeps any more. */
void container_own_end(ContainerOwn *own);
