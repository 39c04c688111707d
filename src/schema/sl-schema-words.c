/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-schema-private.h"

#include <string.h>

#include "sl-error.h"

/* The keywords of draft-07: how each is compiled, how it judges. */

/* --- arguments -------------------------------------------------------------------------------- */

static gboolean
compile_any(gpointer c, Schema *schema, Rule *rule, GError **error)
{
    return TRUE;
}

static gboolean
compile_count(gpointer c, Schema *schema, Rule *rule, GError **error)
{
    gint64 value;
    g_auto(SlDecimal) number = {0};
    if (!sl_json_get_int64(rule->argument, &value)) {
        /* An integer too large to count to is no limit, or an impossible one. */
        if (!sl_decimal_parse(rule->argument, &number) || !sl_decimal_is_integer(&number))
            return sl_schema_refuse(c, schema, rule, error, "expected a number of things");
        value = number.negative ? -1 : G_MAXINT64;
    }
    if (value < 0)
        return sl_schema_refuse(c, schema, rule, error, "expected a number of things");
    rule->count = (guint64)value;
    return TRUE;
}

static gboolean
compile_number(gpointer c, Schema *schema, Rule *rule, GError **error)
{
    return sl_decimal_parse(rule->argument, &rule->number) ||
           sl_schema_refuse(c, schema, rule, error, "expected a number");
}

static gboolean
compile_unit(gpointer c, Schema *schema, Rule *rule, GError **error)
{
    return (sl_decimal_parse(rule->argument, &rule->number) && rule->number.n > 0 &&
            !rule->number.negative) ||
           sl_schema_refuse(c, schema, rule, error, "expected a number greater than 0");
}

static gboolean
compile_schema(gpointer c, Schema *schema, Rule *rule, GError **error)
{
    return (rule->other = sl_schema_compile_child(c, schema, rule->argument, error)) != NULL;
}

/* A schema of its own beside the rule's argument; none is fine. */
static gboolean
compile_beside(gpointer c, Schema *schema, const char *name, Schema **ret, GError **error)
{
    const SlJsonNode *node = sl_json_get(schema->doc, schema->node, name);
    return node == NULL || (*ret = sl_schema_compile_child(c, schema, node, error)) != NULL;
}

static gboolean
compile_list(gpointer c, Schema *schema, Rule *rule, GError **error)
{
    guint n = 0;
    if (rule->argument->type != SL_JSON_ARRAY)
        return sl_schema_refuse(c, schema, rule, error, "expected a list of schemas");
    rule->schemas = g_new0(Schema *, rule->argument->count + 1);
    SL_JSON_FOREACH (schema->doc, rule->argument, node)
        if ((rule->schemas[n++] = sl_schema_compile_child(c, schema, node, error)) == NULL)
            return FALSE;
    return TRUE;
}

/* name → Schema; with `lists`, a member may be a list of names instead (dependencies): NULL. */
static gboolean
compile_members(gpointer c, Schema *schema, Rule *rule, gboolean lists, GError **error)
{
    if (rule->argument->type != SL_JSON_OBJECT)
        return sl_schema_refuse(c, schema, rule, error, "expected an object of schemas");
    rule->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    SL_JSON_FOREACH (schema->doc, rule->argument, key) {
        Schema *child = NULL;
        if (!(lists && key[1].type == SL_JSON_ARRAY) &&
            (child = sl_schema_compile_child(c, schema, key + 1, error)) == NULL)
            return FALSE;
        char *name = sl_json_dup_string(key);
        if (name != NULL) /* NULL: with a NUL in it, which no name of ours has */
            g_hash_table_insert(rule->by_name, name, child);
    }
    return TRUE;
}

static gboolean
compile_definitions(gpointer c, Schema *schema, Rule *rule, GError **error)
{
    return compile_members(c, schema, rule, FALSE, error);
}

static gboolean
compile_dependencies(gpointer c, Schema *schema, Rule *rule, GError **error)
{
    return compile_members(c, schema, rule, TRUE, error);
}

