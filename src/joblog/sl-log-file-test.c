/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-log-file.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sl-error.h"

typedef struct {
    char *folder, *path, *packed;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    f->folder = g_dir_make_tmp("sl-log-file-XXXXXX", &error);
    g_assert_no_error(error);
    f->path = g_build_filename(f->folder, "0.ndjson", NULL);
    f->packed = g_strconcat(f->path, SL_LOG_FILE_SUFFIX, NULL);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_autofree char *temporary = g_strconcat(f->packed, ".tmp", NULL);
    const char *const names[] = {f->path, f->packed, temporary};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        g_unlink(names[i]);
    g_assert_cmpint(g_rmdir(f->folder), ==, 0);
    g_free(f->folder);
    g_free(f->path);
    g_free(f->packed);
}

/* Lines of many lengths, so that frames end in the middle of some. */
static char *
make_text(gsize len)
{
    g_autoptr(GString) text = g_string_sized_new(len + 300);
    for (guint i = 0; text->len < len; i++)
        g_string_append_printf(
            text, "{\"n\":%u,\"text\":\"%.*s\"}\n", i, (int)(i * 37 % 211),
            "the quick brown fox jumps over the lazy dog, again and again and again, until "
            "nobody counts any more how often it has done so, and the dog does not care, "
            "as dogs do, whatever the fox may think of it, or of itself, at night");
    g_string_truncate(text, len);
    return g_strdup(text->str);
}

static void
write_text(Fixture *f, const char *text)
{
    g_assert_true(g_file_set_contents(f->path, text, -1, NULL));
}

static void
compress(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    gint64 saved = 0;
    sl_log_file_compress(f->path, &saved, &error);
    g_assert_no_error(error);
    g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS));
}

static SlLogFile *
open_file(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    SlLogFile *file = sl_log_file_open(f->path, &error);
    g_assert_no_error(error);
    return file;
}

static void
expect_range(SlLogFile *file, const char *text, gsize len, gsize offset, gsize n)
{
    g_autofree char *buffer = g_malloc(n + 1);
    gsize expected = offset < len ? MIN(n, len - offset) : 0;
    gssize got = sl_log_file_read(file, buffer, n, (gint64)offset, NULL);
    g_assert_cmpint(got, ==, (gssize)expected);
    g_assert_cmpint(memcmp(buffer, text + MIN(offset, len), expected), ==, 0);
}

static void
test_same_bytes(Fixture *f, gconstpointer data)
{
    static const gsize sizes[] = {0,
                                  1,
                                  1000,
                                  SL_LOG_FILE_FRAME - 1,
                                  SL_LOG_FILE_FRAME,
                                  SL_LOG_FILE_FRAME + 1,
                                  3 * SL_LOG_FILE_FRAME + 12345};
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        gsize len = sizes[i];
        g_autofree char *text = make_text(len);
        write_text(f, text);
        for (int packed = 0; packed < 2; packed++) {
            if (packed)
                compress(f);
            g_autoptr(SlLogFile) file = open_file(f);
            g_assert_cmpint(sl_log_file_size(file, NULL), ==, (gint64)len);
            expect_range(file, text, len, 0, len + 10);
            expect_range(file, text, len, len, 10);
            expect_range(file, text, len, len + 100, 10);
            for (guint k = 0; k < 200 && len > 0; k++) {
                gsize from = (gsize)g_test_rand_int_range(0, (gint32)len);
                expect_range(file, text, len, from, (gsize)g_test_rand_int_range(1, 70000));
            }
            /* around where frames meet */
            for (gsize at = SL_LOG_FILE_FRAME; at < len; at += SL_LOG_FILE_FRAME)
                for (gsize d = 0; d < 3; d++)
                    expect_range(file, text, len, at - d, 3);
        }
    }
}

