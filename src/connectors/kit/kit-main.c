/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "kit-private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-json-write.h"
#include "sl-log.h"

#define MAX_FILE ((gsize)256 * 1024 * 1024)
#define DEFAULT_PIPE_SIZE 65536
#define PIPE_SIZE (1024 * 1024)
#define EXIT_USAGE 2
#define EXIT_STOPPED 143

typedef enum { OPTION_CONFIG, OPTION_CATALOG, OPTION_STATE, N_OPTIONS } Option;
static const char *const option_names[N_OPTIONS] = {"--config", "--catalog", "--state"};

typedef struct {
    const KitConnector *connector;
    const char *files[N_OPTIONS];
    KitOutput *out;
    KitConfig *config;
    KitCatalog *catalog;
    KitChannel *channel; /* NULL: none */
} Run;

typedef gboolean (*RunFunc)(Run *run, GError **error);

static volatile sig_atomic_t signalled;
static int stop_fd = -1;

gboolean
kit_signalled(void)
{
    return signalled != 0;
}

gboolean
kit_stopping(const KitOutput *out)
{
    return signalled != 0 || kit_output_gone(out);
}

static void
on_sigterm(int signum)
{
    int saved = errno;
    guint64 one = 1;
    signalled = 1;
    /* Wakes poll(): a flag alone would be missed between its test and the wait. */
    if (write(stop_fd, &one, sizeof one) < 0) {
        /* The counter is full: it is readable already. */
    }
    errno = saved;
}

/* Only read and write have something to bring to an end; the other commands die of SIGTERM. */
static gboolean
set_signals(GError **error)
{
    stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop_fd < 0)
        return sl_error_set_errno(error, errno, "eventfd");
    struct sigaction action = {.sa_handler = on_sigterm};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    return TRUE;
}

/* A pipe of the default size costs a third of the speed. One of any other size was chosen by
 * somebody who knows the user's quota: leave it. */
static void
grow_pipe(int fd)
{
    if (fcntl(fd, F_GETPIPE_SZ) == DEFAULT_PIPE_SIZE)
        fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
}

static char *
load_file(const Run *run, Option option, gsize *ret_len, GError **error)
{
    const char *path = run->files[option];
    sl_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        /* Not the user's fault, whatever errno says: the caller gave the file. */
        sl_error_set(error, SL_ERROR_FAILED, "%s %s: %s", option_names[option], path,
                     g_strerror(errno));
        return NULL;
    }
    g_autofree char *text = sl_fd_read_all(fd, MAX_FILE, ret_len, error);
    if (text == NULL) {
        g_prefix_error(error, "%s %s: ", option_names[option], path);
        return NULL;
    }
    gsize blank = strspn(text, " \t\r\n");
    if (blank == *ret_len) {
        sl_error_set(error, SL_ERROR_INVALID, "%s %s: the file is empty", option_names[option],
                     path);
        return NULL;
    }
    return g_steal_pointer(&text);
}

static gboolean
load_config(Run *run, GError **error)
{
    gsize len;
    g_autofree char *text = load_file(run, OPTION_CONFIG, &len, error);
    if (text == NULL)
        return FALSE;
    run->config = kit_config_parse(run->connector->spec, text, len, error);
    return run->config != NULL;
}

static gboolean
load_catalog(Run *run, GError **error)
{
    gsize len;
    g_autofree char *text = load_file(run, OPTION_CATALOG, &len, error);
    if (text == NULL)
        return FALSE;
    run->catalog = kit_catalog_parse(text, len, error);
    if (run->catalog == NULL || run->files[OPTION_STATE] == NULL)
        return run->catalog != NULL;
    g_autofree char *state = load_file(run, OPTION_STATE, &len, error);
    return state != NULL && kit_catalog_attach_state(run->catalog, state, len, error);
}

static gboolean
run_spec(Run *run, GError **error)
{
    g_autofree char *line =
        g_strdup_printf("{\"type\":\"SPEC\",\"spec\":%s}", run->connector->spec);
    kit_output_line(run->out, line, strlen(line));
    return TRUE;
}

