/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "container.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "container-fake.h"
#include "container-host.h"
#include "container-image.h"
#include "sl-error.h"
#include "sl-fd.h"
#include "sl-init-peer.h"

/* A container's whole life between a fake engine (container-fake), the real sluice-init and the
 * orchestrator's side of the control socket. The path of sluice-init is argv[1]. */

#define PATIENCE_MS 20000
#define NAME "sluice-source-test"
#define PIN "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *init_path;
static GMutex said_lock;
static GString *said; /* warnings */

static GLogWriterOutput
on_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
    g_autofree char *text = g_log_writer_format_fields(level, fields, n_fields, FALSE);
    if ((level & G_LOG_LEVEL_MASK) > G_LOG_LEVEL_WARNING)
        return G_LOG_WRITER_HANDLED;
    g_mutex_lock(&said_lock);
    g_string_append(said, text);
    g_mutex_unlock(&said_lock);
    return G_LOG_WRITER_HANDLED;
}

typedef struct {
    char *folder, *control, *runtime, *own; /* own: the folder of our unit */
    Fake *fake;
    ContainerStop *stop;
    SlInitPeer *peer;
    int in, out, err;
    ContainerRequest request;
    GThread *thread;
    gboolean done, ok;
    gboolean quiet; /* no warning is in order */
    int status;
    GError *failure; /* of container_run */
    GString *events; /* one word each; a dot at the last */
    GString *notes;
    GError *error; /* of the last event */
} Fixture;

static void
on_event(SlInitPeer *peer, const SlInitPeerEvent *event, gpointer data)
{
    Fixture *f = data;
    switch (event->type) {
    case SL_INIT_PEER_NOTED:
        g_string_append_printf(f->notes, "%s\n", event->text);
        break;
    case SL_INIT_PEER_STARTED:
        g_string_append(f->events, "started ");
        break;
    case SL_INIT_PEER_EXITED:
        g_string_append_printf(f->events, "exited=%d,%d.", event->exit_code, event->signum);
        break;
    case SL_INIT_PEER_FAILED:
    case SL_INIT_PEER_LOST:
        g_string_append(f->events, event->type == SL_INIT_PEER_FAILED ? "failed." : "lost.");
        f->error = g_error_copy(event->error);
        break;
    }
}

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_string_truncate(said, 0);
    f->folder = g_dir_make_tmp("sluice-container-XXXXXX", NULL);
    f->control = g_build_filename(f->folder, "w", "source", "ctl", NULL);
    f->runtime = g_build_filename(f->folder, "run", NULL);
    f->own = g_build_filename(f->runtime, NAME, NULL);
    g_assert_cmpint(g_mkdir_with_parents(f->own, 0755), ==, 0);
    f->events = g_string_new(NULL);
    f->notes = g_string_new(NULL);
    f->fake = fake_new(f->folder);
    f->stop = container_stop_new();
    f->peer = sl_init_peer_new(f->control, &error);
    g_assert_no_error(error);
    g_assert_true(sl_init_peer_make_pipes(f->peer, &f->in, &f->out, &f->err, &error));
    f->request = (ContainerRequest){.name = NAME,
                                    .engine = fake_get_path(f->fake),
                                    .runtime = f->runtime,
                                    .control = f->control,
                                    .image = "reg/x:1",
                                    .init = init_path,
                                    .sockets = f->folder,
                                    .slice = "sluice-workloads-1.slice",
                                    .network = "bridge",
                                    .workload = "7_0_sync",
                                    .role = "source",
                                    .memory = 1 << 20,
                                    .tasks = 9,
                                    .cpu_percent = 50};
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_assert_null(f->thread);
    if (f->quiet)
        g_assert_cmpstr(said->str, ==, "");
    sl_init_peer_free(f->peer);
    container_stop_free(f->stop);
    fake_free(f->fake);
    sl_fd_clear(&f->in);
    sl_fd_clear(&f->out);
    sl_fd_clear(&f->err);
    const char *argv[] = {"rm", "-rf", f->folder, NULL};
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    g_clear_error(&f->failure);
    g_clear_error(&f->error);
    g_string_free(f->events, TRUE);
    g_string_free(f->notes, TRUE);
    g_free(f->folder);
    g_free(f->control);
    g_free(f->runtime);
    g_free(f->own);
}

/* --- helpers -----------------------------------------------------------------------------------
 */

static void
assert_has(const char *text, const char *part)
{
    g_test_message("looking for '%s' in '%s'", part, text);
    g_assert_nonnull(strstr(text, part));
}

static void
assert_asked(Fixture *f, const char *part)
{
    g_autofree char *requests = fake_dup_requests(f->fake);
    assert_has(requests, part);
}

static void
assert_not_asked(Fixture *f, const char *part)
{
    g_autofree char *requests = fake_dup_requests(f->fake);
    g_assert_null(strstr(requests, part));
}

