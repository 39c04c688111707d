/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-state-text.h"

#include <string.h>

#define A "{\"stream_descriptor\":{\"name\":\"a\"},\"stream_state\":{\"n\":1.10}}"
#define B "{\"stream_descriptor\":{\"name\":\"b\",\"namespace\":\"x\"},\"stream_state\":null}"
#define API_A "{\"streamDescriptor\":{\"name\":\"a\"},\"streamState\":{\"n\":1.10}}"
#define STREAM(stream) "{\"type\":\"STREAM\",\"stream\":" stream "}"
#define GLOBAL(shared, streams)                                                                    \
    "{\"type\":\"GLOBAL\",\"global\":{" shared "\"stream_states\":[" streams "]}}"
#define ENVELOPE(message) "{\"type\":\"STATE\",\"state\":" message "}"

/* Whatever is read: as the request of the API, and as messages. */
static const struct {
    const char *name, *text, *request, *messages;
} cases[] = {
    {"array", "[" STREAM(A) "," STREAM(B) "]",
     "\"stateType\":\"stream\",\"streamState\":[" API_A ",{\"streamDescriptor\":{\"name\":\"b\","
     "\"namespace\":\"x\"},\"streamState\":null}]",
     "[\n" STREAM(A) ",\n" STREAM(B) "\n]\n"},
    {"one", STREAM(A), "\"stateType\":\"stream\",\"streamState\":[" API_A "]",
     "[\n" STREAM(A) "\n]\n"},
    {"envelope", "[" ENVELOPE(STREAM(A)) "]",
     "\"stateType\":\"stream\",\"streamState\":[" API_A "]", "[\n" STREAM(A) "\n]\n"},
    {"last-wins",
     "[" STREAM("{\"stream_descriptor\":{\"name\":\"a\"},\"stream_state\":{}}") "," STREAM(A) "]",
     "\"stateType\":\"stream\",\"streamState\":[" API_A "]", "[\n" STREAM(A) "\n]\n"},
    {"lines",
     ENVELOPE(STREAM(A)) "\n{\"type\":\"RECORD\",\"record\":{}}\n\n{\"type\":\"LOG\",\"log\":{}}\n",
     "\"stateType\":\"stream\",\"streamState\":[" API_A "]", "[\n" STREAM(A) "\n]\n"},
    {"api", "{\"connectionId\":\"c\",\"stateType\":\"stream\",\"streamState\":[" API_A "]}",
     "\"stateType\":\"stream\",\"streamState\":[" API_A "]", "[\n" STREAM(A) "\n]\n"},
    {"global", "[" GLOBAL("\"shared_state\":{\"l\":1},", A) "]",
     "\"stateType\":\"global\",\"globalState\":{\"shared_state\":{\"l\":1},\"streamStates\":[" API_A
     "]}",
     "[\n" GLOBAL("\"shared_state\":{\"l\":1},", A) "\n]\n"},
    {"global-of-api",
     "{\"stateType\":\"global\",\"globalState\":{\"sharedState\":{},\"streamStates\":[]}}",
     "\"stateType\":\"global\",\"globalState\":{\"shared_state\":{},\"streamStates\":[]}",
     "[\n" GLOBAL("\"shared_state\":{},", "") "\n]\n"},
    {"global-null", GLOBAL("\"shared_state\":null,", ""),
     "\"stateType\":\"global\",\"globalState\":{\"shared_state\":null,\"streamStates\":[]}",
     "[\n" GLOBAL("\"shared_state\":null,", "") "\n]\n"},
    {"legacy", "{\"data\":{\"c\":\"\\u00e4\"}}",
     "\"stateType\":\"legacy\",\"state\":{\"c\":\"\\u00e4\"}",
     "[\n{\"type\":\"LEGACY\",\"data\":{\"c\":\"\\u00e4\"}}\n]\n"},
    {"legacy-null", "{\"type\":\"LEGACY\",\"data\":null}",
     "\"stateType\":\"legacy\",\"state\":null", "[\n{\"type\":\"LEGACY\",\"data\":null}\n]\n"},
    {"nothing", "[]", "\"stateType\":\"not_set\"", "[\n]\n"},
    {"not-set", "{\"stateType\":\"not_set\",\"connectionId\":\"c\"}", "\"stateType\":\"not_set\"",
     "[\n]\n"},
};

