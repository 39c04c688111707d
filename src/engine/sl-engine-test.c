/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-engine.h"

#include <glib/gstdio.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-json-read.h"

#define VERSION                                                                                    \
    "HTTP/1.1 200 OK\r\nContent-Length: 44\r\n\r\n"                                                \
    "{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}"
#define PIN "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MINUTE (g_get_monotonic_time() + 60 * G_USEC_PER_SEC)

/* An engine that plays a script: one answer per request. A connection takes one request. */
typedef struct {
    char *folder, *path;
    int listener;
    const char *const *answers; /* ended by NULL; "" hangs up without a byte, "-" never answers */
    GThread *thread;
    GString *requests;
    SlEngine *engine;
} Fake;

static gboolean
fake_read(Fake *fake, int fd)
{
    g_autoptr(GString) in = g_string_new(NULL);
    gsize need = 0;
    while (need == 0 || in->len < need) {
        char buffer[4096];
        gssize n = read(fd, buffer, sizeof(buffer));
        if (n <= 0)
            return FALSE;
        g_string_append_len(in, buffer, n);
        const char *end = strstr(in->str, "\r\n\r\n");
        if (end == NULL || need != 0)
            continue;
        const char *length = strstr(in->str, "Content-Length: ");
        need = (gsize)(end + 4 - in->str);
        if (length != NULL)
            need += (gsize)g_ascii_strtoull(length + 16, NULL, 10);
    }
    g_string_append_len(fake->requests, in->str, (gssize)in->len);
    return TRUE;
}

static gpointer
fake_run(gpointer data)
{
    Fake *fake = data;
    for (const char *const *answer = fake->answers; *answer != NULL;) {
        sl_autofd int fd = accept(fake->listener, NULL, NULL);
        if (fd < 0)
            break;
        if (!fake_read(fake, fd))
            continue;
        char byte;
        if (strcmp(*answer, "-") == 0)
            g_assert_cmpint(read(fd, &byte, 1), ==, 0); /* until the client gives up */
        else
            for (gsize done = 0, len = strlen(*answer); done < len;) {
                gssize n = send(fd, *answer + done, len - done, MSG_NOSIGNAL);
                if (n <= 0)
                    break;
                done += (gsize)n;
            }
        answer++;
    }
    return NULL;
}

static Fake *
fake_new(const char *const *answers)
{
    Fake *fake = g_new0(Fake, 1);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    fake->folder = g_dir_make_tmp("sl-engine-XXXXXX", NULL);
    fake->path = g_build_filename(fake->folder, "sock", NULL);
    fake->answers = answers;
    fake->requests = g_string_new(NULL);
    g_strlcpy(address.sun_path, fake->path, sizeof(address.sun_path));
    fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(fake->listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fake->listener, 8), ==, 0);
    fake->thread = g_thread_new("engine", fake_run, fake);
    fake->engine = sl_engine_new(fake->path);
    return fake;
}

static void
fake_free(Fake *fake)
{
    sl_engine_free(fake->engine);
    shutdown(fake->listener, SHUT_RDWR);
    g_thread_join(fake->thread);
    close(fake->listener);
    g_unlink(fake->path);
    g_rmdir(fake->folder);
    g_string_free(fake->requests, TRUE);
    g_free(fake->path);
    g_free(fake->folder);
    g_free(fake);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fake, fake_free)

/* An answer with its length; static until the test ends. */
static const char *
answer(const char *status, const char *body)
{
    g_autofree char *text = g_strdup_printf(
        "HTTP/1.1 %s\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s", status, strlen(body), body);
    return g_intern_string(text);
}

/* The same in chunks, one per text; without `ended` the connection ends before the answer does. */
static const char *
chunked(gboolean ended, ...)
{
    g_autoptr(GString) text = g_string_new("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    va_list args;
    va_start(args, ended);
    for (const char *piece; (piece = va_arg(args, const char *)) != NULL;)
        g_string_append_printf(text, "%zx\r\n%s\r\n", strlen(piece), piece);
    va_end(args);
    if (ended)
        g_string_append(text, "0\r\n\r\n");
    return g_intern_string(text->str);
}

static void
assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        g_error("'%s' does not have '%s'", text,
                part); /* check-source: allow blocked, because a test may */
}

/* --- version ------------------------------------------------------------------------------- */

