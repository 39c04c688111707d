/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-notice-text.h"

#include <glib/gstdio.h>
#include <string.h>

#include "sl-error.h"

#define THINGS                                                                                     \
    "\"workspace\":{\"id\":\"w\",\"name\":\"W\"},\"connection\":{\"id\":\"c\",\"name\":\"C\"},"    \
    "\"source\":{\"id\":\"s\",\"name\":\"S\"},\"destination\":{\"id\":\"d\",\"name\":\"D\"}"
#define RUN                                                                                        \
    "{" THINGS ",\"errorType\":\"config_error\",\"errorOrigin\":\"source\",\"errorMessage\":"      \
    "\"bad "                                                                                       \
    "\\\"password\\\"\",\"recordsCommitted\":7,\"recordsEmitted\":9,\"bytesCommitted\":1500,"      \
    "\"bytesEmitted\":999,\"jobId\":9007199254740993,\"success\":false,\"durationInSeconds\":61,"  \
    "\"startedAt\":\"2026-08-01T12:00:00Z\",\"finishedAt\":\"2026-08-01T12:01:01Z\","              \
    "\"recordsFilteredOut\":0,\"bytesFilteredOut\":0}"

#define URL "https://sluice.example"
#define DATA                                                                                       \
    "{\"workspace\":{\"id\":\"w\",\"name\":\"W\",\"url\":\"" URL "/workspaces/w\"},"               \
    "\"connection\":{\"id\":\"c\",\"name\":\"C\",\"url\":\"" URL "/workspaces/w/connections/c\"}," \
    "\"source\":{\"id\":\"s\",\"name\":\"S\",\"url\":\"" URL "/workspaces/w/source/s\"},"          \
    "\"destination\":{\"id\":\"d\",\"name\":\"D\",\"url\":\"" URL                                  \
    "/workspaces/w/destination/d\"},"                                                              \
    "\"jobId\":9007199254740993,\"success\":false,\"startedAt\":\"2026-08-01T12:00:00Z\","         \
    "\"finishedAt\":\"2026-08-01T12:01:01Z\",\"durationInSeconds\":61,\"durationFormatted\":"      \
    "\"1 min 1 sec\",\"bytesEmitted\":999,\"bytesEmittedFormatted\":\"999 B\","                    \
    "\"bytesCommitted\":1500,\"bytesCommittedFormatted\":\"1.5 kB\",\"recordsEmitted\":9,"         \
    "\"recordsCommitted\":7,\"recordsFilteredOut\":0,\"bytesFilteredOut\":0,"                      \
    "\"errorMessage\":\"bad \\\"password\\\"\",\"errorType\":\"config_error\","                    \
    "\"errorOrigin\":\"source\"}"

static SlNotification
row_of(const char *trigger, const char *facts)
{
    return (SlNotification){
        .workspace_id = (char *)"w", .trigger = (char *)trigger, .facts = (char *)facts};
}

static void
make(const char *trigger, const char *facts, const char *folder, SlNoticeText *ret)
{
    g_autoptr(GError) error = NULL;
    SlNotification row = row_of(trigger, facts);
    sl_notice_text(&row, URL, folder, ret, &error);
    g_assert_no_error(error);
}

/* The public payload, byte for byte. */
static void
test_payload(void)
{
    g_auto(SlNoticeText) text = {0};
    SlNotification row = row_of("failure", RUN);
    make("failure", RUN, NULL, &text);
    g_assert_cmpstr(text.subject, ==, "Sync failed: C");
    g_assert_cmpstr(text.data, ==, DATA);
    g_assert_cmpstr(text.text, ==,
                    "Connection: C\nSource: S\nDestination: D\nTook: 1 min 1 sec\n"
                    "Read: 9 records, 999 B\nLoaded: 7 records, 1.5 kB\n"
                    "Error (source, config_error): bad \"password\"\n\n" URL
                    "/workspaces/w/connections/c\n");
    g_autofree char *body = sl_notice_webhook(&row, &text, "https://hooks.slack.com/x");
    g_autofree char *head = g_strdup(
        "{\"text\":\"Sync failed: C\",\"blocks\":[{\"type\":\"section\",\"text\":{\"type\":"
        "\"mrkdwn\",\"text\":\"*Sync failed: C*\"}},{\"type\":\"divider\"},{\"type\":\"section\","
        "\"text\":{\"type\":\"mrkdwn\",\"text\":\"Connection: C\\nSource: S");
    g_assert_true(g_str_has_prefix(body, head));
    g_assert_true(g_str_has_suffix(body, "\\n\"}}],\"data\":" DATA "}"));
}

/* Google Chat takes a text and nothing else. */
static void
test_google_chat(void)
{
    static const struct {
        const char *url;
        gboolean google;
    } cases[] = {
        {"https://chat.googleapis.com/v1/spaces/x", TRUE},
        {"https://CHAT.googleapis.com:443/x?key=y", TRUE},
        {"https://example.org/chat.googleapis.com", FALSE},
        {"https://chat.googleapis.com.example.org/", FALSE},
        {"no address", FALSE},
    };
    g_auto(SlNoticeText) text = {0};
    SlNotification row = row_of("failure", RUN);
    make("failure", RUN, NULL, &text);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = sl_notice_webhook(&row, &text, cases[i].url);
        g_autoptr(SlJsonDoc) doc = sl_json_read(body, strlen(body), NULL, NULL);
        g_assert_cmpuint(sl_json_root(doc)->count, ==, cases[i].google ? 1 : 3);
        g_assert_nonnull(sl_json_get(doc, sl_json_root(doc), "text"));
    }
}

