/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "container.h"
#include "sl-error.h"

static const char *const usual[] = {"/run/docker.sock", "/run/podman/podman.sock"};

#define CALL_MSEC (5 * 60 * 1000) /* a driver without layers of its own copies whole images */

static SlEngine *
try(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(SlEngine) engine = sl_engine_new(path);
    sl_engine_set_timeout(engine, CALL_MSEC);
    sl_engine_set_cancellable(engine, cancellable);
    return sl_engine_connect(engine, error) ? g_steal_pointer(&engine) : NULL;
}

SlEngine *
container_engine_find(const ContainerRequest *request, GCancellable *cancellable, GError **error)
{
    if (request->engine != NULL) {
        SlEngine *engine = try(request->engine, cancellable, error);
        if (engine == NULL)
            g_prefix_error(error, "the container engine that sluice.conf names ([Engine] Socket=) "
                                  "does not answer: ");
        return engine;
    }
    g_autoptr(GError) first = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(usual); i++) {
        if (!g_file_test(usual[i], G_FILE_TEST_EXISTS))
            continue;
        SlEngine *engine = try(usual[i], cancellable, first == NULL ? &first : NULL);
        if (engine != NULL)
            return engine;
    }
    if (first != NULL)
        g_propagate_prefixed_error(error, g_steal_pointer(&first),
                                   "the container engine does not answer: ");
    else
        sl_error_set(error, SL_ERROR_UNAVAILABLE,
                     "there is no container engine: neither %s nor %s is there; install Docker, or "
                     "Podman with 'systemctl enable --now podman.socket', or name another socket "
                     "by Socket= in [Engine] of sluice.conf",
                     usual[0], usual[1]);
    return NULL;
}
