/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-unit.h"

#include <gio/gunixfdlist.h>
#include <string.h>

#include "sl-bus.h"
#include "sl-error.h"
#include "sl-systemd1.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define CALL_TIMEOUT_MSEC (60 * 1000)
#define SURVEY_TIMEOUT_MSEC (5 * 1000) /* somebody looks at a page meanwhile */
/* What has ended and what has not begun, in the words of ListUnitsByPatterns. */
static const char *const living_states[] = {"active", "activating", "deactivating", "reloading",
                                            NULL};

typedef struct {
    char *name;
    gboolean seen_active;
    char *result;
    gint32 code, status;
} Watch;

typedef enum { JOB_START_TRANSIENT, JOB_START, JOB_STOP } JobKind;

/* What a task is about, for its error. */
typedef struct {
    char *what; /* "starting 'x.service'" */
    char *name;
    JobKind kind;
    char *result; /* of the unit, when it ended before its job */
    gint32 status;
} JobTask;

struct SlUnits {
    GDBusConnection *connection;
    SlSystemd1Manager *manager;
    SlUnitEnded ended;
    gpointer ended_data;
    guint properties_match;
    gulong job_handler;
    GHashTable *watches; /* name → Watch */
    GHashTable *jobs;    /* path of a job → GTask that waits for it */
    GHashTable *early;   /* path → result: removed before the reply that names it was seen */
    guint n_calls;       /* in flight; `early` is of interest only then */
    GCancellable *cancellable;
};

static void
watch_free(gpointer data)
{
    Watch *watch = data;
    g_free(watch->name);
    g_free(watch->result);
    g_free(watch);
}

/* --- ends --------------------------------------------------------------------------------------
 */

/* A start that failed: its job is removed after the unit has ended, and wants to say why. */
static void
note_end(SlUnits *units, const SlUnitEnd *end)
{
    GHashTableIter iter;
    gpointer task;
    g_hash_table_iter_init(&iter, units->jobs);
    while (g_hash_table_iter_next(&iter, NULL, &task)) {
        JobTask *job = g_task_get_task_data(task);
        if (strcmp(job->name, end->name) != 0)
            continue;
        g_free(job->result);
        job->result = g_strdup(end->result);
        job->status = end->status;
    }
}

static void
tell_end(SlUnits *units, Watch *watch)
{
    const SlUnitEnd end = {
        .name = watch->name,
        .result = watch->result != NULL ? watch->result : "success",
        .code = watch->code,
        .status = watch->status,
    };
    g_hash_table_steal(units->watches, watch->name);
    note_end(units, &end);
    units->ended(&end, units->ended_data);
    watch_free(watch);
}

/* The one match for all units: a match for each would meet the bus's limit of rules. Order seen of
 * a fresh unit: inactive (never started), activating, active, then Result, ExecMain*, then inactive
 * or failed. The values are in the signals; asking a collected unit would be answered "success". */
static void
on_properties_changed(GDBusConnection *connection, const char *sender, const char *path,
                      const char *interface, const char *signal, GVariant *parameters,
                      gpointer data)
{
    SlUnits *units = data;
    g_autofree char *name = sl_unit_name_from_path(path);
    Watch *watch = name != NULL ? g_hash_table_lookup(units->watches, name) : NULL;
    const char *state = NULL, *result = NULL;

    if (watch == NULL || !g_variant_is_of_type(parameters, G_VARIANT_TYPE("(sa{sv}as)")))
        return;
    g_autoptr(GVariant) changed = g_variant_get_child_value(parameters, 1);
    if (g_variant_lookup(changed, "Result", "&s", &result)) {
        g_free(watch->result);
        watch->result = g_strdup(result);
    }
    g_variant_lookup(changed, "ExecMainCode", "i", &watch->code);
    g_variant_lookup(changed, "ExecMainStatus", "i", &watch->status);
    if (!g_variant_lookup(changed, "ActiveState", "&s", &state))
        return;
    if (strcmp(state, "inactive") == 0 || strcmp(state, "failed") == 0) {
        if (watch->seen_active)
            tell_end(units, watch);
    } else {
        watch->seen_active = TRUE;
    }
}

