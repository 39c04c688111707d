/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-name.h"

#include <string.h>

#include "sl-error.h"

#define CUT 54          /* characters that stay of a long name, before '_' and the hash */
#define HASH_CHARS 8    /* last characters of the hash */
#define MAX_SUFFIX 9999 /* of columns whose names fall together */

/* PostgreSQL refuses these as column names, quoted or not (ddl-system-columns). */
static const char *const system_columns[] = {"tableoid", "xmin", "cmin", "xmax",
                                             "cmax",     "ctid", NULL};

static const char *const meta_columns[] = {"_airbyte_raw_id", "_airbyte_extracted_at",
                                           "_airbyte_meta", "_airbyte_generation_id", NULL};

static gboolean
is_mark(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);
    return type == G_UNICODE_NON_SPACING_MARK || type == G_UNICODE_SPACING_MARK ||
           type == G_UNICODE_ENCLOSING_MARK;
}

static gboolean
is_space(gunichar c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static GString *
to_plain_ascii(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *flat = g_utf8_normalize(valid, -1, G_NORMALIZE_NFKD);
    GString *out = g_string_new(NULL);
    gboolean in_space = FALSE;
    for (const char *p = flat; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (is_mark(c))
            continue;
        gboolean space = is_space(c);
        if (!space || !in_space)
            g_string_append_c(out, c < 0x80 && (g_ascii_isalnum(c) || c == '_') ? (char)c : '_');
        in_space = space;
    }
    return out;
}

/* The hash of java.lang.String, as decimal text. */
static void
java_hash(const char *ascii, char *ret, gsize size)
{
    guint32 hash = 0;
    for (const char *p = ascii; *p != '\0'; p++)
        hash = hash * 31 + (guchar)*p;
    g_snprintf(ret, size, "%d", (gint32)hash);
}

static void
cut_with_hash(GString *name)
{
    if (name->len <= DESTPG_NAME_MAX)
        return;
    char hash[16];
    java_hash(name->str, hash, sizeof hash);
    gsize n = strlen(hash);
    g_string_truncate(name, CUT);
    g_string_append_c(name, '_');
    g_string_append(name, n > HASH_CHARS ? hash + n - HASH_CHARS : hash);
}

char *
destpg_name(const char *text)
{
    GString *name = to_plain_ascii(text);
    if (name->len == 0)
        g_string_assign(name, "default_name");
    if (g_ascii_isdigit(name->str[0]))
        g_string_prepend_c(name, '_');
    cut_with_hash(name);
    return g_string_free(name, FALSE);
}

static char *
column_name(const char *field)
{
    char *name = destpg_name(field);
    if (!g_strv_contains(system_columns, name))
        return name;
    char *safe = g_strconcat(name, "_", NULL);
    g_free(name);
    return safe;
}

/* What may not be equal in two columns of a table: many clients do not quote. */
static char *
column_key(const char *name)
{
    return g_ascii_strdown(name, -1);
}

char **
destpg_name_columns(const char *const *fields, GError **error)
{
    g_autoptr(GHashTable) used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (guint i = 0; meta_columns[i] != NULL; i++)
        g_hash_table_add(used, g_strdup(meta_columns[i]));

    for (guint i = 0; fields[i] != NULL; i++) {
        g_autofree char *name = column_name(fields[i]);
        g_autofree char *key = column_key(name);
        for (guint suffix = 1; g_hash_table_contains(used, key); suffix++) {
            if (suffix > MAX_SUFFIX) {
                sl_error_set(error, SL_ERROR_INVALID,
                             "field '%s': no free column name: more than %d fields of the stream "
                             "have names that become '%s'",
                             fields[i], MAX_SUFFIX, name);
                return NULL;
            }
            g_autofree char *longer = g_strdup_printf("%s_%u", fields[i], suffix);
            g_free(name);
            g_free(key);
            name = column_name(longer);
            key = column_key(name);
        }
        g_strv_builder_add(builder, name);
        g_hash_table_add(used, g_steal_pointer(&key));
    }
    return g_strv_builder_end(builder);
}

void
destpg_table_name_clear(DestpgTableName *name)
{
    g_clear_pointer(&name->schema, g_free);
    g_clear_pointer(&name->table, g_free);
}

/* Two streams whose names become one table: the later one gets a part of a hash of its own name. */
static char *
distinct_table(const char *ns, const char *name, guint digits)
{
    g_autofree char *full = g_strconcat(ns, "&airbyte&", name, NULL);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA1, full, -1);
    g_autofree char *longer = g_strdup_printf("%s_%.*s", name, (int)digits, hash);
    return destpg_name(longer);
}