static gboolean
on_done(gpointer data)
{
    Fixture *f = data;
    f->done = TRUE;
    return G_SOURCE_REMOVE;
}

static gpointer
run_thread(gpointer data)
{
    Fixture *f = data;
    f->ok = container_run(&f->request, f->stop, &f->status, &f->failure);
    g_idle_add(on_done, f);
    return NULL;
}

static void
begin(Fixture *f)
{
    sl_init_peer_start(f->peer, NULL, g_get_monotonic_time() + PATIENCE_MS * 1000, on_event, f);
    f->thread = g_thread_new("run", run_thread, f);
}

static gboolean
on_time(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_CONTINUE;
}

/* Until `text` is among the events; NULL: until container_run() has returned. */
static void
wait_for(Fixture *f, const char *text)
{
    gboolean late = FALSE;
    guint timer = g_timeout_add(PATIENCE_MS, on_time, &late);
    while (!late && (text != NULL ? strstr(f->events->str, text) == NULL : !f->done))
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(timer);
    g_assert_false(late);
}

static void
finish(Fixture *f)
{
    wait_for(f, NULL);
    g_thread_join(g_steal_pointer(&f->thread));
}

static void
set_script(Fixture *f, const char *script)
{
    g_autofree char *quoted = g_strescape(script, NULL);
    g_autofree char *config = g_strdup_printf(
        "{\"Entrypoint\":[\"/bin/sh\",\"-c\",\"%s\"],\"Env\":[\"ODD=of the image\"]}", quoted);
    fake_set_config(f->fake, config);
}

static void
wait_ready(Fixture *f)
{
    char byte;
    wait_for(f, "started");
    g_assert_cmpint(read(f->out, &byte, 1), ==, 1);
}

static gboolean
is_gone(Fixture *f)
{
    g_autofree char *note = g_build_filename(f->own, "process", NULL);
    return !g_file_test(note, G_FILE_TEST_EXISTS);
}

/* --- a life ------------------------------------------------------------------------------------
 */

static void
test_life(Fixture *f, gconstpointer data)
{
    f->quiet = TRUE;
    set_script(f, "read -r x; echo \"$x $ODD $0 $1\"; cat \"$2\"; exit 7");
    g_assert_true(sl_init_peer_add_arg(f->peer, "zero", NULL));
    g_assert_true(sl_init_peer_add_arg(f->peer, "one two", NULL));
    begin(f);
    g_assert_true(sl_fd_write_all(f->in, "hello\n", 6, NULL));
    sl_fd_clear(&f->in);
    wait_for(f, ".");
    g_assert_cmpstr(f->events->str, ==, "started exited=7,0.");
    finish(f);
    g_assert_true(f->ok);
    g_assert_cmpint(f->status, ==, 7);
    g_autofree char *out = sl_fd_read_all(f->out, 4096, NULL, NULL);
    g_assert_cmpstr(out, ==, "hello of the image zero one two\n");
    assert_has(f->notes->str, "starting image 'reg/x:1' (reg/x@sha256:aa11) by Docker\n");
    g_assert_null(strstr(f->notes->str, "pull"));
    g_assert_true(is_gone(f));

    static const char *const asked[] = {
        "GET /v1.41/images/reg/x:1/json",
        "POST /v1.41/containers/create?name=" NAME " {\"Image\":\"reg/x:1\"",
        "\"Entrypoint\":[\"/.sluice/init\",\"--socket\",\"/.sluice/run/ctl\",\"--env\",\"ODD=of "
        "the "
        "image\",\"--\"]",
        "\"NetworkMode\":\"bridge\",\"CgroupParent\":\"sluice-workloads-1.slice\"",
        "\"io.sluice.unit\":\"" NAME "\"",
        "\"io.sluice.workload\":\"7_0_sync\",\"io.sluice.role\":\"source\"",
        "\"PidsLimit\":9,\"Memory\":1048576,\"MemorySwap\":1048576,\"NanoCpus\":500000000",
        "\"Target\":\"/.sluice/init\",\"ReadOnly\":true",
        "\"Target\":\"/.sluice/run\",\"ReadOnly\":true",
        "\"Target\":\"/run/sluice-init\",\"ReadOnly\":false",
        "POST /v1.41/containers/c1/start",
        "DELETE /v1.41/containers/" NAME "?force=1&v=1",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(asked); i++)
        assert_asked(f, asked[i]);
    assert_not_asked(f, "/images/create");
    assert_not_asked(f, "attach");
}

