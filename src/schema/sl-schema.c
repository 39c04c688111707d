/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-schema.h"

#include <string.h>

#include "sl-error.h"
#include "sl-schema-private.h"

/* Schemas within schemas while judging; each is about half a KiB of stack. */
#define MAX_JUDGES 1024

void
sl_schema_fault_free(SlSchemaFault *fault)
{
    if (fault == NULL)
        return;
    g_free(fault->path);
    g_free(fault->reason);
    g_free(fault);
}

gboolean
sl_schema_work(Judge *j, guint64 units)
{
    j->work += MIN(units, j->max_work);
    if (j->work > j->max_work && j->stopped == NULL)
        j->stopped = "it takes too many steps";
    return j->stopped == NULL;
}

gboolean
sl_schema_fault(Judge *j, const char *format, ...)
{
    if (j->faults == NULL || j->faults->len >= j->max_faults || j->stopped != NULL)
        return FALSE;
    SlSchemaFault *fault = g_new0(SlSchemaFault, 1);
    va_list args;
    va_start(args, format);
    fault->reason = g_strdup_vprintf(format, args);
    va_end(args);
    fault->path = g_strdup(j->path->str);
    /* Foreign text may have been cut within a character. */
    if (!g_utf8_validate(fault->reason, -1, NULL)) {
        char *valid = g_utf8_make_valid(fault->reason, -1);
        g_free(fault->reason);
        fault->reason = valid;
    }
    g_ptr_array_add(j->faults, fault);
    return FALSE;
}

gsize
sl_schema_enter_member(Judge *j, const char *name, gsize len)
{
    gsize before = j->path->len;
    gboolean plain = len > 0;
    for (gsize i = 0; i < len; i++)
        plain = plain && strchr(".[]\"\\", name[i]) == NULL && (guint8)name[i] > ' ';
    if (plain) {
        g_string_append_c(j->path, '.');
        g_string_append_len(j->path, name, (gssize)MIN(len, 200));
    } else {
        g_autofree char *escaped = g_strndup(name, MIN(len, 200));
        g_autofree char *quoted = g_strescape(escaped, NULL);
        g_string_append_printf(j->path, "[\"%s\"]", quoted);
    }
    return before;
}

gsize
sl_schema_enter_element(Judge *j, guint i)
{
    gsize before = j->path->len;
    g_string_append_printf(j->path, "[%u]", i);
    return before;
}

/* --- types ------------------------------------------------------------------------------------ */

static gboolean
is_integer(const SlJsonNode *value)
{
    g_auto(SlDecimal) number = {0};
    return sl_decimal_parse(value, &number) && sl_decimal_is_integer(&number);
}

gboolean
sl_schema_has_types(const SlJsonNode *value, guint64 types)
{
    return (types & (1u << value->type)) != 0 ||
           ((types & TYPE_INTEGER) != 0 && value->type == SL_JSON_NUMBER && is_integer(value));
}

const char *
sl_schema_type_of(const SlJsonNode *value)
{
    static const char *const names[] = {"null",   "boolean", "boolean", "number",
                                        "string", "array",   "object"};
    return names[value->type];
}

char *
sl_schema_types_text(guint64 types)
{
    static const struct {
        guint64 bits;
        const char *name;
    } names[] = {
        {OBJECTS, "object"},          {ARRAYS, "array"},         {STRINGS, "string"},
        {NUMBERS, "number"},          {TYPE_INTEGER, "integer"}, {1u << SL_JSON_TRUE, "boolean"},
        {1u << SL_JSON_NULL, "null"},
    };
    GString *text = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if ((types & names[i].bits) != 0)
            g_string_append_printf(text, "%s%s", text->len > 0 ? " or " : "", names[i].name);
    return g_string_free(text, FALSE);
}

/* --- equality --------------------------------------------------------------------------------- */

static gboolean
equal_numbers(const SlJsonNode *a, const SlJsonNode *b)
{
    g_auto(SlDecimal) x = {0}, y = {0};
    sl_decimal_parse(a, &x);
    sl_decimal_parse(b, &y);
    return sl_decimal_compare(&x, &y) == 0;
}

static gboolean
equal_strings(const SlJsonNode *a, const SlJsonNode *b)
{
    if (!a->escaped && !b->escaped)
        return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
    g_autoptr(GString) x = g_string_new(NULL), y = g_string_new(NULL);
    sl_json_append_string(a, x);
    sl_json_append_string(b, y);
    return g_string_equal(x, y);
}

static const SlJsonNode *
find_member(Judge *j, const SlJsonDoc *doc, const SlJsonNode *object, const SlJsonNode *name)
{
    const SlJsonNode *found = NULL;
    SL_JSON_FOREACH (doc, object, key) {
        if (!sl_schema_work(j, 1))
            return NULL;
        if (equal_strings(key, name))
            found = key + 1;
    }
    return found;
}

static gboolean
equal_objects(Judge *j, const SlJsonDoc *da, const SlJsonNode *a, const SlJsonDoc *db,
              const SlJsonNode *b)
{
    if (a->count != b->count)
        return FALSE;
    SL_JSON_FOREACH (da, a, key) {
        const SlJsonNode *other = find_member(j, db, b, key);
        if (other == NULL || !sl_schema_equal(j, da, key + 1, db, other))
            return FALSE;
    }
    return TRUE;
}

