/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "file-options.h"

#include <glob.h>
#include <string.h>

#include "sl-error.h"

#define DEFAULT_ROOT "/var/lib/sluice/local-files"
#define FIELD "configuration.reader_options"

typedef gboolean (*OptionFunc)(FileOptions *options, const SlJsonDoc *doc, const SlJsonNode *node,
                               GError **error);

static gboolean
expected(GError **error, const char *what)
{
    return sl_error_set(error, SL_ERROR_INVALID, "expected %s", what);
}

static gboolean
read_char(const SlJsonNode *node, char *ret, GError **error)
{
    g_autofree char *text = sl_json_dup_string(node);
    if (g_strcmp0(text, "\\t") == 0) /* escaped once more than needed: seen often */
        text[0] = '\t', text[1] = '\0';
    if (text == NULL || strlen(text) != 1 || (guchar)*text >= 0x80 || strchr("\r\n", *text) != NULL)
        return expected(error, "one ASCII character");
    *ret = *text;
    return TRUE;
}

static gboolean
option_separator(FileOptions *options, const SlJsonDoc *doc, const SlJsonNode *node, GError **error)
{
    return read_char(node, &options->separator, error);
}

static gboolean
option_quote(FileOptions *options, const SlJsonDoc *doc, const SlJsonNode *node, GError **error)
{
    return read_char(node, &options->quote, error);
}

static gboolean
option_header(FileOptions *options, const SlJsonDoc *doc, const SlJsonNode *node, GError **error)
{
    if (node->type == SL_JSON_NULL)
        options->header = FILE_NO_HEADER;
    else if (!sl_json_string_is(node, "infer") &&
             (!sl_json_get_int64(node, &options->header) || options->header < 0))
        return expected(error, "null, \"infer\" or the number of a row");
    return TRUE;
}

static gboolean
read_strings(const SlJsonDoc *doc, const SlJsonNode *node, GPtrArray *out)
{
    if (node->type != SL_JSON_ARRAY)
        return FALSE;
    SL_JSON_FOREACH (doc, node, child) {
        char *text = sl_json_dup_string(child);
        if (text == NULL)
            return FALSE;
        g_ptr_array_add(out, text);
    }
    return TRUE;
}

static gboolean
option_names(FileOptions *options, const SlJsonDoc *doc, const SlJsonNode *node, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    if (!read_strings(doc, node, names) || names->len == 0)
        return expected(error, "an array of strings");
    for (guint i = 0; i < names->len; i++)
        for (guint k = 0; k < i; k++)
            if (g_str_equal(names->pdata[i], names->pdata[k]))
                return sl_error_set(error, SL_ERROR_INVALID, "'%s' is there twice",
                                    (char *)names->pdata[i]);
    g_ptr_array_add(names, NULL);
    options->names = (GStrv)g_ptr_array_free(g_steal_pointer(&names), FALSE);
    return TRUE;
}

static gboolean
option_skip(FileOptions *options, const SlJsonDoc *doc, const SlJsonNode *node, GError **error)
{
    return (sl_json_get_int64(node, &options->skip_rows) && options->skip_rows >= 0) ||
           expected(error, "a number of lines");
}

static gboolean
option_max(FileOptions *options, const SlJsonDoc *doc, const SlJsonNode *node, GError **error)
{
    return node->type == SL_JSON_NULL ||
           (sl_json_get_int64(node, &options->max_rows) && options->max_rows >= 0) ||
           expected(error, "a number of rows");
}

static gboolean
option_encoding(FileOptions *options, const SlJsonDoc *doc, const SlJsonNode *node, GError **error)
{
    static const char *const utf8[] = {"utf8", "utf-8", "utf_8", "utf-8-sig", "ascii"};
    static const char *const latin1[] = {"latin1", "latin-1", "latin_1", "iso-8859-1", "iso8859-1"};
    g_autofree char *text = sl_json_dup_string(node);
    for (guint i = 0; text != NULL && i < G_N_ELEMENTS(utf8); i++)
        if (g_ascii_strcasecmp(text, utf8[i]) == 0)
            return TRUE;
    for (guint i = 0; text != NULL && i < G_N_ELEMENTS(latin1); i++)
        if (g_ascii_strcasecmp(text, latin1[i]) == 0)
            return options->latin1 = TRUE;
    return expected(error, "\"utf-8\" or \"latin-1\"");
}

