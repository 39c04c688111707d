/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "container-fake.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sl-fd.h"
#include "sl-json-read.h"
#include "sl-json-write.h"

#define IMAGE_ID "sha256:aa11"

typedef struct {
    char *part, *body;
    guint times, status;
} Answer;

struct Fake {
    char *path, *files, *config;
    int listener;
    GThread *thread;
    GMutex lock; /* all below */
    GPtrArray *answers, *others;
    GString *requests;
    char *name;
    GPtrArray *argv; /* NULL: no container */
    pid_t pid;
    gboolean ended;
    int status; /* as of wait(2) */
};

/* --- its container -----------------------------------------------------------------------------
 */

static void
look(Fake *fake, gboolean block)
{
    if (fake->pid != 0 && !fake->ended &&
        waitpid(fake->pid, &fake->status, block ? 0 : WNOHANG) == fake->pid)
        fake->ended = TRUE;
}

static int
exit_code(const Fake *fake)
{
    return WIFSIGNALED(fake->status) ? 128 + WTERMSIG(fake->status) : WEXITSTATUS(fake->status);
}

static void
forget(Fake *fake)
{
    if (fake->pid != 0 && !fake->ended) {
        kill(fake->pid, SIGKILL);
        look(fake, TRUE);
    }
    g_clear_pointer(&fake->argv, g_ptr_array_unref);
    g_clear_pointer(&fake->name, g_free);
    fake->pid = 0;
    fake->ended = FALSE;
}

/* The path that stands for `inside` in the container. */
static char *
outside_of(const SlJsonDoc *doc, const char *inside)
{
    const SlJsonNode *mounts =
        sl_json_get_path(doc, sl_json_root(doc), "HostConfig", "Mounts", NULL);
    SL_JSON_FOREACH (doc, mounts, mount) {
        g_autofree char *target = sl_json_dup_string(sl_json_get(doc, mount, "Target"));
        gsize len = strlen(target);
        if (strncmp(inside, target, len) != 0 || (inside[len] != '/' && inside[len] != '\0'))
            continue;
        g_autofree char *source = sl_json_dup_string(sl_json_get(doc, mount, "Source"));
        return g_strconcat(source, inside + len, NULL);
    }
    return g_strdup(inside);
}

static void
keep(Fake *fake, const char *path, const char *body)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(body, strlen(body), NULL, NULL);
    static const char *const lists[] = {"Entrypoint", "Cmd"};
    g_assert_nonnull(doc);
    fake->name = g_strdup(strchr(path, '=') + 1);
    fake->argv = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        const SlJsonNode *list = sl_json_get(doc, sl_json_root(doc), lists[i]);
        SL_JSON_FOREACH (doc, list, word) {
            g_autofree char *text = sl_json_dup_string(word);
            g_ptr_array_add(fake->argv, outside_of(doc, text));
            if (fake->argv->len > 1 || !g_str_has_suffix(text, "/init"))
                continue;
            /* Where a container has a tmpfs. */
            g_ptr_array_add(fake->argv, g_strdup("--files"));
            g_ptr_array_add(fake->argv, g_strdup(fake->files));
        }
    }
    g_ptr_array_add(fake->argv, NULL);
}

static void
run(Fake *fake)
{
    g_autoptr(GError) error = NULL;
    char *environment[] = {(char *)"PATH=/usr/bin:/bin", NULL};
    g_spawn_async(NULL, (char **)fake->argv->pdata, environment,
                  G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &fake->pid,
                  &error);
    g_assert_no_error(error);
}

/* --- answers -----------------------------------------------------------------------------------
 */

typedef struct {
    guint status;
    char *body;
} Reply;

static Reply say(guint status, const char *format, ...) G_GNUC_PRINTF(2, 3);

static Reply
say(guint status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Reply reply = {status, g_strdup_vprintf(format, args)};
    va_end(args);
    return reply;
}

