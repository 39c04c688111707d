/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "kit-private.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sl-channel-books.h"
#include "sl-fd.h"
#include "sl-frame.h"

#define STREAM(name)                                                                               \
    "{\"stream\":{\"name\":\"" name "\",\"json_schema\":{\"properties\":{\"i\":{\"type\":"         \
    "\"integer\"}}}},\"sync_mode\":\"incremental\",\"destination_sync_mode\":\"append\"}"
#define CATALOG "{\"streams\":[" STREAM("a") "," STREAM("b") "]}"

typedef struct {
    char *folder;
    int null, stop[2], client;
    KitCatalog *catalog;
    KitOutput *out;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    f->folder = g_dir_make_tmp("kit-output-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(f->folder, "1.sock", NULL);
    char *paths[] = {path, NULL};
    KitChannel channel = {data != NULL ? KIT_FORMAT_PROTOBUF : KIT_FORMAT_JSONL, paths, 1};
    f->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    g_assert_cmpint(pipe(f->stop), ==, 0);
    f->catalog = kit_catalog_parse(CATALOG, strlen(CATALOG), &error);
    g_assert_no_error(error);
    f->out = kit_output_new(f->null);
    kit_output_set_streams(f->out, f->catalog);
    g_assert_true(kit_output_use_channel(f->out, &channel, f->catalog, f->stop[0], &error));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    f->client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(f->client, (struct sockaddr *)&address, sizeof address), ==, 0);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    kit_output_free(f->out);
    kit_catalog_free(f->catalog);
    sl_fd_clear(&f->null);
    sl_fd_clear(&f->stop[0]);
    sl_fd_clear(&f->stop[1]);
    sl_fd_clear(&f->client);
    g_assert_cmpint(g_rmdir(f->folder), ==, 0); /* its sockets are gone */
    g_free(f->folder);
}

static gint
find(const SlJsonDoc *doc, const SlJsonNode *descriptor, gpointer data)
{
    const SlJsonNode *name = sl_json_get(doc, descriptor, "name");
    return name == NULL ? -1 : sl_json_string_is(name, "b");
}

/* What came over the socket, in the books that decide: a state is due when its records are there.
 * The ids of those that are, in order. */
static char *
enter_frames(Fixture *f, SlChannelBooks *books)
{
    char data[4096];
    gssize n = read(f->client, data, sizeof data);
    SlSpan body;
    g_assert_cmpint(n, >, 0);
    for (const char *p = data; p < data + n; p = body.p + body.n) {
        SlFrame frame;
        g_autoptr(GError) error = NULL;
        g_assert_cmpint(sl_frame_split(p, (gsize)(data + n - p), &body), ==, SL_SPLIT_WHOLE);
        g_assert_true(sl_frame_parse(body, &frame, NULL));
        if (frame.type == SL_FRAME_RECORD) {
            sl_channel_books_count(books, *frame.stream.p == 'b', frame.partition)->records++;
            continue;
        }
        g_autoptr(SlJsonDoc) doc = sl_json_read(frame.message.p, frame.message.n, NULL, NULL);
        const SlJsonNode *state = sl_json_get(doc, sl_json_root(doc), "state");
        g_assert_true(sl_channel_books_add(books, sl_json_span(state), frame.message, &error));
        g_assert_no_error(error);
    }
    GString *ids = g_string_new(NULL);
    for (;;) {
        g_autoptr(SlChannelState) due = sl_channel_books_take(books, NULL);
        if (due == NULL)
            break;
        const char *id = strstr(due->line, "\"id\":");
        g_string_append_printf(ids, "%d:%.1s(%u,%u) ", due->stream, id + 5,
                               (guint)due->counts[0].records, (guint)due->counts[1].records);
    }
    return g_string_free(ids, FALSE);
}

static void
send_records(Fixture *f, guint stream, guint n)
{
    for (guint i = 0; i < n; i++)
        kit_output_record(f->out, stream, "{\"i\":1}", 7);
}

/* Four sockets, as the books see it: each state must say all by itself what it covers. */
static void
test_stream_states(Fixture *f, gconstpointer data)
{
    g_autoptr(SlChannelBooks) books = sl_channel_books_new(2, 4, find, NULL);
    send_records(f, 0, 3);
    send_records(f, 1, 2);
    kit_output_state(f->out, 0, "{}", 2);
    send_records(f, 0, 1);
    kit_output_state(f->out, 0, "{}", 2);
    kit_output_state(f->out, 1, "{}", 2);
    kit_output_state(f->out, 1, "{}", 2);
    kit_output_flush(f->out);
    g_autofree char *ids = enter_frames(f, books);
    g_assert_cmpstr(ids, ==, "0:1(3,0) 0:2(1,0) 1:1(0,2) 1:2(0,0) ");
    g_assert_cmpuint(sl_channel_books_waiting(books), ==, 0);
}

static void
test_global_states(Fixture *f, gconstpointer data)
{
    static const char global[] = "{\"shared_state\":1,\"stream_states\":[]}";
    g_autoptr(SlChannelBooks) books = sl_channel_books_new(2, 4, find, NULL);
    send_records(f, 0, 3);
    send_records(f, 1, 2);
    kit_output_global_state(f->out, global, strlen(global));
    kit_output_global_state(f->out, global, strlen(global));
    send_records(f, 1, 1);
    kit_output_global_state(f->out, global, strlen(global));
    g_autofree char *ids = enter_frames(f, books);
    g_assert_cmpstr(ids, ==, "-1:1(3,2) -1:2(0,0) -1:3(0,1) ");
}

static void
test_lines(Fixture *f, gconstpointer data)
{
    char text[4096] = "";
    send_records(f, 1, 1);
    kit_output_state(f->out, 1, "{\"x\":1}", 7);
    gssize n = read(f->client, text, sizeof text - 1);
    g_assert_cmpint(n, >, 0);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 3);
    g_assert_true(
        g_regex_match_simple("^{\"type\":\"RECORD\",\"record\":{\"stream\":\"b\",\"data\":"
                             "{\"i\":1},\"partition_id\":\"([0-9a-f]+)\",\"emitted_at\":"
                             "[0-9]+}}$",
                             lines[0], 0, 0));
    g_assert_true(
        g_regex_match_simple("^{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"id\":1,"
                             "\"partition_id\":\"[0-9a-f]+\",.*\"recordCount\":1}}}$",
                             lines[1], 0, 0));
}

/* Its reader is gone: the connector is told to stop, and standard output still works. */
static void
test_reader_gone(Fixture *f, gconstpointer data)
{
    g_assert_false(kit_output_gone(f->out));
    sl_fd_clear(&f->client);
    for (guint i = 0; i < 100 && !kit_output_gone(f->out); i++) {
        send_records(f, 0, 1);
        kit_output_flush(f->out);
    }
    g_assert_true(kit_output_gone(f->out));
    kit_output_finish_channel(f->out); /* waits for nobody */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/kit/output/stream-states", Fixture, "frames", set_up, test_stream_states,
               tear_down);
    g_test_add("/kit/output/global-states", Fixture, "frames", set_up, test_global_states,
               tear_down);
    g_test_add("/kit/output/lines", Fixture, NULL, set_up, test_lines, tear_down);
    g_test_add("/kit/output/reader-gone", Fixture, NULL, set_up, test_reader_gone, tear_down);
    return g_test_run();
}
