/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-name.h"

#include <string.h>

#include "sl-error.h"

static void
test_rule(void)
{
    static const struct {
        const char *text, *name;
    } cases[] = {
        {"users", "users"},
        {"Users", "Users"},
        {"user name", "user_name"},
        {"user \t\n name", "user_name"},
        {"a--b", "a__b"},
        {"Ünïcødé", "Unic_de"},
        {"ﬁne", "fine"},
        {"e\xcc\x81t\xc3\xa9", "ete"},
        {"数据", "__"},
        {"Имя", "___"},
        {"1st", "_1st"},
        {"²nd", "_2nd"}, /* NFKD makes it a digit first */
        {"", "default_name"},
        {"\xcc\x81", "default_name"}, /* nothing but a mark */
        {"select", "select"},
        {"quo\"te", "quo_te"},
        {"a.b", "a_b"},
        {"😀", "_"},
        {"bad\xff", "bad_"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = destpg_name(cases[i].text);
        g_assert_cmpstr(name, ==, cases[i].name);
    }
}

static char *
repeat(char c, guint n)
{
    return g_strnfill(n, c);
}

static void
test_length(void)
{
    g_autofree char *fits = repeat('a', 63), *same = destpg_name(fits);
    g_assert_cmpstr(same, ==, fits);

    g_autofree char *seventy = repeat('a', 70), *cut = destpg_name(seventy);
    g_autofree char *stem = repeat('a', 54);
    g_autofree char *expected = g_strconcat(stem, "_20717984", NULL);
    g_assert_cmpstr(cut, ==, expected);

    g_autofree char *a = repeat('x', 199), *b = repeat('x', 200);
    g_autofree char *name_a = destpg_name(a), *name_b = destpg_name(b);
    g_assert_cmpuint(strlen(name_a), <=, 63);
    g_assert_cmpuint(strlen(name_b), <=, 63);
    g_assert_cmpstr(name_a, !=, name_b);
}

static void
test_columns(void)
{
    const char *fields[] = {"id",   "Id",       "id_1", "a b",  "a-b",
                            "ctid", "ctid_",    "xmin", "XMIN", "_airbyte_raw_id",
                            "",     "tableoid", NULL};
    const char *names[] = {"id",           "Id_1",      "id_1_1", "a_b",  "a_b_1",
                           "ctid_",        "ctid__1",   "xmin_",  "XMIN", "_airbyte_raw_id_1",
                           "default_name", "tableoid_", NULL};
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) got = destpg_name_columns(fields, &error);
    g_assert_no_error(error);
    for (guint i = 0; names[i] != NULL; i++)
        g_assert_cmpstr(got[i], ==, names[i]);
    g_assert_cmpuint(g_strv_length(got), ==, G_N_ELEMENTS(names) - 1);
}

static void
test_columns_cut_twins(void)
{
    g_autofree char *stem = repeat('k', 80);
    g_autofree char *upper = g_ascii_strup(stem, -1);
    const char *fields[] = {stem, upper, stem, NULL};
    g_auto(GStrv) got = destpg_name_columns(fields, NULL);
    g_assert_nonnull(got);
    for (guint i = 0; i < 3; i++) {
        g_assert_cmpuint(strlen(got[i]), <=, 63);
        for (guint k = 0; k < i; k++)
            g_assert_cmpint(g_ascii_strcasecmp(got[i], got[k]), !=, 0);
    }
}

static void
test_tables(void)
{
    const char *namespaces[] = {"public", "public", "public", "other"};
    const char *names[] = {"a b", "a-b", "a.b", "a-b"};
    g_autoptr(GError) error = NULL;
    DestpgTableName *tables = destpg_name_tables(namespaces, names, 4, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(tables[0].table, ==, "a_b");
    /* sha1("public&airbyte&a-b"), sha1("public&airbyte&a.b") */
    g_assert_cmpstr(tables[1].table, ==, "a_b_010");
    g_assert_cmpstr(tables[2].table, ==, "a_b_e1d");
    g_assert_cmpstr(tables[3].schema, ==, "other");
    g_assert_cmpstr(tables[3].table, ==, "a_b");
    for (guint i = 0; i < 4; i++)
        destpg_table_name_clear(&tables[i]);
    g_free(tables);

    const char *same_ns[] = {"s", "s", "s", "s", "s"}, *same[] = {"t", "t", "t", "t", "t"};
    g_assert_null(destpg_name_tables(same_ns, same, 5, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "'t'"));
}

static void
test_temp_and_raw(void)
{
    g_autofree char *temp = destpg_name_temp("public", "users");
    g_assert_true(g_str_has_prefix(temp, "publicusers"));
    g_assert_cmpuint(strlen(temp), ==, 11 + 32);

    g_autofree char *schema = repeat('s', 30), *table = repeat('t', 30);
    g_autofree char *longest = destpg_name_temp(schema, table);
    g_assert_cmpuint(strlen(longest), ==, 63);
    g_assert_true(g_str_has_prefix(longest, "sssssssssssssssstttttttttttttttt"));

    g_autofree char *raw = destpg_name_raw("Public", "users");
    g_assert_cmpstr(raw, ==, "public_raw__stream_users");
    g_autofree char *runs = destpg_name_raw("a__", "_b");
    g_assert_cmpstr(runs, ==, "a___raw____stream__b");
}

static void
test_index_and_quote(void)
{
    g_autofree char *index = destpg_name_index("idx_pk_", "users");
    g_assert_cmpstr(index, ==, "idx_pk_users");
    g_autofree char *a = repeat('a', 63), *b = repeat('a', 62);
    g_autofree char *index_a = destpg_name_index("idx_extracted_at_", a);
    g_autofree char *index_b = destpg_name_index("idx_extracted_at_", b);
    g_assert_cmpuint(strlen(index_a), <=, 63);
    g_assert_cmpstr(index_a, !=, index_b);

    g_autofree char *quoted = destpg_quote("a\"b");
    g_assert_cmpstr(quoted, ==, "\"a\"\"b\"");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/destination-postgres/name/rule", test_rule);
    g_test_add_func("/destination-postgres/name/length", test_length);
    g_test_add_func("/destination-postgres/name/columns", test_columns);
    g_test_add_func("/destination-postgres/name/columns-cut-twins", test_columns_cut_twins);
    g_test_add_func("/destination-postgres/name/tables", test_tables);
    g_test_add_func("/destination-postgres/name/temp-and-raw", test_temp_and_raw);
    g_test_add_func("/destination-postgres/name/index-and-quote", test_index_and_quote);
    return g_test_run();
}