/* More than any buffer holds, on its way to a file. */
static void
test_files(Fixture *f, gconstpointer data)
{
    gsize size = 3 << 20;
    g_autoptr(GBytes) content = g_bytes_new_take(g_strnfill(size, 'q'), size);
    g_autofree char *script =
        g_strdup_printf("tr -d q <%s/config.json | wc -c; exec wc -c <%s/config.json",
                        fake_get_files(f->fake), fake_get_files(f->fake));
    static const char *const words[] = {"/bin/sh", "-c", NULL};
    f->quiet = TRUE;
    f->request.command = words;
    g_assert_true(sl_init_peer_add_arg(f->peer, script, NULL));
    g_assert_true(sl_init_peer_add_file(f->peer, "config.json", content, NULL));
    begin(f);
    finish(f);
    g_autofree char *out = sl_fd_read_all(f->out, 4096, NULL, NULL);
    g_autofree char *wanted = g_strdup_printf("0\n%zu\n", size);
    g_assert_cmpstr(out, ==, wanted);
    g_assert_cmpint(f->status, ==, 0);
}

typedef struct {
    const char *name, *script, *events;
    int status;
} Ending;

static const Ending endings[] = {
    {"zero", "exit 0", "started exited=0,0.", 0},
    {"killed", "kill -KILL $$", "started exited=-1,9.", 137},
    {"crashed", "kill -SEGV $$", "started exited=-1,11.", 139},
};

static void
test_ending(Fixture *f, gconstpointer data)
{
    const Ending *ending = data;
    f->quiet = TRUE;
    set_script(f, ending->script);
    begin(f);
    wait_for(f, ".");
    finish(f);
    g_assert_cmpstr(f->events->str, ==, ending->events);
    g_assert_cmpint(f->status, ==, ending->status);
}

static void
test_out_of_memory(Fixture *f, gconstpointer data)
{
    set_script(f, "echo r; read -r x; exit 1");
    begin(f);
    wait_ready(f);
    fake_answer(
        f->fake, "GET /v1.41/containers/c1/json", 1, 200,
        "{\"Id\":\"c1\",\"State\":{\"Status\":\"exited\",\"Running\":false,\"OOMKilled\":true,"
        "\"ExitCode\":1}}");
    sl_fd_clear(&f->in);
    finish(f);
    assert_has(said->str, "it needed more memory than it may");
    g_assert_cmpint(f->status, ==, 137);
}

/* --- nothing comes of it -----------------------------------------------------------------------
 */

typedef struct {
    const char *name, *part;
    guint status;
    const char *body, *image;
    const char *text[3];
    gboolean removed;
} Refusal;

static const Refusal refusals[] = {
    {"no-version", "GET /version", 500, "{}", NULL, {"does not answer", "engine.sock"}, FALSE},
    {"old-engine",
     "GET /version",
     200,
     "{\"ApiVersion\":\"1.24\",\"MinAPIVersion\":\"1.12\"}",
     NULL,
     {"1.40 is needed"},
     FALSE},
    {"unknown-image",
     "/images/create",
     404,
     "{\"message\":\"manifest unknown\"}",
     NULL,
     {"image 'reg/x:1': there is none of this name", "manifest unknown"},
     TRUE},
    {"denied",
     "/images/create",
     500,
     "{\"message\":\"unauthorized: authentication required\"}",
     NULL,
     {"image 'reg/x:1': its registry refuses it", "sluice-container(8)"},
     TRUE},
    {"denied-in-stream",
     "/images/create",
     200,
     "{\"status\":\"Pulling\"}\n{\"error\":\"denied: no access\"}\n",
     NULL,
     {"its registry refuses it", "denied: no access"},
     TRUE},
    {"disk-full",
     "/images/create",
     200,
     "{\"error\":\"write /var/lib/x: no space left on device\"}\n",
     NULL,
     {"the disk on which the engine keeps images is full"},
     TRUE},
    {"no-registry",
     "/images/create",
     500,
     "{\"message\":\"dial tcp 10.0.0.1:443: connect: connection refused\"}",
     NULL,
     {"cannot be reached", "10.0.0.1:443"},
     TRUE},
    {"engine-ends", "/images/create", 0, "", NULL, {"cannot be reached"}, TRUE},
    {"other-digest", "nothing", 0, "", "reg/x" PIN, {"another image", "0123456789"}, TRUE},
    {"bad-name", "nothing", 0, "", "a b", {"'a b' is no image"}, TRUE},
    {"create",
     "/containers/create",
     400,
     "{\"message\":\"bad parent\"}",
     NULL,
     {"creating container '" NAME "' of image 'reg/x:1': bad parent"},
     TRUE},
    {"start",
     "/start",
     500,
     "{\"message\":\"runc: exec format error\"}",
     NULL,
     {"starting container 'c1'", "exec format error"},
     TRUE},
    {"ended-at-once",
     "GET /v1.41/containers/" NAME "/json",
     200,
     "{\"Id\":\"c1\",\"State\":{\"Status\":\"exited\",\"Running\":false,\"ExitCode\":139,\"Error\":"
     "\"odd\"}}",
     NULL,
     {"ended at once, with exit code 139: odd"},
     TRUE},
};

