/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-mapper.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-scan.h"
#include "sl-json-write.h"
#include "sl-mapper-private.h"

#define NOWHERE G_MAXUINT

/* A name that selection or mappers care about. */
typedef struct {
    char *name;
    gsize len;
    char *quoted; /* as JSON */
    gsize quoted_len;
    gboolean passes; /* a record's own member of this name belongs to the stream */
    guint at;        /* per record: its member; NOWHERE: it has none */
} Slot;

/* A member of the record in hand. */
typedef struct {
    SlSpan key;   /* between the quotes, as in the record */
    SlSpan value; /* p NULL: in `scratch`, at `offset` */
    gsize offset;
    guint name; /* slot of its new name; SL_NO_SLOT: the old one */
    gboolean gone;
} Member;

struct SlMapper {
    char *title;
    SlMapperShape *shape;
    gboolean selecting; /* members without a slot do not pass */
    GPtrArray *steps;   /* of SlMapperStep */
    GArray *slots;      /* of Slot */
    guint *table;       /* hash of names → slot + 1 */
    guint mask;
    guint64 bits;       /* of the names that count, as for sl_json_members_read_some() */
    SlJsonMembers read; /* the record in hand, as it came */
    Member *members;    /* the same, one by one, on its way through the mappers */
    guint n_members, n_allocated;
    GString *scratch; /* values that we made */
    GString *text;    /* a value or name, unescaped */
    gboolean touched; /* the record in hand is not as it came */
};

/* --- names ----------------------------------------------------------------- */

static guint
hash_name(const char *p, gsize n)
{
    guint64 head = 0, tail = 0;
    if (n >= 8) {
        memcpy(&head, p, 8);
        memcpy(&tail, p + n - 8, 8);
    } else {
        if (n >= 4) {
            guint32 first, second;
            memcpy(&first, p, 4);
            memcpy(&second, p + n - 4, 4);
            head = (guint64)first << 32 | second;
        } else if (n > 0) {
            head = (guint64)(guint8)p[0] << 16 | (guint64)(guint8)p[n / 2] << 8 | (guint8)p[n - 1];
        }
    }
    guint64 hash = (head ^ (tail << 29 | tail >> 35) ^ n) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    return (guint)(hash >> 32);
}

static guint
find_slot(const SlMapper *mapper, const char *name, gsize len)
{
    for (guint i = hash_name(name, len) & mapper->mask;; i = (i + 1) & mapper->mask) {
        guint found = mapper->table[i];
        if (found == 0)
            return SL_NO_SLOT;
        const Slot *slot = &g_array_index(mapper->slots, Slot, found - 1);
        if (slot->len == len && memcmp(slot->name, name, len) == 0)
            return found - 1;
    }
}

static guint
add_slot(SlMapper *mapper, const char *name, gboolean passes)
{
    if (name == NULL)
        return SL_NO_SLOT;
    for (guint i = 0; i < mapper->slots->len; i++) {
        if (strcmp(g_array_index(mapper->slots, Slot, i).name, name) == 0)
            return i;
    }
    GString *quoted = g_string_new(NULL);
    sl_json_append_quoted(quoted, name, strlen(name));
    gsize quoted_len = quoted->len;
    Slot slot = {g_strdup(name), strlen(name), g_string_free(quoted, FALSE),
                 quoted_len,     passes,       NOWHERE};
    g_array_append_val(mapper->slots, slot);
    return mapper->slots->len - 1;
}

static void
clear_slot(gpointer data)
{
    Slot *slot = data;
    g_free(slot->name);
    g_free(slot->quoted);
}

static gboolean
add_condition_slot(SlCondition *condition, gpointer data)
{
    condition->slot = add_slot(data, condition->field, FALSE);
    return TRUE;
}

static void
make_table(SlMapper *mapper)
{
    guint size = 8;
    while (size < mapper->slots->len * 4)
        size *= 2;
    mapper->mask = size - 1;
    mapper->table = g_new0(guint, size);
    for (guint i = 0; i < mapper->slots->len; i++) {
        const Slot *slot = &g_array_index(mapper->slots, Slot, i);
        guint at = hash_name(slot->name, slot->len) & mapper->mask;
        while (mapper->table[at] != 0)
            at = (at + 1) & mapper->mask;
        mapper->table[at] = i + 1;
    }
}

/* --- making ---------------------------------------------------------------- */

static void
free_step(gpointer data)
{
    sl_mapper_step_free(data);
}

