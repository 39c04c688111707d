/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-object.h"

#include <fnmatch.h>
#include <glib/gi18n.h>
#include <string.h>

#include "ctl-job.h"
#include "ctl-text.h"
#include "sl-error.h"
#include "sl-word.h"

#define PAGE 100 /* the API's largest */
#define MAX_ROWS 1000000
#define LEAST_PREFIX 4 /* digits of an id that may stand for the whole */

typedef struct {
    const char *name;   /* N_(), and the word in "source/NAME" */
    const char *path;   /* what is asked for */
    const char *id_key; /* member with the id */
    const char *list;   /* command that lists them */
} Kind;

static const Kind kind_rows[CTL_N_KINDS] = {
    [CTL_CONNECTION] = {N_("connection"), CTL_PUBLIC "/connections", "connectionId",
                        "list-connections"},
    [CTL_SOURCE] = {N_("source"), CTL_PUBLIC "/sources", "sourceId", "list-sources"},
    [CTL_DESTINATION] = {N_("destination"), CTL_PUBLIC "/destinations", "destinationId",
                         "list-destinations"},
    [CTL_SOURCE_CONNECTOR] = {N_("source connector"), CTL_SLUICE "/definitions?actorType=source",
                              "definitionId", "list-connectors"},
    [CTL_DESTINATION_CONNECTOR] = {N_("destination connector"),
                                   CTL_SLUICE "/definitions?actorType=destination", "definitionId",
                                   "list-connectors"},
};

void
ctl_object_free(CtlObject *object)
{
    if (object == NULL)
        return;
    g_free(object->id);
    g_free(object->name);
    g_free(object->type);
    sl_json_doc_free(object->doc);
    g_free(object);
}

const char *
ctl_kind_name(CtlKind kind)
{
    return _(kind_rows[kind].name);
}

const char *
ctl_kind_path(CtlKind kind)
{
    return kind_rows[kind].path;
}

/* --- listing -----------------------------------------------------------------------------------
 */

static gboolean
list_page(Ctl *ctl, const char *path, CtlRowFunc add, gpointer data, guint *ret_n, GError **error)
{
    g_autoptr(SlJsonDoc) doc = ctl_api_get(ctl->api, path, error);
    if (doc == NULL)
        return FALSE;
    const SlJsonNode *rows = sl_json_get(doc, sl_json_root(doc), "data");
    if (rows == NULL || rows->type != SL_JSON_ARRAY)
        return sl_error_set(error, SL_ERROR_PROTOCOL, _("GET %s: the answer has no 'data'"), path);
    SL_JSON_FOREACH (doc, rows, row) {
        add(doc, row, data);
    }
    *ret_n = rows->count;
    return TRUE;
}

gboolean
ctl_list_pages(Ctl *ctl, const char *path, guint limit, CtlRowFunc add, gpointer data,
               GError **error)
{
    guint n = 0;
    for (guint offset = 0; offset < limit; offset += n) {
        guint size = MIN(PAGE, limit - offset);
        g_autofree char *page = g_strdup_printf(
            "%s%climit=%u&offset=%u", path, strchr(path, '?') != NULL ? '&' : '?', size, offset);
        if (!list_page(ctl, page, add, data, &n, error))
            return FALSE;
        if (n < size)
            return TRUE;
    }
    return TRUE;
}

typedef struct {
    GPtrArray *objects;
    GHashTable *seen; /* ids: a listing without pages gives the same rows for every offset */
    CtlKind kind;
    const char *id_key;
    const char *type_key;
} Adding;

static void
add_object(const SlJsonDoc *doc, const SlJsonNode *row, gpointer data)
{
    Adding *adding = data;
    CtlObject *object = g_new0(CtlObject, 1);
    object->kind = adding->kind;
    object->id = ctl_json_string(doc, row, adding->id_key);
    object->name = ctl_json_string(doc, row, "name");
    object->type = ctl_json_string(doc, row, adding->type_key);
    object->doc = ctl_json_copy(row);
    if (object->doc == NULL || !g_hash_table_add(adding->seen, g_strdup(object->id)))
        ctl_object_free(object);
    else
        g_ptr_array_add(adding->objects, object);
}

