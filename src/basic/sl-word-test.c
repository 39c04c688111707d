/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-word.h"

static void
test_nearest(void)
{
    static const char *const words[] = {"list-sources", "list-connections", "sync", "show", NULL};
    g_assert_cmpstr(sl_word_nearest("list-conections", words), ==, "list-connections");
    g_assert_cmpstr(sl_word_nearest("snyc", words), ==, "sync");
    g_assert_cmpstr(sl_word_nearest("list-s", words), ==, "list-sources");
    g_assert_null(sl_word_nearest("zzz", words));
    g_assert_null(sl_word_nearest("", words));
    g_assert_null(sl_word_nearest("sync", words + 4)); /* no words at all */
    g_autofree char *long_word = g_strnfill(100000, 's');
    g_assert_null(sl_word_nearest(long_word, words));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/basic/word/nearest", test_nearest);
    return g_test_run();
}