void
sl_units_watch(SlUnits *units, const char *name, gboolean active)
{
    Watch *watch = g_new0(Watch, 1);
    watch->name = g_strdup(name);
    watch->seen_active = active;
    g_hash_table_replace(units->watches, watch->name, watch);
}

void
sl_units_unwatch(SlUnits *units, const char *name)
{
    g_hash_table_remove(units->watches, name);
}

gboolean
sl_units_is_watched(const SlUnits *units, const char *name)
{
    return g_hash_table_contains(units->watches, name);
}

/* --- jobs --------------------------------------------------------------------------------------
 */

static void
job_task_free(gpointer data)
{
    JobTask *job = data;
    g_free(job->what);
    g_free(job->name);
    g_free(job->result);
    g_free(job);
}

/* systemd.exec(5), "Process Exit Codes": what failed before the program was there. */
static const char *
explain_status(gint32 status)
{
    static const struct {
        gint32 status;
        const char *text;
    } texts[] = {
        {200, "its working directory could not be entered"},
        {203, "its program could not be executed"},
        {217, "its user could not be had"},
        {226, "its view of the file system could not be set up: a path in it may not exist"},
        {228, "its system call filter could not be set up"},
        {238, "its state directory could not be set up"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "see the journal";
}

static void
finish_job(SlUnits *units, GTask *task, const char *result)
{
    const JobTask *job = g_task_get_task_data(task);

    if (strcmp(result, "done") == 0 || (job->kind == JOB_STOP && strcmp(result, "skipped") == 0))
        g_task_return_boolean(task, TRUE);
    else if (job->result != NULL && job->status != 0)
        g_task_return_new_error(task, SL_ERROR, SL_ERROR_FAILED, "%s: %s (%s, status %d)",
                                job->what, explain_status(job->status), job->result, job->status);
    else
        g_task_return_new_error(task, SL_ERROR, SL_ERROR_FAILED, "%s: the job ended '%s'",
                                job->what, result);
}

static void
on_job_removed(SlSystemd1Manager *manager, guint id, const char *path, const char *unit,
               const char *result, gpointer data)
{
    SlUnits *units = data;
    g_autoptr(GTask) task = NULL;
    gpointer key = NULL, value = NULL;

    if (g_hash_table_steal_extended(units->jobs, path, &key, &value)) {
        g_free(key);
        task = value;
        finish_job(units, task, result);
    } else if (units->n_calls > 0) {
        g_hash_table_insert(units->early, g_strdup(path), g_strdup(result));
    }
}

/* The reply names the job; its end may have been seen before or is yet to come. */
static void
take_job(SlUnits *units, GTask *task, const char *path)
{
    const char *result = g_hash_table_lookup(units->early, path);
    if (result != NULL)
        finish_job(units, task, result);
    else
        g_hash_table_replace(units->jobs, g_strdup(path), g_object_ref(task));
}

static gboolean
finish_call(JobKind kind, SlSystemd1Manager *manager, char **ret_path, GAsyncResult *result,
            GError **error)
{
    switch (kind) {
    case JOB_START:
        return sl_systemd1_manager_call_start_unit_finish(manager, ret_path, result, error);
    case JOB_STOP:
        return sl_systemd1_manager_call_stop_unit_finish(manager, ret_path, result, error);
    default:
        return sl_systemd1_manager_call_start_transient_unit_finish(manager, ret_path, NULL, result,
                                                                    error);
    }
}

static void
on_call_replied(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    const JobTask *job = g_task_get_task_data(task);
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    gboolean ok = finish_call(job->kind, SL_SYSTEMD1_MANAGER(source), &path, result, &error);

    sl_bus_map_error(&error);
    if (g_error_matches(error, SL_ERROR, SL_ERROR_CANCELLED)) {
        /* `units` is gone. */
        g_task_return_error(task, g_steal_pointer(&error));
        return;
    }
    SlUnits *units = g_object_get_data(source, "sl-units");
    if (ok)
        take_job(units, task, path);
    else if (job->kind == JOB_STOP && g_error_matches(error, SL_ERROR, SL_ERROR_NOT_FOUND))
        g_task_return_boolean(task, TRUE);
    else {
        g_prefix_error(&error, "%s: ", job->what);
        g_task_return_error(task, g_steal_pointer(&error));
    }
    if (--units->n_calls == 0)
        g_hash_table_remove_all(units->early);
}

static GTask *
job_task_new(const char *verb, const char *name, JobKind kind, GAsyncReadyCallback callback,
             gpointer data)
{
    GTask *task = g_task_new(NULL, NULL, callback, data);
    JobTask *job = g_new0(JobTask, 1);
    job->what = g_strdup_printf("%s '%s'", verb, name);
    job->name = g_strdup(name);
    job->kind = kind;
    g_task_set_task_data(task, job, job_task_free);
    return task;
}

void
sl_units_start(SlUnits *units, const SlUnitSpec *spec, const SlUnitSpec *aux,
               GAsyncReadyCallback callback, gpointer data)
{
    GVariantBuilder others;
    g_variant_builder_init(&others, G_VARIANT_TYPE("a(sa(sv))"));
    if (aux != NULL)
        g_variant_builder_add(&others, "(s@a(sv))", aux->name, sl_unit_spec_build(aux));
    /* A copy that cannot be made is a handle to nothing, and systemd refuses the call. */
    g_autoptr(GUnixFDList) descriptors = spec->input_fd != 0 ? g_unix_fd_list_new() : NULL;
    if (descriptors != NULL)
        g_unix_fd_list_append(descriptors, spec->input_fd, NULL);
    units->n_calls++;
    sl_systemd1_manager_call_start_transient_unit(
        units->manager, spec->name, "fail", sl_unit_spec_build(spec),
        g_variant_builder_end(&others), descriptors, units->cancellable, on_call_replied,
        job_task_new("starting", spec->name, JOB_START_TRANSIENT, callback, data));
}

void
sl_units_start_existing(SlUnits *units, const char *name, GAsyncReadyCallback callback,
                        gpointer data)
{
    units->n_calls++;
    sl_systemd1_manager_call_start_unit(units->manager, name, "replace", units->cancellable,
                                        on_call_replied,
                                        job_task_new("starting", name, JOB_START, callback, data));
}

void
sl_units_stop(SlUnits *units, const char *name, GAsyncReadyCallback callback, gpointer data)
{
    units->n_calls++;
    sl_systemd1_manager_call_stop_unit(units->manager, name, "replace", units->cancellable,
                                       on_call_replied,
                                       job_task_new("stopping", name, JOB_STOP, callback, data));
}

gboolean
sl_units_job_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

/* --- questions ---------------------------------------------------------------------------------
 */

gboolean
sl_units_kill(SlUnits *units, const char *name, int signum, GError **error)
{
    if (sl_systemd1_manager_call_kill_unit_sync(units->manager, name, "all", signum, NULL, error))
        return TRUE;
    sl_bus_map_error(error);
    g_prefix_error(error, "signal %d to '%s': ", signum, name);
    return FALSE;
}

char *
sl_units_get_by_pid(SlUnits *units, guint32 pid, GError **error)
{
    g_autofree char *path = NULL;
    if (!sl_systemd1_manager_call_get_unit_by_pid_sync(units->manager, pid, &path, NULL, error)) {
        sl_bus_map_error(error);
        g_prefix_error(error, "unit of process %u: ", pid);
        return NULL;
    }
    char *name = sl_unit_name_from_path(path);
    if (name == NULL)
        sl_error_set(error, SL_ERROR_PROTOCOL, "unit of process %u: '%s' is no unit", pid, path);
    return name;
}

GStrv
sl_units_list(SlUnits *units, const char *const *patterns, GError **error)
{
    g_autoptr(GVariant) list = NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    if (!sl_systemd1_manager_call_list_units_by_patterns_sync(units->manager, living_states,
                                                              patterns, &list, NULL, error)) {
        sl_bus_map_error(error);
        g_prefix_error(error, "listing units: ");
        return NULL;
    }
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) unit = g_variant_get_child_value(list, i);
        char *name;
        g_variant_get_child(unit, 0, "s", &name);
        g_ptr_array_add(names, name);
    }
    g_ptr_array_add(names, NULL);
    return (GStrv)g_ptr_array_steal(names, NULL);
}

