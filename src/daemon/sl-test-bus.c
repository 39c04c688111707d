/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-test-bus.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sl-systemd1.h"

#define SYSTEMD_PATH "/org/freedesktop/systemd1"

struct SlTestBus {
    char *dir, *address;
    GSubprocess *daemon;
    GThread *thread;
    GMainContext *context;
    GMainLoop *loop;
    GDBusConnection *connection; /* of the stand-ins */
    SlSystemd1Manager *manager;
    char *allowed_action;

    GCond errand_done;
    GMutex mutex; /* what follows is touched by both threads */
    GString *calls;
    GHashTable *units;
    char *refuse, *job_result, *unit_of_all;
    gint32 status;
    gboolean hurry;
    guint n_jobs;
};

/* --- the bus -----------------------------------------------------------------------------------
 */

static const char config_text[] =
    "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" "
    "\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
    "<busconfig><type>session</type><listen>unix:dir=%s</listen><auth>EXTERNAL</auth>"
    "<policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>"
    "<allow send_destination=\"*\" eavesdrop=\"false\"/><allow receive_sender=\"*\"/></policy>"
    "</busconfig>\n";

static gpointer
run_stand_ins(gpointer data)
{
    SlTestBus *bus = data;
    g_main_context_push_thread_default(bus->context);
    g_main_loop_run(bus->loop);
    g_main_context_pop_thread_default(bus->context);
    return NULL;
}

/* A failed test aborts; what it has started must not stay. */
static void
die_with_test(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

SlTestBus *
sl_test_bus_new(void)
{
    SlTestBus *bus = g_new0(SlTestBus, 1);
    g_autoptr(GError) error = NULL;
    char line[512] = "";

    bus->dir = g_dir_make_tmp("sl-bus-XXXXXX", &error);
    g_assert_no_error(error);
    g_assert_no_errno(g_chmod(bus->dir, 0755));
    g_autofree char *path = g_build_filename(bus->dir, "bus.conf", NULL);
    g_autofree char *text = g_strdup_printf(config_text, bus->dir);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_autofree char *option = g_strconcat("--config-file=", path, NULL);
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    g_subprocess_launcher_set_child_setup(launcher, die_with_test, NULL, NULL);
    bus->daemon = g_subprocess_launcher_spawn(launcher, &error, "dbus-daemon", option, "--nofork",
                                              "--nopidfile", "--print-address", NULL);
    g_assert_no_error(error);
    g_input_stream_read(g_subprocess_get_stdout_pipe(bus->daemon), line, sizeof line - 1, NULL,
                        &error);
    g_assert_no_error(error);
    bus->address = g_strdup(g_strchomp(line));
    g_setenv("DBUS_SESSION_BUS_ADDRESS", bus->address, TRUE);
    g_setenv("SLUICE_BUS", "session", TRUE);

    g_mutex_init(&bus->mutex);
    bus->calls = g_string_new(NULL);
    bus->units = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    bus->connection =
        g_dbus_connection_new_for_address_sync(bus->address,
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, &error);
    g_assert_no_error(error);
    bus->context = g_main_context_new();
    bus->loop = g_main_loop_new(bus->context, FALSE);
    bus->thread = g_thread_new("stand-ins", run_stand_ins, bus);
    return bus;
}

typedef struct {
    SlTestBus *bus;
    void (*work)(SlTestBus *bus);
    gboolean done;
} Errand;

static gboolean
run_errand(gpointer data)
{
    Errand *errand = data;
    errand->work(errand->bus);
    g_mutex_lock(&errand->bus->mutex);
    errand->done = TRUE;
    g_cond_signal(&errand->bus->errand_done);
    g_mutex_unlock(&errand->bus->mutex);
    return G_SOURCE_REMOVE;
}

/* What is registered in the thread is served there. */
static void
in_thread(SlTestBus *bus, void (*work)(SlTestBus *bus))
{
    Errand errand = {bus, work, FALSE};
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_callback(source, run_errand, &errand, NULL);
    g_source_attach(source, bus->context);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&bus->mutex);
    while (!errand.done)
        g_cond_wait(&bus->errand_done, &bus->mutex);
}

/* Within the loop: a quit before the thread has entered it would be forgotten. */
static void
quit_loop(SlTestBus *bus)
{
    g_main_loop_quit(bus->loop);
}

