/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* What a workload's `launch` asks for, one role of it (ARCHITECTURE.md, "The workload API"). It
 * comes from the control plane, but is judged like foreign input: it ends in a unit's properties.
 */

typedef enum { LAUNCHER_SOURCE, LAUNCHER_DESTINATION, LAUNCHER_N_ROLES } LauncherRole;

typedef struct {
    char *runtime;          /* a row of launcher-backend.c */
    char **command;         /* at least one word; meaning of the first depends on the runtime */
    char *tree;             /* folder of an installed connector, or an image's name; or NULL */
    char **writable;        /* folders below SL_STATE_ROOT that stay from run to run */
    char **allowed;         /* blocks of addresses: nothing else is reached; NULL: not said */
    char **readable;        /* further paths to read, absolute */
    gboolean network;       /* FALSE: none at all but unix sockets */
    gboolean writable_root; /* of a container: its own files may change, for as long as it lives */
    guint64 memory_max, tasks_max, cpu_percent, runtime_max_usec; /* 0: not said */
} LauncherLaunch;

/* Where `writable` folders live. */
#define LAUNCHER_STATE_ROOT "/var/lib"
#define LAUNCHER_STATE_PREFIX LAUNCHER_STATE_ROOT "/sluice/"

const char *launcher_role_name(LauncherRole role);
gboolean launcher_role_parse(const char *name, LauncherRole *ret_role, GError **error);

/* `where` stands in errors: "launch.source". SL_ERROR_INVALID. */
LauncherLaunch *launcher_launch_parse(const SlJsonDoc *doc, const SlJsonNode *node,
                                      const char *where, GError **error);
void launcher_launch_free(LauncherLaunch *launch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LauncherLaunch, launcher_launch_free)

/* An absolute path without "." and ".." and empty parts: what is checked is what is used. */
gboolean launcher_path_is_plain(const char *path);