static gboolean
compile_type(gpointer c, Schema *schema, Rule *rule, GError **error)
{
    static const struct {
        const char *name;
        guint64 bits;
    } types[] = {
        {"object", OBJECTS},          {"array", ARRAYS},
        {"string", STRINGS},          {"boolean", 1u << SL_JSON_TRUE | 1u << SL_JSON_FALSE},
        {"number", NUMBERS},          {"integer", TYPE_INTEGER},
        {"null", 1u << SL_JSON_NULL},
    };
    const SlJsonNode *one = rule->argument->type == SL_JSON_ARRAY
                                ? sl_json_first(schema->doc, rule->argument)
                                : rule->argument;
    while (one != NULL) {
        guint64 bits = 0;
        for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
            if (sl_json_string_is(one, types[i].name))
                bits = types[i].bits;
        if (bits == 0)
            return sl_schema_refuse(c, schema, rule, error, "there is no such type");
        rule->count |= bits;
        one = rule->argument->type == SL_JSON_ARRAY ? sl_json_next(schema->doc, rule->argument, one)
                                                    : NULL;
    }
    return rule->count != 0 || sl_schema_refuse(c, schema, rule, error, "expected a type");
}

static gboolean
compile_array(gpointer c, Schema *schema, Rule *rule, GError **error)
{
    return rule->argument->type == SL_JSON_ARRAY ||
           sl_schema_refuse(c, schema, rule, error, "expected a list");
}

static gboolean
compile_required(gpointer c, Schema *schema, Rule *rule, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    if (rule->argument->type != SL_JSON_ARRAY)
        return sl_schema_refuse(c, schema, rule, error, "expected a list of names");
    SL_JSON_FOREACH (schema->doc, rule->argument, node) {
        if (node->type != SL_JSON_STRING)
            return sl_schema_refuse(c, schema, rule, error, "expected a list of names");
        char *name = sl_json_dup_string(node);
        if (name != NULL)
            g_ptr_array_add(names, name);
    }
    g_ptr_array_add(names, NULL);
    rule->names = (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
    return TRUE;
}

static SlSchemaPattern *
compile_expression(gpointer c, const Schema *schema, const Rule *rule, const SlJsonNode *node,
                   GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) why = NULL;
    SlSchemaPattern *pattern = sl_json_append_string(node, text)
                                   ? sl_schema_pattern_new(text->str, text->len, &why)
                                   : NULL;
    if (pattern == NULL)
        sl_schema_refuse(c, schema, rule, error, why != NULL ? why->message : "expected a string");
    return pattern;
}

static gboolean
compile_pattern(gpointer c, Schema *schema, Rule *rule, GError **error)
{
    return (rule->pattern = compile_expression(c, schema, rule, rule->argument, error)) != NULL;
}

/* One rule for the three words that speak of an object's members, under the name of whichever
 * stands there: `properties` first. */
static gboolean
compile_object(gpointer c, Schema *schema, Rule *rule, GError **error)
{
    const SlJsonNode *expressions = sl_json_get(schema->doc, schema->node, "patternProperties");
    guint n = 0;
    if (strcmp(rule->word->name, "properties") == 0) {
        if (!compile_members(c, schema, rule, FALSE, error))
            return FALSE;
    } else if (sl_json_get(schema->doc, schema->node, "properties") != NULL ||
               (strcmp(rule->word->name, "additionalProperties") == 0 && expressions != NULL)) {
        rule->count = 1; /* an earlier rule has it all */
        return TRUE;
    }
    if (expressions != NULL) {
        if (expressions->type != SL_JSON_OBJECT)
            return sl_schema_refuse(c, schema, rule, error, "expected an object of schemas");
        rule->schemas = g_new0(Schema *, expressions->count + 1);
        rule->patterns = g_ptr_array_new_with_free_func((GDestroyNotify)sl_schema_pattern_free);
        SL_JSON_FOREACH (schema->doc, expressions, key) {
            SlSchemaPattern *pattern = compile_expression(c, schema, rule, key, error);
            if (pattern == NULL && sl_schema_lenient(c)) {
                g_clear_error(error);
                continue;
            }
            if (pattern == NULL)
                return FALSE;
            g_ptr_array_add(rule->patterns, pattern);
            if ((rule->schemas[n++] = sl_schema_compile_child(c, schema, key + 1, error)) == NULL)
                return FALSE;
        }
    }
    return compile_beside(c, schema, "additionalProperties", &rule->other, error);
}

static gboolean
compile_items(gpointer c, Schema *schema, Rule *rule, GError **error)
{
    if (rule->argument->type != SL_JSON_ARRAY)
        return compile_schema(c, schema, rule, error);
    return compile_list(c, schema, rule, error) &&
           compile_beside(c, schema, "additionalItems", &rule->other, error);
}

static gboolean
compile_if(gpointer c, Schema *schema, Rule *rule, GError **error)
{
    rule->schemas = g_new0(Schema *, 2);
    return (rule->schemas[0] = sl_schema_compile_child(c, schema, rule->argument, error)) != NULL &&
           compile_beside(c, schema, "then", &rule->other, error) &&
           compile_beside(c, schema, "else", &rule->third, error);
}

