/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "fuzz.h"

#include <string.h>

/* fuzz-TARGET-replay FOLDER: the inputs of a folder through a target, in a build without libFuzzer;
 * each also without its end, and with one byte changed. TAP. */

static void
run(const char *data, gsize len)
{
    g_autofree char *copy = fuzz_copy(data, len, 0); /* libFuzzer's inputs have nothing behind */
    LLVMFuzzerTestOneInput((const uint8_t *)copy, len);
}

static void
run_damaged(const char *data, gsize len)
{
    gsize step = MAX(len / 64, 1);
    g_autofree char *copy = g_memdup2(data, MAX(len, 1));
    for (gsize i = 0; i < len; i += step) {
        run(data, i);
        copy[i] ^= 0x04;
        run(copy, len);
        copy[i] = data[i];
    }
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = argc == 2 ? g_dir_open(argv[1], 0, &error) : NULL;
    guint n = 0;
    if (dir == NULL) {
        g_printerr("%s\n", error != NULL ? error->message : "usage: replay FOLDER");
        return 2;
    }
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(argv[1], name, NULL), *data = NULL;
        gsize len;
        if (!g_file_get_contents(path, &data, &len, &error)) {
            g_printerr("%s\n", error->message);
            return 1;
        }
        run(data, len);
        run_damaged(data, len);
        g_print("ok %u %s\n", ++n, name);
    }
    g_print("1..%u\n", n);
    return n > 0 ? 0 : 1;
}