static void
test_refusal(Fixture *f, gconstpointer data)
{
    const Refusal *refusal = data;
    set_script(f, "exit 0");
    if (strcmp(refusal->part, "/images/create") == 0)
        fake_answer(f->fake, "GET /v1.41/images/", 10, 404, "{\"message\":\"No such image\"}");
    fake_answer(f->fake, refusal->part, 10, refusal->status, refusal->body);
    if (refusal->image != NULL)
        f->request.image = refusal->image;
    begin(f);
    wait_for(f, ".");
    finish(f);
    g_assert_false(f->ok);
    g_assert_cmpint(f->status, ==, 125);
    /* "lost" where nothing was said before: then it is the launcher's unit that tells. */
    for (gsize i = 0; i < G_N_ELEMENTS(refusal->text) && refusal->text[i] != NULL; i++) {
        assert_has(f->failure->message, refusal->text[i]);
        if (strcmp(f->events->str, "failed.") == 0)
            assert_has(f->error->message, refusal->text[i]);
    }
    g_assert_cmpstr(f->events->str, ==, "failed.");
    g_assert_cmpint(is_gone(f), ==, refusal->removed);
}

static void
test_no_engine(Fixture *f, gconstpointer data)
{
    f->request.engine = "/nonexistent/engine.sock";
    begin(f);
    wait_for(f, ".");
    finish(f);
    assert_has(f->error->message, "[Engine] Socket=");
    assert_has(f->error->message, "/nonexistent/engine.sock");
}

static void
test_no_orchestrator(Fixture *f, gconstpointer data)
{
    g_clear_pointer(&f->peer, sl_init_peer_free);
    f->thread = g_thread_new("run", run_thread, f);
    finish(f);
    g_assert_false(f->ok);
    assert_has(f->failure->message, "connecting to the orchestrator");
    assert_not_asked(f, "/");
}

/* --- pulling -----------------------------------------------------------------------------------
 */

static void
test_pull(Fixture *f, gconstpointer data)
{
    gboolean private = data != NULL;
    set_script(f, "exit 0");
    fake_answer(f->fake, "GET /v1.41/images/", 2, 404, "{\"message\":\"No such image\"}");
    f->request.image = "reg.example:5000/a/x:1";
    if (private) {
        g_autofree char *path = g_build_filename(f->folder, "sluice-registry-auth", NULL);
        g_assert_true(g_file_set_contents(
            path, "{\"auths\":{\"https://reg.example:5000/v2/\":{\"auth\":\"bWU6c2VzYW1l\"}}}", -1,
            NULL));
        g_setenv("CREDENTIALS_DIRECTORY", f->folder, TRUE);
    }
    begin(f);
    wait_for(f, ".");
    finish(f);
    g_unsetenv("CREDENTIALS_DIRECTORY");
    g_assert_cmpint(f->status, ==, 0);
    assert_has(f->notes->str, "pulling image 'reg.example:5000/a/x:1' by Docker");
    assert_has(f->notes->str, "image 'reg.example:5000/a/x:1' was pulled in ");
    assert_asked(f, "POST /v1.41/images/create?fromImage=reg.example%3A5000%2Fa%2Fx%3A1 ");
    if (!private) {
        assert_not_asked(f, "X-Registry-Auth");
        return;
    }
    assert_has(f->notes->str, "with credentials\n");
    g_assert_null(strstr(f->notes->str, "sesame"));
    g_autofree char *requests = fake_dup_requests(f->fake);
    const char *header = strstr(requests, "X-Registry-Auth: ");
    g_autofree char *coded = g_strndup(header + 17, strcspn(header + 17, "\n"));
    gsize len = 0;
    g_autofree guchar *plain =
        g_base64_decode(g_strdelimit(g_strdelimit(coded, "-", '+'), "_", '/'), &len);
    g_autofree char *text = g_strndup((const char *)plain, len);
    g_assert_cmpstr(text, ==,
                    "{\"username\":\"me\",\"password\":\"sesame\",\"serveraddress\":"
                    "\"https://reg.example:5000/v2/\"}");
}

/* --- an orchestrator ---------------------------------------------------------------------------
 */

/* A process that asks for its token, as an orchestrator does, and then `rest`. */
static void
set_orchestrator(Fixture *f, const char *rest)
{
    static const char *command[4] = {"/usr/bin/python3", "-c"};
    g_autofree char *program =
        g_strconcat("import os, signal, socket, sys, time\n"
                    "assert sys.argv[1] == '--token-socket'\n"
                    "signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])\n"
                    "s = socket.socket(socket.AF_UNIX)\n"
                    "s.connect(sys.argv[2])\n"
                    "token = s.makefile().read()\n",
                    rest, NULL);
    command[2] = g_intern_string(program);
    f->request.command = command;
    f->request.user = "998:997";
    f->request.role = "orchestrator";
    g_clear_pointer(&f->peer, sl_init_peer_free);
}

