/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-daemon.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <signal.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "sl-daemon-private.h"
#include "sl-error.h"
#include "sl-log.h"

#define EXIT_USAGE 2
#define RETRY_MIN_USEC (G_USEC_PER_SEC / 5)
#define RETRY_MAX_USEC (10 * G_USEC_PER_SEC)

/* --- small accessors ---------------------------------------------------------------------------
 */

void
sl_daemon_set_data(SlDaemon *daemon, gpointer data)
{
    daemon->data = data;
}

gpointer
sl_daemon_get_data(const SlDaemon *daemon)
{
    return daemon->data;
}

const SlConfig *
sl_daemon_get_config(const SlDaemon *daemon)
{
    return daemon->config;
}

SlBus *
sl_daemon_get_bus(const SlDaemon *daemon)
{
    return daemon->bus;
}

const char *
sl_daemon_get_instance(const SlDaemon *daemon)
{
    return (daemon->info->flags & SL_DAEMON_INSTANCE) != 0 ? daemon->arguments[0] : NULL;
}

const char *const *
sl_daemon_get_arguments(const SlDaemon *daemon)
{
    return (const char *const *)daemon->arguments;
}

GCancellable *
sl_daemon_get_cancellable(const SlDaemon *daemon)
{
    return daemon->cancellable;
}

gboolean
sl_daemon_is_stopping(const SlDaemon *daemon)
{
    return daemon->phase == SL_DAEMON_STOPPING;
}

void
sl_daemon_set_bus_name(SlDaemon *daemon, const char *name)
{
    g_free(daemon->bus_name);
    daemon->bus_name = g_strdup(name);
}

/* --- stopping ----------------------------------------------------------------------------------
 */

void
sl_daemon_begin_stop(SlDaemon *daemon)
{
    SlDaemonPhase before = daemon->phase;
    if (before == SL_DAEMON_STOPPING)
        return;
    g_atomic_int_set((gint *)&daemon->phase, SL_DAEMON_STOPPING);
    if (before == SL_DAEMON_STARTING) {
        /* start gives up by itself; there is nothing to drain yet. */
        g_cancellable_cancel(daemon->cancellable);
        return;
    }
    /* First of all: from here on the manager starts a new one for whoever comes, while we go on
     * answering those who are here. */
    sd_notify(0, "STOPPING=1\nSTATUS=stopping");
    if (daemon->bus != NULL)
        sl_bus_release_name(daemon->bus);
    if (daemon->info->drain != NULL)
        daemon->info->drain(daemon);
    sl_idle_drain(daemon);
}

void
sl_daemon_quit(SlDaemon *daemon, int status)
{
    daemon->status = status;
    sl_daemon_begin_stop(daemon);
}

static gboolean
on_stop_signal(gpointer data)
{
    sl_daemon_begin_stop(data);
    return G_SOURCE_CONTINUE;
}

static void
on_bus_lost(const char *what, gpointer data)
{
    SlDaemon *daemon = data;
    if (daemon->phase == SL_DAEMON_STOPPING)
        return;
    g_warning("%s was lost, stopping; the service manager starts us again", what);
    sl_daemon_quit(daemon, EXIT_FAILURE);
}

/* --- running -----------------------------------------------------------------------------------
 */

static gboolean
on_reload_signal(gpointer data)
{
    SlDaemon *daemon = data;
    g_autoptr(GError) error = NULL;
    SlConfig *config;

    if (daemon->phase != SL_DAEMON_RUNNING)
        return G_SOURCE_CONTINUE;
    sd_notify(0, "RELOADING=1");
    config = sl_config_load(daemon->config_path, &error);
    if (config == NULL) {
        g_warning("%s; the settings in use stay, ignoring", error->message);
    } else {
        sl_config_free(daemon->config);
        daemon->config = config;
        g_info("read the configuration again");
        if (daemon->info->reload != NULL)
            daemon->info->reload(daemon);
    }
    sd_notify(0, "READY=1");
    return G_SOURCE_CONTINUE;
}

