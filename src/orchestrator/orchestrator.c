/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "orchestrator-commit.h"
#include "orchestrator-control.h"
#include "sl-error.h"
#include "sl-fd.h"
#include "sl-id.h"
#include "sl-log.h"

#define INPUT_USEC (120 * G_USEC_PER_SEC)
#define RETRY_MS 500
#define TOKEN_MAX 4096
#define SPAWN_PREFIX "exec:"

enum { EXIT_DONE = 0, EXIT_ERROR = 1, EXIT_LOST = 2 };

typedef struct {
    char *workload, *auto_id, *token_socket, *api, *run_folder, *log_folder, *spawn;
    char *commands[2];
    gint token_fd;
    gboolean version;
} Options;

/* The one run of this process. */
typedef struct {
    Orchestrator o;
    OrchestratorSync *sync;
    OrchestratorJob *job;
} Run;

/* --- before ---------------------------------------------------------------- */

static gboolean
parse_options(int *argc, char ***argv, Options *options, GError **error)
{
    const GOptionEntry entries[] = {
        {"workload", 0, 0, G_OPTION_ARG_STRING, &options->workload, N_("Workload to run"), "ID"},
        {"auto-id", 0, 0, G_OPTION_ARG_STRING, &options->auto_id, N_("Its id on this host"),
         "UUID"},
        {"token-fd", 0, 0, G_OPTION_ARG_INT, &options->token_fd,
         N_("Descriptor with the claim's token as one line"), "N"},
        {"token-socket", 0, 0, G_OPTION_ARG_FILENAME, &options->token_socket,
         N_("Socket that sends it to whoever connects"), "PATH"},
        {"api", 0, 0, G_OPTION_ARG_FILENAME, &options->api, N_("Socket of the workload API"),
         "PATH"},
        {"run-folder", 0, 0, G_OPTION_ARG_FILENAME, &options->run_folder,
         N_("Folder of the control sockets"), "PATH"},
        {"log-folder", 0, 0, G_OPTION_ARG_FILENAME, &options->log_folder, N_("Folder of job logs"),
         "PATH"},
        {"spawn", 0, 0, G_OPTION_ARG_STRING, &options->spawn,
         N_("Run connectors as children under this sluice-init, without a sandbox"), "exec:PATH"},
        {"source", 0, 0, G_OPTION_ARG_STRING, &options->commands[ORCHESTRATOR_SOURCE],
         N_("With --spawn: command line of the source"), "COMMAND"},
        {"destination", 0, 0, G_OPTION_ARG_STRING, &options->commands[ORCHESTRATOR_DESTINATION],
         N_("With --spawn: command line of the destination"), "COMMAND"},
        {"version", 0, 0, G_OPTION_ARG_NONE, &options->version, N_("Show the version"), NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_set_summary(context, _("Runs one workload; started by sluice-launcher."));
    g_option_context_set_translation_domain(context, GETTEXT_PACKAGE);
    g_option_context_add_main_entries(context, entries, GETTEXT_PACKAGE);
    if (!g_option_context_parse(context, argc, argv, error))
        return FALSE;
    if (options->version)
        return TRUE;
    if (*argc > 1)
        return sl_error_set(error, SL_ERROR_INVALID, _("unexpected argument '%s'"), (*argv)[1]);
    if (options->workload == NULL || options->auto_id == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, _("--workload and --auto-id are needed"));
    if (!sl_id_is_valid(options->auto_id))
        return sl_error_set(error, SL_ERROR_INVALID, _("--auto-id: '%s' is not a UUID"),
                            options->auto_id);
    if (options->spawn != NULL && !g_str_has_prefix(options->spawn, SPAWN_PREFIX))
        return sl_error_set(error, SL_ERROR_INVALID, _("--spawn: '%s' is not exec:PATH"),
                            options->spawn);
    return TRUE;
}

static void
clear_options(Options *options)
{
    char *const texts[] = {options->workload, options->auto_id,     options->token_socket,
                           options->api,      options->run_folder,  options->log_folder,
                           options->spawn,    options->commands[0], options->commands[1]};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
}

/* In a container, its keeper sends it (sluice-container(8)). -1: failed. */
static int
connect_token(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    sl_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path) {
        sl_error_set(error, SL_ERROR_INVALID, _("--token-socket: '%s' is too long"), path);
        return -1;
    }
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        sl_error_set_errno(error, errno, "connecting to '%s' for the token", path);
        return -1;
    }
    return sl_fd_steal(&fd);
}

