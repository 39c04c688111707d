/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-registry-host.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder that we may not look into may well have one. */
static gboolean
may_be_there(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 || errno == EACCES;
}

static gboolean
has_engine(const char *socket)
{
    if (*socket != '\0')
        return may_be_there(socket);
    return may_be_there("/run/docker.sock") || may_be_there("/run/podman/podman.sock");
}

/* Images without an engine are fetched by skopeo, and unpacked and run by systemd. */
static gboolean
has_skopeo(const char *socket)
{
    return access("/usr/bin/skopeo", X_OK) == 0 && access("/run/systemd/system", F_OK) == 0;
}

static gboolean
always(const char *socket)
{
    return TRUE;
}

/* Those of src/launcher that serve entries of a registry. */
static const struct {
    const char *name;
    gboolean (*is_there)(const char *engine_socket);
} runtimes[] = {
    {"native", always},  {"pypi", always},       {"manifest", always},
    {"oci", has_skopeo}, {"docker", has_engine},
};

static gboolean
can_run(const char *name, const char *engine_socket)
{
    for (gsize i = 0; i < G_N_ELEMENTS(runtimes); i++)
        if (strcmp(runtimes[i].name, name) == 0)
            return runtimes[i].is_there(engine_socket);
    return FALSE;
}

char *
sl_registry_host_runtimes(const char *wished, const char *engine_socket)
{
    g_auto(GStrv) words = g_strsplit_set(wished, " \t,", -1);
    g_autoptr(GPtrArray) able = g_ptr_array_new();
    for (guint i = 0; words[i] != NULL; i++)
        if (can_run(words[i], engine_socket))
            g_ptr_array_add(able, words[i]);
    g_ptr_array_add(able, NULL);
    return g_strjoinv(" ", (char **)able->pdata);
}