static gboolean
on_watchdog(gpointer data)
{
    SlDaemon *daemon = data;
    if (daemon->info->healthy == NULL || daemon->info->healthy(daemon))
        sd_notify(0, "WATCHDOG=1");
    else
        g_warning("the work stands still, letting the watchdog run out");
    return G_SOURCE_CONTINUE;
}

static void
add_source(SlDaemon *daemon, GSource *source, GSourceFunc callback)
{
    g_source_set_callback(source, callback, daemon, NULL);
    g_source_attach(source, NULL);
    g_ptr_array_add(daemon->sources, source);
}

static void
add_watchdog(SlDaemon *daemon)
{
    guint64 usec = 0;
    if (sd_watchdog_enabled(0, &usec) > 0)
        add_source(daemon, g_timeout_source_new((guint)MAX(usec / 2000, 1)), on_watchdog);
}

static void
source_destroy(gpointer source)
{
    g_source_destroy(source);
    g_source_unref(source);
}

/* --- waiting for something during start --------------------------------------------------------
 */

typedef struct {
    SlDaemonAttempt attempt;
    gpointer data;
} Attempt;

static void
attempt_thread(GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
    const Attempt *attempt = task_data;
    GError *error = NULL;
    if (attempt->attempt(attempt->data, cancellable, &error))
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, error);
}

static void
on_attempt_done(GObject *source, GAsyncResult *result, gpointer data)
{
    *(gboolean *)data = TRUE;
}

static gboolean
on_flag_timer(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

static gboolean
attempt_once(SlDaemon *daemon, Attempt *attempt, GError **error)
{
    gboolean done = FALSE;
    /* Not bound to the cancellable's error: a success that came in time counts. */
    g_autoptr(GTask) task = g_task_new(NULL, daemon->cancellable, on_attempt_done, &done);
    g_task_set_check_cancellable(task, FALSE);
    g_task_set_task_data(task, attempt, NULL);
    g_task_run_in_thread(task, attempt_thread);
    while (!done)
        g_main_context_iteration(NULL, TRUE);
    return g_task_propagate_boolean(task, error);
}

static void
pause_start(SlDaemon *daemon, gint64 usec)
{
    gboolean over = FALSE;
    g_autoptr(GSource) timer = g_timeout_source_new((guint)(usec / 1000));
    g_source_set_callback(timer, on_flag_timer, &over, NULL);
    g_source_attach(timer, NULL);
    while (!over && daemon->phase == SL_DAEMON_STARTING)
        g_main_context_iteration(NULL, TRUE);
    g_source_destroy(timer);
}

/* This is the main loop of a daemon that has not started, not a nested one: sl_daemon_main() calls
 * start outside of any loop. */
gboolean
sl_daemon_retry(SlDaemon *daemon, const char *what, SlDaemonAttempt attempt, gpointer data,
                GError **error)
{
    Attempt task = {attempt, data};
    gint64 wait = RETRY_MIN_USEC;
    gboolean told = FALSE;

    g_return_val_if_fail(daemon->phase != SL_DAEMON_RUNNING, FALSE);
    while (daemon->phase == SL_DAEMON_STARTING) {
        g_autoptr(GError) reason = NULL;
        if (attempt_once(daemon, &task, &reason))
            return TRUE;
        if (!sl_error_info_for(reason)->retryable) {
            g_propagate_prefixed_error(error, g_steal_pointer(&reason), "%s: ", what);
            return FALSE;
        }
        if (!told)
            g_message("waiting for %s: %s", what, reason->message);
        told = TRUE;
        sl_daemon_status(_("waiting for %s: %s"), what, reason->message);
        /* A start may take longer than TimeoutStartSec= when it is for a good reason. */
        sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" G_GINT64_FORMAT,
                   (gint64)(RETRY_MAX_USEC + 60 * G_USEC_PER_SEC));
        pause_start(daemon, (gint64)((double)wait * g_random_double_range(0.5, 1.0)));
        wait = MIN(wait * 2, RETRY_MAX_USEC);
    }
    return sl_error_set(error, SL_ERROR_CANCELLED, "%s: stopped while waiting", what);
}