static void
test_read(gconstpointer data)
{
    const char *const *row = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(CtlState) state = ctl_state_parse(row[1], strlen(row[1]), "f", &error);
    g_assert_no_error(error);
    g_autofree char *request = ctl_state_print_request(state, "ID");
    g_autofree char *expected = g_strdup_printf(
        "{\"connectionId\":\"ID\",\"connectionState\":{\"connectionId\":\"ID\",%s}}", row[2]);
    g_assert_cmpstr(request, ==, expected);
    g_autofree char *messages = ctl_state_print_messages(state);
    g_assert_cmpstr(messages, ==, row[3]);
    /* what was written is read again, to the same */
    g_autoptr(CtlState) again = ctl_state_parse(messages, strlen(messages), "f", &error);
    g_assert_no_error(error);
    g_autofree char *same = ctl_state_print_request(again, "ID");
    g_assert_cmpstr(same, ==, expected);
}

static const struct {
    const char *text, *message;
} refused[] = {
    {"", "f: "},
    {"{", "f: "},
    {"{}", "f: a STATE message has the type"},
    {"7", "f: a STATE message has the type"},
    {"[7]", "f: a STATE message has the type"},
    {"{\"cursor\":1}", "f: a STATE message has the type"},
    {"[{\"type\":\"NEW\"}]", "f: a STATE message has the type"},
    {"[{\"type\":\"STATE\"}]", "f: a STATE message has the type"},
    {"[{\"type\":\"STREAM\"}]", "f: a stream state has no stream_descriptor.name"},
    {STREAM("{\"stream_descriptor\":{\"name\":\"\"}}"), "no stream_descriptor.name"},
    {STREAM("{\"stream_descriptor\":{\"name\":\"a\"},\"stream_state\":7}"),
     "f: the state of stream 'a' is no object"},
    {"[{\"type\":\"GLOBAL\",\"global\":{}}]", "f: the list of stream states is missing"},
    {"[{\"type\":\"GLOBAL\",\"global\":{\"shared_state\":[],\"stream_states\":[]}}]",
     "f: the shared state is no object"},
    {"[" STREAM(A) "," GLOBAL("", "") "]", "f: states of types 'stream' and 'global' cannot be"},
    {"{\"stateType\":\"STREAM\"}", "f: stateType is not"},
    {"{\"stateType\":\"stream\"}", "f: the list of stream states is missing"},
    {STREAM(A) "\n{\"type\":\"STREAM\"}\n", "f, line 2: a stream state has no"},
    {STREAM(A) "\n{oops\n", "f, line 2: "},
};

static void
test_refused(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(CtlState) state =
            ctl_state_parse(refused[i].text, strlen(refused[i].text), "f", &error);
        g_assert_null(state);
        if (strstr(error->message, refused[i].message) == NULL)
            g_test_message("%s: %s", refused[i].text, error->message);
        g_assert_nonnull(strstr(error->message, refused[i].message));
    }
}

static void
test_forget(void)
{
    static const char old_text[] = GLOBAL(
        "\"shared_state\":{},", A ",{\"stream_descriptor\":{\"name\":\"b\"},\"stream_state\":{}}");
    static const char new_text[] = GLOBAL("", A);
    g_autoptr(CtlState) old = ctl_state_parse(old_text, strlen(old_text), "f", NULL);
    g_autoptr(CtlState) wanted = ctl_state_parse(new_text, strlen(new_text), "f", NULL);
    ctl_state_forget_others(wanted, old);
    g_autofree char *messages = ctl_state_print_messages(wanted);
    g_assert_cmpstr(
        messages, ==,
        "[\n" GLOBAL("\"shared_state\":null,",
                     A ",{\"stream_descriptor\":{\"name\":\"b\"},\"stream_state\":null}") "\n]\n");
    g_autoptr(CtlState) nothing = ctl_state_forget_all(old);
    g_assert_null(ctl_state_find(nothing, "a", NULL)->state);
    g_assert_null(ctl_state_find(nothing, "b", "")->state);
    g_assert_true(nothing->forget);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/ctl/state-text/", cases[i].name, NULL);
        g_test_add_data_func(path, &cases[i], test_read);
    }
    g_test_add_func("/ctl/state-text/refused", test_refused);
    g_test_add_func("/ctl/state-text/forget", test_forget);
    return g_test_run();
}
