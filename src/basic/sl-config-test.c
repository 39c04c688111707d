/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-config.h"

#include <glib/gstdio.h>

#include "sl-error.h"

static void
test_defaults(void)
{
    g_autoptr(SlConfig) config = sl_config_new();
    g_assert_cmpstr(config->database_url, ==, "");
    g_assert_cmpint(config->server_max_body, ==, 10 << 20);
    g_assert_cmpint(config->retry_backoff_max_usec, ==, 1800 * G_USEC_PER_SEC);
}

static void
test_parse(void)
{
    g_autoptr(SlConfig) config = sl_config_new();
    g_autoptr(GError) error = NULL;
    g_assert_true(sl_config_parse(config, "a.conf",
                                  "# comment\n[Server]\n  IdleSec = 2min 5s \n;x\nMaxBody=64K\n"
                                  "[Database]\nUrl=a=b\n",
                                  &error));
    g_assert_no_error(error);
    g_assert_cmpint(config->server_max_body, ==, 65536);
    g_assert_cmpint(config->server_idle_usec, ==, 125 * G_USEC_PER_SEC);
    g_assert_cmpstr(config->database_url, ==, "a=b");
}

static void
test_switches(void)
{
    static const struct {
        const char *word;
        gint64 value;
    } cases[] = {{"yes", 1}, {"no", 0},  {"TRUE", 1}, {"False", 0},
                 {"on", 1},  {"off", 0}, {"1", 1},    {"0", 0}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlConfig) config = sl_config_new();
        g_autoptr(GError) error = NULL;
        g_autofree char *text = g_strdup_printf("[Scheduler]\nJitter=%s", cases[i].word);
        g_assert_true(sl_config_parse(config, "f", text, &error));
        g_assert_no_error(error);
        g_assert_cmpint(config->scheduler_jitter, ==, cases[i].value);
    }
}