static gboolean
option_compression(FileOptions *options, const SlJsonDoc *doc, const SlJsonNode *node,
                   GError **error)
{
    static const char *const words[] = {"infer", NULL, "gzip", "zstd"};
    if (node->type == SL_JSON_NULL) {
        options->compression = FILE_COMPRESSION_NONE;
        return TRUE;
    }
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        if (words[i] != NULL && sl_json_string_is(node, words[i])) {
            options->compression = i;
            return TRUE;
        }
    }
    return expected(error, "\"infer\", \"gzip\", \"zstd\" or null");
}

static gboolean
read_type(const SlJsonNode *node, FileType *ret, GError **error)
{
    static const struct {
        const char *word;
        FileType type;
    } words[] = {
        {"str", FILE_TYPE_STRING},
        {"string", FILE_TYPE_STRING},
        {"object", FILE_TYPE_STRING},
        {"int", FILE_TYPE_INTEGER},
        {"int64", FILE_TYPE_INTEGER},
        {"Int64", FILE_TYPE_INTEGER},
        {"integer", FILE_TYPE_INTEGER},
        {"float", FILE_TYPE_NUMBER},
        {"float64", FILE_TYPE_NUMBER},
        {"number", FILE_TYPE_NUMBER},
        {"bool", FILE_TYPE_BOOLEAN},
        {"boolean", FILE_TYPE_BOOLEAN},
        {"date", FILE_TYPE_DATE},
        {"datetime64", FILE_TYPE_TIMESTAMP},
        {"datetime64[ns]", FILE_TYPE_TIMESTAMP},
    };
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        if (sl_json_string_is(node, words[i].word)) {
            *ret = words[i].type;
            return TRUE;
        }
    }
    return expected(error,
                    "the name of a type: string, integer, number, boolean, date, datetime64");
}

static gboolean
option_types(FileOptions *options, const SlJsonDoc *doc, const SlJsonNode *node, GError **error)
{
    if (node->type != SL_JSON_OBJECT)
        return read_type(node, &options->all_types, error);
    SL_JSON_FOREACH (doc, node, key) {
        FileType type;
        char *name = sl_json_dup_string(key);
        if (name == NULL)
            return expected(error, "names without NUL");
        g_hash_table_replace(options->some_types, name, NULL);
        if (!read_type(key + 1, &type, error))
            return FALSE;
        g_hash_table_insert(options->some_types, g_strdup(name), GINT_TO_POINTER(type));
    }
    return TRUE;
}

static gboolean
option_nulls(FileOptions *options, const SlJsonDoc *doc, const SlJsonNode *node, GError **error)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    char *one = sl_json_dup_string(node);
    if (one != NULL)
        g_ptr_array_add(words, one);
    else if (!read_strings(doc, node, words))
        return expected(error, "a string or an array of strings");
    options->null_words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < words->len; i++)
        g_hash_table_add(options->null_words, g_strdup(words->pdata[i]));
    return TRUE;
}

static gboolean
option_ignored(FileOptions *options, const SlJsonDoc *doc, const SlJsonNode *node, GError **error)
{
    return TRUE;
}

#define CSV (1 << FILE_FORMAT_CSV)
#define JSONL (1 << FILE_FORMAT_JSONL)

static const struct {
    const char *name;
    guint formats;
    OptionFunc read;
} rows[] = {
    {"sep", CSV, option_separator},
    {"delimiter", CSV, option_separator},
    {"quotechar", CSV, option_quote},
    {"header", CSV, option_header},
    {"names", CSV, option_names},
    {"dtype", CSV, option_types},
    {"na_values", CSV, option_nulls},
    {"skiprows", CSV | JSONL, option_skip},
    {"nrows", CSV | JSONL, option_max},
    {"encoding", CSV | JSONL, option_encoding},
    {"compression", CSV | JSONL, option_compression},
    /* What pandas users write and what holds here always. */
    {"lines", JSONL, option_ignored},
    {"engine", CSV, option_ignored},
    {"low_memory", CSV, option_ignored},
};