static Reply
show_container(Fake *fake, const char *path)
{
    for (guint i = 0; i < fake->others->len; i += 2) {
        g_autofree char *wanted =
            g_strdup_printf("/containers/%s/json", (char *)fake->others->pdata[i]);
        if (strstr(path, wanted) != NULL)
            return say(200, "{\"Id\":\"%s\",\"Name\":\"/%s\",\"State\":{\"Status\":\"exited\"}}",
                       (char *)fake->others->pdata[i], (char *)fake->others->pdata[i + 1]);
    }
    if (fake->argv == NULL)
        return say(404, "{\"message\":\"No such container\"}");
    look(fake, FALSE);
    return say(200,
               "{\"Id\":\"c1\",\"Name\":\"/%s\",\"State\":{\"Status\":\"%s\",\"Running\":%s,"
               "\"OOMKilled\":false,\"ExitCode\":%d,\"Pid\":%d,\"Error\":\"\"}}",
               fake->name, fake->ended ? "exited" : "running",
               fake->pid != 0 && !fake->ended ? "true" : "false", fake->ended ? exit_code(fake) : 0,
               fake->ended ? 0 : fake->pid);
}

static Reply
list_containers(Fake *fake)
{
    g_autoptr(GString) text = g_string_new("[");
    for (guint i = 0; i < fake->others->len; i += 2)
        g_string_append_printf(text, "%s{\"Id\":\"%s\"}", i > 0 ? "," : "",
                               (char *)fake->others->pdata[i]);
    return say(200, "%s]", text->str);
}

static Reply
answer(Fake *fake, const char *method, const char *path, const char *body)
{
    g_autofree char *line = g_strdup_printf("%s %s", method, path);
    for (guint i = 0; i < fake->answers->len; i++) {
        Answer *one = fake->answers->pdata[i];
        if (one->times == 0 || strstr(line, one->part) == NULL)
            continue;
        one->times--;
        return (Reply){one->status, g_strdup(one->body)};
    }
    if (g_str_has_suffix(path, "/version"))
        return say(200, "{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}");
    if (g_str_has_suffix(path, "/info"))
        return say(200, "{\"CgroupDriver\":\"systemd\"}");
    if (strstr(path, "/images/create") != NULL)
        return say(200, "{\"status\":\"Pull complete\",\"id\":\"l1\"}\n");
    if (strstr(path, "/images/") != NULL)
        return say(
            200, "{\"Id\":\"" IMAGE_ID "\",\"RepoDigests\":[\"reg/x@" IMAGE_ID "\"],\"Config\":%s}",
            fake->config);
    if (strstr(path, "/containers/create") != NULL) {
        keep(fake, path, body);
        return say(201, "{\"Id\":\"c1\"}");
    }
    if (g_str_has_suffix(path, "/start")) {
        run(fake);
        return say(204, "%s", "");
    }
    if (g_str_has_suffix(path, "/wait")) {
        look(fake, TRUE);
        return say(200, "{\"StatusCode\":%d}", exit_code(fake));
    }
    if (strstr(path, "/containers/json") != NULL)
        return list_containers(fake);
    if (strcmp(method, "DELETE") == 0) {
        if (fake->name != NULL && strstr(path, fake->name) != NULL)
            forget(fake);
        return say(204, "%s", "");
    }
    return show_container(fake, path);
}

/* --- the wire ----------------------------------------------------------------------------------
 */

/* FALSE: the client has gone. */
static gboolean
read_request(int fd, GString *in, gsize *ret_len, gsize *ret_body)
{
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
        *ret_body = (gsize)(end + 4 - in->str);
        need =
            *ret_body +
            (length != NULL && length < end ? (gsize)g_ascii_strtoull(length + 16, NULL, 10) : 0);
    }
    *ret_len = need;
    return TRUE;
}