/* Each mistake names file, line and reason. */
static void
test_refused(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"Url=x", "f:1: 'Url=x' stands before the first section"},
        {"[Server]\n\nIdelSec=3",
         "f:3: unknown key 'IdelSec' in section [Server]; did you mean 'IdleSec'?"},
        {"[Server]\nthreads=3",
         "f:2: unknown key 'threads' in section [Server]; did you mean 'Threads'?"},
        {"[Server]\nLeaseSec=3", "f:2: unknown key 'LeaseSec' in section [Server]; it belongs to "
                                 "[Workload] or [Scheduler]"},
        {"[Server]\nColour=red", "f:2: unknown key 'Colour' in section [Server]"},
        {"[Server]\n=3", "f:2: unknown key '' in section [Server]"},
        {"[Sever]", "f:1: unknown section '[Sever]'; did you mean '[Server]'?"},
        {"[server]", "f:1: unknown section '[server]'; did you mean '[Server]'?"},
        {"[Kitchen]", "f:1: unknown section '[Kitchen]'"},
        {"[]", "f:1: unknown section '[]'"},
        {"[Server", "f:1: section without ']'"},
        {"[Server]\nMaxBody", "f:2: 'MaxBody' is no 'Key=value'"},
        {"[Server]\nMaxBody=lots", "f:2: MaxBody=: 'lots' is not a size; write for example '512M'"},
        {"[Server]\nThreads=0", "f:2: Threads=: '0' is out of range"},
        {"[Scheduler]\nJitter=maybe", "f:2: Jitter=: 'maybe' is not a switch; write 'yes' or 'no'"},
        {"[Server]\nThreads=four", "f:2: Threads=: 'four' is not a number"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlConfig) config = sl_config_new();
        g_autoptr(GError) error = NULL;
        g_assert_false(sl_config_parse(config, "f", cases[i].text, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_CONFIG);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

static void
test_files(void)
{
    g_autofree char *folder = g_dir_make_tmp("sl-config-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "sluice.conf", NULL);
    g_autofree char *drop_ins = g_strconcat(path, ".d", NULL);
    g_autofree char *late = g_build_filename(drop_ins, "90-late.conf", NULL);
    g_autofree char *early = g_build_filename(drop_ins, "10-early.conf", NULL);
    g_autofree char *ignored = g_build_filename(drop_ins, "README", NULL);
    g_assert_cmpint(g_mkdir(drop_ins, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, "[Server]\nThreads=2\n", -1, NULL));
    g_assert_true(g_file_set_contents(late, "[Server]\nThreads=9\n", -1, NULL));
    g_assert_true(g_file_set_contents(early, "[Server]\nThreads=5\nIdleSec=7\n", -1, NULL));
    g_assert_true(g_file_set_contents(ignored, "no syntax at all", -1, NULL));

    g_autoptr(GError) error = NULL;
    g_autoptr(SlConfig) config = sl_config_load(path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(config->server_threads, ==, 9);
    g_assert_cmpint(config->server_idle_usec, ==, 7 * G_USEC_PER_SEC);

    g_assert_true(g_file_set_contents(late, "[Workload]\nHeartbeatSec=1min\n", -1, NULL));
    g_assert_null(sl_config_load(path, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "third of LeaseSec="));

    const char *all[] = {late, early, ignored, path};
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
        g_assert_cmpint(g_unlink(all[i]), ==, 0);
    g_rmdir(drop_ins);
    g_rmdir(folder);
}

/* The shipped file is all comments, and each commented default is a legal value. */
/* What a connection has of its own, over a copy of the host's. */
static void
test_own(void)
{
    static const struct {
        const char *name, *value, *shown, *message; /* one of the last two */
    } cases[] = {
        {"RetryCompleteSuccessive", "3", "3", NULL},
        {"RetryBackoffMinSec", "90", "90s", NULL},
        {"RetryBackoffMaxSec", "2h", "2h", NULL},
        {"RetryBackoffMinSec", "0", "0s", NULL},
        {"WarnAfterSec", "2880min", "2d", NULL},
        {"WarnAfterSec", "1500ms", "1500ms", NULL},
        {"DisableAfterFailures", "0", "0", NULL},
        {"CatchUp", "off", "no", NULL},
        {"CatchUp", "maybe", NULL, "CatchUp: 'maybe' is not a switch"},
        {"RetryCompleteTotal", "0", NULL, "RetryCompleteTotal: '0' is out of range"},
        {"RetryCompleteTotal", "many", NULL, "RetryCompleteTotal: 'many' is not a number"},
        {"RetryBackoffMaxSec", "8d", NULL, "out of range"},
        {"Catchup", "yes", NULL, "did you mean 'CatchUp'?"},
        {"LeaseSec", "5s", NULL, "LeaseSec: no property of a connection"},
        {"Url", "x", NULL, "Url: no property of a connection"},
    };
    g_autoptr(SlConfig) host = sl_config_new();
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlConfig) own = sl_config_copy(host);
        g_autoptr(GError) error = NULL;
        gboolean ok = sl_config_set_own(own, cases[i].name, cases[i].value, &error);
        g_test_message("%s=%s", cases[i].name, cases[i].value);
        g_assert_cmpint(ok, ==, cases[i].message == NULL);
        if (ok) {
            g_autofree char *shown = sl_config_get_own(own, cases[i].name);
            g_assert_cmpstr(shown, ==, cases[i].shown);
            continue;
        }
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
    /* the host's stay, each reads as it is written, and they must fit together */
    for (const char *const *name = sl_config_own_keys(); *name != NULL; name++) {
        g_autoptr(SlConfig) same = sl_config_copy(host);
        g_autofree char *text = sl_config_get_own(host, *name);
        g_assert_true(sl_config_set_own(same, *name, text, NULL));
        g_autofree char *again = sl_config_get_own(same, *name);
        g_assert_cmpstr(again, ==, text);
    }
    g_autoptr(SlConfig) wrong = sl_config_copy(host);
    g_autoptr(GError) error = NULL;
    g_assert_true(sl_config_check_own(wrong, &error));
    g_assert_true(sl_config_set_own(wrong, "RetryBackoffMinSec", "1h", &error));
    g_assert_false(sl_config_check_own(wrong, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_assert_null(sl_config_get_own(host, "LeaseSec"));
}

static void
test_describe(void)
{
    g_autofree char *text = sl_config_describe();
    g_autoptr(GRegex) regex = g_regex_new("^#([A-Za-z]+=)", G_REGEX_MULTILINE, 0, NULL);
    g_autofree char *active = g_regex_replace(regex, text, -1, 0, "\\1", 0, NULL);
    g_assert_cmpstr(active, !=, text);
    g_autoptr(SlConfig) config = sl_config_new();
    g_autoptr(GError) error = NULL;
    sl_config_parse(config, "described", active, &error);
    g_assert_no_error(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/basic/config/defaults", test_defaults);
    g_test_add_func("/basic/config/parse", test_parse);
    g_test_add_func("/basic/config/switches", test_switches);
    g_test_add_func("/basic/config/refused", test_refused);
    g_test_add_func("/basic/config/files", test_files);
    g_test_add_func("/basic/config/own", test_own);
    g_test_add_func("/basic/config/describe", test_describe);
    return g_test_run();
}