static char *
read_token(int fd, GError **error)
{
    gsize len;
    sl_autofd int owned = fd;
    g_autofree char *text = sl_fd_read_all(owned, TOKEN_MAX, &len, error);
    if (text == NULL) {
        g_prefix_error(error, "reading the token: ");
        return NULL;
    }
    g_strstrip(text);
    if (*text == '\0') {
        sl_error_set(error, SL_ERROR_INVALID, "reading the token: it is empty");
        return NULL;
    }
    return g_steal_pointer(&text);
}

static char *
get_token(const Options *options, GError **error)
{
    int fd = options->token_fd;
    if (options->token_socket != NULL)
        fd = connect_token(options->token_socket, error);
    return fd >= 0 ? read_token(fd, error) : NULL;
}

/* Calls again while the API cannot be reached: it may be starting. */
static gboolean
retry_until(gint64 end, const GError *error)
{
    if (!g_error_matches(error, SL_ERROR, SL_ERROR_UNAVAILABLE) &&
        !g_error_matches(error, SL_ERROR, SL_ERROR_TIMED_OUT))
        return FALSE;
    if (g_get_monotonic_time() >= end)
        return FALSE;
    g_usleep(RETRY_MS * 1000); /* check-source: allow blocked, because nothing else runs yet */
    return TRUE;
}

