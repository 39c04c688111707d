/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include <string.h>

#include "sl-schema-private.h"

/* Why no branch of an anyOf or oneOf fits: told by the one branch that was meant, because a list of
 * what is wrong with each of ten authentication methods helps nobody. */

/* Behind references, of which a chain may be a ring. */
static const Schema *
behind(const Schema *schema)
{
    for (guint i = 0; i < 32 && schema != NULL && schema->reference != NULL; i++)
        schema = schema->target;
    return schema != NULL && schema->reference == NULL && !schema->always ? schema : NULL;
}

static const Rule *
rule_of(const Schema *schema, const char *word)
{
    for (guint i = 0; schema != NULL && i < schema->rules->len; i++) {
        const Rule *rule = &g_array_index(schema->rules, Rule, i);
        if (strcmp(rule->word->name, word) == 0)
            return rule;
    }
    return NULL;
}

/* The only value that a schema allows by const or an enum of one. */
static const SlJsonNode *
constant_of(const Schema *schema)
{
    const Rule *rule = rule_of(schema, "const");
    if (rule != NULL)
        return rule->argument;
    rule = rule_of(schema, "enum");
    return rule != NULL && rule->argument->count == 1 ? sl_json_first(schema->doc, rule->argument)
                                                      : NULL;
}

typedef struct {
    guint constants; /* members that tell this branch from others */
    guint equal;     /* of which the value has what the branch says */
    gboolean differs;
    const SlJsonNode *key; /* of the value: the one that differs */
} Likeness;

static Likeness
compare(Judge *j, const Schema *schema, const SlJsonNode *value)
{
    Likeness likeness = {0};
    const Rule *properties = rule_of(schema, "properties");
    if (properties == NULL || properties->by_name == NULL || value->type != SL_JSON_OBJECT)
        return likeness;
    SL_JSON_FOREACH (j->doc, value, key) {
        g_autofree char *name = sl_json_dup_string(key);
        const Schema *member =
            name != NULL ? behind(g_hash_table_lookup(properties->by_name, name)) : NULL;
        const SlJsonNode *constant = member != NULL ? constant_of(member) : NULL;
        if (constant == NULL || !sl_schema_work(j, 1))
            continue;
        likeness.constants++;
        if (sl_schema_equal(j, member->doc, constant, j->doc, key + 1)) {
            likeness.equal++;
        } else {
            likeness.differs = TRUE;
            likeness.key = key;
        }
    }
    return likeness;
}

/* No branch has this value of the member that tells them apart: all that there are. */
static gboolean
tell_constants(Judge *j, const Rule *rule, const SlJsonNode *key)
{
    g_autofree char *name = sl_json_dup_string(key);
    g_autoptr(GString) allowed = g_string_new(NULL);
    for (Schema **one = rule->schemas; name != NULL && *one != NULL; one++) {
        const Rule *properties = rule_of(behind(*one), "properties");
        const Schema *member = properties != NULL && properties->by_name != NULL
                                   ? behind(g_hash_table_lookup(properties->by_name, name))
                                   : NULL;
        const SlJsonNode *constant = member != NULL ? constant_of(member) : NULL;
        if (constant != NULL && allowed->len < 500)
            g_string_append_printf(allowed, "%s%.*s", allowed->len > 0 ? ", " : "",
                                   (int)MIN(constant->n, 100), constant->p);
    }
    gsize length =
        sl_schema_enter_member(j, name != NULL ? name : "", name != NULL ? strlen(name) : 0);
    sl_schema_fault(j, "expected one of %s", allowed->str);
    g_string_truncate(j->path, length);
    return FALSE;
}

/* The types that the branches take, and how many branches take the value's. */
static guint64
types_of(const Rule *rule, const SlJsonNode *value, const Schema **ret_only, guint *ret_n)
{
    guint64 types = 0;
    *ret_n = 0;
    for (Schema **one = rule->schemas; *one != NULL; one++) {
        const Schema *schema = behind(*one);
        const Rule *type = rule_of(schema, "type");
        guint64 own = type != NULL ? type->count : ANY_TYPE;
        types |= own;
        if (schema != NULL && sl_schema_has_types(value, own)) {
            *ret_only = *one;
            ++*ret_n;
        }
    }
    return types;
}

/* The branch with the fewest faults, when nothing else tells. */
static gboolean
tell_nearest(Judge *j, const Rule *rule, const SlJsonNode *value)
{
    GPtrArray *outer = j->faults;
    g_autoptr(GPtrArray) best = NULL;
    for (Schema **one = rule->schemas; *one != NULL && j->stopped == NULL; one++) {
        g_autoptr(GPtrArray) own =
            g_ptr_array_new_with_free_func((GDestroyNotify)sl_schema_fault_free);
        j->faults = own;
        sl_schema_check(j, *one, value);
        if (own->len > 0 && (best == NULL || own->len < best->len)) {
            g_clear_pointer(&best, g_ptr_array_unref);
            best = g_steal_pointer(&own);
        }
    }
    j->faults = outer;
    if (best == NULL)
        return sl_schema_fault(j, "fits none of the alternatives");
    for (guint i = 0; i < best->len && outer->len < j->max_faults; i++)
        g_ptr_array_add(outer, g_steal_pointer(&best->pdata[i]));
    return FALSE;
}

gboolean
sl_schema_explain(Judge *j, const Rule *rule, const SlJsonNode *value)
{
    const Schema *meant = NULL, *only = NULL;
    const SlJsonNode *odd = NULL;
    guint n_meant = 0, n_alike = 0;
    if (j->faults == NULL || j->stopped != NULL || j->faults->len >= j->max_faults)
        return FALSE;
    for (Schema **one = rule->schemas; *one != NULL; one++) {
        Likeness likeness = compare(j, behind(*one), value);
        if (likeness.equal > 0 && !likeness.differs) {
            meant = *one;
            n_meant++;
        } else if (likeness.differs) {
            odd = likeness.key;
        }
    }
    if (n_meant == 1)
        return sl_schema_check(j, meant, value) && FALSE;
    if (n_meant == 0 && odd != NULL)
        return tell_constants(j, rule, odd);
    guint64 types = types_of(rule, value, &only, &n_alike);
    if (n_alike == 1)
        return sl_schema_check(j, only, value) && FALSE;
    if (n_alike == 0) {
        g_autofree char *text = sl_schema_types_text(types);
        return sl_schema_fault(j, "expected %s, found %s", text, sl_schema_type_of(value));
    }
    return tell_nearest(j, rule, value);
}
