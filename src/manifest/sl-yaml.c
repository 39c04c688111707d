/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-yaml.h"

#include <string.h>
#include <yaml.h>

#include "sl-error.h"
#include "sl-json-write.h"

typedef struct {
    yaml_document_t *document;
    SlJsonWriter w;
    guint depth;
} Writer;

static gboolean set_at(GError **error, const yaml_mark_t *mark, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static gboolean
set_at(GError **error, const yaml_mark_t *mark, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return sl_error_set(error, SL_ERROR_INVALID, "line %zu, column %zu: %s", mark->line + 1,
                        mark->column + 1, text);
}

/* --- plain scalars ------------------------------------------------------------------------------
 */

typedef enum { SCALAR_NULL, SCALAR_TRUE, SCALAR_FALSE, SCALAR_NO_NUMBER } ScalarWord;

static const struct {
    const char *text; /* as it is, Capitalised, or in CAPITALS */
    ScalarWord word;
} words[] = {
    {"~", SCALAR_NULL},         {"null", SCALAR_NULL},       {"true", SCALAR_TRUE},
    {"yes", SCALAR_TRUE},       {"on", SCALAR_TRUE},         {"false", SCALAR_FALSE},
    {"no", SCALAR_FALSE},       {"off", SCALAR_FALSE},       {".nan", SCALAR_NO_NUMBER},
    {".inf", SCALAR_NO_NUMBER}, {"-.inf", SCALAR_NO_NUMBER}, {"+.inf", SCALAR_NO_NUMBER},
};

static gboolean
is_word(const char *text, const char *word)
{
    if (g_ascii_tolower(*text) != *word || g_ascii_strcasecmp(text, word) != 0)
        return FALSE;
    gsize n = strlen(word);
    gboolean rest_lower = TRUE, upper = TRUE;
    for (gsize i = 0; i < n; i++) {
        upper = upper && !g_ascii_islower(text[i]);
        rest_lower = rest_lower && (i == 0 || !g_ascii_isupper(text[i]));
    }
    return upper || rest_lower;
}

static char *
without_underscores(const char *text)
{
    GString *out = g_string_new(NULL);
    for (; *text != '\0'; text++)
        if (*text != '_')
            g_string_append_c(out, *text);
    return g_string_free(out, FALSE);
}

#define DIGITS "0123456789"

/* All of the text, and at least one. */
static gboolean
consists_of(const char *text, const char *characters)
{
    return *text != '\0' && text[strspn(text, characters)] == '\0';
}

/* As JSON spells it; NULL: no number. Written without expressions: a bomb of aliases makes millions
 * of values. */
static char *
integer_of(const char *text)
{
    static const struct {
        const char *prefix, *characters;
        guint base;
    } forms[] = {
        {"0b", "01_", 2},
        {"0x", DIGITS "abcdefABCDEF_", 16},
        {"0", "01234567_", 8},
    };
    const char *p = text + (*text == '-' || *text == '+');
    if (strcmp(p, "0") == 0 || (*p >= '1' && *p <= '9' && consists_of(p, DIGITS "_")))
        return without_underscores(text + (*text == '+'));
    for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
        const char *rest = p + strlen(forms[i].prefix);
        if (!g_str_has_prefix(p, forms[i].prefix) || !consists_of(rest, forms[i].characters))
            continue;
        g_autofree char *digits = without_underscores(rest);
        guint64 value = 0;
        if (!g_ascii_string_to_unsigned(digits, forms[i].base, 0, G_MAXUINT64, &value, NULL))
            return NULL; /* a text, like everything that is not understood */
        return g_strdup_printf("%s%" G_GUINT64_FORMAT, *text == '-' ? "-" : "", value);
    }
    return NULL;
}

/* Digits on one side of the point at least; an exponent has a sign. */
static gboolean
is_decimal(const char *text)
{
    const char *p = text + (*text == '-' || *text == '+');
    gsize before = g_ascii_isdigit(*p) ? strspn(p, DIGITS "_") : 0;
    const char *point = p + before;
    if (*point != '.' || (before == 0 && !g_ascii_isdigit(point[1])))
        return FALSE;
    p = point + 1 + strspn(point + 1, DIGITS "_");
    return *p == '\0' ||
           ((*p == 'e' || *p == 'E') && (p[1] == '-' || p[1] == '+') && consists_of(p + 2, DIGITS));
}

