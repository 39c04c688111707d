/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/* A blocking client of a container engine, Docker or Podman, by its HTTP API on a unix socket. Used
 * by one thread at a time. The version of the API is agreed upon at the first call.
 *
 * Errors name engine, socket and what was asked: SL_ERROR_UNAVAILABLE (no engine, or it ended;
 * whether it acted is unknown), _TIMED_OUT, _CANCELLED, _NOT_FOUND, _CONFLICT, _FORBIDDEN (the
 * registry wants other credentials), _INVALID, _PROTOCOL, _FAILED (what else the engine refused).
 */
typedef struct _SlEngine SlEngine;

SlEngine *sl_engine_new(const char *socket_path);
void sl_engine_free(SlEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlEngine, sl_engine_free)

/* How long a call may take (default 60 s; 0: no limit); pull, wait and events have one of their
 * own. `cancellable` is borrowed. */
void sl_engine_set_timeout(SlEngine *engine, guint msec);
void sl_engine_set_cancellable(SlEngine *engine, GCancellable *cancellable);

/* Agrees upon the version when that is not done; every call does so. */
gboolean sl_engine_connect(SlEngine *engine, GError **error);
const char *sl_engine_get_name(SlEngine *engine);    /* "Docker" or "Podman"; "engine" before */
const char *sl_engine_get_version(SlEngine *engine); /* of the API: "1.41"; NULL before */

/* "systemd" or "cgroupfs": only the first makes units of a container's parent. */
char *sl_engine_dup_cgroup_driver(SlEngine *engine, GError **error);

/* --- images -------------------------------------------------------------------------------- */

typedef struct {
    char *id;            /* sha256:… of the image's configuration */
    char **repo_digests; /* repository@sha256:…; empty for an image that never was in a registry */
    char **entrypoint, **cmd, **env;
    char *user, *working_dir; /* "" when the image says nothing */
} SlEngineImage;

void sl_engine_image_free(SlEngineImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlEngineImage, sl_engine_image_free)

/* What a private registry wants to know. NULL members are left out. Never logged. */
typedef struct {
    const char *username, *password, *identity_token, *server;
} SlEngineLogin;

typedef struct {
    const char *id;        /* the layer; NULL: about the whole */
    const char *status;    /* the engine's words */
    gint64 current, total; /* bytes; 0 when the engine does not count */
} SlEngineProgress;
typedef void (*SlEngineProgressFunc)(const SlEngineProgress *progress, gpointer user_data);

/* Is it a name[:tag][@sha256:digest] that may be given to an engine? */
gboolean sl_engine_check_reference(const char *reference, GError **error);

SlEngineImage *sl_engine_inspect_image(SlEngine *engine, const char *reference, GError **error);

/* Pulls; without tag and digest the tag "latest". `deadline` is monotonic, 0: none. */
gboolean sl_engine_pull_image(SlEngine *engine, const char *reference, const SlEngineLogin *login,
                              gint64 deadline, SlEngineProgressFunc progress, gpointer user_data,
                              GError **error);

/* The image, pulled when it is not there. One that is pinned is checked to have that digest. */
SlEngineImage *sl_engine_ensure_image(SlEngine *engine, const char *reference,
                                      const SlEngineLogin *login, gint64 deadline,
                                      SlEngineProgressFunc progress, gpointer user_data,
                                      GError **error);

/* Takes an image out of an archive (as `docker save` makes it), under the names that it says. */
gboolean sl_engine_load_image(SlEngine *engine, GBytes *archive, GError **error);

/* --- containers ---------------------------------------------------------------------------- */

typedef struct {
    const char *source, *target; /* absolute; the engine's own view of the host */
    gboolean writable;
} SlEngineMount;

/* All that may differ between two containers. The rest is fixed: no capabilities, no new
 * privileges, the engine's seccomp profile, private IPC, no log, no attached stream, no restart. */
typedef struct {
    const char *image;
    const char *const *entrypoint, *const *cmd, *const *env; /* NULL: the image's own */
    const char *user, *working_dir;                          /* NULL: the image's own */
    const char *const *labels;                               /* "name", "value", …, NULL */
    const SlEngineMount *mounts;
    gsize n_mounts;
    const char *network;   /* NULL: "none"; others' namespaces are refused, and so is "host" … */
    gboolean host_network; /* … unless the administrator said so */
    const char *cgroup_parent; /* NULL: the engine's */
    gint64 memory_bytes;       /* 0: no limit; no swap beyond it */
    gint64 nano_cpus;          /* 0: no limit */
    gint64 pids;               /* 0: 512 */
    gint64 tmp_bytes;          /* of /tmp, 0: 64 MiB; it counts as memory */
    gboolean writable_root;    /* for images that write beside their code */
    /* For a program of Sluice's own: it sees the processes of the host, and AppArmor and SELinux
     * treat it as they do on the host, where the one would keep it from the message bus. */
    gboolean of_host;
} SlEngineContainer;

/* The body of a create request; NULL when the description asks for what is not granted. */
char *sl_engine_print_container(const SlEngineContainer *container, GError **error);

char *sl_engine_create_container(SlEngine *engine, const char *name,
                                 const SlEngineContainer *container, GError **error);
gboolean sl_engine_start_container(SlEngine *engine, const char *id, GError **error);

/* One that does not run (any more) or is gone is no error: it was to end. */
gboolean sl_engine_kill_container(SlEngine *engine, const char *id, const char *signal,
                                  GError **error);
gboolean sl_engine_remove_container(SlEngine *engine, const char *id, GError **error);

/* Until it has ended. Call it only after a start that succeeded: Podman answers it with nonsense
 * otherwise. */
gboolean sl_engine_wait_container(SlEngine *engine, const char *id, gint64 deadline,
                                  gint64 *ret_exit_code, GError **error);

typedef struct {
    char *id, *name, *state; /* "created", "running", "exited", … */
    char *error;             /* why it could not start; "" */
    gboolean running, oom_killed;
    gint64 exit_code, pid;
} SlEngineState;

void sl_engine_state_free(SlEngineState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlEngineState, sl_engine_state_free)
SlEngineState *sl_engine_inspect_container(SlEngine *engine, const char *id, GError **error);

/* Ids of all containers, ended ones too, with the label ("name" or "name=value"). */
char **sl_engine_list_containers(SlEngine *engine, const char *label, GError **error);

/* Kills and removes all of them but those in `keep` (ids, may be NULL): what a launcher that died
 * has left behind. Goes on behind a failure and returns the first. */
gboolean sl_engine_sweep_containers(SlEngine *engine, const char *label, const char *const *keep,
                                    guint *ret_removed, GError **error);

/* FALSE: enough. */
typedef gboolean (*SlEngineEventFunc)(const char *id, const char *action, gpointer user_data);

/* What happens to containers with the label, until `func` has enough, the deadline or an error. The
 * end of the engine is SL_ERROR_UNAVAILABLE: connect again and list. */
gboolean sl_engine_watch_containers(SlEngine *engine, const char *label, gint64 deadline,
                                    SlEngineEventFunc func, gpointer user_data, GError **error);