/* --- any value -------------------------------------------------------------------------------- */

static gboolean
check_type(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    if (sl_schema_has_types(value, rule->count))
        return TRUE;
    g_autofree char *types = j->faults != NULL ? sl_schema_types_text(rule->count) : NULL;
    return sl_schema_fault(j, "expected %s, found %s", types, sl_schema_type_of(value));
}

static gboolean
check_const(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    return sl_schema_equal(j, schema->doc, rule->argument, j->doc, value) ||
           sl_schema_fault(j, "expected %.*s", (int)MIN(rule->argument->n, 200), rule->argument->p);
}

static gboolean
check_enum(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    SL_JSON_FOREACH (schema->doc, rule->argument, one)
        if (sl_schema_equal(j, schema->doc, one, j->doc, value))
            return TRUE;
    return sl_schema_fault(j, "expected one of %.*s", (int)MIN(rule->argument->n, 500),
                           rule->argument->p);
}

static gboolean
check_all_of(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    gboolean ok = TRUE;
    for (Schema **one = rule->schemas; *one != NULL && (ok || j->faults != NULL); one++)
        ok = sl_schema_check(j, *one, value) && ok;
    return ok;
}

static gboolean
check_any_of(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    for (Schema **one = rule->schemas; *one != NULL; one++)
        if (sl_schema_fits(j, *one, value))
            return TRUE;
    return sl_schema_explain(j, rule, value);
}

static gboolean
check_one_of(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    guint n = 0, which[2] = {0};
    for (guint i = 0; rule->schemas[i] != NULL && n < 2; i++)
        if (sl_schema_fits(j, rule->schemas[i], value))
            which[n++] = i + 1;
    if (n == 1 || j->stopped != NULL)
        return TRUE;
    return n == 0 ? sl_schema_explain(j, rule, value)
                  : sl_schema_fault(j, "fits more than one alternative (number %u and number %u)",
                                    which[0], which[1]);
}

static gboolean
check_not(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    return !sl_schema_fits(j, rule->other, value) || sl_schema_fault(j, "is what it must not be");
}

static gboolean
check_if(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    const Schema *then = sl_schema_fits(j, rule->schemas[0], value) ? rule->other : rule->third;
    return then == NULL || sl_schema_check(j, then, value);
}

/* --- numbers ---------------------------------------------------------------------------------- */

typedef struct {
    const char *word, *reason;
    int worst; /* the result of a comparison with the limit that is too much, in its direction */
    int direction;
} Limit;

static gboolean
check_limit(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    static const Limit limits[] = {
        {"minimum", "must be at least", 0, -1},
        {"maximum", "must be at most", 0, 1},
        {"exclusiveMinimum", "must be greater than", 1, -1},
        {"exclusiveMaximum", "must be less than", 1, 1},
    };
    g_auto(SlDecimal) number = {0};
    sl_decimal_parse(value, &number);
    sl_schema_work(j, value->n);
    int order = sl_decimal_compare(&number, &rule->number);
    for (gsize i = 0; i < G_N_ELEMENTS(limits); i++) {
        if (strcmp(rule->word->name, limits[i].word) != 0)
            continue;
        gboolean over = order == limits[i].direction || (order == 0 && limits[i].worst == 1);
        return !over || sl_schema_fault(j, "%s %.*s", limits[i].reason,
                                        (int)MIN(rule->argument->n, 60), rule->argument->p);
    }
    return TRUE;
}

static gboolean
check_multiple(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    g_auto(SlDecimal) number = {0};
    guint64 work;
    sl_decimal_parse(value, &number);
    gboolean ok = sl_decimal_is_multiple(&number, &rule->number, j->max_work - j->work, &work);
    if (!sl_schema_work(j, work + value->n))
        return TRUE;
    return ok || sl_schema_fault(j, "must be a multiple of %.*s", (int)MIN(rule->argument->n, 60),
                                 rule->argument->p);
}

/* --- strings ---------------------------------------------------------------------------------- */

static gsize
length_of(const SlJsonNode *value)
{
    g_autoptr(GString) text = g_string_sized_new(value->n);
    gsize n = 0;
    sl_json_append_string(value, text);
    for (gsize i = 0; i < text->len; i++)
        n += ((guint8)text->str[i] & 0xc0) != 0x80;
    return n;
}

static gboolean
check_min_length(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    sl_schema_work(j, value->n / 16);
    return length_of(value) >= rule->count ||
           sl_schema_fault(j, "must have at least %" G_GUINT64_FORMAT " characters", rule->count);
}

