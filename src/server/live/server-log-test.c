/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sl-fd.h"
#include "sl-job-log-index.h"
#include "sl-job-log.h"
#include "sl-log-file.h"

#define BASE G_GINT64_CONSTANT(1785585600000)

/* A running job with a log file of its own. */
typedef struct {
    Fixture fix;
    SlJob *job;
    char *folder, *file, *index;
    const char *base; /* path of its log */
    GString *text;
    GByteArray *marks;
    guint lines;
} Stage;

static void
stage_setup(Stage *stage, gconstpointer data)
{
    Fixture *fix = &stage->fix;
    setup(fix, data);
    g_atomic_int_set(&fix->pause_worker, 1);
    stage->job = queue_fixture_job(fix->server.db);
    stage->base =
        format(fix, "/api/v1/sluice/jobs/%" G_GINT64_FORMAT "/attempts/0/log", stage->job->job_id);
    stage->folder = g_strdup_printf("%s/%" G_GINT64_FORMAT, fix->folder, stage->job->job_id);
    stage->file = g_strconcat(stage->folder, "/0.ndjson", NULL);
    stage->index = g_strconcat(stage->file, SL_JOB_LOG_INDEX_SUFFIX, NULL);
    stage->text = g_string_new(NULL);
    stage->marks = g_byte_array_new();
    g_assert_no_errno(g_mkdir(stage->folder, 0700));
}

static void
stage_teardown(Stage *stage, gconstpointer data)
{
    g_autofree char *packed = g_strconcat(stage->file, SL_LOG_FILE_SUFFIX, NULL);
    g_unlink(packed);
    g_unlink(stage->file);
    g_unlink(stage->index);
    g_rmdir(stage->folder);
    g_free(stage->folder);
    g_free(stage->file);
    g_free(stage->index);
    g_string_free(stage->text, TRUE);
    g_byte_array_unref(stage->marks);
    sl_job_free(stage->job);
    teardown(&stage->fix, data);
}

static void
append_file(const char *name, gconstpointer bytes, gsize len)
{
    sl_autofd int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    g_assert_cmpint(write(fd, bytes, len), ==, (gssize)len);
}

static void
add_line(Stage *stage, SlJobLogLevel level, const char *message)
{
    gsize before = stage->text->len;
    SlJobLogMark mark = {stage->lines, before, BASE + stage->lines, FALSE};
    if (stage->lines % SL_JOB_LOG_INDEX_LINES == 0)
        sl_job_log_mark_append(stage->marks, &mark);
    mark.is_error = level <= SL_JOB_LOG_ERROR;
    if (mark.is_error)
        sl_job_log_mark_append(stage->marks, &mark);
    sl_job_log_append(stage->text, BASE + stage->lines++, level, SL_JOB_LOG_SOURCE, message,
                      strlen(message), NULL, NULL);
    append_file(stage->file, stage->text->str + before, stage->text->len - before);
}

static void
add_lines(Stage *stage, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *message = g_strdup_printf("line %u", stage->lines);
        add_line(stage, SL_JOB_LOG_INFO, message);
    }
}

static const char *
path(Stage *stage, const char *rest)
{
    return format(&stage->fix, "%s%s", stage->base, rest);
}

static void
end_attempt(Stage *stage)
{
    queue_fixture_script(stage->fix.server.db,
                         "update attempt set status = 'failed', ended_at = now()");
}

/* The body of an answer with Connection: close. */
static const char *
body_of(const char *answer)
{
    return strstr(answer, "\r\n\r\n") + 4;
}

