/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-init-peer.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-init-wire.h"

/* The peer against a sluice-init that the test plays itself, byte by byte, in the same thread.
 * Against the real one: src/init/init-test.c. */

typedef struct {
    char *folder, *path;
    SlInitPeer *peer;
    int in, out, err; /* our ends of the connector's pipes */
    int init;         /* the socket of the played sluice-init */
    GString *events;  /* one word each; a dot at the last */
    GError *error;    /* of the last event */
    gboolean free_in_callback;
} Fixture;

static void
on_event(SlInitPeer *peer, const SlInitPeerEvent *event, gpointer data)
{
    Fixture *f = data;
    switch (event->type) {
    case SL_INIT_PEER_NOTED:
        g_string_append_printf(f->events, "noted=%s ", event->text);
        break;
    case SL_INIT_PEER_STARTED:
        g_string_append_printf(f->events, "started=%d ", event->pid);
        break;
    case SL_INIT_PEER_EXITED:
        g_string_append_printf(f->events, "exited=%d,%d. ", event->exit_code, event->signum);
        break;
    case SL_INIT_PEER_FAILED:
        g_string_append(f->events, "failed. ");
        break;
    case SL_INIT_PEER_LOST:
        g_string_append(f->events, "lost. ");
        break;
    }
    g_clear_error(&f->error);
    if (event->error != NULL)
        f->error = g_error_copy(event->error);
    if (f->free_in_callback)
        g_clear_pointer(&f->peer, sl_init_peer_free);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    f->folder = g_dir_make_tmp("sl-init-peer-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "id", "source", "ctl", NULL);
    f->events = g_string_new(NULL);
    f->init = f->in = f->out = f->err = -1;
    f->peer = sl_init_peer_new(f->path, &error);
    g_assert_no_error(error);
    g_assert_true(sl_init_peer_make_pipes(f->peer, &f->in, &f->out, &f->err, &error));
    g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    sl_init_peer_free(f->peer);
    sl_fd_clear(&f->in);
    sl_fd_clear(&f->out);
    sl_fd_clear(&f->err);
    sl_fd_clear(&f->init);
    g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS));
    g_autofree char *role = g_path_get_dirname(f->path);
    g_autofree char *id = g_path_get_dirname(role);
    g_assert_cmpint(g_rmdir(role), ==, 0);
    g_assert_cmpint(g_rmdir(id), ==, 0);
    g_assert_cmpint(g_rmdir(f->folder), ==, 0);
    g_string_free(f->events, TRUE);
    g_clear_error(&f->error);
    g_free(f->folder);
    g_free(f->path);
}

static void
start(Fixture *f, guint ms)
{
    sl_init_peer_start(f->peer, NULL, g_get_monotonic_time() + ms * 1000, on_event, f);
}

static int
dial(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    sl_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return -1;
    return sl_fd_steal(&fd);
}

