/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-row.h"

#include "sl-error.h"

#define SPAN(text)                                                                                 \
    (SlSpan)                                                                                       \
    {                                                                                              \
        (text), strlen(text)                                                                       \
    }

/* One row taken apart again: n fields, NULL for null. */
typedef struct {
    guint n;
    GBytes *fields[32];
} Fields;

static guint
get(const guint8 **p, guint bytes)
{
    guint value = 0;
    for (guint i = 0; i < bytes; i++)
        value = value << 8 | *(*p)++;
    return value;
}

static void
take_apart(const DestpgBuffer *b, Fields *ret)
{
    const guint8 *p = b->data, *end = p + b->len;
    ret->n = get(&p, 2);
    g_assert_cmpuint(ret->n, <=, G_N_ELEMENTS(ret->fields));
    for (guint i = 0; i < ret->n; i++) {
        guint length = get(&p, 4);
        ret->fields[i] = length == G_MAXUINT32 ? NULL : g_bytes_new(p, length);
        p += length == G_MAXUINT32 ? 0 : length;
    }
    g_assert_true(p == end);
}

static void
fields_clear(Fields *fields)
{
    for (guint i = 0; i < fields->n; i++)
        g_clear_pointer(&fields->fields[i], g_bytes_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fields, fields_clear)

static void
assert_field(const Fields *fields, guint i, const char *text)
{
    g_assert_cmpuint(i, <, fields->n);
    if (text == NULL) {
        g_assert_null(fields->fields[i]);
        return;
    }
    gsize n;
    g_assert_nonnull(fields->fields[i]);
    const char *p = g_bytes_get_data(fields->fields[i], &n);
    g_autofree char *got = g_strndup(n > 0 ? p : "", n);
    g_assert_cmpstr(got, ==, text);
    g_assert_cmpuint(n, ==, strlen(text));
}

static const DestpgField three[] = {
    {"a", DESTPG_VARCHAR}, {"b\"q", DESTPG_VARCHAR}, {"c", DESTPG_BIGINT}};

typedef struct {
    const char *data, *meta_in;
    const char *a, *b; /* columns a and b"q */
    gboolean c;        /* c is 7 (TRUE) or NULL */
    const char *changes;
} Case;

static const Case cases[] = {
    {"{\"a\":\"x\",\"b\\\"q\":\"y\",\"c\":7}", "", "x", "y", TRUE, ""},
    {"{\"c\":7,\"a\":\"x\"}", "", "x", NULL, TRUE, ""},
    {"{}", "", NULL, NULL, FALSE, ""},
    {" { \"a\" : \"\" , \"zzz\" : [1,{\"a\":2}] , \"c\" : 7 } ", "", "", NULL, TRUE, ""},
    {"{\"a\":\"1\",\"a\":\"2\"}", "", "2", NULL, FALSE, ""},
    {"{\"\\u0061\":\"x\"}", "", "x", NULL, FALSE, ""},
    {"{\"a\":\"nul\\u0000!\"}", "", "nul!", NULL, FALSE, ""},
    {"{\"a\":\"\\ud83d\\ude00\\n\"}", "", "\xf0\x9f\x98\x80\n", NULL, FALSE, ""},
    {"{\"a\":\"\\ud83d\",\"c\":7}", "", "\xef\xbf\xbd", NULL, TRUE, ""},
    {"{\"a\":\"\xff\xc3\"}", "", "\xef\xbf\xbd\xef\xbf\xbd", NULL, FALSE, ""},
    {"{\"a\":NaN,\"c\":7}", "", "NaN", NULL, TRUE, ""},
    {"{\"c\":NaN}", "", NULL, NULL, FALSE,
     "{\"field\":\"c\",\"change\":\"NULLED\",\"reason\":\"DESTINATION_SERIALIZATION_ERROR\"}"},
    {"{\"c\":9223372036854775808}", "", NULL, NULL, FALSE,
     "{\"field\":\"c\",\"change\":\"NULLED\",\"reason\":\"DESTINATION_FIELD_SIZE_LIMITATION\"}"},
    {"{\"a\":{\"k\":[1, 2]},\"b\\\"q\":true}", "", "{\"k\":[1, 2]}", "true", FALSE, ""},
    {"{\"c\":\"x\"}", "{\"changes\":[{\"field\":\"u\",\"change\":\"NULLED\",\"reason\":\"R\"}]}",
     NULL, NULL, FALSE,
     "{\"field\":\"u\",\"change\":\"NULLED\",\"reason\":\"R\"},"
     "{\"field\":\"c\",\"change\":\"NULLED\",\"reason\":\"DESTINATION_SERIALIZATION_ERROR\"}"},
    {"{\"c\":7}", "{\"changes\":[]}", NULL, NULL, TRUE, ""},
    {"{\"c\":7}", "{\"changes\":[broken}", NULL, NULL, TRUE, ""},
    {"{\"c\":7}", "{\"changes\":[{\"field\":\"n\\u0000\"}]}", NULL, NULL, TRUE,
     "{\"field\":\"n\"}"},
};

static void
test_rows(void)
{
    g_autoptr(DestpgRow) row = destpg_row_new(three, 3, FALSE, 12, 5);
    g_auto(DestpgBuffer) out = {0};
    g_auto(DestpgScratch) scratch = {0};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *c = &cases[i];
        g_autoptr(GError) error = NULL;
        g_test_message("case %u", i);
        out.len = 0;
        destpg_row_append(row, &out, SPAN(c->data), SPAN("946684800001"), SPAN(c->meta_in),
                          &scratch, &error);
        g_assert_no_error(error);
        g_auto(Fields) fields = {0};
        take_apart(&out, &fields);
        g_assert_cmpuint(fields.n, ==, 7);
        g_assert_cmpuint(g_bytes_get_size(fields.fields[0]), ==, 36);
        g_assert_cmpmem(g_bytes_get_data(fields.fields[1], NULL), 8, "\0\0\0\0\0\0\003\350", 8);
        g_assert_cmpmem(g_bytes_get_data(fields.fields[2], NULL), 8, "\0\0\0\0\0\0\0\005", 8);
        assert_field(&fields, 3, c->a);
        assert_field(&fields, 4, c->b);
        g_assert_cmpint(fields.fields[5] != NULL, ==, c->c);
        if (c->c)
            g_assert_cmpmem(g_bytes_get_data(fields.fields[5], NULL), 8, "\0\0\0\0\0\0\0\007", 8);
        g_autofree char *meta =
            g_strdup_printf("\001{\"sync_id\":12,\"changes\":[%s]}", c->changes);
        assert_field(&fields, 6, meta);
    }
}

