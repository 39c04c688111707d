/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-scan.h"

#include <string.h>

/* The members as "key=value;", then "!" when the object is malformed. */
static char *
walk(const char *text)
{
    gsize len = strlen(text);
    g_autofree char *copy = g_malloc(MAX(len, 1)); /* exact: nothing readable behind */
    memcpy(copy, text, len);
    g_autoptr(GString) out = g_string_new(NULL);
    SlSpan object = {copy, len}, key, value;
    gboolean escaped, bad = FALSE;
    for (gsize cursor = 0; sl_json_members_next(object, &cursor, &key, &escaped, &value, &bad);) {
        g_string_append_len(out, key.p, (gssize)key.n);
        g_string_append(out, escaped ? "~=" : "=");
        g_string_append_len(out, value.p, (gssize)value.n);
        g_string_append_c(out, ';');
    }
    if (bad)
        g_string_append_c(out, '!');
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void
test_walk(void)
{
    static const struct {
        const char *object, *members;
    } cases[] = {
        {"{}", ""},
        {" { } ", ""},
        {"{\"a\":1}", "a=1;"},
        {"{ \"a\" : 1 , \"b\" : \"x\" }", "a=1;b=\"x\";"},
        {"{\"a\":-1.5e3,\"b\":true,\"c\":null,\"d\":false}", "a=-1.5e3;b=true;c=null;d=false;"},
        {"{\"a\":{\"b\":{}},\"c\":[[],{\"d\":\"]\"}],\"e\":\"}\"}",
         "a={\"b\":{}};c=[[],{\"d\":\"]\"}];e=\"}\";"},
        {"{\"k\\\"\\u0041\":\"v\\\"\\\\\",\"\":0}", "k\\\"\\u0041~=\"v\\\"\\\\\";=0;"},
        {"{\"a\":1,\"a\":2}", "a=1;a=2;"},
        {"", "!"},
        {"[]", "!"},
        {"{", "!"},
        {"{,}", "!"},
        {"{\"a\"}", "!"},
        {"{\"a\":}", "!"},
        {"{\"a\":1", "a=1;!"},
        {"{\"a\":1,}", "a=1;!"},
        {"{\"a\":1 \"b\":2}", "a=1;!"},
        {"{\"a\":1}x", "a=1;!"},
        {"{}x", "!"},
        {"{\"a\":01}", "!"},
        {"{\"a\":NaN}", "!"},
        {"{\"a\":nul}", "!"},
        {"{\"a\":\"\xff\"}", "!"},
        {"{\"a\":\"x}", "!"},
        {"{\"a\":[1,2}", "!"},
        {"{\"a\":{\"b\":1}", "a={\"b\":1};!"},
        {"{\"a\":{\"b\":\"\\\"}", "!"},
        {"{a:1}", "!"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *members = walk(cases[i].object);
        g_autofree char *shown = g_strescape(cases[i].object, NULL);
        g_test_message("%s", shown);
        g_assert_cmpstr(members, ==, cases[i].members);
    }
}

/* Nested values of every length, so that their ends fall on every place of a block. */
static void
test_lengths(void)
{
    for (gsize n = 0; n < 200; n++) {
        g_autofree char *fill = g_strnfill(n, 'x');
        g_autofree char *value = g_strdup_printf("[{\"%s\":\"]}\\\"\"},\"\\\\\"]", fill);
        g_autofree char *object =
            g_strdup_printf("{\"a\":%s,\"b\":{\"%s\":1},\"c\":\"%s\"}", value, fill, fill);
        g_autofree char *want = g_strdup_printf("a=%s;b={\"%s\":1};c=\"%s\";", value, fill, fill);
        g_autofree char *members = walk(object);
        g_assert_cmpstr(members, ==, want);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/members/walk", test_walk);
    g_test_add_func("/json/members/lengths", test_lengths);
    return g_test_run();
}