/* --- life --------------------------------------------------------------------------------------
 */

static gboolean
connect_bus(SlDaemon *daemon, GError **error)
{
    SlBusKind kind;
    if (daemon->info->bus_name == NULL || daemon->no_bus)
        return TRUE;
    if (!sl_bus_kind_from_environment(&kind, error))
        return FALSE;
    if (kind == SL_BUS_NONE)
        return TRUE;
    daemon->bus = sl_bus_new(kind, error);
    if (daemon->bus == NULL)
        return FALSE;
    sl_bus_set_lost(daemon->bus, on_bus_lost, daemon);
    if ((daemon->info->flags & SL_DAEMON_INSTANCE) != 0)
        daemon->bus_name = g_strconcat(daemon->info->bus_name, ".i", daemon->arguments[0], NULL);
    else
        daemon->bus_name = g_strdup(daemon->info->bus_name);
    return TRUE;
}

/* Objects first, then the name: who finds the name finds the objects. */
static gboolean
appear_on_bus(SlDaemon *daemon, GError **error)
{
    if (daemon->bus == NULL || daemon->bus_name == NULL)
        return TRUE;
    if (daemon->info->export != NULL && !daemon->info->export(daemon, daemon->bus, error))
        return FALSE;
    return sl_bus_own_name(daemon->bus, daemon->bus_name, error);
}

static gboolean
start(SlDaemon *daemon, GError **error)
{
    if (!connect_bus(daemon, error) || !daemon->info->start(daemon, error) ||
        (daemon->phase == SL_DAEMON_STARTING && !appear_on_bus(daemon, error)))
        return FALSE;
    return TRUE;
}

static int
run(SlDaemon *daemon)
{
    g_autoptr(GError) error = NULL;
    if (!start(daemon, &error)) {
        /* A stop during start is a stop, not a failure. */
        if (daemon->phase != SL_DAEMON_STOPPING ||
            !g_error_matches(error, SL_ERROR, SL_ERROR_CANCELLED)) {
            g_critical("%s", error->message);
            sl_daemon_status("%s", error->message);
            daemon->status = EXIT_FAILURE;
        }
    } else if (daemon->phase == SL_DAEMON_STARTING) {
        daemon->phase = SL_DAEMON_RUNNING;
        add_watchdog(daemon);
        sl_idle_start(daemon);
        sd_notify(0, "READY=1");
        g_main_loop_run(daemon->loop);
    } else {
        /* Done within start (a one-shot): a Type=notify unit wants to have seen it ready. */
        sd_notify(0, "READY=1\nSTOPPING=1");
    }
    g_atomic_int_set((gint *)&daemon->phase, SL_DAEMON_STOPPING);
    g_cancellable_cancel(daemon->cancellable);
    if (daemon->info->stop != NULL)
        daemon->info->stop(daemon);
    return daemon->status;
}

static void
clear(SlDaemon *daemon)
{
    sl_idle_stop(daemon);
    g_clear_pointer(&daemon->sources, g_ptr_array_unref);
    g_clear_pointer(&daemon->bus, sl_bus_free);
    g_clear_pointer(&daemon->loop, g_main_loop_unref);
    g_clear_object(&daemon->cancellable);
    for (guint i = 0; daemon->sockets != NULL && i < daemon->sockets->len; i++)
        if (g_array_index(daemon->sockets, int, i) >= 0)
            close(g_array_index(daemon->sockets, int, i));
    g_clear_pointer(&daemon->sockets, g_array_unref);
    g_strfreev(daemon->socket_names);
    g_strfreev(daemon->arguments);
    g_free(daemon->bus_name);
    g_free(daemon->config_path);
    sl_config_free(daemon->config);
    g_mutex_clear(&daemon->idle_lock);
}