static gboolean
check_shape(const SlMapper *mapper, GError **error)
{
    if (mapper->shape->faults->len > 0) {
        const SlMapperFault *fault = mapper->shape->faults->pdata[0];
        return sl_error_set(error, SL_ERROR_INVALID, "stream '%s': %s", mapper->title,
                            fault->message);
    }
    for (guint i = 0; i < mapper->steps->len; i++) {
        const SlMapperStep *step = mapper->steps->pdata[i];
        if (step->cipher != NULL && !sl_cipher_has_key(step->cipher))
            return sl_error_set(error, SL_ERROR_INVALID,
                                "stream '%s': %s: the key is a reference that was not resolved",
                                mapper->title, step->title);
    }
    return TRUE;
}

static void
add_slots(SlMapper *mapper)
{
    const GPtrArray *fields = mapper->shape->steps->pdata[0];
    for (guint i = 0; i < fields->len; i++) {
        const SlMapperField *field = fields->pdata[i];
        add_slot(mapper, field->name, TRUE);
    }
    for (guint i = 0; i < mapper->steps->len; i++) {
        SlMapperStep *step = mapper->steps->pdata[i];
        step->from_slot = add_slot(mapper, step->from, FALSE);
        step->to_slot = add_slot(mapper, step->to, FALSE);
        if (step->condition != NULL)
            sl_condition_each(step->condition, add_condition_slot, mapper);
    }
    make_table(mapper);
    mapper->bits = mapper->selecting ? ~G_GUINT64_CONSTANT(0) : 0;
    for (guint i = 0; i < mapper->slots->len; i++) {
        const Slot *slot = &g_array_index(mapper->slots, Slot, i);
        mapper->bits |= sl_json_name_bit(slot->name, slot->len);
    }
}

SlMapper *
sl_mapper_new(const SlJsonDoc *doc, const SlJsonNode *configured, const char *title, GError **error)
{
    g_autoptr(SlMapper) mapper = g_new0(SlMapper, 1);
    mapper->title = g_strdup(title);
    mapper->steps = g_ptr_array_new_with_free_func(free_step);
    mapper->slots = g_array_new(FALSE, FALSE, sizeof(Slot));
    g_array_set_clear_func(mapper->slots, clear_slot);
    mapper->scratch = g_string_new(NULL);
    mapper->text = g_string_new(NULL);
    mapper->shape =
        sl_mapper_shape_steps(doc, configured, mapper->steps, &mapper->selecting, error);
    if (mapper->shape == NULL) {
        g_prefix_error(error, "stream '%s': ", title);
        return NULL;
    }
    if (!mapper->shape->changed || !check_shape(mapper, error))
        return NULL;
    add_slots(mapper);
    return g_steal_pointer(&mapper);
}

void
sl_mapper_free(SlMapper *mapper)
{
    if (mapper == NULL)
        return;
    g_free(mapper->title);
    sl_mapper_shape_free(mapper->shape);
    g_ptr_array_unref(mapper->steps);
    g_array_unref(mapper->slots);
    g_free(mapper->table);
    g_free(mapper->members);
    sl_json_members_clear(&mapper->read);
    g_string_free(mapper->scratch, TRUE);
    g_string_free(mapper->text, TRUE);
    g_free(mapper);
}

const SlMapperShape *
sl_mapper_get_shape(const SlMapper *mapper)
{
    return mapper->shape;
}

/* --- reading a record ------------------------------------------------------ */

static Member *
get_member(const SlMapper *mapper, guint index)
{
    return &mapper->members[index];
}

static Slot *
get_slot(const SlMapper *mapper, guint index)
{
    return &g_array_index(mapper->slots, Slot, index);
}

static void
drop(SlMapper *mapper, guint at)
{
    get_member(mapper, at)->gone = TRUE;
    mapper->touched = TRUE;
}

/* Enters a member: of repeated ones the last counts. */
static gboolean
enter(SlMapper *mapper, guint at)
{
    const SlJsonMember *read = &mapper->read.list[at];
    const char *name = read->key.p;
    gsize len = read->key.n;
    if (read->escaped) {
        g_string_truncate(mapper->text, 0);
        if (!sl_json_append_unescaped(read->key, mapper->text))
            return FALSE;
        name = mapper->text->str;
        len = mapper->text->len;
    }
    guint index = find_slot(mapper, name, len);
    mapper->members[at] = (Member){.key = read->key, .value = read->value, .name = SL_NO_SLOT};
    if (index == SL_NO_SLOT) {
        if (mapper->selecting)
            drop(mapper, at);
        return TRUE;
    }
    Slot *slot = get_slot(mapper, index);
    if (!slot->passes) { /* it would pass for what a mapper makes */
        drop(mapper, at);
        return TRUE;
    }
    if (slot->at != NOWHERE)
        drop(mapper, slot->at);
    slot->at = at;
    return TRUE;
}

