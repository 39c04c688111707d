/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/* Transient units of systemd (org.freedesktop.systemd1(5), systemd.exec(5)). A unit is described by
 * a plain structure; sl_unit_spec_build() turns it into properties, and nothing else does. */

/* One row of a fixed policy. */
typedef enum {
    SL_UNIT_BOOL,   /* number */
    SL_UNIT_UINT64, /* number */
    SL_UNIT_UINT32, /* number */
    SL_UNIT_INT32,  /* number */
    SL_UNIT_STRING, /* text */
    SL_UNIT_WORDS,  /* text, split at spaces: as */
    SL_UNIT_ALLOW,  /* text, split at spaces: an allow-list (bas) */
    SL_UNIT_DENY,   /* the same, a deny-list */
} SlUnitSettingKind;

typedef struct {
    const char *name; /* of the property on the bus */
    SlUnitSettingKind kind;
    const char *text;
    guint64 number;
} SlUnitSetting;

typedef struct {
    const char *source; /* NULL: a tmpfs with `options` */
    const char *target;
    const char *options;
    gboolean writable;
    gboolean optional; /* a missing source is no error */
} SlUnitMount;

/* NULL and 0 mean: not set. Nothing is owned. */
typedef struct {
    const char *name; /* with its suffix: .slice, .scope, .service */
    const char *description;
    const char *slice;
    const char *const *binds_to;
    const char *const *before;
    guint32 pid;                      /* of a scope */
    const char *const *command;       /* of a service: argv, not expanded by systemd */
    const char *const *command_after; /* ExecStopPost=, likewise */
    int input_fd; /* standard input of a service; 0: as the policy says. The start borrows it */
    const char *credential; /* LoadCredentialEncrypted=, from a store of systemd; NULL: none */
    const char *const *environment; /* NAME=VALUE; readable by every user: no secrets */
    const SlUnitSetting *policy;
    gsize n_policy;
    const SlUnitMount *mounts;
    gsize n_mounts;
    gboolean deny_local_addresses;        /* no link-local, no multicast (IPAddressDeny=) */
    const char *const *allowed_addresses; /* only these blocks (sl-address.h); NULL: all others */
    guint64 memory_max, tasks_max;
    guint64 cpu_percent; /* of one CPU */
    guint64 runtime_max_usec, timeout_stop_usec;
    const char *syslog_identifier;
    const char *const *log_fields; /* FIELD=value, added to everything the unit logs */
} SlUnitSpec;

/* The properties as StartTransientUnit takes them, a(sv); floating. `input_fd` is in them as the
 * first of the message's descriptors. */
GVariant *sl_unit_spec_build(const SlUnitSpec *spec);

/* "…/unit/sluice_2dx_2eservice" → "sluice-x.service"; NULL when it is no unit's path. */
char *sl_unit_name_from_path(const char *path);

/* --- the manager -------------------------------------------------------------------------------
 */

typedef struct SlUnits SlUnits;

/* How a watched unit ended. */
typedef struct {
    const char *name;
    const char *result;  /* systemd's Result: "success", "exit-code", "signal", "oom-kill",
                            "timeout", …; "success" for every scope that was not stopped hard */
    gint32 code, status; /* of the main process: CLD_EXITED, CLD_KILLED, …; 0 when unknown */
} SlUnitEnd;

typedef void (*SlUnitEnded)(const SlUnitEnd *end, gpointer data);

/* Subscribes to systemd's signals. All calls in the thread of the default context, but those that
 * say otherwise. `ended` is called once for each watched unit. */
SlUnits *sl_units_new(GDBusConnection *connection, SlUnitEnded ended, gpointer data,
                      GError **error);
void sl_units_free(SlUnits *units); /* calls in flight fail with SL_ERROR_CANCELLED */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlUnits, sl_units_free)

/* Starts a transient unit, with `aux` (a slice, or NULL) made in the same step; done when its job
 * is. The unit must be new: SL_ERROR_EXISTS otherwise. SL_ERROR_UNAVAILABLE: the host or the slice
 * is being stopped. SL_ERROR_FAILED: the job failed; the text has systemd's word for it. */
void sl_units_start(SlUnits *units, const SlUnitSpec *spec, const SlUnitSpec *aux,
                    GAsyncReadyCallback callback, gpointer data);

/* Starts a unit that somebody else has written, as `systemctl start` does; one that runs is started
 * already. SL_ERROR_NOT_FOUND: there is none. */
void sl_units_start_existing(SlUnits *units, const char *name, GAsyncReadyCallback callback,
                             gpointer data);

/* Stops a unit and waits until it is gone; one that is gone already is fine. */
void sl_units_stop(SlUnits *units, const char *name, GAsyncReadyCallback callback, gpointer data);
gboolean sl_units_job_finish(GAsyncResult *result, GError **error);

/* Signal to all processes of a unit; SL_ERROR_NOT_FOUND. Blocking, any thread. */
gboolean sl_units_kill(SlUnits *units, const char *name, int signum, GError **error);

/* The unit that a process is in; SL_ERROR_NOT_FOUND: in none. Blocking, any thread. */
char *sl_units_get_by_pid(SlUnits *units, guint32 pid, GError **error);

/* Names of the units that match one of the patterns and are neither inactive nor failed. Blocking,
 * any thread. */
GStrv sl_units_list(SlUnits *units, const char *const *patterns, GError **error);

/* How a unit is, in systemd's words. */
typedef struct {
    char *name, *description;
    char *load, *active, *sub; /* "loaded", "active", "running" */
} SlUnitState;

/* All loaded units that match one of the patterns, whatever they do, as SlUnitState; nothing is
 * subscribed to. Blocking, any thread. */
GPtrArray *sl_units_survey(GDBusConnection *connection, const char *const *patterns,
                           GError **error);

/* From now on the end of the unit is told. `active`: it runs already; otherwise it is not expected
 * to have started, and "inactive" means nothing before it was seen active. Watch first, then start
 * or list. */
void sl_units_watch(SlUnits *units, const char *name, gboolean active);
void sl_units_unwatch(SlUnits *units, const char *name);
gboolean sl_units_is_watched(const SlUnits *units, const char *name); /* its end is still to come */