static gpointer
run_orchestrator_thread(gpointer data)
{
    Fixture *f = data;
    sl_autofd int read_end = -1, write_end = -1;
    g_assert_true(sl_fd_pipe(&read_end, &write_end, 0, NULL));
    g_assert_true(sl_fd_write_all(write_end, "sesame", 6, NULL));
    sl_fd_clear(&write_end);
    f->ok = container_run_orchestrator(&f->request, read_end, f->stop, &f->status, &f->failure);
    g_idle_add(on_done, f);
    return NULL;
}

static void
test_orchestrator(Fixture *f, gconstpointer data)
{
    gboolean is_new = data != NULL;
    static const char *const asked[] = {
        "\"Image\":\"sluice/host:1\"",
        "\"Cmd\":[\"--token-socket\",\"/.sluice/run/ctl\"]",
        "\"User\":\"998:997\"",
        "\"NetworkMode\":\"none\",\"CgroupParent\":\"sluice-workloads-1.slice\"",
        "\"SecurityOpt\":[\"no-new-privileges\",\"apparmor=unconfined\",\"label=disable\"],"
        "\"PidMode\":\"host\"",
        "\"Target\":\"/usr\",\"ReadOnly\":true",
        "\"io.sluice.role\":\"orchestrator\"",
        "DELETE /v1.41/containers/" NAME "?force=1&v=1",
    };
    f->quiet = TRUE;
    set_orchestrator(f, "sys.exit(7 if token == 'ses' + 'ame' else 1)");
    if (is_new)
        fake_answer(f->fake, "GET /v1.41/images/", 1, 404, "{\"message\":\"No such image\"}");
    f->thread = g_thread_new("run", run_orchestrator_thread, f);
    finish(f);
    g_assert_no_error(f->failure);
    g_assert_cmpint(f->status, ==, 7);
    g_assert_true(is_gone(f));
    for (gsize i = 0; i < G_N_ELEMENTS(asked); i++)
        assert_asked(f, asked[i]);
    assert_not_asked(f, "sesame");
    if (is_new)
        assert_asked(f, "POST /v1.41/images/load?quiet=1 ");
    else
        assert_not_asked(f, "/images/load");
}

/* A stop is a SIGTERM, and what it ends with then is its own matter. */
static void
test_orchestrator_stopped(Fixture *f, gconstpointer data)
{
    g_autofree char *ready = g_build_filename(f->folder, "ready", NULL);
    g_autofree char *rest =
        g_strdup_printf("signal.signal(signal.SIGTERM, lambda *a: sys.exit(3))\n"
                        "open('%s', 'w').close()\n"
                        "while True: time.sleep(0.05)\n",
                        ready);
    f->quiet = TRUE;
    set_orchestrator(f, rest);
    f->thread = g_thread_new("run", run_orchestrator_thread, f);
    for (guint i = 0; i < PATIENCE_MS / 10 && !g_file_test(ready, G_FILE_TEST_EXISTS); i++)
        g_usleep(10000);
    g_cancellable_cancel(container_stop_get(f->stop));
    finish(f);
    g_assert_true(f->ok);
    g_assert_cmpint(f->status, ==, 3);
    g_assert_true(is_gone(f));
}

static void
test_orchestrator_refused(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *part, *body, *text;
        guint status;
    } rows[] = {
        {"/images/load", "{\"stream\":\"x\"}\n{\"error\":\"no space left\"}\n", "no space left",
         200},
        {"/images/load", "{\"message\":\"read-only\"}", "loading an image: read-only", 500},
        {"/containers/create", "{\"message\":\"bad mount\"}", "bad mount", 400},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        set_orchestrator(f, "sys.exit(0)");
        f->done = FALSE;
        g_clear_error(&f->failure);
        fake_answer(f->fake, "GET /v1.41/images/", i < 2 ? 1 : 0, 404, "{\"message\":\"none\"}");
        fake_answer(f->fake, rows[i].part, 1, rows[i].status, rows[i].body);
        f->thread = g_thread_new("run", run_orchestrator_thread, f);
        finish(f);
        g_assert_false(f->ok);
        g_assert_cmpint(f->status, ==, 125);
        assert_has(f->failure->message, rows[i].text);
    }
}

/* One that ends without asking for its token, and a keeper that was given no command. */
static void
test_orchestrator_broken(Fixture *f, gconstpointer data)
{
    static const char *const ends[] = {"/bin/false", NULL}, *const none[] = {NULL};
    f->request.user = "998:997";
    f->request.command = data != NULL ? ends : none;
    f->thread = g_thread_new("run", run_orchestrator_thread, f);
    finish(f);
    g_assert_false(f->ok);
    g_assert_cmpint(f->status, ==, 125);
    assert_has(f->failure->message, data != NULL ? "ended" : "command is missing");
}