void
sl_test_bus_free(SlTestBus *bus)
{
    in_thread(bus, quit_loop);
    g_thread_join(bus->thread);
    g_clear_object(&bus->manager);
    g_dbus_connection_close_sync(bus->connection, NULL, NULL);
    g_object_unref(bus->connection);
    g_main_loop_unref(bus->loop);
    g_main_context_unref(bus->context);
    g_subprocess_force_exit(bus->daemon);
    g_subprocess_wait(bus->daemon, NULL, NULL);
    g_object_unref(bus->daemon);
    g_autoptr(GDir) dir = g_dir_open(bus->dir, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(bus->dir, name, NULL);
        g_unlink(path);
    }
    g_rmdir(bus->dir);
    g_string_free(bus->calls, TRUE);
    g_hash_table_unref(bus->units);
    g_mutex_clear(&bus->mutex);
    g_free(bus->refuse);
    g_free(bus->job_result);
    g_free(bus->unit_of_all);
    g_free(bus->allowed_action);
    g_free(bus->dir);
    g_free(bus->address);
    g_free(bus);
}

static void
own_name(SlTestBus *bus, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        bus->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "RequestName", g_variant_new("(su)", name, 4), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL,
        &error);
    g_assert_no_error(error);
}

/* --- polkit ------------------------------------------------------------------------------------
 */

static void
on_polkit_call(GDBusConnection *connection, const char *sender, const char *path,
               const char *interface, const char *method, GVariant *parameters,
               GDBusMethodInvocation *invocation, gpointer data)
{
    const SlTestBus *bus = data;
    const char *action;
    g_variant_get_child(parameters, 1, "&s", &action);
    g_dbus_method_invocation_return_value(
        invocation, g_variant_new("((bb@a{ss}))", strcmp(action, bus->allowed_action) == 0, FALSE,
                                  g_variant_new_array(G_VARIANT_TYPE("{ss}"), NULL, 0)));
}

static void
register_polkit(SlTestBus *bus)
{
    static const GDBusInterfaceVTable vtable = {.method_call = on_polkit_call};
    static const char xml[] =
        "<node><interface name='org.freedesktop.PolicyKit1.Authority'>"
        "<method name='CheckAuthorization'><arg type='(sa{sv})' direction='in'/>"
        "<arg type='s' direction='in'/><arg type='a{ss}' direction='in'/>"
        "<arg type='u' direction='in'/><arg type='s' direction='in'/>"
        "<arg type='(bba{ss})' direction='out'/></method></interface></node>";
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusNodeInfo) info = g_dbus_node_info_new_for_xml(xml, &error);

    g_assert_no_error(error);
    g_dbus_connection_register_object(bus->connection, "/org/freedesktop/PolicyKit1/Authority",
                                      info->interfaces[0], &vtable, bus, NULL, &error);
    g_assert_no_error(error);
}

void
sl_test_bus_add_polkit(SlTestBus *bus, const char *action)
{
    bus->allowed_action = g_strdup(action);
    in_thread(bus, register_polkit);
    own_name(bus, "org.freedesktop.PolicyKit1");
}

/* --- systemd1 ----------------------------------------------------------------------------------
 */

static char *
path_of(const char *unit)
{
    GString *path = g_string_new(SYSTEMD_PATH "/unit/");
    for (; *unit != '\0'; unit++) {
        if (g_ascii_isalnum(*unit))
            g_string_append_c(path, *unit);
        else
            g_string_append_printf(path, "_%02x", (guchar)*unit);
    }
    return g_string_free(path, FALSE);
}

static void
tell(SlTestBus *bus, const char *unit, const char *interface, GVariant *properties)
{
    g_autofree char *path = path_of(unit);
    GVariantBuilder invalidated;
    g_variant_builder_init(&invalidated, G_VARIANT_TYPE("as"));
    g_dbus_connection_emit_signal(
        bus->connection, NULL, path, "org.freedesktop.DBus.Properties", "PropertiesChanged",
        g_variant_new("(s@a{sv}as)", interface, properties, &invalidated), NULL);
}

static void
tell_state(SlTestBus *bus, const char *unit, const char *state)
{
    tell(bus, unit, "org.freedesktop.systemd1.Unit",
         g_variant_new_parsed("{'ActiveState': <%s>}", state));
}

static void
tell_result(SlTestBus *bus, const char *unit, const char *result, gint32 code, gint32 status)
{
    tell(bus, unit, "org.freedesktop.systemd1.Service",
         g_variant_new_parsed("{'Result': <%s>, 'ExecMainCode': <%i>, 'ExecMainStatus': <%i>}",
                              result, code, status));
}

