/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-record.h"

#include <string.h>

#include "sl-error.h"
#include "sl-id.h"
#include "sl-time.h"

#define MEMBER(type, object, field) G_STRUCT_MEMBER(type, (object), (field)->offset)
#define HEAD(object) ((SlRecordHead *)(object))
#define BIT(i) (G_GUINT64_CONSTANT(1) << (i))

static gboolean
is_text(const SlField *field)
{
    return field->kind == SL_KIND_STR || field->kind == SL_KIND_UUID || field->kind == SL_KIND_NODE;
}

static gboolean
is_pointer(const SlField *field)
{
    return is_text(field) || field->kind == SL_KIND_OBJ || field->kind == SL_KIND_OBJV ||
           field->kind == SL_KIND_STRV;
}

static guint
index_of(const SlRecord *record, const SlField *field)
{
    return (guint)(field - record->fields);
}

static void
clear_field(const SlField *field, gpointer object)
{
    switch ((SlKind)field->kind) {
    case SL_KIND_STR:
    case SL_KIND_UUID:
    case SL_KIND_NODE:
        g_clear_pointer(&MEMBER(char *, object, field), g_free);
        break;
    case SL_KIND_STRV:
        g_clear_pointer(&MEMBER(char **, object, field), g_strfreev);
        break;
    case SL_KIND_OBJ:
        sl_record_free(field->record, MEMBER(gpointer, object, field));
        MEMBER(gpointer, object, field) = NULL;
        break;
    case SL_KIND_OBJV: {
        GPtrArray *items = MEMBER(GPtrArray *, object, field);
        for (guint i = 0; items != NULL && i < items->len; i++)
            sl_record_free(field->record, items->pdata[i]);
        g_clear_pointer(&MEMBER(GPtrArray *, object, field), g_ptr_array_unref);
        break;
    }
    default:
        break;
    }
}

void
sl_record_free(const SlRecord *record, gpointer object)
{
    if (object == NULL)
        return;
    for (guint i = 0; i < record->n_fields; i++)
        clear_field(&record->fields[i], object);
    g_free(object);
}

/* --- values from text ------------------------------------------------------------------------ */

static gboolean
refuse_name(const SlEnum *names, const char *text, GError **error)
{
    g_autoptr(GString) list = g_string_new(NULL);
    g_autofree char *shown = g_utf8_strlen(text, -1) <= 40 ? g_strdup(text) : NULL;
    for (int i = 0; i < names->n_names; i++)
        g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", sl_enum_name(names, i));
    if (shown == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "expected one of %s", list->str);
    return sl_error_set(error, SL_ERROR_INVALID, "expected one of %s, not '%s'", list->str, shown);
}

static gboolean
set_enum(const SlField *field, gpointer object, const char *text, GError **error)
{
    int value = sl_enum_value(field->names, text);
    if (value < 0)
        return refuse_name(field->names, text, error);
    MEMBER(int, object, field) = value;
    return TRUE;
}

static gboolean
set_uuid(const SlField *field, gpointer object, const char *text, GError **error)
{
    g_autofree char *lower = g_ascii_strdown(text, -1);
    if (!sl_id_is_valid(lower))
        return sl_error_set(error, SL_ERROR_INVALID, "'%s' is not a UUID", text);
    g_free(MEMBER(char *, object, field));
    MEMBER(char *, object, field) = g_steal_pointer(&lower);
    return TRUE;
}

static gboolean
set_string(const SlField *field, gpointer object, const char *text, GError **error)
{
    glong length = field->max > 0 || field->min > 0 ? g_utf8_strlen(text, -1) : 0;
    if (length < field->min || (field->max > 0 && length > field->max))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "must have %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " characters",
                            field->min, field->max);
    g_free(MEMBER(char *, object, field));
    MEMBER(char *, object, field) = g_strdup(text);
    return TRUE;
}

static gboolean
set_int(const SlField *field, gpointer object, gint64 value, GError **error)
{
    if ((field->min != 0 || field->max != 0) && (value < field->min || value > field->max))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "must lie between %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT,
                            field->min, field->max);
    MEMBER(gint64, object, field) = value;
    return TRUE;
}

static gboolean parse_field(const SlField *field, gpointer object, const SlJsonDoc *doc,
                            const SlJsonNode *node, GError **error);

static gboolean
set_json_text(const SlField *field, gpointer object, const char *text, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, error);
    return doc != NULL && parse_field(field, object, doc, sl_json_root(doc), error);
}