static gboolean
run_check(Run *run, GError **error)
{
    g_autoptr(GError) local = NULL;
    gboolean (*check)(const KitConfig *, GError **) = run->connector->check;
    if (load_config(run, &local) && (check == NULL || check(run->config, &local))) {
        kit_output_connection_status(run->out, NULL);
        return TRUE;
    }
    if (g_str_equal(kit_failure_type(local), "system_error")) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    kit_output_connection_status(run->out, local->message);
    return TRUE;
}

static gboolean
run_discover(Run *run, GError **error)
{
    if (!load_config(run, error))
        return FALSE;
    g_autoptr(GString) text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "type", "CATALOG");
    sl_json_key(&w, "catalog");
    sl_json_begin_object(&w);
    sl_json_key(&w, "streams");
    sl_json_begin_array(&w);
    if (run->connector->streams != NULL)
        kit_streams_write(run->connector->streams, &w);
    else if (!run->connector->discover(run->config, run->out, &w, error))
        return FALSE;
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    kit_output_line(run->out, text->str, text->len);
    return TRUE;
}

static gboolean
load_channel(Run *run, GError **error)
{
    g_autoptr(GError) local = NULL;
    run->channel = kit_channel_from_environment(&local);
    if (local == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static gboolean
run_read(Run *run, GError **error)
{
    if (!set_signals(error) || !load_config(run, error) || !load_catalog(run, error) ||
        !load_channel(run, error))
        return FALSE;
    grow_pipe(STDOUT_FILENO);
    kit_output_set_streams(run->out, run->catalog);
    if (run->channel != NULL &&
        !kit_output_use_channel(run->out, run->channel, run->catalog, stop_fd, error))
        return FALSE;
    KitRead read = {run->config, run->catalog, run->out};
    gboolean ok = run->connector->streams != NULL
                      ? kit_streams_read(run->connector->streams, &read, error)
                      : run->connector->read(&read, error);
    if (!ok || kit_stopping(run->out))
        kit_output_abandon(run->out, run->catalog);
    kit_output_flush(run->out);
    kit_output_finish_channel(run->out);
    if (ok && kit_output_gone(run->out))
        return sl_error_set(error, SL_ERROR_CANCELLED, "nobody reads the output any more");
    return ok && !kit_signalled();
}

static gboolean
run_write(Run *run, GError **error)
{
    if (!set_signals(error) || !load_config(run, error) || !load_catalog(run, error) ||
        !load_channel(run, error))
        return FALSE;
    grow_pipe(STDIN_FILENO);
    KitWriteOptions options = {
        run->connector->destination, run->config, run->catalog, run->out, run->channel, stop_fd};
    gboolean stopped;
    return kit_write_run(&options, &stopped, error) && !stopped;
}

typedef struct {
    const char *name;
    guint required, optional; /* bits of Option */
    RunFunc run;
    const char *usage;
} Verb;

#define BIT(option) (1U << (option))
static const Verb verbs[] = {
    {"spec", 0, 0, run_spec, ""},
    {"check", BIT(OPTION_CONFIG), 0, run_check, " --config FILE"},
    {"discover", BIT(OPTION_CONFIG), 0, run_discover, " --config FILE"},
    {"read", BIT(OPTION_CONFIG) | BIT(OPTION_CATALOG), BIT(OPTION_STATE), run_read,
     " --config FILE --catalog FILE [--state FILE]"},
    {"write", BIT(OPTION_CONFIG) | BIT(OPTION_CATALOG), 0, run_write,
     " --config FILE --catalog FILE"},
};

static gboolean
has_verb(const KitConnector *connector, const Verb *verb)
{
    if (verb->run == run_discover)
        return connector->discover != NULL || connector->streams != NULL;
    if (verb->run == run_read)
        return connector->read != NULL || connector->streams != NULL;
    return verb->run != run_write || connector->destination != NULL;
}

static char *
usage(const KitConnector *connector)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (has_verb(connector, &verbs[i]))
            g_string_append_printf(text, "%s%s %s%s\n", text->len == 0 ? "Usage: " : "       ",
                                   connector->name, verbs[i].name, verbs[i].usage);
    return g_string_free(text, FALSE);
}

static const Verb *
find_verb(const KitConnector *connector, const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (g_str_equal(verbs[i].name, name) && has_verb(connector, &verbs[i]))
            return &verbs[i];
    return NULL;
}

/* "--config FILE" or "--config=FILE". */
static gboolean
parse_options(Run *run, const Verb *verb, int argc, char **argv, GError **error)
{
    guint seen = 0;
    for (int i = 2; i < argc; i++) {
        guint option = 0;
        gsize len = strcspn(argv[i], "=");
        while (option < N_OPTIONS && (strlen(option_names[option]) != len ||
                                      strncmp(option_names[option], argv[i], len) != 0))
            option++;
        if (option == N_OPTIONS || ((verb->required | verb->optional) & BIT(option)) == 0)
            return sl_error_set(error, SL_ERROR_INVALID, "unknown argument '%s' of %s", argv[i],
                                verb->name);
        run->files[option] = argv[i][len] == '=' ? argv[i] + len + 1 : argv[++i];
        if (run->files[option] == NULL)
            return sl_error_set(error, SL_ERROR_INVALID, "%s needs a file", option_names[option]);
        seen |= BIT(option);
    }
    for (guint option = 0; option < N_OPTIONS; option++)
        if ((verb->required & ~seen & BIT(option)) != 0)
            return sl_error_set(error, SL_ERROR_INVALID, "%s needs %s", verb->name,
                                option_names[option]);
    return TRUE;
}

static const Verb *
parse_arguments(Run *run, int argc, char **argv, GError **error)
{
    if (argc < 2) {
        sl_error_set(error, SL_ERROR_INVALID, "no command");
        return NULL;
    }
    const Verb *verb = find_verb(run->connector, argv[1]);
    if (verb == NULL) {
        sl_error_set(error, SL_ERROR_INVALID, "unknown command '%s'", argv[1]);
        return NULL;
    }
    return parse_options(run, verb, argc, argv, error) ? verb : NULL;
}

static int
run_verb(Run *run, const Verb *verb)
{
    g_autoptr(GError) error = NULL;
    run->out = kit_output_new(STDOUT_FILENO);
    int code = EXIT_SUCCESS;
    signal(SIGPIPE, SIG_IGN);
    if (!verb->run(run, &error)) {
        code = error == NULL ? EXIT_STOPPED : EXIT_FAILURE;
        if (error != NULL)
            kit_output_error(run->out, error, NULL);
    }
    kit_output_flush(run->out);
    if (kit_output_gone(run->out) && code == EXIT_SUCCESS)
        code = EXIT_FAILURE;
    if (kit_output_gone(run->out) && error != NULL)
        g_printerr("%s: %s\n", run->connector->name, error->message);
    kit_output_free(run->out);
    kit_config_free(run->config);
    kit_catalog_free(run->catalog);
    kit_channel_free(run->channel);
    return code;
}

int
kit_main(const KitConnector *connector, int argc, char **argv)
{
    Run run = {.connector = connector};
    sl_log_init(connector->name);
    for (int i = 1; i < argc; i++) {
        if (g_str_equal(argv[i], "--help") || g_str_equal(argv[i], "-h")) {
            g_autofree char *text = usage(connector);
            g_print("%s", text);
            return EXIT_SUCCESS;
        }
    }
    g_autoptr(GError) error = NULL;
    const Verb *verb = parse_arguments(&run, argc, argv, &error);
    if (verb == NULL) {
        g_autofree char *text = usage(connector);
        g_printerr("%s: %s\n%s", connector->name, error->message, text);
        return EXIT_USAGE;
    }
    return run_verb(&run, verb);
}