static gboolean
read_members(SlMapper *mapper, SlSpan data, GError **error)
{
    mapper->touched = FALSE;
    g_string_truncate(mapper->scratch, 0);
    for (guint i = 0; i < mapper->slots->len; i++)
        get_slot(mapper, i)->at = NOWHERE;
    gboolean malformed = !sl_json_members_read_some(&mapper->read, data, mapper->bits);
    mapper->n_members = mapper->read.n;
    if (mapper->n_allocated < mapper->n_members) {
        mapper->n_allocated = mapper->n_members * 2;
        mapper->members = g_renew(Member, mapper->members, mapper->n_allocated);
    }
    for (guint i = 0; i < mapper->n_members && !malformed; i++)
        malformed = !enter(mapper, i);
    return !malformed ||
           sl_error_set(error, SL_ERROR_PROTOCOL, "the source sent a broken record of stream '%s'",
                        mapper->title);
}

/* What the record weighs as selected. */
static gsize
measure(const SlMapper *mapper, SlSpan data)
{
    gsize size = 1;
    if (!mapper->touched)
        return data.n;
    if (mapper->read.sparse) {
        size = data.n;
        for (guint i = 0; i < mapper->n_members; i++) {
            const Member *member = get_member(mapper, i);
            if (member->gone)
                size -= member->key.n + member->value.n + 4;
        }
        return MAX(size, 2);
    }
    for (guint i = 0; i < mapper->n_members; i++) {
        const Member *member = get_member(mapper, i);
        if (!member->gone)
            size += member->key.n + member->value.n + 4; /* quotes, colon, comma or brace */
    }
    return MAX(size, 2);
}

/* --- values ---------------------------------------------------------------- */

/* The text of a value; `whole`: of containers as well. FALSE: broken. */
static gboolean
get_text(SlMapper *mapper, const Member *member, gboolean whole, SlSpan *ret)
{
    SlSpan value = member->value;
    if (value.p == NULL)
        value.p = mapper->scratch->str + member->offset;
    *ret = value;
    if (*value.p == '{' || *value.p == '[') {
        if (!whole)
            ret->n = 0;
        return TRUE;
    }
    if (*value.p != '"')
        return TRUE;
    *ret = (SlSpan){value.p + 1, value.n - 2};
    if (memchr(ret->p, '\\', ret->n) == NULL)
        return TRUE;
    g_string_truncate(mapper->text, 0);
    if (!sl_json_append_unescaped(*ret, mapper->text))
        return FALSE;
    *ret = (SlSpan){mapper->text->str, mapper->text->len};
    return TRUE;
}

/* Hashes or encrypts the member's value into the scratch, as a JSON string. */
static gboolean
replace_value(SlMapper *mapper, const SlMapperStep *step, Member *member, GError **error)
{
    SlSpan text;
    if (!get_text(mapper, member, step->cipher != NULL, &text))
        return sl_error_set(error, SL_ERROR_PROTOCOL, "an invalid escape in a string");
    if (member->value.p == NULL) { /* the scratch may move while we read from it */
        g_string_truncate(mapper->text, 0);
        g_string_append_len(mapper->text, text.p, (gssize)text.n);
        text = (SlSpan){mapper->text->str, mapper->text->len};
    }
    gsize offset = mapper->scratch->len;
    g_string_append_c(mapper->scratch, '"');
    if (step->cipher != NULL ? !sl_cipher_append_hex(step->cipher, text, mapper->scratch, error)
                             : !sl_digest_append_hex(step->digest, text, mapper->scratch, error))
        return FALSE;
    g_string_append_c(mapper->scratch, '"');
    member->value = (SlSpan){NULL, mapper->scratch->len - offset};
    member->offset = offset;
    return TRUE;
}

/* --- steps ----------------------------------------------------------------- */

static gboolean
equals(SlMapper *mapper, const SlCondition *condition, gboolean *ret)
{
    SlSpan text;
    const Slot *slot = get_slot(mapper, condition->slot);
    *ret = FALSE;
    if (slot->at == NOWHERE)
        return TRUE;
    if (!get_text(mapper, get_member(mapper, slot->at), FALSE, &text))
        return FALSE;
    *ret = text.n == strlen(condition->value) && memcmp(text.p, condition->value, text.n) == 0;
    return TRUE;
}

/* Is it true of the record? FALSE: it cannot be told. */
static gboolean
judge(SlMapper *mapper, const SlCondition *condition, gboolean *ret)
{
    gboolean all = TRUE, any = FALSE, one;
    if (condition->type == SL_CONDITION_EQUAL)
        return equals(mapper, condition, ret);
    for (guint i = 0; i < condition->children->len; i++) {
        if (!judge(mapper, condition->children->pdata[i], &one))
            return FALSE;
        all = all && one;
        any = any || one;
    }
    *ret = condition->type == SL_CONDITION_AND ? all : any;
    if (condition->type == SL_CONDITION_NOT)
        *ret = !any;
    return TRUE;
}