/* JSON wants digits on both sides of the point, and no other zeros before. */
static char *
decimal_of(const char *text)
{
    if (!is_decimal(text))
        return NULL;
    g_autofree char *plain = without_underscores(text + (*text == '+'));
    g_autoptr(GString) out = g_string_new(*plain == '-' ? "-" : NULL);
    const char *p = plain + (*plain == '-');
    while (p[0] == '0' && g_ascii_isdigit(p[1]))
        p++;
    if (*p == '.')
        g_string_append_c(out, '0');
    while (g_ascii_isdigit(*p))
        g_string_append_c(out, *p++);
    g_string_append_c(out, *p++);
    if (!g_ascii_isdigit(*p))
        g_string_append_c(out, '0');
    g_string_append(out, p);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static gboolean
write_plain(Writer *writer, const yaml_node_t *node, const char *text, GError **error)
{
    if (*text == '\0') {
        sl_json_null(&writer->w);
        return TRUE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!is_word(text, words[i].text))
            continue;
        if (words[i].word == SCALAR_NO_NUMBER)
            return set_at(error, &node->start_mark, "'%s' is no number that JSON could hold", text);
        if (words[i].word == SCALAR_NULL)
            sl_json_null(&writer->w);
        else
            sl_json_bool(&writer->w, words[i].word == SCALAR_TRUE);
        return TRUE;
    }
    g_autofree char *integer = integer_of(text);
    g_autofree char *number = integer != NULL ? g_steal_pointer(&integer) : decimal_of(text);
    if (number != NULL)
        sl_json_raw(&writer->w, number, strlen(number));
    else
        sl_json_string(&writer->w, text);
    return TRUE;
}

/* --- nodes ---------------------------------------------------------------------------------------
 */

static gboolean
check_tag(const yaml_node_t *node, GError **error)
{
    static const char *const known[] = {YAML_STR_TAG, YAML_SEQ_TAG, YAML_MAP_TAG, NULL};
    const char *tag = (const char *)node->tag;
    return tag == NULL || g_strv_contains(known, tag) ||
           set_at(error, &node->start_mark, "the tag '%s' is not understood", tag);
}

static gboolean
is_plain(const yaml_node_t *node, const char *text)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (text == NULL || strcmp((const char *)node->data.scalar.value, text) == 0);
}

/* --- mappings */

typedef struct {
    const char *key;
    yaml_node_t *value;
} Pair;

static gboolean collect(Writer *writer, yaml_node_t *node, GArray *pairs, GHashTable *seen,
                        guint depth, GError **error);

/* "<<": a mapping, or a list of them; what is there already wins. */
static gboolean
merge(Writer *writer, yaml_node_t *value, GArray *pairs, GHashTable *seen, guint depth,
      GError **error)
{
    if (depth > SL_YAML_MAX_DEPTH)
        return sl_error_set(error, SL_ERROR_TOO_LARGE, "line %zu: more than %d merges in another",
                            value->start_mark.line + 1, SL_YAML_MAX_DEPTH);
    if (value->type == YAML_MAPPING_NODE)
        return collect(writer, value, pairs, seen, depth, error);
    if (value->type != YAML_SEQUENCE_NODE)
        return set_at(error, &value->start_mark, "'<<' merges mappings, and this is none");
    for (yaml_node_item_t *item = value->data.sequence.items.start;
         item < value->data.sequence.items.top; item++) {
        yaml_node_t *one = yaml_document_get_node(writer->document, *item);
        if (one->type != YAML_MAPPING_NODE)
            return set_at(error, &one->start_mark, "'<<' merges mappings, and this is none");
        if (!collect(writer, one, pairs, seen, depth, error))
            return FALSE;
    }
    return TRUE;
}

/* The mapping's own keys, then those that it merges and has not itself. */
static gboolean
collect(Writer *writer, yaml_node_t *node, GArray *pairs, GHashTable *seen, guint depth,
        GError **error)
{
    g_autoptr(GHashTable) own = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) merged = g_ptr_array_new();
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
         p++) {
        yaml_node_t *key = yaml_document_get_node(writer->document, p->key);
        yaml_node_t *value = yaml_document_get_node(writer->document, p->value);
        if (key->type != YAML_SCALAR_NODE)
            return set_at(error, &key->start_mark, "a key must be a text");
        const char *text = (const char *)key->data.scalar.value;
        if (is_plain(key, "<<")) {
            g_ptr_array_add(merged, value);
            continue;
        }
        if (strlen(text) != key->data.scalar.length)
            return set_at(error, &key->start_mark, "a key must not have NUL bytes");
        if (!g_hash_table_add(own, (gpointer)text))
            return set_at(error, &key->start_mark, "the key '%s' is there twice", text);
        if (!g_hash_table_add(seen, (gpointer)text))
            continue;
        g_array_append_val(pairs, ((Pair){text, value}));
    }
    for (guint i = 0; i < merged->len; i++)
        if (!merge(writer, merged->pdata[i], pairs, seen, depth + 1, error))
            return FALSE;
    return TRUE;
}