static void
run_pending(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static gboolean
on_time(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_CONTINUE;
}

/* Runs the main loop until an event of this text is there (NULL: never), or for so long. */
static void
run_for(Fixture *f, const char *text, guint ms)
{
    gboolean late = FALSE;
    guint timer = g_timeout_add(ms, on_time, &late);
    while (!late && (text == NULL || strstr(f->events->str, text) == NULL))
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(timer);
}

/* The deadline is the test's, to fail instead of hanging. */
static void
wait_event(Fixture *f, const char *text)
{
    run_for(f, text, 5000);
    g_assert_nonnull(strstr(f->events->str, text));
}

static void
say(Fixture *f, SlInitFrame type, const void *payload, guint32 length)
{
    guint8 header[SL_INIT_HEADER_SIZE];
    sl_init_put_header(header, (guint8)type, length);
    g_assert_true(sl_fd_write_all(f->init, header, sizeof header, NULL));
    g_assert_true(sl_fd_write_all(f->init, payload, length, NULL));
}

static void
say_numbers(Fixture *f, SlInitFrame type, gint32 first, gint32 second, guint32 length)
{
    guint8 payload[8];
    sl_init_put_u32(payload, (guint32)first);
    sl_init_put_u32(payload + 4, (guint32)second);
    say(f, type, payload, length);
}

static void
connect_and_greet(Fixture *f)
{
    f->init = dial(f->path);
    g_assert_cmpint(f->init, >=, 0);
    say_numbers(f, SL_INIT_HELLO, SL_INIT_VERSION, 77, 8);
    run_pending();
}

/* Reads one frame that the peer sent; the main loop runs meanwhile. */
static guint8
hear(Fixture *f, GByteArray *payload, int *fds)
{
    guint8 header[SL_INIT_HEADER_SIZE];
    guint n_fds = 0;
    g_assert_cmpint(sl_fd_receive(f->init, header, sizeof header, fds, 3, &n_fds, NULL), ==,
                    sizeof header);
    g_assert_cmpuint(n_fds, ==, header[0] == SL_INIT_FDS ? 3 : 0);
    g_byte_array_set_size(payload, sl_init_get_u32(header + 1));
    for (guint used = 0; used < payload->len;) {
        run_pending();
        ssize_t n = read(f->init, payload->data + used, payload->len - used);
        g_assert_cmpint(n, >, 0);
        used += (guint)n;
    }
    return header[0];
}

static void
test_folder_modes(Fixture *f, gconstpointer data)
{
    GStatBuf st;
    g_autofree char *role = g_path_get_dirname(f->path);
    g_autofree char *id = g_path_get_dirname(role);
    g_assert_cmpint(g_stat(f->path, &st), ==, 0);
    g_assert_cmpint(st.st_mode, ==, S_IFSOCK | 0666);
    g_assert_cmpint(g_stat(role, &st), ==, 0);
    g_assert_cmpint(st.st_mode, ==, S_IFDIR | 0755);
    g_assert_cmpint(g_stat(id, &st), ==, 0);
    g_assert_cmpint(st.st_mode, ==, S_IFDIR | 0700);

    /* a socket left behind is replaced, anything else is not */
    g_clear_pointer(&f->peer, sl_init_peer_free);
    g_assert_true(g_file_set_contents(f->path, "", 0, NULL));
    g_autoptr(GError) error = NULL;
    g_assert_null(sl_init_peer_new(f->path, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_EXISTS);
    g_assert_cmpint(g_unlink(f->path), ==, 0);
    g_clear_error(&error);
    g_autofree char *name = g_strnfill(100, 'x');
    g_autofree char *long_path = g_build_filename(role, name, NULL);
    g_assert_null(sl_init_peer_new(long_path, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
}

static void
test_everything_in_order(Fixture *f, gconstpointer data)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    /* larger than any socket buffer: sent in many turns of the loop, between which we read */
    gsize size = 3 << 20;
    g_autoptr(GBytes) content = g_bytes_new_take(g_strnfill(size, 'q'), size);
    int fds[3];
    g_assert_true(sl_init_peer_add_file(f->peer, "config.json", content, &error));
    g_assert_true(sl_init_peer_add_arg(f->peer, "read", &error));
    g_assert_true(sl_init_peer_add_env(f->peer, "TZ", "UTC", &error));
    g_assert_no_error(error);
    start(f, 5000);
    g_assert_true(sl_init_peer_signal(f->peer, SIGUSR1, &error)); /* early: waits for its turn */
    connect_and_greet(f);
    g_assert_cmpint(sl_init_peer_get_pid(f->peer), ==, getpid());
    g_assert_cmpint(dial(f->path), ==, -1); /* one connection, no more */

    g_assert_cmpint(hear(f, payload, fds), ==, SL_INIT_FDS);
    g_assert_cmpint(hear(f, payload, fds), ==, SL_INIT_FILE);
    g_assert_cmpuint(payload->len, ==, 12 + size);
    g_assert_cmpmem(payload->data, 12, "config.json", 12);
    g_assert_cmpmem(payload->data + 12, size, g_bytes_get_data(content, NULL), size);
    g_assert_cmpint(hear(f, payload, fds), ==, SL_INIT_ARG);
    g_assert_cmpmem(payload->data, payload->len, "read", 4);
    g_assert_cmpint(hear(f, payload, fds), ==, SL_INIT_ENV);
    g_assert_cmpmem(payload->data, payload->len, "TZ=UTC", 6);
    g_assert_cmpint(hear(f, payload, fds), ==, SL_INIT_START);
    g_assert_cmpint(hear(f, payload, fds), ==, SL_INIT_SIGNAL);
    g_assert_cmpint(payload->data[0], ==, SIGUSR1);

    char byte = 0;
    struct stat st;
    g_assert_true(sl_fd_write_all(f->in, "i", 1, NULL));
    g_assert_cmpint(read(fds[0], &byte, 1), ==, 1);
    g_assert_true(sl_fd_write_all(fds[1], "o", 1, NULL));
    g_assert_cmpint(read(f->out, &byte, 1), ==, 1);
    g_assert_cmpint(byte, ==, 'o');
    g_assert_true(sl_fd_write_all(fds[2], "e", 1, NULL));
    g_assert_cmpint(read(f->err, &byte, 1), ==, 1);
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(fstat(fds[i], &st), ==, 0);
        g_assert_cmpint(st.st_mode, ==, S_IFIFO | 0666);
        close(fds[i]);
    }
    /* the peer kept no copy: the end of the output is seen */
    g_assert_cmpint(read(f->out, &byte, 1), ==, 0);

    say_numbers(f, SL_INIT_STARTED, 4711, 0, 4);
    say_numbers(f, SL_INIT_EXIT, -1, 9, 8);
    wait_event(f, "exited");
    g_assert_cmpstr(f->events->str, ==, "started=4711 exited=-1,9. ");
    g_assert_false(sl_init_peer_signal(f->peer, SIGTERM, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_CONFLICT);
}

/* Every frame arrives in single bytes. */
static void
test_split_frames(Fixture *f, gconstpointer data)
{
    static const guint8 bytes[] = {'H', 8, 0, 0, 0,   1, 0, 0, 0, 5, 0, 0, 0, 'P', 4, 0, 0, 0,
                                   6,   0, 0, 0, 'X', 8, 0, 0, 0, 7, 0, 0, 0, 0,   0, 0, 0};
    start(f, 5000);
    f->init = dial(f->path);
    run_pending();
    for (guint i = 0; i < sizeof bytes; i++) {
        g_assert_true(sl_fd_write_all(f->init, &bytes[i], 1, NULL));
        run_pending();
    }
    g_assert_cmpstr(f->events->str, ==, "started=6 exited=7,0. ");
}

typedef struct {
    const char *name;
    const char *bytes; /* what the played sluice-init says, then it hangs up */
    gsize len;
    const char *events;
    int code;
    const char *text; /* in the error */
} Ending;

#define HELLO "H\010\0\0\0\001\0\0\0\001\0\0\0"
#define STARTED "P\004\0\0\0\006\0\0\0"
#define BYTES(string) string, sizeof(string) - 1
static const Ending endings[] = {
    {"no-hello", BYTES(""), "lost. ", SL_ERROR_CONNECTOR, "before it had started"},
    {"half-frame", BYTES("H\010\0"), "lost. ", SL_ERROR_CONNECTOR, "before it had started"},
    {"no-started", BYTES(HELLO), "lost. ", SL_ERROR_CONNECTOR, "before it had started"},
    {"no-exit", BYTES(HELLO STARTED), "started=6 lost. ", SL_ERROR_CONNECTOR, "being known"},
    {"half-exit", BYTES(HELLO STARTED "X\010\0\0\0\0\0"), "started=6 lost. ", SL_ERROR_CONNECTOR,
     "being known"},
    {"garbage", BYTES("GET / HTTP/1.1\r\n\r\n"), "failed. ", SL_ERROR_PROTOCOL, "0x47"},
    {"oversize", BYTES("!\0\0\001\0"), "failed. ", SL_ERROR_PROTOCOL, "65536 bytes"},
    {"wrong-size", BYTES("H\004\0\0\0\001\0\0\0"), "failed. ", SL_ERROR_PROTOCOL, "4 bytes"},
    {"not-its-frame", BYTES(HELLO "S\0\0\0\0"), "failed. ", SL_ERROR_PROTOCOL, "out of turn"},
    {"exit-first", BYTES(HELLO "X\010\0\0\0\0\0\0\0\0\0\0\0"), "failed. ", SL_ERROR_PROTOCOL,
     "out of turn"},
    {"hello-twice", BYTES(HELLO HELLO), "failed. ", SL_ERROR_PROTOCOL, "out of turn"},
    {"version", BYTES("H\010\0\0\0\002\0\0\0\001\0\0\0"), "failed. ", SL_ERROR_PROTOCOL,
     "version 2"},
    {"error", BYTES(HELLO "!\005\0\0\0no\377way"), "failed. ", SL_ERROR_CONNECTOR,
     "no\357\277\275wa"},
};

static void
test_ending(Fixture *f, gconstpointer data)
{
    const Ending *ending = data;
    /* so much to send that the peer is still at it when sluice-init goes */
    gsize size = 4 << 20;
    g_autoptr(GBytes) content = g_bytes_new_take(g_malloc0(size), size);
    g_assert_true(sl_init_peer_add_file(f->peer, "state.json", content, NULL));
    start(f, 5000);
    f->init = dial(f->path);
    for (gsize i = 0; i < ending->len; i++)
        g_assert_true(sl_fd_write_all(f->init, ending->bytes + i, 1, NULL));
    if (ending->len % 2 == 0)
        run_pending(); /* with unread bytes on the way, or before the peer had a look */
    sl_fd_clear(&f->init);
    wait_event(f, g_strrstr(ending->events, "lost") != NULL ? "lost" : "failed");
    g_assert_cmpstr(f->events->str, ==, ending->events);
    g_assert_error(f->error, SL_ERROR, ending->code);
    g_assert_nonnull(strstr(f->error->message, ending->text));
}

static void
test_deadline(Fixture *f, gconstpointer data)
{
    start(f, 50);
    wait_event(f, "failed");
    g_assert_error(f->error, SL_ERROR, SL_ERROR_TIMED_OUT);
    g_assert_cmpint(dial(f->path), ==, -1);
}

static void
test_deadline_connected(Fixture *f, gconstpointer data)
{
    start(f, 200);
    connect_and_greet(f);
    wait_event(f, "failed");
    g_assert_error(f->error, SL_ERROR, SL_ERROR_TIMED_OUT);
    g_assert_nonnull(strstr(f->error->message, "did not start"));
}

/* Once STARTED has come the deadline is over. */
static void
test_deadline_kept(Fixture *f, gconstpointer data)
{
    start(f, 200);
    connect_and_greet(f);
    say_numbers(f, SL_INIT_STARTED, 1, 0, 4);
    wait_event(f, "started");
    run_for(f, NULL, 250);
    g_assert_cmpstr(f->events->str, ==, "started=1 ");
}

/* Who prepares the place speaks first, and has more time then; what it cannot do, it says itself.
 */
static void
test_notes(Fixture *f, gconstpointer data)
{
    start(f, 200);
    f->init = dial(f->path);
    say(f, SL_INIT_NOTE, "pulling", 7);
    wait_event(f, "noted=pulling ");
    run_for(f, NULL, 300);
    say(f, SL_INIT_NOTE, "pul\377ed", 6);
    wait_event(f, "noted=pul\357\277\275ed ");
    if (data != NULL) { /* sluice-init comes, and has it from there */
        say_numbers(f, SL_INIT_HELLO, SL_INIT_VERSION, 77, 8);
        say_numbers(f, SL_INIT_STARTED, 6, 0, 4);
        wait_event(f, "started=6 ");
        say(f, SL_INIT_NOTE, "late", 4);
        wait_event(f, "failed. ");
        g_assert_error(f->error, SL_ERROR, SL_ERROR_PROTOCOL);
        return;
    }
    say(f, SL_INIT_ERROR, "there is no such image", 22);
    wait_event(f, "failed. ");
    g_assert_error(f->error, SL_ERROR, SL_ERROR_CONNECTOR);
    g_assert_cmpstr(f->error->message, ==, "there is no such image");
}

static gboolean
second_only(pid_t pid, uid_t uid, gpointer data, GError **error)
{
    guint *count = data;
    g_assert_cmpint(pid, ==, getpid());
    g_assert_cmpint(uid, ==, getuid());
    return (*count)++ > 0 || sl_error_set(error, SL_ERROR_FORBIDDEN, "not you");
}

static void
test_check(Fixture *f, gconstpointer data)
{
    guint count = 0;
    char byte;
    sl_init_peer_set_check(f->peer, second_only, &count);
    start(f, 5000);
    sl_autofd int stranger = dial(f->path);
    run_pending();
    g_assert_cmpint(read(stranger, &byte, 1), ==, 0); /* sent away */
    g_assert_cmpint(sl_init_peer_get_pid(f->peer), ==, 0);
    connect_and_greet(f);
    g_assert_cmpint(sl_init_peer_get_pid(f->peer), ==, getpid());
    g_assert_cmpuint(count, ==, 2);
}

static void
test_check_refused(Fixture *f, gconstpointer data)
{
    guint count = 0;
    sl_init_peer_set_check(f->peer, second_only, &count);
    start(f, 200);
    sl_autofd int stranger = dial(f->path);
    g_assert_cmpint(stranger, >=, 0);
    wait_event(f, "failed");
    g_assert_error(f->error, SL_ERROR, SL_ERROR_TIMED_OUT);
    g_assert_nonnull(strstr(f->error->message, "not you"));
}

static void
test_free_in_callback(Fixture *f, gconstpointer data)
{
    f->free_in_callback = TRUE;
    start(f, 5000);
    connect_and_greet(f);
    say_numbers(f, SL_INIT_STARTED, 1, 0, 4);
    say_numbers(f, SL_INIT_EXIT, 0, 0, 8);
    wait_event(f, "started");
    run_pending();
    g_assert_null(f->peer);
    g_assert_cmpstr(f->events->str, ==, "started=1 ");
    /* what sluice-init sees of it is the hang-up; unread frames make that a reset */
    char bytes[4096];
    ssize_t n;
    while ((n = read(f->init, bytes, sizeof bytes)) > 0)
        ;
    g_assert_true(n == 0 || errno == ECONNRESET);
}

/* Streams that begin like a good one, with a few bytes changed: always one last event, no more. */
static void
test_mutations(Fixture *f, gconstpointer data)
{
    static const char good[] = HELLO STARTED "X\010\0\0\0\007\0\0\0\0\0\0\0";
    for (guint round = 0; round < 300; round++) {
        char bytes[sizeof good];
        memcpy(bytes, good, sizeof good);
        for (gint n = g_test_rand_int_range(1, 4); n > 0; n--)
            bytes[g_test_rand_int_range(0, sizeof good)] = (char)g_test_rand_int();
        if (round > 0) {
            sl_fd_clear(&f->in);
            sl_fd_clear(&f->out);
            sl_fd_clear(&f->err);
            f->peer = sl_init_peer_new(f->path, NULL);
            g_assert_true(sl_init_peer_make_pipes(f->peer, &f->in, &f->out, &f->err, NULL));
        }
        g_string_truncate(f->events, 0);
        start(f, 5000);
        f->init = dial(f->path);
        g_assert_true(
            sl_fd_write_all(f->init, bytes, (gsize)g_test_rand_int_range(0, sizeof good), NULL));
        sl_fd_clear(&f->init);
        run_for(f, ".", 5000);
        run_pending();
        g_assert_nonnull(strchr(f->events->str, '.'));
        g_assert_true(strchr(f->events->str, '.') == strrchr(f->events->str, '.'));
        g_assert_true(g_str_has_suffix(f->events->str, ". "));
        g_clear_pointer(&f->peer, sl_init_peer_free);
    }
}

static void
test_limits(Fixture *f, gconstpointer data)
{
    static const char *const names[] = {"", ".", "..", "a/b", "/etc/passwd"};
    g_autoptr(GBytes) empty = g_bytes_new(NULL, 0);
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_false(sl_init_peer_add_file(f->peer, names[i], empty, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_clear_error(&error);
    }
    g_autofree char *long_name = g_strnfill(256, 'n');
    g_assert_false(sl_init_peer_add_file(f->peer, long_name, empty, NULL));
    g_assert_true(sl_init_peer_add_file(f->peer, long_name + 1, empty, NULL));
    g_autofree char *big = g_strnfill(SL_INIT_MAX_STRING + 1, 'a');
    g_assert_false(sl_init_peer_add_arg(f->peer, big, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_TOO_LARGE);
    g_clear_error(&error);
    g_assert_false(sl_init_peer_add_env(f->peer, "A=B", "c", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_clear_error(&error);
    for (guint i = 0; i < SL_INIT_MAX_STRINGS / (SL_INIT_MAX_STRING + 1); i++)
        g_assert_true(sl_init_peer_add_arg(f->peer, big + 1, NULL));
    g_assert_false(sl_init_peer_add_arg(f->peer, "", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_TOO_LARGE);
    g_clear_error(&error);
    g_assert_false(sl_init_peer_signal(f->peer, SIGTERM, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_CONFLICT);
    g_clear_error(&error);
    g_assert_false(sl_init_peer_signal(f->peer, 0, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*func)(Fixture *f, gconstpointer data);
    } tests[] = {
        {"folder-modes", test_folder_modes},
        {"everything-in-order", test_everything_in_order},
        {"split-frames", test_split_frames},
        {"deadline", test_deadline},
        {"deadline-connected", test_deadline_connected},
        {"deadline-kept", test_deadline_kept},
        {"check", test_check},
        {"check-refused", test_check_refused},
        {"free-in-callback", test_free_in_callback},
        {"limits", test_limits},
        {"mutations", test_mutations},
    };
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/basic/init-peer/", tests[i].path, NULL);
        g_test_add(path, Fixture, NULL, set_up, tests[i].func, tear_down);
    }
    for (guint i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *path = g_strconcat("/basic/init-peer/ending/", endings[i].name, NULL);
        g_test_add(path, Fixture, &endings[i], set_up, test_ending, tear_down);
    }
    g_test_add("/basic/init-peer/notes/failed", Fixture, NULL, set_up, test_notes, tear_down);
    g_test_add("/basic/init-peer/notes/started", Fixture, "", set_up, test_notes, tear_down);
    return g_test_run();
}