static gboolean
set_boolean(const SlField *field, gpointer object, const char *text, GError **error)
{
    gboolean yes = strcmp(text, "t") == 0 || strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "f") != 0 && strcmp(text, "false") != 0)
        return sl_error_set(error, SL_ERROR_INVALID, "'%s' is not a boolean", text);
    MEMBER(gboolean, object, field) = yes;
    return TRUE;
}

static gboolean
set_from_text(const SlField *field, gpointer object, const char *text, GError **error)
{
    gint64 number = 0;
    switch ((SlKind)field->kind) {
    case SL_KIND_STR:
        return set_string(field, object, text, error);
    case SL_KIND_UUID:
        return set_uuid(field, object, text, error);
    case SL_KIND_INT:
        if (!g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &number, NULL))
            return sl_error_set(error, SL_ERROR_INVALID, "'%s' is not an integer", text);
        return set_int(field, object, number, error);
    case SL_KIND_DBL:
        MEMBER(double, object, field) = g_ascii_strtod(text, NULL);
        return TRUE;
    case SL_KIND_BOOL:
        return set_boolean(field, object, text, error);
    case SL_KIND_TIME:
        return sl_time_parse(text, &MEMBER(gint64, object, field), error);
    case SL_KIND_ENUM:
        return set_enum(field, object, text, error);
    case SL_KIND_NODE:
        g_free(MEMBER(char *, object, field));
        MEMBER(char *, object, field) = g_strdup(text);
        return TRUE;
    default:
        return set_json_text(field, object, text, error);
    }
}

gpointer
sl_record_new(const SlRecord *record)
{
    gpointer object = g_malloc0(record->size);
    for (guint i = 0; i < record->n_fields; i++) {
        const SlField *field = &record->fields[i];
        g_autoptr(GError) error = NULL;
        if (field->fallback != NULL && !set_from_text(field, object, field->fallback, &error))
            g_critical("default of %s.%s: %s", record->name, field->json, error->message);
    }
    return object;
}

gboolean
sl_record_set_text(const SlRecord *record, gpointer object, const char *column, const char *text,
                   GError **error)
{
    const SlField *field = sl_record_find(record, column);
    return field != NULL ? sl_record_set_field(record, object, field, text, error)
                         : sl_error_set(error, SL_ERROR_DATABASE, "%s has no column '%s'",
                                        record->name, column);
}

gboolean
sl_record_set_field(const SlRecord *record, gpointer object, const SlField *field, const char *text,
                    GError **error)
{
    guint i = index_of(record, field);
    if (text == NULL) {
        HEAD(object)->nulls |= BIT(i);
        return TRUE;
    }
    if (!set_from_text(field, object, text, error)) {
        g_prefix_error(error, "%s: ", field->column);
        return FALSE;
    }
    HEAD(object)->present |= BIT(i);
    return TRUE;
}

/* --- values from JSON ------------------------------------------------------------------------ */

static gboolean
expected(const char *what, GError **error)
{
    return sl_error_set(error, SL_ERROR_INVALID, "expected %s", what);
}

static gboolean
parse_strv(const SlField *field, gpointer object, const SlJsonDoc *doc, const SlJsonNode *node,
           GError **error)
{
    if (node->type != SL_JSON_ARRAY)
        return expected("array of strings", error);
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(g_free);
    SL_JSON_FOREACH (doc, node, child) {
        char *item = sl_json_dup_string(child);
        if (item == NULL) {
            expected("string", error);
            g_prefix_error(error, "[%u]\x1f", items->len);
            return FALSE;
        }
        g_ptr_array_add(items, item);
    }
    g_ptr_array_add(items, NULL);
    clear_field(field, object);
    MEMBER(char **, object, field) = (char **)g_ptr_array_free(g_steal_pointer(&items), FALSE);
    return TRUE;
}

static gpointer parse_record(const SlRecord *record, const SlJsonDoc *doc, const SlJsonNode *node,
                             GError **error);

static gboolean
parse_objects(const SlField *field, gpointer object, const SlJsonDoc *doc, const SlJsonNode *node,
              GError **error)
{
    if (node->type != SL_JSON_ARRAY)
        return expected("array", error);
    GPtrArray *items = g_ptr_array_new();
    clear_field(field, object);
    MEMBER(GPtrArray *, object, field) = items; /* owned at once: a half-built one is freed too */
    SL_JSON_FOREACH (doc, node, child) {
        gpointer item = parse_record(field->record, doc, child, error);
        if (item == NULL) {
            g_prefix_error(error, "[%u]\x1f", items->len);
            return FALSE;
        }
        g_ptr_array_add(items, item);
    }
    return TRUE;
}