/* Whatever else reads Zstandard reads it. */
static void
test_zstd_reads_it(Fixture *f, gconstpointer data)
{
    g_autofree char *program = g_find_program_in_path("zstd");
    g_autofree char *text = make_text(2 * SL_LOG_FILE_FRAME + 7), *out = NULL;
    const char *argv[] = {program, "-dcq", f->packed, NULL};
    int status = -1;
    if (program == NULL) {
        g_test_skip("there is no zstd");
        return;
    }
    write_text(f, text);
    compress(f);
    g_assert_true(
        g_spawn_sync(NULL, (char **)argv, NULL, 0, NULL, NULL, &out, NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
    g_assert_cmpstr(out, ==, text);
}

/* Retention goes by the time of the last line, not of the compression. */
static void
test_times_stay(Fixture *f, gconstpointer data)
{
    struct timespec then[] = {{1700000000, 0}, {1700000001, 5000}};
    struct stat info;
    write_text(f, "x\n");
    g_assert_cmpint(utimensat(AT_FDCWD, f->path, then, 0), ==, 0);
    compress(f);
    g_assert_cmpint(stat(f->packed, &info), ==, 0);
    g_assert_cmpint(info.st_mtim.tv_sec, ==, 1700000001);
    g_assert_cmpint(info.st_mode & 0777, ==, 0640 & ~umask(umask(0)));
}

/* A reader that has it open reads on; the next one gets the compressed one. */
static void
test_while_it_is_read(Fixture *f, gconstpointer data)
{
    g_autofree char *text = make_text(100000);
    write_text(f, text);
    g_autoptr(SlLogFile) before = open_file(f);
    g_assert_false(sl_log_file_is_gone(before));
    compress(f);
    g_assert_true(sl_log_file_is_gone(before));
    g_autoptr(SlLogFile) after = open_file(f);
    expect_range(before, text, 100000, 50000, 1000);
    expect_range(after, text, 100000, 50000, 1000);
}

/* Died between the rename and the removal: both are there, and the next run ends it. */
static void
test_both_are_there(Fixture *f, gconstpointer data)
{
    g_autofree char *text = make_text(5000);
    write_text(f, text);
    compress(f);
    write_text(f, text);
    g_autoptr(SlLogFile) file = open_file(f);
    expect_range(file, text, 5000, 0, 5000);
    compress(f);
    g_autoptr(SlLogFile) again = open_file(f);
    expect_range(again, text, 5000, 0, 5000);
}

/* A disk that is full: the log stays as it was, and nothing is left beside it. */
static void
test_no_room(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *temporary = g_strconcat(f->packed, ".tmp", NULL);
    g_autofree char *text = g_malloc0(400001), *left = NULL;
    struct rlimit old, low;
    for (guint i = 0; i < 400000; i++) /* does not compress */
        text[i] = (char)g_test_rand_int_range(33, 127);
    write_text(f, text);
    getrlimit(RLIMIT_FSIZE, &old);
    low = (struct rlimit){65536, old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &low);
    gboolean ok = sl_log_file_compress(f->path, NULL, &error);
    setrlimit(RLIMIT_FSIZE, &old);
    g_assert_false(ok);
    g_assert_nonnull(strstr(error->message, temporary));
    g_assert_false(g_file_test(f->packed, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(temporary, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_get_contents(f->path, &left, NULL, NULL));
    g_assert_cmpstr(left, ==, text);
}

static void
expect_refused(Fixture *f, SlErrorCode code)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlLogFile) file = sl_log_file_open(f->path, &error);
    char buffer[4096];
    if (file != NULL) /* only its table is looked at before */
        g_assert_cmpint(sl_log_file_read(file, buffer, sizeof buffer, 0, &error), ==, -1);
    g_assert_error(error, SL_ERROR, (int)code);
    g_test_message("%s", error->message);
}

/* No byte of a compressed file can be another one without being noticed. */
static void
test_broken(Fixture *f, gconstpointer data)
{
    g_autofree char *text = make_text(3000), *bytes = NULL;
    gsize len = 0;
    expect_refused(f, SL_ERROR_NOT_FOUND);
    write_text(f, text);
    compress(f);
    g_assert_true(g_file_get_contents(f->packed, &bytes, &len, NULL));
    for (gsize cut = 0; cut < len; cut++) {
        g_assert_true(g_file_set_contents(f->packed, bytes, (gssize)cut, NULL));
        expect_refused(f, SL_ERROR_INVALID);
    }
    for (gsize i = 0; i < len; i++) {
        bytes[i] ^= 0x55;
        g_assert_true(g_file_set_contents(f->packed, bytes, (gssize)len, NULL));
        bytes[i] ^= 0x55;
        g_autoptr(SlLogFile) file = sl_log_file_open(f->path, NULL);
        char buffer[3000];
        if (file != NULL && sl_log_file_read(file, buffer, sizeof buffer, 0, NULL) == 3000)
            g_assert_cmpint(memcmp(buffer, text, 3000), ==, 0);
    }
    g_assert_true(g_file_set_contents(f->packed, "plain", -1, NULL));
    expect_refused(f, SL_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(name, func) g_test_add("/joblog/file/" name, Fixture, NULL, set_up, func, tear_down)
    CASE("same-bytes", test_same_bytes);
    CASE("zstd-reads-it", test_zstd_reads_it);
    CASE("times-stay", test_times_stay);
    CASE("while-it-is-read", test_while_it_is_read);
    CASE("both-are-there", test_both_are_there);
    CASE("no-room", test_no_room);
    CASE("broken", test_broken);
    return g_test_run();
}
