/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-rename.h"

#include <string.h>

#define DATA "\"data\":{\"namespace\":null,\"stream\":\"s\",\"x\":1.0E2}"
#define R(members) "{\"type\":\"RECORD\",\"record\":{" members "}}"

/* One stream "s" in namespace `ns`, renamed by a rule. */
static SlCatalog *
make_catalog(const char *ns, const SlCatalogNames *rule)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf("{\"streams\":[{\"stream\":{\"name\":\"s\","
                                            "\"namespace\":%s},\"sync_mode\":\"incremental\","
                                            "\"destination_sync_mode\":\"append\"}]}",
                                            ns);
    SlCatalog *catalog = sl_catalog_parse(text, strlen(text), rule, &error);
    g_assert_no_error(error);
    return catalog;
}

static void
check(const SlCatalog *catalog, const char *line, const char *expected)
{
    SlMessage message;
    gsize len = strlen(line);
    g_autoptr(SlJsonScanner) scanner = sl_json_scanner_new();
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *padded = g_malloc0(len + SL_JSON_PADDING);
    memcpy(padded, line, len);
    sl_json_scan(scanner, padded, len, &message);
    g_assert_cmpint(message.type, ==, SL_MESSAGE_RECORD);
    sl_rename_record(&catalog->streams[0], &message, NULL, padded, len, out);
    g_assert_cmpstr(out->str, ==, expected);

    /* and with data of another length, whatever stands before and behind it */
    g_autoptr(GString) data = g_string_new("{\"changed\":[true]}"), both = g_string_new(expected);
    g_string_replace(both, DATA, "\"data\":{\"changed\":[true]}", 1);
    g_string_truncate(out, 0);
    sl_rename_record(&catalog->streams[0], &message, data, padded, len, out);
    g_assert_cmpstr(out->str, ==, both->str);
}

static void
test_prefix(void)
{
    g_autoptr(SlCatalog) catalog = make_catalog("\"n\"", &(SlCatalogNames){NULL, NULL, "p_"});
    check(catalog, R("\"stream\":\"s\",\"namespace\":\"n\"," DATA ",\"emitted_at\":1") "\n",
          R("\"stream\":\"p_s\",\"namespace\":\"n\"," DATA ",\"emitted_at\":1") "\n");
    check(catalog, R("\"namespace\" : \"n\", \"stream\" : \"\\u0073\" ," DATA),
          R("\"namespace\" : \"n\", \"stream\" : \"p_s\" ," DATA));
}

static void
test_to_null(void)
{
    g_autoptr(SlCatalog) catalog =
        make_catalog("\"n\"", &(SlCatalogNames){"destination", NULL, NULL});
    check(catalog, R("\"stream\":\"s\"," DATA ",\"namespace\":\"n\""),
          R("\"stream\":\"s\"," DATA ",\"namespace\":null"));
}

static void
test_from_null(void)
{
    g_autoptr(SlCatalog) catalog =
        make_catalog("null", &(SlCatalogNames){"customformat", "w", NULL});
    /* missing, null and "" are one value: never two members of that name */
    check(catalog, R("\"stream\":\"s\"," DATA), R("\"namespace\":\"w\",\"stream\":\"s\"," DATA));
    check(catalog, R("\"namespace\":null,\"stream\":\"s\"," DATA),
          R("\"namespace\":\"w\",\"stream\":\"s\"," DATA));
    check(catalog, R("\"stream\":\"s\",\"namespace\": \"\" ," DATA),
          R("\"stream\":\"s\",\"namespace\": \"w\" ," DATA));
    check(catalog, R("\"stream\":\"s\"," DATA ",\"n\\u0061mespace\":null"),
          R("\"stream\":\"s\"," DATA ",\"n\\u0061mespace\":\"w\""));
    check(catalog, R("\"stream\":\"s\"," DATA ",\"meta\":{\"namespace\":1}"),
          R("\"namespace\":\"w\",\"stream\":\"s\"," DATA ",\"meta\":{\"namespace\":1}"));
}

/* Names that stay: nothing but the data changes. */
static void
test_data_alone(void)
{
    g_autoptr(SlCatalog) catalog = make_catalog("\"n\"", NULL);
    check(catalog, R("\"stream\":\"s\",\"namespace\":\"n\", " DATA " ,\"emitted_at\":1") "\r\n",
          R("\"stream\":\"s\",\"namespace\":\"n\", " DATA " ,\"emitted_at\":1") "\r\n");
    check(catalog, R(DATA ",\"stream\":\"s\",\"namespace\":\"n\""),
          R(DATA ",\"stream\":\"s\",\"namespace\":\"n\""));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/protocol/rename/prefix", test_prefix);
    g_test_add_func("/protocol/rename/to-null", test_to_null);
    g_test_add_func("/protocol/rename/from-null", test_from_null);
    g_test_add_func("/protocol/rename/data-alone", test_data_alone);
    return g_test_run();
}