static gboolean
parse_string_like(const SlField *field, gpointer object, const SlJsonNode *node, GError **error)
{
    g_autofree char *text = sl_json_dup_string(node);
    if (text == NULL)
        return expected(node->type == SL_JSON_STRING ? "string without NUL" : "string", error);
    return set_from_text(field, object, text, error);
}

static gboolean
parse_field(const SlField *field, gpointer object, const SlJsonDoc *doc, const SlJsonNode *node,
            GError **error)
{
    gint64 number = 0;
    switch ((SlKind)field->kind) {
    case SL_KIND_STR:
    case SL_KIND_UUID:
    case SL_KIND_TIME:
    case SL_KIND_ENUM:
        return parse_string_like(field, object, node, error);
    case SL_KIND_INT:
        if (!sl_json_get_int64(node, &number))
            return expected("integer", error);
        return set_int(field, object, number, error);
    case SL_KIND_DBL:
        return sl_json_get_double(node, &MEMBER(double, object, field)) ||
               expected("number", error);
    case SL_KIND_BOOL:
        return sl_json_get_boolean(node, &MEMBER(gboolean, object, field)) ||
               expected("boolean", error);
    case SL_KIND_OBJ:
        clear_field(field, object);
        MEMBER(gpointer, object, field) = parse_record(field->record, doc, node, error);
        return MEMBER(gpointer, object, field) != NULL;
    case SL_KIND_OBJV:
        return parse_objects(field, object, doc, node, error);
    case SL_KIND_STRV:
        return parse_strv(field, object, doc, node, error);
    case SL_KIND_NODE:
        clear_field(field, object);
        MEMBER(char *, object, field) = sl_json_dup_span(node);
        return TRUE;
    }
    g_return_val_if_reached(FALSE);
}

/* "name" + "[2]\x1f" + "key\x1f" + "text" → "name[2].key: text". The unit separator keeps the path
 * apart from the text while the error travels outward. */
static void
prefix_path(GError **error, const char *name)
{
    if (error == NULL || *error == NULL)
        return;
    const char *inner = (*error)->message;
    const char *separator = strchr(inner, '\x1f') != NULL && *inner != '[' ? "." : "";
    if (strchr(inner, '\x1f') == NULL)
        separator = "\x1f";
    char *message = g_strconcat(name, separator, inner, NULL);
    g_free((*error)->message);
    (*error)->message = message;
}

/* The outermost call turns the separators into what a reader expects. */
static void
finish_path(GError **error)
{
    if (error == NULL || *error == NULL)
        return;
    char *last = strrchr((*error)->message, '\x1f');
    if (last == NULL)
        return;
    GString *out = g_string_new(NULL);
    for (const char *p = (*error)->message; *p != '\0'; p++) {
        if (*p != '\x1f')
            g_string_append_c(out, *p);
        else if (p == last)
            g_string_append(out, ": ");
        else if (p[1] != '[')
            g_string_append_c(out, '.');
    }
    g_free((*error)->message);
    (*error)->message = g_string_free(out, FALSE);
}

static gpointer
parse_record(const SlRecord *record, const SlJsonDoc *doc, const SlJsonNode *node, GError **error)
{
    if (node == NULL || node->type != SL_JSON_OBJECT) {
        expected("object", error);
        return NULL;
    }
    gpointer object = sl_record_new(record);
    for (guint i = 0; i < record->n_fields; i++) {
        const SlField *field = &record->fields[i];
        const SlJsonNode *value = sl_json_get(doc, node, field->json);
        gboolean null = value != NULL && value->type == SL_JSON_NULL;
        gboolean ok = TRUE;
        if (null)
            HEAD(object)->nulls |= BIT(i);
        if ((value == NULL || null) && (field->flags & SL_FIELD_REQUIRED) != 0)
            ok = sl_error_set(error, SL_ERROR_INVALID, "is required");
        else if (value != NULL && !null)
            ok = parse_field(field, object, doc, value, error);
        if (!ok) {
            prefix_path(error, field->json);
            sl_record_free(record, object);
            return NULL;
        }
        if (value != NULL && !null)
            HEAD(object)->present |= BIT(i);
    }
    return object;
}

gpointer
sl_record_parse(const SlRecord *record, const SlJsonDoc *doc, const SlJsonNode *node,
                GError **error)
{
    gpointer object = parse_record(record, doc, node, error);
    if (object == NULL)
        finish_path(error);
    return object;
}