static void
test_raw(Stage *stage, gconstpointer data)
{
    static const struct {
        const char *range;
        guint status;
        gint64 from, to; /* negative: from the end */
    } cases[] = {
        {NULL, 200, 0, 0},
        {"bytes=0-0", 206, 0, 1},
        {"bytes=10-19", 206, 10, 20},
        {"bytes=-100", 206, -100, 0},
        {"bytes=1000-", 206, 1000, 0},
        {"bytes=5-99999999", 206, 5, 0},
        {"bytes=9-3", 200, 0, 0},
        {"lines=1-2", 200, 0, 0},
        {"bytes=1-2,4-5", 200, 0, 0},
        {"bytes=-", 200, 0, 0},
        {"bytes=99999999-", 416, 0, 0},
        {"bytes=-0", 416, 0, 0},
        {"bytes=x-2", 200, 0, 0},
    };
    Fixture *fix = &stage->fix;
    add_lines(stage, 20000);
    gint64 size = (gint64)stage->text->len;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *header = format(
            fix, "Connection: close\r\n%s%s%s", cases[i].range != NULL ? "Range: " : "",
            cases[i].range != NULL ? cases[i].range : "", cases[i].range != NULL ? "\r\n" : "");
        sl_autofd int fd = stream_open(fix, path(stage, "/raw"), header);
        const char *answer = stream_hear(fix, fd, NULL);
        assert_has(answer, format(fix, "HTTP/1.1 %u ", cases[i].status));
        if (cases[i].status == 416) {
            assert_has(answer,
                       format(fix, "Content-Range: bytes */%" G_GINT64_FORMAT "\r\n", size));
            continue;
        }
        gint64 from = cases[i].from < 0 ? size + cases[i].from : cases[i].from;
        gint64 to = cases[i].to <= 0 ? size : cases[i].to;
        assert_has(answer, format(fix, "Content-Length: %" G_GINT64_FORMAT "\r\n", to - from));
        assert_has(answer, "Content-Type: application/x-ndjson\r\n");
        if (cases[i].status == 206)
            assert_has(answer, format(fix,
                                      "Content-Range: bytes %" G_GINT64_FORMAT "-%" G_GINT64_FORMAT
                                      "/%" G_GINT64_FORMAT "\r\n",
                                      from, to - 1, size));
        g_assert_cmpmem(body_of(answer), strlen(body_of(answer)), stage->text->str + from,
                        to - from);
    }
}

