/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Stands between a process and PostgreSQL on unix sockets, counts the statements that the server
 * has done for it (BEGIN and COMMIT too, PREPARE not), and strikes when one is done and its answer
 * is on the way: nothing of the answer arrives. The product knows nothing of it. */
typedef struct CrashProxy CrashProxy;

typedef enum {
    CRASH_KILL, /* SIGKILL to the process */
    CRASH_CUT,  /* the connection breaks and the process lives on; counts COMMITs only: whether what
                   was done counts is not known then, in all other cases it does not */
    CRASH_FREEZE, /* SIGSTOP to the process; the connection stays open */
} CrashMode;

/* `port_file`: the server's socket. Its own lies in a folder of its own. */
CrashProxy *crash_proxy_new(const char *port_file);
void crash_proxy_free(CrashProxy *proxy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CrashProxy, crash_proxy_free)

/* For `host=`. */
const char *crash_proxy_get_folder(const CrashProxy *proxy);

/* Serves until the process `pid` (a child) has ended or is frozen, striking at statement `strike`
 * (from 1; 0: never). TRUE: it struck. *ret_status of a process that has ended: waitpid()'s. */
gboolean crash_proxy_serve(CrashProxy *proxy, pid_t pid, guint strike, CrashMode mode,
                           int *ret_status);

/* Goes on with a process that was frozen, until it has ended. */
void crash_proxy_thaw(CrashProxy *proxy, pid_t pid, int *ret_status);