gboolean
sl_schema_equal(Judge *j, const SlJsonDoc *da, const SlJsonNode *a, const SlJsonDoc *db,
                const SlJsonNode *b)
{
    if (a->type != b->type || !sl_schema_work(j, 1 + MIN(a->n, b->n) / 16))
        return FALSE;
    if (a->type == SL_JSON_NUMBER)
        return equal_numbers(a, b);
    if (a->type == SL_JSON_STRING)
        return equal_strings(a, b);
    if (a->type == SL_JSON_OBJECT)
        return equal_objects(j, da, a, db, b);
    if (a->type != SL_JSON_ARRAY)
        return TRUE;
    if (a->count != b->count)
        return FALSE;
    const SlJsonNode *other = sl_json_first(db, b);
    SL_JSON_FOREACH (da, a, one) {
        if (!sl_schema_equal(j, da, one, db, other))
            return FALSE;
        other = sl_json_next(db, b, other);
    }
    return TRUE;
}

static guint
hash_bytes(guint hash, const char *p, gsize n)
{
    for (gsize i = 0; i < n; i++)
        hash = hash * 33 + (guint8)p[i];
    return hash;
}

/* The order of members does not count: their hashes are added. */
guint
sl_schema_hash(Judge *j, const SlJsonDoc *doc, const SlJsonNode *node)
{
    guint hash = node->type + 1;
    if (!sl_schema_work(j, 1 + node->n / 16))
        return 0;
    if (node->type == SL_JSON_NUMBER) {
        g_auto(SlDecimal) number = {0};
        sl_decimal_parse(node, &number);
        return hash_bytes(hash + (guint)number.exponent + number.negative, number.digits, number.n);
    }
    if (node->type == SL_JSON_STRING) {
        g_autoptr(GString) text = g_string_sized_new(node->n);
        sl_json_append_string(node, text);
        return hash_bytes(hash, text->str, text->len);
    }
    if (node->type == SL_JSON_ARRAY) {
        SL_JSON_FOREACH (doc, node, one)
            hash = hash * 31 + sl_schema_hash(j, doc, one);
    } else if (node->type == SL_JSON_OBJECT) {
        SL_JSON_FOREACH (doc, node, key)
            hash += sl_schema_hash(j, doc, key) * 17 + sl_schema_hash(j, doc, key + 1);
    }
    return hash;
}

/* --- judging ---------------------------------------------------------------------------------- */

static gboolean
check_rules(Judge *j, const Schema *schema, const SlJsonNode *value)
{
    gboolean ok = TRUE;
    for (guint i = 0; i < schema->rules->len; i++) {
        const Rule *rule = &g_array_index(schema->rules, Rule, i);
        if ((rule->word->types & (1u << value->type)) == 0)
            continue;
        gboolean fits = rule->word->check(j, schema, rule, value);
        ok = ok && fits;
        if (j->stopped != NULL || (!ok && j->faults == NULL))
            break;
        /* What else is wrong with a value of the wrong type does not help. */
        if (!fits && rule->word->check == sl_schema_word("type")->check)
            break;
    }
    return ok;
}

gboolean
sl_schema_check(Judge *j, const Schema *schema, const SlJsonNode *value)
{
    if (j->stopped != NULL || !sl_schema_work(j, 4))
        return TRUE;
    if (schema->always)
        return schema->answer || sl_schema_fault(j, "nothing is allowed here");
    if (j->depth >= MAX_JUDGES) {
        j->stopped = "it is nested too deep, or the schema refers to itself without end";
        return TRUE;
    }
    if (j->ask->pass != NULL &&
        j->ask->pass(schema->doc, schema->node, j->doc, value, j->ask->pass_data))
        return TRUE;
    j->depth++;
    gboolean ok = schema->reference == NULL ? check_rules(j, schema, value)
                  : schema->target != NULL  ? sl_schema_check(j, schema->target, value)
                                            : TRUE;
    j->depth--;
    return ok;
}

gboolean
sl_schema_fits(Judge *j, const Schema *schema, const SlJsonNode *value)
{
    GPtrArray *faults = g_steal_pointer(&j->faults);
    gboolean ok = sl_schema_check(j, schema, value);
    j->faults = faults;
    return ok;
}

gboolean
sl_schema_validate(const SlSchema *schema, const SlJsonDoc *doc, const SlJsonNode *value,
                   const SlSchemaAsk *ask, GPtrArray **ret_faults, GError **error)
{
    static const SlSchemaAsk defaults = {0};
    g_autoptr(GPtrArray) faults =
        g_ptr_array_new_with_free_func((GDestroyNotify)sl_schema_fault_free);
    g_autoptr(GString) path = NULL;
    ask = ask != NULL ? ask : &defaults;
    path = g_string_new(ask->root != NULL ? ask->root : "value");
    Judge j = {.doc = doc,
               .ask = ask,
               .faults = ret_faults != NULL ? faults : NULL,
               .max_faults = ask->max_faults > 0 ? ask->max_faults : SL_SCHEMA_FAULTS,
               .path = path,
               .max_work = ask->max_work > 0 ? ask->max_work : SL_SCHEMA_WORK};
    gboolean ok = sl_schema_check(&j, schema->root, value);
    if (j.stopped != NULL)
        return sl_error_set(error, SL_ERROR_TOO_LARGE, "%s cannot be judged by its schema: %s",
                            path->str, j.stopped);
    if (!ok && ret_faults != NULL)
        *ret_faults = g_steal_pointer(&faults);
    return ok;
}