static gboolean
change_field(SlMapper *mapper, const SlMapperStep *step, GError **error)
{
    Slot *from = get_slot(mapper, step->from_slot);
    if (from->at == NOWHERE)
        return TRUE;
    guint at = from->at;
    Member *member = get_member(mapper, at);
    mapper->touched = TRUE;
    if (step->type == SL_MAPPER_FIELD_FILTERING) {
        member->gone = TRUE;
        from->at = NOWHERE;
        return TRUE;
    }
    if (step->type != SL_MAPPER_FIELD_RENAMING && !replace_value(mapper, step, member, error)) {
        g_prefix_error(error, "stream '%s': %s on field '%s': ", mapper->title, step->title,
                       step->from);
        return FALSE;
    }
    if (step->to_slot != step->from_slot) {
        member->name = step->to_slot;
        from->at = NOWHERE;
        get_slot(mapper, step->to_slot)->at = at;
    }
    return TRUE;
}

static SlMapped
run_steps(SlMapper *mapper, GError **error)
{
    for (guint i = 0; i < mapper->steps->len; i++) {
        const SlMapperStep *step = mapper->steps->pdata[i];
        gboolean keep = TRUE;
        if (step->condition == NULL) {
            if (!change_field(mapper, step, error))
                return SL_MAPPED_FAILED;
        } else if (!judge(mapper, step->condition, &keep)) {
            sl_error_set(error, SL_ERROR_PROTOCOL,
                         "stream '%s': %s: a value that it compares is broken", mapper->title,
                         step->title);
            return SL_MAPPED_FAILED;
        }
        if (!keep)
            return SL_MAPPED_FILTERED;
    }
    return mapper->touched ? SL_MAPPED_CHANGED : SL_MAPPED_SAME;
}

/* --- writing --------------------------------------------------------------- */

static gboolean
is_plain(const Member *member)
{
    return !member->gone && member->name == SL_NO_SLOT && member->value.p != NULL;
}

static void
write_member(const SlMapper *mapper, const Member *member, GString *out)
{
    if (member->name != SL_NO_SLOT) {
        const Slot *slot = get_slot(mapper, member->name);
        g_string_append_len(out, slot->quoted, (gssize)slot->quoted_len);
    } else {
        g_string_append_len(out, member->key.p - 1, (gssize)member->key.n + 2);
    }
    g_string_append_c(out, ':');
    const char *value =
        member->value.p != NULL ? member->value.p : mapper->scratch->str + member->offset;
    g_string_append_len(out, value, (gssize)member->value.n);
}

/* Neighbours that are untouched go as one piece, with what stands between them. */
static void
write_members(const SlMapper *mapper, GString *out)
{
    guint n = mapper->n_members;
    char separator = '{';
    for (guint i = 0; i < n; i++) {
        const Member *member = get_member(mapper, i);
        if (member->gone)
            continue;
        g_string_append_c(out, separator);
        separator = ',';
        if (!is_plain(member)) {
            write_member(mapper, member, out);
            continue;
        }
        guint last = i;
        while (last + 1 < n && is_plain(get_member(mapper, last + 1)))
            last++;
        const SlSpan *end = &get_member(mapper, last)->value;
        const char *from = member->key.p - 1;
        g_string_append_len(out, from, end->p + end->n - from);
        i = last;
    }
    g_string_append(out, separator == '{' ? "{}" : "}");
}

/* The same when only some members were read: all between them stays. There is no white space. */
static void
write_sparse(const SlMapper *mapper, SlSpan data, GString *out)
{
    const char *from = data.p, *end = data.p + data.n;
    for (guint i = 0; i < mapper->n_members; i++) {
        const Member *member = get_member(mapper, i);
        const SlSpan *read = &mapper->read.list[i].value;
        if (is_plain(member))
            continue;
        g_string_append_len(out, from, member->key.p - 1 - from);
        from = read->p + read->n;
        if (!member->gone)
            write_member(mapper, member, out);
        else if (*from == ',')
            from++;
        else if (out->str[out->len - 1] == ',') /* it was the last one, and others stay */
            g_string_truncate(out, out->len - 1);
    }
    g_string_append_len(out, from, end - from);
}

SlMapped
sl_mapper_apply(SlMapper *mapper, SlSpan data, GString *out, gsize *ret_selected, GError **error)
{
    if (!read_members(mapper, data, error))
        return SL_MAPPED_FAILED;
    *ret_selected = measure(mapper, data);
    SlMapped mapped = run_steps(mapper, error);
    if (mapped == SL_MAPPED_CHANGED && mapper->read.sparse)
        write_sparse(mapper, data, out);
    else if (mapped == SL_MAPPED_CHANGED)
        write_members(mapper, out);
    return mapped;
}