/* Every trigger has words, and none shows a placeholder; only runs have data. */
static void
test_triggers(void)
{
    static const struct {
        const char *trigger, *facts, *subject, *part;
        gboolean data;
    } cases[] = {
        {"success", RUN, "Sync succeeded: C", "Loaded: 7 records, 1.5 kB", TRUE},
        {"postSync", RUN, "Run ended: C", "Took: 1 min 1 sec", TRUE},
        {"connectionSyncQueued", "{" THINGS "}", "Sync queued: C", "Source: S", TRUE},
        {"syncDisabled", "{" THINGS ",\"failures\":30,\"days\":7}", "Connection disabled: C",
         "30 runs have failed in a row, for 7 days", FALSE},
        {"syncDisabledWarning", "{" THINGS ",\"failures\":20,\"days\":4}",
         "Connection will be disabled: C", "20 runs", FALSE},
        {"connectionUpdate", "{" THINGS ",\"changes\":[\"users: added\",\"b\"]}",
         "Schema changed: C", "\n- users: added\n- b\n", FALSE},
        {"connectionUpdateActionRequired", "{" THINGS ",\"changes\":[]}",
         "Schema changed, action required: C", "look at it", FALSE},
        {"breakingChangeWarning", "{" THINGS ",\"connectorName\":\"X\",\"deadline\":\"soon\"}",
         "Connector will change: X", "on soon", FALSE},
        {"breakingChangeSyncsDisabled", "{" THINGS ",\"connectorName\":\"X\"}",
         "Connector changed: X", "old version of X", FALSE},
        {"success", "{}", "Sync succeeded: ", "Took: \n", TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(SlNoticeText) text = {0};
        SlNotification row = row_of(cases[i].trigger, cases[i].facts);
        make(cases[i].trigger, cases[i].facts, NULL, &text);
        g_assert_cmpstr(text.subject, ==, cases[i].subject);
        g_assert_nonnull(strstr(text.text, cases[i].part));
        g_assert_null(strchr(text.text, '{'));
        g_autofree char *body = sl_notice_webhook(&row, &text, "https://x/");
        g_assert_cmpint(strstr(body, "\"data\":{") != NULL, ==, cases[i].data);
    }
    g_autoptr(GError) error = NULL;
    g_auto(SlNoticeText) text = {0};
    SlNotification row = row_of("rain", "{}");
    g_assert_false(sl_notice_text(&row, URL, NULL, &text, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
}

static void
test_formats(void)
{
    static const struct {
        const char *seconds, *bytes, *expected;
    } cases[] = {
        {"0", "0", "0 sec, 0 B"},
        {"59", "999", "59 sec, 999 B"},
        {"60", "1000", "1 min, 1.0 kB"},
        {"3661", "999949", "1 hours 1 min, 999.9 kB"},
        {"3605", "999999", "1 hours, 1.0 MB"},
        {"90061", "1500000000", "1 days 1 hours, 1.5 GB"},
        {"-5", "9000000000000000000", "-5 sec, 9000.0 PB"},
    };
    g_autofree char *folder = g_dir_make_tmp("sl-text-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "success.txt", NULL);
    g_assert_true(g_file_set_contents(
        path, "Subject: {durationFormatted}, {bytesCommittedFormatted}\n\nx", -1, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(SlNoticeText) text = {0};
        g_autofree char *facts = g_strdup_printf("{\"durationInSeconds\":%s,\"bytesCommitted\":%s}",
                                                 cases[i].seconds, cases[i].bytes);
        make("success", facts, folder, &text);
        g_assert_cmpstr(text.subject, ==, cases[i].expected);
    }
    g_unlink(path);
    g_rmdir(folder);
}

/* An administrator's template; names are not templates; one that is none is an error with its path.
 */
static void
test_own_templates(void)
{
    g_autofree char *folder = g_dir_make_tmp("sl-text-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "failure.txt", NULL);
    g_auto(SlNoticeText) text = {0}, plain = {0}, none = {0};
    g_autoptr(GError) error = NULL;
    g_assert_true(g_file_set_contents(
        path, "Subject: Oh: {connection.name}\n\n{jobId} {no.such} {source} {not a name} {\n", -1,
        NULL));
    make("failure", "{\"jobId\":3,\"connection\":{\"id\":\"c\",\"name\":\"{jobId}\"}}", folder,
         &text);
    g_assert_cmpstr(text.subject, ==, "Oh: {jobId}");
    g_assert_cmpstr(text.text, ==, "3   {not a name} {\n");
    make("success", RUN, folder, &plain);
    g_assert_cmpstr(plain.subject, ==, "Sync succeeded: C");
    g_assert_true(g_file_set_contents(path, "Dear all", -1, NULL));
    SlNotification row = row_of("failure", RUN);
    g_assert_false(sl_notice_text(&row, URL, folder, &none, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "failure.txt"));
    g_unlink(path);
    g_rmdir(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/notify/text/payload", test_payload);
    g_test_add_func("/notify/text/google-chat", test_google_chat);
    g_test_add_func("/notify/text/triggers", test_triggers);
    g_test_add_func("/notify/text/formats", test_formats);
    g_test_add_func("/notify/text/own-templates", test_own_templates);
    return g_test_run();
}
