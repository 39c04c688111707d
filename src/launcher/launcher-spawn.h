/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Forks the orchestrator: it waits for a byte, drops to its user and every capability, checks that
 * this is so, and becomes the program. */
typedef struct {
    const char *program; /* absolute path */
    const char *const *argv;
    const char *const *environment;
    uid_t uid;
    gid_t gid;
    const char *token; /* one line on fd 3 */
} LauncherSpawn;

/* A byte to *ret_go_fd lets the child go on; closing it ends the child (exit status 124). */
gboolean launcher_spawn(const LauncherSpawn *spawn, pid_t *ret_pid, int *ret_go_fd, GError **error);

/* Lets it go on. */
gboolean launcher_spawn_go(int go_fd, GError **error);

/* Exit statuses of the child before it is the program. */
#define LAUNCHER_EXIT_LET_GO 124 /* nobody said go */
#define LAUNCHER_EXIT_UNSAFE 125 /* could not become powerless */
#define LAUNCHER_EXIT_NO_EXEC 126

/* "exited with status 3", "was killed by signal 9 (Killed)", and our own statuses in words. */
char *launcher_spawn_describe(int wait_status);

/* uid and gid of a user; SL_ERROR_CONFIG when there is none. */
gboolean launcher_spawn_find_user(const char *name, uid_t *ret_uid, gid_t *ret_gid, GError **error);