static gboolean
serve_one(Fake *fake, int fd)
{
    g_autoptr(GString) in = g_string_new(NULL);
    gsize len = 0, body = 0;
    if (!read_request(fd, in, &len, &body))
        return FALSE;
    g_auto(GStrv) words = g_strsplit(in->str, " ", 3);
    g_autofree char *text = g_strndup(in->str + body, len - body);
    const char *auth = strstr(in->str, "X-Registry-Auth: ");
    g_mutex_lock(&fake->lock);
    g_string_append_printf(fake->requests, "%s %s %s%.*s\n", words[0], words[1], text,
                           auth != NULL ? (int)strcspn(auth, "\r") : 0, auth != NULL ? auth : "");
    Reply reply = answer(fake, words[0], words[1], text);
    g_mutex_unlock(&fake->lock);
    g_autofree char *out = reply.status == 204
                               ? g_strdup("HTTP/1.1 204 No Content\r\n\r\n")
                               : g_strdup_printf("HTTP/1.1 %u X\r\nContent-Length: %zu\r\n\r\n%s",
                                                 reply.status, strlen(reply.body), reply.body);
    g_free(reply.body);
    return reply.status != 0 && sl_fd_write_all(fd, out, strlen(out), NULL);
}

static gpointer
serve(gpointer data)
{
    Fake *fake = data;
    for (;;) {
        sl_autofd int fd = accept(fake->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        while (serve_one(fake, fd))
            ;
    }
}

/* --- life --------------------------------------------------------------------------------------
 */

static void
answer_free(gpointer data)
{
    Answer *one = data;
    g_free(one->part);
    g_free(one->body);
    g_free(one);
}

Fake *
fake_new(const char *folder)
{
    Fake *fake = g_new0(Fake, 1);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    fake->path = g_build_filename(folder, "engine.sock", NULL);
    fake->files = g_build_filename(folder, "files", NULL);
    g_assert_cmpint(g_mkdir(fake->files, 0700), ==, 0);
    fake->config = g_strdup("{}");
    fake->answers = g_ptr_array_new_with_free_func(answer_free);
    fake->others = g_ptr_array_new_with_free_func(g_free);
    fake->requests = g_string_new(NULL);
    g_strlcpy(address.sun_path, fake->path, sizeof(address.sun_path));
    fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(fake->listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fake->listener, 8), ==, 0);
    fake->thread = g_thread_new("engine", serve, fake);
    return fake;
}

void
fake_free(Fake *fake)
{
    g_unlink(fake->path);
    shutdown(fake->listener, SHUT_RDWR);
    g_thread_join(fake->thread);
    close(fake->listener);
    forget(fake);
    g_ptr_array_unref(fake->answers);
    g_ptr_array_unref(fake->others);
    g_string_free(fake->requests, TRUE);
    g_free(fake->path);
    g_free(fake->files);
    g_free(fake->config);
    g_free(fake);
}

const char *
fake_get_path(const Fake *fake)
{
    return fake->path;
}

const char *
fake_get_files(const Fake *fake)
{
    return fake->files;
}

void
fake_answer(Fake *fake, const char *part, guint times, guint status, const char *body)
{
    Answer *one = g_new(Answer, 1);
    *one = (Answer){g_strdup(part), g_strdup(body), times, status};
    g_mutex_lock(&fake->lock);
    g_ptr_array_add(fake->answers, one);
    g_mutex_unlock(&fake->lock);
}

void
fake_set_config(Fake *fake, const char *json)
{
    g_free(fake->config);
    fake->config = g_strdup(json);
}

void
fake_add_other(Fake *fake, const char *id, const char *name)
{
    g_ptr_array_add(fake->others, g_strdup(id));
    g_ptr_array_add(fake->others, g_strdup(name));
}

char *
fake_dup_requests(Fake *fake)
{
    g_mutex_lock(&fake->lock);
    char *text = g_strdup(fake->requests->str);
    g_mutex_unlock(&fake->lock);
    return text;
}
