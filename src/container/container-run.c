/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "container-image.h"
#include "container-link.h"
#include "container-own.h"
#include "sl-error.h"
#include "sl-fd.h"
#include "sl-init-wire.h"

#define INSIDE_INIT "/.sluice/init"     /* a path that no image has */
#define KILL_USEC (10 * G_USEC_PER_SEC) /* sluice-init kills the connector after 5 s */

static GStrv
make_entrypoint(const SlEngineImage *image)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_strv_builder_add_many(words, INSIDE_INIT, "--socket", CONTAINER_PEER "/ctl", NULL);
    /* sluice-init keeps little of its own environment. */
    for (char **entry = image->env; *entry != NULL; entry++)
        if (strchr(*entry, '=') != NULL && **entry != '=')
            g_strv_builder_add_many(words, "--env", *entry, NULL);
    g_strv_builder_add(words, "--");
    return g_strv_builder_end(words);
}

static gboolean
create(ContainerOwn *own, const SlEngineImage *image, GError **error)
{
    const ContainerRequest *request = own->request;
    g_auto(GStrv) words = NULL, entrypoint = make_entrypoint(image);
    const char *const *command = request->command;
    if (command == NULL || command[0] == NULL)
        command = (const char *const *)(words = container_image_command(image, error));
    if (command == NULL)
        return FALSE;
    const SlEngineMount mounts[] = {
        {request->init, INSIDE_INIT, FALSE},
        {own->peer_folder, CONTAINER_PEER, FALSE},
        {request->sockets, "/run/sluice-init", TRUE}, /* those of the data channel */
    };
    SlEngineContainer container = {
        .image = request->image,
        .entrypoint = (const char *const *)entrypoint,
        .cmd = command,
        .mounts = mounts,
        .n_mounts = G_N_ELEMENTS(mounts),
        .network = request->network,
        .host_network = TRUE, /* only sluice.conf can say so */
        .writable_root = request->writable_root,
    };
    return container_own_create(own, &container, error);
}

/* *ret_init: the connection of the container's sluice-init. */
static gboolean
start(ContainerOwn *own, int orchestrator, GCancellable *cancellable, int *ret_init, GError **error)
{
    const ContainerRequest *request = own->request;
    if (request->init[0] != '/' || request->sockets[0] != '/')
        return sl_error_set(error, SL_ERROR_INVALID, "--init and --sockets want absolute paths");
    if (!container_own_begin(own, cancellable, error))
        return FALSE;
    g_autoptr(SlEngineImage) image =
        container_image_ensure(own->engine, request->image, orchestrator, error);
    if (image == NULL)
        return FALSE;
    container_link_note(orchestrator, "starting image '%s' (%s) by %s", request->image,
                        image->repo_digests[0] != NULL ? image->repo_digests[0] : image->id,
                        sl_engine_get_name(own->engine));
    if (!create(own, image, error) || !container_own_start(own, error))
        return FALSE;
    *ret_init = container_own_accept(own, cancellable, error);
    return *ret_init >= 0;
}

gboolean
container_run(const ContainerRequest *request, ContainerStop *stop, int *ret_status, GError **error)
{
    g_auto(ContainerOwn) own;
    g_autoptr(GError) local = NULL;
    GCancellable *cancellable = container_stop_get(stop);
    sl_autofd int orchestrator = -1, init = -1;
    container_own_init(&own, request);
    orchestrator = container_link_dial(request->control, error);
    if (orchestrator < 0)
        return FALSE;
    container_stop_watch(stop, orchestrator);
    gboolean ok = start(&own, orchestrator, cancellable, &init, &local);
    if (ok)
        container_link_relay(orchestrator, init, own.process, cancellable, KILL_USEC);
    *ret_status = ok ? container_own_status(&own) : SL_INIT_EXIT_FAILED;
    if (!ok)
        container_link_fail(orchestrator, local->message);
    sl_fd_clear(&orchestrator);
    sl_fd_clear(&init);
    container_own_end(&own);
    if (!ok)
        g_propagate_error(error, g_steal_pointer(&local));
    return ok;
}