/* Compressed on the way, by a client that says so. */
static void
test_gzip(Stage *stage, gconstpointer data)
{
    Fixture *fix = &stage->fix;
    add_lines(stage, 30000);
    SlHttpUnixReply *reply = NULL;
    g_autoptr(GError) error = NULL;
    const char *headers[] = {"Accept-Encoding", "br, gzip;q=0.8", NULL};
    sl_http_unix_request(fix->client, "GET", path(stage, "/raw"), headers, NULL,
                         g_get_monotonic_time() + 60 * G_USEC_PER_SEC, NULL, &reply, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(g_hash_table_lookup(reply->headers, "content-encoding"), ==, "gzip");
    gsize size = g_bytes_get_size(reply->body);
    g_assert_cmpuint(size, <, stage->text->len / 4);
    g_autoptr(GZlibDecompressor) gunzip = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
    g_autofree char *plain = g_malloc(stage->text->len + 100);
    gsize n_read, n_written, total = 0, used = 0;
    GConverterResult result;
    do {
        result = g_converter_convert(G_CONVERTER(gunzip),
                                     (const char *)g_bytes_get_data(reply->body, NULL) + used,
                                     size - used, plain + total, stage->text->len + 100 - total,
                                     G_CONVERTER_INPUT_AT_END, &n_read, &n_written, &error);
        g_assert_no_error(error);
        used += n_read;
        total += n_written;
    } while (result != G_CONVERTER_FINISHED);
    g_assert_cmpmem(plain, total, stage->text->str, stage->text->len);
    sl_http_unix_reply_free(reply);

    static const char *const refusals[] = {"gzip;q=0", "identity", "gzipx"};
    for (guint i = 0; i < G_N_ELEMENTS(refusals); i++) {
        sl_autofd int fd =
            stream_open(fix, path(stage, "/raw"),
                        format(fix, "Connection: close\r\nAccept-Encoding: %s\r\n", refusals[i]));
        assert_lacks(stream_hear(fix, fd, "\r\n\r\n"), "Content-Encoding");
    }
}

static void
test_search(Stage *stage, gconstpointer data)
{
    Fixture *fix = &stage->fix;
    add_lines(stage, 1500);
    add_line(stage, SL_JOB_LOG_ERROR, "it \"broke\"");
    add_lines(stage, 1000);
    const char *text = call(fix, "GET", path(stage, "/search?level=warn"), NULL, 200);
    assert_has(text, "it \\\\\\\"broke\\\\\\\"");
    assert_has(text, "\"done\":true");
    assert_lacks(text, "line 1");
    text = call(fix, "GET", path(stage, "/search?before=-1&limit=2"), NULL, 200);
    assert_has(text, "line 2499\\\"");
    assert_has(text, "line 2500\\\"");
    assert_lacks(text, "line 2498\\\"");
    text = call(
        fix, "GET",
        format(fix, "%s/search?before=%s&limit=1", stage->base, member(fix, text, "nextOffset")),
        NULL, 200);
    assert_has(text, "line 2498\\\"");
    text = call(fix, "GET", path(stage, "/search?offset=-200&limit=1000"), NULL, 200);
    assert_has(text, "line 2500\\\"");
    assert_lacks(text, "line 2490\\\"");
    text =
        call(fix, "GET", path(stage, "/search?grep=LINE%2077&ignoreCase=true&limit=5"), NULL, 200);
    assert_has(text, "line 77\\\"");
    assert_has(text, "line 773\\\"");
    text = call(fix, "GET", path(stage, "/search?since=2026-08-01T12:00:02.4Z&limit=3"), NULL, 200);
    assert_has(text, "line 2400\\\"");
    assert_lacks(text, "line 2399\\\"");
    text = call(fix, "GET", path(stage, "/search?until=2026-08-01T12:00:00.003Z"), NULL, 200);
    assert_has(text, "line 3\\\"");
    assert_lacks(text, "line 4\\\"");
    assert_has(text, "\"done\":true");
    assert_has(text, "\"ended\":false");
    static const struct {
        const char *query, *says;
    } bad[] = {
        {"level=loud", "level: 'loud'"},
        {"source=me", "source: 'me'"},
        {"limit=0", "limit"},
        {"limit=1001", "limit"},
        {"offset=x", "offset"},
        {"since=yesterday", "since"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_has(
            call(fix, "GET", format(fix, "%s/search?%s", stage->base, bad[i].query), NULL, 400),
            bad[i].says);
}

/* With an index at once, without one by reading; and what an index says that is not about the file
 * is not believed. */
static void
test_first_error(Stage *stage, gconstpointer data)
{
    Fixture *fix = &stage->fix;
    add_lines(stage, 2500);
    end_attempt(stage);
    assert_has(call(fix, "GET", path(stage, "/first-error"), NULL, 200), "\"lines\":[]");
    add_line(stage, SL_JOB_LOG_FATAL, "the first");
    add_lines(stage, 10);
    add_line(stage, SL_JOB_LOG_ERROR, "the second");
    for (guint round = 0; round < 3; round++) {
        const char *text = call(fix, "GET", path(stage, "/first-error"), NULL, 200);
        assert_has(text, "the first");
        assert_lacks(text, "the second");
        const char *index = call(fix, "GET", path(stage, "/index"), NULL, 200);
        if (round == 1) {
            assert_has(index, "\"firstError\":{\"line\":2500,");
            assert_has(index, "{\"line\":0,\"offset\":0,");
            assert_has(index, "{\"line\":2000,");
        } else {
            assert_lacks(index, "\"line\":2000");
        }
        if (round == 0)
            append_file(stage->index, stage->marks->data, stage->marks->len);
        else
            g_assert_true(
                g_file_set_contents(stage->index, "no index of anything, in truth.", -1, NULL));
    }
}

static void
test_follow(Stage *stage, gconstpointer data)
{
    Fixture *fix = &stage->fix;
    sl_autofd int early =
        stream_open(fix, path(stage, "/follow"), ""); /* before the file is there */
    stream_hear(fix, early, "Content-Type: text/event-stream");
    add_lines(stage, 3);
    stream_hear(fix, early, "\"line 2\"}\n\n");
    add_line(stage, SL_JOB_LOG_ERROR, "an error");
    const char *text = stream_hear(fix, early, "\"an error\"}\n\n");
    assert_has(text,
               format(fix, "id: %" G_GSIZE_FORMAT "\ndata: {\"timestamp\":", stage->text->len));
    sl_autofd int errors = stream_open(fix, path(stage, "/follow?level=error&offset=0"), "");
    assert_lacks(stream_hear(fix, errors, "\"an error\"}\n\n"), "line 2");

    /* half a line is not told before it is whole */
    append_file(stage->file, "{\"half\":", 8);
    gint64 id = (gint64)stage->text->len;
    add_lines(stage, 0);
    sl_autofd int again = stream_open(fix, path(stage, "/follow"),
                                      format(fix, "Last-Event-ID: %" G_GINT64_FORMAT "\r\n", id));
    text = stream_hear(fix, again, format(fix, "id: %" G_GINT64_FORMAT "\n", id));
    assert_lacks(text, "half");
    append_file(stage->file, "1}\n", 3);
    text = stream_hear(fix, again, "data: {\"half\":1}\n\n");
    assert_lacks(text, "line 2");

    end_attempt(stage);
    append_file(stage->file, "{\"last\":1}\n", 11);
    stream_hear(fix, again, "{\"last\":1}\n\n");
    stream_hear(fix, again, "event: end\ndata: {\"status\":\"failed\"}\n\n\r\n0\r\n\r\n");
    stream_hear(fix, early, "event: end\n");
    call(fix, "GET", path(stage, "/follow?level=x"), NULL, 400);
}

static void
test_lost_files(Stage *stage, gconstpointer data)
{
    static const char *const paths[] = {"/raw", "/follow", "/search", "/index", "/first-error"};
    Fixture *fix = &stage->fix;
    add_lines(stage, 5);
    sl_autofd int follower = stream_open(fix, path(stage, "/follow"), "");
    stream_hear(fix, follower, "\"line 4\"}\n\n");
    g_assert_no_errno(truncate(stage->file, 20));
    stream_hear(fix, follower, "event: reset\ndata: {\"reason\":\"the log was truncated\"}");
    append_file(stage->file, "\n{\"new\":1}\n", 11);
    stream_hear(fix, follower, "data: {\"new\":1}\n\n");
    g_assert_no_errno(g_unlink(stage->file));
    end_attempt(stage);
    stream_hear(fix, follower, "event: end\ndata: {\"status\":\"deleted\"}");
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
        assert_has(call(fix, "GET", path(stage, paths[i]), NULL, 410), "was deleted");
    assert_has(call(fix, "GET", stage->base, NULL, 200), "\"deleted\":true");
    g_autofree char *packed = g_strconcat(stage->file, ".zst", NULL);
    append_file(packed, "x", 1);
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
        assert_has(call(fix, "GET", path(stage, paths[i]), NULL, 409), "'zstd -d'");
    g_unlink(packed);
    g_autofree char *zipped = g_strconcat(stage->file, ".gz", NULL);
    append_file(zipped, "x", 1);
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
        assert_has(call(fix, "GET", path(stage, paths[i]), NULL, 409), "compressed");
    g_unlink(zipped);
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
        call(fix, "GET",
             format(fix, "/api/v1/sluice/jobs/%" G_GINT64_FORMAT "/attempts/9/log%s",
                    stage->job->job_id, paths[i]),
             NULL, 404);
}

/* A log that was compressed says the same, by the same offsets, however it is asked for. */
static void
test_compressed(Stage *stage, gconstpointer data)
{
    static const char *const paths[] = {
        "",
        "?tail=100",
        "?offset=1500000&limit=70000",
        "/index",
        "/first-error",
        "/search?offset=0&limit=1000",
        "/search?offset=0&grep=line%20799",
        "/search?before=-1&limit=10",
        "/search?before=-1&since=2026-08-01T12:00:10.000Z&limit=3",
        "/search?offset=0&level=error",
    };
    Fixture *fix = &stage->fix;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) before = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *fill = g_strnfill(2000, 'f');
    for (guint i = 0; i < 800; i++) { /* more than a frame */
        g_autofree char *message = g_strdup_printf("line %u %s", i, fill);
        add_line(stage, i == 500 ? SL_JOB_LOG_ERROR : SL_JOB_LOG_INFO, message);
    }
    g_assert_cmpuint(stage->text->len, >, SL_LOG_FILE_FRAME);
    append_file(stage->index, stage->marks->data, stage->marks->len);
    end_attempt(stage);
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
        g_ptr_array_add(before, g_strdup(call(fix, "GET", path(stage, paths[i]), NULL, 200)));
    sl_autofd int follower = stream_open(fix, path(stage, "/follow?offset=0"), "");
    stream_hear(fix, follower, "\"line 10 ");
    sl_log_file_compress(stage->file, NULL, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_test_message("%s", paths[i]);
        g_assert_cmpstr(call(fix, "GET", path(stage, paths[i]), NULL, 200), ==, before->pdata[i]);
    }
    sl_autofd int raw = stream_open(fix, path(stage, "/raw"), "Connection: close\r\n");
    g_assert_cmpstr(body_of(stream_hear(fix, raw, NULL)), ==, stage->text->str);
    /* who follows it does not lose a line */
    stream_hear(fix, follower, "\"line 799 ");
    stream_hear(fix, follower, "event: end\ndata: {\"status\":\"failed\"}");
}

/* 3 GiB: the end is there at once, a search is cut into pieces, and the server's memory does not
 * follow the size of what it sends. */
static gsize
resident_bytes(void)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
    return (gsize)g_ascii_strtoull(strchr(text, ' '), NULL, 10) * (gsize)getpagesize();
}

static void
test_large(Stage *stage, gconstpointer data)
{
    Fixture *fix = &stage->fix;
    const gint64 hole = (gint64)3 << 30;
    sl_autofd int file = open(stage->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(pwrite(file, "\n", 1, hole), ==, 1);
    add_lines(stage, 100);
    const char *text = call(fix, "GET", path(stage, "/search?before=-1&limit=10"), NULL, 200);
    assert_has(text, "line 99\\\"");
    sl_autofd int follower = stream_open(fix, path(stage, "/follow?offset=-1000"), "");
    stream_hear(fix, follower, "\"line 99\"}\n\n");
    text = call(fix, "GET", path(stage, "/search?offset=0&grep=x"), NULL, 200);
    assert_has(text, "\"done\":false");
    g_assert_cmpint(g_ascii_strtoll(member(fix, text, "nextOffset"), NULL, 10), <, 32 << 20);

    gsize before = resident_bytes();
    sl_autofd int raw = stream_open(fix, path(stage, "/raw"), "");
    static char buffer[1 << 20];
    for (gint64 got = 0; got < 512 << 20;) {
        gssize n = read(raw, buffer, sizeof buffer);
        g_assert_cmpint(n, >, 0);
        got += n;
    }
    if (g_getenv("SL_TEST_SANITIZED") == NULL)
        g_assert_cmpint((gssize)(resident_bytes() - before), <, 32 << 20);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*func)(Stage *stage, gconstpointer data);
    } cases[] = {
        {"/server/log/raw", test_raw},
        {"/server/log/gzip", test_gzip},
        {"/server/log/search", test_search},
        {"/server/log/first-error", test_first_error},
        {"/server/log/follow", test_follow},
        {"/server/log/lost-files", test_lost_files},
        {"/server/log/compressed", test_compressed},
        {"/server/log/large", test_large},
    };
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_test_add(cases[i].name, Stage, NULL, stage_setup, cases[i].func, stage_teardown);
    return g_test_run();
}