static gboolean write_node(Writer *writer, yaml_node_t *node, GError **error);

static gboolean
write_mapping(Writer *writer, yaml_node_t *node, GError **error)
{
    g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(Pair));
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    if (!collect(writer, node, pairs, seen, 0, error))
        return FALSE;
    sl_json_begin_object(&writer->w);
    for (guint i = 0; i < pairs->len; i++) {
        const Pair *pair = &g_array_index(pairs, Pair, i);
        sl_json_key(&writer->w, pair->key);
        if (!write_node(writer, pair->value, error))
            return FALSE;
    }
    sl_json_end_object(&writer->w);
    return TRUE;
}

static gboolean
write_sequence(Writer *writer, yaml_node_t *node, GError **error)
{
    sl_json_begin_array(&writer->w);
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++)
        if (!write_node(writer, yaml_document_get_node(writer->document, *item), error))
            return FALSE;
    sl_json_end_array(&writer->w);
    return TRUE;
}

static gboolean
write_scalar(Writer *writer, yaml_node_t *node, GError **error)
{
    const char *text = (const char *)node->data.scalar.value;
    if (is_plain(node, NULL))
        return write_plain(writer, node, text, error);
    sl_json_string_len(&writer->w, text, node->data.scalar.length);
    return TRUE;
}

/* Recursion and length are bounded: an alias may stand for what it is in itself, or for a million
 * times as much as the text. */
static gboolean
write_node(Writer *writer, yaml_node_t *node, GError **error)
{
    if (writer->depth >= SL_YAML_MAX_DEPTH)
        return sl_error_set(error, SL_ERROR_TOO_LARGE, "line %zu: deeper than %d levels",
                            node->start_mark.line + 1, SL_YAML_MAX_DEPTH);
    if (writer->w.out->len > SL_YAML_MAX_BYTES)
        return sl_error_set(error, SL_ERROR_TOO_LARGE, "line %zu: more than %d MiB of JSON",
                            node->start_mark.line + 1, SL_YAML_MAX_BYTES >> 20);
    if (!check_tag(node, error))
        return FALSE;
    writer->depth++;
    gboolean ok = node->type == YAML_MAPPING_NODE    ? write_mapping(writer, node, error)
                  : node->type == YAML_SEQUENCE_NODE ? write_sequence(writer, node, error)
                                                     : write_scalar(writer, node, error);
    writer->depth--;
    return ok;
}

/* --- documents -----------------------------------------------------------------------------------
 */

static gboolean
set_problem(const yaml_parser_t *parser, GError **error)
{
    const char *problem = parser->problem != NULL ? parser->problem : "cannot be read";
    if (parser->error == YAML_READER_ERROR)
        return sl_error_set(error, SL_ERROR_INVALID, "byte %zu: %s", parser->problem_offset,
                            problem);
    return set_at(error, &parser->problem_mark, "%s%s%s", problem,
                  parser->context != NULL ? ", " : "",
                  parser->context != NULL ? parser->context : "");
}

static gboolean
write_document(yaml_document_t *document, GString *out, GError **error)
{
    Writer writer = {.document = document, .w = SL_JSON_WRITER_INIT(out)};
    yaml_node_t *root = yaml_document_get_root_node(document);
    return root != NULL ? write_node(&writer, root, error)
                        : sl_error_set(error, SL_ERROR_INVALID, "there is nothing in it");
}

static gboolean
check_end(yaml_parser_t *parser, GError **error)
{
    yaml_document_t more;
    if (!yaml_parser_load(parser, &more))
        return set_problem(parser, error);
    yaml_node_t *root = yaml_document_get_root_node(&more);
    gboolean ok = root == NULL ||
                  set_at(error, &root->start_mark, "a second document begins; there may be one");
    yaml_document_delete(&more);
    return ok;
}

char *
sl_yaml_to_json(const char *text, gsize len, GError **error)
{
    yaml_parser_t parser;
    yaml_document_t document;
    g_autoptr(GString) out = g_string_new(NULL);
    if (!yaml_parser_initialize(&parser)) {
        sl_error_set(error, SL_ERROR_FAILED, "no YAML parser can be made");
        return NULL;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    gboolean ok = yaml_parser_load(&parser, &document);
    if (ok) {
        ok = write_document(&document, out, error) && check_end(&parser, error);
        yaml_document_delete(&document);
    } else {
        set_problem(&parser, error);
    }
    yaml_parser_delete(&parser);
    return ok ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}