static char *
finish_job(SlTestBus *bus, const char *unit, const char *result)
{
    char *job = g_strdup_printf(SYSTEMD_PATH "/job/%u", ++bus->n_jobs);
    sl_systemd1_manager_emit_job_removed(bus->manager, bus->n_jobs, job, unit, result);
    return job;
}

static gboolean
on_start(SlSystemd1Manager *manager, GDBusMethodInvocation *invocation, GUnixFDList *descriptors,
         const char *name, const char *mode, GVariant *properties, GVariant *aux, gpointer data)
{
    SlTestBus *bus = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&bus->mutex);
    g_autofree char *refuse = g_steal_pointer(&bus->refuse);
    g_autofree char *result = g_steal_pointer(&bus->job_result);
    const char *other = NULL;

    if (g_variant_n_children(aux) > 0)
        g_variant_get_child(aux, 0, "(&s@a(sv))", &other, NULL);
    g_string_append_printf(bus->calls, "start %s%s%s\n", name, other != NULL ? " with " : "",
                           other != NULL ? other : "");
    if (refuse == NULL && g_hash_table_contains(bus->units, name))
        refuse = g_strdup("org.freedesktop.systemd1.UnitExists");
    if (refuse != NULL) {
        g_dbus_method_invocation_return_dbus_error(invocation, refuse, "refused");
        return TRUE;
    }
    /* The order that was seen of systemd 252. */
    g_autofree char *job = g_strdup_printf(SYSTEMD_PATH "/job/%u", bus->n_jobs + 1);
    if (!bus->hurry)
        sl_systemd1_manager_complete_start_transient_unit(manager, invocation, NULL, job);
    tell_state(bus, name, "inactive");
    tell_state(bus, name, "activating");
    if (result == NULL) {
        g_hash_table_add(bus->units, g_strdup(name));
        tell_state(bus, name, "active");
    } else {
        tell_result(bus, name, "exit-code", 1, bus->status);
        tell_state(bus, name, "failed");
    }
    g_free(finish_job(bus, name, result != NULL ? result : "done"));
    if (bus->hurry)
        sl_systemd1_manager_complete_start_transient_unit(manager, invocation, NULL, job);
    bus->hurry = FALSE;
    return TRUE;
}

/* A unit that lies in a file: no transient one, and it may run already. */
static gboolean
on_start_unit(SlSystemd1Manager *manager, GDBusMethodInvocation *invocation, const char *name,
              const char *mode, gpointer data)
{
    SlTestBus *bus = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&bus->mutex);
    g_autofree char *refuse = g_steal_pointer(&bus->refuse);
    g_autofree char *result = g_steal_pointer(&bus->job_result);
    g_string_append_printf(bus->calls, "start-unit %s %s\n", name, mode);
    if (refuse != NULL) {
        g_dbus_method_invocation_return_dbus_error(invocation, refuse, "refused");
        return TRUE;
    }
    g_autofree char *job = g_strdup_printf(SYSTEMD_PATH "/job/%u", bus->n_jobs + 1);
    sl_systemd1_manager_complete_start_unit(manager, invocation, job);
    if (g_strcmp0(result, "never") == 0)
        bus->n_jobs++;
    else
        g_free(finish_job(bus, name, result != NULL ? result : "done"));
    return TRUE;
}

static gboolean
on_stop(SlSystemd1Manager *manager, GDBusMethodInvocation *invocation, const char *name,
        const char *mode, gpointer data)
{
    SlTestBus *bus = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&bus->mutex);
    g_string_append_printf(bus->calls, "stop %s\n", name);
    if (!g_hash_table_remove(bus->units, name)) {
        g_dbus_method_invocation_return_dbus_error(
            invocation, "org.freedesktop.systemd1.NoSuchUnit", "not loaded");
        return TRUE;
    }
    g_autofree char *job = g_strdup_printf(SYSTEMD_PATH "/job/%u", bus->n_jobs + 1);
    sl_systemd1_manager_complete_stop_unit(manager, invocation, job);
    tell_state(bus, name, "deactivating");
    tell_state(bus, name, "inactive");
    g_free(finish_job(bus, name, "done"));
    return TRUE;
}

static gboolean
on_kill(SlSystemd1Manager *manager, GDBusMethodInvocation *invocation, const char *name,
        const char *whom, gint signum, gpointer data)
{
    SlTestBus *bus = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&bus->mutex);
    g_string_append_printf(bus->calls, "kill %s %s %d\n", name, whom, signum);
    if (g_hash_table_contains(bus->units, name))
        sl_systemd1_manager_complete_kill_unit(manager, invocation);
    else
        g_dbus_method_invocation_return_dbus_error(
            invocation, "org.freedesktop.systemd1.NoSuchUnit", "not loaded");
    return TRUE;
}