static gboolean
check_max_length(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    sl_schema_work(j, value->n / 16);
    return length_of(value) <= rule->count ||
           sl_schema_fault(j, "must have at most %" G_GUINT64_FORMAT " characters", rule->count);
}

static int
match(Judge *j, const SlSchemaPattern *pattern, const char *text, gsize len)
{
    int found = sl_schema_work(j, 50 + len) ? sl_schema_pattern_match(pattern, text, len) : 0;
    if (found < 0) {
        sl_schema_work(j, j->max_work / 20); /* a few such, and that is all */
        j->stopped = "a pattern takes too long";
    }
    return found;
}

static gboolean
check_pattern(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    g_autoptr(GString) text = g_string_sized_new(value->n);
    sl_json_append_string(value, text);
    return match(j, rule->pattern, text->str, text->len) != 0 ||
           sl_schema_fault(j, "does not match the pattern '%s'",
                           sl_schema_pattern_text(rule->pattern));
}

static gboolean
check_format(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    g_autofree char *format = j->ask->formats ? sl_json_dup_string(rule->argument) : NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    if (format == NULL)
        return TRUE;
    sl_json_append_string(value, text);
    return sl_schema_format(format, text->str, text->len) || sl_schema_fault(j, "is no %s", format);
}

/* --- arrays ----------------------------------------------------------------------------------- */

static gboolean
check_items(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    guint i = 0;
    gboolean ok = TRUE;
    Schema **one = rule->schemas;
    SL_JSON_FOREACH (j->doc, value, item) {
        const Schema *its = one != NULL && *one != NULL ? *one++ : rule->other;
        gsize length = sl_schema_enter_element(j, i++);
        if (its != NULL && !sl_schema_check(j, its, item))
            ok = FALSE;
        g_string_truncate(j->path, length);
        if (!ok && j->faults == NULL)
            break;
    }
    return ok;
}

static gboolean
check_contains(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    SL_JSON_FOREACH (j->doc, value, item)
        if (sl_schema_fits(j, rule->other, item))
            return TRUE;
    return sl_schema_fault(j, "none of its elements is what one must be");
}

static gboolean
check_min_items(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    return value->count >= rule->count ||
           sl_schema_fault(j, "must have at least %" G_GUINT64_FORMAT " elements", rule->count);
}

static gboolean
check_max_items(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    return value->count <= rule->count ||
           sl_schema_fault(j, "must have at most %" G_GUINT64_FORMAT " elements", rule->count);
}

/* Equal elements have equal hashes; only those are compared. */
static gboolean
check_unique(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
    if (rule->argument->type != SL_JSON_TRUE)
        return TRUE;
    SL_JSON_FOREACH (j->doc, value, item) {
        gpointer hash = GUINT_TO_POINTER(sl_schema_hash(j, j->doc, item));
        GPtrArray *alike = g_hash_table_lookup(seen, hash);
        if (alike == NULL)
            g_hash_table_insert(seen, hash, alike = g_ptr_array_new());
        for (guint i = 0; i < alike->len && j->stopped == NULL; i++)
            if (sl_schema_equal(j, j->doc, alike->pdata[i], j->doc, item))
                return sl_schema_fault(j, "two of its elements are equal");
        g_ptr_array_add(alike, (gpointer)item);
    }
    return TRUE;
}

/* --- objects ---------------------------------------------------------------------------------- */

static gboolean
check_required(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    gboolean ok = TRUE;
    for (char **name = rule->names; *name != NULL; name++) {
        if (!sl_schema_work(j, value->count + 1))
            return TRUE;
        if (sl_json_get(j->doc, value, *name) == NULL)
            ok = sl_schema_fault(j, "'%s' is required", *name);
    }
    return ok;
}

static gboolean
check_member(Judge *j, const Rule *rule, const GString *name, const SlJsonNode *value)
{
    const Schema *own = rule->by_name != NULL && strlen(name->str) == name->len
                            ? g_hash_table_lookup(rule->by_name, name->str)
                            : NULL;
    gboolean known = own != NULL, ok = own == NULL || sl_schema_check(j, own, value);
    for (guint i = 0; rule->patterns != NULL && i < rule->patterns->len; i++) {
        if (match(j, rule->patterns->pdata[i], name->str, name->len) == 0)
            continue;
        known = TRUE;
        ok = sl_schema_check(j, rule->schemas[i], value) && ok;
    }
    if (known || rule->other == NULL)
        return ok;
    if (rule->other->always && !rule->other->answer)
        return sl_schema_fault(j, "there is no such property");
    return sl_schema_check(j, rule->other, value);
}