static int
usage_error(const SlDaemonInfo *info, const char *text)
{
    g_printerr("%s: %s\n", info->name, text);
    return EXIT_USAGE;
}

/* Options that answer and end: -1 when there is none of them. */
static int
answer_options(SlDaemon *daemon, gboolean version, gboolean check, gboolean describe)
{
    g_autoptr(GError) error = NULL;
    if (version) {
        g_print("%s %s\n", daemon->info->name, PACKAGE_VERSION);
        return EXIT_SUCCESS;
    }
    if (describe) {
        g_autofree char *text = sl_config_describe();
        g_print("%s", text);
        return EXIT_SUCCESS;
    }
    daemon->config = sl_config_load(daemon->config_path, &error);
    if (daemon->config == NULL) {
        g_printerr("%s\n", error->message);
        return EXIT_FAILURE;
    }
    if (check)
        g_print("%s\n", _("The configuration is valid."));
    return check ? EXIT_SUCCESS : -1;
}

static int
parse_command_line(SlDaemon *daemon, int argc, char **argv)
{
    gboolean version = FALSE, check = FALSE, describe = FALSE;
    const SlDaemonInfo *info = daemon->info;
    const GOptionEntry entries[] = {
        {"version", 0, 0, G_OPTION_ARG_NONE, &version, N_("Show the version"), NULL},
        {"check-config", 0, 0, G_OPTION_ARG_NONE, &check,
         N_("Check the configuration and exit: 0 valid, 1 not"), NULL},
        {"describe-config", 0, 0, G_OPTION_ARG_NONE, &describe,
         N_("Print every setting with its default and meaning"), NULL},
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &daemon->config_path,
         N_("Read this configuration file"), N_("FILE")},
        {"no-bus", 0, 0, G_OPTION_ARG_NONE, &daemon->no_bus, N_("Do not use the message bus"),
         NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &daemon->arguments, NULL,
         (info->flags & SL_DAEMON_INSTANCE) != 0 ? N_("INSTANCE") : info->arguments},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_set_summary(context, _(info->summary));
    g_option_context_add_main_entries(context, entries, GETTEXT_PACKAGE);
    if (info->options != NULL)
        g_option_context_add_main_entries(context, info->options, GETTEXT_PACKAGE);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        return usage_error(info, error->message);
    int answer = answer_options(daemon, version, check, describe);
    if (answer >= 0)
        return answer;
    if (daemon->arguments == NULL)
        daemon->arguments = g_new0(char *, 1);
    guint n = g_strv_length(daemon->arguments);
    if ((info->flags & SL_DAEMON_INSTANCE) != 0 && n != 1)
        return usage_error(info, _("expected one argument: the instance"));
    if ((info->flags & (SL_DAEMON_INSTANCE | SL_DAEMON_ARGUMENTS)) == 0 && n != 0)
        return usage_error(info, _("no arguments are expected"));
    return -1;
}

int
sl_daemon_main(const SlDaemonInfo *info, int argc, char **argv)
{
    SlDaemon daemon = {.info = info};

    setlocale(LC_ALL, "");
    bindtextdomain(GETTEXT_PACKAGE, SL_LOCALEDIR);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);
    sl_log_init(info->name);
    g_mutex_init(&daemon.idle_lock);
    int status = parse_command_line(&daemon, argc, argv);
    if (status < 0) {
        umask(022);
        signal(SIGPIPE, SIG_IGN);
        daemon.loop = g_main_loop_new(NULL, FALSE);
        daemon.cancellable = g_cancellable_new();
        daemon.sources = g_ptr_array_new_with_free_func(source_destroy);
        add_source(&daemon, g_unix_signal_source_new(SIGTERM), on_stop_signal);
        add_source(&daemon, g_unix_signal_source_new(SIGINT), on_stop_signal);
        add_source(&daemon, g_unix_signal_source_new(SIGHUP), on_reload_signal);
        sl_daemon_take_environment(&daemon);
        status = run(&daemon);
    }
    clear(&daemon);
    return status;
}