static void
test_refused(void)
{
    static const char *const bad[] = {"{\"a\" 1}", "{\"a\":}", "{a:1}", "{\"a\":1"};
    g_autoptr(DestpgRow) row = destpg_row_new(three, 3, FALSE, 12, 5);
    g_auto(DestpgBuffer) out = {0};
    g_auto(DestpgScratch) scratch = {0};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(
            destpg_row_append(row, &out, SPAN(bad[i]), SPAN("1"), SPAN(""), &scratch, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_CONNECTOR);
        g_assert_cmpuint(out.len, ==, 0);
    }
}

static void
test_raw(void)
{
    g_autoptr(DestpgRow) row = destpg_row_new(NULL, 0, TRUE, 1, 0);
    g_auto(DestpgBuffer) out = {0};
    g_auto(DestpgScratch) scratch = {0};
    g_autoptr(GError) error = NULL;
    destpg_row_append(row, &out, SPAN("{\"a\": null, \"b\": [1, null], \"c\":\"x\"}"), SPAN(""),
                      SPAN(""), &scratch, &error);
    g_assert_no_error(error);
    g_auto(Fields) fields = {0};
    take_apart(&out, &fields);
    g_assert_cmpuint(fields.n, ==, 5);
    assert_field(&fields, 3, "\001{\"b\":[1, null],\"c\":\"x\"}");
}

static void
test_ids(void)
{
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    g_autoptr(DestpgRow) row = destpg_row_new(three, 3, FALSE, 1, 0);
    g_auto(DestpgBuffer) out = {0};
    g_auto(DestpgScratch) scratch = {0};
    for (guint i = 0; i < 2000; i++) {
        out.len = 0;
        g_assert_true(
            destpg_row_append(row, &out, SPAN("{}"), SPAN("1"), SPAN(""), &scratch, NULL));
        g_assert_cmpint(out.data[2 + 4 + 14], ==, '4'); /* version */
        g_assert_true(g_hash_table_add(seen, g_bytes_new(out.data + 6, 36)));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/destination-postgres/row/rows", test_rows);
    g_test_add_func("/destination-postgres/row/refused", test_refused);
    g_test_add_func("/destination-postgres/row/raw", test_raw);
    g_test_add_func("/destination-postgres/row/ids", test_ids);
    return g_test_run();
}