static gboolean
read_option(FileOptions *options, const SlJsonDoc *doc, const SlJsonNode *key, GError **error)
{
    g_autofree char *name = sl_json_dup_string(key);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (g_strcmp0(name, rows[i].name) != 0 || (rows[i].formats >> options->format & 1) == 0)
            continue;
        if (rows[i].read(options, doc, key + 1, error))
            return TRUE;
        g_prefix_error(error, FIELD ".%s: ", name);
        return FALSE;
    }
    return sl_error_set(error, SL_ERROR_INVALID, FIELD ".%s: unknown option", name);
}

static gboolean
read_reader_options(FileOptions *options, const char *text, GError **error)
{
    if (text == NULL || text[strspn(text, " \t\r\n")] == '\0')
        return TRUE;
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, error);
    if (doc == NULL) {
        g_prefix_error(error, FIELD ": ");
        return FALSE;
    }
    if (sl_json_root(doc)->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_INVALID, FIELD ": expected a JSON object");
    SL_JSON_FOREACH (doc, sl_json_root(doc), key) {
        if (!read_option(options, doc, key, error))
            return FALSE;
    }
    /* As in pandas: own names mean that the file has none, unless header says where they are. */
    if (options->names != NULL && sl_json_get(doc, sl_json_root(doc), "header") == NULL)
        options->header = FILE_NO_HEADER;
    return TRUE;
}

/* The url as a pattern below the root. */
static char *
local_pattern(const char *url, GError **error)
{
    const char *root = g_getenv("SLUICE_LOCAL_FILES");
    const char *path = url;
    if (root == NULL || *root == '\0')
        root = DEFAULT_ROOT;
    if (g_str_has_prefix(path, "file://"))
        path += strlen("file://");
    if (g_str_has_prefix(path, "/local/"))
        path += strlen("/local/");
    else if (*path == '/' && !g_str_equal(root, "/")) {
        sl_error_set(error, SL_ERROR_INVALID,
                     "configuration.url: must start with /local/, which stands for %s", root);
        return NULL;
    }
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    if (g_strv_contains((const char *const *)parts, "..")) {
        sl_error_set(error, SL_ERROR_INVALID, "configuration.url: '..' is not allowed");
        return NULL;
    }
    return g_build_filename(root, path, NULL);
}

static gboolean
find_paths(FileOptions *options, const char *url, GError **error)
{
    g_autofree char *pattern = local_pattern(url, error);
    if (pattern == NULL)
        return FALSE;
    glob_t found = {0};
    int result = glob(pattern, GLOB_ERR, NULL, &found);
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; result == 0 && i < found.gl_pathc; i++)
        if (!g_file_test(found.gl_pathv[i], G_FILE_TEST_IS_DIR))
            g_ptr_array_add(paths, g_strdup(found.gl_pathv[i]));
    globfree(&found);
    if (result == GLOB_ABORTED)
        return sl_error_set(error, SL_ERROR_FORBIDDEN,
                            "configuration.url: a folder of '%s' cannot be read", pattern);
    if (paths->len == 0)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "configuration.url: no file matches '%s'",
                            pattern);
    g_ptr_array_add(paths, NULL);
    options->paths = (GStrv)g_ptr_array_free(g_steal_pointer(&paths), FALSE);
    return TRUE;
}

FileOptions *
file_options_new(const KitConfig *config, GError **error)
{
    g_autoptr(FileOptions) options = g_new0(FileOptions, 1);
    g_autofree char *format = kit_config_dup_string(config, "format", NULL);
    g_autofree char *url = kit_config_dup_string(config, "url", NULL);
    g_autofree char *reader = kit_config_dup_string(config, "reader_options", NULL);
    options->dataset_name = kit_config_dup_string(config, "dataset_name", NULL);
    options->format = g_str_equal(format, "jsonl") ? FILE_FORMAT_JSONL : FILE_FORMAT_CSV;
    options->separator = ',';
    options->quote = '"';
    options->max_rows = -1;
    options->some_types = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!read_reader_options(options, reader, error) || !find_paths(options, url, error))
        return NULL;
    return g_steal_pointer(&options);
}

void
file_options_free(FileOptions *options)
{
    if (options == NULL)
        return;
    g_free(options->dataset_name);
    g_strfreev(options->paths);
    g_strfreev(options->names);
    g_clear_pointer(&options->some_types, g_hash_table_unref);
    g_clear_pointer(&options->null_words, g_hash_table_unref);
    g_free(options);
}