DestpgTableName *
destpg_name_tables(const char *const *namespaces, const char *const *names, guint n, GError **error)
{
    static const guint digits[] = {3, 8, 40};
    g_autoptr(GHashTable) used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    DestpgTableName *tables = g_new0(DestpgTableName, n);
    for (guint i = 0; i < n; i++) {
        tables[i].schema = destpg_name(namespaces[i]);
        tables[i].table = destpg_name(names[i]);
        /* '.' cannot be in a name, so the joined text is unambiguous. */
        g_autofree char *key = g_strconcat(tables[i].schema, ".", tables[i].table, NULL);
        for (guint try = 0; g_hash_table_contains(used, key); try++) {
            if (try == G_N_ELEMENTS(digits)) {
                sl_error_set(error, SL_ERROR_INVALID,
                             "stream '%s': its table '%s' in schema '%s' belongs to another stream",
                             names[i], tables[i].table, tables[i].schema);
                for (guint k = 0; k <= i; k++)
                    destpg_table_name_clear(&tables[k]);
                g_free(tables);
                return NULL;
            }
            g_free(tables[i].table);
            g_free(key);
            tables[i].table = distinct_table(namespaces[i], names[i], digits[try]);
            key = g_strconcat(tables[i].schema, ".", tables[i].table, NULL);
        }
        g_hash_table_add(used, g_steal_pointer(&key));
    }
    return tables;
}

static void
append_ends(GString *out, const char *text)
{
    gsize n = strlen(text);
    if (n <= 16) {
        g_string_append(out, text);
    } else {
        g_string_append_len(out, text, 8);
        g_string_append(out, text + n - 8);
    }
}

static char *
join_raw(const char *ns, const char *name)
{
    g_autofree char *both = g_strconcat(ns, name, NULL);
    guint longest = 0, run = 0;
    for (const char *p = both; *p != '\0'; p++) {
        run = *p == '_' ? run + 1 : 0;
        longest = MAX(longest, run);
    }
    g_autofree char *underscores = g_strnfill(MAX(longest + 1, 2), '_');
    return g_strconcat(ns, "_raw", underscores, "stream_", name, NULL);
}

char *
destpg_name_temp(const char *schema, const char *table)
{
    g_autofree char *suffixed = g_strconcat(table, "_airbyte_tmp", NULL);
    g_autofree char *raw = join_raw(schema, suffixed);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, raw, -1);
    GString *out = g_string_new(NULL);
    append_ends(out, schema);
    append_ends(out, table);
    g_string_append_len(out, hash, 32);
    /* 64 is possible, and the server would cut it, with a notice. */
    if (out->len > DESTPG_NAME_MAX)
        g_string_truncate(out, DESTPG_NAME_MAX);
    return g_string_free(out, FALSE);
}

char *
destpg_name_raw(const char *ns, const char *name)
{
    g_autofree char *raw = join_raw(ns, name);
    g_autofree char *lower = g_utf8_strdown(raw, -1);
    return destpg_name(lower);
}

char *
destpg_name_index(const char *prefix, const char *table)
{
    GString *name = g_string_new(prefix);
    g_string_append(name, table);
    cut_with_hash(name);
    return g_string_free(name, FALSE);
}

char *
destpg_quote(const char *name)
{
    GString *out = g_string_new("\"");
    for (const char *p = name; *p != '\0'; p++) {
        if (*p == '"')
            g_string_append_c(out, '"');
        g_string_append_c(out, *p);
    }
    g_string_append_c(out, '"');
    return g_string_free(out, FALSE);
}