static gboolean
list_into(Ctl *ctl, GPtrArray *objects, CtlKind kind, const char *id_key, const char *path,
          guint limit, GError **error)
{
    static const char *const type_keys[CTL_N_KINDS] = {
        [CTL_CONNECTION] = "sourceType",
        [CTL_SOURCE] = "sourceType",
        [CTL_DESTINATION] = "destinationType",
        [CTL_SOURCE_CONNECTOR] = "dockerRepository",
        [CTL_DESTINATION_CONNECTOR] = "dockerRepository",
    };
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Adding adding = {objects, seen, kind, id_key, type_keys[kind]};
    guint n;
    return limit == 0 ? list_page(ctl, path, add_object, &adding, &n, error)
                      : ctl_list_pages(ctl, path, limit, add_object, &adding, error);
}

GPtrArray *
ctl_object_list(Ctl *ctl, guint kinds, GError **error)
{
    g_autoptr(GPtrArray) objects = g_ptr_array_new_with_free_func((GDestroyNotify)ctl_object_free);
    for (guint kind = 0; kind < CTL_N_KINDS; kind++) {
        if ((kinds & CTL_KIND_BIT(kind)) == 0)
            continue;
        const Kind *row = &kind_rows[kind];
        g_autofree char *path = NULL;
        /* Connectors belong to the host, and come all at once. */
        gboolean connector = (CTL_KIND_BIT(kind) & CTL_KINDS_CONNECTOR) != 0;
        if (!connector) {
            const char *workspace = ctl_workspace(ctl, error);
            if (workspace == NULL)
                return NULL;
            path = g_strdup_printf("%s?workspaceIds=%s", row->path, workspace);
        }
        if (!list_into(ctl, objects, (CtlKind)kind, row->id_key, connector ? row->path : path,
                       connector ? 0 : MAX_ROWS, error))
            return NULL;
    }
    return g_steal_pointer(&objects);
}

GPtrArray *
ctl_object_list_workspaces(Ctl *ctl, GError **error)
{
    g_autoptr(GPtrArray) objects = g_ptr_array_new_with_free_func((GDestroyNotify)ctl_object_free);
    if (!list_into(ctl, objects, CTL_CONNECTION, "workspaceId", CTL_PUBLIC "/workspaces", MAX_ROWS,
                   error))
        return NULL;
    return g_steal_pointer(&objects);
}

/* --- finding -----------------------------------------------------------------------------------
 */

/* "airbyte/source-faker" is also "source-faker" and "faker"; a source's type is "faker". */
static gboolean
type_is(const CtlObject *object, const char *word)
{
    if (object->kind != CTL_SOURCE_CONNECTOR && object->kind != CTL_DESTINATION_CONNECTOR)
        return FALSE;
    const char *slash = strrchr(object->type, '/');
    const char *short_name = slash != NULL ? slash + 1 : object->type;
    const char *dash = strchr(short_name, '-');
    return g_ascii_strcasecmp(word, object->type) == 0 ||
           g_ascii_strcasecmp(word, short_name) == 0 ||
           (dash != NULL && g_ascii_strcasecmp(word, dash + 1) == 0);
}

typedef enum {
    MATCH_NAME,
    MATCH_TYPE,
    MATCH_ID_PREFIX,
    MATCH_CASE, /* the name in other letters */
    MATCH_N
} Match;

static gboolean
matches(const CtlObject *object, const char *word, Match how)
{
    switch (how) {
    case MATCH_NAME:
        return strcmp(object->name, word) == 0 || strcmp(object->id, word) == 0;
    case MATCH_TYPE:
        return type_is(object, word);
    case MATCH_ID_PREFIX: {
        g_autofree char *lower = g_ascii_strdown(word, -1);
        return strlen(word) >= LEAST_PREFIX && g_str_has_prefix(object->id, lower);
    }
    default: {
        g_autofree char *a = g_utf8_casefold(object->name, -1), *b = g_utf8_casefold(word, -1);
        return strcmp(a, b) == 0;
    }
    }
}