/* The members of a tar, "PATH[ -> TARGET]\n" each; *ret_layer: what "layer.tar" holds. */
static char *
list_tar(GBytes *tar, GBytes **ret_layer, char **ret_config)
{
    struct archive *in = archive_read_new();
    struct archive_entry *entry;
    GString *list = g_string_new(NULL);
    archive_read_support_format_tar(in);
    gsize size;
    const void *data = g_bytes_get_data(tar, &size);
    g_assert_cmpint(archive_read_open_memory(in, data, size), ==, ARCHIVE_OK);
    while (archive_read_next_header(in, &entry) == ARCHIVE_OK) {
        const char *path = archive_entry_pathname(entry), *target = archive_entry_symlink(entry);
        gsize len = (gsize)archive_entry_size(entry);
        g_autofree char *content = g_malloc0(len + 1);
        g_string_append_printf(list, "%s%s%s\n", path, target != NULL ? " -> " : "",
                               target != NULL ? target : "");
        g_assert_cmpint(archive_read_data(in, content, len), ==, (gssize)len);
        if (ret_layer != NULL && strcmp(path, "layer.tar") == 0)
            *ret_layer = g_bytes_new(content, len);
        if (ret_config != NULL && strcmp(path, "config.json") == 0)
            *ret_config = g_steal_pointer(&content);
    }
    archive_read_free(in);
    return g_string_free(list, FALSE);
}

static void
test_host_image(void)
{
    g_autoptr(GBytes) one = container_host_archive(NULL), two = container_host_archive(NULL);
    g_autoptr(GBytes) layer = NULL;
    g_autofree char *config = NULL;
    g_autofree char *members = list_tar(one, &layer, &config);
    g_autofree char *inside = list_tar(layer, NULL, NULL);
    g_autofree char *sum = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, layer);
    g_assert_true(g_bytes_equal(one, two));
    g_assert_cmpstr(members, ==, "manifest.json\nconfig.json\nlayer.tar\n");
    assert_has(config, sum);
    assert_has(inside, "usr/\n");
    assert_has(inside, "lib -> usr/lib\n");
    assert_has(inside, "var/run -> ../run\n");
}

/* --- somebody wants it to end ------------------------------------------------------------------
 */

static void
test_stopped(Fixture *f, gconstpointer data)
{
    f->quiet = TRUE;
    set_script(f, "trap 'exit 3' TERM; echo r; while :; do sleep 0.05; done");
    begin(f);
    wait_ready(f);
    g_cancellable_cancel(container_stop_get(f->stop));
    wait_for(f, ".");
    finish(f);
    g_assert_cmpstr(f->events->str, ==, "started exited=3,0.");
    g_assert_cmpint(f->status, ==, 3);
    g_assert_true(is_gone(f));
}

static void
test_orchestrator_gone(Fixture *f, gconstpointer data)
{
    set_script(f, "echo r; exec sleep 1000");
    begin(f);
    wait_ready(f);
    g_clear_pointer(&f->peer, sl_init_peer_free);
    finish(f);
    g_assert_cmpint(f->status, ==, 143);
    g_assert_true(is_gone(f));
}

/* While the engine is busy. */
static void
test_stopped_early(Fixture *f, gconstpointer data)
{
    g_cancellable_cancel(container_stop_get(f->stop));
    begin(f);
    wait_for(f, ".");
    finish(f);
    g_assert_false(f->ok);
    assert_not_asked(f, "/start");
}

/* The engine is not needed while it runs, nor to end it; only the status is lost. */
static void
test_engine_dies(Fixture *f, gconstpointer data)
{
    set_script(f, "echo r; read -r x; echo \"$x\"; exit 4");
    begin(f);
    wait_ready(f);
    fake_answer(f->fake, "/", 1000, 0, "");
    g_assert_true(sl_fd_write_all(f->in, "on\n", 3, NULL));
    wait_for(f, ".");
    g_assert_cmpstr(f->events->str, ==, "started exited=4,0.");
    /* It is a zombie of ours, which no engine is: reaped, so that its end shows. */
    finish(f);
    assert_has(said->str, "how the container ended is not known");
    assert_has(said->str, "removing container '" NAME "'");
    g_assert_cmpint(f->status, ==, 125);
    g_assert_false(is_gone(f)); /* for --remove */
}

/* --- what is left ------------------------------------------------------------------------------
 */

static void
test_conflict(Fixture *f, gconstpointer data)
{
    set_script(f, "exit 0");
    fake_answer(f->fake, "/containers/create", 1, 409, "{\"message\":\"name is in use\"}");
    begin(f);
    finish(f);
    g_assert_true(f->ok);
    g_autofree char *requests = fake_dup_requests(f->fake);
    const char *first = strstr(requests, "/containers/create");
    const char *removed = strstr(first, "DELETE /v1.41/containers/" NAME);
    g_assert_nonnull(strstr(removed, "/containers/create"));
}