static void
state_free(gpointer data)
{
    SlUnitState *state = data;
    g_free(state->name);
    g_free(state->description);
    g_free(state->load);
    g_free(state->active);
    g_free(state->sub);
    g_free(state);
}

GPtrArray *
sl_units_survey(GDBusConnection *connection, const char *const *patterns, GError **error)
{
    static const char *const any_state[] = {NULL};
    g_autoptr(GVariant) list = NULL;
    g_autoptr(SlSystemd1Manager) manager = sl_systemd1_manager_proxy_new_sync(
        connection,
        G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES | G_DBUS_PROXY_FLAGS_DO_NOT_CONNECT_SIGNALS,
        SYSTEMD, SYSTEMD_PATH, NULL, error);
    if (manager != NULL)
        g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(manager), SURVEY_TIMEOUT_MSEC);
    if (manager == NULL || !sl_systemd1_manager_call_list_units_by_patterns_sync(
                               manager, any_state, patterns, &list, NULL, error)) {
        sl_bus_map_error(error);
        g_prefix_error(error, "listing units: ");
        return NULL;
    }
    GPtrArray *states = g_ptr_array_new_with_free_func(state_free);
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) unit = g_variant_get_child_value(list, i);
        SlUnitState *state = g_new0(SlUnitState, 1);
        g_variant_get(unit, "(ssssssouso)", &state->name, &state->description, &state->load,
                      &state->active, &state->sub, NULL, NULL, NULL, NULL, NULL);
        g_ptr_array_add(states, state);
    }
    return states;
}