static gboolean
glob_matches(const CtlObject *object, const char *pattern)
{
    const char *slash = strrchr(object->type, '/');
    gboolean connector = (CTL_KIND_BIT(object->kind) & CTL_KINDS_CONNECTOR) != 0;
    return fnmatch(pattern, object->name, FNM_EXTMATCH) == 0 ||
           (connector && fnmatch(pattern, slash != NULL ? slash + 1 : object->type, 0) == 0);
}

/* "source/NAME" → NAME and the kind; otherwise -1 and the word itself. */
static int
split_kind(const char *word, const char **ret_word)
{
    const char *slash = strchr(word, '/');
    *ret_word = word;
    for (guint kind = 0; slash != NULL && kind < CTL_N_KINDS; kind++) {
        const char *name = kind_rows[kind].name;
        if (strlen(name) == (gsize)(slash - word) && strncmp(name, word, slash - word) == 0) {
            *ret_word = slash + 1;
            return (int)kind;
        }
    }
    return -1;
}

static gboolean
set_ambiguous(const GPtrArray *found, const char *word, GError **error)
{
    g_autoptr(GString) list = g_string_new(NULL);
    const CtlObject *first = g_ptr_array_index(found, 0);
    gboolean kinds = FALSE;
    for (guint i = 0; i < found->len; i++) {
        const CtlObject *object = g_ptr_array_index(found, i);
        kinds = kinds || object->kind != first->kind;
        g_autofree char *name = ctl_text_clean(object->name, -1);
        g_string_append_printf(list, "\n  %s '%s' %s", ctl_kind_name(object->kind), name,
                               object->id);
    }
    if (kinds)
        return sl_error_set(error, SL_ERROR_CONFLICT,
                            _("'%s' may be any of these; say for example '%s/%s', or the id:%s"),
                            word, kind_rows[first->kind].name, word, list->str);
    return sl_error_set(error, SL_ERROR_CONFLICT, _("'%s' may be any of these; say the id:%s"),
                        word, list->str);
}

/* The kind when `kinds` is only one; -1 otherwise. */
static int
single_kind(guint kinds)
{
    for (int kind = 0; kind < CTL_N_KINDS; kind++)
        if (kinds == CTL_KIND_BIT(kind))
            return kind;
    return -1;
}

static gboolean
set_not_found(const GPtrArray *objects, guint kinds, const char *word, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    int only = single_kind(kinds);
    for (guint i = 0; i < objects->len; i++) {
        const CtlObject *object = g_ptr_array_index(objects, i);
        if (only >= 0 && (int)object->kind != only)
            continue;
        const char *slash = strrchr(object->type, '/');
        g_ptr_array_add(names, object->name);
        if ((CTL_KIND_BIT(object->kind) & CTL_KINDS_CONNECTOR) == 0)
            continue;
        const char *short_name = slash != NULL ? slash + 1 : object->type;
        const char *dash = strchr(short_name, '-');
        g_ptr_array_add(names, (gpointer)short_name);
        if (dash != NULL)
            g_ptr_array_add(names, (gpointer)(dash + 1));
    }
    g_ptr_array_add(names, NULL);
    const char *nearest = sl_word_nearest(word, (const char *const *)names->pdata);
    const char *what = only >= 0                      ? ctl_kind_name((CtlKind)only)
                       : kinds == CTL_KINDS_WORKSPACE ? _("workspace")
                       : kinds == CTL_KINDS_CONNECTOR ? _("connector")
                                                      : _("connection, source or destination");
    if (nearest != NULL) {
        g_autofree char *clean = ctl_text_clean(nearest, -1);
        return sl_error_set(error, SL_ERROR_NOT_FOUND, _("there is no %s '%s'; did you mean '%s'?"),
                            what, word, clean);
    }
    const char *list = only >= 0                      ? kind_rows[only].list
                       : kinds == CTL_KINDS_CONNECTOR ? "list-connectors"
                                                      : "status";
    return sl_error_set(error, SL_ERROR_NOT_FOUND,
                        _("there is no %s '%s'; 'sluicectl %s' shows what there is"), what, word,
                        list);
}