static void
test_sweep(Fixture *f, gconstpointer data)
{
    g_autofree char *kept = g_build_filename(f->runtime, "sluice-source-kept", NULL);
    g_assert_cmpint(g_mkdir(kept, 0755), ==, 0);
    set_script(f, "exit 0");
    fake_add_other(f->fake, "a1", "sluice-source-left");
    fake_add_other(f->fake, "b2", "sluice-source-kept");
    begin(f);
    finish(f);
    assert_asked(f, "filters=%7B%22label%22%3A%5B%22io.sluice.host%3D");
    assert_asked(f, "DELETE /v1.41/containers/a1?");
    assert_not_asked(f, "DELETE /v1.41/containers/b2");
}

/* After a keeper that was killed: with and without the engine, and only the very process. */
static void
test_remove(Fixture *f, gconstpointer data)
{
    const char *kind = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *note = g_build_filename(f->own, "process", NULL);
    const char *argv[] = {"sleep", "1000", NULL};
    GPid pid = 0;
    int status = 0;
    g_spawn_async(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                  NULL, &pid, &error);
    g_assert_no_error(error);
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid), *stat = NULL, *text = NULL;
    g_assert_true(g_file_get_contents(path, &stat, NULL, NULL));
    g_auto(GStrv) fields = g_strsplit(strrchr(stat, ')') + 2, " ", -1);
    gboolean same = strcmp(kind, "other") != 0;
    text = g_strdup_printf("%d %s\n", pid, same ? fields[19] : "1");
    g_assert_true(g_file_set_contents(note, text, -1, NULL));
    if (strcmp(kind, "no-engine") == 0)
        f->request.engine = "/nonexistent/engine.sock";
    gboolean ok = container_remove(&f->request, &error);
    if (strcmp(kind, "no-engine") == 0) {
        g_assert_false(ok);
        g_assert_false(is_gone(f));
    } else {
        g_assert_no_error(error);
        g_assert_true(is_gone(f));
        assert_asked(f, "DELETE /v1.41/containers/" NAME "?force=1&v=1");
    }
    if (!same) {
        g_assert_cmpint(waitpid(pid, &status, WNOHANG), ==, 0);
        kill(pid, SIGKILL);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFSIGNALED(status));
}

static void
test_remove_nothing(Fixture *f, gconstpointer data)
{
    g_assert_true(container_remove(&f->request, NULL));
    assert_not_asked(f, "/");
}

/* --- pure --------------------------------------------------------------------------------------
 */

