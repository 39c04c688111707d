/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-bus.h"

#include <string.h>
#include <unistd.h>

#include "sl-bus-interfaces.h"
#include "sl-error.h"
#include "sl-test-bus.h"

#define NAME "org.sluice.Launcher1"
#define PATH "/org/sluice/Launcher1"

typedef struct {
    SlTestBus *test;
    SlBus *bus;
    SlBusLauncher1 *object;
    gboolean lost;
} Fixture;

static gboolean
check_word(GDBusMethodInvocation *invocation, gpointer data, GError **error)
{
    const char *word;
    g_variant_get_child(g_dbus_method_invocation_get_parameters(invocation), 0, "&s", &word);
    return strcmp(word, data) == 0 ||
           sl_error_set(error, SL_ERROR_FORBIDDEN, "'%s' is not the word", word);
}

static const SlBusMethod methods[] = {
    {"StartConnector", NULL, check_word},        {"StopConnector", "org.sluice.other", NULL},
    {"StopWorkload", "org.sluice.manage", NULL}, {"RunConnector", "org.sluice.manage", NULL},
    {"StartPostSyncUnit", NULL, NULL},           {"ListWorkloads", NULL, NULL},
};

/* Work in a thread, the answer in the main thread; "fail" fails. */
typedef struct {
    SlBusLauncher1 *object;
    char *role;
    GThread *main, *worker;
} Start;

static guint n_starts_freed;

static gboolean
start_work(gpointer data, GError **error)
{
    Start *start = data;
    start->worker = g_thread_self();
    return strcmp(start->role, "fail") != 0 ||
           sl_error_set(error, SL_ERROR_BUSY, "the role '%s' is busy", start->role);
}

static void
start_answer(GDBusMethodInvocation *invocation, gpointer data)
{
    const Start *start = data;
    g_assert_true(g_thread_self() == start->main);
    g_assert_true(start->worker != start->main);
    sl_bus_launcher1_complete_start_connector(start->object, invocation, "x.service");
}

static void
start_free(gpointer data)
{
    Start *start = data;
    g_free(start->role);
    g_free(start);
    n_starts_freed++;
}

static gboolean
on_start(SlBusLauncher1 *object, GDBusMethodInvocation *invocation, const char *id,
         const char *role, GVariant *options, gpointer data)
{
    Start *start = g_new0(Start, 1);
    start->object = object;
    start->role = g_strdup(role);
    start->main = g_thread_self();
    sl_bus_run(invocation, start_work, start_answer, start, start_free);
    return TRUE;
}

static gboolean
on_stop_connector(SlBusLauncher1 *object, GDBusMethodInvocation *invocation, const char *id,
                  const char *role, GVariant *options, gpointer data)
{
    sl_bus_launcher1_complete_stop_connector(object, invocation);
    return TRUE;
}

static gboolean
on_stop_workload(SlBusLauncher1 *object, GDBusMethodInvocation *invocation, const char *id,
                 GVariant *options, gpointer data)
{
    g_autoptr(GError) error = NULL;
    sl_error_set(&error, SL_ERROR_NOT_FOUND, "no '%s'", id);
    sl_bus_return_error(invocation, error);
    return TRUE;
}

static gboolean
on_list(SlBusLauncher1 *object, GDBusMethodInvocation *invocation, gpointer data)
{
    sl_bus_launcher1_complete_list_workloads(
        object, invocation, g_variant_new_array(G_VARIANT_TYPE("(sssx)"), NULL, 0));
    return TRUE;
}

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    SlBusKind kind;
    f->test = sl_test_bus_new();
    g_assert_true(sl_bus_kind_from_environment(&kind, &error));
    f->bus = sl_bus_new(kind, &error);
    g_assert_no_error(error);
    f->object = sl_bus_launcher1_skeleton_new();
    g_signal_connect(f->object, "handle-start-connector", G_CALLBACK(on_start), NULL);
    g_signal_connect(f->object, "handle-stop-connector", G_CALLBACK(on_stop_connector), NULL);
    g_signal_connect(f->object, "handle-stop-workload", G_CALLBACK(on_stop_workload), NULL);
    g_signal_connect(f->object, "handle-list-workloads", G_CALLBACK(on_list), NULL);
    sl_bus_export(f->bus, G_DBUS_INTERFACE_SKELETON(f->object), PATH, methods,
                  G_N_ELEMENTS(methods), (gpointer) "open", &error);
    g_assert_no_error(error);
    sl_bus_own_name(f->bus, NAME, &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    sl_bus_free(f->bus);
    g_object_unref(f->object);
    sl_test_bus_free(f->test);
}

static void
on_called(GObject *source, GAsyncResult *result, gpointer data)
{
    char **output = data;
    g_autofree char *out = NULL, *err = NULL;
    g_subprocess_communicate_utf8_finish(G_SUBPROCESS(source), result, &out, &err, NULL);
    *output = g_strdup(*out != '\0' ? out : err);
}

/* Calls as another process, of user nobody when we are root. */
static char *
call_as(gboolean other_user, const char *method, const char *arguments)
{
    g_autofree char *line = g_strdup_printf(
        "%s gdbus call --session --dest " NAME " --object-path " PATH " --method " NAME ".%s %s",
        other_user && getuid() == 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups" : "",
        method, arguments);
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocess) process =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error,
                         "sh", "-c", line, NULL);
    char *output = NULL;
    g_assert_no_error(error);
    g_subprocess_communicate_utf8_async(process, NULL, NULL, on_called, &output);
    while (output == NULL)
        g_main_context_iteration(NULL, TRUE);
    return output;
}