const CtlObject *
ctl_object_pick(const GPtrArray *objects, guint kinds, const char *word, GError **error)
{
    const char *name;
    int kind = split_kind(word, &name);
    for (guint how = 0; how < MATCH_N; how++) {
        g_autoptr(GPtrArray) found = g_ptr_array_new();
        for (guint i = 0; i < objects->len; i++) {
            CtlObject *object = g_ptr_array_index(objects, i);
            if ((kind < 0 || (int)object->kind == kind) && matches(object, name, (Match)how))
                g_ptr_array_add(found, object);
        }
        if (found->len == 1)
            return g_ptr_array_index(found, 0);
        if (found->len > 1) {
            set_ambiguous(found, word, error);
            return NULL;
        }
    }
    set_not_found(objects, kind >= 0 ? CTL_KIND_BIT(kind) : kinds, name, error);
    return NULL;
}

GPtrArray *
ctl_object_select(const GPtrArray *objects, guint kinds, const char *const *words, GError **error)
{
    g_autoptr(GPtrArray) selected = g_ptr_array_new();
    for (guint i = 0; words[0] == NULL && i < objects->len; i++)
        g_ptr_array_add(selected, g_ptr_array_index(objects, i));
    for (guint w = 0; words[w] != NULL; w++) {
        if (!ctl_text_is_glob(words[w])) {
            const CtlObject *one = ctl_object_pick(objects, kinds, words[w], error);
            if (one == NULL)
                return NULL;
            if (!g_ptr_array_find(selected, one, NULL))
                g_ptr_array_add(selected, (gpointer)one);
            continue;
        }
        const char *pattern;
        int kind = split_kind(words[w], &pattern);
        for (guint i = 0; i < objects->len; i++) {
            CtlObject *object = g_ptr_array_index(objects, i);
            if ((kind < 0 || (int)object->kind == kind) && glob_matches(object, pattern) &&
                !g_ptr_array_find(selected, object, NULL))
                g_ptr_array_add(selected, object);
        }
    }
    return g_steal_pointer(&selected);
}

GPtrArray *
ctl_object_select_connections(Ctl *ctl, GPtrArray **ret_all, GError **error)
{
    const guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    const char *const *words = (const char *const *)ctl->args->args;
    *ret_all = ctl_object_list(ctl, kind, error);
    g_autoptr(GPtrArray) selected =
        *ret_all != NULL ? ctl_object_select(*ret_all, kind, words, error) : NULL;
    if (selected == NULL)
        return NULL;
    if (selected->len > 0)
        return g_steal_pointer(&selected);
    sl_error_set(error, SL_ERROR_NOT_FOUND, _("no connection matches '%s'"), words[0]);
    return NULL;
}

gboolean
ctl_job_find(Ctl *ctl, const char *word, gint64 *ret_id, GError **error)
{
    guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    if (ctl_job_parse_id(word, ret_id))
        return TRUE;
    g_autoptr(GPtrArray) all = ctl_object_list(ctl, kind, error);
    const CtlObject *connection = all != NULL ? ctl_object_pick(all, kind, word, error) : NULL;
    *ret_id = connection != NULL ? ctl_job_newest(ctl, connection->id, error) : -1;
    if (*ret_id == 0)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, _("connection '%s' has never run"),
                            connection->name);
    return *ret_id > 0;
}

const CtlObject *
ctl_object_by_id(const GPtrArray *objects, const char *id)
{
    for (guint i = 0; i < objects->len; i++) {
        const CtlObject *object = g_ptr_array_index(objects, i);
        if (strcmp(object->id, id) == 0)
            return object;
    }
    return NULL;
}

char *
ctl_object_word(CtlKind kind, const char *word)
{
    const char *rest;
    return split_kind(word, &rest) >= 0 ? g_strdup(word)
                                        : g_strjoin("/", kind_rows[kind].name, word, NULL);
}