static void
test_registry(void)
{
    static const struct {
        const char *image, *registry;
    } rows[] = {
        {"x", "docker.io"},
        {"airbyte/source-faker:1", "docker.io"},
        {"localhost/x", "localhost"},
        {"localhost:5000/x", "localhost:5000"},
        {"reg.example/a/b:1" PIN, "reg.example"},
        {"reg:80/a", "reg:80"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *registry = container_image_registry(rows[i].image);
        g_assert_cmpstr(registry, ==, rows[i].registry);
    }
}

static void
test_login(void)
{
    static const struct {
        const char *text, *image, *username, *password, *token, *server, *error;
    } rows[] = {
        {"{\"auths\":{}}", "x", NULL, NULL, NULL, NULL, NULL},
        {"{\"auths\":{\"r.io\":{\"auth\":\"YTpiOmM=\"}}}", "r.io/x", "a", "b:c", NULL, "r.io",
         NULL},
        {"{\"auths\":{\"r.io\":{\"auth\":\"YTpiOmM=\"}}}", "r.io:1/x", NULL, NULL, NULL, NULL,
         NULL},
        {"{\"auths\":{\"r.io\":{\"username\":\"a\",\"password\":\"b\"}}}", "r.io/x", "a", "b", NULL,
         "r.io", NULL},
        {"{\"auths\":{\"r.io\":{\"identitytoken\":\"t\"}}}", "r.io/x", NULL, NULL, "t", "r.io",
         NULL},
        {"{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"YTpi\"}}}", "airbyte/x", "a", "b",
         NULL, "https://index.docker.io/v1/", NULL},
        {"{\"auths\":{\"r.io\":{}}}", "r.io/x", NULL, NULL, NULL, NULL, "auths.r.io: expected"},
        {"{\"auths\":{\"r.io\":{\"auth\":\"YQ==\"}}}", "r.io/x", NULL, NULL, NULL, NULL,
         "auths.r.io"},
        {"{\"auths\":[]}", "r.io/x", NULL, NULL, NULL, NULL, "expected {\"auths\""},
        {"nonsense", "r.io/x", NULL, NULL, NULL, NULL, "expected {\"auths\""},
    };
    g_autofree char *folder = g_dir_make_tmp("sluice-container-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "auth", NULL);
    g_auto(ContainerLogin) none = {0};
    g_assert_true(container_login_load(path, "x", &none, NULL)); /* no file: nobody asks */
    g_assert_null(none.server);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(ContainerLogin) login = {0};
        g_autoptr(GError) error = NULL;
        g_assert_true(g_file_set_contents(path, rows[i].text, -1, NULL));
        gboolean ok = container_login_load(path, rows[i].image, &login, &error);
        g_assert_cmpint(ok, ==, rows[i].error == NULL);
        if (!ok) {
            g_assert_error(error, SL_ERROR, SL_ERROR_CONFIG);
            assert_has(error->message, rows[i].error);
            continue;
        }
        g_assert_cmpstr(login.username, ==, rows[i].username);
        g_assert_cmpstr(login.password, ==, rows[i].password);
        g_assert_cmpstr(login.identity_token, ==, rows[i].token);
        g_assert_cmpstr(login.server, ==, rows[i].server);
    }
    g_unlink(path);
    g_rmdir(folder);
}

static void
test_command(void)
{
    static const struct {
        const char *entrypoint[3], *cmd[3], *env[3], *words;
    } rows[] = {
        {{"python", "/m.py"}, {NULL}, {NULL}, "python|/m.py"},
        {{"python"}, {"/m.py", "-v"}, {NULL}, "python|/m.py|-v"},
        {{NULL}, {"/run"}, {NULL}, "/run"},
        {{NULL}, {NULL}, {"A=1", "AIRBYTE_ENTRYPOINT=python '/a b.py'"}, "python|/a b.py"},
        {{"x"}, {NULL}, {"AIRBYTE_ENTRYPOINT=y"}, "x"},
        {{NULL}, {NULL}, {"AIRBYTE_ENTRYPOINT='"}, NULL},
        {{NULL}, {NULL}, {NULL}, NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        SlEngineImage image = {.entrypoint = (char **)rows[i].entrypoint,
                               .cmd = (char **)rows[i].cmd,
                               .env = (char **)rows[i].env};
        g_autoptr(GError) error = NULL;
        g_auto(GStrv) words = container_image_command(&image, &error);
        g_autofree char *joined = words != NULL ? g_strjoinv("|", words) : NULL;
        g_assert_cmpstr(joined, ==, rows[i].words);
        if (words == NULL)
            g_assert_error(error, SL_ERROR, SL_ERROR_CONNECTOR);
    }
}

static const struct {
    const char *path;
    void (*func)(Fixture *f, gconstpointer data);
    const char *data;
} tests[] = {
    {"life", test_life, NULL},
    {"files", test_files, NULL},
    {"out-of-memory", test_out_of_memory, NULL},
    {"no-engine", test_no_engine, NULL},
    {"no-orchestrator", test_no_orchestrator, NULL},
    {"pull/public", test_pull, NULL},
    {"pull/private", test_pull, ""},
    {"orchestrator/life", test_orchestrator, NULL},
    {"orchestrator/first", test_orchestrator, ""},
    {"orchestrator/stopped", test_orchestrator_stopped, NULL},
    {"orchestrator/refused", test_orchestrator_refused, NULL},
    {"orchestrator/no-command", test_orchestrator_broken, NULL},
    {"orchestrator/ends", test_orchestrator_broken, ""},
    {"stopped", test_stopped, NULL},
    {"stopped-early", test_stopped_early, NULL},
    {"orchestrator-gone", test_orchestrator_gone, NULL},
    {"engine-dies", test_engine_dies, NULL},
    {"conflict", test_conflict, NULL},
    {"sweep", test_sweep, NULL},
    {"remove/killed", test_remove, "killed"},
    {"remove/no-engine", test_remove, "no-engine"},
    {"remove/other-process", test_remove, "other"},
    {"remove/nothing", test_remove_nothing, NULL},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    said = g_string_new(NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    g_log_set_writer_func(on_log, NULL, NULL);
    g_assert_cmpint(argc, ==, 2);
    init_path = g_canonicalize_filename(argv[1], NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/container/", tests[i].path, NULL);
        g_test_add(path, Fixture, tests[i].data, set_up, tests[i].func, tear_down);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *path = g_strconcat("/container/ending/", endings[i].name, NULL);
        g_test_add(path, Fixture, &endings[i], set_up, test_ending, tear_down);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *path = g_strconcat("/container/refusal/", refusals[i].name, NULL);
        g_test_add(path, Fixture, &refusals[i], set_up, test_refusal, tear_down);
    }
    g_test_add_func("/container/host-image", test_host_image);
    g_test_add_func("/container/registry", test_registry);
    g_test_add_func("/container/login", test_login);
    g_test_add_func("/container/command", test_command);
    return g_test_run();
}