static gboolean
on_get_by_pid(SlSystemd1Manager *manager, GDBusMethodInvocation *invocation, guint pid,
              gpointer data)
{
    SlTestBus *bus = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&bus->mutex);
    g_autofree char *path = bus->unit_of_all != NULL ? path_of(bus->unit_of_all) : NULL;
    if (path != NULL)
        sl_systemd1_manager_complete_get_unit_by_pid(manager, invocation, path);
    else
        g_dbus_method_invocation_return_dbus_error(
            invocation, "org.freedesktop.systemd1.NoUnitForPID", "in no unit");
    return TRUE;
}

static gboolean
on_list(SlSystemd1Manager *manager, GDBusMethodInvocation *invocation, const char *const *states,
        const char *const *patterns, gpointer data)
{
    SlTestBus *bus = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&bus->mutex);
    GVariantBuilder list;
    GHashTableIter iter;
    gpointer name;
    g_variant_builder_init(&list, G_VARIANT_TYPE("a(ssssssouso)"));
    g_hash_table_iter_init(&iter, bus->units);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        g_autofree char *path = path_of(name);
        for (guint i = 0; patterns[i] != NULL; i++)
            if (g_pattern_match_simple(patterns[i], name))
                g_variant_builder_add(&list, "(ssssssouso)", name, "", "loaded", "active",
                                      "running", "", path, 0, "", "/");
    }
    sl_systemd1_manager_complete_list_units_by_patterns(manager, invocation,
                                                        g_variant_builder_end(&list));
    return TRUE;
}

static gboolean
on_subscribe(SlSystemd1Manager *manager, GDBusMethodInvocation *invocation, gpointer data)
{
    sl_systemd1_manager_complete_subscribe(manager, invocation);
    return TRUE;
}

static void
register_systemd1(SlTestBus *bus)
{
    static const struct {
        const char *signal;
        GCallback handler;
    } handlers[] = {
        {"handle-subscribe", G_CALLBACK(on_subscribe)},
        {"handle-start-transient-unit", G_CALLBACK(on_start)},
        {"handle-start-unit", G_CALLBACK(on_start_unit)},
        {"handle-stop-unit", G_CALLBACK(on_stop)},
        {"handle-kill-unit", G_CALLBACK(on_kill)},
        {"handle-get-unit-by-pid", G_CALLBACK(on_get_by_pid)},
        {"handle-list-units-by-patterns", G_CALLBACK(on_list)},
    };
    g_autoptr(GError) error = NULL;
    bus->manager = sl_systemd1_manager_skeleton_new();
    for (gsize i = 0; i < G_N_ELEMENTS(handlers); i++)
        g_signal_connect(bus->manager, handlers[i].signal, handlers[i].handler, bus);
    g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(bus->manager), bus->connection,
                                     SYSTEMD_PATH, &error);
    g_assert_no_error(error);
}

void
sl_test_bus_add_systemd1(SlTestBus *bus)
{
    in_thread(bus, register_systemd1);
    own_name(bus, "org.freedesktop.systemd1");
}

char *
sl_test_systemd1_take_calls(SlTestBus *bus)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&bus->mutex);
    char *calls = g_strdup(bus->calls->str);
    g_string_truncate(bus->calls, 0);
    return calls;
}

void
sl_test_systemd1_refuse_next(SlTestBus *bus, const char *error_name)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&bus->mutex);
    bus->refuse = g_strdup(error_name);
}

void
sl_test_systemd1_fail_next(SlTestBus *bus, const char *job_result, gint32 status)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&bus->mutex);
    bus->job_result = g_strdup(job_result);
    bus->status = status;
}

void
sl_test_systemd1_hurry_next(SlTestBus *bus)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&bus->mutex);
    bus->hurry = TRUE;
}

void
sl_test_systemd1_end(SlTestBus *bus, const char *unit, const char *result, gint32 code,
                     gint32 status)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&bus->mutex);
    g_assert_true(g_hash_table_remove(bus->units, unit));
    tell_result(bus, unit, result, code, status);
    tell_state(bus, unit, "inactive");
}

void
sl_test_systemd1_set_unit_of_all(SlTestBus *bus, const char *unit)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&bus->mutex);
    g_free(bus->unit_of_all);
    bus->unit_of_all = g_strdup(unit);
}