/* --- life --------------------------------------------------------------------------------------
 */

SlUnits *
sl_units_new(GDBusConnection *connection, SlUnitEnded ended, gpointer data, GError **error)
{
    g_autoptr(SlUnits) units = g_new0(SlUnits, 1);
    units->connection = g_object_ref(connection);
    units->ended = ended;
    units->ended_data = data;
    units->cancellable = g_cancellable_new();
    units->watches = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, watch_free);
    units->jobs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_object_unref);
    units->early = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    units->manager = sl_systemd1_manager_proxy_new_sync(
        connection, G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES, SYSTEMD, SYSTEMD_PATH, NULL, error);
    if (units->manager != NULL) {
        g_object_set_data(G_OBJECT(units->manager), "sl-units", units);
        g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(units->manager), CALL_TIMEOUT_MSEC);
        units->job_handler =
            g_signal_connect(units->manager, "job-removed", G_CALLBACK(on_job_removed), units);
        units->properties_match = g_dbus_connection_signal_subscribe(
            connection, SYSTEMD, "org.freedesktop.DBus.Properties", "PropertiesChanged", NULL, NULL,
            G_DBUS_SIGNAL_FLAGS_NONE, on_properties_changed, units, NULL);
    }
    if (units->manager == NULL ||
        !sl_systemd1_manager_call_subscribe_sync(units->manager, NULL, error)) {
        sl_bus_map_error(error);
        g_prefix_error(error, "systemd's manager: ");
        return NULL;
    }
    return g_steal_pointer(&units);
}

static void
fail_jobs(SlUnits *units)
{
    GHashTableIter iter;
    gpointer task;
    g_hash_table_iter_init(&iter, units->jobs);
    while (g_hash_table_iter_next(&iter, NULL, &task)) {
        const JobTask *job = g_task_get_task_data(task);
        g_task_return_new_error(task, SL_ERROR, SL_ERROR_CANCELLED, "%s: stopped waiting",
                                job->what);
    }
    g_hash_table_remove_all(units->jobs);
}

void
sl_units_free(SlUnits *units)
{
    if (units == NULL)
        return;
    g_cancellable_cancel(units->cancellable);
    fail_jobs(units);
    if (units->manager != NULL) {
        g_signal_handler_disconnect(units->manager, units->job_handler);
        g_dbus_connection_signal_unsubscribe(units->connection, units->properties_match);
    }
    g_clear_object(&units->manager);
    g_hash_table_unref(units->watches);
    g_hash_table_unref(units->jobs);
    g_hash_table_unref(units->early);
    g_object_unref(units->connection);
    g_object_unref(units->cancellable);
    g_free(units);
}