static void
expect(gboolean other_user, const char *method, const char *arguments, const char *wanted)
{
    g_autofree char *output = call_as(other_user, method, arguments);
    if (strstr(output, wanted) == NULL)
        g_error("%s %s: '%s' is not in '%s'", method, arguments, wanted, output);
}

static void
test_authorise(Fixture *f, gconstpointer data)
{
    expect(TRUE, "ListWorkloads", "", "(@a(sssx) [],)");
    /* Nobody to ask: no permission. */
    expect(TRUE, "StopWorkload", "w {}", "org.sluice.Error.Unavailable: StopWorkload: asking");
    sl_test_bus_add_polkit(f->test, "org.sluice.manage");
    expect(TRUE, "StopWorkload", "w {}", "org.sluice.Error.NotFound: no 'w'");
    expect(TRUE, "StopConnector", "w source {}",
           "org.sluice.Error.Forbidden: StopConnector: polkit does not allow 'org.sluice.other'");
    expect(TRUE, "StartConnector", "open source {}", "('x.service',)");
    expect(TRUE, "StartConnector", "shut source {}",
           "org.sluice.Error.Forbidden: StartConnector: 'shut' is not the word");
}

static void
test_run(Fixture *f, gconstpointer data)
{
    n_starts_freed = 0;
    expect(TRUE, "StartConnector", "open source {}", "('x.service',)");
    expect(TRUE, "StartConnector", "open fail {}",
           "org.sluice.Error.Busy: the role 'fail' is busy");
    while (n_starts_freed < 2)
        g_main_context_iteration(NULL, TRUE);
}

static void
test_root(Fixture *f, gconstpointer data)
{
    if (getuid() != 0) {
        g_test_skip("needs root to be root");
        return;
    }
    expect(FALSE, "StopConnector", "w source {}", "()"); /* without polkit */
    expect(FALSE, "StartConnector", "shut source {}", "org.sluice.Error.Forbidden");
}

static void
test_table(Fixture *f, gconstpointer data)
{
    static const SlBusMethod unknown[] = {
        {"StartConnector", NULL, NULL},    {"StopConnector", NULL, NULL},
        {"StopWorkload", NULL, NULL},      {"RunConnector", NULL, NULL},
        {"ListWorkloads", NULL, NULL},     {"Nonsense", NULL, NULL},
        {"StartPostSyncUnit", NULL, NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(SlBusLauncher1) object = sl_bus_launcher1_skeleton_new();
    GDBusInterfaceSkeleton *skeleton = G_DBUS_INTERFACE_SKELETON(object);
    g_assert_false(sl_bus_export(f->bus, skeleton, "/x", methods, 5, NULL, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "ListWorkloads"));
    g_clear_error(&error);
    g_assert_false(sl_bus_export(f->bus, skeleton, "/x", unknown, 7, NULL, &error));
    g_assert_nonnull(strstr(error->message, "7 rows"));
}

static void
on_lost(const char *what, gpointer data)
{
    ((Fixture *)data)->lost = TRUE;
}

static void
test_name(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlBus) second = sl_bus_new(SL_BUS_SESSION, &error);
    g_assert_false(sl_bus_own_name(second, NAME, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_CONFLICT);
    g_clear_error(&error);
    sl_bus_release_name(f->bus);
    g_assert_true(sl_bus_own_name(second, NAME, &error));
    /* Given up, not lost. */
    sl_bus_set_lost(f->bus, on_lost, f);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_false(f->lost);
}

static void
test_lost(Fixture *f, gconstpointer data)
{
    sl_bus_set_lost(f->bus, on_lost, f);
    g_dbus_connection_close(sl_bus_get_connection(f->bus), NULL, NULL, NULL);
    while (!f->lost)
        g_main_context_iteration(NULL, TRUE);
}

static void
test_caller(Fixture *f, gconstpointer data)
{
    GDBusConnection *connection = sl_bus_get_connection(f->bus);
    g_autoptr(GError) error = NULL;
    guint32 pid = 0, uid = 0;
    g_assert_true(sl_bus_get_caller(connection, g_dbus_connection_get_unique_name(connection), &pid,
                                    &uid, &error));
    g_assert_cmpuint(pid, ==, (guint32)getpid());
    g_assert_cmpuint(uid, ==, getuid());
    g_assert_false(sl_bus_get_caller(connection, ":1.4711", &pid, &uid, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_UNAVAILABLE);
}

static void
test_kind(void)
{
    g_autoptr(GError) error = NULL;
    SlBusKind kind = SL_BUS_NONE;
    g_unsetenv("SLUICE_BUS");
    g_assert_true(sl_bus_kind_from_environment(&kind, &error));
    g_assert_cmpint(kind, ==, SL_BUS_SYSTEM);
    g_setenv("SLUICE_BUS", "none", TRUE);
    g_assert_true(sl_bus_kind_from_environment(&kind, &error));
    g_assert_cmpint(kind, ==, SL_BUS_NONE);
    g_setenv("SLUICE_BUS", "yes", TRUE);
    g_assert_false(sl_bus_kind_from_environment(&kind, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_CONFIG);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/kind", test_kind);
#define ADD(name, function) g_test_add("/bus/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("authorise", test_authorise);
    ADD("run", test_run);
    ADD("root", test_root);
    ADD("table", test_table);
    ADD("name", test_name);
    ADD("lost", test_lost);
    ADD("caller", test_caller);
    return g_test_run();
}
