/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-catalog.h"

#include <string.h>

#include "sl-error.h"

#define STREAM(inner, rest)                                                                        \
    "{\"stream\":{" inner ",\"json_schema\":{},\"supported_sync_modes\":[\"full_refresh\"]},"      \
    "\"sync_mode\":\"full_refresh\"," rest "}"
#define ONE(inner, rest) "{\"streams\":[" STREAM(inner, rest) "]}"
#define APPEND "\"destination_sync_mode\":\"append\""

static SlCatalog *
parse(const char *text, const SlCatalogNames *names)
{
    g_autoptr(GError) error = NULL;
    SlCatalog *catalog = sl_catalog_parse(text, strlen(text), names, &error);
    g_assert_no_error(error);
    g_assert_nonnull(catalog);
    return catalog;
}

static void
refuse(const char *text, const SlCatalogNames *names, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(sl_catalog_parse(text, strlen(text), names, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    if (strstr(error->message, message) == NULL)
        g_assert_cmpstr(error->message, ==, message);
}

static void
test_fields(void)
{
    g_autoptr(SlCatalog) catalog =
        parse("{\"streams\":[" STREAM(
                  "\"name\":\"a\",\"namespace\":\"n\",\"is_resumable\":true",
                  "\"destination_sync_mode\":\"overwrite\",\"generation_id\":3,"
                  "\"minimum_generation_id\":3,\"sync_id\":9") "," STREAM("\"name\":\"b\","
                                                                          "\"namespace\":\"\"",
                                                                          APPEND) "]}",
              NULL);
    g_assert_cmpuint(catalog->n_streams, ==, 2);
    const SlCatalogStream *a = &catalog->streams[0], *b = &catalog->streams[1];
    g_assert_cmpstr(a->name, ==, "a");
    g_assert_cmpstr(a->ns, ==, "n");
    g_assert_true(a->resumable);
    g_assert_cmpint(a->destination_mode, ==, SL_DESTINATION_OVERWRITE);
    g_assert_cmpint(a->generation_id, ==, 3);
    g_assert_cmpint(a->minimum_generation_id, ==, 3);
    g_assert_cmpint(a->sync_id, ==, 9);
    g_assert_false(a->renamed);
    g_assert_null(b->ns); /* "" is no namespace */
    g_assert_cmpstr(b->to_ns_json, ==, "null");
    g_assert_cmpint(b->generation_id, ==, 0);
}

static void
test_names(void)
{
    static const struct {
        SlCatalogNames names;
        const char *ns, *to_ns, *to_name;
        gboolean renamed;
    } cases[] = {
        {{NULL, NULL, NULL}, "n", "n", "s", FALSE},
        {{"source", "ignored", ""}, "n", "n", "s", FALSE},
        {{"SOURCE", NULL, "p_"}, "n", "n", "p_s", TRUE},
        {{"destination", NULL, NULL}, "n", NULL, "s", TRUE},
        {{"destination", NULL, NULL}, NULL, NULL, "s", FALSE},
        {{"customformat", "x_${SOURCE_NAMESPACE}_y", NULL}, "n", "x_n_y", "s", TRUE},
        {{"custom_format", "${SOURCE_NAMESPACE}", NULL}, NULL, NULL, "s", FALSE},
        {{"customformat", "  ", NULL}, "n", NULL, "s", TRUE},
        {{"customformat", "fixed", "   "}, NULL, "fixed", "s", TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *inner =
            cases[i].ns != NULL
                ? g_strdup_printf("\"name\":\"s\",\"namespace\":\"%s\"", cases[i].ns)
                : g_strdup("\"name\":\"s\",\"namespace\":null");
        g_autofree char *text = g_strdup_printf(
            "{\"streams\":[{\"stream\":{%s},\"sync_mode\":\"full_refresh\"," APPEND "}]}", inner);
        g_autoptr(SlCatalog) catalog = parse(text, &cases[i].names);
        g_assert_cmpstr(catalog->streams[0].to_ns, ==, cases[i].to_ns);
        g_assert_cmpstr(catalog->streams[0].to_name, ==, cases[i].to_name);
        g_assert_cmpint(catalog->streams[0].renamed, ==, cases[i].renamed);
    }
}

static void
test_refused(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{", "catalog: "},
        {"{}", "catalog.streams: expected an array"},
        {"{\"streams\":[1]}", "catalog.streams[0]: expected an object"},
        {"{\"streams\":[{}]}", "catalog.streams[0].stream: expected an object"},
        {ONE("\"x\":1", APPEND), "catalog.streams[0].stream.name: missing"},
        {ONE("\"name\":\" \"", APPEND), "catalog.streams[0].stream.name: missing"},
        {ONE("\"name\":5", APPEND), "catalog.streams[0].stream.name: expected a string"},
        {ONE("\"name\":\"a\\u0000b\"", APPEND), "expected a string without NUL"},
        {ONE("\"name\":\"a\"", "\"x\":1"), "catalog.streams[0].destination_sync_mode: missing"},
        {ONE("\"name\":\"a\"", "\"destination_sync_mode\":\"merge\""),
         "catalog.streams[0].destination_sync_mode: unknown value \"merge\""},
        {ONE("\"name\":\"a\"", APPEND ",\"generation_id\":\"1\""),
         "catalog.streams[0].generation_id: expected an integer"},
        {ONE("\"name\":\"a\"", APPEND ",\"generation_id\":5,\"minimum_generation_id\":4"),
         "catalog.streams[0].minimum_generation_id: 4 is neither 0 nor the generation_id (5)"},
        {ONE("\"name\":\"a\"", APPEND ",\"generation_id\":5,\"minimum_generation_id\":6"),
         "6 is neither 0 nor the generation_id (5)"},
        {ONE("\"name\":\"a\"", "\"destination_sync_mode\":\"append_dedup\""),
         "catalog.streams[0].primary_key: stream 'a' is to be deduplicated"},
        {"{\"streams\":[" STREAM("\"name\":\"a\",\"namespace\":null", APPEND) "," STREAM(
             "\"name\":\"a\",\"namespace\":\"\"", APPEND) "]}",
         "catalog.streams[1]: stream 'a' is there twice"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        refuse(cases[i].text, NULL, cases[i].message);
    refuse("{\"streams\":[" STREAM("\"name\":\"a\",\"namespace\":\"x\"", APPEND) "," STREAM(
               "\"name\":\"a\",\"namespace\":\"y\"", APPEND) "]}",
           &(SlCatalogNames){"destination", NULL, NULL},
           "catalog.streams[1]: streams 'x.a' and 'y.a' would both be 'a' at the destination");
    refuse(ONE("\"name\":\"a\"", APPEND), &(SlCatalogNames){"elsewhere", NULL, NULL},
           "namespaceDefinition: unknown value 'elsewhere'");
}

static void
test_down_conversion(void)
{
    static const char *const modes[][4] = {
        /* mode, source, destination with refreshes, without */
        {"append", "append", "append", "append"},
        {"overwrite", "overwrite", "append", "overwrite"},
        {"append_dedup", "append_dedup", "append_dedup", "append_dedup"},
        {"overwrite_dedup", "overwrite", "append_dedup", "overwrite"},
        {"update", "append", "update", "update"},
        {"soft_delete", "append", "soft_delete", "soft_delete"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autofree char *text =
            g_strdup_printf("{\"streams\":[{\"stream\":{\"name\":\"a\"},\"sync_mode\":"
                            "\"full_refresh\",\"primary_key\":[[\"id\"]],"
                            "\"destination_sync_mode\":\"%s\"}]}",
                            modes[i][0]);
        g_autoptr(SlCatalog) catalog = parse(text, NULL);
        for (guint j = 0; j < 3; j++) {
            g_autofree char *written = j == 0 ? sl_catalog_write_source(catalog)
                                              : sl_catalog_write_destination(catalog, j == 1);
            g_autofree char *expected =
                g_strdup_printf("{\"streams\":[{\"stream\":{\"name\":\"a\"},"
                                "\"destination_sync_mode\":\"%s\",\"sync_mode\":\"full_refresh\","
                                "\"primary_key\":[[\"id\"]]}]}",
                                modes[i][j + 1]);
            g_assert_cmpstr(written, ==, expected);
        }
    }
}

static void
test_writing_keeps_bytes(void)
{
    g_autoptr(SlCatalog) catalog =
        parse("{\"streams\":[{\"fields\":[],\"mappers\":[],\"stream\":{\"name\":\"a\\u0062\","
              "\"namespace\":null,\"json_schema\":{\"x\":1.50e+1,\"\\u00e9\":\"\\/\"}},"
              "\"sync_mode\":\"incremental\",\"cursor_field\":[\"c\"],\"later\":{\"k\":1E2},"
              "\"destination_sync_mode\":\"append\",\"generation_id\":7}]}",
              &(SlCatalogNames){"customformat", "out", "p_"});
    g_autofree char *source = sl_catalog_write_source(catalog);
    g_assert_cmpstr(source, ==,
                    "{\"streams\":[{\"stream\":{\"name\":\"a\\u0062\",\"namespace\":null,"
                    "\"json_schema\":{\"x\":1.50e+1,\"\\u00e9\":\"\\/\"}},"
                    "\"destination_sync_mode\":\"append\",\"sync_mode\":\"incremental\","
                    "\"cursor_field\":[\"c\"],\"later\":{\"k\":1E2},\"generation_id\":7}]}");
    g_autofree char *destination = sl_catalog_write_destination(catalog, TRUE);
    g_assert_cmpstr(destination, ==,
                    "{\"streams\":[{\"stream\":{\"name\":\"p_ab\",\"namespace\":\"out\","
                    "\"json_schema\":{\"x\":1.50e+1,\"\\u00e9\":\"\\/\"}},"
                    "\"destination_sync_mode\":\"append\",\"sync_mode\":\"incremental\","
                    "\"cursor_field\":[\"c\"],\"later\":{\"k\":1E2},\"generation_id\":7}]}");
}

#define MAPPED                                                                                     \
    "{\"streams\":[{\"selectedFields\":[{\"fieldPath\":[\"id\"]},{\"fieldPath\":[\"m\"]}],"        \
    "\"mappers\":[{\"type\":\"hashing\",\"mapperConfiguration\":{\"targetField\":\"m\"}},"         \
    "{\"type\":\"field-renaming\",\"mapperConfiguration\":{\"originalFieldName\":\"id\","          \
    "\"newFieldName\":\"key\"}}],\"stream\":{\"name\":\"a\",\"json_schema\":{\"properties\":{"     \
    "\"id\":{\"x\":1.50},\"m\":{},\"other\":{}},\"$id\":\"\\u0041\"},\"source_defined_primary_"    \
    "key\":"                                                                                       \
    "[[\"id\"]]},\"sync_mode\":\"incremental\",\"cursor_field\":[\"id\"],\"primary_key\":[["       \
    "\"id\"]],"                                                                                    \
    "\"destination_sync_mode\":\"append_dedup\"}]}"

/* The source: its own names, the selected fields. The destination: what comes out. */
static void
test_mapped(void)
{
    g_autoptr(SlCatalog) catalog = parse(MAPPED, &(SlCatalogNames){NULL, NULL, "p_"});
    g_autofree char *source = sl_catalog_write_source(catalog);
    g_assert_cmpstr(source, ==,
                    "{\"streams\":[{\"stream\":{\"name\":\"a\",\"json_schema\":{\"properties\":{"
                    "\"id\":{\"x\":1.50},\"m\":{}},\"$id\":\"\\u0041\"},"
                    "\"source_defined_primary_key\":[[\"id\"]]},"
                    "\"destination_sync_mode\":\"append_dedup\",\"sync_mode\":\"incremental\","
                    "\"cursor_field\":[\"id\"],\"primary_key\":[[\"id\"]]}]}");
    g_autofree char *destination = sl_catalog_write_destination(catalog, TRUE);
    g_assert_cmpstr(destination, ==,
                    "{\"streams\":[{\"stream\":{\"name\":\"p_a\",\"json_schema\":{\"properties\":{"
                    "\"key\":{\"x\":1.50},\"m_hashed\":{\"type\":\"string\"}},\"$id\":\"\\u0041\"},"
                    "\"source_defined_primary_key\":[[\"key\"]]},"
                    "\"destination_sync_mode\":\"append_dedup\",\"sync_mode\":\"incremental\","
                    "\"cursor_field\":[\"key\"],\"primary_key\":[[\"key\"]]}]}");
}

/* Unknown mapper: fail closed. */
static void
test_bad_mappers(void)
{
    refuse(ONE("\"name\":\"a\",\"namespace\":\"n\"", APPEND ",\"mappers\":[{\"type\":\"x\"}]"),
           NULL, "stream 'n.a': mapper 1: there is no mapper of type \"x\"");
    refuse(ONE("\"name\":\"a\"", APPEND ",\"mappers\":5"), NULL,
           "stream 'a': mappers: expected an array");
    refuse(ONE("\"name\":\"a\"", APPEND ",\"hashedFields\":[{\"fieldPath\":[\"a\"]}]"), NULL,
           "stream 'a': hashedFields: not supported any more; use a mapper of type hashing");
}

/* Before it is saved: the refusals of a sync, with the keys of mappers still hidden. */
static void
test_check(void)
{
#define AES(key)                                                                                   \
    "{\"streams\":[{\"stream\":{\"name\":\"a\",\"json_schema\":{\"properties\":{\"m\":{}}}},"      \
    "\"sync_mode\":\"incremental\"," APPEND ",\"mappers\":[{\"type\":\"encryption\","              \
    "\"mapperConfiguration\":{\"algorithm\":\"AES\",\"targetField\":\"m\",\"mode\":\"CBC\","       \
    "\"padding\":\"PKCS5Padding\",\"key\":" key "}}]}]}"
    static const struct {
        const char *text;
        SlCatalogNames names;
        const char *message; /* NULL: good */
    } rows[] = {
        {AES("{\"_secret\":\"5\"}"), {NULL, NULL, NULL}, NULL},
        {AES("\"**********\""), {NULL, NULL, "p_"}, NULL},
        {AES("\"00\""),
         {NULL, NULL, NULL},
         "stream 'a': mapper 1 (encryption): key: expected 128, 192 or 256 bits, not 8"},
        {ONE("\"name\":\"a\"", APPEND ",\"mappers\":[{\"type\":\"x\"}]"),
         {NULL, NULL, NULL},
         "stream 'a': mapper 1: there is no mapper of type \"x\""},
        {ONE("\"name\":\"a\"", APPEND ",\"selectedFields\":7"),
         {NULL, NULL, NULL},
         "stream 'a': selectedFields: expected an array"},
        {"{\"streams\":[" STREAM("\"name\":\"a\",\"namespace\":\"x\"", APPEND) "," STREAM(
             "\"name\":\"a\",\"namespace\":\"y\"", APPEND) "]}",
         {"customformat", "z", NULL},
         "catalog.streams[1]: streams 'x.a' and 'y.a' would both be 'a' at the destination"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        gboolean good =
            sl_catalog_check(rows[i].text, strlen(rows[i].text), &rows[i].names, &error);
        g_assert_cmpstr(error != NULL ? error->message : NULL, ==, rows[i].message);
        g_assert_cmpint(good, ==, rows[i].message == NULL);
    }
    refuse(AES("{\"_secret\":\"5\"}"), NULL,
           "stream 'a': mapper 1 (encryption): the key is a reference that was not resolved");
#undef AES
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/protocol/catalog/fields", test_fields);
    g_test_add_func("/protocol/catalog/names", test_names);
    g_test_add_func("/protocol/catalog/refused", test_refused);
    g_test_add_func("/protocol/catalog/down-conversion", test_down_conversion);
    g_test_add_func("/protocol/catalog/writing-keeps-bytes", test_writing_keeps_bytes);
    g_test_add_func("/protocol/catalog/mapped", test_mapped);
    g_test_add_func("/protocol/catalog/bad-mappers", test_bad_mappers);
    g_test_add_func("/protocol/catalog/check", test_check);
    return g_test_run();
}