static void
test_version(void)
{
    static const struct {
        const char *body, *name, *version;
        int code;
    } cases[] = {
        {"{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}", "Docker", "1.41", 0},
        {"{\"ApiVersion\":\"1.40\",\"MinAPIVersion\":\"1.12\"}", "Docker", "1.40", 0},
        {"{\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.24\"}", "Docker", "1.41", 0},
        {"{\"ApiVersion\":\"1.60\",\"MinAPIVersion\":\"1.44\"}", "Docker", "1.44", 0},
        {"{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.24\","
         "\"Components\":[{\"Name\":\"Podman Engine\"}]}",
         "Podman", "1.41", 0},
        {"{\"ApiVersion\":\"1.30\",\"MinAPIVersion\":\"1.12\"}", "Docker", NULL,
         SL_ERROR_UNAVAILABLE},
        {"{\"ApiVersion\":\"2.0\",\"MinAPIVersion\":\"1.12\"}", "Docker", NULL, SL_ERROR_PROTOCOL},
        {"{}", "Docker", NULL, SL_ERROR_PROTOCOL},
        {"[]", "Docker", NULL, SL_ERROR_PROTOCOL},
        {"hello", "engine", NULL, SL_ERROR_PROTOCOL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *answers[] = {answer("200 OK", cases[i].body), NULL};
        g_autoptr(Fake) fake = fake_new(answers);
        g_autoptr(GError) error = NULL;
        gboolean ok = sl_engine_connect(fake->engine, &error);
        g_assert_cmpint(ok, ==, cases[i].version != NULL);
        g_assert_cmpstr(sl_engine_get_version(fake->engine), ==, cases[i].version);
        g_assert_cmpstr(sl_engine_get_name(fake->engine), ==, cases[i].name);
        if (!ok)
            g_assert_error(error, SL_ERROR, cases[i].code);
    }
}

/* An engine that went away and came back as another version. */
static void
test_restart(void)
{
    const char *answers[] = {
        VERSION,
        answer("200 OK", "{\"CgroupDriver\":\"systemd\"}"),
        "", /* a GET on a new connection is not sent again */
        answer("200 OK", "{\"ApiVersion\":\"1.40\",\"MinAPIVersion\":\"1.12\"}"),
        answer("200 OK", "{\"CgroupDriver\":\"cgroupfs\"}"),
        NULL,
    };
    g_autoptr(Fake) fake = fake_new(answers);
    g_autoptr(GError) error = NULL;
    g_autofree char *first = sl_engine_dup_cgroup_driver(fake->engine, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(first, ==, "systemd");
    g_assert_null(sl_engine_dup_cgroup_driver(fake->engine, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_UNAVAILABLE);
    assert_has(error->message, "Docker at ");
    g_clear_error(&error);
    g_autofree char *second = sl_engine_dup_cgroup_driver(fake->engine, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(second, ==, "cgroupfs");
    assert_has(fake->requests->str, "GET /v1.40/info ");
}

static void
test_no_engine(void)
{
    g_autoptr(SlEngine) engine = sl_engine_new("/nonexistent/engine.sock");
    g_autoptr(GError) error = NULL;
    g_assert_null(sl_engine_inspect_image(engine, "faker:1", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_UNAVAILABLE);
    assert_has(error->message, "/nonexistent/engine.sock");
    assert_has(error->message, "faker:1");
}

/* --- errors -------------------------------------------------------------------------------- */

static void
test_statuses(void)
{
    const struct {
        const char *answer;
        int code;
        const char *text;
    } cases[] = {
        {answer("404 Not Found", "{\"message\":\"No such container: c\"}"), SL_ERROR_NOT_FOUND,
         "No such container: c (404)"},
        {answer("409 Conflict", "{\"message\":\"in use\"}"), SL_ERROR_CONFLICT, "in use (409)"},
        {answer("400 Bad", "{\"message\":\"bad\"}"), SL_ERROR_INVALID, "bad (400)"},
        {answer("500 Oops", "{\"message\":\"runc: failed\\n\"}"), SL_ERROR_FAILED, "runc: failed"},
        {answer("500 Oops", "<html>"), SL_ERROR_FAILED, "no reason given (500)"},
        {answer("500 Oops", ""), SL_ERROR_FAILED, "no reason given (500)"},
        {answer("503 Busy", "{}"), SL_ERROR_UNAVAILABLE, "(503)"},
        {answer("200 OK", "{\"Id\":"), SL_ERROR_PROTOCOL, "no JSON"},
        {answer("200 OK", "{}"), SL_ERROR_PROTOCOL, "no state"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"Id\":", SL_ERROR_UNAVAILABLE, "ended"},
        {chunked(FALSE, "{\"I", NULL), SL_ERROR_UNAVAILABLE, "ended"},
        {"SSH-2.0-OpenSSH\r\n", SL_ERROR_PROTOCOL, "not HTTP"},
        {"", SL_ERROR_UNAVAILABLE, "ended"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *answers[] = {VERSION, cases[i].answer, NULL};
        g_autoptr(Fake) fake = fake_new(answers);
        g_autoptr(GError) error = NULL;
        g_autoptr(SlEngineState) state = sl_engine_inspect_container(fake->engine, "c", &error);
        g_assert_null(state);
        g_assert_error(error, SL_ERROR, cases[i].code);
        assert_has(error->message, cases[i].text);
        assert_has(error->message, "looking at container 'c'");
        assert_has(error->message, fake->path);
    }
}

static void
test_timeout(void)
{
    const char *answers[] = {VERSION, "-", NULL};
    g_autoptr(Fake) fake = fake_new(answers);
    g_autoptr(GError) error = NULL;
    g_assert_true(sl_engine_connect(fake->engine, NULL));
    sl_engine_set_timeout(fake->engine, 50);
    g_assert_false(sl_engine_start_container(fake->engine, "c", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_TIMED_OUT);
}

/* Nothing of a name or id gets into the path of a request. */
static void
test_bad_names(void)
{
    static const char *const images[] = {"",   "A B", "x/../y", "x?y",       "x@sha256:12",
                                         "/x", "x:",  "x\n",    "http://x/y"};
    static const char *const ids[] = {"", "a/b", "../x", "a?b", "-a", "a b"};
    static const char *const fine[] = {"x",
                                       "x:1",
                                       "localhost:5000/a/b:1.2-x",
                                       "a.b.io/c_d" PIN,
                                       "x:1" PIN,
                                       "airbyte/source-faker:6.2.1"};
    g_autoptr(SlEngine) engine = sl_engine_new("/nonexistent");
    for (gsize i = 0; i < G_N_ELEMENTS(images); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(sl_engine_pull_image(engine, images[i], NULL, 0, NULL, NULL, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(sl_engine_start_container(engine, ids[i], &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(fine); i++)
        g_assert_true(sl_engine_check_reference(fine[i], NULL));
}

/* --- images -------------------------------------------------------------------------------- */

#define IMAGE                                                                                      \
    "{\"Id\":\"sha256:aa\",\"RepoDigests\":[\"reg/x" PIN "\"],\"Config\":{\"Entrypoint\":"         \
    "[\"python\",\"/a/main.py\"],\"Cmd\":null,\"Env\":[\"A=b\"],\"User\":\"airbyte\","             \
    "\"WorkingDir\":\"/airbyte/integration_code\"}}"

static void
add_progress(const SlEngineProgress *progress, gpointer user_data)
{
    g_string_append_printf(user_data, "%s|%s|%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT "\n",
                           progress->id != NULL ? progress->id : "", progress->status,
                           progress->current, progress->total);
}

/* Missing, pulled in pieces that end anywhere, then looked at. */
static void
test_ensure(void)
{
    const char *answers[] = {
        VERSION,
        answer("404 Not Found", "{\"message\":\"No such image\"}"),
        chunked(TRUE, "{\"status\":\"Pull", "ing\"}\n{\"s",
                "tatus\":\"Downloading\",\"id\":\"l1\",\"progressDetail\":{\"current\":5,\"total\":"
                "9}}\n{\"status\":\"Do",
                "ne\"}", NULL),
        answer("200 OK", IMAGE),
        NULL,
    };
    static const SlEngineLogin login = {"me", "pa>ss?~", NULL, "reg"};
    g_autoptr(Fake) fake = fake_new(answers);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) seen = g_string_new(NULL);
    g_autoptr(SlEngineImage) image = sl_engine_ensure_image(fake->engine, "reg/x" PIN, &login,
                                                            MINUTE, add_progress, seen, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(seen->str, ==, "|Pulling|0/0\nl1|Downloading|5/9\n|Done|0/0\n");
    g_assert_cmpstr(image->entrypoint[1], ==, "/a/main.py");
    g_assert_cmpuint(g_strv_length(image->cmd), ==, 0);
    g_assert_cmpstr(image->env[0], ==, "A=b");
    g_assert_cmpstr(image->user, ==, "airbyte");
    g_assert_cmpstr(image->working_dir, ==, "/airbyte/integration_code");
    assert_has(fake->requests->str, "POST /v1.41/images/create?fromImage=reg%2Fx%40sha256%3A0123");

    const char *header = strstr(fake->requests->str, "X-Registry-Auth: ");
    g_assert_nonnull(header);
    g_autofree char *coded = g_strndup(header + 17, strcspn(header + 17, "\r"));
    g_assert_null(strpbrk(coded, "+/"));
    g_strdelimit(coded, "-", '+');
    g_strdelimit(coded, "_", '/');
    gsize len = 0;
    g_autofree guchar *plain = g_base64_decode(coded, &len);
    g_autofree char *text = g_strndup((const char *)plain, len);
    g_assert_cmpstr(text, ==,
                    "{\"username\":\"me\",\"password\":\"pa>ss?~\",\"serveraddress\":\"reg\"}");
}

static void
test_pull_errors(void)
{
    const struct {
        const char *answer;
        int code;
        const char *text;
    } cases[] = {
        {chunked(TRUE, "{\"status\":\"Pull\"}\n", "{\"error\":\"denied: no\"}  \n", NULL),
         SL_ERROR_FORBIDDEN, "denied: no"},
        {chunked(TRUE, "{\"error\":\"disk is full\"}", NULL), SL_ERROR_FAILED, "disk is full"},
        {chunked(TRUE, "{\"error\":\"manifest unknown\"} \n", NULL), SL_ERROR_NOT_FOUND,
         "manifest unknown"},
        {chunked(TRUE, "hello\n", NULL), SL_ERROR_PROTOCOL, "no JSON"},
        {chunked(FALSE, "{\"status\":\"Pull\"}\n", NULL), SL_ERROR_UNAVAILABLE, "ended"},
        {answer("404 Not Found", "{\"message\":\"pull access denied\"}"), SL_ERROR_NOT_FOUND,
         "pull access denied"},
        {answer("500 Oops",
                "{\"message\":\"Get \\\"http://r/v2/\\\": dial tcp: connect: connection "
                "refused\"}"),
         SL_ERROR_UNAVAILABLE, "connection refused (500)"},
        {answer("500 Oops", "{\"message\":\"Head x: no basic auth credentials\"}"),
         SL_ERROR_FORBIDDEN, "no basic auth credentials"},
        {answer("500 Oops", "{\"message\":\"write /var/lib/x: no space left on device\"}"),
         SL_ERROR_FAILED, "no space left"},
        {answer("503 Busy", "{\"message\":\"later\"}"), SL_ERROR_UNAVAILABLE, "later (503)"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *answers[] = {VERSION, cases[i].answer, NULL};
        g_autoptr(Fake) fake = fake_new(answers);
        g_autoptr(GError) error = NULL;
        g_assert_false(
            sl_engine_pull_image(fake->engine, "reg/x", NULL, MINUTE, NULL, NULL, &error));
        g_assert_error(error, SL_ERROR, cases[i].code);
        assert_has(error->message, cases[i].text);
        assert_has(error->message, "pulling image 'reg/x'");
        assert_has(fake->requests->str, "fromImage=reg%2Fx%3Alatest ");
        g_assert_null(strstr(fake->requests->str, "X-Registry-Auth"));
    }
}

static void
test_wrong_digest(void)
{
    const char *answers[] = {
        VERSION, answer("200 OK", "{\"Id\":\"sha256:a\",\"RepoDigests\":[\"x@sha256:12\"]}"), NULL};
    g_autoptr(Fake) fake = fake_new(answers);
    g_autoptr(GError) error = NULL;
    g_assert_null(sl_engine_ensure_image(fake->engine, "x" PIN, NULL, MINUTE, NULL, NULL, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_CONFLICT);
}

/* --- containers ---------------------------------------------------------------------------- */

static void
assert_at(const SlJsonDoc *doc, const char *key, const char *json)
{
    const SlJsonNode *host = sl_json_get(doc, sl_json_root(doc), "HostConfig");
    const SlJsonNode *node = sl_json_get(doc, host, key);
    g_assert_nonnull(node);
    g_autofree char *text = sl_json_dup_span(node);
    g_assert_cmpstr(text, ==, json);
}

static void
test_policy(void)
{
    static const SlEngineMount mounts[] = {{"/run/sluice/w", "/.sluice/ctl", TRUE},
                                           {"/usr/libexec/init", "/.sluice/init", FALSE}};
    static const struct {
        const char *key, *json;
    } rows[] = {
        {"NetworkMode", "\"none\""},
        {"CgroupParent", "\"sluice-w.slice\""},
        {"Privileged", "false"},
        {"ReadonlyRootfs", "true"},
        {"CapDrop", "[\"ALL\"]"},
        {"SecurityOpt", "[\"no-new-privileges\"]"},
        {"LogConfig", "{\"Type\":\"none\"}"},
        {"IpcMode", "\"private\""},
        {"PidsLimit", "512"},
        {"Memory", "1000000"},
        {"MemorySwap", "1000000"},
        {"NanoCpus", "5"},
        {"Ulimits", "[{\"Name\":\"nofile\",\"Soft\":4096,\"Hard\":4096},{\"Name\":\"nproc\","
                    "\"Soft\":16384,\"Hard\":16384}]"},
    };
    const SlEngineContainer container = {.image = "x:1",
                                         .mounts = mounts,
                                         .n_mounts = 2,
                                         .cgroup_parent = "sluice-w.slice",
                                         .memory_bytes = 1000000,
                                         .nano_cpus = 5};
    g_autoptr(GError) error = NULL;
    g_autofree char *body = sl_engine_print_container(&container, &error);
    g_assert_no_error(error);
    g_autoptr(SlJsonDoc) doc = sl_json_read(body, strlen(body), NULL, &error);
    g_assert_no_error(error);
    g_assert_null(sl_json_find_repeated(doc));
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_at(doc, rows[i].key, rows[i].json);
    g_assert_null(strstr(body, "PidMode"));
    assert_has(body, "{\"Type\":\"bind\",\"Source\":\"/usr/libexec/init\",\"Target\":"
                     "\"/.sluice/init\",\"ReadOnly\":true}");
    g_assert_null(sl_json_get(doc, sl_json_root(doc), "User"));
    assert_has(body, "\"/run/sluice-files\":\"rw,nosuid,nodev,noexec,size=256m,mode=1777\"");

    const SlEngineContainer open = {
        .image = "x", .network = "host", .host_network = TRUE, .writable_root = TRUE};
    g_autofree char *other = sl_engine_print_container(&open, &error);
    g_assert_no_error(error);
    assert_has(other, "\"NetworkMode\":\"host\"");
    assert_has(other, "\"ReadonlyRootfs\":false");
    assert_has(other, "\"CapDrop\":[\"ALL\"]");
}

static void
test_refused(void)
{
    static const SlEngineMount relative = {"etc", "/etc", FALSE};
    const struct {
        SlEngineContainer container;
        int code;
    } cases[] = {
        {{.image = "x", .network = "host"}, SL_ERROR_FORBIDDEN},
        {{.image = "x", .network = "container:a", .host_network = TRUE}, SL_ERROR_FORBIDDEN},
        {{.image = "x", .network = "container:abc"}, SL_ERROR_FORBIDDEN},
        {{.image = "x", .network = "ns:/proc/1/ns/net"}, SL_ERROR_FORBIDDEN},
        {{.image = "x", .network = ""}, SL_ERROR_FORBIDDEN},
        {{.image = "x", .mounts = &relative, .n_mounts = 1}, SL_ERROR_INVALID},
        {{.image = "x", .memory_bytes = -1}, SL_ERROR_INVALID},
        {{.image = "x y"}, SL_ERROR_INVALID},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(sl_engine_print_container(&cases[i].container, &error));
        g_assert_error(error, SL_ERROR, cases[i].code);
    }
}

static void
test_life(void)
{
    const char *answers[] = {
        VERSION,
        answer("201 Created", "{\"Id\":\"c1\",\"Warnings\":[]}"),
        "HTTP/1.1 204 No Content\r\n\r\n",
        answer("200 OK", "{\"StatusCode\":137}"),
        answer("200 OK", "{\"Id\":\"c1\",\"Name\":\"/n\",\"State\":{\"Status\":\"exited\","
                         "\"Running\":false,\"OOMKilled\":true,\"ExitCode\":137,\"Pid\":0}}"),
        answer("409 Conflict", "{\"message\":\"is not running\"}"),
        "HTTP/1.1 204 No Content\r\n\r\n",
        answer("404 Not Found", "{\"message\":\"No such container\"}"),
        NULL,
    };
    g_autoptr(Fake) fake = fake_new(answers);
    g_autoptr(GError) error = NULL;
    const SlEngineContainer container = {.image = "x:1"};
    gint64 code = 0;
    g_autofree char *id = sl_engine_create_container(fake->engine, "n", &container, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(id, ==, "c1");
    g_assert_true(sl_engine_start_container(fake->engine, id, &error));
    g_assert_true(sl_engine_wait_container(fake->engine, id, MINUTE, &code, &error));
    g_assert_cmpint(code, ==, 137);
    g_autoptr(SlEngineState) state = sl_engine_inspect_container(fake->engine, id, &error);
    g_assert_cmpstr(state->name, ==, "n");
    g_assert_cmpstr(state->state, ==, "exited");
    g_assert_true(state->oom_killed && !state->running);
    g_assert_true(sl_engine_kill_container(fake->engine, id, "SIGKILL", &error));
    g_assert_true(sl_engine_remove_container(fake->engine, id, &error));
    g_assert_true(sl_engine_remove_container(fake->engine, id, &error));
    g_assert_no_error(error);
    assert_has(fake->requests->str, "POST /v1.41/containers/create?name=n ");
    assert_has(fake->requests->str, "POST /v1.41/containers/c1/kill?signal=SIGKILL ");
    assert_has(fake->requests->str, "DELETE /v1.41/containers/c1?force=1&v=1 ");
}

/* Podman's way to say that there is nothing to kill, and a failure that is one. */
static void
test_kill(void)
{
    static const struct {
        const char *state;
        gboolean ok;
    } cases[] = {{"{\"Id\":\"c\",\"State\":{\"Status\":\"exited\",\"Running\":false}}", TRUE},
                 {"{\"Id\":\"c\",\"State\":{\"Status\":\"running\",\"Running\":true}}", FALSE},
                 {"{}", FALSE}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *answers[] = {VERSION, answer("500 Oops", "{\"message\":\"not now\"}"),
                                 answer("200 OK", cases[i].state), NULL};
        g_autoptr(Fake) fake = fake_new(answers);
        g_autoptr(GError) error = NULL;
        g_assert_cmpint(sl_engine_kill_container(fake->engine, "c", "SIGTERM", &error), ==,
                        cases[i].ok);
        if (!cases[i].ok)
            g_assert_error(error, SL_ERROR, SL_ERROR_FAILED);
    }
}

/* One failure does not keep the others alive. */
static void
test_sweep(void)
{
    const char *answers[] = {
        VERSION,
        answer("200 OK", "[{\"Id\":\"a\"},{\"Id\":\"b\"},{\"Id\":\"c\"}]"),
        answer("500 Oops", "{\"message\":\"stuck\"}"),
        "HTTP/1.1 204 No Content\r\n\r\n",
        NULL,
    };
    static const char *const keep[] = {"b", NULL};
    g_autoptr(Fake) fake = fake_new(answers);
    g_autoptr(GError) error = NULL;
    guint removed = 0;
    g_assert_false(sl_engine_sweep_containers(fake->engine, "io.sluice=1", keep, &removed, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_FAILED);
    assert_has(error->message, "stuck");
    g_assert_cmpuint(removed, ==, 1);
    assert_has(fake->requests->str, "filters=%7B%22label%22%3A%5B%22io.sluice%3D1%22%5D%7D ");
    g_assert_null(strstr(fake->requests->str, "/containers/b"));
}

static gboolean
until_die(const char *id, const char *action, gpointer user_data)
{
    g_string_append_printf(user_data, "%s %s;", id, action);
    return strcmp(action, "die") != 0;
}

static void
test_events(void)
{
    const char *answers[] = {
        VERSION,
        chunked(FALSE, "{\"Action\":\"start\",\"Actor\":{\"ID\":\"c1\"}}    \n",
                "{\"Action\":\"die\",\"Actor\":{\"ID\":\"c1\"}}   \n", NULL),
        chunked(TRUE, "{\"Action\":\"start\",\"Actor\":{\"ID\":\"c2\"}}\n", NULL),
        NULL,
    };
    g_autoptr(Fake) fake = fake_new(answers);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) seen = g_string_new(NULL);
    g_assert_true(sl_engine_watch_containers(fake->engine, "l", MINUTE, until_die, seen, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(seen->str, ==, "c1 start;c1 die;");
    /* The engine stops: whoever watches has to look again. */
    g_assert_false(sl_engine_watch_containers(fake->engine, "l", MINUTE, until_die, seen, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_UNAVAILABLE);
    assert_has(error->message, "ended the events");
    g_assert_cmpstr(seen->str, ==, "c1 start;c1 die;c2 start;");
}

/* --- a real one ---------------------------------------------------------------------------- */

static void
test_live(void)
{
    const char *socket = g_getenv("SLUICE_TEST_ENGINE"), *image = g_getenv("SLUICE_TEST_IMAGE");
    if (socket == NULL || image == NULL) {
        g_test_skip("SLUICE_TEST_ENGINE and SLUICE_TEST_IMAGE name no engine");
        return;
    }
    static const char *const entrypoint[] = {"/bin/sh", "-c", NULL};
    /* 7: everything that ought to be forbidden is. */
    static const char *const cmd[] = {
        "touch /x 2>/dev/null && exit 1; touch /tmp/x || exit 2; touch /run/sluice-files/x || exit "
        "3; "
        "while read k v; do case $k in CapEff:|CapBnd:) [ $v = 0000000000000000 ] || exit 4;; "
        "NoNewPrivs:) [ $v = 1 ] || exit 5;; esac; done </proc/self/status; exit 7",
        NULL};
    static const char *const labels[] = {"io.sluice.test", "live", NULL};
    const SlEngineContainer container = {.image = image,
                                         .entrypoint = entrypoint,
                                         .cmd = cmd,
                                         .labels = labels,
                                         .memory_bytes = 64 << 20,
                                         .nano_cpus = 500000000};
    g_autoptr(SlEngine) engine = sl_engine_new(socket);
    g_autoptr(GError) error = NULL;
    gint64 code = 0;
    guint removed = 0;
    g_autoptr(SlEngineImage) found = sl_engine_inspect_image(engine, image, &error);
    g_assert_no_error(error);
    g_test_message("%s, API %s", sl_engine_get_name(engine), sl_engine_get_version(engine));
    g_autofree char *id = sl_engine_create_container(engine, "sluice-live", &container, &error);
    g_assert_no_error(error);
    sl_engine_start_container(engine, id, &error);
    g_assert_no_error(error);
    sl_engine_wait_container(engine, id, MINUTE, &code, &error);
    g_assert_no_error(error);
    g_assert_cmpint(code, ==, 7);
    g_autoptr(SlEngineState) state = sl_engine_inspect_container(engine, id, &error);
    g_assert_no_error(error);
    g_assert_cmpint(state->exit_code, ==, 7);
    g_assert_true(sl_engine_kill_container(engine, id, "SIGKILL", &error));
    sl_engine_sweep_containers(engine, "io.sluice.test=live", NULL, &removed, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(removed, ==, 1);
    g_auto(GStrv) left = sl_engine_list_containers(engine, "io.sluice.test=live", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(g_strv_length(left), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/engine/version", test_version);
    g_test_add_func("/engine/restart", test_restart);
    g_test_add_func("/engine/no-engine", test_no_engine);
    g_test_add_func("/engine/statuses", test_statuses);
    g_test_add_func("/engine/timeout", test_timeout);
    g_test_add_func("/engine/bad-names", test_bad_names);
    g_test_add_func("/engine/image/ensure", test_ensure);
    g_test_add_func("/engine/image/pull-errors", test_pull_errors);
    g_test_add_func("/engine/image/wrong-digest", test_wrong_digest);
    g_test_add_func("/engine/container/policy", test_policy);
    g_test_add_func("/engine/container/refused", test_refused);
    g_test_add_func("/engine/container/life", test_life);
    g_test_add_func("/engine/container/kill", test_kill);
    g_test_add_func("/engine/container/sweep", test_sweep);
    g_test_add_func("/engine/container/events", test_events);
    g_test_add_func("/engine/live", test_live);
    return g_test_run();
}