gpointer
sl_record_parse_text(const SlRecord *record, const char *text, gsize len, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, len, NULL, error);
    if (doc == NULL)
        return NULL;
    return sl_record_parse(record, doc, sl_json_root(doc), error);
}

/* --- writing --------------------------------------------------------------------------------- */

gboolean
sl_record_has(const SlRecord *record, gconstpointer object, guint i)
{
    const SlField *field = &record->fields[i];
    if (is_pointer(field))
        return MEMBER(gconstpointer, object, field) != NULL;
    return (((const SlRecordHead *)object)->present & BIT(i)) != 0;
}

gboolean
sl_record_is_null(gconstpointer object, guint i)
{
    return (((const SlRecordHead *)object)->nulls & BIT(i)) != 0;
}

void
sl_record_mark(gpointer object, guint i)
{
    HEAD(object)->present |= BIT(i);
    HEAD(object)->nulls &= ~BIT(i);
}

static void
write_time(gint64 usec, SlJsonWriter *writer)
{
    g_autofree char *text = sl_time_format(usec);
    sl_json_string(writer, text);
}

static void
write_objects(const SlField *field, const GPtrArray *items, SlRecordWriteFlags flags,
              SlJsonWriter *writer)
{
    sl_json_begin_array(writer);
    for (guint i = 0; i < items->len; i++)
        sl_record_write(field->record, items->pdata[i], flags, writer);
    sl_json_end_array(writer);
}

static void
write_value(const SlField *field, gconstpointer object, SlRecordWriteFlags flags,
            SlJsonWriter *writer)
{
    if ((field->flags & SL_FIELD_SECRET) != 0 && (flags & SL_RECORD_MASK_SECRETS) != 0) {
        sl_json_string(writer, SL_MASK);
        return;
    }
    switch ((SlKind)field->kind) {
    case SL_KIND_STR:
    case SL_KIND_UUID:
        sl_json_string(writer, MEMBER(const char *, object, field));
        break;
    case SL_KIND_INT:
        sl_json_int(writer, MEMBER(gint64, object, field));
        break;
    case SL_KIND_DBL:
        sl_json_double(writer, MEMBER(double, object, field));
        break;
    case SL_KIND_BOOL:
        sl_json_bool(writer, MEMBER(gboolean, object, field));
        break;
    case SL_KIND_TIME:
        write_time(MEMBER(gint64, object, field), writer);
        break;
    case SL_KIND_ENUM:
        sl_json_string(writer, sl_enum_name(field->names, MEMBER(int, object, field)));
        break;
    case SL_KIND_OBJ:
        sl_record_write(field->record, MEMBER(gconstpointer, object, field), flags, writer);
        break;
    case SL_KIND_OBJV:
        write_objects(field, MEMBER(GPtrArray *, object, field), flags, writer);
        break;
    case SL_KIND_STRV:
        sl_json_strings(writer, MEMBER(const char *const *, object, field));
        break;
    case SL_KIND_NODE:
        sl_json_raw(writer, MEMBER(const char *, object, field),
                    strlen(MEMBER(const char *, object, field)));
        break;
    }
}

void
sl_record_write(const SlRecord *record, gconstpointer object, SlRecordWriteFlags flags,
                SlJsonWriter *writer)
{
    sl_json_begin_object(writer);
    for (guint i = 0; i < record->n_fields; i++) {
        const SlField *field = &record->fields[i];
        if (sl_record_has(record, object, i)) {
            sl_json_key(writer, field->json);
            write_value(field, object, flags, writer);
        } else if ((flags & SL_RECORD_WRITE_NULLS) != 0 && sl_record_is_null(object, i)) {
            sl_json_key(writer, field->json);
            sl_json_null(writer);
        }
    }
    sl_json_end_object(writer);
}

char *
sl_record_print(const SlRecord *record, gconstpointer object, SlRecordWriteFlags flags)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter writer = SL_JSON_WRITER_INIT(out);
    sl_record_write(record, object, flags, &writer);
    return g_string_free(out, FALSE);
}

const SlField *
sl_record_find(const SlRecord *record, const char *column)
{
    for (guint i = 0; i < record->n_fields; i++)
        if (strcmp(record->fields[i].column, column) == 0)
            return &record->fields[i];
    return NULL;
}

const char *
sl_enum_name(const SlEnum *names, int value)
{
    return value >= 0 && value < names->n_names ? names->names[value] : NULL;
}

int
sl_enum_value(const SlEnum *names, const char *name)
{
    for (int i = 0; i < names->n_names; i++)
        if (g_ascii_strcasecmp(names->names[i], name) == 0)
            return i;
    return -1;
}