static gboolean
check_object(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    gboolean ok = TRUE;
    if (rule->count == 1)
        return TRUE;
    SL_JSON_FOREACH (j->doc, value, key) {
        g_autoptr(GString) name = g_string_sized_new(key->n);
        sl_json_append_string(key, name);
        gsize length = sl_schema_enter_member(j, name->str, name->len);
        ok = check_member(j, rule, name, key + 1) && ok;
        g_string_truncate(j->path, length);
        if (!ok && j->faults == NULL)
            break;
    }
    return ok;
}

static gboolean
check_names(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    SL_JSON_FOREACH (j->doc, value, key)
        if (!sl_schema_fits(j, rule->other, key))
            return sl_schema_fault(j, "a property may not be called %.*s", (int)MIN(key->n, 100),
                                   key->p);
    return TRUE;
}

static gboolean
check_min_properties(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    return value->count >= rule->count ||
           sl_schema_fault(j, "must have at least %" G_GUINT64_FORMAT " properties", rule->count);
}

static gboolean
check_max_properties(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    return value->count <= rule->count ||
           sl_schema_fault(j, "must have at most %" G_GUINT64_FORMAT " properties", rule->count);
}

static gboolean
check_dependencies(Judge *j, const Schema *schema, const Rule *rule, const SlJsonNode *value)
{
    gboolean ok = TRUE;
    SL_JSON_FOREACH (schema->doc, rule->argument, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (!sl_schema_work(j, value->count + 1))
            return TRUE;
        if (name == NULL || sl_json_get(j->doc, value, name) == NULL)
            continue;
        const Schema *needed = g_hash_table_lookup(rule->by_name, name);
        if (needed != NULL) {
            ok = sl_schema_check(j, needed, value) && ok;
            continue;
        }
        SL_JSON_FOREACH (schema->doc, key + 1, other) {
            g_autofree char *also = sl_json_dup_string(other);
            if (also != NULL && sl_schema_work(j, value->count + 1) &&
                sl_json_get(j->doc, value, also) == NULL)
                ok = sl_schema_fault(j, "'%s' is required beside '%s'", also, name);
        }
    }
    return ok;
}

/* --- the table ---------------------------------------------------------------------------------
 */

const Word sl_schema_words[] = {
    {"definitions", 0, compile_definitions, NULL},
    {"type", ANY_TYPE, compile_type, check_type},
    {"const", ANY_TYPE, compile_any, check_const},
    {"enum", ANY_TYPE, compile_array, check_enum},
    {"minimum", NUMBERS, compile_number, check_limit},
    {"maximum", NUMBERS, compile_number, check_limit},
    {"exclusiveMinimum", NUMBERS, compile_number, check_limit},
    {"exclusiveMaximum", NUMBERS, compile_number, check_limit},
    {"multipleOf", NUMBERS, compile_unit, check_multiple},
    {"minLength", STRINGS, compile_count, check_min_length},
    {"maxLength", STRINGS, compile_count, check_max_length},
    {"pattern", STRINGS, compile_pattern, check_pattern},
    {"format", STRINGS, compile_any, check_format},
    {"required", OBJECTS, compile_required, check_required},
    {"properties", OBJECTS, compile_object, check_object},
    {"patternProperties", OBJECTS, compile_object, check_object},
    {"additionalProperties", OBJECTS, compile_object, check_object},
    {"propertyNames", OBJECTS, compile_schema, check_names},
    {"minProperties", OBJECTS, compile_count, check_min_properties},
    {"maxProperties", OBJECTS, compile_count, check_max_properties},
    {"dependencies", OBJECTS, compile_dependencies, check_dependencies},
    {"items", ARRAYS, compile_items, check_items},
    {"contains", ARRAYS, compile_schema, check_contains},
    {"minItems", ARRAYS, compile_count, check_min_items},
    {"maxItems", ARRAYS, compile_count, check_max_items},
    {"uniqueItems", ARRAYS, compile_any, check_unique},
    {"allOf", ANY_TYPE, compile_list, check_all_of},
    {"anyOf", ANY_TYPE, compile_list, check_any_of},
    {"oneOf", ANY_TYPE, compile_list, check_one_of},
    {"not", ANY_TYPE, compile_schema, check_not},
    {"if", ANY_TYPE, compile_if, check_if},
    {NULL, 0, NULL, NULL},
};

const Word *
sl_schema_word(const char *name)
{
    const Word *word = sl_schema_words;
    while (word->name != NULL && strcmp(word->name, name) != 0)
        word++;
    return word;
}