static GBytes *
get_input(OrchestratorApi *api, GError **error)
{
    gint64 end = g_get_monotonic_time() + INPUT_USEC;
    for (;;) {
        g_autoptr(GError) failure = NULL;
        GBytes *input = orchestrator_api_get_input(api, end, &failure);
        if (input != NULL)
            return input;
        if (!retry_until(end, failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
    }
}

/* "running" must succeed before anything is started. */
static gboolean
report_running(OrchestratorApi *api, gint64 lease, gint64 *ret_beat, gboolean *ret_cancel,
               GError **error)
{
    gint64 end = g_get_monotonic_time() + lease;
    for (;;) {
        g_autoptr(GError) failure = NULL;
        *ret_beat = g_get_monotonic_time();
        if (orchestrator_api_beat(api, "running", end, NULL, ret_cancel, &failure))
            return TRUE;
        if (!retry_until(end, failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
    }
}

/* --- while it runs --------------------------------------------------------- */

static void
stop(Run *run, gboolean cancelled, const char *why)
{
    if (run->o.outcome != ORCHESTRATOR_RUNNING)
        return;
    if (run->sync != NULL)
        orchestrator_sync_stop(run->sync, cancelled, why);
    else if (run->job != NULL)
        orchestrator_job_stop(run->job, cancelled, why);
}

static void
on_holder(OrchestratorHolderEvent event, const char *text, gpointer data)
{
    Run *run = data;
    if (event == ORCHESTRATOR_HOLDER_CANCEL) {
        orchestrator_log_say(run->o.log, SL_JOB_LOG_INFO, "cancellation was asked for");
        stop(run, TRUE, "The job was cancelled");
        return;
    }
    g_warning("%s, stopping at once", text);
    orchestrator_log_say(run->o.log, SL_JOB_LOG_ERROR,
                         "this attempt is not ours any more, stopping at once: %s", text);
    run->o.outcome = ORCHESTRATOR_GONE;
    g_main_loop_quit(run->o.loop);
}

static gboolean
on_signal(gpointer data)
{
    stop(data, FALSE, "The orchestrator was told to stop");
    return G_SOURCE_CONTINUE;
}

/* --- after ----------------------------------------------------------------- */

static void
write_output(const Run *run, SlJsonWriter *w)
{
    static const char *const statuses[] = {[ORCHESTRATOR_SUCCEEDED] = "completed",
                                           [ORCHESTRATOR_FAILED] = "failed",
                                           [ORCHESTRATOR_CANCELLED] = "cancelled"};
    const Orchestrator *o = &run->o;
    sl_json_begin_object(w);
    if (run->job != NULL)
        orchestrator_job_write(run->job, w);
    if (o->input->type == ORCHESTRATOR_SYNC) {
        sl_json_key(w, "sync");
        sl_json_begin_object(w);
        sl_json_member_string(w, "status", statuses[o->outcome]);
        sl_json_end_object(w);
    }
    sl_json_key(w, "failures");
    sl_failures_write(o->failures, w);
    orchestrator_control_write(o->control, w);
    sl_json_end_object(w);
}

static GBytes *
make_report(Run *run, const OrchestratorApi *api)
{
    const Orchestrator *o = &run->o;
    const char *origin = NULL, *reason = sl_failures_first(o->failures, &origin);
    GString *body = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(body);
    orchestrator_api_begin_body(api, &w);
    if (o->outcome != ORCHESTRATOR_SUCCEEDED) {
        sl_json_member_string(&w, "source", origin);
        sl_json_member_string(&w, "reason", reason);
    }
    if (run->sync != NULL)
        orchestrator_sync_write(run->sync, &w);
    sl_json_key(&w, "output");
    write_output(run, &w);
    sl_json_end_object(&w);
    return g_string_free_to_bytes(body);
}

static gint64
get_deadline(gpointer data)
{
    return orchestrator_holder_get_deadline(data);
}

/* Tells the end until it is accepted. */
static gboolean
report(Run *run, OrchestratorApi *api, GError **error)
{
    static const char *const calls[] = {[ORCHESTRATOR_SUCCEEDED] = "success",
                                        [ORCHESTRATOR_FAILED] = "failure",
                                        [ORCHESTRATOR_CANCELLED] = "cancel"};
    Orchestrator *o = &run->o;
    g_autoptr(GError) refused = NULL;
    g_autoptr(GBytes) body = make_report(run, api);
    if (orchestrator_finish(api, calls[o->outcome], body, get_deadline, o->holder, &refused))
        return TRUE;
    if (!g_error_matches(refused, SL_ERROR, SL_ERROR_INVALID)) {
        g_propagate_error(error, g_steal_pointer(&refused));
        return FALSE;
    }
    /* Our last states are not acceptable: the attempt has failed, and that can be said. */
    orchestrator_fail(o, SL_ORIGIN_PERSISTENCE, SL_FAILURE_SYSTEM, refused->message,
                      "the result of this job was refused");
    o->outcome = ORCHESTRATOR_FAILED;
    if (run->sync != NULL)
        orchestrator_sync_take_back(run->sync);
    g_bytes_unref(body);
    body = make_report(run, api);
    return orchestrator_finish(api, calls[o->outcome], body, get_deadline, o->holder, error);
}

static void
log_end(Run *run)
{
    static const char *const texts[] = {[ORCHESTRATOR_SUCCEEDED] = "succeeded",
                                        [ORCHESTRATOR_FAILED] = "failed",
                                        [ORCHESTRATOR_CANCELLED] = "was cancelled"};
    OrchestratorOutcome outcome = run->o.outcome;
    const char *type = orchestrator_job_type_name(run->o.input->type);
    const char *why =
        outcome == ORCHESTRATOR_FAILED ? sl_failures_first(run->o.failures, NULL) : NULL;
    orchestrator_log_say(run->o.log, SL_JOB_LOG_INFO, "the %s %s", type, texts[outcome]);
    sl_log_event(why != NULL ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_INFO, SL_EVENT_WORKLOAD_ENDED,
                 "The %s %s%s%s", type, texts[outcome], why != NULL ? ": " : "",
                 why != NULL ? why : "");
}

/* --- the order of things --------------------------------------------------- */

/* Starts what the input asks for, waits for its end, and tells it. */
static int
run_input(Run *run, OrchestratorApi *api, gboolean cancel)
{
    Orchestrator *o = &run->o;
    g_autoptr(GError) error = NULL;
    gboolean started = FALSE;
    o->loop = g_main_loop_new(NULL, FALSE);
    guint signals[] = {g_unix_signal_add(SIGTERM, on_signal, run),
                       g_unix_signal_add(SIGINT, on_signal, run)};
    orchestrator_log_say(o->log, SL_JOB_LOG_INFO, "starting the %s",
                         orchestrator_job_type_name(o->input->type));
    if (cancel) {
        orchestrator_fail(o, SL_ORIGIN_PLATFORM, SL_FAILURE_CANCELLED, NULL,
                          "the job was cancelled");
        o->outcome = ORCHESTRATOR_CANCELLED;
    } else if (o->input->type == ORCHESTRATOR_SYNC) {
        started = (run->sync = orchestrator_sync_start(o, &error)) != NULL;
    } else {
        started = (run->job = orchestrator_job_start(o, &error)) != NULL;
    }
    if (started && o->outcome == ORCHESTRATOR_RUNNING)
        g_main_loop_run(o->loop);
    if (error != NULL) {
        orchestrator_fail(o, SL_ORIGIN_PLATFORM,
                          g_error_matches(error, SL_ERROR, SL_ERROR_INVALID) ? SL_FAILURE_CONFIG
                                                                             : SL_FAILURE_SYSTEM,
                          NULL, "%s", error->message);
        o->outcome = ORCHESTRATOR_FAILED;
    }
    if (o->outcome == ORCHESTRATOR_GONE && run->sync != NULL && orchestrator_sync_kill(run->sync))
        g_main_loop_run(o->loop);
    orchestrator_control_settle(o->control);
    for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
        g_source_remove(signals[i]);
    g_main_loop_unref(o->loop);
    if (o->outcome == ORCHESTRATOR_GONE)
        return EXIT_LOST;
    log_end(run);
    orchestrator_log_flush(o->log);
    g_clear_error(&error);
    if (report(run, api, &error))
        return EXIT_DONE;
    g_warning("%s; the result of this attempt is lost", error->message);
    return EXIT_LOST;
}

static void
clear_run(Run *run)
{
    orchestrator_sync_free(run->sync);
    orchestrator_job_free(run->job);
    orchestrator_starter_free(run->o.starter);
    orchestrator_holder_stop(run->o.holder);
    orchestrator_log_free(run->o.log);
    sl_failures_free(run->o.failures);
    orchestrator_control_free(run->o.control);
}

/* An input that we cannot read is reported too: nobody else could say why. */
static int
refuse_input(OrchestratorApi *api, const Run *run, const GError *refusal)
{
    g_autoptr(GError) error = NULL;
    GString *text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    g_critical("the workload's %s", refusal->message);
    sl_failures_add(run->o.failures, SL_ORIGIN_PLATFORM, SL_FAILURE_SYSTEM, refusal->message, NULL);
    orchestrator_api_begin_body(api, &w);
    sl_json_member_string(&w, "source", sl_failure_origin_name(SL_ORIGIN_PLATFORM));
    sl_json_member_string(&w, "reason", refusal->message);
    sl_json_key(&w, "output");
    sl_json_begin_object(&w);
    sl_json_key(&w, "failures");
    sl_failures_write(run->o.failures, &w);
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    g_autoptr(GBytes) body = g_string_free_to_bytes(text);
    if (!orchestrator_finish(api, "failure", body, get_deadline, run->o.holder, &error))
        g_warning("%s", error->message);
    return EXIT_ERROR;
}

/* With the workload held: has connectors started and waits for their end, or says why not. */
static int
run_held(Run *run, OrchestratorApi *api, const Options *options, gboolean cancel, GError *refusal)
{
    g_autoptr(GError) error = refusal;
    g_autofree char *job = NULL, *attempt = NULL;
    if (run->o.input != NULL && run->o.input->job_id >= 0) {
        job = g_strdup_printf("%" G_GINT64_FORMAT, run->o.input->job_id);
        attempt = g_strdup_printf("%" G_GINT64_FORMAT, run->o.input->attempt_number);
    }
    g_auto(SlLogScope) job_scope = sl_log_scope(SL_LOG_JOB_ID, job);
    g_auto(SlLogScope) attempt_scope = sl_log_scope(SL_LOG_ATTEMPT, attempt);
    g_auto(SlLogScope) connection_scope = sl_log_scope(
        SL_LOG_CONNECTION_ID, run->o.input != NULL ? run->o.input->connection_id : NULL);
    g_autofree char *compact = sl_id_compact(options->auto_id);
    const OrchestratorInput *input = run->o.input;
    const OrchestratorStarterOptions starting = {
        options->workload,
        compact,
        options->run_folder != NULL ? options->run_folder : "/run/sluice/workloads",
        options->spawn != NULL ? options->spawn + strlen(SPAWN_PREFIX) : NULL,
        {options->commands[0], options->commands[1]}};
    if (input != NULL)
        run->o.starter = orchestrator_starter_new(&starting, &error);
    if (run->o.starter == NULL)
        return refuse_input(api, run, error);
    run->o.log = orchestrator_log_new(
        options->log_folder != NULL ? options->log_folder : "/var/log/sluice/jobs", input->log_path,
        run->o.config->orchestrator_max_log, orchestrator_input_mask(input));
    run->o.control = orchestrator_control_new(&run->o);
    return run_input(run, api, cancel);
}

static int
run_workload(const Options *options, const char *token, SlConfig *config, GError **error)
{
    gint64 beat;
    gboolean cancel = FALSE;
    const char *api_path = options->api != NULL ? options->api : "/run/sluice/workload-api.sock";
    g_autoptr(OrchestratorApi) api = orchestrator_api_new(api_path, options->workload, token);
    g_auto(SlLogScope) scope = sl_log_scope(SL_LOG_WORKLOAD_ID, options->workload);
    g_autoptr(GError) refusal = NULL;
    Run run = {.o = {options->workload, token, api_path, config}};

    g_autoptr(GBytes) text = get_input(api, error);
    if (text == NULL)
        return g_error_matches(*error, SL_ERROR, SL_ERROR_GONE) ? EXIT_LOST : EXIT_ERROR;
    g_autoptr(OrchestratorInput) input = orchestrator_input_parse(text, &refusal);
    g_clear_pointer(&text, g_bytes_unref);
    if (input != NULL)
        orchestrator_input_apply(input, config);
    if (!report_running(api, config->workload_lease_usec, &beat, &cancel, error))
        return g_error_matches(*error, SL_ERROR, SL_ERROR_GONE) ? EXIT_LOST : EXIT_ERROR;
    const OrchestratorHolderOptions holding = {api_path, options->workload, token,
                                               config->workload_heartbeat_usec,
                                               config->workload_lease_usec};
    run.o.holder = orchestrator_holder_start(&holding, beat, on_holder, &run);
    run.o.failures = sl_failures_new();
    run.o.input = input;
    int status = run_held(&run, api, options, cancel, g_steal_pointer(&refusal));
    clear_run(&run);
    return status;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    Options options = {.token_fd = 3};
    int status = EXIT_ERROR;

    setlocale(LC_ALL, "");
    bindtextdomain(GETTEXT_PACKAGE, SL_LOCALEDIR);
    textdomain(GETTEXT_PACKAGE);
    sl_log_init("sluice-orchestrator");
    umask(022);
    signal(SIGPIPE, SIG_IGN);
    g_autoptr(SlConfig) config = NULL;
    g_autofree char *token = NULL;
    if (parse_options(&argc, &argv, &options, &error) && !options.version) {
        config = sl_config_load(NULL, &error);
        if (config != NULL)
            token = get_token(&options, &error);
        if (token != NULL)
            status = run_workload(&options, token, config, &error);
    }
    if (options.version) {
        g_print("sluice-orchestrator %s\n", PACKAGE_VERSION);
        status = EXIT_DONE;
    }
    if (error != NULL)
        g_critical("%s", error->message);
    clear_options(&options);
    return status;
}
